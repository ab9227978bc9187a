package proof_test

import (
	"errors"
	"math"
	"testing"

	"targon"
	"targon/proof"
)

func compare(t *testing.T, name string, p proof.Pair) (proof.Likeness, error) {
	t.Helper()
	for _, c := range proof.Comparators() {
		if c.Name == name {
			return c.Compare(p)
		}
	}
	t.Fatalf("no comparator %q", name)
	return proof.Likeness{}, nil
}

func claimed(ids ...targon.TokenID) targon.Transcript { return targon.Transcript{Tokens: ids} }

func TestComparators(t *testing.T) {
	ids := func(ids ...targon.TokenID) []targon.TokenID { return ids }
	long := ids(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	for _, c := range []struct {
		name  string
		pair  proof.Pair
		pass  bool
		value float64
	}{
		{"sha256", proof.Pair{Text: " a\r\nb\t c ", OwnText: "a b c"}, true, 1},
		{"sha256", proof.Pair{Text: "a b c", OwnText: "a b C"}, false, 0},
		{"sha256", proof.Pair{Text: "ab", OwnText: "a b"}, false, 0},
		{"regenerate", proof.Pair{Claimed: claimed(1, 2, 3), Own: ids(1, 2, 3)}, true, 1},
		{"regenerate", proof.Pair{Claimed: claimed(1, 2, 4, 3), Own: ids(1, 2, 3)}, false, 0.5},
		{"regenerate", proof.Pair{Claimed: claimed(1, 2), Own: ids(1, 2, 3, 4)}, false, 0.5},
		{"regenerate", proof.Pair{Own: ids(1)}, false, 0},
		{"overlap-0.6", proof.Pair{Claimed: claimed(10, 9, 8, 7, 6, 5, 99, 99, 99, 99), Own: long}, true, 0.6},
		{"overlap-0.6", proof.Pair{Claimed: claimed(10, 9, 8, 7, 6, 99, 99, 99, 99, 99, 1), Own: long}, false, 0.5},
		{"overlap-0.6", proof.Pair{Claimed: claimed(1, 2, 3, 4, 5, 6, 7, 8, 9), Own: long}, false, 0},
		{"overlap-0.6", proof.Pair{Claimed: claimed(1, 1, 1, 1, 1, 1, 1, 1, 1, 1), Own: long}, true, 1}, // as it was
		{"overlap-0.75", proof.Pair{Claimed: claimed(10, 9, 8, 7, 6, 5, 4, 99, 99, 99), Own: long}, false, 0.7},
		{"overlap-0.75", proof.Pair{Claimed: claimed(1, 2, 3, 9), Own: ids(1, 2, 3, 4)}, true, 0.75},
		{"cosine", proof.Pair{State: []float64{3, 4}, OwnState: []float64{6, 8}}, true, 1},
		{"cosine", proof.Pair{State: []float64{4, 3}, OwnState: []float64{1, 0}}, false, 0.8},
		{"cosine", proof.Pair{State: []float64{4.01, 3}, OwnState: []float64{1, 0}}, true, 4.01 / math.Hypot(4.01, 3)},
		{"cosine", proof.Pair{State: []float64{-1}, OwnState: []float64{2}}, false, -1},
	} {
		got, err := compare(t, c.name, c.pair)
		if err != nil || got.Pass != c.pass || math.Abs(got.Value-c.value) > 1e-12 {
			t.Errorf("%s of %+v: %+v, %v, want %v at %v", c.name, c.pair, got, err, c.pass, c.value)
		}
	}
	for name, p := range map[string]proof.Pair{
		"regenerate": {Claimed: claimed(1)}, "overlap-0.6": {Claimed: claimed(1)}, "overlap-0.75": {Claimed: claimed(1)},
		"cosine": {State: []float64{0}, OwnState: []float64{1}}, "ranks-v4": {Claimed: claimed(1)}, "ranks-v5": {Claimed: claimed(1)},
	} {
		if l, err := compare(t, name, p); !errors.Is(err, proof.ErrIncomparable) {
			t.Errorf("%s of nothing: %+v, %v", name, l, err)
		}
	}
	if _, err := proof.Cosine([]float64{1}, []float64{1, 2}); !errors.Is(err, proof.ErrIncomparable) {
		t.Errorf("vectors of two widths: %v", err)
	}
}

func TestMeanPool(t *testing.T) {
	got, err := proof.MeanPool([][]float32{{1, 2}, {3, 6}})
	if err != nil || got[0] != 2 || got[1] != 4 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range [][][]float32{nil, {{1, 2}, {1}}} {
		if got, err := proof.MeanPool(bad); !errors.Is(err, proof.ErrIncomparable) {
			t.Errorf("%v: %v, %v", bad, got, err)
		}
	}
}

// TestRankRules: every threshold of the two versions, from both sides.
func TestRankRules(t *testing.T) {
	type edit func(*proof.Pair)
	rank := func(i, rank int) edit { return func(p *proof.Pair) { p.Scores.Positions[i].Rank = uint32(rank - 1) } }
	ranks := func(n, r int) edit {
		return func(p *proof.Pair) {
			for i := range n {
				rank(i+1, r)(p)
			}
		}
	}
	logProb := func(n int, l float64) edit {
		return func(p *proof.Pair) {
			for i := range n {
				p.Scores.Positions[i+1].LogProb = l
			}
		}
	}
	endAt := func(i, r int, above bool) edit { // an end-of-sequence id listed there
		return func(p *proof.Pair) {
			at := &p.Scores.Positions[i]
			rank(i, r)(p)
			end := targon.Scored{ID: eosHigh, Logit: at.Claimed.Logit - 1}
			if above {
				end.Logit += 2
			}
			at.Top = append(at.Top, end)
		}
	}
	stop := func(r int, ends bool) edit {
		return func(p *proof.Pair) {
			p.Claimed.Receipt.Finish = targon.FinishStop
			last := &p.Scores.Positions[9]
			if ends {
				p.Claimed.Tokens[9], last.Claimed.ID = eosLow, eosLow
			}
			rank(9, r)(p)
		}
	}
	length := func(n int) edit {
		return func(p *proof.Pair) {
			p.Claimed.Tokens, p.Scores.Positions = p.Claimed.Tokens[:n], p.Scores.Positions[:n]
		}
	}
	at := func(t float64, e edit) edit {
		return func(p *proof.Pair) { p.Claimed.Request.Sampling.Temperature = t; e(p) }
	}
	for _, c := range []struct {
		name   string
		edit   edit
		v4, v5 string
	}{
		{"honest", func(*proof.Pair) {}, "", ""},
		{"rank 74", rank(3, 74), "", ""},
		{"rank 75", rank(3, 75), "unlikely_token", "unlikely_token"},
		{"four of rank 25", ranks(4, 25), "", ""},
		{"five of rank 24", ranks(5, 24), "", ""},
		{"five of rank 25", ranks(5, 25), "unlikely_tokens", "unlikely_tokens"},
		{"half not first", ranks(5, 2), "", ""},
		{"more not first", ranks(6, 2), "not_first", "not_first"},
		{"end passed over at rank 10", endAt(3, 10, true), "", ""},
		{"end passed over at rank 11", endAt(3, 11, true), "skipped_end", ""},
		{"end passed over at rank 15", endAt(3, 15, true), "skipped_end", ""},
		{"end passed over at rank 16", endAt(3, 16, true), "skipped_end", "skipped_end"},
		{"end below the id", endAt(3, 16, false), "", ""},
		{"stops at rank 15", stop(15, true), "", ""},
		{"stops at rank 16", stop(16, true), "early_end", "early_end"},
		{"stops without an end", stop(1, false), "early_end", "early_end"},
		{"three ids", length(3), "", ""},
		{"two ids", length(2), "too_short", "too_short"},
		{"one at -13", logProb(1, -13), "", "improbable_token"},
		{"one at -12.9", logProb(1, -12.9), "", ""},
		{"four at -8", logProb(4, -8), "", ""},
		{"five at -7.9", logProb(5, -7.9), "", ""},
		{"five at -8", logProb(5, -8), "", "improbable_tokens"},
		{"first at rank 10, T 0.7", at(0.7, rank(0, 10)), "", ""},
		{"first at rank 11, T 0.7", at(0.7, rank(0, 11)), "pick", ""},
		{"last at rank 11, T 0.75", at(0.75, rank(9, 11)), "pick", ""},
		{"last at rank 11, T 0.76", at(0.76, rank(9, 11)), "", ""},
		{"picked at rank 4, T 0", at(0, rank(4, 4)), "pick", ""},
		{"not picked at rank 4, T 0", at(0, rank(5, 4)), "", ""},
	} {
		p := proof.Pair{Picks: []int{4, -1, 10}, Scores: targon.Scores{Vocab: vocab, EOS: []targon.TokenID{eosLow, eosHigh}}}
		p.Claimed.Request.Sampling.Temperature = 1
		for i := range 10 {
			id := targon.Scored{ID: targon.TokenID(50 + i), Logit: 3}
			p.Claimed.Tokens = append(p.Claimed.Tokens, id.ID)
			p.Scores.Positions = append(p.Scores.Positions, targon.Position{Claimed: id, LogProb: -1, Top: []targon.Scored{id}})
		}
		c.edit(&p)
		for name, want := range map[string]string{"ranks-v4": c.v4, "ranks-v5": c.v5} {
			got, err := compare(t, name, p)
			if err != nil || got.Reason != want || got.Pass != (want == "") {
				t.Errorf("%s, %s: %+v, %v, want %q", c.name, name, got, err, want)
			}
		}
	}
}
