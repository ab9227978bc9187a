package proof_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"targon"
	"targon/proof"
)

// find returns the answer to the first seed for which ok holds.
func find(t *testing.T, temperature float64, maxTokens uint32, ok func([]targon.TokenID, targon.Finish) bool) (targon.Request, []targon.TokenID) {
	t.Helper()
	k := proverKey(t)
	for seed := range uint64(500) {
		r := ask(k, seed, temperature, maxTokens)
		if ids, f := standard.generate(r); ok(ids, f) {
			return r, ids
		}
	}
	t.Fatal("no seed gives such an answer")
	return targon.Request{}, nil
}

func full(t *testing.T) (targon.Request, []targon.TokenID) {
	t.Helper()
	return find(t, 1, 40, func(_ []targon.TokenID, f targon.Finish) bool { return f == targon.FinishLength })
}

func ended(t *testing.T) (targon.Request, []targon.TokenID) {
	t.Helper()
	return find(t, 1, 40, func(ids []targon.TokenID, f targon.Finish) bool {
		return f == targon.FinishStop && len(ids) > 8 && len(ids) < 40
	})
}

func TestHonest(t *testing.T) {
	k := proverKey(t)
	stops := 0
	for seed := range uint64(60) {
		for _, temperature := range []float64{0, 0.5, 1, 2} {
			r := ask(k, seed, temperature, 40)
			ids, f := standard.generate(r)
			if f == targon.FinishStop {
				stops++
			}
			v := check(t, answer(t, k, r, ids, f), standard, standard)
			if v.Outcome != targon.Passed || v.Reason != targon.ReasonEqual || v.Tokens != uint32(len(ids)) {
				t.Fatalf("seed %d, temperature %v: %+v", seed, temperature, v)
			}
		}
	}
	if stops < 20 || stops > 220 {
		t.Fatalf("%d of 240 answers end by themselves: the test does not see both ends", stops)
	}
}

// TestHonestAtTheLimit: an end-of-sequence id may be the last that is allowed.
func TestHonestAtTheLimit(t *testing.T) {
	r, ids := ended(t)
	r.MaxTokens = uint32(len(ids))
	ids, f := standard.generate(r)
	if f != targon.FinishStop {
		t.Fatal("the answer should still stop")
	}
	if v := check(t, answer(t, proverKey(t), r, ids, f), standard, standard); v.Outcome != targon.Passed {
		t.Fatalf("%+v", v)
	}
}

// TestCheats plants each cheat that signs what it sends.
func TestCheats(t *testing.T) {
	const anywhere = math.MaxUint32
	k := proverKey(t)
	r, ids := full(t)
	rs, stopped := ended(t)
	long, short := targon.FinishLength, targon.FinishStop
	change := func(i int) []targon.TokenID {
		out := slices.Clone(ids)
		for out[i] = 100; out[i] == ids[i]; out[i]++ {
		}
		return out
	}
	other := func(m reference, edit func(*targon.Request)) []targon.TokenID {
		q := r
		edit(&q)
		out, _ := m.generate(q)
		for len(out) < len(ids) { // no end: one that stops is another cheat
			out = append(out, 50)
		}
		return out
	}
	drifted, foreign := standard, standard
	drifted.drift, drifted.eos = 0.6, -90
	foreign.salt, foreign.eos = 100, -90
	skipped := standard
	skipped.eos = -90
	beyond, _ := skipped.generate(rs)
	n := uint32(len(stopped))

	for _, c := range []struct {
		name     string
		request  targon.Request
		ids      []targon.TokenID
		finish   targon.Finish
		reason   targon.Reason
		position uint32
	}{
		{"first id changed", r, change(0), long, targon.ReasonMismatch, 0},
		{"middle id changed", r, change(20), long, targon.ReasonMismatch, 20},
		{"last id changed", r, change(39), long, targon.ReasonMismatch, 39},
		{"wrong seed", r, other(skipped, func(q *targon.Request) { q.Sampling.Seed += 1000 }), long, targon.ReasonMismatch, anywhere},
		{"replay of another prompt", r, other(skipped, func(q *targon.Request) { q.Prompt = []targon.TokenID{1, 2} }), long, targon.ReasonMismatch, anywhere},
		{"other model", r, other(foreign, func(*targon.Request) {}), long, targon.ReasonMismatch, anywhere},
		{"other logits", r, other(drifted, func(*targon.Request) {}), long, targon.ReasonMismatch, anywhere},
		{"cut, says stop", r, ids[:10], short, targon.ReasonTermination, 9},
		{"cut at full length, says stop", r, ids, short, targon.ReasonTermination, 39},
		{"cut, forges the end", r, append(slices.Clone(ids[:10]), eosLow), short, targon.ReasonTermination, 10},
		{"skips the end", rs, beyond, long, targon.ReasonTermination, n - 1},
		{"goes on after the end", rs, append(slices.Clone(stopped), beyond[n:]...), long, targon.ReasonTermination, n},
		{"ends twice", rs, append(slices.Clone(stopped), eosHigh), short, targon.ReasonTermination, n},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := answer(t, k, c.request, c.ids, c.finish)
			v := check(t, x, standard, standard.portable())
			if !v.Mismatch() || v.Reason != c.reason {
				t.Fatalf("got %v %v at %d (%s), want %v", v.Outcome, v.Reason, v.Position, v.Detail, c.reason)
			}
			if c.position != anywhere && v.Position != c.position {
				t.Errorf("position %d, want %d", v.Position, c.position)
			}
			if v.Claimed != c.ids[v.Position] || v.Gap < 0 || v.Tokens != uint32(len(c.ids)) {
				t.Errorf("numbers do not tell the story: %+v", v)
			}
			if v.Request != c.request.Digest() || v.Receipt != x.Receipt.Digest() || v.Prover != k.Hotkey() {
				t.Error("verdict is about something else")
			}
		})
	}
}

// TestMismatchNumbers: winner and gap are those of the naive rule.
func TestMismatchNumbers(t *testing.T) {
	r, ids := full(t)
	bad := slices.Clone(ids)
	for bad[5] = 100; bad[5] == ids[5]; bad[5]++ {
	}
	v := check(t, answer(t, proverKey(t), r, bad, targon.FinishLength), standard, standard)
	if v.Position != 5 || v.Winner != ids[5] || v.Claimed != bad[5] || v.Gap <= 0 || math.IsInf(v.Gap, 0) {
		t.Fatalf("%+v", v)
	}
}

// TestWrongEnd: to say length when the model ended there is no evidence.
func TestWrongEnd(t *testing.T) {
	r, ids := ended(t)
	r.MaxTokens = uint32(len(ids))
	v := check(t, answer(t, proverKey(t), r, ids, targon.FinishLength), standard, standard)
	if v.Reason != targon.ReasonStructure || v.Mismatch() {
		t.Fatalf("%+v", v)
	}
}

// TestPrecheck: what costs score and is never evidence, in the order of the checks.
func TestPrecheck(t *testing.T) {
	k := proverKey(t)
	r, ids := full(t)
	rs, stopped := ended(t)
	honest := answer(t, k, r, ids, targon.FinishLength)
	edit := func(f func(*targon.Transcript)) targon.Transcript {
		x := honest
		x.Tokens = slices.Clone(honest.Tokens)
		x.Request.Prompt = slices.Clone(honest.Request.Prompt)
		f(&x)
		return x
	}
	commit := func(f func(*targon.Transcript)) targon.Transcript { // with a receipt to match
		x := edit(f)
		return answer(t, k, x.Request, x.Tokens, x.Receipt.Finish)
	}
	sealed := func(f func(*targon.Transcript)) targon.Transcript { return resign(t, k, edit(f)) }
	for _, c := range []struct {
		name   string
		x      targon.Transcript
		reason targon.Reason
	}{
		{"signature bit", edit(func(x *targon.Transcript) { x.Receipt.Signature[0] ^= 1 }), targon.ReasonSignature},
		{"last signature bit", edit(func(x *targon.Transcript) { x.Receipt.Signature[63] ^= 0x80 }), targon.ReasonSignature},
		{"signed by another", edit(func(x *targon.Transcript) { x.Request.Prover[0] ^= 1 }), targon.ReasonSignature},
		{"receipt edited after signing", edit(func(x *targon.Transcript) { x.Receipt.Tokens++ }), targon.ReasonSignature},
		{"swapped receipt", edit(func(x *targon.Transcript) {
			x.Receipt = answer(t, k, rs, stopped, targon.FinishStop).Receipt
		}), targon.ReasonChain},
		{"other salt", edit(func(x *targon.Transcript) { x.Request.Salt[0] ^= 1 }), targon.ReasonChain},
		{"other request, same chain", sealed(func(x *targon.Transcript) { x.Receipt.Request[0] ^= 1 }), targon.ReasonChain},
		{"other chain", sealed(func(x *targon.Transcript) { x.Receipt.Chain[0] ^= 1 }), targon.ReasonChain},
		{"streamed another id", edit(func(x *targon.Transcript) { x.Tokens[3]++ }), targon.ReasonChain},
		{"streamed one fewer", edit(func(x *targon.Transcript) { x.Tokens = x.Tokens[:39] }), targon.ReasonChain},
		{"counts prompt ids wrong", sealed(func(x *targon.Transcript) { x.Receipt.PromptTokens++ }), targon.ReasonStructure},
		{"counts ids wrong", sealed(func(x *targon.Transcript) { x.Receipt.Tokens-- }), targon.ReasonStructure},
		{"no ids", commit(func(x *targon.Transcript) { x.Tokens = nil; x.Receipt.Finish = targon.FinishStop }), targon.ReasonStructure},
		{"over length", commit(func(x *targon.Transcript) { x.Tokens = append(x.Tokens, 1) }), targon.ReasonStructure},
		{"over length, says stop", commit(func(x *targon.Transcript) {
			x.Tokens = append(x.Tokens, eosLow)
			x.Receipt.Finish = targon.FinishStop
		}), targon.ReasonStructure},
		{"cut, says length", commit(func(x *targon.Transcript) { x.Tokens = x.Tokens[:10] }), targon.ReasonStructure},
		{"no finish reason", commit(func(x *targon.Transcript) { x.Receipt.Finish = targon.FinishNone }), targon.ReasonStructure},
		{"unknown finish reason", commit(func(x *targon.Transcript) { x.Receipt.Finish = 9 }), targon.ReasonStructure},
		{"negative id", commit(func(x *targon.Transcript) { x.Tokens[7] = -1 }), targon.ReasonStructure},
		{"id past the end", commit(func(x *targon.Transcript) { x.Tokens[7] = vocab }), targon.ReasonStructure},
		{"our prompt is out of range", commit(func(x *targon.Transcript) { x.Request.Prompt[0] = vocab }), targon.ReasonOurs},
		{"our request is empty", commit(func(x *targon.Transcript) { x.Request.Prompt = nil }), targon.ReasonOurs},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, need, ok := proof.Precheck(c.x, proof.Model{Vocab: vocab})
			if ok || v.Reason != c.reason || v.Outcome != c.reason.Outcome() || v.Mismatch() {
				t.Fatalf("got %v (%s), go on %v, want %v", v.Reason, v.Detail, ok, c.reason)
			}
			if need.Top != 0 || need.Also != nil {
				t.Error("asks the reference although the verdict is final")
			}
		})
	}
	if v, _, ok := proof.Precheck(honest, proof.Model{}); ok || v.Reason != targon.ReasonOurs {
		t.Errorf("without a vocabulary: %+v", v)
	}
	for _, id := range []targon.TokenID{0, vocab - 1} {
		if _, _, ok := proof.Precheck(commit(func(x *targon.Transcript) { x.Tokens[7] = id }), proof.Model{Vocab: vocab}); !ok {
			t.Errorf("id %d exists and is refused", id)
		}
	}
	out := commit(func(x *targon.Transcript) { x.Tokens[7] = vocab })
	if v, _, _ := proof.Precheck(out, proof.Model{Vocab: vocab}); v.Position != 7 || v.Claimed != vocab {
		t.Errorf("offending id is not named: %+v", v)
	}
}

// TestOurFaults: what the reference does wrong never costs a prover anything.
func TestOurFaults(t *testing.T) {
	k := proverKey(t)
	r, ids := full(t)
	x := answer(t, k, r, ids, targon.FinishLength)
	_, need, ok := proof.Precheck(x, proof.Model{Vocab: vocab})
	if !ok {
		t.Fatal("precheck")
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, spoil := range map[string]func(*targon.Scores){
		"other weights":       func(s *targon.Scores) { s.Weights[0] ^= 1 },
		"one position short":  func(s *targon.Scores) { s.Positions = s.Positions[:39] },
		"one position more":   func(s *targon.Scores) { s.Positions = append(s.Positions, s.Positions[0]) },
		"no vocabulary":       func(s *targon.Scores) { s.Vocab = 0 },
		"smaller vocabulary":  func(s *targon.Scores) { s.Vocab = 10 },
		"other claimed id":    func(s *targon.Scores) { s.Positions[4].Claimed.ID++ },
		"nothing listed":      func(s *targon.Scores) { s.Positions[4].Top = nil },
		"NaN claimed":         func(s *targon.Scores) { s.Positions[4].Claimed.Logit = nan },
		"NaN on top":          func(s *targon.Scores) { s.Positions[4].Top[1].Logit = nan },
		"Inf on top":          func(s *targon.Scores) { s.Positions[4].Top[1].Logit = inf },
		"-Inf also":           func(s *targon.Scores) { s.Positions[4].Also[1].Logit = -inf },
		"id out of range":     func(s *targon.Scores) { s.Positions[4].Also[1].ID = vocab },
		"negative id":         func(s *targon.Scores) { s.Positions[4].Also[1].ID = -1 },
		"one id, two logits":  func(s *targon.Scores) { s.Positions[4].Claimed.Logit -= 0.25 },
		"one id twice on top": func(s *targon.Scores) { s.Positions[4].Top[1] = s.Positions[4].Top[0] },
		"high logit not on top": func(s *targon.Scores) {
			p := &s.Positions[4]
			for i, a := range p.Also {
				if !slices.Contains(p.Top, a) && a.ID != p.Claimed.ID {
					p.Also[i].Logit = p.Top[len(p.Top)-1].Logit + 0.01
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := standard.score(r, ids, need)
			spoil(&s)
			v, a := proof.Judge(x, s, nil)
			if v.Outcome != targon.Undecided || v.Reason != targon.ReasonReference || a.Wanted() {
				t.Errorf("as first scores: %v %v (%s), asks %v", v.Outcome, v.Reason, v.Detail, a.Wanted())
			}
			bad := slices.Clone(ids)
			bad[30] = (bad[30] + 100) % vocab
			y := answer(t, k, r, bad, targon.FinishLength)
			again := standard.score(r, bad, need)
			spoil(&again)
			v, a = proof.Judge(y, standard.score(r, bad, need), &again)
			if v.Outcome != targon.Undecided || v.Reason != targon.ReasonReference || a.Wanted() {
				t.Errorf("as second scores: %v %v (%s), asks %v", v.Outcome, v.Reason, v.Detail, a.Wanted())
			}
		})
	}
}

// TestUnconfirmed: two computations that disagree are a fault of ours.
func TestUnconfirmed(t *testing.T) {
	k := proverKey(t)
	r, ids := full(t)
	honest := answer(t, k, r, ids, targon.FinishLength)
	_, need, _ := proof.Precheck(honest, proof.Model{Vocab: vocab})
	good := standard.portable().score(r, ids, need)

	// The fast kernels flip a bit at position 12: another id wins there.
	flipped := standard.score(r, ids, need)
	for i, c := range flipped.Positions[12].Top {
		if c.ID != ids[12] {
			flipped.Positions[12].Top[i].Logit += 90
			for j, a := range flipped.Positions[12].Also {
				if a.ID == c.ID {
					flipped.Positions[12].Also[j].Logit += 90
				}
			}
			break
		}
	}
	v, a := proof.Judge(honest, flipped, nil)
	if v.Outcome != targon.Undecided || !a.Confirm || !a.Wanted() {
		t.Fatalf("first: %+v, %+v", v, a)
	}
	if v, a = proof.Judge(honest, flipped, &good); v.Reason != targon.ReasonUnconfirmed || a.Wanted() {
		t.Errorf("second says equal: %+v", v)
	}
	// Both see a mismatch, at different positions.
	bad := slices.Clone(ids)
	bad[20] = (bad[20] + 100) % vocab
	cheat := answer(t, k, r, bad, targon.FinishLength)
	again := standard.score(r, bad, need)
	flipped.Positions = append(flipped.Positions[:13:13], again.Positions[13:]...)
	if v, _ = proof.Judge(cheat, flipped, &again); v.Reason != targon.ReasonUnconfirmed {
		t.Errorf("positions 12 and 20: %+v", v)
	}
	// Same position, other winner.
	other := standard.score(r, bad, need)
	for i, c := range other.Positions[20].Top {
		if c.ID != bad[20] && c.ID != ids[20] {
			other.Positions[20].Top[i].Logit += 90
			other.Positions[20].Also = nil
			break
		}
	}
	if v, _ = proof.Judge(cheat, again, &other); v.Reason != targon.ReasonUnconfirmed {
		t.Errorf("another winner: %+v", v)
	}
	if v, _ = proof.Judge(cheat, again, &again); v.Reason != targon.ReasonMismatch {
		t.Errorf("agreed: %+v", v)
	}
}

// TestWidening: however little is listed at first, the verdict is that of the naive
// rule over the whole vocabulary, and it is reached.
func TestWidening(t *testing.T) {
	k := proverKey(t)
	rounds := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := standard
		m.salt = rapid.Uint64().Draw(rt, "salt")
		m.spread = rapid.SampledFrom([]float64{0, 0.01, 3, 8, 20}).Draw(rt, "spread")
		m.eos = rapid.SampledFrom([]float64{-90, 0, 1}).Draw(rt, "eos")
		r := ask(k, rapid.Uint64().Draw(rt, "seed"),
			rapid.SampledFrom([]float64{0, 0.01, 0.7, 1, 2}).Draw(rt, "temperature"),
			rapid.Uint32Range(1, 12).Draw(rt, "max tokens"))
		r.Sampling.TopK = rapid.SampledFrom([]uint32{0, 0, 1, 5, 100, 1000}).Draw(rt, "top k")
		r.Sampling.TopP = rapid.SampledFrom([]float64{0, 0, 0.1, 0.9, 0.999}).Draw(rt, "top p")
		r.Sampling.MinP = rapid.SampledFrom([]float64{0, 0, 0.01, 0.5}).Draw(rt, "min p")
		ids, f := m.generate(r)
		x := answer(t, k, r, ids, f)
		first := targon.Need{Top: rapid.IntRange(1, 20).Draw(rt, "top")}
		v, asked := judge(rt, x, m, m, first)
		if v.Outcome != targon.Passed {
			rt.Fatalf("honest: %+v", v)
		}
		rounds = max(rounds, asked)

		at := rapid.IntRange(0, len(ids)-1).Draw(rt, "at")
		bad := slices.Clone(ids)
		bad[at] = (bad[at] + targon.TokenID(rapid.Int32Range(1, vocab-1).Draw(rt, "by"))) % vocab
		v, _ = judge(rt, answer(t, k, r, bad, f), m, m.portable(), first)
		if !v.Mismatch() || v.Position != uint32(at) || v.Winner != ids[at] || v.Gap < 0 {
			rt.Fatalf("id %d for %d at %d: %+v", bad[at], ids[at], at, v)
		}
	})
	if rounds < 4 {
		t.Errorf("at most %d askings: widening was hardly tried", rounds)
	}
}

// TestFirstNeedSuffices: the point of the noise list is one prefill a check.
func TestFirstNeedSuffices(t *testing.T) {
	k := proverKey(t)
	for seed := range uint64(50) {
		r := ask(k, seed, 1, 40)
		ids, f := standard.generate(r)
		x := answer(t, k, r, ids, f)
		_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab})
		if _, asked := judge(t, x, standard, standard, need); asked != 1 {
			t.Errorf("seed %d: %d askings", seed, asked)
		}
	}
}

// TestNeed: the noise list has the ids of the highest noise and no others.
func TestNeed(t *testing.T) {
	k := proverKey(t)
	r, ids := full(t)
	for _, v := range []int{1, 2, 47, 48, 49, 191, 192, vocab, 2048, 131072} {
		for _, c := range []struct {
			topP float64
			top  int
		}{{0, 48}, {0.9, 64}} {
			small := r
			small.Prompt, small.Sampling.TopP = []targon.TokenID{0, 0, 0}, c.topP
			x := answer(t, k, small, make([]targon.TokenID, len(ids)), targon.FinishLength)
			_, need, ok := proof.Precheck(x, proof.Model{Vocab: v})
			if !ok || need.Top != min(c.top, v) || len(need.Also) != len(ids) {
				t.Fatalf("vocabulary %d: top %d, %d lists", v, need.Top, len(need.Also))
			}
			want := min(v, max(4*c.top, v/128*c.top/48))
			if n := len(need.Also[0]); math.Abs(float64(n-want)) > 5*math.Sqrt(float64(want)) || v <= 192 && n != v {
				t.Errorf("vocabulary %d: %d ids of high noise, want about %d", v, n, want)
			}
		}
	}
	r.Sampling.Temperature = 0
	cold := answer(t, k, r, ids, targon.FinishLength)
	if _, need, _ := proof.Precheck(cold, proof.Model{Vocab: vocab}); need.Also != nil {
		t.Error("lists noise at temperature 0")
	}
}

// TestNarrowIsNeutral: until the wider scores come, nobody has passed or failed.
func TestNarrowIsNeutral(t *testing.T) {
	r, ids := full(t)
	x := answer(t, proverKey(t), r, ids, targon.FinishLength)
	v, a := proof.Judge(x, standard.score(r, ids, targon.Need{Top: 1}), nil)
	if v.Reason != targon.ReasonAmbiguous || a.Confirm || a.Need.Top != 2 {
		t.Fatalf("%+v, %+v", v, a)
	}
	bad := slices.Clone(ids)
	bad[0] = (bad[0] + 100) % vocab
	x = answer(t, proverKey(t), r, bad, targon.FinishLength)
	again := standard.score(r, bad, targon.Need{Top: 1})
	v, a = proof.Judge(x, standard.score(r, bad, targon.Need{Top: vocab}), &again)
	if v.Reason != targon.ReasonAmbiguous || !a.Confirm || a.Need.Top != 2 {
		t.Fatalf("confirmation: %+v, %+v", v, a)
	}
}

// TestTies: an unlisted id that can equal the best listed one may be lower and win, so a
// wider answer is asked for; nothing is left to the order in which ids are listed.
func TestTies(t *testing.T) {
	k := proverKey(t)
	r := ask(k, 1, 0, 1)
	x := answer(t, k, r, []targon.TokenID{5}, targon.FinishLength)
	scored := func(top ...targon.TokenID) targon.Scores {
		p := targon.Position{Claimed: targon.Scored{ID: 5, Logit: 1}}
		for _, id := range top {
			p.Top = append(p.Top, targon.Scored{ID: id, Logit: 1})
		}
		return targon.Scores{Weights: r.Weights, Vocab: 3 + 3, Positions: []targon.Position{p}}
	}
	if v, a := proof.Judge(x, scored(5), nil); v.Reason != targon.ReasonAmbiguous || a.Need.Top != 2 || a.Confirm {
		t.Errorf("one listed: %+v, %+v", v, a)
	}
	all := scored(5, 4, 3, 2, 1, 0)
	if v, _ := proof.Judge(x, all, &all); v.Reason != targon.ReasonMismatch || v.Winner != 0 || v.Gap != 0 {
		t.Errorf("all equal: %+v", v)
	}
}

// TestNothingToJudge: what Precheck would not have let through is not judged.
func TestNothingToJudge(t *testing.T) {
	r, _ := full(t)
	x := answer(t, proverKey(t), r, nil, targon.FinishStop)
	v, a := proof.Judge(x, targon.Scores{Weights: r.Weights, Vocab: vocab}, nil)
	if v.Reason != targon.ReasonReference || a.Wanted() {
		t.Errorf("%+v, %+v", v, a)
	}
}
