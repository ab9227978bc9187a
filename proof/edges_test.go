package proof_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"targon"
	"targon/noise"
	"targon/proof"
)

// band is a power of two, so that sums with it are exact.
const band = 1.0 / 64

// even is a temperature so high that every id has the same weight, to the last bit.
const even = 1e300

// still is one so low that noise moves no logit.
const still = 1e-300

// TestEdgesByHand: how many ids surely pass a filter and how many may, with logits that
// lie exactly on the edges.
func TestEdgesByHand(t *testing.T) {
	for _, c := range []struct {
		name        string
		logits      []float32
		by          targon.Sampling
		core, outer int
	}{
		{"no filter", []float32{3, 2, 1}, targon.Sampling{Temperature: 1}, 3, 3},
		{"top-k of all", []float32{3, 2, 2}, targon.Sampling{Temperature: 1, TopK: 3}, 3, 3},
		{"top-k, sharp", []float32{3, 2, 1, 0}, targon.Sampling{Temperature: 1, TopK: 2}, 2, 2},
		{"top-k, the third a band below", []float32{3, 2, 2 - band, 0}, targon.Sampling{Temperature: 1, TopK: 2}, 1, 3},
		{"top-k, the third two bands below", []float32{3, 2, 2 - 2*band, 0}, targon.Sampling{Temperature: 1, TopK: 2}, 2, 2},
		// Four equal weights and half of them wanted. The third lies a band below the second:
		// it has one id surely above it, which is less than two; and the second has two
		// others no more than a band below, which is not.
		{"top-p, just half", []float32{3, 2, 2 - band, 0, -9}, targon.Sampling{Temperature: even, TopK: 4, TopP: 0.5}, 1, 3},
		{"top-p, just half, sharp", []float32{3, 2, 1, 0, -9}, targon.Sampling{Temperature: even, TopK: 4, TopP: 0.5}, 2, 2},
	} {
		core, outer := proof.Replay{Band: band}.Edges(c.by, targon.Position{Top: ordered(c.logits)})
		if core != c.core || outer != c.outer {
			t.Errorf("%s: %d surely, %d may; want %d, %d", c.name, core, outer, c.core, c.outer)
		}
	}
}

// drawnBy returns a request whose seed gives the first position noise for which ok holds.
func drawnBy(t *testing.T, p noise.Profile, by targon.Sampling, ok func(g func(column uint32) float64) bool) targon.Request {
	t.Helper()
	for seed := range uint64(100_000) {
		r := ask(proverKey(t), seed, 1, 1)
		by.Seed = seed
		r.Sampling = by
		if ok(p.Field(seed, len(r.Prompt), 0).Noise) {
			return r
		}
	}
	t.Fatal("no seed gives such noise")
	return targon.Request{}
}

// podium says that the noise of one column is far above that of 0, and that above all.
func podium(first uint32) func(func(uint32) float64) bool {
	return func(g func(uint32) float64) bool {
		for c := range uint32(4) {
			if c != first && g(first) < g(c)+3 || c != first && c != 0 && g(0) < g(c)+1.5 {
				return false
			}
		}
		return true
	}
}

// TestBelowTheList: of ids that are allowed but too far down to be listed, the reference
// names the last. Who is a band above it is surely in the race, who is a band below it
// may be, and who is further below is out.
func TestBelowTheList(t *testing.T) {
	const last = -1
	for _, c := range []struct {
		name   string
		claim  targon.TokenID // whose noise is the highest
		logits [4]float32
		want   proof.Standing
		winner targon.TokenID
	}{
		{"well above the last", 1, [4]float32{0, -0.5, last, -9}, proof.Match, 1},
		{"a band above it", 1, [4]float32{0, last + band, last, -9}, proof.Match, 1},
		{"less than a band above", 1, [4]float32{0, last + band/2, last, -9}, proof.Edge, 1},
		{"the last itself", 2, [4]float32{0, -0.5, last, -9}, proof.Edge, 2},
		{"a band below it", 3, [4]float32{0, -0.5, last, last - band}, proof.Edge, 3},
		{"two bands below", 3, [4]float32{0, -0.5, last, last - 2*band}, proof.Filtered, 0},
	} {
		r := drawnBy(t, noise.Profile{}, targon.Sampling{Temperature: 1, TopK: 3}, podium(uint32(c.claim)))
		got := marked(t, r, ordered(c.logits[:]), 1, 3, c.claim, proof.Replay{Band: band})
		if got.Standing != c.want || got.Winner != c.winner {
			t.Errorf("%s: %v, %d wins; want %v, %d", c.name, got.Standing, got.Winner, c.want, c.winner)
		}
	}
}

// marked is the mark of one position at which the head of an order is listed as highest
// logits and the rest beside them.
func marked(t *testing.T, r targon.Request, order []targon.Scored, top, allowed int, claim targon.TokenID, by proof.Replay) proof.Mark {
	t.Helper()
	p := targon.Position{Top: order[:top], Also: order[top:], Drawn: targon.Draw{Allowed: uint32(allowed), Last: order[allowed-1]}}
	for _, s := range order {
		if s.ID == claim {
			p.Claimed = s
		}
	}
	s := targon.Scores{Weights: r.Weights, Vocab: len(order), Positions: []targon.Position{p}}
	marks, err := proof.Margins(targon.Transcript{Request: r, Tokens: []targon.TokenID{claim}}, s, by)
	if err != nil {
		t.Fatal(err)
	}
	return marks[0]
}

// TestListOfTopK: where the list ends with the k-th, the first that is left out is not
// known, so who is no more than a band above the last listed may not be allowed.
func TestListOfTopK(t *testing.T) {
	r := drawnBy(t, noise.Profile{}, targon.Sampling{Temperature: 1, TopK: 2}, podium(0))
	for second, want := range map[float32]proof.Standing{-0.5: proof.Match, -band / 2: proof.Edge} {
		got := marked(t, r, ordered([]float32{0, second, -5, -6}), 2, 2, 0, proof.Replay{Band: band})
		if got.Standing != want || got.Winner != 0 {
			t.Errorf("second at %v: %+v, want %v", second, got, want)
		}
	}
}

// TestRankedBelowTheList: where noise goes by rank, that of an id below the list is not
// known. It lost, if another won, nobody knows by how much; and no rank beyond the
// vocabulary takes part.
func TestRankedBelowTheList(t *testing.T) {
	by := proof.Replay{Noise: noise.SGLang.Usual(), Band: band}
	order := ordered([]float32{0, -0.125, -1, -1.5})
	sampling := targon.Sampling{Temperature: 1, TopK: 3}
	leads := func(g func(uint32) float64) bool { return g(0) > max(g(1), g(2), g(3)) }

	near := drawnBy(t, by.Noise, sampling, func(g func(uint32) float64) bool { return leads(g) && g(0)-g(1) < 0.25 })
	want := proof.Mark{Standing: proof.Flip, Claimed: 1, Winner: 0, Margin: proof.MarginClip}
	got := marked(t, near, order, 1, 3, 1, by)
	if want.Gap = got.Gap; got != want {
		t.Errorf("the second: %+v, want %+v", got, want)
	}
	fifth := drawnBy(t, by.Noise, sampling, func(g func(uint32) float64) bool { return leads(g) && g(4) > g(0)+1 })
	if got := marked(t, fifth, order, 1, 3, 0, by); got.Standing != proof.Match {
		t.Errorf("a rank beyond the vocabulary wins: %+v", got)
	}
}

// TestAllAllowedAreListed: however short the list, it decides if it has all that is
// allowed; and its last must be the last allowed.
func TestAllAllowedAreListed(t *testing.T) {
	k, m := proverKey(t), noEnd()
	for seed := range uint64(20) {
		r := ask(k, seed, 2, 20)
		r.Sampling.TopK = 4
		ids, f := m.generate(r)
		x, s := answer(t, k, r, ids, f), m.score(r, ids, targon.Need{Top: 4})
		if v, a := proof.Judge(x, s, nil); v.Outcome != targon.Passed || a.Wanted() {
			t.Errorf("seed %d: %v (%s), asks %v", seed, v.Reason, v.Detail, a.Wanted())
		}
		s.Positions[3].Drawn.Last.Logit -= 0.5
		if v, a := proof.Judge(x, s, nil); v.Reason != targon.ReasonReference || a.Wanted() {
			t.Errorf("seed %d, another last: %v (%s), asks %v", seed, v.Reason, v.Detail, a.Wanted())
		}
	}
}

// TestTiesWithNoise: of ids with equal values the lowest wins, whichever is listed first.
func TestTiesWithNoise(t *testing.T) {
	r := ask(proverKey(t), 1, still, 1)
	x := answer(t, proverKey(t), r, []targon.TokenID{1}, targon.FinishLength)
	s := targon.Scores{Weights: r.Weights, Vocab: 3, Positions: []targon.Position{{
		Claimed: targon.Scored{ID: 1, Logit: 1},
		Top:     []targon.Scored{{ID: 2, Logit: 1}, {ID: 1, Logit: 1}, {ID: 0, Logit: 0.5}},
	}}}
	if v, a := proof.Judge(x, s, nil); v.Reason != targon.ReasonEqual || a.Wanted() {
		t.Errorf("%v (%s), asks %v", v.Reason, v.Detail, a.Wanted())
	}
}

// TestHalfUndecided: an answer is ambiguous when more than half of it says nothing.
func TestHalfUndecided(t *testing.T) {
	for _, c := range []struct {
		silent, all int
		want        targon.Reason
	}{{1, 3, targon.ReasonUncalibrated}, {1, 2, targon.ReasonUncalibrated}, {2, 3, targon.ReasonAmbiguous}} {
		r := ask(proverKey(t), 1, 0, uint32(c.all))
		s := targon.Scores{Weights: r.Weights, Vocab: 3}
		ids := make([]targon.TokenID, c.all)
		for j := range ids {
			top := []targon.Scored{{ID: 0, Logit: 3}, {ID: 1, Logit: 2}, {ID: 2, Logit: 1}}
			if j < c.silent {
				top = top[:1] // another may be as high
			}
			s.Positions = append(s.Positions, targon.Position{Claimed: top[0], Top: top})
		}
		v, _ := proof.Weigh(answer(t, proverKey(t), r, ids, targon.FinishLength), s, proof.Replay{})
		if v.Reason != c.want || int(v.Tally.Undecided) != c.silent {
			t.Errorf("%d of %d say nothing: %v, %d undecided; want %v", c.silent, c.all, v.Reason, v.Tally.Undecided, c.want)
		}
	}
}

// TestSurpriseLimits: what was kept may exceed 1 by a rounding, and there is a vocabulary.
func TestSurpriseLimits(t *testing.T) {
	r := ask(proverKey(t), 1, 1, 1)
	x := targon.Transcript{Request: r, Tokens: []targon.TokenID{0}}
	for _, c := range []struct {
		vocab int
		kept  float64
		ok    bool
	}{{3, 1, true}, {3, 1 + 1e-6, true}, {3, math.Nextafter(1+1e-6, 2), false}, {1, 1, true}, {0, 1, false}} {
		s := targon.Scores{Weights: r.Weights, Vocab: c.vocab, Positions: []targon.Position{{
			Top: []targon.Scored{{}}, Drawn: targon.Draw{Norm: 1, Kept: c.kept, Entropy: 1},
		}}}
		if _, err := proof.Surprise(x, s); (err == nil) != c.ok || err != nil && !errors.Is(err, proof.ErrReference) {
			t.Errorf("%v kept of %d ids: %v", c.kept, c.vocab, err)
		}
	}
}

// TestDetectBest: where no noise explains an answer well enough, that which explains most
// is named, wherever in the list it stands.
func TestDetectBest(t *testing.T) {
	for _, p := range []noise.Profile{{}, noise.SGLang.Usual()} {
		m := noEnd()
		m.noise = p
		answers := seeded(t, m, 10, func(*targon.Request) {})
		for i := range answers[:3] {
			answers[i].Transcript.Request.Sampling.Seed++
		}
		got, ok := proof.Detect(answers)
		if share := float64(got.Matches) / float64(got.Telling); ok || got.Profile != p || share < 0.6 || share > 0.8 {
			t.Errorf("%v: %+v, %v", p, got, ok)
		}
	}
	if got, ok := proof.Detect(nil); ok || got != (proof.Detected{Profile: noise.Candidates()[0]}) {
		t.Errorf("nothing to explain: %+v, %v", got, ok)
	}
}

// TestTellingGap: a position tells if its winner leads by a sixteenth, and no less.
func TestTellingGap(t *testing.T) {
	for gap, want := range map[float32]int{1.0 / 16: 1, 1.0/16 - 1.0/1024: 0} {
		r := ask(proverKey(t), 1, still, 1)
		other := targon.Scored{ID: 1, Logit: 1 - gap}
		s := targon.Scores{Weights: r.Weights, Vocab: 2, Positions: []targon.Position{{
			Claimed: other, Top: []targon.Scored{{ID: 0, Logit: 1}, other},
		}}}
		got, _ := proof.Detect([]proof.Seeded{{Transcript: targon.Transcript{Request: r, Tokens: []targon.TokenID{1}}, Scores: s}})
		if got.Telling != want || got.Matches != 0 {
			t.Errorf("a gap of %v: %+v, want %d telling", gap, got, want)
		}
	}
}

// TestFalseEndFaults: scores that contradict themselves, or the filters, say nothing
// about an end, wherever in the answer they do.
func TestFalseEndFaults(t *testing.T) {
	m := noEnd()
	r := ask(proverKey(t), 5, 1, 24)
	r.Sampling.TopK = 12
	ids, _ := m.generate(r)
	cut := append(slices.Clone(ids[:12]), eosHigh)
	x := targon.Transcript{Request: r, Tokens: cut}
	for name, spoil := range map[string]func(*targon.Position){
		"none":            func(*targon.Position) {},
		"NaN":             func(p *targon.Position) { p.Top[1].Logit = float32(math.NaN()) },
		"out of range":    func(p *targon.Position) { p.Top[1].ID = vocab },
		"another last":    func(p *targon.Position) { p.Drawn.Last.Logit += 0.25 },
		"nothing allowed": func(p *targon.Position) { p.Drawn.Allowed = 0 },
	} {
		for _, j := range []int{4, 12} {
			s := m.score(r, cut, targon.Need{Top: vocab})
			spoil(&s.Positions[j])
			e, claimed, err := proof.FalseEnd(x, s, proof.Replay{})
			if fault := name != "none"; errors.Is(err, proof.ErrReference) != fault || claimed == fault {
				t.Errorf("%s at position %d: %+v, %v, %v", name, j, e, claimed, err)
			}
		}
	}
}
