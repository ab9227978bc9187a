package verifier

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"targon"
)

var errDisk = errors.New("disk is gone")

// slowLedger takes a while for each append and fails from one append on.
type slowLedger struct {
	appends [][]targon.Entry
	fails   int // append that fails, from 0; negative: none
}

func (l *slowLedger) Append(_ context.Context, entries ...targon.Entry) error {
	time.Sleep(time.Second)
	if len(l.appends) == l.fails {
		return errDisk
	}
	l.appends = append(l.appends, entries)
	return nil
}

func (l *slowLedger) All(context.Context) iter.Seq2[targon.Entry, error] { return nil }

// TestJournalShares: whoever waits for an append shares the next one, and what is
// folded is what was appended, in that order.
func TestJournalShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowLedger{fails: -1}
		var folded []targon.Entry
		j := newJournal(l, func(es []targon.Entry) error { folded = append(folded, es...); return nil })
		var wg sync.WaitGroup
		begun := time.Now()
		for i := range 100 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				cancel() // an append that has begun is not given up
				first, second := targon.WeightsSet{Epoch: targon.Epoch(i)}, targon.WeightsSet{Epoch: targon.Epoch(i), Block: 1}
				if err := j.write(ctx, first, second); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("100 writes took %v: %d appends", took, len(l.appends))
		}
		var appended []targon.Entry
		for _, es := range l.appends {
			appended = append(appended, es...)
		}
		if len(folded) != 200 || len(appended) != 200 {
			t.Fatalf("%d appended, %d folded", len(appended), len(folded))
		}
		for i := range folded {
			if folded[i] != appended[i] {
				t.Fatalf("entry %d was folded out of order", i)
			}
			if i%2 == 1 && (folded[i].(targon.WeightsSet).Block != 1 || folded[i].(targon.WeightsSet).Epoch != folded[i-1].(targon.WeightsSet).Epoch) {
				t.Fatalf("entry %d was torn from its write", i)
			}
		}
	})
}

// TestJournalFails: one failure is the end, for those who wait and those who come.
func TestJournalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &slowLedger{fails: 1}
		folded := 0
		j := newJournal(l, func(es []targon.Entry) error { folded += len(es); return nil })
		var wg sync.WaitGroup
		failures := make(chan error, 10)
		for i := range 10 {
			wg.Go(func() { failures <- j.write(t.Context(), targon.WeightsSet{Epoch: targon.Epoch(i)}) })
		}
		wg.Wait()
		close(failures)
		bad := 0
		for err := range failures {
			if err != nil {
				bad++
				if !errors.Is(err, errDisk) {
					t.Errorf("failure: %v", err)
				}
			}
		}
		if folded+bad != 10 || bad == 0 || folded == 0 {
			t.Errorf("%d folded, %d failed", folded, bad)
		}
		select {
		case <-j.failed:
		default:
			t.Error("nobody is told")
		}
		if err := j.write(t.Context(), targon.WeightsSet{}); !errors.Is(err, errDisk) || !errors.Is(j.broken(), errDisk) {
			t.Errorf("a write after the failure: %v", err)
		}
		if err := newJournal(l, nil).write(t.Context()); err != nil {
			t.Errorf("nothing to write: %v", err)
		}
	})
}

func TestJournalFoldFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(&slowLedger{fails: -1}, func([]targon.Entry) error { return ErrLedger })
		if err := j.write(t.Context(), targon.WeightsSet{}); !errors.Is(err, ErrLedger) || !errors.Is(j.broken(), ErrLedger) {
			t.Errorf("write: %v", err)
		}
	})
}
