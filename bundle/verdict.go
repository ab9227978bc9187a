package bundle

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"targon"
	"targon/evidence"
	"targon/proof"
)

// margins reports whether the verdict is one by margins.
func (b Bundle) margins() bool { return b.Judged.Verdict.Weighed() }

func (b Bundle) replay() proof.Replay {
	return proof.Replay{Noise: b.Replay.Noise, Band: b.Replay.Band}
}

// Need is what to score the answer for, so that [Check] can compare: what is listed.
func (b Bundle) Need() targon.Need {
	var n targon.Need
	if b.Scores == nil {
		return n
	}
	for _, p := range b.Scores.Positions {
		n.Top = max(n.Top, len(p.Top))
		var also []targon.TokenID
		for _, s := range p.Also {
			also = append(also, s.ID)
		}
		n.Also = append(n.Also, also)
	}
	return n
}

// verdict judges the listed scores again.
func (c *checker) verdict() error {
	said := c.b.Judged.Verdict
	v, err := c.judge()
	if err != nil {
		return err
	}
	if said.Reason == targon.ReasonBuffered || said.Reason == targon.ReasonBufferedLone {
		if proof.Burst(c.b.Arrived, nil) == targon.ReasonNone || v.Outcome != targon.Passed {
			return fmt.Errorf("the ids pass as %s and %d of 1000 came at once, the verdict says %s", v.Reason, c.b.Arrived.Timing.Burst, said.Reason)
		}
		v = proof.Streamed(v, said.Reason) // whether another prover streamed meanwhile is for the ledger to say
	} else if v.Outcome == targon.Passed && proof.Burst(c.b.Arrived, nil) != targon.ReasonNone {
		return fmt.Errorf("%d of 1000 ids came at once, the verdict says %s", c.b.Arrived.Timing.Burst, said.Reason)
	}
	if d := difference(said, v); d != "" {
		return errors.New(d)
	}
	return holds(fmt.Sprintf("%s, %s: the same from what is listed", v.Outcome, v.Reason))
}

// judge is what proof concludes from the listed scores. An error that is [unchecked]
// means that they do not suffice.
func (c *checker) judge() (targon.Verdict, error) {
	b := c.b
	said := b.Judged.Verdict
	m, known := c.model()
	v, _, more := proof.Precheck(b.Transcript, m)
	switch {
	case !more:
		return v, nil
	case !known && said.Reason == targon.ReasonStructure:
		return v, unchecked("how many ids the model has is not known: name its file with --model")
	case b.Scores == nil && said.Outcome == targon.Undecided:
		return v, unchecked(fmt.Sprintf("undecided by a fault of the verifier's: %s", said.Reason))
	case b.Scores == nil:
		return v, errors.New("scores are what decided, and none are listed")
	case b.margins():
		v, _ = proof.Weigh(b.Transcript, *b.Scores, b.replay())
		if len(said.Nulls) == 0 {
			return v, nil
		}
		bet, err := c.betMade()
		if err != nil {
			return v, err
		}
		return c.ended(proof.Settle(v, bet.Surprising()))
	}
	v, ask := proof.Judge(b.Transcript, *b.Scores, b.Again)
	if ask.Confirm && said.Outcome == targon.Failed {
		return v, fmt.Errorf("position %d is no winner, and no second computation confirms it", v.Position)
	}
	return v, nil
}

// ended holds an end that did not win against the packs, which alone say how much of it
// is chance.
func (c *checker) ended(v targon.Verdict) (targon.Verdict, error) {
	said := c.b.Judged.Verdict
	missing := false
	coincidence := func([]targon.GapClass) bool { missing = true; return false }
	if c.a.Nulls != nil {
		if bets, ok := c.a.Nulls.Bets(said.Nulls); ok {
			coincidence = bets.FalseEnd
		}
	}
	v = proof.Ended(v, c.b.Transcript, *c.b.Scores, c.b.replay(), coincidence)
	if missing {
		return v, unchecked(fmt.Sprintf("needs calibration pack %s: name it with --pack", said.Nulls[0].Pack))
	}
	return v, nil
}

// betMade is the bet that settled the verdict: the one that is listed, else, where the
// answer is too cold to be evidence, what the packs make of the tally.
func (c *checker) betMade() (evidence.Bet, error) {
	said := c.b.Judged.Verdict
	if len(said.Bet) > 0 {
		bet, ok := evidence.BetOf(said.Bet)
		if !ok {
			return bet, fmt.Errorf("a bet on %d processes is none of this version's", len(said.Bet))
		}
		return bet, nil
	}
	if c.a.Nulls == nil {
		return evidence.Bet{}, unchecked(fmt.Sprintf("needs calibration pack %s: name it with --pack", said.Nulls[0].Pack))
	}
	bets, ok := c.a.Nulls.Bets(said.Nulls)
	if !ok {
		return evidence.Bet{}, errors.New("the packs are others than the verdict names")
	}
	return bets.Of(said.Tally), nil
}

// difference says in which field what was said differs from what comes out. Detail is
// words, and what the answer was held against is the bet's line.
func difference(said, got targon.Verdict) string {
	for _, f := range []struct {
		name      string
		said, got any
		same      bool
	}{
		{"outcome", said.Outcome, got.Outcome, said.Outcome == got.Outcome},
		{"reason", said.Reason, got.Reason, said.Reason == got.Reason},
		{"ids covered", said.Tokens, got.Tokens, said.Tokens == got.Tokens},
		{"position", said.Position, got.Position, said.Position == got.Position},
		{"claimed id", said.Claimed, got.Claimed, said.Claimed == got.Claimed},
		{"winner", said.Winner, got.Winner, said.Winner == got.Winner},
		{"gap", said.Gap, got.Gap, said.Gap == got.Gap},
		{"tally", said.Tally, got.Tally, same(said.Tally, got.Tally)},
		{"surprise", said.Surprise, got.Surprise, said.Surprise == got.Surprise},
	} {
		if !f.same {
			return fmt.Sprintf("%s is %v, what is listed gives %v", f.name, f.said, f.got)
		}
	}
	return ""
}

func same(a, b targon.Tally) bool {
	return slices.Equal(a.Ids, b.Ids) && slices.Equal(a.Endings, b.Endings) && a.Undecided == b.Undecided
}

// bet works out again what the tally did to the evidence.
func (c *checker) bet() error {
	v := c.b.Judged.Verdict
	switch {
	case !c.b.margins():
		return unchecked("ids were compared for equality")
	case len(v.Nulls) == 0:
		return unchecked("the answer was held against no calibration pack")
	case c.a.Nulls == nil:
		return unchecked(fmt.Sprintf("needs calibration pack %s: name it with --pack", v.Nulls[0].Pack))
	}
	// Answers too cold for evidence are held against the bounds of the lowest temperature.
	request := c.b.Transcript.Request
	request.Sampling.Temperature = max(request.Sampling.Temperature, evidence.MinTemperature)
	of, ok := c.a.Nulls.Of(request, len(c.b.Transcript.Tokens))
	if !ok || !slices.Equal(of, v.Nulls) {
		return fmt.Errorf("the answer was held against %v, these packs say %v", v.Nulls, of)
	}
	bets, ok := c.a.Nulls.Bets(of)
	if !ok {
		return errors.New("these packs are others than the verdict names")
	}
	if bet := bets.Of(v.Tally); len(v.Bet) > 0 && !slices.Equal(bet[:], v.Bet) {
		return fmt.Errorf("bet %v, the packs and the tally give %v", v.Bet, bet)
	}
	return holds(fmt.Sprintf("from the tally and %d calibration packs", len(of)))
}

// logits compares what is listed with what the one who checks has computed.
func (c *checker) logits() error {
	switch {
	case c.b.Scores == nil:
		return unchecked("none are listed")
	case c.a.Scores == nil:
		return unchecked(c.a.Why)
	case c.a.Scores.Weights != c.b.Scores.Weights:
		return fmt.Errorf("listed of model %s, computed of %s", c.b.Scores.Weights, c.a.Scores.Weights)
	}
	for _, listed := range []*targon.Scores{c.b.Scores, c.b.Again} {
		if listed == nil {
			continue
		}
		if err := alike(*listed, *c.a.Scores); err != nil {
			return err
		}
	}
	return holds(fmt.Sprintf("of %d positions are the model's, to the last bit", len(c.b.Scores.Positions)))
}

// alike compares listed scores with those computed for a need that covers them.
func alike(listed, own targon.Scores) error {
	switch {
	case listed.Vocab != own.Vocab || !slices.Equal(listed.EOS, own.EOS):
		return fmt.Errorf("listed of %d ids, of which %v end an answer; the model has %d, and %v do", listed.Vocab, listed.EOS, own.Vocab, own.EOS)
	case len(listed.Positions) != len(own.Positions):
		return fmt.Errorf("%d positions are listed, the answer has %d", len(listed.Positions), len(own.Positions))
	}
	for j, p := range listed.Positions {
		o := own.Positions[j]
		logit := map[targon.TokenID]float32{o.Claimed.ID: o.Claimed.Logit}
		for _, s := range slices.Concat(o.Top, o.Also) {
			logit[s.ID] = s.Logit
		}
		for _, s := range slices.Concat([]targon.Scored{p.Claimed}, p.Top, p.Also) {
			if got, ok := logit[s.ID]; !ok || math.Float32bits(got) != math.Float32bits(s.Logit) {
				return fmt.Errorf("position %d lists logit %v of id %d, the model gives %v", j, s.Logit, s.ID, got)
			}
		}
		if len(p.Top) > len(o.Top) || !slices.Equal(p.Top, o.Top[:len(p.Top)]) {
			return fmt.Errorf("position %d lists other ids as the highest than the model's", j)
		}
		if p.Rank != o.Rank || p.Drawn.Allowed != o.Drawn.Allowed || p.Drawn.Last != o.Drawn.Last {
			return fmt.Errorf("position %d lists rank %d and %d allowed ids, the model gives %d and %d", j, p.Rank, p.Drawn.Allowed, o.Rank, o.Drawn.Allowed)
		}
		if !near(p.LogProb, o.LogProb) || !near(p.Drawn.Norm, o.Drawn.Norm) || !near(p.Drawn.Kept, o.Drawn.Kept) ||
			!near(p.Drawn.Entropy, o.Drawn.Entropy) || !near(p.Drawn.Varentropy, o.Drawn.Varentropy) {
			return fmt.Errorf("position %d lists another distribution than the model's: %+v, not %+v", j, p.Drawn, o.Drawn)
		}
	}
	return nil
}

// near allows for what is measured and not exact (targon.Draw): weights in float32.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-5*(1+math.Abs(b)) }
