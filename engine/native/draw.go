package native

import (
	"fmt"

	"targon"
	"targon/engine/native/kernel"
)

// A Sampler draws ids from rows of logits as an [Engine] does, for whoever has the rows.
// It is for one goroutine.
type Sampler struct {
	sampler *sampler
	filter  filter
}

// NewSampler returns a sampler.
func NewSampler() *Sampler { return &Sampler{sampler: &sampler{fastest()}} }

// fastest returns the fastest kernel of this machine.
func fastest() *kernel.Kernel {
	k, err := kernel.Select("")
	if err != nil {
		panic(fmt.Sprintf("internal error: native: %v", err)) // every machine has one
	}
	return k
}

// Draw returns the id that follows a number of ids.
func (s *Sampler) Draw(logits []float32, by targon.Sampling, before int) targon.TokenID {
	if !by.Filtered() {
		return s.sampler.draw(logits, by, before)
	}
	return s.sampler.among(s.Allowed(logits, by), logits, by, before)
}

// Allowed returns the ids that the filters allow, in no order, until the next call.
func (s *Sampler) Allowed(logits []float32, by targon.Sampling) []targon.TokenID {
	ids, _ := s.filter.allowed(logits, by)
	return ids
}
