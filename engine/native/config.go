package native

import (
	"fmt"
	"math"

	"targon"
	"targon/engine/native/gguf"
)

// config is the shape of a model, every number within bounds.
type config struct {
	layers, dim, ffn int
	heads, kvHeads   int
	head             int // length of a head
	rotary           int // how many of a head's components turn, even
	context          int
	eps, base        float64
	vocab            int
}

// Bounds on what a file may ask for. They are generous: the largest known Llama has
// 126 layers, dimension 16384, 128 heads, 53248 hidden units and 128256 ids.
const (
	maxLayers  = 1 << 10
	maxDim     = 1 << 16
	maxFFN     = 1 << 20
	maxHeads   = 1 << 11
	maxHead    = 1 << 12
	maxVocab   = 1 << 21
	maxContext = targon.MaxPromptTokens + targon.MaxOutputTokens
)

const architecture = "llama"

// metadata reads keys of one architecture; the first failure sticks.
type metadata struct {
	file *gguf.File
	err  error
}

func (m *metadata) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("%w: %s", ErrModel, fmt.Sprintf(format, args...))
	}
}

// count reads an integer from 1 to limit. A fallback of 0 makes the key required.
func (m *metadata) count(key string, fallback, limit int) int {
	key = architecture + "." + key
	if _, present := m.file.Value(key); !present && fallback > 0 {
		return fallback
	}
	v, ok := m.file.Uint(key)
	if !ok {
		m.fail("%s is missing or not a number", key)
		return 1
	}
	if v < 1 || v > uint64(limit) {
		m.fail("%s is %d, want 1 to %d", key, v, limit)
		return 1
	}
	return int(v)
}

func (m *metadata) real(key string, fallback, lo, hi float64) float64 {
	key = architecture + "." + key
	v, ok := m.file.Float(key)
	if !ok {
		if _, present := m.file.Value(key); present || fallback == 0 {
			m.fail("%s is missing or not a number", key)
		}
		return fallback
	}
	if !(v >= lo && v <= hi) {
		m.fail("%s is %v, want %v to %v", key, v, lo, hi)
	}
	return v
}

func readConfig(f *gguf.File) (config, error) {
	arch, ok := f.String("general.architecture")
	if !ok {
		return config{}, fmt.Errorf("%w: general.architecture is missing", ErrModel)
	}
	if arch != architecture {
		return config{}, fmt.Errorf("%w: architecture %.64q, only %q is run", ErrUnsupported, arch, architecture)
	}
	m := &metadata{file: f}
	c := config{
		layers:  m.count("block_count", 0, maxLayers),
		dim:     m.count("embedding_length", 0, maxDim),
		ffn:     m.count("feed_forward_length", 0, maxFFN),
		heads:   m.count("attention.head_count", 0, maxHeads),
		context: m.count("context_length", 0, math.MaxInt32),
		eps:     m.real("attention.layer_norm_rms_epsilon", 0, math.SmallestNonzeroFloat32, 1),
		base:    m.real("rope.freq_base", 10000, 1, 1e12),
	}
	c.context = min(c.context, maxContext)
	c.kvHeads = m.count("attention.head_count_kv", c.heads, maxHeads)
	c.head = m.count("attention.key_length", max(c.dim/c.heads, 1), maxHead)
	c.rotary = m.count("rope.dimension_count", c.head, maxHead)
	value := m.count("attention.value_length", c.head, maxHead)
	switch {
	case c.heads%c.kvHeads != 0:
		m.fail("%d heads do not share %d key heads evenly", c.heads, c.kvHeads)
	case c.rotary > c.head || c.rotary%2 != 0:
		m.fail("llama.rope.dimension_count is %d, want an even number up to %d", c.rotary, c.head)
	case value != c.head:
		m.fail("llama.attention.value_length is %d, llama.attention.key_length is %d", value, c.head)
	}
	if m.err != nil {
		return config{}, m.err
	}
	return c, unsupportedFeatures(f)
}

// unsupportedFeatures refuses what would be computed wrongly in silence.
func unsupportedFeatures(f *gguf.File) error {
	if n, ok := f.Uint("llama.expert_count"); ok && n > 0 {
		return fmt.Errorf("%w: mixture of %d experts", ErrUnsupported, n)
	}
	if kind, ok := f.String("llama.rope.scaling.type"); ok && kind != "none" {
		return fmt.Errorf("%w: rotary scaling %.64q", ErrUnsupported, kind)
	}
	if scale, ok := f.Float("llama.rope.scale_linear"); ok && scale != 1 {
		return fmt.Errorf("%w: rotary scale %v", ErrUnsupported, scale)
	}
	return nil
}
