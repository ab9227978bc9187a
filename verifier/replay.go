package verifier

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"targon"
	"targon/evidence"
	"targon/proof"
	"targon/score"
)

// Replay folds a whole ledger.
func Replay(ctx context.Context, l Ledger, p score.Throughput) (*State, error) {
	s := NewState(p)
	for e, err := range l.All(ctx) {
		if err != nil {
			return nil, fmt.Errorf("read ledger: %w", err)
		}
		if err := s.Apply(e); err != nil {
			return nil, fmt.Errorf("replay ledger: %w", err)
		}
	}
	return s, nil
}

// Weights returns the vector decided last, and for which epoch; false before the
// first.
func (s *State) Weights() (targon.Epoch, targon.Weights, bool) {
	return s.decided.Epoch, slices.Clone(s.decided.Weights), s.decisions > 0
}

// Evidence returns what is known of a prover in a month.
func (s *State) Evidence(prover targon.Hotkey, m targon.Month) targon.Evidence {
	if d, ok := s.dossiers[account{prover, m}]; ok {
		return d.evidence
	}
	return evidence.New(prover, m)
}

// Audit counts what Recheck went through.
type Audit struct {
	Epochs   int // whose secret is shown
	Drawn    int // receipts that had to be audited, and were
	Spared   int // receipts that had to be left alone, and were
	Skipped  int // receipts that the verifier ruled out of its draw: lost text, full spool, no block
	Unknown  int // receipts whose block hash hashes did not know
	OptedOut int // receipts that users kept out of the draw
}

// Recheck repeats every decision that a ledger shows, given the hashes of the chain's
// blocks, and returns the first that was not the one to make: a secret other than
// the one committed to, a receipt audited or spared against the draw, scores and
// weights other than policy and evidence call for. It needs no text, no model and no
// secret of the verifier's. What it cannot repeat is the reference's work.
func Recheck(entries iter.Seq2[targon.Entry, error], p score.Throughput, hashes func(targon.Block) (targon.Digest, bool)) (Audit, error) {
	c := checker{state: NewState(p), hashes: hashes}
	for e, err := range entries {
		if err != nil {
			return c.audit, fmt.Errorf("read ledger: %w", err)
		}
		if err := c.check(e); err != nil {
			return c.audit, fmt.Errorf("entry %d: %w", c.state.entries+1, err)
		}
		if err := c.state.Apply(e); err != nil {
			return c.audit, err
		}
	}
	return c.audit, nil
}

// checker compares each entry with what the state before it calls for.
type checker struct {
	state  *State
	hashes func(targon.Block) (targon.Digest, bool)
	audit  Audit
}

func (c *checker) check(e targon.Entry) error {
	switch e := e.(type) {
	case targon.Judged:
		return c.verdict(e)
	case targon.RateSet:
		return c.rate(e)
	case targon.EpochClosed:
		return c.draws(e)
	case targon.ScoresMade:
		return c.scores(e)
	case targon.WeightsDecided:
		return c.weights(e)
	default:
		return nil // Apply knows all that there is to know
	}
}

// verdict checks a reason against how its exchange ended and arrived.
func (c *checker) verdict(j targon.Judged) error {
	e := c.state.find(j.Epoch)
	if e == nil || e.byDigest[j.Verdict.Request] == nil {
		return nil // Apply refuses it
	}
	a, reason := e.byDigest[j.Verdict.Request].arrived, j.Verdict.Reason
	var want bool
	switch a.Status {
	case targon.StatusComplete:
		want = !slices.Contains(unanswered, reason) && (reason == targon.ReasonOptedOut) == a.OptedOut &&
			c.streamed(a, reason)
	case targon.StatusBusy:
		want = reason == targon.ReasonBusy || reason == targon.ReasonBusyNeutral
	default:
		x := targon.Exchange{Status: a.Status}
		want = reason == proof.Unanswered(x, 0, 0).Reason
	}
	// Whatever happened, a restart is told from the ledger alone.
	if !want && reason != targon.ReasonRestart {
		return fmt.Errorf("%w: request %s ended %s and is judged %s", ErrLedger, a.Request, a.Status, reason)
	}
	return c.bets(j.Verdict)
}

// unanswered are the reasons of exchanges without a receipt.
var unanswered = []targon.Reason{
	targon.ReasonIncomplete, targon.ReasonRefused, targon.ReasonGone, targon.ReasonBusy,
	targon.ReasonBusyNeutral, targon.ReasonTooEarly, targon.ReasonAborted,
}

// streamed checks the burst rule. That an answer came at once is its own timing's
// doing; that another streamed meanwhile may be known by now and was not then, but
// never the other way round.
func (c *checker) streamed(a targon.Arrived, reason targon.Reason) bool {
	switch burst := c.state.burst(a); reason {
	case targon.ReasonEqual, targon.ReasonWithin:
		return burst == targon.ReasonNone
	case targon.ReasonBuffered:
		return burst == targon.ReasonBuffered
	case targon.ReasonBufferedLone:
		return burst != targon.ReasonNone
	default:
		return true
	}
}

// draws repeats an epoch's draws now that its secret is shown.
func (c *checker) draws(closed targon.EpochClosed) error {
	e := c.state.find(closed.Epoch)
	if e == nil {
		return nil // Apply refuses it
	}
	secret := targon.Secret(closed.Secret)
	if err := e.shows(secret); err != nil {
		return err
	}
	if err := c.convictions(closed); err != nil {
		return err
	}
	c.audit.Epochs++
	for _, r := range e.records {
		if r.arrived.Status != targon.StatusComplete {
			continue
		}
		if err := c.draw(e.draw(secret, r, c.hashes)); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) draw(d Draw) error {
	if !d.Kept() {
		return fmt.Errorf("%w: request %s is judged %s, the draw says otherwise", ErrLedger, d.Request, d.Reason)
	}
	switch d.Due {
	case DueAudit:
		c.audit.Drawn++
	case DueNothing:
		c.audit.Spared++
	case DueOptedOut:
		c.audit.OptedOut++
	case DueSkipped:
		c.audit.Skipped++
	case DueUnknown:
		c.audit.Unknown++
	}
	return nil
}

func (c *checker) scores(m targon.ScoresMade) error {
	e := c.state.find(m.Epoch)
	if e == nil {
		return nil // Apply refuses it
	}
	provers := make([]targon.Neuron, len(m.Scores))
	for i, s := range m.Scores {
		provers[i] = targon.Neuron{UID: s.UID, Hotkey: s.Hotkey}
	}
	if _, want := c.state.scores(e, provers); !slices.Equal(want, m.Scores) {
		return fmt.Errorf("%w: epoch %d ends in other scores than its verdicts", ErrLedger, m.Epoch)
	}
	return nil
}

func (c *checker) weights(d targon.WeightsDecided) error {
	if c.state.scored.Epoch != d.Epoch {
		return nil // overtaken: nobody sends it
	}
	want := c.state.weights(func(s targon.Score) bool { return listed(d.Weights, s.UID) })
	if !slices.Equal(want, d.Weights) {
		return fmt.Errorf("%w: epoch %d ends in other weights than its scores", ErrLedger, d.Epoch)
	}
	return nil
}
