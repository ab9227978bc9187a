package proof_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"targon"
	"targon/noise"
	"targon/proof"
)

// oracle is a mark by its definition, from all logits of the vocabulary.
func oracle(r targon.Request, j int, logits []float32, claimed targon.TokenID, by proof.Replay) proof.Mark {
	order := ordered(logits)
	may, sure := naiveEdges(order, r.Sampling, by.Band)
	best, second, surest, claim := -1, -1, -1, -1
	values := make([]float64, len(order))
	ahead := func(a, b int) bool {
		return b < 0 || values[a] > values[b] || values[a] == values[b] && order[a].ID < order[b].ID
	}
	for i, s := range order {
		if s.ID == claimed {
			claim = i
		}
		if !may[i] {
			continue
		}
		values[i] = value(r, by.Noise, j, i, s)
		if ahead(i, best) {
			best, second = i, best
		} else if ahead(i, second) {
			second = i
		}
		if sure[i] && ahead(i, surest) {
			surest = i
		}
	}
	m := proof.Mark{Claimed: claimed, Winner: order[best].ID, Gap: proof.MaxGap}
	m.Ending = m.Winner == eosLow || m.Winner == eosHigh
	if second >= 0 {
		m.Gap = min(m.Gap, values[best]-values[second])
	}
	switch {
	case surest != best:
		m.Standing = proof.Edge
	case claim == best:
	case !may[claim]:
		m.Standing, m.Margin = proof.Filtered, proof.MarginClip
	default:
		m.Standing, m.Margin = proof.Flip, min(values[best]-values[claim], proof.MarginClip)
	}
	return m
}

// naiveEdges says of each id in order whether it may be allowed and whether it surely is,
// in the words of edge.go.
func naiveEdges(order []targon.Scored, by targon.Sampling, band float64) (may, sure []bool) {
	n := len(order)
	may, sure = make([]bool, n), make([]bool, n)
	for i := range order {
		may[i], sure[i] = true, true
	}
	if !by.Filtered() {
		return may, sure
	}
	logit := func(i int) float64 { return float64(order[i].Logit) }
	weight := func(i int) float64 { return math.Exp((logit(i) - logit(0)) / by.Temperature) }
	above := func(i int, than float64, of func(int) float64) (sum float64) { // i itself left out
		for u := range order {
			if u != i && logit(u) >= than {
				sum += of(u)
			}
		}
		return sum
	}
	one := func(int) float64 { return 1 }
	most, least := 0.0, 0.0
	for i := range order {
		floor, k := math.Inf(-1), float64(n)
		if by.MinP > 0 {
			floor = logit(0) + by.Temperature*math.Log(by.MinP)
		}
		if by.TopK > 0 {
			k = min(k, float64(by.TopK))
		}
		may[i] = logit(i) >= floor-band && above(i, math.Nextafter(logit(i)+band, 100), one) < k
		sure[i] = logit(i) >= floor+band && above(i, logit(i)-band, one) < k
		if may[i] {
			most += weight(i)
		}
		if sure[i] {
			least += weight(i)
		}
	}
	if by.TopP == 0 {
		return may, sure
	}
	odds, shift := (1-by.TopP)/by.TopP, math.Exp(band/by.Temperature)
	for i := range order {
		may[i] = may[i] && above(i, math.Nextafter(logit(i)+band, 100), weight) < most/(1+odds/shift)
		sure[i] = sure[i] && above(i, logit(i)-band, weight) < least/(1+odds*shift)
	}
	return may, sure
}

// anyRequest draws a model, a request, a replay, and an answer with a few wrong ids.
func anyRequest(t *testing.T, rt *rapid.T) (reference, targon.Request, []targon.TokenID, proof.Replay) {
	m := standard
	m.salt = rapid.Uint64().Draw(rt, "salt")
	m.spread = rapid.SampledFrom([]float64{0.01, 3, 8, 20}).Draw(rt, "spread")
	m.noise = rapid.SampledFrom(noise.Candidates()).Draw(rt, "noise")
	r := ask(proverKey(t), rapid.Uint64().Draw(rt, "seed"),
		rapid.SampledFrom([]float64{0, 0.3, 0.7, 1, 2}).Draw(rt, "temperature"),
		rapid.Uint32Range(1, 6).Draw(rt, "max tokens"))
	if rapid.Bool().Draw(rt, "filtered") {
		r.Sampling.TopK = rapid.SampledFrom([]uint32{0, 1, 5, 40, 299, 1000}).Draw(rt, "top k")
		r.Sampling.TopP = rapid.SampledFrom([]float64{0, 0.1, 0.5, 0.9, 0.999}).Draw(rt, "top p")
		r.Sampling.MinP = rapid.SampledFrom([]float64{0, 0.01, 0.2}).Draw(rt, "min p")
	}
	ids, _ := m.generate(r)
	for i := range ids {
		if rapid.IntRange(0, 3).Draw(rt, "wrong") == 0 {
			ids[i] = targon.TokenID(rapid.IntRange(0, vocab-1).Draw(rt, "id"))
		}
	}
	band := rapid.SampledFrom([]float64{1e-9, 1.0 / 64, 0.3}).Draw(rt, "band")
	return m, r, ids, proof.Replay{Noise: m.noise, Band: band}
}

// TestMarginsAreNaive: with all logits listed, marks are those of the definition; with
// fewer, they are either the same or say nothing, and a gap is never too wide.
func TestMarginsAreNaive(t *testing.T) {
	seen := map[proof.Standing]int{}
	rapid.Check(t, func(rt *rapid.T) {
		m, r, ids, by := anyRequest(t, rt)
		x := targon.Transcript{Request: r, Tokens: ids}
		whole, err := proof.Margins(x, m.score(r, ids, targon.Need{Top: vocab}), by)
		if err != nil {
			rt.Fatal(err)
		}
		for j, got := range whole {
			before := slices.Concat(r.Prompt, ids[:j])
			want := oracle(r, j, m.logits(before), ids[j], by)
			if got.Standing != want.Standing || got.Winner != want.Winner || got.Claimed != want.Claimed || got.Ending != want.Ending ||
				math.Abs(got.Gap-want.Gap) > 1e-9 || math.Abs(got.Margin-want.Margin) > 1e-9 {
				rt.Fatalf("position %d: %+v, want %+v", j, got, want)
			}
			seen[got.Standing]++
		}
		need := targon.Need{Top: rapid.IntRange(1, 80).Draw(rt, "top")}
		if rapid.Bool().Draw(rt, "noise list") {
			for range ids {
				need.Also = append(need.Also, rapid.SliceOfNDistinct(rapid.Map(rapid.IntRange(0, vocab-1),
					func(i int) targon.TokenID { return targon.TokenID(i) }), 0, 80, rapid.ID).Draw(rt, "also"))
			}
		}
		few, err := proof.Margins(x, m.score(r, ids, need), by)
		if err != nil {
			rt.Fatal(err)
		}
		for j, got := range few {
			want := whole[j]
			seen[got.Standing]++
			if !got.Decided() {
				continue
			}
			if got.Winner != want.Winner || got.Gap > want.Gap+1e-9 || got.Flipped() != want.Flipped() && want.Decided() {
				rt.Fatalf("position %d, %d listed: %+v, with all %+v", j, need.Top, got, want)
			}
		}
	})
	for s := proof.Match; s <= proof.Beyond; s++ {
		if seen[s] < 3 {
			t.Errorf("%v was not seen: %v", s, seen)
		}
	}
}

// TestMarginsOfEquals: where engines are equal, margins say what equality says.
func TestMarginsOfEquals(t *testing.T) {
	k := proverKey(t)
	for seed := range uint64(20) {
		for _, temperature := range []float64{0, 0.7, 1.5} {
			r := ask(k, seed, temperature, 40)
			ids, f := standard.generate(r)
			x := answer(t, k, r, ids, f)
			_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab})
			marks, err := proof.Margins(x, standard.score(r, ids, need), proof.Replay{})
			if err != nil {
				t.Fatal(err)
			}
			for j, m := range marks {
				if m.Standing != proof.Match || m.Margin != 0 || !(m.Gap > 0) || m.Winner != ids[j] {
					t.Fatalf("seed %d, temperature %v, position %d: %+v", seed, temperature, j, m)
				}
			}
		}
	}
}

// TestMarginNumbers: three ids at temperature 0, worked out by hand.
func TestMarginNumbers(t *testing.T) {
	r := ask(proverKey(t), 1, 0, 1)
	for _, c := range []struct {
		name   string
		claim  targon.TokenID
		logits []float32 // of ids 0, 1, 2
		top    int
		want   proof.Mark
	}{
		{"match", 1, []float32{1, 3, 2.5}, 3, proof.Mark{Winner: 1, Gap: 0.5}},
		{"flip", 2, []float32{1, 3, 2.75}, 3, proof.Mark{Standing: proof.Flip, Winner: 1, Gap: 0.25, Margin: 0.25}},
		{"flip to a third", 0, []float32{2.625, 3, 2.75}, 3, proof.Mark{Standing: proof.Flip, Winner: 1, Gap: 0.25, Margin: 0.375}},
		{"clipped", 0, []float32{1, 3, 2.75}, 3, proof.Mark{Standing: proof.Flip, Winner: 1, Gap: 0.25, Margin: 0.5}},
		{"a tie is for the lower id", 2, []float32{1, 3, 3}, 3, proof.Mark{Standing: proof.Flip, Winner: 1}},
		{"and a match of it", 1, []float32{1, 3, 3}, 3, proof.Mark{Winner: 1}},
		{"end claimed", eosLow, []float32{1, 3, 2.75}, 3, proof.Mark{Standing: proof.Flip, Winner: 1, Gap: 0.25, Margin: 0.25}},
		{"end won", 1, []float32{1, 3, 3.25}, 3, proof.Mark{Standing: proof.Flip, Ending: true, Winner: 2, Gap: 0.25, Margin: 0.25}},
		{"two listed: the third is no higher", 1, []float32{1, 3, 2.5}, 2, proof.Mark{Winner: 1, Gap: 0.5}},
		{"one listed: another may equal it", 1, []float32{1, 3, 2.5}, 1, proof.Mark{Standing: proof.Beyond, Winner: 1}},
		{"nobody near", 1, []float32{-100, 3, -99}, 3, proof.Mark{Winner: 1, Gap: proof.MaxGap}},
	} {
		eos := []targon.TokenID{}
		if strings.HasPrefix(c.name, "end ") {
			eos = append(eos, eosLow)
		}
		p := targon.Position{Claimed: targon.Scored{ID: c.claim, Logit: c.logits[c.claim]}, Top: ordered(c.logits)[:c.top]}
		s := targon.Scores{Weights: r.Weights, Vocab: 3, EOS: eos, Positions: []targon.Position{p}}
		got, err := proof.Margins(targon.Transcript{Request: r, Tokens: []targon.TokenID{c.claim}}, s, proof.Replay{})
		c.want.Claimed = c.claim
		if err != nil || got[0] != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func TestStandingNames(t *testing.T) {
	for s, want := range map[proof.Standing]string{
		proof.Match: "match", proof.Flip: "flip", proof.Filtered: "filtered", proof.Edge: "edge", proof.Beyond: "beyond", 5: "standing(5)",
	} {
		if b, err := s.MarshalText(); err != nil || string(b) != want {
			t.Errorf("standing %d is %q, %v", s, b, err)
		}
	}
}

// TestTallyOfMarks: classes are those of the gap, and what says nothing is counted apart.
func TestTallyOfMarks(t *testing.T) {
	got := proof.Tally([]proof.Mark{
		{Standing: proof.Match, Gap: 1},
		{Standing: proof.Match, Gap: 1.01},
		{Standing: proof.Flip, Gap: 1},
		{Standing: proof.Filtered, Gap: 0.001},
		{Standing: proof.Edge, Gap: 1},
		{Standing: proof.Beyond, Gap: 1},
		{Standing: proof.Match, Ending: true, Gap: 2},
		{Standing: proof.Flip, Ending: true, Gap: 0},
	})
	one := targon.GapClassOf(1)
	want := targon.Tally{
		Ids:       []targon.GapCount{{Class: targon.GapClassOf(0.001), Flips: 1}, {Class: one, Matches: 2, Flips: 1}},
		Endings:   []targon.GapCount{{Class: 0, Flips: 1}, {Class: targon.GapClassOf(2), Matches: 1}},
		Undecided: 2,
	}
	if !slices.Equal(got.Ids, want.Ids) || !slices.Equal(got.Endings, want.Endings) || got.Undecided != want.Undecided {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

// TestMarginsRefuse: what is wrong with scores is our fault and no mark.
func TestMarginsRefuse(t *testing.T) {
	r, ids := full(t)
	x := targon.Transcript{Request: r, Tokens: ids}
	for name, spoil := range map[string]func(*targon.Scores){
		"other weights": func(s *targon.Scores) { s.Weights[0] ^= 1 },
		"one short":     func(s *targon.Scores) { s.Positions = s.Positions[:len(ids)-1] },
		"NaN":           func(s *targon.Scores) { s.Positions[4].Top[1].Logit = float32(math.NaN()) },
		"out of range":  func(s *targon.Scores) { s.Positions[4].Top[1].ID = vocab },
	} {
		s := standard.score(r, ids, targon.Need{Top: 64})
		spoil(&s)
		if marks, err := proof.Margins(x, s, proof.Replay{}); !errors.Is(err, proof.ErrReference) || marks != nil {
			t.Errorf("%s: %d marks, %v", name, len(marks), err)
		}
	}
}

// TestForeignFlips: another machine's rounding flips ids where gaps are narrow, and nowhere
// else; another seed flips them everywhere.
func TestForeignFlips(t *testing.T) {
	k := proverKey(t)
	honest := standard
	honest.jitter = 0.01
	flips, wide, others, total := 0, 0, 0, 0
	for seed := range uint64(60) {
		r := ask(k, seed, 1, 40)
		ids, f := honest.generate(r)
		x := answer(t, k, r, ids, f)
		_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab})
		marks, err := proof.Margins(x, standard.score(r, ids, need), proof.Replay{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marks {
			total++
			if m.Flipped() {
				flips++
				if m.Gap > 0.02 {
					wide++
				}
			}
		}
		x.Request.Sampling.Seed += 1000
		_, need, _ = proof.Precheck(answer(t, k, x.Request, ids, f), proof.Model{Vocab: vocab})
		if marks, err = proof.Margins(x, standard.score(r, ids, need), proof.Replay{}); err != nil {
			t.Fatal(err)
		}
		for _, m := range marks {
			if m.Flipped() {
				others++
			}
		}
	}
	if flips == 0 || flips > total/20 || wide > 0 || others < total*3/4 {
		t.Errorf("of %d ids: %d flips, %d of them at wide gaps; %d with another seed", total, flips, wide, others)
	}
}

// TestEdgeOfTheList: who else is near the end of a list is not known, unless it is the
// end of the vocabulary.
func TestEdgeOfTheList(t *testing.T) {
	for _, c := range []struct {
		name   string
		logits []float32
		top    int
		topP   float64
		want   func(proof.Standing) bool
	}{
		{"two near a third that is not listed", []float32{1, 0.99, 0.985, -5}, 2, 0.5, func(s proof.Standing) bool { return s >= proof.Edge }},
		{"two far from a third that is not listed", []float32{1, 0.99, 0.3, -5}, 3, 0.5, func(s proof.Standing) bool { return s <= proof.Filtered }},
		{"all are listed, and allowed", []float32{1, 0.99, 0.985, 0.98}, 4, 0.999, func(s proof.Standing) bool { return s <= proof.Filtered }},
	} {
		for seed := range uint64(40) {
			r := ask(proverKey(t), seed, 1, 1)
			r.Sampling.TopP = c.topP
			order := ordered(c.logits)
			p := targon.Position{Claimed: order[1], Top: order[:c.top], Drawn: describe(order, r.Sampling)}
			s := targon.Scores{Weights: r.Weights, Vocab: 4, Positions: []targon.Position{p}}
			got, err := proof.Margins(targon.Transcript{Request: r, Tokens: []targon.TokenID{p.Claimed.ID}}, s, proof.Replay{})
			if err != nil || !c.want(got[0].Standing) {
				t.Errorf("%s, seed %d: %+v, %v", c.name, seed, got, err)
			}
		}
	}
}
