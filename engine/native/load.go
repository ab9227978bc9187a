package native

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
	"targon/engine/native/mapped"
)

// layer is one transformer block. Norms and biases are padded to a multiple of 16; those
// that the architecture does not have are nil.
type layer struct {
	attnNorm, ffnNorm         []float32
	q, k, v, out              *kernel.Matrix
	gate, up, down            *kernel.Matrix
	qBias, kBias, vBias       []float32
	qNorm, kNorm              []float32 // of one head
	attnPostNorm, ffnPostNorm []float32
	window                    int // how many positions it sees, its own included; 0: all
}

// weights is what the forward pass reads.
type weights struct {
	config
	// source is the mapped file that matrices may read in place; nil where there is none.
	// Whoever computes with weights keeps them reachable until the last number is read.
	source        *mapped.File
	embed, output *kernel.Matrix
	norm          []float32
	layers        []layer
	// freqs are the rotary frequencies, one for each pair of components; layers that see
	// a window have the local ones, unless these are nil.
	freqs, localFreqs []float64
}

// A loader takes tensors out of a file; the first failure sticks.
type loader struct {
	file *gguf.File
	used map[string]bool
	// round is the type that matrices are rounded to first; F32 for none.
	round gguf.Type
	err   error
}

func (l *loader) fail(kind error, format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...))
	}
}

// tensor returns a tensor of the expected shape, or nil after a failure.
func (l *loader) tensor(name string, dims ...int) *gguf.Tensor {
	l.used[name] = true
	t, ok := l.file.Tensor(name)
	if !ok {
		l.fail(ErrModel, "tensor %s is missing", name)
		return nil
	}
	same := len(t.Dims) >= len(dims)
	for i, d := range t.Dims {
		same = same && (i < len(dims) && d == uint64(dims[i]) || i >= len(dims) && d == 1)
	}
	if !same {
		l.fail(ErrModel, "tensor %s has shape %v, want %v", name, t.Dims, dims)
		return nil
	}
	return t
}

// vector returns a one-dimensional tensor as float32, padded to a multiple of 16.
func (l *loader) vector(name string, n int) []float32 {
	t := l.tensor(name, n)
	out := make([]float32, kernel.Pad(n))
	if t == nil || l.err != nil {
		return out
	}
	if err := gguf.Dequantize(out[:n], t.Type, t.Data); err != nil {
		l.err = fmt.Errorf("tensor %s: %w", name, err)
	}
	return out
}

// matrix returns a two-dimensional tensor: F32, F16 and blocks as they are, if possible
// where they are, BF16 as F32.
func (l *loader) matrix(name string, cols, rows int) *kernel.Matrix {
	t := l.tensor(name, cols, rows)
	if t == nil || l.err != nil {
		return nil
	}
	typ, data := t.Type, t.Data
	if l.round != gguf.F32 {
		typ, data = l.rounded(t, cols)
	}
	m, err := toMatrix(typ, data, cols, rows)
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("tensor %s: %w", name, err)
	}
	return m
}

// rounded stores a tensor as l.round, or as F16 where its rows do not fill blocks.
func (l *loader) rounded(t *gguf.Tensor, cols int) (gguf.Type, []byte) {
	typ := l.round
	if per, _ := typ.Block(); per == 0 || cols%per != 0 {
		typ = gguf.F16
	}
	values := make([]float32, t.Elements())
	err := gguf.Dequantize(values, t.Type, t.Data)
	var data []byte
	if err == nil {
		data, err = gguf.Quantize(typ, values)
	}
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("tensor %s as %v: %w", t.Name, l.round, err)
	}
	return typ, data
}

// toMatrix returns a matrix that reads data itself where its numbers lie there as the
// kernels want them, and a copy otherwise.
func toMatrix(typ gguf.Type, data []byte, cols, rows int) (*kernel.Matrix, error) {
	if blocks, ok := blocksOf(typ); ok {
		return kernel.ViewBlocks(rows, cols, blocks, data)
	}
	if typ == gguf.F16 {
		half, ok := inPlace[uint16](data)
		if !ok {
			half = make([]uint16, len(data)/2)
			for i := range half {
				half[i] = binary.LittleEndian.Uint16(data[2*i:])
			}
		}
		return kernel.ViewF16(rows, cols, half)
	}
	if typ == gguf.F32 {
		if values, ok := inPlace[float32](data); ok {
			return kernel.ViewF32(rows, cols, values)
		}
	}
	values := make([]float32, rows*cols)
	if err := gguf.Dequantize(values, typ, data); err != nil {
		return nil, err
	}
	return kernel.ViewF32(rows, cols, values)
}

// loadWeights reads every tensor that the configuration calls for and refuses those
// that it does not know, such as biases: ignoring one would give wrong logits.
func loadWeights(f *gguf.File, c config, round gguf.Type) (*weights, error) {
	embed, ok := f.Tensor("token_embd.weight")
	if !ok || len(embed.Dims) < 2 {
		return nil, fmt.Errorf("%w: tensor token_embd.weight is missing or not a matrix", ErrModel)
	}
	if embed.Dims[1] < 2 || embed.Dims[1] > maxVocab {
		return nil, fmt.Errorf("%w: vocabulary of %d ids, want 2 to %d", ErrModel, embed.Dims[1], maxVocab)
	}
	c.vocab = int(embed.Dims[1])
	l := &loader{file: f, used: map[string]bool{}, round: round}
	w := &weights{config: c}
	w.embed = l.matrix("token_embd.weight", c.dim, c.vocab)
	w.norm = l.vector("output_norm.weight", c.dim)
	w.output = w.embed // tied unless the file says otherwise
	if _, ok := f.Tensor("output.weight"); ok {
		w.output = l.matrix("output.weight", c.dim, c.vocab)
	}
	w.freqs, w.localFreqs = l.frequencies(c)
	for i := range c.layers {
		w.layers = append(w.layers, l.layer(i, c))
		if l.err != nil {
			return nil, l.err
		}
	}
	for _, t := range f.Tensors() {
		if !l.used[t.Name] {
			l.fail(ErrUnsupported, "tensor %.64q is not part of a plain %s model", t.Name, c.arch)
		}
	}
	return w, l.err
}

func (l *loader) layer(i int, c config) layer {
	name := func(s string) string { return fmt.Sprintf("blk.%d.%s", i, s) }
	q, kv := c.heads*c.head, c.kvHeads*c.head
	out := layer{
		attnNorm: l.vector(name("attn_norm.weight"), c.dim),
		ffnNorm:  l.vector(name("ffn_norm.weight"), c.dim),
		q:        l.matrix(name("attn_q.weight"), c.dim, q),
		k:        l.matrix(name("attn_k.weight"), c.dim, kv),
		v:        l.matrix(name("attn_v.weight"), c.dim, kv),
		out:      l.matrix(name("attn_output.weight"), q, c.dim),
		gate:     l.matrix(name("ffn_gate.weight"), c.dim, c.ffn),
		up:       l.matrix(name("ffn_up.weight"), c.dim, c.ffn),
		down:     l.matrix(name("ffn_down.weight"), c.ffn, c.dim),
	}
	if c.bias {
		out.qBias = l.vector(name("attn_q.bias"), q)
		out.kBias = l.vector(name("attn_k.bias"), kv)
		out.vBias = l.vector(name("attn_v.bias"), kv)
	}
	if c.headNorm {
		out.qNorm = l.vector(name("attn_q_norm.weight"), c.head)
		out.kNorm = l.vector(name("attn_k_norm.weight"), c.head)
	}
	if c.gemma {
		out.attnPostNorm = l.vector(name("post_attention_norm.weight"), c.dim)
		out.ffnPostNorm = l.vector(name("post_ffw_norm.weight"), c.dim)
	}
	if c.period == 0 || i%c.period != c.period-1 {
		out.window = c.window
	}
	return out
}

// frequencies returns base^(-2i/d), divided by the file's factors where it has some
// (rope_freqs.weight, as Llama 3.1 ships them) and by the factor of linear scaling; and
// those of layers that see a window where they have a base of their own, which are not
// scaled (Gemma 3).
func (l *loader) frequencies(c config) (all, local []float64) {
	freqs := frequencies(c.base, c.turning)
	const factors = "rope_freqs.weight"
	if _, ok := l.file.Tensor(factors); ok && c.arch == "llama" {
		for i, f := range l.vector(factors, len(freqs))[:len(freqs)] {
			if !(f > 0) || math.IsInf(float64(f), 0) {
				l.fail(ErrModel, "tensor %s holds %v", factors, f)
			}
			freqs[i] /= float64(f)
		}
	}
	for i := range freqs {
		freqs[i] /= c.slower
	}
	if c.arch == "gemma3" {
		return freqs, frequencies(c.localBase, c.turning)
	}
	return freqs, nil
}

// nameOf returns a printable name for a model file.
func nameOf(f *gguf.File) string {
	name, _ := f.String("general.name")
	name = strings.ToValidUTF8(strings.TrimSpace(name), "?")
	if name == "" {
		return "unnamed"
	}
	if len(name) > 128 {
		name = strings.ToValidUTF8(name[:128], "")
	}
	return name
}
