// Package ledgertest says what every ledger must do, as tests, and has a fake that
// does it in memory.
//
// It does not test what only files have: torn writes, full disks, other processes.
// Those are package ledger's own tests.
package ledgertest

import (
	"context"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
)

// Ledger is what roles use of a ledger, and Close.
type Ledger interface {
	// Append writes entries, all or none, and returns once they are durable.
	Append(ctx context.Context, entries ...targon.Entry) error
	// All yields what was durable when it was called, in order.
	All(ctx context.Context) iter.Seq2[targon.Entry, error]
	Close() error
}

// Opener opens one and the same ledger; between two calls the first must be closed.
type Opener func() (Ledger, error)

// Run tests the ledgers that fresh makes; each call must give an empty one.
func Run(t *testing.T, fresh func(t testing.TB) Opener) {
	tests := []struct {
		name string
		test func(t *testing.T, open Opener)
	}{
		{"every kind of entry comes back", testKinds},
		{"entries keep their order across reopening", testReopen},
		{"an append is all or none", testRefused},
		{"nothing appended is nothing", testNothing},
		{"a cancelled append writes nothing", testCancelled},
		{"reading may stop, be cancelled and begin again", testReading},
		{"a reader sees a snapshot", testSnapshot},
		{"concurrent appends", testConcurrent},
		{"one holder at a time", testHolder},
		{"closed", testClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, fresh(t)) })
	}
}

// Entries returns one entry of every kind, with all fields set.
func Entries() []targon.Entry {
	request, receipt, prover := targon.Digest{1, 2}, targon.Digest{3, 4}, targon.Hotkey{5, 6}
	return []targon.Entry{
		targon.EpochOpened{Epoch: 7, Block: 360, SecretHash: targon.Digest{8}, AuditPPM: 500_000},
		targon.Arrived{
			Epoch: 7, UID: 9, Prover: prover, Origin: targon.OriginOrganic, Status: targon.StatusComplete,
			Block: 400, OptedOut: true, Request: request,
			Receipt: targon.Receipt{
				Request: request, Chain: targon.Digest{10}, Finish: targon.FinishStop,
				PromptTokens: 11, Tokens: 12, Signature: targon.Signature{13},
			},
			Timing: targon.Timing{First: time.Millisecond, Total: time.Second, Burst: 60, Ended: 1_800_000_000_000},
		},
		targon.Judged{Epoch: 7, UID: 9, Verdict: targon.Verdict{
			Request: request, Receipt: receipt, Prover: prover, Outcome: targon.Failed, Reason: targon.ReasonMismatch,
			Tokens: 12, Position: 3, Claimed: 14, Winner: 15, Gap: 0.25, Detail: "id 14 where 15 wins",
		}},
		targon.EpochClosed{Epoch: 7, Block: 720, Secret: targon.Digest{16}},
		targon.ScoresMade{Epoch: 7, Scores: []targon.Score{{UID: 9, Hotkey: prover, Value: 1.5}}},
		targon.WeightsDecided{Epoch: 7, Block: 722, Weights: targon.Weights{{UID: 9, Value: 65535}, {UID: 10, Value: 1}}},
		targon.WeightsSet{Epoch: 7, Block: 723},
	}
}

func mark(writer, n int) targon.Entry {
	return targon.WeightsSet{Epoch: targon.Epoch(writer), Block: targon.Block(n)}
}

func opened(t *testing.T, open Opener) Ledger {
	t.Helper()
	l, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

func add(t *testing.T, l Ledger, entries ...targon.Entry) {
	t.Helper()
	if err := l.Append(t.Context(), entries...); err != nil {
		t.Fatalf("append: %v", err)
	}
}

func read(t *testing.T, l Ledger) []targon.Entry {
	t.Helper()
	var out []targon.Entry
	for e, err := range l.All(context.WithoutCancel(t.Context())) {
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		out = append(out, e)
	}
	return out
}

func want(t *testing.T, l Ledger, entries ...targon.Entry) {
	t.Helper()
	if diff := cmp.Diff(entries, read(t, l)); diff != "" {
		t.Errorf("entries differ (-want +got):\n%s", diff)
	}
}

func testKinds(t *testing.T, open Opener) {
	l := opened(t, open)
	want(t, l)
	add(t, l, Entries()...)
	want(t, l, Entries()...)
}

func testReopen(t *testing.T, open Opener) {
	var all []targon.Entry
	for round := range 3 {
		l := opened(t, open)
		want(t, l, all...)
		batch := []targon.Entry{mark(round, 0), mark(round, 1), mark(round, 0)}
		add(t, l, batch...)
		add(t, l, batch[1])
		all = append(append(all, batch...), batch[1])
		want(t, l, all...)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func testRefused(t *testing.T, open Opener) {
	l := opened(t, open)
	add(t, l, mark(0, 0))
	for name, bad := range map[string]targon.Entry{
		"nil":              nil,
		"cannot be stored": targon.ScoresMade{Scores: []targon.Score{{Value: -1}}},
		"cannot be read":   targon.Judged{Verdict: targon.Verdict{Outcome: targon.Passed, Reason: targon.ReasonGone}},
	} {
		if err := l.Append(t.Context(), mark(0, 1), bad, mark(0, 2)); err == nil {
			t.Errorf("an entry that is %s was accepted", name)
		}
	}
	want(t, l, mark(0, 0))
}

func testNothing(t *testing.T, open Opener) {
	l := opened(t, open)
	add(t, l)
	want(t, l)
}

func testCancelled(t *testing.T, open Opener) {
	l := opened(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Append(ctx, mark(0, 0)); err == nil {
		t.Error("append under a cancelled context succeeded")
	}
	want(t, l)
}

func testReading(t *testing.T, open Opener) {
	l := opened(t, open)
	add(t, l, mark(0, 0), mark(0, 1), mark(0, 2))
	ctx, cancel := context.WithCancel(t.Context())
	all := l.All(ctx)
	for range 2 {
		for e, err := range all {
			if err != nil || e != mark(0, 0) {
				t.Fatalf("first entry is %v, %v", e, err)
			}
			break
		}
	}
	cancel()
	for e, err := range all {
		if err == nil {
			t.Errorf("read %v under a cancelled context", e)
		}
	}
	want(t, l, mark(0, 0), mark(0, 1), mark(0, 2))
}

func testSnapshot(t *testing.T, open Opener) {
	l := opened(t, open)
	add(t, l, mark(0, 0), mark(0, 1))
	all, n := l.All(t.Context()), 0
	for e, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		if e != mark(0, n) {
			t.Fatalf("entry %d is %v", n, e)
		}
		n++
		add(t, l, mark(0, 1+n))
	}
	if n != 2 {
		t.Errorf("read %d entries, want the 2 that were there", n)
	}
	want(t, l, mark(0, 0), mark(0, 1), mark(0, 2), mark(0, 3))
}

// testConcurrent holds every writer to its own order, and every append to
// staying together.
func testConcurrent(t *testing.T, open Opener) {
	const writers, appends = 8, 20
	l := opened(t, open)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range appends {
				if err := l.Append(t.Context(), mark(w, 2*i), mark(w, 2*i+1)); err != nil {
					t.Error(err)
				}
				for _, err := range l.All(t.Context()) {
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
	var next [writers]int
	all := read(t, l)
	for i, e := range all {
		m := e.(targon.WeightsSet)
		if int(m.Block) != next[m.Epoch] {
			t.Fatalf("entry %d is number %d of writer %d, want %d", i, m.Block, m.Epoch, next[m.Epoch])
		}
		if m.Block%2 == 1 && all[i-1] != mark(int(m.Epoch), int(m.Block)-1) {
			t.Fatalf("entry %d is torn from the one that was appended with it", i)
		}
		next[m.Epoch]++
	}
	if len(all) != writers*appends*2 {
		t.Errorf("%d entries, want %d", len(all), writers*appends*2)
	}
}

func testHolder(t *testing.T, open Opener) {
	l := opened(t, open)
	if second, err := open(); err == nil {
		t.Errorf("a second holder was let in")
		_ = second.Close()
	}
	add(t, l, mark(0, 0))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, opened(t, open), mark(0, 0))
}

func testClosed(t *testing.T, open Opener) {
	l := opened(t, open)
	add(t, l, mark(0, 0))
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
	}
	if err := l.Append(t.Context(), mark(0, 1)); err == nil {
		t.Error("append after close succeeded")
	}
	for e, err := range l.All(t.Context()) {
		if err == nil {
			t.Errorf("read %v after close", e)
		}
	}
	want(t, opened(t, open), mark(0, 0))
}
