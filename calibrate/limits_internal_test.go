package calibrate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"targon"
)

// highest allows the k highest logits.
func highest(logits []float32, by targon.Sampling) (ids []targon.TokenID) {
	var r row
	for _, s := range r.sorted(logits)[:by.TopK] {
		ids = append(ids, s.ID)
	}
	return ids
}

// TestCandidates: who runs is who either filter allows, and whether the verifier's does,
// surely or perhaps, is the verifier's own business.
func TestCandidates(t *testing.T) {
	const near = 1.0 / 128 // less than the band at a filter's edge
	for _, c := range []struct {
		name               string
		ours, theirs       []float32
		topK               uint32
		ids                []targon.TokenID
		own, sure, claimed []bool
	}{
		{"alike", []float32{0, 1, 2, 3}, []float32{0, 1, 2, 3}, 2, []targon.TokenID{3, 2}, []bool{true, true}, []bool{true, true}, []bool{true, true}},
		{"unlike", []float32{0, 1, 2, 3}, []float32{0, 1, 4, 3}, 1, []targon.TokenID{3, 2}, []bool{true, false}, []bool{true, false}, []bool{false, true}},
		{"far apart", []float32{0, 1, 2, 3}, []float32{4, 1, 2, 3}, 1, []targon.TokenID{3, 0}, []bool{true, false}, []bool{true, false}, []bool{false, true}},
		{"near a tie", []float32{0, 1, 3 - near, 3}, []float32{0, 1, 2, 3}, 1, []targon.TokenID{3, 2}, []bool{true, true}, []bool{false, false}, []bool{true, false}},
	} {
		var r row
		r.set(c.ours, c.theirs, targon.Sampling{Temperature: 1, TopK: c.topK}, highest)
		if !slices.Equal(r.ids, c.ids) || !slices.Equal(r.ours, c.own) || !slices.Equal(r.sure, c.sure) || !slices.Equal(r.theirs, c.claimed) {
			t.Errorf("%s: ids %v, ours %v, sure %v, theirs %v", c.name, r.ids, r.ours, r.sure, r.theirs)
		}
	}
	var r row
	r.set([]float32{0, 1, 2, 3}, []float32{0, 4, 2, 3}, targon.Sampling{Temperature: 1, TopK: 1}, highest)
	got := r.draw(rand.New(rand.NewPCG(1, 1)))
	if want := (pass{winner: 3, claimed: 1, gap: math.Inf(1)}); got != want {
		t.Errorf("one allowed here, another there: %+v, want %+v", got, want)
	}
}

// TestUnlikeRows: where one stack finds an id far likelier than the other does, the race
// is followed to its end, which it has, and its gap is that of the first two.
func TestUnlikeRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{2, 3, maxLeaders, maxLeaders + 1, 4 * maxLeaders} {
		var r row
		ours, theirs := make([]float32, n), make([]float32, n)
		theirs[n-1] = 1000
		r.set(ours, theirs, targon.Sampling{Temperature: 1}, nil)
		for range 50 {
			got := r.draw(rng)
			if n <= maxLeaders && got.claimed != targon.TokenID(n-1) {
				t.Errorf("of %d ids %d is claimed, want the last", n, got.claimed)
			}
			if !(got.gap > 0) || math.IsInf(got.gap, 0) {
				t.Errorf("of %d ids: a gap of %v", n, got.gap)
			}
		}
	}
}

// TestNegligible: a candidate is followed as long as more than a share of 1e-15 is left.
func TestNegligible(t *testing.T) {
	total := 5 * 0x1p-52 / 1e-15 // of which the share is as small as floats so large may lie apart
	if float64(total*1e-15) != 5*0x1p-52 {
		t.Fatal("no such share")
	}
	for ulps, followed := range map[float64]bool{5: false, 6: true} {
		r := row{
			temperature: 1, ids: []targon.TokenID{0, 1}, ours: []bool{true, true}, sure: []bool{true, true},
			theirs: []bool{true, true}, rates: []float64{total - ulps*0x1p-52, total}, delta: []float64{0, 0},
		}
		got := r.draw(rand.New(rand.NewPCG(1, 2)))
		if got.winner != 0 || math.IsInf(got.gap, 1) == followed {
			t.Errorf("%v of %v left: %+v, followed %v", ulps*0x1p-52, total, got, followed)
		}
	}
}

// given is a stack that says something at so many positions, and then that it is broken.
type given struct {
	positions int
	err       error
}

func (g given) Logits(_ context.Context, _ []targon.TokenID, each func(int, []float32) error) error {
	for at := range g.positions {
		if err := each(at, []float32{0}); err != nil {
			return err
		}
	}
	return g.err
}

// TestRows: a stack that says too little is an error, and what it says of itself goes first.
func TestRows(t *testing.T) {
	text := Text{Prompt: make([]targon.TokenID, 2), Answer: make([]targon.TokenID, 3)}
	broken := errors.New("broken")
	for _, c := range []struct {
		stack given
		rows  int
		want  string
	}{
		{given{positions: 4}, 3, ""},
		{given{positions: 3}, 2, "logits of 2 positions, want 3"},
		{given{positions: 3, err: broken}, 2, "broken"},
		{given{positions: 4, err: broken}, 3, "broken"},
	} {
		rows, err := Rows(t.Context(), c.stack, text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || len(rows) != c.rows {
			t.Errorf("%+v: %d rows, %q; want %d, %q", c.stack, len(rows), got, c.rows, c.want)
		}
	}
}

// TestFewestSeeds: MinSeeds are enough.
func TestFewestSeeds(t *testing.T) {
	c := Config{Seeds: MinSeeds, Bands: make([]Band, 1)}
	if err := c.check(); err != nil {
		t.Errorf("%d seeds: %v", c.Seeds, err)
	}
	if c.Seeds--; c.check() == nil {
		t.Errorf("%d seeds are enough", c.Seeds)
	}
}
