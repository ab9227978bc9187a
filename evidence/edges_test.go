package evidence_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"targon"
	"targon/evidence"
)

// all is a bet in which every process does the same.
func all(log int64) (b evidence.Bet) {
	for a := range b {
		b[a] = log
	}
	return b
}

// worth returns the smallest bet of equal processes whose factor has a logarithm.
func worth(t *testing.T, log int64) evidence.Bet {
	t.Helper()
	for v := log - 3; v < log+4; v++ {
		if b := all(v); b.LogE() == log {
			return b
		}
	}
	t.Fatalf("no bet is worth %d", log)
	return evidence.Bet{}
}

// TestThousand: a factor of 1000 is surprising and raises an alarm; a billionth of its
// logarithm less does neither.
func TestThousand(t *testing.T) {
	const thousand = 6_907_755_279 // ceil(1e9 × ln 1000)
	for log, want := range map[int64]bool{thousand - 1: false, thousand: true, thousand + 1: true} {
		b := worth(t, log)
		if got := b.Surprising(); got != want {
			t.Errorf("ln e = %d: surprising %v, want %v", log, got, want)
		}
		var s evidence.Stream
		if got := s.Add(b); got != want {
			t.Errorf("ln e = %d: alarm %v, want %v", log, got, want)
		}
	}
}

func TestRises(t *testing.T) {
	for _, c := range []struct {
		bet  evidence.Bet
		want bool
	}{
		{evidence.Bet{}, false},
		{all(-1), false},
		{evidence.Bet{8: 1}, true},
		{evidence.Bet{0: -5, 10: 1}, true},
	} {
		if got := c.bet.Rises(); got != c.want {
			t.Errorf("%v rises: %v, want %v", c.bet, got, c.want)
		}
	}
}

// TestStreamThreshold: a stream convicts at 1250 in logarithm, and not a billionth below.
func TestStreamThreshold(t *testing.T) {
	b := pack(1e7, nil).Bets(0).Of(tally(targon.GapClassOf(1), false, 60, 1))
	var once evidence.Stream
	once.Add(b)
	for at, want := range map[int64]bool{7_130_898_830: false, 7_130_898_831: true, 7_130_898_832: true} {
		var s evidence.Stream
		e := evidence.New(prover, 3)
		e.LogE = at - once.LogE()
		e, _ = s.Update(e, verdict(targon.ReasonMargin), b)
		if e.LogE != at || e.Convicted != want {
			t.Errorf("at %d: %d, convicted %v, want %v", at, e.LogE, e.Convicted, want)
		}
	}
}

// TestBoost at the scores where it changes.
func TestBoost(t *testing.T) {
	for _, c := range []struct {
		alpha, beta float64
		want        uint32
	}{
		{100, 0, 1},
		{99, 1, 1}, // a score of 0.99 exactly
		{98.9, 1.1, 2},
		{9, 1, 2}, // 0.9
		{8.9, 1.1, 4},
		{0, 1, 4},
	} {
		r := evidence.Reputation{Alpha: c.alpha, Beta: c.beta}
		if got := r.Boost(); got != c.want {
			t.Errorf("score %v: boost %d, want %d", r.Score(), got, c.want)
		}
	}
}

// TestPackLimits: what is just allowed in a pack, and what is just not.
func TestPackLimits(t *testing.T) {
	only := func(draws uint64) []evidence.Draws { return []evidence.Draws{{Class: 3, Draws: draws}} }
	for _, c := range []struct {
		name   string
		change func(*evidence.Pack)
		ok     bool
	}{
		{"as many strata as there may be", func(p *evidence.Pack) { p.Strata = many(p.Strata[0], 256) }, true},
		{"one more", func(p *evidence.Pack) { p.Strata = many(p.Strata[0], 257) }, false},
		{"as cold as enters evidence", func(p *evidence.Pack) { p.Strata[0].MinTemperature = 0.3 }, true},
		{"colder", func(p *evidence.Pack) { p.Strata[0].MinTemperature = math.Nextafter(0.3, 0) }, false},
		{"as warm as a request may ask", func(p *evidence.Pack) { p.Strata[0].MaxTemperature = 10 }, true},
		{"warmer", func(p *evidence.Pack) { p.Strata[0].MaxTemperature = math.Nextafter(10, 11) }, false},
		{"the last class", func(p *evidence.Pack) { p.Strata[0].Counts = classed(targon.GapClasses - 1) }, true},
		{"a class beyond it", func(p *evidence.Pack) { p.Strata[0].Counts = classed(targon.GapClasses) }, false},
		{"as few draws as carry a bound", func(p *evidence.Pack) { p.Strata[0].Counts = only(evidence.MinDraws) }, true},
		{"one fewer", func(p *evidence.Pack) { p.Strata[0].Counts = only(evidence.MinDraws - 1) }, false},
		{"as many draws as are counted", func(p *evidence.Pack) { p.Strata[0].Counts = only(1 << 40) }, true},
		{"one more", func(p *evidence.Pack) { p.Strata[0].Counts = only(1<<40 + 1) }, false},
		{"a class without draws", func(p *evidence.Pack) { p.Strata[0].Counts = append(only(1e7), evidence.Draws{Class: 4}) }, false},
		{"all draws flip", func(p *evidence.Pack) { p.Strata[0].Counts = []evidence.Draws{{Class: 3, Draws: 1e7, Flips: 1e7}} }, true},
	} {
		p := pack(1e7, nil)
		c.change(&p)
		if err := p.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v, want accepted %v", c.name, err, c.ok)
		}
	}
}

func many(s evidence.Stratum, n int) (out []evidence.Stratum) {
	for range n {
		out = append(out, s)
	}
	return out
}

func classed(c targon.GapClass) []evidence.Draws { return []evidence.Draws{{Class: c, Draws: 1e7}} }

// TestReadPackSize: a file of MaxPackBytes is read, one of a byte more is not.
func TestReadPackSize(t *testing.T) {
	b, err := json.Marshal(pack(1e7, nil))
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, bytes.Repeat([]byte{' '}, evidence.MaxPackBytes-len(b))...)
	if _, err := evidence.ReadPack(bytes.NewReader(b)); err != nil {
		t.Errorf("%d bytes: %v", len(b), err)
	}
	if _, err := evidence.ReadPack(bytes.NewReader(append(b, ' '))); err == nil {
		t.Errorf("%d bytes are read", len(b)+1)
	}
}

// TestFindFirst: of strata that hold a request alike, the first counts.
func TestFindFirst(t *testing.T) {
	p := pack(1e7, nil)
	p.Strata = many(p.Strata[0], 3)
	if i, ok := p.Find(targon.Sampling{Temperature: 1}, 10); i != 0 || !ok {
		t.Errorf("stratum %d, %v; want 0", i, ok)
	}
}

// TestBoundsOfNoGap: the class of no gap has no bound of its own, but its draws bound the
// classes above it, as all draws do.
func TestBoundsOfNoGap(t *testing.T) {
	p := pack(1e7, nil)
	p.Strata[0].Counts = []evidence.Draws{{Class: 0, Draws: 1e7, Flips: 100}}
	b := p.Bets(0)
	for c := range targon.GapClass(targon.GapClasses) {
		want := c == 0
		if got := b.Bound(c) == 1e9; got != want {
			t.Errorf("class %d: bound %d", c, b.Bound(c))
		}
	}
}
