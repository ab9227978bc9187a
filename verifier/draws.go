package verifier

import (
	"fmt"
	"iter"

	"targon"
	"targon/challenge"
	"targon/score"
)

// Due says whether a receipt had to be audited.
type Due uint8

// What a receipt can be due.
const (
	DueUnknown  Due = iota // the hash of its block is not at hand
	DueAudit               // the draw chose it
	DueNothing             // the draw spared it
	DueOptedOut            // its user kept it out of the draw
	DueSkipped             // the verifier ruled it out: lost text, full spool, no block
)

// Draw says of one receipt whether it had to be audited, and what became of it.
type Draw struct {
	Epoch    targon.Epoch
	UID      targon.UID
	Prover   targon.Hotkey
	Request  targon.Digest
	Receipt  targon.Digest
	Block    targon.Block // of its arrival
	AuditPPM uint32       // the rate in force for this prover
	Due      Due
	Reason   targon.Reason // of its verdict
}

// Audited reports whether the verifier looked at it, or tried to.
func (d Draw) Audited() bool {
	return d.Due != DueOptedOut && d.Due != DueSkipped && d.Reason != targon.ReasonNotDrawn
}

// Kept reports whether the verifier did what was due, as far as that can be known. What
// it skipped is in its own words, and stays visible.
func (d Draw) Kept() bool {
	switch d.Due {
	case DueAudit:
		return d.Audited()
	case DueNothing:
		return !d.Audited()
	default:
		return true
	}
}

// Draws proves for every receipt of the closed epochs of a ledger whether it had to be
// audited, in the ledger's order, given the hashes of the chain's blocks. It ends with an
// error if the ledger contradicts itself, or shows another secret than it committed to.
func Draws(entries iter.Seq2[targon.Entry, error], hashes func(targon.Block) (targon.Digest, bool)) iter.Seq2[Draw, error] {
	return func(yield func(Draw, error) bool) {
		s := NewState(score.Throughput{}) // scores draw nothing
		for entry, err := range entries {
			if err != nil {
				yield(Draw{}, fmt.Errorf("read ledger: %w", err))
				return
			}
			if err := s.Apply(entry); err != nil {
				yield(Draw{}, err)
				return
			}
			closed, ok := entry.(targon.EpochClosed)
			if !ok {
				continue
			}
			e, secret := s.find(closed.Epoch), targon.Secret(closed.Secret)
			if err := e.shows(secret); err != nil {
				yield(Draw{}, err)
				return
			}
			for _, r := range e.records {
				if r.arrived.Status == targon.StatusComplete && !yield(e.draw(secret, r, hashes), nil) {
					return
				}
			}
		}
	}
}

// shows reports whether a secret is the one that the epoch was opened with.
func (e *epoch) shows(s targon.Secret) error {
	if challenge.Commitment(s) != e.opened.SecretHash {
		return fmt.Errorf("%w: epoch %d shows another secret than it committed to", ErrLedger, e.opened.Epoch)
	}
	return nil
}

// draw repeats the draw of one receipt.
func (e *epoch) draw(secret targon.Secret, r *record, hashes func(targon.Block) (targon.Digest, bool)) Draw {
	a := r.arrived
	d := Draw{
		Epoch: a.Epoch, UID: a.UID, Prover: a.Prover, Request: a.Request, Receipt: a.Receipt.Digest(), Block: a.Block,
		AuditPPM: e.rate(a.Prover), Reason: r.verdict.Reason,
	}
	switch d.Reason {
	case targon.ReasonOptedOut:
		d.Due = DueOptedOut
		return d
	case targon.ReasonRestart, targon.ReasonSpoolFull, targon.ReasonNoBlock:
		d.Due = DueSkipped
		return d
	default:
	}
	hash, known := hashes(a.Block + drawDistance)
	switch {
	case !known:
	case challenge.Drawn(secret, d.Receipt, hash, d.AuditPPM):
		d.Due = DueAudit
	default:
		d.Due = DueNothing
	}
	return d
}
