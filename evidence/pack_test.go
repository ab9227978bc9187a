package evidence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"targon"
	"targon/evidence"
)

// flipRate is an honest prover of these tests: both machines' logits differ by
// Gaussian noise of width sigma, so the winner loses to its runner-up with this
// probability.
func flipRate(gap, sigma float64) float64 { return 0.5 * math.Erfc(gap/sigma/math.Sqrt2) }

// gapIn returns a gap of a class, at a share of its width.
func gapIn(c targon.GapClass, share float64) float64 {
	return math.Exp2(-20 + (float64(c)-1+share)/4)
}

// weightOf is the share of gaps in a class when gaps are exponential with mean 1, as
// they are at temperature 1 when two ids compete.
func weightOf(c targon.GapClass) float64 {
	if c == 0 {
		return 1 - math.Exp(-gapIn(1, 0))
	}
	if c == targon.GapClasses-1 {
		return math.Exp(-gapIn(c, 0))
	}
	return math.Exp(-gapIn(c, 0)) - math.Exp(-gapIn(c+1, 0))
}

const sigma = 1e-4 // of the honest prover

// pack makes a pack as honest traffic of the given width would, draws being as they
// fall, or as they should on average when rng is nil.
func pack(draws float64, rng *rand.Rand) evidence.Pack {
	p := evidence.NewPack()
	p.Model, p.Prover, p.Verifier, p.Sampler = "m", "a", "b", "targon"
	s := evidence.Stratum{MinTemperature: 0.9, MaxTemperature: 1.1, MaxLength: 256, Positions: 1, Seeds: 16}
	for c := range targon.GapClass(targon.GapClasses) {
		n := uint64(math.Round(draws * weightOf(c)))
		if n == 0 {
			continue
		}
		k := uint64(math.Round(float64(n) * flipRate(gapIn(c, 0.5), sigma)))
		if rng != nil {
			k = uint64(binomial(rng, int(n), flipRate(gapIn(c, rng.Float64()), sigma)))
		}
		s.Counts = append(s.Counts, evidence.Draws{Class: c, Draws: n, Flips: k})
	}
	p.Strata = []evidence.Stratum{s}
	return p
}

// binomial draws by waiting times, which is quick where p is small.
func binomial(rng *rand.Rand, n int, p float64) int {
	if p > 0.5 {
		return n - binomial(rng, n, 1-p)
	}
	if p <= 0 {
		return 0
	}
	k, at := 0, 0.0
	for {
		at += 1 + math.Floor(math.Log(1-rng.Float64())/math.Log1p(-p))
		if at > float64(n) {
			return k
		}
		k++
	}
}

// TestBoundsHold: over many packs, no class of any gap flips more often than its bound,
// safety factor left out; and the bounds are not idle: they come down to the floor.
func TestBoundsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		b := pack(1.2e7, rng).Bets(0)
		for c := targon.GapClass(1); c < targon.GapClasses; c++ {
			if rate := 2 * flipRate(gapIn(c, 0), sigma); float64(b.Bound(c)) < 1e9*min(rate, 1)-1 {
				t.Errorf("class %d flips at %g, bound %d ppb", c, rate/2, b.Bound(c))
			}
			if b.Bound(c) > b.Bound(c-1) {
				t.Errorf("bound rises from %d to %d at class %d", b.Bound(c-1), b.Bound(c), c)
			}
		}
		if b.Bound(0) != 1e9 || b.Bound(targon.GapClassOf(1)) != 10_000 {
			t.Errorf("bounds %d at no gap, %d at gap 1", b.Bound(0), b.Bound(targon.GapClassOf(1)))
		}
	}
}

// TestBoundOfOneClass pins the arithmetic: 0 of n is bounded by 1 - e^(-need/n), twice
// that after safety, need being ln of strata × pairs of classes / 2e-4.
func TestBoundOfOneClass(t *testing.T) {
	p := pack(1e7, nil)
	const n = 9e6
	p.Strata[0].Counts = []evidence.Draws{{Class: 40, Draws: n}}
	pairs := float64(targon.GapClasses * (targon.GapClasses - 1) / 2)
	p.FloorPPB = 10_000
	b := p.Bets(0)
	want := math.Ceil(2e9 * -math.Expm1(-math.Log(pairs/2e-4)/n))
	if want > 10_000 {
		t.Fatalf("the example is below the floor no longer: %v", want)
	}
	p.Strata[0].Counts[0].Draws = n / 9
	b9 := p.Bets(0)
	want9 := math.Ceil(2e9 * -math.Expm1(-math.Log(pairs/2e-4)/(n/9)))
	for c := range targon.GapClass(targon.GapClasses) {
		low, high := uint32(1e9), uint32(1e9)
		if c > 40 {
			low, high = 10_000, uint32(want9)
		}
		if got := b.Bound(c); got != low {
			t.Errorf("class %d: %d, want %d", c, got, low)
		}
		if got := b9.Bound(c); got != high {
			t.Errorf("class %d of fewer draws: %d, want %d", c, got, high)
		}
	}
}

func TestFind(t *testing.T) {
	p := pack(1e7, nil)
	long, filtered := p.Strata[0], p.Strata[0]
	long.MaxLength, filtered.Filtered = 512, true
	p.Strata = []evidence.Stratum{long, p.Strata[0], filtered}
	for _, c := range []struct {
		by     targon.Sampling
		length int
		want   int // -1: none
	}{
		{targon.Sampling{Temperature: 1}, 256, 1},
		{targon.Sampling{Temperature: 1}, 257, 0},
		{targon.Sampling{Temperature: 1}, 512, 0},
		{targon.Sampling{Temperature: 1}, 513, -1},
		{targon.Sampling{Temperature: 0.9}, 1, 1},
		{targon.Sampling{Temperature: 0.89}, 1, -1},
		{targon.Sampling{Temperature: 1.1}, 1, -1},
		{targon.Sampling{Temperature: 1, TopK: 5}, 256, 2},
		{targon.Sampling{Temperature: 1, TopP: 0.9}, 257, -1},
	} {
		got, ok := p.Find(c.by, c.length)
		if got != c.want || ok != (c.want >= 0) {
			t.Errorf("%+v of %d: stratum %d, want %d", c.by, c.length, got, c.want)
		}
	}
}

func TestReadPack(t *testing.T) {
	b, err := json.Marshal(pack(1e7, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.ReadPack(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*evidence.Pack){
		"format":      func(p *evidence.Pack) { p.Format = 2 },
		"test":        func(p *evidence.Pack) { p.TestPPM++ },
		"bound":       func(p *evidence.Pack) { p.BoundPPM++ },
		"safety":      func(p *evidence.Pack) { p.Safety = 1 },
		"floor":       func(p *evidence.Pack) { p.FloorPPB = 1 },
		"name":        func(p *evidence.Pack) { p.Prover = "" },
		"no strata":   func(p *evidence.Pack) { p.Strata = nil },
		"few draws":   func(p *evidence.Pack) { *p = pack(7.9e6, nil) },
		"greedy":      func(p *evidence.Pack) { p.Strata[0].MinTemperature = 0.29 },
		"empty range": func(p *evidence.Pack) { p.Strata[0].MaxTemperature = 0.9 },
		"no length":   func(p *evidence.Pack) { p.Strata[0].MaxLength = 0 },
		"flips":       func(p *evidence.Pack) { p.Strata[0].Counts[0].Flips = p.Strata[0].Counts[0].Draws + 1 },
		"class twice": func(p *evidence.Pack) { p.Strata[0].Counts[1].Class = p.Strata[0].Counts[0].Class },
	} {
		p := pack(1e7, nil)
		change(&p)
		if b, err = json.Marshal(p); err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.ReadPack(bytes.NewReader(b)); !errors.Is(err, evidence.ErrPack) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "{}", "[]", `{"format":1,"x":2}`, string(b) + "{}", strings.Repeat(" ", evidence.MaxPackBytes+1)} {
		if _, err := evidence.ReadPack(strings.NewReader(text)); !errors.Is(err, evidence.ErrPack) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// FuzzReadPack: whatever is accepted has a table of bounds that honours the floor.
func FuzzReadPack(f *testing.F) {
	b, err := json.Marshal(pack(1e7, nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := evidence.ReadPack(bytes.NewReader(b))
		if err != nil {
			return
		}
		table := p.Bets(0)
		for c := range targon.GapClass(targon.GapClasses) {
			if got := table.Bound(c); got < p.FloorPPB || got > 1e9 {
				t.Fatalf("class %d has bound %d", c, got)
			}
		}
	})
}
