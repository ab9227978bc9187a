package targon_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
)

func TestGapClassOf(t *testing.T) {
	below := func(x float64) float64 { return math.Nextafter(x, 0) }
	for _, c := range []struct {
		gap  float64
		want targon.GapClass
	}{
		{math.NaN(), 0},
		{-1, 0},
		{0, 0},
		{below(0x1p-20), 0},
		{0x1p-20, 1},
		{0x1p-20 * 1.1892071, 1},
		{0x1p-20 * 1.1892073, 2},
		{below(0x1p-19), 4},
		{0x1p-19, 5},
		{1, 81},
		{below(0x1p4), targon.GapClasses - 2},
		{0x1p4, targon.GapClasses - 1},
		{math.Inf(1), targon.GapClasses - 1},
	} {
		if got := targon.GapClassOf(c.gap); got != c.want {
			t.Errorf("gap %v is in class %d, want %d", c.gap, got, c.want)
		}
	}
}

// TestGapClassRises: a larger gap is never in a lower class, and no class is wider than
// a quarter of an octave.
func TestGapClassRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(0x1p-21, 0x1p5).Draw(t, "a")
		b := a * rapid.Float64Range(1, 4).Draw(t, "ratio")
		low, high := targon.GapClassOf(a), targon.GapClassOf(b)
		if low > high {
			t.Fatalf("%v is in %d, %v in %d", a, low, b, high)
		}
		if b > a*1.19 && a >= 0x1p-20 && b < 0x1p4 && low == high {
			t.Fatalf("%v and %v are both in %d", a, b, low)
		}
	})
}

func TestTally(t *testing.T) {
	var got targon.Tally
	for _, a := range []struct {
		class        targon.GapClass
		ending, flip bool
	}{{9, false, false}, {3, false, true}, {9, false, true}, {9, false, false}, {5, true, false}, {4, false, false}} {
		got.Add(a.class, a.ending, a.flip)
	}
	want := targon.Tally{
		Ids:     []targon.GapCount{{Class: 3, Flips: 1}, {Class: 4, Matches: 1}, {Class: 9, Matches: 2, Flips: 1}},
		Endings: []targon.GapCount{{Class: 5, Matches: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
	if m, f := got.Total(); m != 4 || f != 2 {
		t.Errorf("%d matches and %d flips", m, f)
	}
}

func TestTallyRefuses(t *testing.T) {
	for name, c := range map[string][]targon.GapCount{
		"class":    {{Class: targon.GapClasses, Matches: 1}},
		"order":    {{Class: 5, Matches: 1}, {Class: 4, Matches: 1}},
		"twice":    {{Class: 5, Matches: 1}, {Class: 5, Matches: 1}},
		"empty":    {{Class: 5}},
		"too many": {{Class: 5, Matches: targon.MaxOutputTokens + 1}},
		"flips":    {{Class: 5, Flips: targon.MaxOutputTokens + 1}},
	} {
		if (targon.Tally{Ids: c}).Validate() == nil || (targon.Tally{Endings: c}).Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
