package evidence

import (
	"slices"
	"testing"

	"targon"
)

// TestFalseEnd: an end is refused where an honest prover would claim it too rarely; what
// was near before uses up nothing of what is left for the others.
func TestFalseEnd(t *testing.T) {
	const unknown, floor, tie, most, above = 0, 1, 2, 3, 4
	b := &Bets{}
	b.bounds[unknown], b.bounds[floor], b.bounds[tie], b.bounds[most], b.bounds[above] = ppb, 10_000, 400_000_000, 50_000, 50_001
	lags := func(n int, c targon.GapClass, after ...targon.GapClass) []targon.GapClass {
		return append(slices.Repeat([]targon.GapClass{c}, n), after...)
	}
	for _, c := range []struct {
		name string
		lags []targon.GapClass
		want bool
	}{
		{"nothing", nil, false},
		{"at once", lags(1, floor), true},
		{"the hundredth at the floor", lags(100, floor), true},
		{"one more than the budget holds", lags(101, floor), false},
		{"long after it", lags(512, floor), false},
		{"the largest bound", lags(1, most), true},
		{"the largest bound, the budget to its end", lags(20, most), true},
		{"and beyond", lags(21, most), false},
		{"a little more than the largest", lags(1, above), false},
		{"too large for what is left, which serves the next", lags(96, floor, most, floor), true},
		{"just what is left", lags(95, floor, most), true},
		{"more than is left", lags(96, floor, most), false},
		{"near ties before", append(lags(500, tie), lags(100, floor)...), true},
		{"not known before", append(lags(500, unknown), lags(100, floor)...), true},
		{"at a near tie", lags(50, floor, tie), false},
		{"not known", lags(50, floor, unknown), false},
		{"no class at all", lags(1, targon.GapClasses), false},
	} {
		if got := b.FalseEnd(c.lags); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
