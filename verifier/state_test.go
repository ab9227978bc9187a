package verifier

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/score"
)

const monthEnd = targon.Block(targon.MonthBlocks)

func arrived(n byte, e targon.Epoch, b targon.Block) targon.Arrived {
	d := targon.Digest{n}
	return targon.Arrived{
		Epoch: e, UID: 3, Prover: targon.Hotkey{3}, Origin: targon.OriginChallenge, Status: targon.StatusComplete,
		Block: b, Request: d, Receipt: targon.Receipt{Request: d, Tokens: 40}, Timing: targon.Timing{Total: time.Second},
	}
}

func judged(a targon.Arrived, r targon.Reason) targon.Judged { return ruled(a, r, "") }

func opened(e targon.Epoch, b targon.Block) targon.EpochOpened {
	return targon.EpochOpened{Epoch: e, Block: b, AuditPPM: 1}
}

// bound closes the first epoch at block 15 with the root of one receipt.
func bound(a targon.Arrived) targon.EpochClosed {
	e := epoch{records: []*record{{arrived: targon.Arrived{Status: targon.StatusBusy}}, {arrived: a}}, end: 15}
	c, err := e.closing(targon.Digest{})
	if err != nil {
		panic(err)
	}
	return c
}

// TestApply is what a ledger may say and what it may not.
func TestApply(t *testing.T) {
	a := arrived(1, 0, 12)
	scores := targon.ScoresMade{Scores: []targon.Score{{UID: 3, Hotkey: targon.Hotkey{3}}}}
	set := targon.WeightsSet{Block: 17}
	good := []targon.Entry{
		opened(0, 10), a, judged(a, targon.ReasonEqual), opened(1, 15),
		targon.EpochClosed{Block: 15},
		scores,
		targon.WeightsDecided{Block: 17},
		set,
	}
	after := func(n int, more ...targon.Entry) []targon.Entry { return append(slices.Clone(good[:n]), more...) }
	for _, c := range []struct {
		name    string
		entries []targon.Entry
		bad     bool // the last one is refused
	}{
		{"whole", good, false},
		{"first epoch is not 0", []targon.Entry{opened(1, 10)}, true},
		{"epoch is left out", after(3, opened(2, 15)), true},
		{"epoch opens where the last did", after(1, opened(1, 10)), true},
		{"epoch opens one block later", after(1, opened(1, 11)), false},
		{"epoch opens at an arrival", after(2, opened(1, 12)), true},
		{"epoch opens after an arrival", after(2, opened(1, 13)), false},
		{"arrival before any epoch", []targon.Entry{a}, true},
		{"arrival at the first block", after(1, arrived(2, 0, 10)), false},
		{"arrival before the first block", after(1, arrived(2, 0, 9)), true},
		{"arrival at the last block", after(4, arrived(2, 0, 14)), false},
		{"arrival after the last block", after(4, arrived(2, 0, 15)), true},
		{"arrival in a closed epoch", after(5, arrived(2, 0, 12)), true},
		{"arrival twice", after(2, a), true},
		{"arrival again in the next epoch", after(4, arrived(1, 1, 16)), true},
		{"verdict twice", after(3, judged(a, targon.ReasonEqual)), true},
		{"verdict in a closed epoch", after(5, judged(a, targon.ReasonEqual)), true},
		{"closed while it is the newest", after(3, targon.EpochClosed{}), true},
		{"closed at another block", after(4, targon.EpochClosed{Block: 16}), true},
		{"closed with an arrival unjudged", after(4, arrived(2, 0, 14), targon.EpochClosed{Block: 15}), true},
		{"closed with its root", after(4, bound(a)), false},
		{"closed with another root", after(4, bound(arrived(2, 0, 12))), true},
		{"closed with a root and another count", after(4, targon.EpochClosed{Block: 15, Root: bound(a).Root, Receipts: 2}), true},
		{"closed twice", after(5, targon.EpochClosed{Block: 15}), true},
		{"closed before an older one", after(4, opened(2, 20), targon.EpochClosed{Epoch: 1, Block: 20}), true},
		{"scored before it is closed", after(4, scores), true},
		{"scored twice", after(6, scores), true},
		{"decided before it is scored", after(5, targon.WeightsDecided{}), true},
		{"decided anew", after(7, targon.WeightsDecided{Block: 18}), false},
		{"decided for an epoch to come", after(7, targon.WeightsDecided{Epoch: 1}), true},
		{"set before it is decided", after(6, set), true},
		{"set twice", after(8, set), true},
		{"set for an epoch to come", after(7, targon.WeightsSet{Epoch: 1}), true},
	} {
		s := NewState(score.Throughput{})
		for i, e := range c.entries {
			err := s.Apply(e)
			if bad := c.bad && i == len(c.entries)-1; (err != nil) != bad || bad && !errors.Is(err, ErrLedger) {
				t.Errorf("%s: entry %d of type %T: %v", c.name, i, e, err)
				break
			}
		}
	}
}

// TestSamples is what becomes of every kind of verdict.
func TestSamples(t *testing.T) {
	for r, want := range map[targon.Reason]score.Sample{
		targon.ReasonEqual:        {Passed: true},
		targon.ReasonMismatch:     {Failed: true},
		targon.ReasonGone:         {Failed: true},
		targon.ReasonBuffered:     {Failed: true, Buffered: true},
		targon.ReasonBufferedLone: {},
		targon.ReasonNotDrawn:     {},
		targon.ReasonRestart:      {},
	} {
		a := arrived(1, 0, 12)
		want.UID, want.Hotkey, want.Origin, want.Tokens, want.Total = a.UID, a.Prover, a.Origin, 40, time.Second
		e := &epoch{records: []*record{
			{arrived: a, verdict: judged(a, targon.ReasonOptedOut).Verdict}, // earns nothing
			{arrived: a, verdict: judged(a, r).Verdict},
		}}
		if d := cmp.Diff([]score.Sample{want}, e.samples()); d != "" {
			t.Errorf("%v: %s", r, d)
		}
	}
}

// TestBarred: a mismatch bars in the months that its epoch touches.
func TestBarred(t *testing.T) {
	for _, c := range []struct {
		at, end targon.Block // of the mismatch, and of the epoch that is scored
		want    bool
	}{
		{monthEnd - 1, monthEnd, true},
		{monthEnd, monthEnd, false}, // the epoch ends with the month, the mismatch is in the next
		{monthEnd, monthEnd + 1, true},
	} {
		s := NewState(score.Throughput{})
		a := arrived(1, 0, c.at)
		second := opened(1, c.end)
		entries := []targon.Entry{opened(0, monthEnd-5), a, judged(a, targon.ReasonMismatch), second}
		if c.at >= c.end {
			a.Epoch = 1
			entries = []targon.Entry{opened(0, monthEnd-5), second, a, judged(a, targon.ReasonMismatch)}
		}
		entries = append(entries, targon.EpochClosed{Block: c.end},
			targon.ScoresMade{Scores: []targon.Score{{UID: 3, Hotkey: a.Prover, Value: 1}}})
		for _, e := range entries {
			if err := s.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.weights(func(targon.Score) bool { return true }).Of(3) == 0; got != c.want {
			t.Errorf("mismatch at %d, epoch to %d: barred %v", c.at, c.end, got)
		}
	}
}

// bank is a chain that shows what the test says it shows.
type bank struct {
	updated targon.Block
	holds   targon.Weights
	sent    int
}

func (b *bank) Blocks(context.Context) iter.Seq2[targon.Header, error] { return nil }

func (b *bank) Metagraph(context.Context) (targon.Metagraph, error) {
	return targon.Metagraph{Neurons: []targon.Neuron{{LastUpdate: b.updated}, {UID: 3, Hotkey: targon.Hotkey{3}}}}, nil
}

func (b *bank) SetWeights(context.Context, targon.Weights) error { b.sent++; return io.EOF }

// exact is a bank that also says what it holds.
type exact struct{ *bank }

func (e exact) Weights(context.Context, targon.UID) (targon.Weights, error) { return e.holds, nil }

// nobody is a ledger that takes everything.
type nobody struct{}

func (nobody) Append(context.Context, ...targon.Entry) error      { return nil }
func (nobody) All(context.Context) iter.Seq2[targon.Entry, error] { return nil }

// TestPay: when decided weights are sent, and what the chain must show for them to
// count as set. Weights of the epoch before were set in block 20.
func TestPay(t *testing.T) {
	decided := targon.WeightsDecided{Epoch: 1, Block: 20, Weights: targon.Weights{{UID: 3, Value: 65535}}}
	for _, c := range []struct {
		name    string
		updated targon.Block
		decided targon.Block
		height  targon.Block
		last    sent
		holds   targon.Weights
		sends   bool
		set     bool
	}{
		{name: "not sent yet", updated: 20, decided: 25, height: 25, sends: true},
		{name: "in the block of the last", updated: 20, decided: 20, height: 20},
		{name: "a block later", updated: 20, decided: 20, height: 21, sends: true},
		{name: "landed", updated: 25, decided: 25, height: 25, set: true},
		{name: "landed before they were decided", updated: 24, decided: 25, height: 25, sends: true},
		{name: "sent a block ago", updated: 20, decided: 25, height: 26, last: sent{decided, 25, true}},
		{name: "sent two blocks ago", updated: 20, decided: 25, height: 27, last: sent{decided, 25, true}, sends: true},
		{name: "these landed", updated: 25, decided: 25, height: 25, holds: append(targon.Weights{{UID: 1}}, decided.Weights...), set: true},
		{name: "others landed", updated: 25, decided: 25, height: 26, holds: targon.Weights{{UID: 1, Value: 65535}}, sends: true},
	} {
		b := &bank{updated: c.updated, holds: c.holds}
		v := &Verifier{state: NewState(score.Throughput{}), height: c.height, log: slog.New(slog.DiscardHandler), fresh: make(chan struct{}, 1)}
		v.cfg.Chain = b
		if c.holds != nil {
			v.cfg.Chain = exact{b}
		}
		v.journal = newJournal(nobody{}, v.fold)
		v.cfg.Observe = func(targon.Entry) {}
		s := v.state
		s.decided, s.decided.Block, s.decisions = decided, c.decided, 2
		s.set, s.sets = targon.WeightsSet{Block: 20}, 1
		s.scored = targon.ScoresMade{Epoch: 1, Scores: []targon.Score{{UID: 3, Hotkey: targon.Hotkey{3}, Value: 1}}}
		if err := v.pay(t.Context(), &c.last); err != nil {
			t.Fatal(err)
		}
		if (b.sent == 1) != c.sends || (s.sets == 2) != c.set {
			t.Errorf("%s: sent %d times, set %v", c.name, b.sent, s.sets == 2)
		}
	}
}

// TestDue: an epoch closes two blocks after its end, not while anything is open.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		height  targon.Block
		stamped targon.Epoch
		want    bool
	}{{16, 1, false}, {17, 1, true}, {17, 0, false}, {30, 0, false}} {
		v := &Verifier{state: NewState(score.Throughput{}), height: c.height, stamped: map[targon.Digest]targon.Epoch{{9}: c.stamped}}
		for _, e := range []targon.Entry{opened(0, 10), opened(1, 15)} {
			if err := v.state.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		due, err := v.due()
		if got := due != nil; got != c.want || err != nil {
			t.Errorf("at %d with an arrival in epoch %d on its way: due %v, %v", c.height, c.stamped, got, err)
		}
	}
}
