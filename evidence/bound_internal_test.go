package evidence

import (
	"math"
	"testing"

	"targon"
)

// TestUpperAtTheEdge: a bound is the smallest p at which the evidence against it reaches
// what is needed, so where it reaches that exactly, p itself is the bound.
func TestUpperAtTheEdge(t *testing.T) {
	for _, c := range []struct {
		k, n uint64
		best float64
	}{{0, 1 << 20, 1}, {3, 1 << 20, 0.5}, {1000, 1 << 30, 1e-5}} {
		share := float64(c.k) / float64(c.n)
		mid := share + 0.5*(c.best-share)
		need := float64(c.n) * divergence(share, mid)
		if got := upper(c.k, c.n, need, c.best); got != mid {
			t.Errorf("%d of %d: bound %v, want %v, where the evidence is what is needed", c.k, c.n, got, mid)
		}
		if got := upper(c.k, c.n, math.Nextafter(need, math.Inf(1)), c.best); got <= mid {
			t.Errorf("%d of %d, more needed: bound %v, want more than %v", c.k, c.n, got, mid)
		}
	}
}

// TestDivergence against the textbook, and at its ends.
func TestDivergence(t *testing.T) {
	for _, c := range []struct{ q, p, want float64 }{
		{0, 0.5, math.Ln2},
		{0.25, 0.5, 0.25*math.Log(0.5) + 0.75*math.Log(1.5)},
		{0, 1, math.Inf(1)},
		{0.5, 1, math.Inf(1)},
		{0, 1e-9, 1e-9},
	} {
		if got := divergence(c.q, c.p); got != c.want && math.Abs(got-c.want) > 1e-12 {
			t.Errorf("of %v and %v: %v, want %v", c.q, c.p, got, c.want)
		}
	}
}

// TestNoBet: a class whose bound is a half is not bet on, one whose bound is less is.
func TestNoBet(t *testing.T) {
	var bounds, usual [targon.GapClasses]uint32
	bounds[4], bounds[5], usual[0] = noBet, noBet-1, 800_000_000
	b := newBets(bounds, usual)
	for class, bet := range map[targon.GapClass]bool{4: false, 5: true} {
		flip := targon.Tally{Ids: []targon.GapCount{{Class: class, Flips: 1}}}
		if got := b.Of(flip) != (Bet{}); got != bet {
			t.Errorf("bound %d: bet on: %v, want %v", bounds[class], got, bet)
		}
	}
}
