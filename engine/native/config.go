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
	turning          int // how many of a head's components turn, even
	context          int
	eps              float64
	vocab            int

	arch string
	traits
	base      float64 // of the rotary frequencies
	localBase float64 // the same in Gemma 3's layers that see a window
	slower    float64 // angles are divided by it, but not by Gemma 3's layers that see a window
	window    int     // positions that a layer with a window sees, its own included; 0: no layer has one
	scale     float32 // of queries
	// What embeddings are multiplied by, and bounds on attention scores and logits; 0
	// where nothing is done.
	embedScale, attnCap, logitCap float32
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

// metadata reads keys of one architecture; the first failure sticks.
type metadata struct {
	file *gguf.File
	arch string
	err  error
}

func (m *metadata) refuse(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
	}
}

func (m *metadata) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf("%w: %s", ErrModel, fmt.Sprintf(format, args...))
	}
}

// count reads an integer from 1 to limit. A fallback of 0 makes the key required.
func (m *metadata) count(key string, fallback, limit int) int {
	key = m.arch + "." + key
	if !m.file.Has(key) && fallback > 0 {
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
	key = m.arch + "." + key
	v, ok := m.file.Float(key)
	if !ok {
		if m.file.Has(key) || fallback == 0 {
			m.fail("%s is missing or not a number", key)
		}
		return fallback
	}
	if !(v >= lo && v <= hi) {
		m.fail("%s is %v, want %v to %v", key, v, lo, hi)
	}
	return v
}

// optional reads a number that is 0 where it is missing.
func (m *metadata) optional(key string, lo, hi float64) float64 {
	if !m.file.Has(m.arch + "." + key) {
		return 0
	}
	return m.real(key, 0, lo, hi)
}

func readConfig(f *gguf.File) (config, error) {
	arch, traits, err := readArchitecture(f)
	if err != nil {
		return config{}, err
	}
	m := &metadata{file: f, arch: arch}
	c := config{
		arch: arch, traits: traits,
		layers:  m.count("block_count", 0, maxLayers),
		dim:     m.count("embedding_length", 0, maxDim),
		ffn:     m.count("feed_forward_length", 0, maxFFN),
		heads:   m.count("attention.head_count", 0, maxHeads),
		context: m.count("context_length", 0, math.MaxInt32),
		eps:     m.real("attention.layer_norm_rms_epsilon", 0, math.SmallestNonzeroFloat32, 1),
	}
	c.context = min(c.context, maxContext)
	m.heads(&c)
	m.rotary(&c)
	m.windows(&c)
	m.caps(&c)
	if c.gemma {
		c.embedScale = float32(math.Sqrt(float64(c.dim)))
	}
	m.plain()
	if m.err != nil {
		return config{}, m.err
	}
	return c, nil
}

// heads reads how queries, keys and values are cut up.
func (m *metadata) heads(c *config) {
	if _, told := m.file.Value(m.arch + ".attention.key_length"); !told && c.dim%c.heads != 0 {
		m.fail("%s.embedding_length is %d, which %s.attention.head_count of %d does not divide", m.arch, c.dim, m.arch, c.heads)
	}
	c.kvHeads = m.count("attention.head_count_kv", c.heads, maxHeads)
	c.head = m.count("attention.key_length", max(c.dim/c.heads, 1), maxHead)
	c.turning = m.count("rope.dimension_count", c.head, maxHead)
	value := m.count("attention.value_length", c.head, maxHead)
	switch {
	case c.heads%c.kvHeads != 0:
		m.fail("%s.attention.head_count is %d, which %s.attention.head_count_kv of %d does not divide", m.arch, c.heads, m.arch, c.kvHeads)
	case c.turning > c.head || c.turning%2 != 0:
		m.fail("%s.rope.dimension_count is %d, want an even number up to %d", m.arch, c.turning, c.head)
	case value != c.head:
		m.fail("%s.attention.value_length is %d, %s.attention.key_length is %d", m.arch, value, m.arch, c.head)
	}
	c.scale = float32(1 / math.Sqrt(float64(c.head)))
	if c.layers == c.wide {
		c.scale = float32(1 / math.Sqrt(float64(max(c.dim/c.heads, 1))))
	}
}
