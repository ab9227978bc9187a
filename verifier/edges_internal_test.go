package verifier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/bundle"
	"targon/challenge"
	"targon/evidence"
	"targon/proof"
	"targon/score"
	"targon/sign"
)

// torn is a ledger that takes nothing.
type torn struct{ nobody }

func (torn) Append(context.Context, ...targon.Entry) error { return io.ErrShortWrite }

// TestBetsFit: what a verdict says of itself and the bet that it carries must agree.
func TestBetsFit(t *testing.T) {
	nulls := []targon.Null{{}}
	calm := make([]int64, evidence.Alternatives)
	loud := slices.Repeat([]int64{13_000_000_000}, evidence.Alternatives)
	for _, c := range []struct {
		reason targon.Reason
		nulls  []targon.Null
		bet    []int64 // nil: none was made
		ok     bool
	}{
		{targon.ReasonWithin, nulls, calm, true},
		{targon.ReasonWithin, nulls, loud, false},
		{targon.ReasonWithin, nil, calm, false},
		{targon.ReasonMargin, nulls, loud, true},
		{targon.ReasonMargin, nulls, calm, false},
		{targon.ReasonMargin, nulls, nil, true}, // too cold to be evidence, and a failure all the same
		{targon.ReasonMargin, nil, loud, false},
		{targon.ReasonBuffered, nulls, calm, true},
		{targon.ReasonBuffered, nulls, loud, false},
		{targon.ReasonUncalibrated, nil, nil, true},
		{targon.ReasonUncalibrated, nulls, nil, false},
		{targon.ReasonEqual, nil, nil, true},
	} {
		v := targon.Verdict{Reason: c.reason, Outcome: c.reason.Outcome(), Nulls: c.nulls, Bet: c.bet}
		if err := (&checker{}).bets(v); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrLedger) {
			t.Errorf("%v with %d nulls and bet %v: %v, want it to fit: %v", c.reason, len(c.nulls), c.bet, err, c.ok)
		}
	}
}

// TestDecidedAnew: weights of the epoch decided last may be decided once more, those of
// an epoch that another has overtaken change nothing.
func TestDecidedAnew(t *testing.T) {
	s := NewState(score.Throughput{})
	for _, e := range []targon.Entry{
		opened(0, 10), opened(1, 15), opened(2, 20),
		targon.EpochClosed{Block: 15},
		targon.ScoresMade{},
		targon.WeightsDecided{Block: 17},
		targon.EpochClosed{Epoch: 1, Block: 20},
		targon.ScoresMade{Epoch: 1},
		targon.WeightsDecided{Epoch: 1, Block: 22},
	} {
		if err := s.Apply(e); err != nil {
			t.Fatalf("%T: %v", e, err)
		}
	}
	again := targon.WeightsDecided{Epoch: 1, Block: 23, Weights: targon.Weights{{UID: 3, Value: 65535}}}
	overtaken := targon.WeightsDecided{Epoch: 0, Block: 24}
	for _, e := range []targon.Entry{again, overtaken} {
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(again, s.decided); diff != "" {
			t.Errorf("after %+v: %s", e, diff)
		}
	}
}

// TestIsNew: a block above the last is new, and the last is as long as nothing is known
// of it; what the ledger is past is not.
func TestIsNew(t *testing.T) {
	known := map[targon.Block]targon.Digest{10: {1}}
	for _, c := range []struct {
		number, newest targon.Block
		hashes         map[targon.Block]targon.Digest
		want           bool
	}{
		{11, 10, known, true},
		{10, 10, known, false},
		{9, 9, known, false},
		{10, 10, nil, true}, // after a start
		{11, 12, known, false},
		{11, 12, nil, false},
	} {
		v := &Verifier{state: NewState(score.Throughput{}), height: 10, hashes: c.hashes, log: slog.New(slog.DiscardHandler)}
		v.state.newest = c.newest
		if got := v.isNew(t.Context(), targon.Header{Number: c.number}); got != c.want {
			t.Errorf("block %d, %d hashes known, ledger at %d: new %v, want %v", c.number, len(c.hashes), c.newest, got, c.want)
		}
	}
}

// TestDueAfterClosing: an epoch is scored when the chain has told who there is, be it nobody.
func TestDueAfterClosing(t *testing.T) {
	for name, c := range map[string]struct {
		meta targon.Metagraph
		want bool
	}{
		"the chain has told nothing": {targon.Metagraph{}, false},
		"nobody is registered":       {targon.Metagraph{Block: 5}, true},
		"somebody at genesis":        {targon.Metagraph{Neurons: make([]targon.Neuron, 1)}, true},
		"somebody":                   {targon.Metagraph{Block: 5, Neurons: make([]targon.Neuron, 1)}, true},
	} {
		v := &Verifier{state: NewState(score.Throughput{}), height: 17, meta: c.meta}
		for _, e := range []targon.Entry{opened(0, 10), opened(1, 15), targon.EpochClosed{Block: 15}} {
			if err := v.state.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		due, err := v.due()
		if _, scores := due.(targon.ScoresMade); scores != c.want || err != nil {
			t.Errorf("%s: due is %T, %v", name, due, err)
		}
	}
}

// payer is a verifier that owes the weights of epoch 2, having set those of epoch 0.
func payer(chain Chain, l Ledger, height targon.Block) *Verifier {
	v := &Verifier{state: NewState(score.Throughput{}), height: height, log: slog.New(slog.DiscardHandler), fresh: make(chan struct{}, 1)}
	v.cfg.Chain, v.cfg.Observe = chain, func(targon.Entry) {}
	v.journal = newJournal(l, v.fold)
	s := v.state
	s.decided, s.decisions = targon.WeightsDecided{Epoch: 2, Block: 26, Weights: targon.Weights{{UID: 3, Value: 65535}}}, 3
	s.set, s.sets = targon.WeightsSet{Block: 20}, 1
	s.scored = targon.ScoresMade{Epoch: 2, Scores: []targon.Score{{UID: 3, Hotkey: targon.Hotkey{3}, Value: 1}}}
	return v
}

// TestPayOvertaken: weights that were sent may land after others have been decided. For
// as long as they would be waited for, the chain is read for these.
func TestPayOvertaken(t *testing.T) {
	before := targon.WeightsDecided{Epoch: 1, Block: 25, Weights: targon.Weights{{UID: 4, Value: 65535}}}
	for _, c := range []struct {
		name   string
		height targon.Block
		last   sent
		set    uint64
		sends  int
	}{
		{"a block after they were sent", 26, sent{before, 25, true}, 2, 0},
		{"when they are waited for no more", 27, sent{before, 25, true}, 1, 1},
		{"they were another process's", 26, sent{}, 1, 1},
	} {
		b := &bank{updated: 25, holds: before.Weights}
		v := payer(exact{b}, nobody{}, c.height)
		if err := v.pay(t.Context(), &c.last); err != nil {
			t.Fatal(err)
		}
		if v.state.sets != c.set || b.sent != c.sends || c.set == 2 && v.state.set.Epoch != 1 {
			t.Errorf("%s: set %d times, the last %+v, sent %d times", c.name, v.state.sets, v.state.set, b.sent)
		}
	}
}

// TestPayWrites: what is not on record is neither set nor sent; and who has left by the
// time of sending is not paid.
func TestPayWrites(t *testing.T) {
	gone := targon.Hotkey{9} // the hotkey that had the UID
	for _, c := range []struct {
		name   string
		landed bool
		left   bool
		ledger Ledger
		sends  int
		fails  bool
	}{
		{"landed", true, false, nobody{}, 0, false},
		{"landed, no ledger", true, false, torn{}, 0, true},
		{"somebody left", false, true, nobody{}, 1, false},
		{"somebody left, no ledger", false, true, torn{}, 0, true},
		{"nothing to write", false, false, torn{}, 1, false},
	} {
		b := &bank{updated: 20}
		if c.landed {
			b.updated = 26
		}
		v := payer(b, c.ledger, 26)
		if c.left {
			v.state.scored.Scores[0].Hotkey = gone
		}
		err := v.pay(t.Context(), &sent{})
		if (err != nil) != c.fails || b.sent != c.sends {
			t.Errorf("%s: %v, sent %d times", c.name, err, b.sent)
		}
		if paid := v.state.decided.Weights.Of(3) > 0; !c.fails && paid == c.left {
			t.Errorf("%s: paid %v", c.name, paid)
		}
	}
}

// TestFinish: the end of a context is the end of a run and no failure; a ledger that
// fails is one, whatever ended the run.
func TestFinish(t *testing.T) {
	broken := newJournal(torn{}, nil)
	_ = broken.write(t.Context(), opened(0, 1))
	sound := newJournal(nobody{}, nil)
	for _, c := range []struct {
		journal   *journal
		err, want error
	}{
		{sound, nil, nil},
		{sound, context.Canceled, nil},
		{sound, fmt.Errorf("ask: %w", context.DeadlineExceeded), nil},
		{sound, io.EOF, io.EOF},
		{broken, nil, io.ErrShortWrite},
		{broken, context.Canceled, io.ErrShortWrite},
	} {
		v := &Verifier{journal: c.journal, cfg: Config{Drain: time.Minute}}
		if err := v.finish(c.err, func() {}); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%v: %v, want %v", c.err, err, c.want)
		}
	}
}

// TestViewCounts: only what was drawn and passed of users' requests is verified; the
// commonest failure is named, of equals the first; and provers stand by UID, then hotkey.
func TestViewCounts(t *testing.T) {
	user, ours := arrived(1, 0, 12), arrived(2, 0, 12)
	user.Origin = targon.OriginOrganic
	var got tally
	got.reasons = map[targon.Reason]uint64{}
	for _, a := range []targon.Arrived{user, ours, ours} {
		got.judge(&record{arrived: a, verdict: judged(a, targon.ReasonEqual).Verdict})
		got.judge(&record{arrived: a, verdict: judged(a, targon.ReasonMismatch).Verdict})
	}
	if got.organic.Verified != 1 {
		t.Errorf("%d users' requests are verified, want 1", got.organic.Verified)
	}
	first, second := targon.ReasonSignature, targon.ReasonMismatch
	if first > second {
		first, second = second, first
	}
	for range 20 { // reasons come out of a map
		s := NewState(score.Throughput{})
		reasons := map[targon.Reason]uint64{second: 2, first: 2, targon.ReasonGone: 1, targon.ReasonEqual: 9}
		if p := s.prover(targon.Hotkey{3}, &tally{reasons: reasons}); p.Reason != first {
			t.Fatalf("commonest failure %v, want %v", p.Reason, first)
		}
	}
	ps := []ProverView{{UID: 2, Hotkey: targon.Hotkey{1}}, {UID: 1, Hotkey: targon.Hotkey{3}}, {UID: 1, Hotkey: targon.Hotkey{2}}}
	sortProvers(ps)
	if ps[0].UID != 1 || ps[1].UID != 1 || bytes.Compare(ps[0].Hotkey[:], ps[1].Hotkey[:]) >= 0 {
		t.Errorf("in the order %+v", ps)
	}
}

// TestExhibitsInOrder: what failed is shown first, then what nobody could decide.
func TestExhibitsInOrder(t *testing.T) {
	var x exhibits
	for _, r := range []targon.Reason{targon.ReasonEqual, targon.ReasonAmbiguous, targon.ReasonMismatch, targon.ReasonEqual} {
		x.held = append(x.held, exhibit{Bundle: bundle.Bundle{Judged: targon.Judged{Epoch: 4, Verdict: targon.Verdict{Reason: r, Outcome: r.Outcome()}}}})
	}
	var got []targon.Outcome
	for _, b := range x.of(4) {
		got = append(got, b.Judged.Verdict.Outcome)
	}
	if want := []targon.Outcome{targon.Failed, targon.Undecided, targon.Passed, targon.Passed}; !slices.Equal(got, want) {
		t.Errorf("shown are %v, want %v", got, want)
	}
}

// TestExhibitsDropped: an epoch that is let go of takes its own along, and gives back
// the room that they took.
func TestExhibitsDropped(t *testing.T) {
	x := exhibits{used: 111}
	for i, size := range []int64{1, 10, 100} {
		x.held = append(x.held, exhibit{size: size, Bundle: bundle.Bundle{Judged: targon.Judged{Epoch: targon.Epoch(i / 2)}}})
	}
	x.drop(0)
	if x.used != 100 || len(x.of(0)) != 0 || len(x.of(1)) != 1 {
		t.Errorf("%d bytes are used by %d of epoch 0 and %d of epoch 1", x.used, len(x.of(0)), len(x.of(1)))
	}
}

// TestFate: a user is told what became of a request by what is on record of it.
func TestFate(t *testing.T) {
	id := targon.Digest{5}
	kept := exhibit{Bundle: bundle.Bundle{Arrived: targon.Arrived{Request: id}}}
	seen := func(r targon.Reason) map[targon.Digest]targon.Reason { return map[targon.Digest]targon.Reason{id: r} }
	for _, c := range []struct {
		name     string
		seen     map[targon.Digest]targon.Reason
		arriving bool
		kept     []exhibit
		want     targon.Fate
	}{
		{"never heard of", nil, false, nil, targon.FateUnknown},
		{"on its way to the ledger", nil, true, nil, targon.FateWaiting},
		{"without a verdict", seen(targon.ReasonNone), false, nil, targon.FateWaiting},
		{"spared", seen(targon.ReasonNotDrawn), false, nil, targon.FateNotDrawn},
		{"spared, and on its way once more", seen(targon.ReasonNotDrawn), true, nil, targon.FateNotDrawn},
		{"judged", seen(targon.ReasonEqual), false, []exhibit{kept}, targon.FateJudged},
		{"judged and handed over", seen(targon.ReasonEqual), false, nil, targon.FateGone},
	} {
		v := &Verifier{state: NewState(score.Throughput{}), favours: exhibits{held: c.kept}}
		v.state.users.seen = c.seen
		if c.arriving {
			v.stamped = map[targon.Digest]targon.Epoch{id: 1}
		}
		if got := v.Fate(id); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestExhibitsFit: what just fits is kept; what is more lets go of what passed, if it did
// not pass itself.
func TestExhibitsFit(t *testing.T) {
	of := func(r targon.Reason) bundle.Bundle {
		return bundle.Bundle{Judged: targon.Judged{Verdict: targon.Verdict{Reason: r, Outcome: r.Outcome()}}}
	}
	size := of(targon.ReasonEqual).Memory()
	for _, c := range []struct {
		name  string
		limit int64
		then  targon.Reason
		want  []targon.Reason
	}{
		{"room for two", 2 * size, targon.ReasonEqual, []targon.Reason{targon.ReasonEqual, targon.ReasonEqual}},
		{"a byte less", 2*size - 1, targon.ReasonEqual, []targon.Reason{targon.ReasonEqual}},
		{"room for two, the second fails", 2 * size, targon.ReasonMismatch, []targon.Reason{targon.ReasonMismatch, targon.ReasonEqual}},
		{"a byte less, the second fails", 2*size - 1, targon.ReasonMismatch, []targon.Reason{targon.ReasonMismatch}},
	} {
		x := exhibits{limit: c.limit}
		x.keep(of(targon.ReasonEqual))
		x.keep(of(c.then))
		var got []targon.Reason
		for _, b := range x.of(0) {
			got = append(got, b.Judged.Verdict.Reason)
		}
		if !slices.Equal(got, c.want) || x.used != int64(len(got))*size {
			t.Errorf("%s: kept are %v in %d bytes, want %v", c.name, got, x.used, c.want)
		}
	}
}

// TestNothingDecided: before the first decision there are no weights, and none to make anew.
func TestNothingDecided(t *testing.T) {
	s := NewState(score.Throughput{})
	if _, _, ok := s.Weights(); ok {
		t.Error("weights before any are decided")
	}
	if err := s.Apply(targon.WeightsDecided{}); !errors.Is(err, ErrLedger) {
		t.Errorf("weights of an epoch that was never opened: %v", err)
	}
}

// answering is what a prover's end of an exchange comes to.
type answering func(context.Context) (targon.Exchange, error)

func (a answering) Ask(ctx context.Context, _ targon.Neuron, _ targon.Request, _ func(targon.Token) error) (targon.Exchange, error) {
	return a(ctx)
}

// TestChallengeEnds: an answer is complete if it is so in time, to the nanosecond; what
// the asker cannot do is our fault, and what we break off is nobody's.
func TestChallengeEnds(t *testing.T) {
	const deadline = time.Minute
	after := func(d time.Duration, s targon.Status, err error) answering {
		return func(context.Context) (targon.Exchange, error) {
			return targon.Exchange{Status: s, Timing: targon.Timing{Total: d}}, err
		}
	}
	hangs := answering(func(ctx context.Context) (targon.Exchange, error) {
		<-ctx.Done()
		return targon.Exchange{Status: targon.StatusGone}, ctx.Err()
	})
	for _, c := range []struct {
		name string
		by   answering
		ends bool // we do
		want targon.Status
	}{
		{"in time", after(time.Second, targon.StatusComplete, nil), false, targon.StatusComplete},
		{"at the deadline", after(deadline, targon.StatusComplete, nil), false, targon.StatusComplete},
		{"after it", after(deadline+1, targon.StatusComplete, nil), false, targon.StatusIncomplete},
		{"complete, and the asker fails", after(time.Second, targon.StatusComplete, io.EOF), false, targon.StatusOurs},
		{"the asker fails", after(time.Second, targon.StatusGone, io.EOF), false, targon.StatusOurs},
		{"gone", after(time.Second, targon.StatusGone, nil), false, targon.StatusGone},
		{"hangs", hangs, false, targon.StatusIncomplete},
		{"hangs, and we end", hangs, true, targon.StatusAborted},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := &Verifier{state: NewState(score.Throughput{}), flights: map[targon.Hotkey]*flight{}}
			v.cfg = Config{Asker: c.by, Deadline: deadline, Prompts: func(*rand.Rand) targon.Draft { return targon.Draft{} }}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.ends {
				cancel()
			}
			status, err := v.challenge(ctx, targon.Neuron{}, challenge.Nonce{})
			if status != c.want || !errors.Is(err, ErrNotReady) { // there is no epoch to record it in
				t.Errorf("%s: %v, %v, want %v", c.name, status, err, c.want)
			}
		})
	}
}

// TestLoad: a request is under way for two deadlines, and gone after.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const deadline = time.Minute
		v := &Verifier{cfg: Config{Deadline: deadline}, flights: map[targon.Hotkey]*flight{}}
		v.takeOff(targon.Request{})
		for _, c := range []struct {
			pass time.Duration
			want int
		}{{2 * deadline, 1}, {1, 0}} {
			time.Sleep(c.pass)
			if got, _ := v.load(targon.Hotkey{}); got != c.want {
				t.Errorf("%v more: %d under way, want %d", c.pass, got, c.want)
			}
		}
	})
}

// TestExpire: a receipt waits for its draw for fifty blocks' time, and no longer.
func TestExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every = 12 * time.Second
		sp, err := openSpool("", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		v := &Verifier{cfg: Config{BlockTime: every, Observe: func(targon.Entry) {}}, state: NewState(score.Throughput{}), spool: sp}
		v.journal = newJournal(nobody{}, v.fold)
		a := arrived(1, 0, 12)
		for _, e := range []targon.Entry{opened(0, 10), a} {
			if err := v.state.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		v.waiting = []*pending{{Arrived: a, since: time.Now()}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			if err := v.expire(ctx); err != nil {
				t.Error(err)
			}
		}()
		for _, c := range []struct {
			blocks   time.Duration
			unjudged int
		}{{patience, 1}, {1, 0}} {
			time.Sleep(c.blocks * every)
			synctest.Wait()
			v.mu.Lock()
			if got := v.state.epochs[0].unjudged; got != c.unjudged || len(v.waiting) != c.unjudged {
				t.Errorf("%d blocks' time more: %d unjudged, %d waiting, want %d", c.blocks, got, len(v.waiting), c.unjudged)
			}
			v.mu.Unlock()
		}
		if r := v.state.epochs[0].records[0].verdict.Reason; r != targon.ReasonNoBlock {
			t.Errorf("given up for %v", r)
		}
	})
}

// TestReferenceBreaksOff: a reference that fails when it is asked a second time is our
// fault, as it is at the first.
func TestReferenceBreaksOff(t *testing.T) {
	r := targon.Request{Weights: targon.Digest{1}, Prompt: []targon.TokenID{1}, MaxTokens: 1}
	x := targon.Transcript{Request: r, Tokens: []targon.TokenID{0}, Receipt: targon.Receipt{Finish: targon.FinishLength, Tokens: 1}}
	all := []targon.Scored{{ID: 0, Logit: 3}, {ID: 1, Logit: 2}, {ID: 2, Logit: 1}}
	for good := range 2 {
		asked := 0
		m := &margins{replay: proof.Replay{}}
		v := m.weigh(&pending{}, x, targon.Need{Top: 1}, func(n targon.Need) (targon.Scores, error) {
			if asked++; asked > good {
				return targon.Scores{}, io.EOF
			}
			return targon.Scores{Weights: r.Weights, Vocab: 3, Positions: []targon.Position{{Claimed: all[0], Top: all[:n.Top]}}}, nil
		})
		if v.Reason != targon.ReasonReference || v.Detail != io.EOF.Error() || asked != good+1 {
			t.Errorf("%d askings are answered: %v (%s) after %d", good, v.Reason, v.Detail, asked)
		}
	}
}

// scoring is a reference that lists one id at first, and then breaks.
type scoring struct{ calls int }

func (s *scoring) Score(_ context.Context, r targon.Request, ids []targon.TokenID, _ targon.Need) (targon.Scores, error) {
	if s.calls++; s.calls > 1 {
		return targon.Scores{}, io.EOF
	}
	one := targon.Scored{ID: ids[0], Logit: 3}
	return targon.Scores{Weights: r.Weights, Vocab: 3, Positions: []targon.Position{{Claimed: one, Top: []targon.Scored{one}}}}, nil
}

// TestReferenceBreaksOffAtEquality: likewise where ids are compared for equality.
func TestReferenceBreaksOffAtEquality(t *testing.T) {
	k, err := sign.FromSeed(targon.Secret{7})
	if err != nil {
		t.Fatal(err)
	}
	r := targon.Request{
		Verifier: targon.Hotkey{9}, Prover: k.Hotkey(), Model: "toy", Weights: targon.Digest{1}, Prompt: []targon.TokenID{1}, MaxTokens: 1,
	}
	x := targon.Transcript{Request: r, Tokens: []targon.TokenID{0}}
	x.Receipt = targon.ReceiptFor(r, x.Tokens, targon.FinishLength)
	if x.Receipt.Signature, err = k.Sign(x.Receipt.Message()); err != nil {
		t.Fatal(err)
	}
	sp, err := openSpool("", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := sp.put(r.Digest(), x); err != nil {
		t.Fatal(err)
	}
	ref := &scoring{}
	v := &Verifier{state: NewState(score.Throughput{}), spool: sp, cfg: Config{Vocab: 3, Reference: ref, ScoreTime: time.Minute}}
	got := v.verdict(t.Context(), &pending{Arrived: targon.Arrived{Prover: r.Prover, Request: r.Digest()}})
	if got.Reason != targon.ReasonReference || got.Detail != io.EOF.Error() || ref.calls != 2 {
		t.Errorf("%v (%s) after %d askings", got.Reason, got.Detail, ref.calls)
	}
}

// TestNonce: a private input goes into what is asked only while it is that of the block;
// without one, each request is numbered all the same.
func TestNonce(t *testing.T) {
	for _, fed := range []bool{true, false} {
		v := &Verifier{height: 5, hashes: map[targon.Block]targon.Digest{5: {5}}, input: targon.Digest{6}, fed: fed}
		want := challenge.Nonce{Block: targon.Digest{5}, Index: 1}
		if fed {
			want.Input = targon.Digest{6}
		}
		if got := v.nonce(); got != want || v.nonce().Index != 2 {
			t.Errorf("fed %v: %+v, want %+v", fed, got, want)
		}
	}
}
