package targon

import "fmt"

// Score is one prover's standing. Values are compared, never paid: Weights are.
type Score struct {
	UID    UID     `json:"uid"`
	Hotkey Hotkey  `json:"hotkey"`
	Value  float64 `json:"value"` // finite and ≥ 0
}

// Weight is one entry of the vector that the chain accepts.
type Weight struct {
	UID   UID    `json:"uid"`
	Value uint16 `json:"value"`
}

// Weights is the vector that the chain accepts: sorted by UID, no UID twice, the
// largest value 65535 unless all are 0.
type Weights []Weight

// Validate reports the first breach of what the type promises.
func (w Weights) Validate() error {
	top := uint16(0)
	for i, e := range w {
		if i > 0 && w[i-1].UID >= e.UID {
			return fmt.Errorf("weights: uid %d follows %d", e.UID, w[i-1].UID)
		}
		top = max(top, e.Value)
	}
	if top != 0 && top != 65535 {
		return fmt.Errorf("weights: largest value is %d, want 65535", top)
	}
	return nil
}

// Of returns the weight of a UID, 0 when it is absent.
func (w Weights) Of(u UID) uint16 {
	for _, e := range w {
		if e.UID == u {
			return e.Value
		}
	}
	return 0
}
