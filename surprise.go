package targon

import (
	"fmt"
	"math"
)

// Surprise compares how unlikely the ids of an answer are, -ln p each, with how unlikely
// ids drawn as the request asks would be: its cross-entropy under the reference. An
// honest excess has mean 0 and the variance given here, whatever the prompt, since the
// seed was not known when that was chosen; too little of it is a lower temperature or a
// narrower choice, too much a higher one or another model.
//
// Whole numbers, so that the order of adding answers changes nothing.
type Surprise struct {
	Tokens   uint32 `json:"tokens"`   // ids that were drawn above temperature 0
	Excess   int64  `json:"excess"`   // sum of -ln p less what was to be expected, in millionths
	Variance int64  `json:"variance"` // of that sum, in millionths
}

// maxSurprise bounds both sums: 2^17 ids of at most 2^12 nats each way, and more.
const maxSurprise = 1 << 60

// Add returns the surprise of two answers together.
func (s Surprise) Add(o Surprise) Surprise {
	return Surprise{
		Tokens:   uint32(min(uint64(s.Tokens)+uint64(o.Tokens), math.MaxUint32)),
		Excess:   max(min(s.Excess+o.Excess, maxSurprise), -maxSurprise),
		Variance: min(s.Variance+o.Variance, maxSurprise),
	}
}

// Z returns the excess in standard deviations, near to normally distributed for an
// honest prover over some hundred ids; 0 where nothing could have surprised.
func (s Surprise) Z() float64 {
	if s.Variance <= 0 {
		return 0
	}
	return float64(s.Excess) / 1e6 / math.Sqrt(float64(s.Variance)/1e6)
}

// Validate reports the first thing that no counting could have given.
func (s Surprise) Validate() error {
	switch {
	case s.Excess > maxSurprise || s.Excess < -maxSurprise || s.Variance < 0 || s.Variance > maxSurprise:
		return fmt.Errorf("surprise: excess %d, variance %d", s.Excess, s.Variance)
	case s.Tokens == 0 && s != Surprise{}:
		return fmt.Errorf("surprise: excess %d, variance %d of no ids", s.Excess, s.Variance)
	}
	return nil
}
