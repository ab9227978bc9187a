package proof_test

import (
	"slices"
	"strings"
	"testing"

	"targon"
	"targon/proof"
)

// filteredRequest is one that allows about a dozen of 300 ids, and an honest answer to it.
func filteredRequest(t *testing.T) (targon.Request, []targon.TokenID) {
	t.Helper()
	r, _ := full(t)
	r.Sampling.TopK, r.Sampling.TopP, r.Sampling.MinP = 12, 0.97, 0.01
	m := standard
	m.eos = -90
	ids, _ := m.generate(r)
	return r, ids
}

func noEnd() reference {
	m := standard
	m.eos = -90
	return m
}

// TestFilteredCheats: an id that the filters leave out is a mismatch even where it has
// the highest value of all.
func TestFilteredCheats(t *testing.T) {
	k, m := proverKey(t), noEnd()
	r, honest := filteredRequest(t)
	if v := check(t, answer(t, k, r, honest, targon.FinishLength), m, m); v.Outcome != targon.Passed {
		t.Fatalf("honest: %+v", v)
	}
	open := r
	open.Sampling.TopK, open.Sampling.TopP, open.Sampling.MinP = 0, 0, 0
	ids, _ := m.generate(open)
	v := check(t, answer(t, k, r, ids, targon.FinishLength), m, m.portable())
	if !v.Mismatch() || v.Gap < proof.MarginClip || !strings.Contains(v.Detail, "not among the") {
		t.Errorf("drawn from all ids: %+v", v)
	}
	if at := v.Position; v.Winner == ids[at] || v.Claimed != ids[at] {
		t.Errorf("numbers do not tell the story: %+v", v)
	}
	narrow := r
	narrow.Sampling.TopK = 2
	ids, _ = m.generate(narrow)
	v = check(t, answer(t, k, r, ids, targon.FinishLength), m, m.portable())
	if !v.Mismatch() || v.Detail != "" {
		t.Errorf("drawn from two: %+v", v)
	}
	// Filters mean nothing at temperature 0.
	cold := r
	cold.Sampling.Temperature = 0
	ids, _ = m.generate(cold)
	cold.Sampling.TopK, cold.Sampling.TopP, cold.Sampling.MinP = 0, 0, 0
	if greedy, _ := m.generate(cold); !slices.Equal(ids, greedy) {
		t.Error("filters at temperature 0")
	}
}

// TestFilteredFaults: a reference that contradicts itself about what is allowed.
func TestFilteredFaults(t *testing.T) {
	k, m := proverKey(t), noEnd()
	r, ids := filteredRequest(t)
	x := answer(t, k, r, ids, targon.FinishLength)
	_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab})
	drawn := func(s *targon.Scores) *targon.Draw { return &s.Positions[4].Drawn }
	for name, spoil := range map[string]func(*targon.Scores){
		"nothing allowed": func(s *targon.Scores) { drawn(s).Allowed = 0 },
		"too many": func(s *targon.Scores) {
			*drawn(s) = targon.Draw{Allowed: vocab + 1, Last: targon.Scored{ID: 1, Logit: -100}}
		},
		"more than top-k":    func(s *targon.Scores) { drawn(s).Allowed = 13; drawn(s).Last = s.Positions[4].Top[12] },
		"another last id":    func(s *targon.Scores) { drawn(s).Last.ID++ },
		"another last logit": func(s *targon.Scores) { drawn(s).Last.Logit += 0.01 },
		"one fewer":          func(s *targon.Scores) { drawn(s).Allowed-- },
		"list in disorder":   func(s *targon.Scores) { top := s.Positions[4].Top; top[40], top[41] = top[41], top[40] },
		"last before the end": func(s *targon.Scores) {
			p := &s.Positions[4]
			p.Top, p.Also = p.Top[:1], nil
			p.Drawn.Allowed = 2
			p.Drawn.Last = p.Top[0]
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := m.score(r, ids, need)
			spoil(&s)
			if v, a := proof.Judge(x, s, nil); v.Reason != targon.ReasonReference || a.Wanted() {
				t.Errorf("%v (%s), asks %v", v.Reason, v.Detail, a.Wanted())
			}
			if v, a := proof.Weigh(x, s, proof.Replay{}); v.Reason != targon.ReasonReference || a.Wanted() {
				t.Errorf("weighed: %v (%s), asks %v", v.Reason, v.Detail, a.Wanted())
			}
		})
	}
	open := r
	open.Sampling.TopK, open.Sampling.TopP, open.Sampling.MinP = 0, 0, 0
	ids, _ = m.generate(open)
	s := m.score(open, ids, need)
	s.Positions[4].Drawn.Allowed = 3
	if v, _ := proof.Judge(answer(t, k, open, ids, targon.FinishLength), s, nil); v.Reason != targon.ReasonReference {
		t.Errorf("allowed without a filter: %+v", v)
	}
}

// TestFilteredNeedsNoList: what is allowed may go far beyond the list; one asking nearly
// always decides.
func TestFilteredNeedsNoList(t *testing.T) {
	k, m := proverKey(t), noEnd()
	wide := 0
	for seed := range uint64(40) {
		r := ask(k, seed, 2, 20)
		r.Sampling.TopP = 0.9
		ids, f := m.generate(r)
		x := answer(t, k, r, ids, f)
		_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab})
		for _, p := range m.score(r, ids, need).Positions {
			if int(p.Drawn.Allowed) > len(p.Top) {
				wide++
			}
		}
		v, asked := judge(t, x, m, m, need)
		if v.Outcome != targon.Passed || asked != 1 {
			t.Errorf("seed %d: %v after %d askings", seed, v.Reason, asked)
		}
		v, _ = proof.Weigh(x, m.score(r, ids, need), proof.Replay{})
		if matches, flips := v.Tally.Total(); flips > 0 || matches < 12 {
			t.Errorf("seed %d: %d matches and %d flips", seed, matches, flips)
		}
	}
	if wide < 400 {
		t.Fatalf("only %d of 800 positions allow more than is listed", wide)
	}
}
