package calibrate_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/calibrate"
	"targon/evidence"
)

// stack is a model whose logits at a position follow from the ids up to it, with
// rounding of a width that is its own.
type stack struct {
	vocab int
	width float64
	own   uint64
	fails error
}

func (s *stack) Logits(_ context.Context, ids []targon.TokenID, each func(int, []float32) error) error {
	row := make([]float32, s.vocab)
	h := uint64(7)
	for at, id := range ids {
		h = h*31 + uint64(id)
		model, noise := rand.New(rand.NewPCG(h, 1)), rand.New(rand.NewPCG(h, s.own))
		for i := range row {
			row[i] = float32(4*model.NormFloat64() + s.width*noise.NormFloat64())
		}
		if err := each(at, row); err != nil {
			return err
		}
	}
	return s.fails
}

func texts(n, length int) func(func(calibrate.Text) bool) {
	return func(yield func(calibrate.Text) bool) {
		for i := range n {
			t := calibrate.Text{Prompt: []targon.TokenID{targon.TokenID(i), 1, 2}}
			for j := range length - 3 {
				t.Answer = append(t.Answer, targon.TokenID(i*j%17))
			}
			if !yield(t) {
				return
			}
		}
	}
}

// plain draws by the definition: noise for every id.
func plain(ours, theirs []float32, by targon.Sampling, mine, others []targon.TokenID, rng *rand.Rand) (class targon.GapClass, flip bool) {
	best, second, claim := math.Inf(-1), math.Inf(-1), math.Inf(-1)
	winner, claimed := -1, -1
	for id := range ours {
		g := -math.Log(rng.ExpFloat64()) * by.Temperature
		if v := float64(ours[id]) + g; slices.Contains(mine, targon.TokenID(id)) {
			if v > best {
				best, second, winner = v, best, id
			} else if v > second {
				second = v
			}
		}
		if v := float64(theirs[id]) + g; slices.Contains(others, targon.TokenID(id)) && v > claim {
			claim, claimed = v, id
		}
	}
	return targon.GapClassOf(best - second), winner != claimed
}

// first allows the k highest logits.
func first(logits []float32, by targon.Sampling) []targon.TokenID {
	ids := make([]targon.TokenID, len(logits))
	for i := range ids {
		ids[i] = targon.TokenID(i)
	}
	if by.TopK == 0 {
		return ids
	}
	slices.SortFunc(ids, func(a, b targon.TokenID) int { return int(1e6 * (logits[b] - logits[a])) })
	return ids[:by.TopK]
}

// TestRaceIsPlainSampling: shares of gaps and flips by class are those of noise for
// every id, filtered or not, within four standard deviations.
func TestRaceIsPlainSampling(t *testing.T) {
	const n = 60_000
	for _, by := range []targon.Sampling{{Temperature: 1}, {Temperature: 0.5}, {Temperature: 1.5, TopK: 4}, {Temperature: 1, TopK: 1}} {
		rng := rand.New(rand.NewPCG(3, 4))
		ours, theirs := make([]float32, 12), make([]float32, 12)
		for i := range ours {
			ours[i] = float32(2 * rng.NormFloat64())
			theirs[i] = ours[i] + float32(0.3*rng.NormFloat64())
		}
		var race, brute [targon.GapClasses][2]float64
		d := calibrate.NewDrawing(rng, first)
		d.Set(ours, theirs, by)
		mine, others := first(ours, by), first(theirs, by)
		for range n {
			m := d.Draw(nil)
			if !m.Decided {
				t.Fatalf("%+v: an edge", by)
			}
			race[m.Class][index(m.Flip)]++
			class, flip := plain(ours, theirs, by, mine, others, rng)
			brute[class][index(flip)]++
		}
		for c := range race {
			for f := range 2 {
				a, b := race[c][f], brute[c][f]
				if math.Abs(a-b) > 4*math.Sqrt(a+b)+1 {
					t.Errorf("%+v: class %d, flip %d: %v by race, %v by definition", by, c, f, a, b)
				}
			}
		}
	}
}

func index(flip bool) int {
	if flip {
		return 1
	}
	return 0
}

func config(verifier, prover calibrate.Stack) calibrate.Config {
	p := evidence.NewPack()
	p.Model, p.Prover, p.Verifier, p.Sampler = "m", "theirs", "ours", "targon"
	return calibrate.Config{
		Pack: p, Verifier: verifier, Prover: prover, Allowed: first, Seeds: 256, Seed: 1, Workers: 2,
		Bands: []calibrate.Band{
			{MinTemperature: 0.9, MaxTemperature: 1.1, MaxLength: 32},
			{MinTemperature: 0.9, MaxTemperature: 1.1, MaxLength: 8},
			{MinTemperature: 0.5, MaxTemperature: 0.9, MaxLength: 32, Filters: []targon.Sampling{{TopK: 3}, {TopK: 5}}},
		},
	}
}

// TestRun: a pack has the band of the right length, flips where gaps are narrow, and
// does not depend on how many count.
func TestRun(t *testing.T) {
	ours, theirs := &stack{vocab: 12, own: 2}, &stack{vocab: 12, own: 3, width: 1e-3}
	c := config(ours, theirs)
	c.Bands = []calibrate.Band{c.Bands[0], c.Bands[2]}
	p, err := calibrate.Run(t.Context(), c, texts(80, 32))
	if !errors.Is(err, evidence.ErrPack) { // too few draws to bound anything
		t.Fatal(err)
	}
	if len(p.Strata) != 2 || p.Strata[0].Positions != 80*29 || p.Strata[0].Filtered || !p.Strata[1].Filtered {
		t.Fatalf("strata %+v", p.Strata)
	}
	for _, s := range p.Strata {
		var near, far evidence.Draws
		for _, n := range s.Counts {
			if n.Class < targon.GapClassOf(1e-4) {
				near.Draws, near.Flips = near.Draws+n.Draws, near.Flips+n.Flips
			} else if n.Class > targon.GapClassOf(1e-2) {
				far.Draws, far.Flips = far.Draws+n.Draws, far.Flips+n.Flips
			}
		}
		if share := float64(near.Flips) / float64(near.Draws); share < 0.3 || share > 0.6 {
			t.Errorf("%v of near ties flip", share)
		}
		if !s.Filtered && far.Flips > 0 {
			t.Errorf("%d of %d wide gaps flip", far.Flips, far.Draws)
		}
	}
	c.Workers = 1
	again, _ := calibrate.Run(t.Context(), c, texts(80, 32))
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("another pack: %s", diff)
	}
}

// TestBandsOf: a text counts once for each kind of request, in the shortest band that
// holds it.
func TestBandsOf(t *testing.T) {
	ours := &stack{vocab: 8, own: 2}
	c := config(ours, ours)
	p, err := calibrate.Run(t.Context(), c, texts(3, 8))
	if !errors.Is(err, evidence.ErrPack) {
		t.Errorf("a pack of few draws: %v", err)
	}
	got := []uint64{p.Strata[0].Positions, p.Strata[1].Positions, p.Strata[2].Positions}
	if want := []uint64{0, 15, 15}; !slices.Equal(got, want) {
		t.Errorf("positions %v, want %v", got, want)
	}
	for _, s := range p.Strata {
		for _, n := range s.Counts {
			if n.Flips > 0 {
				t.Errorf("equal stacks flip: %+v", n)
			}
		}
	}
}

func TestRunRefuses(t *testing.T) {
	good := &stack{vocab: 8, own: 2}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		change func(*calibrate.Config)
		want   string
	}{
		"few seeds": {func(c *calibrate.Config) { c.Seeds = 15 }, "calibrate: 15 seeds a position, want at least 16"},
		"no bands":  {func(c *calibrate.Config) { c.Bands = nil }, "calibrate: no bands"},
		"no filter": {func(c *calibrate.Config) { c.Allowed = nil }, "calibrate: filters without a way to apply them"},
		"verifier":  {func(c *calibrate.Config) { c.Verifier = &stack{vocab: 8, fails: broken} }, "calibrate: verifier's stack: broken"},
		"prover":    {func(c *calibrate.Config) { c.Prover = &stack{vocab: 8, fails: broken} }, "calibrate: prover's stack: broken"},
	} {
		cfg := config(good, good)
		c.change(&cfg)
		if _, err := calibrate.Run(t.Context(), cfg, texts(3, 8)); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleRun() {
	p := evidence.NewPack()
	p.Model, p.Prover, p.Verifier, p.Sampler = "m", "theirs", "ours", "targon"
	c := calibrate.Config{
		Pack: p, Seeds: 1000,
		Verifier: &stack{vocab: 8, own: 2}, Prover: &stack{vocab: 8, own: 3, width: 1e-5},
		Bands: []calibrate.Band{{MinTemperature: 0.9, MaxTemperature: 1.1, MaxLength: 32}},
	}
	p, err := calibrate.Run(context.Background(), c, texts(9, 32))
	fmt.Println(err)
	s := p.Strata[0]
	fmt.Println(s.Positions, "positions under", s.Seeds, "seeds each")
	// Output:
	// calibration pack: stratum 0: 261000 draws, want at least 8000000
	// 261 positions under 1000 seeds each
}

func BenchmarkDraw(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	ours, theirs := make([]float32, 2048), make([]float32, 2048)
	for i := range ours {
		ours[i] = float32(3 * rng.NormFloat64())
		theirs[i] = ours[i] + float32(1e-4*rng.NormFloat64())
	}
	d := calibrate.NewDrawing(rng, first)
	d.Set(ours, theirs, targon.Sampling{Temperature: 1})
	for b.Loop() {
		d.Draw(nil)
	}
}
