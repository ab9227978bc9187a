package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"targon"
)

// ErrPack is the root of every reason why a calibration pack is of no use.
var ErrPack = errors.New("calibration pack")

// Limits and constants of packs.
const (
	PackFormat = 1
	// MinDraws is how many draws a stratum needs before it carries a bound (own: with
	// 32,000 an 8-bit model is never convicted, with 8 M it is).
	MinDraws = 8_000_000
	// MinTemperature and more is what enters evidence: below it few tokens are near
	// enough to a tie for a bound of flips to mean anything.
	MinTemperature = 0.3
	// MaxPackBytes limits what ReadPack reads.
	MaxPackBytes = 1 << 20

	testPPM, boundPPM = 800, 200
	safety            = 2
	floorPPB          = 10_000
	maxStrata         = 256
)

// A Pack is what is known about honest provers of one model on one stack, as seen by a
// verifier on another: how often a seeded token flips, given by how much the verifier's
// own winner leads. It holds counts, so that anyone can derive the bounds again; see
// [Pack.Bets]. Without one, nobody is convicted by margins.
type Pack struct {
	Format   int           `json:"format"`
	Model    string        `json:"model"`
	Weights  targon.Digest `json:"weights"`
	Prover   string        `json:"prover"`   // the stack that answers
	Verifier string        `json:"verifier"` // the stack that scores
	Sampler  string        `json:"sampler"`  // a profile of package noise
	Texts    targon.Digest `json:"texts"`    // SHA-256 of the ids that both stacks scored
	// TestPPM + BoundPPM is the error budget of a prover-month: what the test may
	// convict under the bounds, and how likely the bounds are too low.
	TestPPM  uint32    `json:"test_ppm"`
	BoundPPM uint32    `json:"bound_ppm"`
	Safety   uint32    `json:"safety"`    // the bounds are multiplied by this
	FloorPPB uint32    `json:"floor_ppb"` // and are never below this
	Strata   []Stratum `json:"strata"`
}

// A Stratum is the requests that share one table of bounds.
type Stratum struct {
	MinTemperature float64 `json:"min_temperature"`
	MaxTemperature float64 `json:"max_temperature"` // excluded
	Filtered       bool    `json:"filtered"`        // top-k, top-p or min-p are on
	MaxLength      uint32  `json:"max_length"`      // of prompt and answer together
	Positions      uint64  `json:"positions"`       // that both stacks scored
	Seeds          uint32  `json:"seeds"`           // drawn at each position
	Counts         []Draws `json:"counts"`          // by rising class
}

// Draws counts what honest traffic did in one class of gaps.
type Draws struct {
	Class targon.GapClass `json:"class"`
	Draws uint64          `json:"draws"`
	Flips uint64          `json:"flips"`
}

// ReadPack reads and checks a pack. Fields that it does not know are refused: a bound
// must not depend on who reads it.
func ReadPack(r io.Reader) (Pack, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxPackBytes+1))
	if err != nil {
		return Pack{}, fmt.Errorf("read pack: %w", err)
	}
	if len(b) > MaxPackBytes {
		return Pack{}, fmt.Errorf("%w: more than %d bytes", ErrPack, MaxPackBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var p Pack
	if err := d.Decode(&p); err != nil {
		return Pack{}, fmt.Errorf("%w: %w", ErrPack, err)
	}
	if d.More() {
		return Pack{}, fmt.Errorf("%w: something follows it", ErrPack)
	}
	if err := p.Validate(); err != nil {
		return Pack{}, err
	}
	return p, nil
}

// NewPack returns an empty pack with this package's budget.
func NewPack() Pack {
	return Pack{Format: PackFormat, TestPPM: testPPM, BoundPPM: boundPPM, Safety: safety, FloorPPB: floorPPB}
}

// Validate reports the first thing that makes a pack useless. The budget and the
// margins of safety are this version's and no other: they are in the file for people.
func (p Pack) Validate() error {
	switch {
	case p.Format != PackFormat:
		return fmt.Errorf("%w: format %d, want %d", ErrPack, p.Format, PackFormat)
	case p.TestPPM != testPPM || p.BoundPPM != boundPPM || p.Safety != safety || p.FloorPPB != floorPPB:
		return fmt.Errorf("%w: another error budget than %d + %d ppm, safety %d, floor %d ppb", ErrPack, testPPM, boundPPM, safety, floorPPB)
	case p.Model == "" || p.Prover == "" || p.Verifier == "" || p.Sampler == "":
		return fmt.Errorf("%w: model, prover, verifier and sampler must be named", ErrPack)
	case len(p.Strata) == 0 || len(p.Strata) > maxStrata:
		return fmt.Errorf("%w: %d strata, want 1 to %d", ErrPack, len(p.Strata), maxStrata)
	}
	for i, s := range p.Strata {
		if err := s.validate(); err != nil {
			return fmt.Errorf("%w: stratum %d: %w", ErrPack, i, err)
		}
	}
	return nil
}

func (s Stratum) validate() error {
	switch {
	case !(s.MinTemperature >= MinTemperature) || !(s.MaxTemperature > s.MinTemperature) || s.MaxTemperature > 10:
		return fmt.Errorf("temperatures %v to %v, want a range from %v on", s.MinTemperature, s.MaxTemperature, MinTemperature)
	case s.MaxLength == 0:
		return errors.New("no length")
	}
	total := uint64(0)
	for i, c := range s.Counts {
		switch {
		case c.Class >= targon.GapClasses || i > 0 && c.Class <= s.Counts[i-1].Class:
			return fmt.Errorf("class %d out of order", c.Class)
		case c.Flips > c.Draws || c.Draws == 0 || c.Draws > 1<<40:
			return fmt.Errorf("class %d has %d flips of %d draws", c.Class, c.Flips, c.Draws)
		}
		total += c.Draws
	}
	if total < MinDraws {
		return fmt.Errorf("%d draws, want at least %d", total, MinDraws)
	}
	return nil
}

// holds reports whether a request of a length, prompt and answer together, is of s.
func (s Stratum) holds(by targon.Sampling, length int) bool {
	return by.Temperature >= s.MinTemperature && by.Temperature < s.MaxTemperature &&
		by.Filtered() == s.Filtered && length <= int(s.MaxLength)
}

// Find returns the index of the stratum with the shortest length that holds a request;
// false: the request is uncalibrated, and never evidence.
func (p Pack) Find(by targon.Sampling, length int) (int, bool) {
	best := -1
	for i, s := range p.Strata {
		if s.holds(by, length) && (best < 0 || s.MaxLength < p.Strata[best].MaxLength) {
			best = i
		}
	}
	return best, best >= 0
}
