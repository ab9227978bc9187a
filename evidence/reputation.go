package evidence

// Reputation remembers how a prover's audits went, to steer how much traffic it gets and
// how often it is audited. It convicts nobody and earns nothing: what it takes is
// rounded by nobody's rules but its own.
//
// It is Storj's: a success makes α = λα + 1 and β = λβ, a failure the other way round,
// with λ = 0.999 since August 2022. A shorter memory disqualified a node by chance after
// 15 failures of 11,906.
type Reputation struct {
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
}

const memory = 0.999

// NewReputation is that of a newcomer: nothing known, one success in two assumed.
func NewReputation() Reputation { return Reputation{Alpha: 1, Beta: 1} }

// After returns the reputation after one audit.
func (r Reputation) After(passed bool) Reputation {
	r.Alpha, r.Beta = float64(memory*r.Alpha), float64(memory*r.Beta)
	if passed {
		r.Alpha++
	} else {
		r.Beta++
	}
	return r
}

// Score is α / (α + β), from 0 to 1.
func (r Reputation) Score() float64 { return r.Alpha / (r.Alpha + r.Beta) }

// Boost is by how much the audit rate of a prover is multiplied: 1 for one of good
// repute, 4 for a newcomer or after failures, in between otherwise (own: a score of 0.99
// needs some 200 audits without a failure).
func (r Reputation) Boost() uint32 {
	switch s := r.Score(); {
	case s >= 0.99:
		return 1
	case s >= 0.9:
		return 2
	default:
		return 4
	}
}
