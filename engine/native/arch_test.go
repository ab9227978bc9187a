package native_test

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/kernel"
)

// families are models of every architecture with what is awkward about each: windows
// shorter than a chunk and no multiple of four, heads that are no multiple of 16 and
// not dim/heads long, layers on both sides of a pattern.
func families() map[string]enginetest.Shape {
	shape := func(arch string, layers, window int) enginetest.Shape {
		s := enginetest.Tiny()
		s.Arch, s.Layers, s.Window, s.Head = arch, layers, window, 12
		return s
	}
	return map[string]enginetest.Shape{
		"mistral": shape("", 3, 50),
		"qwen2":   shape("qwen2", 3, 0),
		"qwen3":   shape("qwen3", 3, 0),
		"gemma2":  shape("gemma2", 3, 37),
		"gemma3":  shape("gemma3", 7, 23),
	}
}

// familyLogits is the SHA-256 of all logits of the families on 250 ids: what
// arithmetic 1 means for them. It must never change.
var familyLogits = map[string]string{
	"mistral": "4022e8f574c380282c5977349c831be89246696d72c9344d801af25aefd3fd86",
	"qwen2":   "0eb5cf2406321e6e80517215de1607e24ba841c472cae38432d6793e71f206d4",
	"qwen3":   "67f452c479bf1b656a4df2486a0a413aa8b430388e10222686150001ff7de13c",
	"gemma2":  "338559fe33967aecd0a2bf2970fab1b3c24c6ed7799122321d6787751e460ccb",
	"gemma3":  "0c06d585f7b821cd0fde49815550f8f969959191236255a6ef3709865959b67e",
}

func TestFamiliesSameBits(t *testing.T) {
	for name, shape := range families() {
		t.Run(name, func(t *testing.T) {
			m := random(t, shape)
			ids := someIDs(250, m.Vocab())
			var whole []float32
			for _, o := range configurations() {
				whole = logits(t, engine(t, m, o), ids)
				if got := sum(whole); got != familyLogits[name] {
					t.Errorf("%+v: logits hash to %s, want %s", o, got, familyLogits[name])
				}
			}
			e := engine(t, m, native.Options{})
			for _, n := range []int{1, 3, 36, 38, 97, 193} {
				if sum(logits(t, e, ids[:n])) != sum(whole[:n*m.Vocab()]) {
					t.Errorf("the first %d ids give other logits alone", n)
				}
			}
			decodeEqualsPrefill(t, e, ids[:9], 120)
		})
	}
}

// decodeEqualsPrefill draws ids one by one and compares with a pass over all of them.
func decodeEqualsPrefill(t *testing.T, e *native.Engine, prompt []targon.TokenID, n uint32) {
	t.Helper()
	r := targon.Request{Prompt: prompt, MaxTokens: n, Sampling: targon.Sampling{Temperature: 1, Seed: 4}}
	drawn := enginetest.IDs(enginetest.Collect(t, e, r))
	scores, err := e.Score(t.Context(), r, drawn, targon.Need{Top: e.Model().Vocab()})
	if err != nil {
		t.Fatal(err)
	}
	rows := logits(t, e, append(slices.Clone(prompt), drawn...))
	for j, p := range scores.Positions {
		if want := rows[(len(prompt)-1+j)*e.Model().Vocab()+int(drawn[j])]; math.Float32bits(want) != math.Float32bits(p.Claimed.Logit) {
			t.Errorf("position %d: scored %v, computed %v", j, p.Claimed.Logit, want)
		}
	}
}

// TestFamiliesConform: what each draws is the winner by its own scores, and the rest of
// what an engine is held to.
func TestFamiliesConform(t *testing.T) {
	for name, shape := range families() {
		t.Run(name, func(t *testing.T) {
			m := random(t, shape)
			enginetest.Run(t, func(t *testing.T) (enginetest.Engine, enginetest.Info) {
				return engine(t, m, native.Options{}), info(m, someIDs(60, m.Vocab()))
			})
		})
	}
}

// archCases are the files of testdata/arch; its README says how they were made.
func archCases(t *testing.T) []struct {
	Name string           `json:"name"`
	IDs  []targon.TokenID `json:"ids"`
} {
	t.Helper()
	var cases []struct {
		Name string           `json:"name"`
		IDs  []targon.TokenID `json:"ids"`
	}
	if err := json.Unmarshal(archFile(t, "cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	return cases
}

func archFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "arch", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestAgainstTransformers compares with logits that another implementation computed in
// float64 from the same weights.
func TestAgainstTransformers(t *testing.T) {
	for _, c := range archCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			m, err := native.Load(archFile(t, c.Name+".gguf"))
			if err != nil {
				t.Fatal(err)
			}
			raw := archFile(t, c.Name+".logits.f32")
			want := make([]float32, len(raw)/4)
			for i := range want {
				want[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			}
			if len(want) != len(c.IDs)*m.Vocab() {
				t.Fatalf("%d logits for %d ids of %d", len(want), len(c.IDs), m.Vocab())
			}
			for _, k := range kernel.Available() {
				got := logits(t, engine(t, m, native.Options{Kernel: k}), c.IDs)
				worst := 0.0
				for i := range got {
					worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
				}
				t.Logf("%s: largest difference %.2g", k, worst)
				if !(worst <= 1e-4) {
					t.Errorf("%s: largest difference %v", k, worst)
				}
				for p := 0; p < len(got); p += m.Vocab() {
					a, b := got[p:p+m.Vocab()], want[p:p+m.Vocab()]
					if slices.Index(a, slices.Max(a)) != slices.Index(b, slices.Max(b)) {
						t.Errorf("%s: another id wins at position %d", k, p/m.Vocab())
					}
				}
			}
		})
	}
}
