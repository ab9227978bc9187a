package proof

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"targon"
)

// ErrIncomparable says that a comparator was not given what it looks at.
var ErrIncomparable = errors.New("nothing to compare")

// A Pair is what comparators look at: a claimed answer beside the reference's. Each looks
// at a part of it.
type Pair struct {
	Claimed targon.Transcript
	Text    string    // of the claimed ids
	State   []float64 // mean-pooled last hidden state of the claimed answer, by the reference
	Scores  targon.Scores
	// What the reference itself generated for the request.
	Own      []targon.TokenID
	OwnText  string
	OwnState []float64
	// Picks are the positions that ranks-v4 looks at besides the first and the last.
	Picks []int
}

// Likeness is what a comparator makes of a pair.
type Likeness struct {
	Pass   bool    `json:"pass"`
	Value  float64 `json:"value"`            // 1 is as like as can be
	Reason string  `json:"reason,omitempty"` // of a failure, where a comparator has several
}

// A Comparator is a way to check answers that Targon used before seeded replay, kept to
// measure the difference. None is evidence.
type Comparator struct {
	Name    string
	Compare func(Pair) (Likeness, error)
}

// Comparators lists them in the order of the versions of Targon that they come from.
//
// What differs from there: overlap counts the model's own ids and not a sentence
// embedder's; cosine takes the mean-pooled last hidden state of the reference engine and
// not all-MiniLM-L6-v2; ranks leave out the rules that need log-probabilities sent by
// the prover, which ours do not send.
func Comparators() []Comparator {
	return []Comparator{
		{"sha256", compareText},
		{"cosine", compareStates},
		{"overlap-0.6", func(p Pair) (Likeness, error) { return compareOverlap(p, 0.6) }},   // 1.9.9
		{"overlap-0.75", func(p Pair) (Likeness, error) { return compareOverlap(p, 0.75) }}, // 1.9.12
		{"regenerate", compareIDs},
		{"ranks-v4", func(p Pair) (Likeness, error) { return compareRanks(p, ranksV4) }},
		{"ranks-v5", func(p Pair) (Likeness, error) { return compareRanks(p, ranksV5) }},
	}
}

// TextDigest is the SHA-256 of a text in which every run of white space is one space and
// none is at either end (Targon 1.0.3 on).
func TextDigest(text string) targon.Digest {
	return sha256.Sum256([]byte(strings.Join(strings.Fields(text), " ")))
}

func compareText(p Pair) (Likeness, error) {
	return yes(TextDigest(p.Text) == TextDigest(p.OwnText)), nil
}

func yes(same bool) Likeness {
	if same {
		return Likeness{Pass: true, Value: 1}
	}
	return Likeness{}
}

// compareIDs is regenerate-and-compare: the answers must have the same ids. The value is
// how much of the longer one they share before they part.
func compareIDs(p Pair) (Likeness, error) {
	a, b := p.Claimed.Tokens, p.Own
	if len(b) == 0 {
		return Likeness{}, fmt.Errorf("%w: no answer of the reference", ErrIncomparable)
	}
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	return Likeness{Pass: slices.Equal(a, b), Value: float64(same) / float64(max(len(a), len(b)))}, nil
}

// Overlap is the share of claimed ids that occur anywhere in the reference's answer, in
// any order; a shorter answer has none, a longer one is cut (Targon 1.1.5 on).
func Overlap(claimed, own []targon.TokenID) float64 {
	if len(claimed) < len(own) || len(own) == 0 {
		return 0
	}
	in := make(map[targon.TokenID]bool, len(own))
	for _, id := range own {
		in[id] = true
	}
	n := 0
	for _, id := range claimed[:len(own)] {
		if in[id] {
			n++
		}
	}
	return float64(n) / float64(len(own))
}

func compareOverlap(p Pair, enough float64) (Likeness, error) {
	if len(p.Own) == 0 {
		return Likeness{}, fmt.Errorf("%w: no answer of the reference", ErrIncomparable)
	}
	v := Overlap(p.Claimed.Tokens, p.Own)
	return Likeness{Pass: v >= enough, Value: v}, nil
}

// MeanPool returns the mean of the last hidden states of an answer's positions, which all
// have the same width.
func MeanPool(states [][]float32) ([]float64, error) {
	if len(states) == 0 {
		return nil, fmt.Errorf("%w: no states", ErrIncomparable)
	}
	sum := make([]float64, len(states[0]))
	for i, state := range states {
		if len(state) != len(sum) {
			return nil, fmt.Errorf("%w: state %d is %d wide, the first %d", ErrIncomparable, i, len(state), len(sum))
		}
		for c, v := range state {
			sum[c] += float64(v)
		}
	}
	for c := range sum {
		sum[c] /= float64(len(states))
	}
	return sum, nil
}

// Cosine returns the cosine of the angle between two vectors of one width.
func Cosine(a, b []float64) (float64, error) {
	if len(a) != len(b) {
		return 0, fmt.Errorf("%w: vectors of %d and %d", ErrIncomparable, len(a), len(b))
	}
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i] * b[i])
		aa += float64(a[i] * a[i])
		bb += float64(b[i] * b[i])
	}
	cos := ab / (math.Sqrt(aa) * math.Sqrt(bb))
	if cos != cos {
		return 0, fmt.Errorf("%w: vectors without a direction", ErrIncomparable)
	}
	return max(min(cos, 1), -1), nil
}

// likeEnough is Targon 1.0.5's threshold where no tier is known.
const likeEnough = 0.80

func compareStates(p Pair) (Likeness, error) {
	cos, err := Cosine(p.State, p.OwnState)
	if err != nil {
		return Likeness{}, err
	}
	return Likeness{Pass: cos > likeEnough, Value: cos}, nil
}
