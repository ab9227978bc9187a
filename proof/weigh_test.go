package proof_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"targon"
	"targon/proof"
)

// stream adds up the surprise of many answers, drawn by one request's sampling and
// scored under another's.
func stream(t *testing.T, answers int, asked targon.Sampling, cheat func(*targon.Request)) targon.Surprise {
	t.Helper()
	m := noEnd()
	m.spread = 5
	var sum targon.Surprise
	for seed := range uint64(answers) {
		r := ask(proverKey(t), scramble(seed), 0, 40)
		r.Sampling.Temperature, r.Sampling.TopP, r.Sampling.TopK = asked.Temperature, asked.TopP, asked.TopK
		q := r
		cheat(&q)
		ids, _ := m.generate(q)
		one, err := proof.Surprise(targon.Transcript{Request: r, Tokens: ids}, m.score(r, ids, targon.Need{Top: 1 + 11*int(r.Sampling.TopK)}))
		if err != nil {
			t.Fatal(err)
		}
		sum = sum.Add(one)
	}
	return sum
}

// TestSurpriseOfCheats: an honest excess is noise; each way to draw otherwise shows.
func TestSurpriseOfCheats(t *testing.T) {
	for _, c := range []struct {
		name   string
		asked  targon.Sampling
		cheat  func(*targon.Request)
		lo, hi float64 // deviations
	}{
		{"honest", targon.Sampling{Temperature: 1}, func(*targon.Request) {}, -3, 3},
		{"honest at 0.7", targon.Sampling{Temperature: 0.7}, func(*targon.Request) {}, -3, 3},
		{"honest, filtered", targon.Sampling{Temperature: 1, TopK: 20, TopP: 0.9}, func(*targon.Request) {}, -3, 3},
		{"another seed", targon.Sampling{Temperature: 1}, func(q *targon.Request) { q.Sampling.Seed++ }, -3, 3},
		{"temperature 0.9", targon.Sampling{Temperature: 1}, func(q *targon.Request) { q.Sampling.Temperature = 0.9 }, -40, -4},
		{"temperature 1.1", targon.Sampling{Temperature: 1}, func(q *targon.Request) { q.Sampling.Temperature = 1.1 }, 4, 40},
		{"top-p 0.9", targon.Sampling{Temperature: 1}, func(q *targon.Request) { q.Sampling.TopP = 0.9 }, -60, -4},
		{"top-k 50", targon.Sampling{Temperature: 1}, func(q *targon.Request) { q.Sampling.TopK = 50 }, -200, -4},
		{"no top-p", targon.Sampling{Temperature: 1, TopP: 0.9}, func(q *targon.Request) { q.Sampling.TopP = 0 }, 4, 60},
		{"greedy", targon.Sampling{Temperature: 1}, func(q *targon.Request) { q.Sampling.Temperature = 0 }, -200, -10},
	} {
		got := stream(t, 50, c.asked, c.cheat)
		if z := got.Z(); z < c.lo || z > c.hi || got.Tokens != 2000 {
			t.Errorf("%s: %.1f deviations over %d ids, want %v to %v", c.name, z, got.Tokens, c.lo, c.hi)
		}
	}
}

// TestSurpriseIsNormal: z of honest answers has mean 0 and variance 1.
func TestSurpriseIsNormal(t *testing.T) {
	m := noEnd()
	m.spread = 5
	var sum, squares float64
	const n = 400
	for seed := range uint64(n) {
		r := ask(proverKey(t), scramble(seed), 1, 24)
		ids, _ := m.generate(r)
		s, err := proof.Surprise(targon.Transcript{Request: r, Tokens: ids}, m.score(r, ids, targon.Need{Top: 1}))
		if err != nil {
			t.Fatal(err)
		}
		sum += s.Z()
		squares += s.Z() * s.Z()
	}
	if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.15 || math.Abs(variance-1) > 0.25 {
		t.Errorf("mean %.3f, variance %.3f", mean, variance)
	}
}

// TestSurpriseNumbers: one id, worked out by hand.
func TestSurpriseNumbers(t *testing.T) {
	r := ask(proverKey(t), 1, 0.5, 1)
	x := targon.Transcript{Request: r, Tokens: []targon.TokenID{5}}
	scores := func(d targon.Draw, logit float32) targon.Scores {
		return targon.Scores{Weights: r.Weights, Vocab: 9, Positions: []targon.Position{{
			Claimed: targon.Scored{ID: 5, Logit: logit}, Top: []targon.Scored{{ID: 1, Logit: 3}}, Drawn: d,
		}}}
	}
	// -ln p = norm + ln kept - (2-3)/0.5 = 1.5 + 0 + 2; 1 was expected.
	got, err := proof.Surprise(x, scores(targon.Draw{Norm: 1.5, Kept: 1, Entropy: 1, Varentropy: 0.25}, 2))
	if want := (targon.Surprise{Tokens: 1, Excess: 2_500_000, Variance: 250_000}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	half, err := proof.Surprise(x, scores(targon.Draw{Norm: 1.5, Kept: 0.5, Entropy: 1}, 2))
	if want := int64(2_500_000 - 693_147); err != nil || half.Excess != want {
		t.Errorf("half kept: %+v, %v, want %d", half, err, want)
	}
	far, err := proof.Surprise(x, scores(targon.Draw{Kept: 1}, -1e30))
	if err != nil || far.Excess != 4096_000_000 {
		t.Errorf("far away: %+v, %v", far, err)
	}
	if none, err := proof.Surprise(x, scores(targon.Draw{}, 2)); err != nil || none != (targon.Surprise{}) {
		t.Errorf("without a description: %+v, %v", none, err)
	}
	nan := math.NaN()
	for name, d := range map[string]targon.Draw{
		"norm": {Norm: nan, Kept: 1}, "kept nothing": {Norm: 1}, "kept too much": {Kept: 1.1}, "kept": {Kept: nan},
		"entropy": {Kept: 1, Entropy: nan}, "varentropy": {Kept: 1, Varentropy: nan}, "negative": {Kept: 1, Varentropy: -1},
	} {
		if s, err := proof.Surprise(x, scores(d, 2)); !errors.Is(err, proof.ErrReference) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	cold := x
	cold.Request.Sampling.Temperature = 0
	if s, err := proof.Surprise(cold, scores(targon.Draw{Norm: nan}, 2)); err != nil || s != (targon.Surprise{}) {
		t.Errorf("temperature 0: %+v, %v", s, err)
	}
	if _, err := proof.Surprise(x, targon.Scores{}); !errors.Is(err, proof.ErrReference) {
		t.Errorf("of another answer: %v", err)
	}
}

// TestWeigh: the verdict of a check by margins, before and after it is settled.
func TestWeigh(t *testing.T) {
	k := proverKey(t)
	honest := noEnd()
	honest.jitter = 0.01
	r, _ := full(t)
	ids, f := honest.generate(r)
	x := answer(t, k, r, ids, f)
	_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab})
	v, a := proof.Weigh(x, noEnd().score(r, ids, need), proof.Replay{})
	matches, flips := v.Tally.Total()
	if v.Reason != targon.ReasonUncalibrated || a.Wanted() || matches+flips != 40 || flips > 4 || v.Surprise.Tokens != 40 || v.Mismatch() {
		t.Fatalf("%+v", v)
	}
	if v.Tokens != 40 || v.Request != r.Digest() || v.Receipt != x.Receipt.Digest() || v.Prover != k.Hotkey() {
		t.Error("verdict is about something else")
	}
	for further, want := range map[bool]targon.Reason{false: targon.ReasonWithin, true: targon.ReasonMargin} {
		s := proof.Settle(v, further)
		if s.Reason != want || s.Outcome != want.Outcome() || s.Mismatch() || !strings.Contains(s.Detail, "matches") {
			t.Errorf("settled %v: %+v", further, s)
		}
		if again := proof.Settle(s, !further); again.Reason != want {
			t.Errorf("settled twice: %v, then %v", want, again.Reason)
		}
	}

	bad := slices.Clone(ids)
	bad[7] = (bad[7] + 100) % vocab
	y := answer(t, k, r, bad, f)
	v, _ = proof.Weigh(y, noEnd().score(r, bad, need), proof.Replay{})
	if v.Position != 7 || v.Claimed != bad[7] || v.Winner != ids[7] || v.Gap != proof.MarginClip {
		t.Errorf("the wild id is not named: %+v", v)
	}
}

// TestWeighAsksForMore: what is not wide enough is undecided, and more is asked for in the
// noise of the profile.
func TestWeighAsksForMore(t *testing.T) {
	k, m := proverKey(t), noEnd()
	for _, name := range []string{"targon", "vllm-philox", "sglang"} {
		by := proof.Replay{}
		if err := by.Noise.UnmarshalText([]byte(name)); err != nil {
			t.Fatal(err)
		}
		m.noise = by.Noise
		r, _ := full(t)
		ids, f := m.generate(r)
		x := answer(t, k, r, ids, f)
		v, a := proof.Weigh(x, m.score(r, ids, targon.Need{Top: 1}), by)
		if v.Reason != targon.ReasonAmbiguous || !a.Wanted() || a.Confirm || a.Need.Top != 2 || v.Tally.Undecided < 21 {
			t.Errorf("%s: %v, %d undecided, asks %+v", name, v.Reason, v.Tally.Undecided, a.Need.Top)
		}
		asked := 1
		for ; a.Wanted(); asked++ {
			if asked > proof.MaxAsks {
				t.Fatal("asks for ever")
			}
			v, a = proof.Weigh(x, m.score(r, ids, a.Need), by)
		}
		if matches, flips := v.Tally.Total(); matches != 40 || flips != 0 {
			t.Errorf("%s: %d matches and %d flips after %d askings", name, matches, flips, asked)
		}
		_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab, Noise: by.Noise})
		if v, a = proof.Weigh(x, m.score(r, ids, need), by); a.Wanted() || v.Tally.Undecided > 0 {
			t.Errorf("%s: the first need leaves %d undecided", name, v.Tally.Undecided)
		}
	}
}

// TestWeighEndings: no rounding explains a finish reason that contradicts the ids. One that
// was forged, or an end that was passed over, is a flip like any other.
func TestWeighEndings(t *testing.T) {
	k := proverKey(t)
	r, ids := full(t)
	rs, stopped := ended(t)
	beyond, _ := noEnd().generate(rs)
	n := len(stopped)
	long, short := targon.FinishLength, targon.FinishStop
	for _, c := range []struct {
		name   string
		r      targon.Request
		ids    []targon.TokenID
		finish targon.Finish
		reason targon.Reason
		flips  uint32 // of ids and endings together
	}{
		{"honest", r, ids, long, targon.ReasonUncalibrated, 0},
		{"honest, stopped", rs, stopped, short, targon.ReasonUncalibrated, 0},
		{"cut, says stop", r, ids[:10], short, targon.ReasonTermination, 0},
		{"cut, forges the end", r, append(slices.Clone(ids[:10]), eosLow), short, targon.ReasonUncalibrated, 1},
		{"skips the end", rs, beyond, long, targon.ReasonUncalibrated, 1},
		{"goes on after the end", rs, append(slices.Clone(stopped), beyond[n:]...), long, targon.ReasonTermination, 0},
		{"ends twice", rs, append(slices.Clone(stopped), eosHigh), short, targon.ReasonTermination, 0},
	} {
		x := answer(t, k, c.r, c.ids, c.finish)
		_, need, _ := proof.Precheck(x, proof.Model{Vocab: vocab})
		v, _ := proof.Weigh(x, standard.score(c.r, c.ids, need), proof.Replay{})
		if v.Reason != c.reason || v.Mismatch() {
			t.Errorf("%s: %+v", c.name, v)
		}
		if _, flips := v.Tally.Total(); c.reason == targon.ReasonUncalibrated && flips != uint64(c.flips) {
			t.Errorf("%s: %d flips, want %d", c.name, flips, c.flips)
		}
		over := slices.ContainsFunc(v.Tally.Endings, func(e targon.GapCount) bool { return e.Flips > 0 })
		if want := c.name == "skips the end"; c.reason == targon.ReasonUncalibrated && over != want {
			t.Errorf("%s: an end was passed over: %v", c.name, over)
		}
	}
	x := answer(t, k, rs, stopped, long)
	x.Request.MaxTokens = uint32(n)
	x = answer(t, k, x.Request, stopped, long)
	if v, _ := proof.Weigh(x, standard.score(x.Request, stopped, targon.Need{Top: 64}), proof.Replay{}); v.Reason != targon.ReasonStructure {
		t.Errorf("says length at its end: %+v", v)
	}
}
