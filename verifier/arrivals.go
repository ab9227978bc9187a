package verifier

import (
	"context"
	"fmt"
	"time"

	"targon"
	"targon/bundle"
	"targon/proof"
)

// pending is an arrival whose text waits in the spool for its draw.
type pending struct {
	targon.Arrived
	since time.Time
	shown bundle.Bundle // what was looked at, for who wants to look again
}

// arrive takes in an exchange that has ended. When it returns nil, what the prover
// promised is durable.
func (v *Verifier) arrive(ctx context.Context, x targon.Exchange, optedOut bool) error {
	defer v.land(x.Transcript.Request)
	a, err := v.stamp(x, optedOut)
	if err != nil {
		return err
	}
	defer v.unstamp(a.Request)

	verdict, ruled := v.atOnce(x, a)
	if ruled {
		return v.journal.write(ctx, a, targon.Judged{Epoch: a.Epoch, UID: a.UID, Verdict: verdict})
	}
	// The text is in the spool before the arrival is durable. A crash between the
	// two leaves a sealed text without a key; one after them, an arrival without a
	// text, which the next start rules Undecided.
	if err := v.journal.write(ctx, a); err != nil {
		v.spool.drop(a.Request)
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting = append(v.waiting, &pending{Arrived: a, since: time.Now()})
	return nil
}

// stamp dates an exchange: the finalised height now, and the epoch which that
// height belongs to. Until unstamp, the epoch cannot close.
func (v *Verifier) stamp(x targon.Exchange, optedOut bool) (targon.Arrived, error) {
	r := x.Transcript.Request
	a := targon.Arrived{
		UID: x.UID, Prover: r.Prover, Origin: x.Origin, Status: x.Status,
		OptedOut: optedOut, Request: r.Digest(), Timing: x.Timing,
	}
	if x.Status == targon.StatusComplete {
		a.Receipt = x.Transcript.Receipt
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.state.at(v.height)
	if e == nil || len(v.hashes) == 0 {
		return a, ErrNotReady
	}
	if _, twice := v.stamped[a.Request]; twice || v.state.known(a.Request) {
		return a, fmt.Errorf("record request %s: %w", a.Request, ErrTwice)
	}
	a.Epoch, a.Block = e.opened.Epoch, v.height
	v.stamped[a.Request] = a.Epoch
	return a, nil
}

func (v *Verifier) unstamp(request targon.Digest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.stamped, request)
}

// atOnce rules on what needs no draw. If it does not, the text is in the spool.
func (v *Verifier) atOnce(x targon.Exchange, a targon.Arrived) (targon.Verdict, bool) {
	if a.Status != targon.StatusComplete {
		inFlight, capacity := v.load(a.Prover)
		return proof.Unanswered(x, inFlight, capacity), true
	}
	if a.OptedOut {
		return ruled(a, targon.ReasonOptedOut, "").Verdict, true
	}
	if err := v.spool.put(a.Request, x.Transcript); err != nil {
		return ruled(a, targon.ReasonSpoolFull, err.Error()).Verdict, true
	}
	return targon.Verdict{}, false
}

// ruled is a verdict that needs no look at the answer.
func ruled(a targon.Arrived, r targon.Reason, detail string) targon.Judged {
	v := targon.Verdict{
		Request: a.Request, Receipt: receiptOf(a), Prover: a.Prover,
		Reason: r, Outcome: r.Outcome(), Detail: detail,
	}
	return targon.Judged{Epoch: a.Epoch, UID: a.UID, Verdict: v}
}

// rule ends the wait of arrivals that will not be audited, and deletes their texts.
func (v *Verifier) rule(ctx context.Context, ps []*pending, r targon.Reason, detail string) error {
	entries := make([]targon.Entry, len(ps))
	for i, p := range ps {
		entries[i] = ruled(p.Arrived, r, detail)
	}
	// A crash here: they stay unjudged, and the next start rules them Undecided.
	if err := v.journal.write(ctx, entries...); err != nil {
		return err
	}
	for _, p := range ps {
		v.spool.drop(p.Request)
	}
	return nil
}
