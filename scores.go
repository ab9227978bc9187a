package targon

import (
	"fmt"
	"math"
)

// Need says what a check must know from the reference about each output position.
type Need struct {
	// Top is how many of the highest logits to return.
	Top int
	// Also lists, per output position, further ids whose logits are wanted.
	Also [][]TokenID
}

// Scored is one candidate at one position.
type Scored struct {
	ID    TokenID `json:"id"`
	Logit float32 `json:"logit"` // as the sampler sees it, before temperature and noise
}

// Position is what the reference says about one output position, given the
// prompt and the claimed ids before it.
type Position struct {
	Claimed Scored   `json:"claimed"`
	LogProb float64  `json:"logprob"` // natural log of the claimed id's probability at temperature 1
	Rank    uint32   `json:"rank"`    // how many ids have a higher logit, or the same and a lower id
	Top     []Scored `json:"top"`     // by falling logit, ties by rising id
	Also    []Scored `json:"also"`    // as asked for in Need.Also, in that order
	Drawn   Draw     `json:"draw"`    // the distribution that the request's sampling draws from
}

// Draw describes the distribution that an id was drawn from: temperature T, and the
// filters, applied to the logits of a position. With m the highest logit and
// x = (logit - m) / T, ids have weights e^x, and an allowed id has the probability
// p = e^(x - Norm) / Kept. All is 0 at temperature 0, where nothing is drawn.
//
// These are measured, not exact: weights may carry the rounding of float32, about 1e-7.
// No verdict on equality looks at more than Allowed
// and Last, which are exact.
type Draw struct {
	Norm float64 `json:"norm"` // ln Σ e^x over all ids, from 0 to ln of their number
	// Allowed is how many ids the filters allow, a head of the order of Position.Top; 0
	// when the request sets no filter.
	Allowed uint32  `json:"allowed"`
	Last    Scored  `json:"last"` // the last of the allowed ids, when there is a filter
	Kept    float64 `json:"kept"` // share of the weights that the allowed ids have; 1 without a filter
	// Entropy and Varentropy are mean and variance of -ln p of an id that is drawn so.
	Entropy    float64 `json:"entropy"`
	Varentropy float64 `json:"varentropy"`
}

// Scores is the reference's answer about one transcript: one prefill, and one
// Position for each output id.
type Scores struct {
	Weights   Digest     // what was run: must equal the request's
	Kernel    string     // which kernels computed it, for people
	Vocab     int        // ids from 0 to Vocab-1 exist
	EOS       []TokenID  // ids that end an answer, sorted
	Positions []Position // len(Tokens) of them
}

const (
	scoresDomain  = "targon/scores/v1"
	maxKernelName = 256
	// positionBytes is the least that the encoding of a position takes.
	positionBytes = 8 + 8 + 4 + 4 + 4 + 8 + 4 + 8 + 8 + 8 + 8
)

// MarshalBinary returns the canonical encoding.
func (s Scores) MarshalBinary() ([]byte, error) {
	switch {
	case len(s.Kernel) > maxKernelName:
		return nil, fmt.Errorf("%w: kernel name of %d bytes", ErrEncoding, len(s.Kernel))
	case s.Vocab < 0 || s.Vocab > math.MaxInt32 || len(s.EOS) > MaxOutputTokens || len(s.Positions) > MaxOutputTokens:
		return nil, fmt.Errorf("%w: scores of %d positions over %d ids, %d end an answer", ErrEncoding, len(s.Positions), s.Vocab, len(s.EOS))
	}
	w := newWriter(scoresDomain)
	w.fixed(s.Weights[:])
	w.str(s.Kernel)
	w.u32(uint32(s.Vocab))
	w.ids(s.EOS)
	w.u32(uint32(len(s.Positions)))
	for _, p := range s.Positions {
		w.scored(p.Claimed)
		w.f64(p.LogProb)
		w.u32(p.Rank)
		w.candidates(p.Top)
		w.candidates(p.Also)
		w.f64(p.Drawn.Norm)
		w.u32(p.Drawn.Allowed)
		w.scored(p.Drawn.Last)
		w.f64(p.Drawn.Kept)
		w.f64(p.Drawn.Entropy)
		w.f64(p.Drawn.Varentropy)
	}
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (s *Scores) UnmarshalBinary(b []byte) error {
	var v Scores
	r := newReader(b, scoresDomain)
	r.fixed(v.Weights[:])
	v.Kernel = r.str(maxKernelName)
	if v.Vocab = int(r.u32()); v.Vocab > math.MaxInt32 {
		r.fail("%d ids", v.Vocab)
	}
	v.EOS = r.ids(MaxOutputTokens)
	n := r.u32()
	if n > MaxOutputTokens || int(n)*positionBytes > len(r.b) {
		r.fail("%d positions", n)
		n = 0
	}
	for range n {
		p := Position{Claimed: r.scored(), LogProb: r.f64(), Rank: r.u32(), Top: r.candidates(), Also: r.candidates()}
		p.Drawn = Draw{Norm: r.f64(), Allowed: r.u32(), Last: r.scored(), Kept: r.f64(), Entropy: r.f64(), Varentropy: r.f64()}
		if r.err != nil {
			break
		}
		v.Positions = append(v.Positions, p)
	}
	if err := r.done(); err != nil {
		return err
	}
	*s = v
	return nil
}

func (w *writer) scored(s Scored) {
	w.u32(uint32(s.ID))
	w.u32(math.Float32bits(s.Logit))
}

func (w *writer) candidates(list []Scored) {
	w.u32(uint32(len(list)))
	for _, s := range list {
		w.scored(s)
	}
}

func (r *reader) scored() Scored {
	return Scored{ID: TokenID(r.u32()), Logit: math.Float32frombits(r.u32())}
}

func (r *reader) candidates() []Scored {
	n := r.u32()
	if uint64(n)*8 > uint64(len(r.b)) {
		r.fail("list of %d candidates", n)
		return nil
	}
	if n == 0 {
		return nil
	}
	out := make([]Scored, n)
	for i := range out {
		out[i] = r.scored()
	}
	return out
}
