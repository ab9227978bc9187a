package verifier

import (
	"context"
	"fmt"
	"sync"
	"time"

	"targon"
)

// appendTime bounds one append; a ledger that takes longer has failed.
const appendTime = 30 * time.Second

// A journal is the only writer of the ledger. Entries that wait while another
// append is under way share the next one, so that a thousand arrivals a second do
// not cost a thousand syncs.
//
// Its invariant: state is folded from exactly what the ledger holds, in the
// ledger's order. After the first failure nobody knows what the ledger holds, so
// the journal stays failed and the verifier must be started again from a replay.
type journal struct {
	ledger Ledger
	fold   func([]targon.Entry) error
	failed chan struct{} // closed at the first failure
	turn   chan struct{} // holds a token while nobody appends

	mu   sync.Mutex
	next *batch // collects entries; nil when nobody waits for the turn
	err  error
}

type batch struct {
	entries []targon.Entry
	done    chan struct{}
	err     error
}

func newJournal(l Ledger, fold func([]targon.Entry) error) *journal {
	j := &journal{ledger: l, fold: fold, failed: make(chan struct{}), turn: make(chan struct{}, 1)}
	j.turn <- struct{}{}
	return j
}

// write returns nil once all entries are durable and folded. Entries of one call
// stay together and in order. A cancelled context does not stop an append: half
// an answer about what is durable would be none.
func (j *journal) write(ctx context.Context, entries ...targon.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	j.mu.Lock()
	if j.err != nil {
		defer j.mu.Unlock()
		return j.err
	}
	leads := j.next == nil
	if leads {
		j.next = &batch{done: make(chan struct{})}
	}
	b := j.next
	b.entries = append(b.entries, entries...)
	j.mu.Unlock()
	if leads {
		<-j.turn
		j.lead(ctx, b)
		j.turn <- struct{}{}
	}
	<-b.done
	return b.err
}

// lead appends a batch; the caller holds the turn.
func (j *journal) lead(ctx context.Context, b *batch) {
	defer close(b.done)
	j.mu.Lock()
	j.next = nil // nobody joins from here on
	b.err = j.err
	j.mu.Unlock()
	if b.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTime)
	defer cancel()
	// A crash before Append returns: the entries may be durable or not, whole or
	// in part, but nobody has been told that they are.
	if err := j.ledger.Append(ctx, b.entries...); err != nil {
		b.err = j.fail(fmt.Errorf("append to ledger: %w", err))
		return
	}
	// A crash here: the replay folds what this would have folded.
	if err := j.fold(b.entries); err != nil {
		b.err = j.fail(err)
	}
}

func (j *journal) fail(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = err
		close(j.failed)
	}
	return j.err
}

// broken returns the first failure.
func (j *journal) broken() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}
