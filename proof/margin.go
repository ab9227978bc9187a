package proof

import (
	"errors"
	"fmt"
	"math"

	"targon"
	"targon/noise"
)

// ErrReference says that scores contradict themselves or the question: a fault of ours.
var ErrReference = errors.New("scores of the reference")

// Standing is how a claimed id stands against the reference's seeded winner.
type Standing uint8

// Standings. The first three decide a position; at the others it says nothing, and
// which of the two kinds a position is depends on the reference alone, never on the claim.
const (
	Match    Standing = iota // it is the winner
	Flip                     // it is another id that could be drawn
	Filtered                 // it is an id that the filters leave out, by more than a band
	Edge                     // whether the winner is allowed depends on the last digits of logits
	Beyond                   // an id that the reference did not list may win
)

var standingNames = [...]string{"match", "flip", "filtered", "edge", "beyond"}

// String returns the word for people.
func (s Standing) String() string {
	if int(s) < len(standingNames) {
		return standingNames[s]
	}
	return fmt.Sprintf("standing(%d)", uint8(s))
}

// MarshalText returns the word for people.
func (s Standing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Bounds of what a mark carries.
const (
	// MarginClip is the largest margin: one wild id must not outweigh a hundred doubtful
	// ones (Token-DiFR, arXiv 2511.20621).
	MarginClip = 0.5
	// MaxGap is the largest gap; the classes of gaps end far below.
	MaxGap = 64
	// DefaultBand is the band of a Replay that names none (own: logits of one model
	// differ by some thousandths between machines of 16-bit arithmetic).
	DefaultBand = 1.0 / 64
)

// Replay says how an answer of another stack is replayed.
type Replay struct {
	Noise noise.Profile // what the prover draws with
	// Band is by how much the difference of two logits may differ between prover and
	// reference before a filter's edge counts as sharp; 0 is DefaultBand.
	Band float64
}

func (r Replay) band() float64 {
	if r.Band > 0 {
		return r.Band
	}
	return DefaultBand
}

// Mark is what one position of an answer says. Values are those of the seeded draw:
// logit + temperature × noise, at temperature 0 the logit.
type Mark struct {
	Standing Standing       `json:"standing"`
	Ending   bool           `json:"ending,omitempty"` // an end-of-sequence id won: the reference's own doing, whatever was claimed
	Claimed  targon.TokenID `json:"claimed"`
	Winner   targon.TokenID `json:"winner"` // of what was listed
	// Gap is the winner's value less that of the best other id: the reference's own, so
	// no claim has a part in it.
	Gap float64 `json:"gap"`
	// Margin is the winner's value less that of the claimed id, at most MarginClip; 0 of a
	// match, MarginClip of an id that is filtered.
	Margin float64 `json:"margin"`
}

// Decided reports whether the position says anything.
func (m Mark) Decided() bool { return m.Standing <= Filtered }

// Flipped reports whether another id than the winner was claimed, at a position that
// says something.
func (m Mark) Flipped() bool { return m.Standing == Flip || m.Standing == Filtered }

// Margins replays the draw of every claimed id over the reference's scores. Equal inputs
// give equal bits on every machine. The error is an [ErrReference].
func Margins(t targon.Transcript, s targon.Scores, by Replay) ([]Mark, error) {
	if detail := unfit(t, s); detail != "" {
		return nil, fmt.Errorf("%w: %s", ErrReference, detail)
	}
	r := race{listing: newListing(s.Vocab, by.Noise), request: t.Request, by: by, eos: endings(s)}
	marks := make([]Mark, len(s.Positions))
	for j, p := range s.Positions {
		detail := r.fill(p)
		if detail == "" {
			detail = filtered(t.Request.Sampling, p, s.Vocab)
		}
		if detail != "" {
			return nil, fmt.Errorf("%w: position %d: %s", ErrReference, j, detail)
		}
		marks[j] = r.mark(j, p)
	}
	return marks, nil
}

// Tally counts marks by class of gap: what a calibrated test needs of them.
func Tally(marks []Mark) targon.Tally {
	var t targon.Tally
	for _, m := range marks {
		if !m.Decided() {
			t.Undecided++
			continue
		}
		t.Add(targon.GapClassOf(m.Gap), m.Ending, m.Flipped())
	}
	return t
}

func endings(s targon.Scores) map[targon.TokenID]bool {
	eos := make(map[targon.TokenID]bool, len(s.EOS))
	for _, id := range s.EOS {
		eos[id] = true
	}
	return eos
}

// A race finds the winner of each position, its runner-up, and where the claim came in.
type race struct {
	*listing
	request targon.Request
	by      Replay
	eos     map[targon.TokenID]bool
}

// runner is an id with its value.
type runner struct {
	id    targon.TokenID
	value float64
}

// ahead reports whether a wins against b: by value, the lower id on equality. Anybody
// wins against nobody.
func (a runner) ahead(b runner) bool {
	return b.id < 0 || a.value > b.value || a.value == b.value && a.id < b.id
}

// A podium holds the first two of the ids that may be allowed, and whether the first
// surely is: if not, it depends on the last digits of logits who wins.
type podium struct {
	first, second runner
	sure          bool
}

func (p *podium) enter(r runner, sure bool) {
	switch {
	case r.ahead(p.first):
		p.first, p.second, p.sure = r, p.first, sure
	case r.ahead(p.second):
		p.second = r
	}
}

func (r *race) mark(j int, p targon.Position) Mark {
	at, temperature := place(r.by.Noise, r.request, j), r.request.Sampling.Temperature
	core, outer := r.by.edges(r.request.Sampling, p, len(r.stamp))
	nobody := runner{id: -1, value: math.Inf(-1)}
	f := podium{first: nobody, second: nobody}
	claim, running := nobody, false
	for i, c := range r.ids {
		logit := r.logit[c]
		may, sure := i < outer, i < core
		if i >= len(p.Top) { // below the list
			may, sure = r.below(p, logit, core, outer)
		}
		column, known := r.column(c, i, p)
		if !may || !known || c != p.Claimed.ID && r.short(at, c, column, temperature, f.second.value) {
			continue
		}
		x := runner{c, r.value(at, logit, column)}
		f.enter(x, sure)
		if c == p.Claimed.ID {
			claim, running = x, true
		}
	}
	reach := r.unlisted(at, p, outer, f.second.value)
	m := Mark{
		Claimed: p.Claimed.ID, Winner: f.first.id,
		Ending: r.eos[f.first.id],
		Gap:    clip(f.first.value-max(f.second.value, reach), MaxGap),
	}
	switch {
	case f.first.id < 0 || reach >= f.first.value:
		m.Standing = Beyond
	case !f.sure:
		m.Standing = Edge
	case m.Claimed == m.Winner:
		m.Standing = Match
	case running:
		m.Standing, m.Margin = Flip, clip(f.first.value-claim.value, MarginClip)
	case outer < len(p.Top) || !r.ranked(): // it had its chance to be allowed
		m.Standing, m.Margin = Filtered, MarginClip
	default: // below a list in whose order noise goes: it lost, nobody knows by how much
		m.Standing, m.Margin = Flip, MarginClip
	}
	return m
}

// clip holds a difference to [0, most]; one that is none is 0.
func clip(x, most float64) float64 {
	if !(x > 0) {
		return 0
	}
	return min(x, most)
}

// value is what the sampler compares.
func (r *race) value(at noise.Field, logit float32, column uint32) float64 {
	if r.request.Sampling.Temperature == 0 {
		return float64(logit)
	}
	return noise.Perturb(logit, r.request.Sampling.Temperature, at.Noise(column))
}

// ranked reports whether noise goes by the order of logits.
func (r *race) ranked() bool { return r.by.Noise.ByRank() && r.request.Sampling.Filtered() }

// column returns where in the noise an id is, if that is known: i is its index among the
// listed.
func (r *race) column(id targon.TokenID, i int, p targon.Position) (column uint32, known bool) {
	if r.ranked() {
		return uint32(i), i < len(p.Top)
	}
	return uint32(id), true
}

// unlisted bounds the value of ids that are not listed, if that is a value or more: -Inf
// when it is not, or none of them is allowed.
func (r *race) unlisted(at noise.Field, p targon.Position, outer int, value float64) float64 {
	if outer < len(p.Top) {
		return math.Inf(-1)
	}
	temperature := r.request.Sampling.Temperature
	if !r.ranked() {
		return r.reach(at, temperature, value)
	}
	if len(p.Top) == len(r.stamp) {
		return math.Inf(-1)
	}
	key := uint32(math.MaxUint32)
	for rank := len(p.Top); rank < len(r.stamp); rank++ {
		key = min(key, at.Key(uint32(rank)))
	}
	return noise.Perturb(r.lowest, temperature, at.OfKey(key))
}
