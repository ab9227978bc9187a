package native

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"targon/engine/native/gguf"
)

// traits are what an architecture does that a plain Llama does not. What the models
// compute is described by their papers (Qwen2, arXiv 2407.10671; Qwen3, 2505.09388;
// Gemma 2, 2408.00118; Gemma 3, 2503.19786), how files name and lay it out by
// llama.cpp's converter.
type traits struct {
	halves   bool // component i turns with i + d/2 rather than 2i with 2i + 1
	bias     bool // queries, keys and values have biases
	headNorm bool // each query and key head is normalised before it turns
	gemma    bool // scaled embedding, norms after attention and feed-forward, GELU
	// period: of so many layers the last sees every position and the others a window;
	// 0 where there is no such pattern.
	period int
	// wide is the number of layers of the one model of the family whose queries are
	// divided by √(dim/heads) instead of √(head length).
	wide int
}

// architectures are those that are run, by general.architecture. Mistral files say "llama".
func architectures() map[string]traits {
	return map[string]traits{
		"llama":  {},
		"qwen2":  {halves: true, bias: true},
		"qwen3":  {halves: true, headNorm: true},
		"gemma2": {halves: true, gemma: true, period: 2, wide: 46},
		"gemma3": {halves: true, gemma: true, headNorm: true, period: 6, wide: 62},
	}
}

// readArchitecture returns the name and traits of what a file says it is.
func readArchitecture(f *gguf.File) (string, traits, error) {
	// Later parts do not even say what they are.
	if n, ok := f.Uint("split.count"); ok && n > 1 {
		part, _ := f.Uint("split.no")
		return "", traits{}, fmt.Errorf("%w: the file is part %d of %d: join them first (llama-gguf-split --merge)", ErrUnsupported, part+1, n)
	}
	name, ok := f.String("general.architecture")
	if !ok {
		return "", traits{}, fmt.Errorf("%w: general.architecture is missing", ErrModel)
	}
	known := architectures()
	t, ok := known[name]
	if !ok {
		names := slices.Sorted(maps.Keys(known))
		return "", traits{}, fmt.Errorf("%w: architecture %.64q, those run are %s", ErrUnsupported, name, strings.Join(names, ", "))
	}
	return name, t, nil
}

// rotary reads how positions become angles.
func (m *metadata) rotary(c *config) {
	c.base = m.real("rope.freq_base", 10000, 1, 1e12)
	if c.arch == "gemma3" {
		c.localBase = m.real("rope.freq_base_swa", 10000, 1, 1e12)
	} else {
		m.neutral("rope.freq_base_swa", c.base)
	}
	c.slower = 1
	kind, ok := m.file.String(m.arch + ".rope.scaling.type")
	if !ok {
		if m.file.Has(m.arch + ".rope.scaling.type") {
			m.fail("%s.rope.scaling.type is not text", m.arch)
		}
		kind = "linear" // as llama.cpp has it: a factor alone is a linear one
	}
	switch kind {
	case "none":
	case "linear":
		key := "rope.scaling.factor"
		if !m.file.Has(m.arch + "." + key) {
			key = "rope.scale_linear"
		}
		if m.optional(key, 0, 1e6) != 0 {
			c.slower = m.real(key, 1, 1e-6, 1e6)
		}
	default:
		m.refuse("rotary scaling %.64q", kind)
	}
}

// windows reads which layers see only the latest positions.
func (m *metadata) windows(c *config) {
	const key, pattern = "attention.sliding_window", "attention.sliding_window_pattern"
	windowed := m.file.Has(m.arch + "." + key)
	patterned := m.file.Has(m.arch + "." + pattern)
	switch {
	case c.arch == "gemma2":
		c.window = m.count(key, 4096, math.MaxInt32)
	case windowed || c.arch == "gemma3":
		c.window = m.count(key, 0, math.MaxInt32)
	}
	if c.period > 0 {
		c.period = m.count(pattern, c.period, maxLayers)
		return
	}
	if c.window >= c.context {
		c.window = 0 // nothing lies outside it
	}
	// Mistral's window is every layer's; which layers of other files have one is not
	// said in the file.
	if c.window > 0 && (c.arch != "llama" || patterned) {
		m.refuse("sliding window of %d in some layers of %s", c.window, c.arch)
	}
}

// caps reads the bounds that Gemma puts on scores and logits.
func (m *metadata) caps(c *config) {
	switch c.arch {
	case "gemma2":
		c.attnCap = float32(m.real("attn_logit_softcapping", 50, 1e-3, 1e6))
		c.logitCap = float32(m.real("final_logit_softcapping", 30, 1e-3, 1e6))
	case "gemma3":
		if m.optional("final_logit_softcapping", 0, 1e6) != 0 {
			c.logitCap = float32(m.real("final_logit_softcapping", 0, 1e-3, 1e6))
		}
		m.neutral("attn_logit_softcapping", 0)
	default:
		m.neutral("attn_logit_softcapping", 0)
		m.neutral("final_logit_softcapping", 0)
	}
}

// plain refuses what other models of these names do and would be computed wrongly in
// silence.
func (m *metadata) plain() {
	if n, ok := m.file.Uint(m.arch + ".expert_count"); ok && n > 0 {
		m.refuse("mixture of %d experts", n)
	}
	if causal, ok := m.file.Bool(m.arch + ".attention.causal"); ok && !causal {
		m.refuse("attention to later positions")
	}
	m.neutral("attention.scale", 0)
	m.neutral("attention.clamp_kqv", 0)
	m.neutral("attention.max_alibi_bias", 0)
	m.neutral("attention.temperature_scale", 0)
	m.neutral("rope.scaling.attn_factor", 1)
	m.neutral("logit_scale", 1)
	m.neutral("embedding_scale", 1)
	m.neutral("residual_scale", 1)
}

// neutral refuses a number other than 0 and the one that changes nothing.
func (m *metadata) neutral(key string, nothing float64) {
	if v := m.optional(key, -math.MaxFloat64, math.MaxFloat64); v != 0 && v != nothing {
		m.refuse("%s.%s is %v", m.arch, key, v)
	}
}
