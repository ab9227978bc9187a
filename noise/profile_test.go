package noise_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"targon/noise"
)

// TestProfilesPublished holds noise to values worked out from the descriptions of the
// engines with independent programs (testdata/README.md).
func TestProfilesPublished(t *testing.T) {
	b, err := os.ReadFile("testdata/profiles.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []struct {
		Profile  noise.Profile `json:"profile"`
		Seed     uint64        `json:"seed"`
		Prompt   int           `json:"prompt"`
		Output   int           `json:"output"`
		Column   uint32        `json:"column"`
		Noise    float64       `json:"noise"`
		Accuracy float64       `json:"accuracy"`
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	seen := map[noise.Profile]int{}
	for _, w := range want {
		seen[w.Profile]++
		got := w.Profile.Field(w.Seed, w.Prompt, w.Output).Noise(w.Column)
		if d := math.Abs(got - w.Noise); !(d <= w.Accuracy) {
			t.Errorf("%v: noise(%d, %d+%d, %d) = %v, want %v: off by %v", w.Profile, w.Seed, w.Prompt, w.Output, w.Column, got, w.Noise, d)
		}
	}
	for _, p := range noise.Profiles() {
		if seen[p] < 20 {
			t.Errorf("%v has %d vectors", p, seen[p])
		}
	}
}

// TestOursIsGumbel: the zero profile is what the engine draws with.
func TestOursIsGumbel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, column := rapid.Uint64().Draw(t, "seed"), rapid.Uint32().Draw(t, "column")
		prompt, output := rapid.IntRange(1, 1<<17).Draw(t, "prompt"), rapid.IntRange(0, 1<<16).Draw(t, "output")
		f := noise.Profile{}.Field(seed, prompt, output)
		if got, want := f.Noise(column), noise.Gumbel(seed, uint32(prompt+output), column); got != want {
			t.Fatalf("noise %v, want %v", got, want)
		}
		if f.Key(column) != noise.At(seed, uint32(prompt+output)).Hash(column) {
			t.Fatal("key is not the hash")
		}
	})
}

// TestVLLMIsNearOurs: one hash, so the float32 form differs by rounding only.
func TestVLLMIsNearOurs(t *testing.T) {
	apart := 0
	for i := range uint32(20000) {
		ours := noise.Profile{Count: noise.CountLast}.Field(9, 5, int(i>>8)).Noise(i & 255)
		vllm := noise.VLLM.Usual().Field(9, 5, int(i>>8)).Noise(i & 255)
		if d := math.Abs(ours - vllm); d > 3e-6 && ours > -1 { // u near 1 has few bits, and never wins
			t.Fatalf("column %d: %v and %v", i, ours, vllm)
		} else if d != 0 {
			apart++
		}
		if float64(float32(vllm)) != vllm {
			t.Fatalf("%v is no float32", vllm)
		}
	}
	if apart < 10000 {
		t.Errorf("only %d of 20000 differ: no rounding to float32", apart)
	}
}

// TestCounts: what a position is decides where noise is the same.
func TestCounts(t *testing.T) {
	at := func(c noise.Count, prompt, output int) float64 {
		return noise.Profile{Form: noise.SGLang, Count: c}.Field(3, prompt, output).Noise(4)
	}
	for _, c := range []struct {
		name string
		a, b float64
		same bool
	}{
		{"before counts the prompt", at(noise.CountBefore, 5, 2), at(noise.CountBefore, 6, 1), true},
		{"last is one less", at(noise.CountLast, 5, 3), at(noise.CountBefore, 5, 2), true},
		{"last is not before", at(noise.CountLast, 5, 2), at(noise.CountBefore, 5, 2), false},
		{"output leaves the prompt out", at(noise.CountOutput, 5, 2), at(noise.CountOutput, 9, 2), true},
		{"output counts from 0", at(noise.CountOutput, 5, 2), at(noise.CountBefore, 1, 1), true},
		{"output moves on", at(noise.CountOutput, 5, 2), at(noise.CountOutput, 5, 3), false},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: %v and %v", c.name, c.a, c.b)
		}
	}
}

// TestNoiseFallsWithKey: what lets a winner be found with few logarithms. It holds up to
// the last bit of a logarithm.
func TestNoiseFallsWithKey(t *testing.T) {
	for _, p := range noise.Profiles() {
		t.Run(p.String(), func(t *testing.T) {
			f := p.Field(1, 1, 0)
			top := uint32(p.Keys() - 1)
			if !(f.OfKey(0) > f.OfKey(top)) {
				t.Fatalf("from %v to %v", f.OfKey(0), f.OfKey(top))
			}
			rapid.Check(t, func(t *rapid.T) {
				a, b := rapid.Uint32Range(0, top).Draw(t, "a"), rapid.Uint32Range(0, top).Draw(t, "b")
				if rapid.Bool().Draw(t, "close") {
					b = a + b%16
				}
				if b > top {
					b = top
				}
				if a > b {
					a, b = b, a
				}
				if f.OfKey(a) < f.OfKey(b)-1e-14*math.Abs(f.OfKey(b)) {
					t.Fatalf("noise rises from key %d (%v) to %d (%v)", a, f.OfKey(a), b, f.OfKey(b))
				}
				field := p.Field(uint64(a), 7, 3)
				if k := field.Key(b); uint64(k) >= p.Keys() || field.Noise(b) != field.OfKey(k) {
					t.Fatalf("column %d has key %d of %d", b, k, p.Keys())
				}
			})
		})
	}
}

// TestNoiseIsGumbel: mean 0.5772 and variance 1.645 in every form, and no two forms alike.
func TestNoiseIsGumbel(t *testing.T) {
	first := map[float64]string{}
	for _, p := range noise.Profiles() {
		var sum, squares float64
		const n = 1 << 16
		for i := range n {
			g := p.Field(77, 9, i>>8).Noise(uint32(i & 255))
			sum += g
			squares += g * g
		}
		mean := sum / n
		variance := squares/n - mean*mean
		if math.Abs(mean-0.57722) > 0.03 || math.Abs(variance-math.Pi*math.Pi/6) > 0.06 {
			t.Errorf("%v: mean %v, variance %v", p, mean, variance)
		}
		if other, twice := first[mean]; twice {
			t.Errorf("%v and %s are the same noise", p, other)
		}
		first[mean] = p.String()
	}
}

// TestEnds: the extreme keys of every form, worked out by hand.
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		form      noise.Form
		high, low float64
	}{
		{noise.Targon, 22.87386, -3.12999},        // -ln(2^-33); -ln(33 ln 2)
		{noise.VLLM, 22.87386, math.Inf(-1)},      // u rounds to 1
		{noise.VLLMPhilox, 21.48756, -2.81154},    // u = 2^-31, and 1-2^-24
		{noise.VLLMPhiloxLog, 16.63553, -3.82976}, // u = 1-2^-24; -ln(20 ln 10)
		{noise.SGLang, 22.18071, -709.78271},      // ln u = -2^-32 and -MaxFloat64
		{noise.SGLang053, 16.61889, -3.03126},     // 2^-24 + 1e-9; -ln(9 ln 10)
	} {
		p := c.form.Usual()
		f := p.Field(0, 1, 0)
		high, low := f.OfKey(0), f.OfKey(uint32(p.Keys()-1))
		if math.Abs(high-c.high) > 2e-5 || math.Abs(low-c.low) > 2e-5 && low != c.low {
			t.Errorf("%v: from %.5f to %.5f, want %.5f to %.5f", p, high, low, c.high, c.low)
		}
	}
}

// TestUnderIsPlain: the columns under a limit are those whose key is.
func TestUnderIsPlain(t *testing.T) {
	for _, p := range noise.Profiles() {
		f := p.Field(3, 4, 5)
		for _, limit := range []uint64{0, 1, p.Keys() / 50, p.Keys() - 1, p.Keys()} {
			want := []uint32{7}
			for c := range uint32(300) {
				if uint64(f.Key(c)) < limit {
					want = append(want, c)
				}
			}
			if got := f.Under(limit, 300, []uint32{7}); !slices.Equal(got, want) {
				t.Errorf("%v, limit %d: %v, want %v", p, limit, got, want)
			}
		}
	}
}

// TestBounds: no key has more noise than its bound, and none from a limit on reaches what
// the limit was made for.
func TestBounds(t *testing.T) {
	for _, p := range noise.Profiles() {
		t.Run(p.String(), func(t *testing.T) {
			b, f := p.Bounds(), p.Field(0, 1, 0)
			top := uint32(p.Keys() - 1)
			rapid.Check(t, func(t *rapid.T) {
				key := rapid.Uint32Range(0, top).Draw(t, "key") >> rapid.IntRange(0, 31).Draw(t, "shift")
				g := f.OfKey(key)
				if bound := b.Of(key); g > bound || key > 0 && g < bound-math.Ln2*4 && key < top/4 {
					t.Fatalf("noise of key %d is %v, its bound %v", key, g, bound)
				}
				x := rapid.Float64Range(-4, 25).Draw(t, "x")
				if uint64(key) >= b.Limit(x) && g >= x {
					t.Fatalf("noise of key %d is %v, from key %d on it should be below %v", key, g, b.Limit(x), x)
				}
			})
			if got := b.Limit(math.Inf(1)); got != 0 {
				t.Errorf("nothing reaches infinity: limit %d", got)
			}
			if got := b.Limit(math.Inf(-1)); got < p.Keys() {
				t.Errorf("everything is above minus infinity: limit %d", got)
			}
			if got := b.Limit(math.NaN()); got < p.Keys() {
				t.Errorf("nothing is known of NaN: limit %d", got)
			}
		})
	}
}

func TestProfileNames(t *testing.T) {
	all := noise.Candidates()
	if len(all) != 18 {
		t.Fatalf("%d candidates", len(all))
	}
	seen := map[string]bool{}
	for i, p := range all {
		b, err := p.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back noise.Profile
		if err := back.UnmarshalText(b); err != nil || back != p || seen[string(b)] {
			t.Errorf("%s reads back as %v, %v", b, back, err)
		}
		seen[string(b)] = true
		if usual := !strings.Contains(string(b), "/"); usual != (i < 6) || usual != (p == p.Form.Usual()) {
			t.Errorf("candidate %d is %s", i, b)
		}
	}
	if (noise.Profile{}).String() != "targon" || noise.Targon.Usual() != (noise.Profile{}) {
		t.Error("the zero profile is not ours")
	}
	for _, bad := range []string{"", "vllm2", "vllm/", "vllm/last", "vllm/never", "targon/before", "/output"} {
		if p, err := noise.ParseProfile(bad); err == nil {
			t.Errorf("%q is read as %v", bad, p)
		}
	}
	for _, bad := range []noise.Profile{{Form: 6}, {Count: 3}} {
		if b, err := bad.MarshalText(); err == nil {
			t.Errorf("%v is written as %s", bad, b)
		}
	}
	for _, p := range all {
		if p.ByRank() != strings.HasPrefix(p.String(), "sglang") {
			t.Errorf("%v by rank: %v", p, p.ByRank())
		}
	}
}

func BenchmarkField(b *testing.B) {
	for _, p := range noise.Profiles() {
		f := p.Field(5, 5, 5)
		b.Run(p.String()+"/key", func(b *testing.B) {
			for b.Loop() {
				f.Key(3)
			}
		})
		b.Run(p.String()+"/noise", func(b *testing.B) {
			for b.Loop() {
				f.Noise(3)
			}
		})
	}
}
