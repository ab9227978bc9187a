// Package calibrate makes calibration packs: it lets two stacks score the same texts,
// draws many seeds at each position, and counts how often the one's token would not have
// been the other's, by how much the winner led.
//
// Logits are computed once; only noise is drawn again, so a stratum has millions of
// draws for the price of some hundred thousand positions. The noise is ideal Gumbel
// noise: any seeded form that is worth the name looks like it.
//
// It does not decide what the counts mean: package evidence does. It opens no model and
// runs no engine. Invariant: the same stacks, texts and seed give the same pack, however
// many workers count.
package calibrate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/evidence"
)

// A Stack gives, in order, the logits after each of the ids. The slice is only valid
// during the call.
type Stack interface {
	Logits(ctx context.Context, ids []targon.TokenID, each func(position int, logits []float32) error) error
}

// Allowed returns the ids that a request's filters allow at a position, in any order.
type Allowed func(logits []float32, by targon.Sampling) []targon.TokenID

// A Text is a prompt and what an honest prover answered to it.
type Text struct{ Prompt, Answer []targon.TokenID }

// A Band is a stratum to be: the requests that it holds, and how to draw for it.
type Band struct {
	MinTemperature, MaxTemperature float64
	MaxLength                      uint32
	// Filters are drawn in turn; none means that nothing is filtered. Temperature and
	// Seed of them are not looked at.
	Filters []targon.Sampling
}

// Config of a calibration.
type Config struct {
	Pack     evidence.Pack // names; Strata are made here
	Verifier Stack
	Prover   Stack
	Allowed  Allowed
	EOS      []targon.TokenID
	Bands    []Band
	Seeds    int // at each position and band, at least 16
	Seed     uint64
	Workers  int
	Progress func(texts, positions int) // may be nil; called from one goroutine at a time
}

// MinSeeds is how often noise is drawn at a position, at least.
const MinSeeds = 16

// Run makes a pack. Each text counts for the band of the shortest MaxLength that holds
// it, as requests do. It fails for a stack that fails, and when a stratum comes out with
// fewer than evidence.MinDraws draws: with what it has then, so that a caller may say
// how much is missing.
func Run(ctx context.Context, c Config, texts iter.Seq[Text]) (evidence.Pack, error) {
	if err := c.check(); err != nil {
		return c.Pack, err
	}
	r := &run{Config: c, counts: make([][targon.GapClasses]evidence.Draws, len(c.Bands)), positions: make([]uint64, len(c.Bands))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(c.Workers, 1))
	digest, n := sha256.New(), uint64(0)
	for t := range texts {
		if ctx.Err() != nil {
			break
		}
		addIDs(digest, t.Prompt)
		addIDs(digest, t.Answer)
		seed := n
		n++
		group.Go(func() error { return r.text(ctx, t, seed) })
	}
	if err := group.Wait(); err != nil {
		return c.Pack, fmt.Errorf("calibrate: %w", err)
	}
	p := c.Pack
	digest.Sum(p.Texts[:0])
	for i, b := range c.Bands {
		p.Strata = append(p.Strata, r.stratum(i, b))
	}
	return p, p.Validate()
}

func (c Config) check() error {
	switch {
	case c.Seeds < MinSeeds:
		return fmt.Errorf("calibrate: %d seeds a position, want at least %d", c.Seeds, MinSeeds)
	case len(c.Bands) == 0:
		return fmt.Errorf("calibrate: no bands")
	}
	for _, b := range c.Bands {
		if len(b.Filters) > 0 && c.Allowed == nil {
			return fmt.Errorf("calibrate: filters without a way to apply them")
		}
	}
	return nil
}

func addIDs(to interface{ Write([]byte) (int, error) }, ids []targon.TokenID) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(ids)))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, uint32(id))
	}
	_, _ = to.Write(b) // a hash never fails
}

// A run is one calibration under way.
type run struct {
	Config
	mu        sync.Mutex
	counts    [][targon.GapClasses]evidence.Draws
	positions []uint64
	texts     int
	total     int
}

// text scores one text on both stacks and draws at each position of its answer.
func (r *run) text(ctx context.Context, t Text, seed uint64) error {
	bands := r.bandsOf(len(t.Prompt) + len(t.Answer))
	if len(bands) == 0 || len(t.Prompt) == 0 || len(t.Answer) == 0 {
		return nil
	}
	ours, err := Rows(ctx, r.Verifier, t)
	if err != nil {
		return fmt.Errorf("verifier's stack: %w", err)
	}
	theirs, err := Rows(ctx, r.Prover, t)
	if err != nil {
		return fmt.Errorf("prover's stack: %w", err)
	}
	counts := make([][targon.GapClasses]evidence.Draws, len(bands))
	rng := rand.New(rand.NewPCG(r.Seed, seed))
	for k, b := range bands {
		d := Drawing{Allowed: r.Allowed, rng: rng}
		for j := range ours {
			d.Set(ours[j], theirs[j], r.Bands[b].sampling(rng))
			for range r.Seeds {
				if m := d.Draw(r.EOS); m.Decided {
					counts[k][m.Class].Draws++
					if m.Flip {
						counts[k][m.Class].Flips++
					}
				}
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, b := range bands {
		r.positions[b] += uint64(len(ours))
		for c, n := range counts[k] {
			r.counts[b][c].Draws += n.Draws
			r.counts[b][c].Flips += n.Flips
		}
	}
	r.texts++
	r.total += len(ours)
	if r.Progress != nil {
		r.Progress(r.texts, r.total)
	}
	return nil
}

// bandsOf returns the bands that a text of a length counts for: of those with the same
// temperatures and filters, the one of the shortest MaxLength that holds it.
func (r *run) bandsOf(length int) []int {
	var out []int
	for i, b := range r.Bands {
		if length > int(b.MaxLength) {
			continue
		}
		shorter := slices.ContainsFunc(r.Bands, func(o Band) bool {
			return o.MinTemperature == b.MinTemperature && o.MaxTemperature == b.MaxTemperature &&
				(len(o.Filters) > 0) == (len(b.Filters) > 0) && o.MaxLength < b.MaxLength && length <= int(o.MaxLength)
		})
		if !shorter {
			out = append(out, i)
		}
	}
	return out
}

// sampling draws what a request of the band may ask for.
func (b Band) sampling(rng *rand.Rand) targon.Sampling {
	s := targon.Sampling{}
	if n := len(b.Filters); n > 0 {
		s = b.Filters[rng.IntN(n)]
	}
	s.Temperature = b.MinTemperature + rng.Float64()*(b.MaxTemperature-b.MinTemperature)
	return s
}

func (r *run) stratum(i int, b Band) evidence.Stratum {
	s := evidence.Stratum{
		MinTemperature: b.MinTemperature, MaxTemperature: b.MaxTemperature, MaxLength: b.MaxLength,
		Filtered: len(b.Filters) > 0, Positions: r.positions[i], Seeds: uint32(r.Seeds),
	}
	for c, n := range r.counts[i] {
		if n.Draws > 0 {
			n.Class = targon.GapClass(c)
			s.Counts = append(s.Counts, n)
		}
	}
	return s
}

// Rows returns a stack's logits at each position of an answer.
func Rows(ctx context.Context, s Stack, t Text) ([][]float32, error) {
	rows := make([][]float32, 0, len(t.Answer))
	ids := slices.Concat(t.Prompt, t.Answer[:len(t.Answer)-1])
	err := s.Logits(ctx, ids, func(at int, logits []float32) error {
		if at >= len(t.Prompt)-1 {
			rows = append(rows, slices.Clone(logits))
		}
		return nil
	})
	if err == nil && len(rows) != len(t.Answer) {
		err = fmt.Errorf("logits of %d positions, want %d", len(rows), len(t.Answer))
	}
	return rows, err
}

// A Drawing draws seeds at one position after another.
type Drawing struct {
	Allowed Allowed
	row     row
	rng     *rand.Rand
}

// NewDrawing returns a drawing whose noise comes of rng.
func NewDrawing(rng *rand.Rand, allowed Allowed) *Drawing {
	return &Drawing{Allowed: allowed, rng: rng}
}

// Set makes it draw at a position, given the verifier's and the prover's logits there.
func (d *Drawing) Set(ours, theirs []float32, by targon.Sampling) {
	d.row.set(ours, theirs, by, d.Allowed)
}

// A Mark is what one seed says at a position, as package proof's marks do.
type Mark struct {
	Class   targon.GapClass // of the verifier's gap
	Ending  bool            // an end-of-sequence id is the verifier's winner
	Flip    bool            // the prover's id is another than the verifier's
	Decided bool            // false at a filter's edge
}

// Draw draws one seed.
func (d *Drawing) Draw(eos []targon.TokenID) Mark {
	p := d.row.draw(d.rng)
	return Mark{
		Class:   targon.GapClassOf(p.gap),
		Ending:  slices.Contains(eos, p.winner),
		Flip:    p.claimed != p.winner,
		Decided: !p.edge,
	}
}
