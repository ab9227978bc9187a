package main

import (
	"fmt"
	"math"

	"targon"
	"targon/engine/native/gguf"
)

// An exact model computes a Llama file's logits in float64, from its weights as they
// are. Both engines round, each in its own way: this is what they are held against.
//
// With rounded, what is multiplied by a matrix has 8 bits first, 32 numbers sharing a
// scale, as both engines have it for Q8_0; nothing else is rounded even then.
type exact struct {
	file    *gguf.File
	rounded bool

	dim, heads, kvHeads, head, layers int
	base, eps                         float64
	err                               error
}

func newExact(data []byte, rounded bool) (*exact, error) {
	f, err := gguf.Parse(data)
	if err != nil {
		return nil, err
	}
	m := &exact{file: f, rounded: rounded, base: 10000, eps: 1e-5}
	for key, to := range map[string]*int{
		"embedding_length": &m.dim, "attention.head_count": &m.heads, "attention.head_count_kv": &m.kvHeads,
		"block_count": &m.layers, "rope.dimension_count": &m.head,
	} {
		v, ok := f.Uint("llama." + key)
		if !ok {
			return nil, fmt.Errorf("model file has no llama.%s", key)
		}
		*to = int(v)
	}
	if v, ok := f.Float("llama.rope.freq_base"); ok {
		m.base = v
	}
	if v, ok := f.Float("llama.attention.layer_norm_rms_epsilon"); ok {
		m.eps = v
	}
	return m, nil
}

// logits returns a row after each id.
func (m *exact) logits(ids []targon.TokenID) ([][]float64, error) {
	x := make([][]float64, len(ids))
	embed, row := m.tensor("token_embd.weight"), make([]float32, m.dim)
	for i, id := range ids {
		m.row(row, embed, int(id))
		x[i] = widened(row)
	}
	for l := range m.layers {
		name := func(s string) string { return fmt.Sprintf("blk.%d.%s.weight", l, s) }
		n := m.norm(name("attn_norm"), x)
		q, k, v := m.times(name("attn_q"), n), m.times(name("attn_k"), n), m.times(name("attn_v"), n)
		m.turn(q)
		m.turn(k)
		add(x, m.times(name("attn_output"), m.attend(q, k, v)))
		n = m.norm(name("ffn_norm"), x)
		gate, up := m.times(name("ffn_gate"), n), m.times(name("ffn_up"), n)
		for i, g := range gate {
			for j, v := range g {
				g[j] = v / (1 + math.Exp(-v)) * up[i][j]
			}
		}
		add(x, m.times(name("ffn_down"), gate))
		if m.err != nil {
			return nil, m.err
		}
	}
	output := "output.weight"
	if _, ok := m.file.Tensor(output); !ok {
		output = "token_embd.weight"
	}
	return m.times(output, m.norm("output_norm.weight", x)), m.err
}

func (m *exact) tensor(name string) *gguf.Tensor {
	t, ok := m.file.Tensor(name)
	if !ok && m.err == nil {
		m.err = fmt.Errorf("model file has no %s", name)
	}
	return t
}

// row reads a row of a matrix, or a vector.
func (m *exact) row(dst []float32, t *gguf.Tensor, i int) {
	if m.err != nil {
		return
	}
	per, bytes := t.Type.Block()
	size := len(dst) / per * bytes
	if err := gguf.Dequantize(dst, t.Type, t.Data[i*size:(i+1)*size]); err != nil {
		m.err = fmt.Errorf("tensor %s: %w", t.Name, err)
	}
}

func widened(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// times multiplies vectors by a matrix.
func (m *exact) times(name string, x [][]float64) [][]float64 {
	t, y := m.tensor(name), make([][]float64, len(x))
	if m.err != nil {
		return y
	}
	cols, rows := int(t.Dims[0]), int(t.Dims[1])
	if m.rounded {
		x = eightBits(x)
	}
	for b := range y {
		y[b] = make([]float64, rows)
	}
	narrow := make([]float32, cols)
	for r := range rows {
		m.row(narrow, t, r)
		w := widened(narrow)
		for b, x := range x {
			y[b][r] = dot(w, x)
		}
	}
	return y
}

func dot(w, x []float64) float64 {
	var s [4]float64
	i := 0
	for ; i+4 <= len(w) && i+4 <= len(x); i += 4 {
		s[0] += w[i] * x[i]
		s[1] += w[i+1] * x[i+1]
		s[2] += w[i+2] * x[i+2]
		s[3] += w[i+3] * x[i+3]
	}
	for ; i < len(w); i++ {
		s[0] += w[i] * x[i]
	}
	return s[0] + s[1] + (s[2] + s[3])
}

// eightBits rounds vectors to 8 bits, each 32 numbers by the greatest of them.
func eightBits(x [][]float64) [][]float64 {
	out := make([][]float64, len(x))
	for b, v := range x {
		out[b] = make([]float64, len(v))
		for from := 0; from < len(v); from += 32 {
			to, high := min(from+32, len(v)), 0.0
			for _, e := range v[from:to] {
				high = max(high, math.Abs(e))
			}
			for i := from; i < to && high > 0; i++ {
				out[b][i] = math.RoundToEven(v[i]*127/high) * high / 127
			}
		}
	}
	return out
}

func (m *exact) norm(name string, x [][]float64) [][]float64 {
	t, y, narrow := m.tensor(name), make([][]float64, len(x)), make([]float32, m.dim)
	if m.err != nil {
		return y
	}
	m.row(narrow, t, 0)
	w := widened(narrow)
	for b, v := range x {
		y[b] = make([]float64, len(v))
		scale := 1 / math.Sqrt(dot(v, v)/float64(len(v))+m.eps)
		for i := range v {
			y[b][i] = v[i] * scale * w[i]
		}
	}
	return y
}

// turn turns pairs of neighbours by the angles of their positions.
func (m *exact) turn(x [][]float64) {
	for position, v := range x {
		for h := 0; h < len(v); h += m.head {
			for i := 0; i < m.head; i += 2 {
				sin, cos := math.Sincos(float64(position) * math.Pow(m.base, -float64(i)/float64(m.head)))
				a, b := v[h+i], v[h+i+1]
				v[h+i], v[h+i+1] = a*cos-b*sin, a*sin+b*cos
			}
		}
	}
}

// attend mixes values by the softmax of scores, for each head of each position.
func (m *exact) attend(q, k, v [][]float64) [][]float64 {
	out := make([][]float64, len(q))
	for p := range q {
		out[p] = make([]float64, m.heads*m.head)
		for h := range m.heads {
			at := h / (m.heads / m.kvHeads) * m.head
			query, mixed := q[p][h*m.head:(h+1)*m.head], out[p][h*m.head:(h+1)*m.head]
			weights, total := make([]float64, p+1), 0.0
			for t := range weights {
				weights[t] = math.Exp(dot(query, k[t][at:at+m.head]) / math.Sqrt(float64(m.head)))
				total += weights[t]
			}
			for t, weight := range weights {
				for i := range mixed {
					mixed[i] += weight / total * v[t][at+i]
				}
			}
		}
	}
	return out
}

func add(x, y [][]float64) {
	for b := range x {
		for i, v := range y[b] {
			x[b][i] += v
		}
	}
}
