package native_test

import (
	"math"
	"testing"

	"targon"
	"targon/engine/enginetest"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/modeltest"
)

// reference is a Llama forward pass written again from its definition, in float64, for
// clarity alone.
type reference struct {
	t    testing.TB
	file *gguf.File
}

func (r reference) number(key string) int {
	v, ok := r.file.Uint("llama." + key)
	if !ok {
		r.t.Fatalf("no %s", key)
	}
	return int(v)
}

func (r reference) tensor(name string) []float64 {
	t, ok := r.file.Tensor(name)
	if !ok {
		r.t.Fatalf("no %s", name)
	}
	narrow := make([]float32, t.Elements())
	if err := gguf.Dequantize(narrow, t.Type, t.Data); err != nil {
		r.t.Fatal(err)
	}
	wide := make([]float64, len(narrow))
	for i, v := range narrow {
		wide[i] = float64(v)
	}
	return wide
}

func (r reference) times(name string, x []float64) []float64 {
	w := r.tensor(name)
	y := make([]float64, len(w)/len(x))
	for i := range y {
		for j, v := range x {
			y[i] += w[i*len(x)+j] * v
		}
	}
	return y
}

func (r reference) norm(name string, x []float64) []float64 {
	w := r.tensor(name)
	eps, _ := r.file.Float("llama.attention.layer_norm_rms_epsilon")
	square := 0.0
	for _, v := range x {
		square += v * v
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v / math.Sqrt(square/float64(len(x))+eps) * w[i]
	}
	return y
}

func turn(x []float64, head, rotary, position int) {
	for h := 0; h < len(x); h += head {
		for i := 0; i < rotary; i += 2 {
			a := float64(position) * math.Pow(10000, -float64(i)/float64(rotary))
			u, v := x[h+i], x[h+i+1]
			x[h+i], x[h+i+1] = u*math.Cos(a)-v*math.Sin(a), u*math.Sin(a)+v*math.Cos(a)
		}
	}
}

// logits returns a row for each id.
func (r reference) logits(ids []targon.TokenID, head int) [][]float64 {
	dim, heads, kvHeads := r.number("embedding_length"), r.number("attention.head_count"), r.number("attention.head_count_kv")
	layers, rotary := r.number("block_count"), r.number("rope.dimension_count")
	embed := r.tensor("token_embd.weight")
	keys, values := make([][][]float64, layers), make([][][]float64, layers)
	var rows [][]float64
	for p, id := range ids {
		x := append([]float64(nil), embed[int(id)*dim:(int(id)+1)*dim]...)
		for l := range layers {
			name := func(s string) string { return "blk." + string(rune('0'+l)) + "." + s + ".weight" }
			n := r.norm(name("attn_norm"), x)
			q, k := r.times(name("attn_q"), n), r.times(name("attn_k"), n)
			turn(q, head, rotary, p)
			turn(k, head, rotary, p)
			keys[l], values[l] = append(keys[l], k), append(values[l], r.times(name("attn_v"), n))
			mixed := make([]float64, heads*head)
			for h := range heads {
				at := h / (heads / kvHeads) * head
				attendTo(mixed[h*head:(h+1)*head], q[h*head:(h+1)*head], keys[l], values[l], at)
			}
			add(x, r.times(name("attn_output"), mixed))
			n = r.norm(name("ffn_norm"), x)
			gate, up := r.times(name("ffn_gate"), n), r.times(name("ffn_up"), n)
			for i, g := range gate {
				gate[i] = g / (1 + math.Exp(-g)) * up[i]
			}
			add(x, r.times(name("ffn_down"), gate))
		}
		output := "output.weight"
		if _, ok := r.file.Tensor(output); !ok {
			output = "token_embd.weight"
		}
		rows = append(rows, r.times(output, r.norm("output_norm.weight", x)))
	}
	return rows
}

func attendTo(out, q []float64, keys, values [][]float64, at int) {
	weights, total := make([]float64, len(keys)), 0.0
	for p, k := range keys {
		dot := 0.0
		for i, v := range q {
			dot += v * k[at+i]
		}
		weights[p] = math.Exp(dot / math.Sqrt(float64(len(q))))
		total += weights[p]
	}
	for p, v := range values {
		for i := range out {
			out[i] += weights[p] / total * v[at+i]
		}
	}
}

func add(x, y []float64) {
	for i, v := range y {
		x[i] += v
	}
}

// TestReference compares with float64: what is left is float32 rounding.
func TestReference(t *testing.T) {
	data, err := enginetest.RandomModel(enginetest.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("random", func(t *testing.T) { compare(t, data, someIDs(24, 301), 10) })
	t.Run("stories", func(t *testing.T) { compare(t, modeltest.Open(t, "stories260K.gguf"), storiesTokens(t)[:24], 8) })
}

func compare(t *testing.T, data []byte, ids []targon.TokenID, head int) {
	t.Helper()
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	got, worst := logits(t, engine(t, m, native.Options{}), ids), 0.0
	for p, row := range (reference{t, f}).logits(ids, head) {
		for i, want := range row {
			worst = max(worst, math.Abs(want-float64(got[p*m.Vocab()+i])))
		}
	}
	t.Logf("largest difference %.2g", worst)
	if !(worst < 1e-4) {
		t.Errorf("largest difference from float64 is %v", worst)
	}
}
