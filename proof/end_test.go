package proof_test

import (
	"math"
	"slices"
	"testing"

	"targon"
	"targon/noise"
	"targon/proof"
)

// lag is what the better end lacks at a position, from all logits; the highest class where
// the filters leave both out.
func (m reference) lag(r targon.Request, ids []targon.TokenID, j int) (won targon.TokenID, class targon.GapClass) {
	order := ordered(m.logits(slices.Concat(r.Prompt, ids[:j])))
	at := noise.Profile{}.Field(r.Sampling.Seed, len(r.Prompt), j)
	best, end, won := math.Inf(-1), math.Inf(-1), -1
	for _, s := range order[:passing(order, r.Sampling)] {
		v := float64(s.Logit)
		if r.Sampling.Temperature > 0 {
			v = noise.Perturb(s.Logit, r.Sampling.Temperature, at.Noise(uint32(s.ID)))
		}
		if v > best {
			best, won = v, s.ID
		}
		if s.ID == eosLow || s.ID == eosHigh {
			end = max(end, v)
		}
	}
	return won, targon.GapClassOf(min(best-end, proof.MaxGap))
}

// TestFalseEnd: of an answer that is cut short it says what an end lacked at each
// position: exactly where all ids are listed, never more where they are not.
func TestFalseEnd(t *testing.T) {
	m := noEnd()
	m.spread, m.eos = 5, -1
	claimed, exact, far := 0, 0, 0
	for seed := range uint64(60) {
		r := ask(proverKey(t), scramble(seed), []float64{0, 0.5, 1}[seed%3], 24)
		if seed%4 == 3 && r.Sampling.Temperature > 0 {
			r.Sampling.TopK = 20
		}
		ids, _ := m.generate(r)
		cut := slices.Concat(ids[:min(len(ids)-1, 5+int(seed)%8)], []targon.TokenID{eosHigh})
		x := targon.Transcript{Request: r, Tokens: cut}
		for _, top := range []int{vocab, 20} {
			e, ok, err := proof.FalseEnd(x, m.score(r, cut, targon.Need{Top: top}), proof.Replay{})
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				continue // the draw's winner is not known from so few, or it was an end
			}
			claimed++
			last := len(cut) - 1
			if won, _ := m.lag(r, cut, last); e.Position != last || e.Claimed != eosHigh || e.Winner != won || len(e.Lags) != len(cut) || !(e.Margin > 0) {
				t.Fatalf("seed %d: %+v of %d ids, %d won", seed, e, len(cut), won)
			}
			for j, got := range e.Lags {
				won, want := m.lag(r, cut, j)
				if got > want || got != want && got != 0 && top == vocab && r.Sampling.TopK == 0 {
					t.Errorf("seed %d, top %d, position %d: class %d, the end lacks %d", seed, top, j, got, want)
				}
				if (won == eosLow || won == eosHigh) && got != 0 {
					t.Errorf("seed %d, position %d: an end won, and lacks class %d", seed, j, got)
				}
				if got == want && got > 0 {
					exact++
				}
				if got == targon.GapClasses-1 {
					far++
				}
			}
		}
	}
	if claimed < 80 || exact < 400 || far < 20 {
		t.Errorf("%d false ends, %d lags known, %d of ends left out: too few to show anything", claimed, exact, far)
	}
}

// TestFalseEndIsNone: where an end won, where none is claimed, and where the position says
// nothing.
func TestFalseEndIsNone(t *testing.T) {
	r := ask(proverKey(t), 1, 0, 2)
	scores := func(claimed targon.TokenID, top ...targon.Scored) targon.Scores {
		p := targon.Position{Top: top, Claimed: targon.Scored{ID: claimed}}
		for _, s := range top {
			if s.ID == claimed {
				p.Claimed = s
			}
		}
		return targon.Scores{Weights: r.Weights, Vocab: 9, EOS: []targon.TokenID{eosLow, eosHigh}, Positions: []targon.Position{p}}
	}
	for _, c := range []struct {
		name    string
		claimed targon.TokenID
		top     []targon.Scored
		want    bool
	}{
		{"an end behind another id", eosLow, []targon.Scored{{ID: 1, Logit: 3}, {ID: eosLow, Logit: 2}}, true},
		{"an end that won", eosLow, []targon.Scored{{ID: eosLow, Logit: 3}, {ID: 1, Logit: 2}}, false},
		{"another end had won", eosLow, []targon.Scored{{ID: eosHigh, Logit: 3}, {ID: eosLow, Logit: 2}}, false},
		{"another id in the place of an end", 1, []targon.Scored{{ID: eosLow, Logit: 3}, {ID: 1, Logit: 2}}, false},
	} {
		x := targon.Transcript{Request: r, Tokens: []targon.TokenID{c.claimed}}
		if e, ok, err := proof.FalseEnd(x, scores(c.claimed, c.top...), proof.Replay{}); ok != c.want || err != nil {
			t.Errorf("%s: %+v, %v, %v", c.name, e, ok, err)
		}
	}
	if _, _, err := proof.FalseEnd(targon.Transcript{Request: r}, targon.Scores{}, proof.Replay{}); err == nil {
		t.Error("scores of nothing are no fault")
	}
}

// TestEnded: only what passed can fail by its end.
func TestEnded(t *testing.T) {
	r := ask(proverKey(t), 1, 0, 1)
	x := targon.Transcript{Request: r, Tokens: []targon.TokenID{eosLow}}
	top := []targon.Scored{{ID: 1, Logit: 3}, {ID: eosLow, Logit: 2}}
	s := targon.Scores{Weights: r.Weights, Vocab: 9, EOS: []targon.TokenID{eosLow}, Positions: []targon.Position{{Top: top, Claimed: top[1]}}}
	for _, c := range []struct {
		name    string
		before  targon.Reason
		refused bool
		scores  targon.Scores
		want    targon.Reason
	}{
		{"no chance", targon.ReasonWithin, true, s, targon.ReasonTermination},
		{"chance", targon.ReasonWithin, false, s, targon.ReasonWithin},
		{"failed already", targon.ReasonMargin, true, s, targon.ReasonMargin},
		{"uncalibrated", targon.ReasonUncalibrated, true, s, targon.ReasonUncalibrated},
		{"a reference that contradicts itself", targon.ReasonWithin, true, targon.Scores{}, targon.ReasonReference},
	} {
		v := targon.Verdict{Reason: c.before, Outcome: c.before.Outcome(), Tally: targon.Tally{Undecided: 1}}
		got := proof.Ended(v, x, c.scores, proof.Replay{}, func(lags []targon.GapClass) bool {
			if !slices.Equal(lags, []targon.GapClass{targon.GapClassOf(1)}) {
				t.Errorf("%s: lags %v", c.name, lags)
			}
			return c.refused
		})
		if got.Reason != c.want || got.Outcome != c.want.Outcome() || (got.Winner == 1) != (c.want == targon.ReasonTermination) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
