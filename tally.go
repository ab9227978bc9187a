package targon

import (
	"fmt"
	"math"
)

// GapClass is a range of gaps. A gap is by how much the reference's seeded winner at a
// position is ahead of its runner-up, noise included: the larger it is, the less can
// another machine's rounding make another id win. Class 0 ends at 2^-20, each further
// one is a quarter of an octave wide, and the last begins at 2^4 (own; logits of
// language models differ by 1e-6 to 1e-1 between machines).
type GapClass uint8

// GapClasses is how many classes there are.
const GapClasses = 1 + gapOctaves*gapSteps + 1

const (
	gapLowest  = -20 // binary exponent at which class 1 begins
	gapOctaves = 24
	gapSteps   = 4
)

// gapEdges divide an octave from ½ to 1 into four parts of equal ratio: 2^(-3/4),
// 2^(-1/2), 2^(-1/4). Gaps are only compared with them, so classes have no rounding.
var gapEdges = [gapSteps - 1]float64{0.5946035575013605, 0.7071067811865476, 0.8408964152537145}

// GapClassOf returns the class of a gap. What is not above 0 is in class 0.
func GapClassOf(gap float64) GapClass {
	switch {
	case !(gap >= 0x1p-20): // NaN too
		return 0
	case gap >= 0x1p4:
		return GapClasses - 1
	}
	part, exponent := math.Frexp(gap)
	step := 0
	for _, edge := range gapEdges {
		if part >= edge {
			step++
		}
	}
	return GapClass(1 + (exponent-1-gapLowest)*gapSteps + step)
}

// GapCount is how the ids of one class compared with the reference's winners.
type GapCount struct {
	Class   GapClass `json:"class"`
	Matches uint32   `json:"matches"`
	Flips   uint32   `json:"flips"` // another id than the winner
}

// Tally is how the ids of one answer compared with the reference's seeded winners,
// class by class: all that a test against a calibrated null needs to know of it, and
// nothing of what was said.
type Tally struct {
	// Ids counts the positions at which an ordinary id won.
	Ids []GapCount `json:"ids,omitempty"`
	// Endings counts those at which an end-of-sequence id won. Which of the two lists a
	// position is in depends on the reference alone: to choose by the claim would bias a test.
	Endings []GapCount `json:"endings,omitempty"`
	// Undecided counts those that say nothing, whatever was claimed: the winner lies at
	// the edge of the allowed set, or beyond what the reference listed.
	Undecided uint32 `json:"undecided,omitempty"`
}

// Validate reports the first thing that no counting could have given.
func (t Tally) Validate() error {
	for _, counts := range [][]GapCount{t.Ids, t.Endings} {
		for i, c := range counts {
			switch {
			case c.Class >= GapClasses:
				return fmt.Errorf("tally: class %d, there are %d", c.Class, GapClasses)
			case i > 0 && c.Class <= counts[i-1].Class:
				return fmt.Errorf("tally: class %d follows class %d", c.Class, counts[i-1].Class)
			case c.Matches > MaxOutputTokens || c.Flips > MaxOutputTokens || c.Matches+c.Flips == 0:
				return fmt.Errorf("tally: class %d counts %d matches and %d flips", c.Class, c.Matches, c.Flips)
			}
		}
	}
	return nil
}

// Add counts one position. Classes stay in order.
func (t *Tally) Add(class GapClass, ending, flip bool) {
	counts := &t.Ids
	if ending {
		counts = &t.Endings
	}
	i := len(*counts)
	for i > 0 && (*counts)[i-1].Class >= class {
		i--
	}
	if i == len(*counts) || (*counts)[i].Class != class {
		*counts = append(*counts, GapCount{})
		copy((*counts)[i+1:], (*counts)[i:])
		(*counts)[i] = GapCount{Class: class}
	}
	if flip {
		(*counts)[i].Flips++
	} else {
		(*counts)[i].Matches++
	}
}

// Total returns how many positions matched and how many did not.
func (t Tally) Total() (matches, flips uint64) {
	for _, counts := range [][]GapCount{t.Ids, t.Endings} {
		for _, c := range counts {
			matches += uint64(c.Matches)
			flips += uint64(c.Flips)
		}
	}
	return matches, flips
}
