package bundle_test

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"targon"
	"targon/bundle"
	"targon/merkle"
)

// written is the ledger that a bundle comes from: between other epochs and other answers.
func written(t *testing.T, s *stand) (bundle.Bundle, []targon.Entry) {
	t.Helper()
	b := s.judged(s.answer(s.engine, nil), nil)
	b.Rate = &targon.RateSet{Epoch: 7, Prover: b.Arrived.Prover, AuditPPM: 500_000}
	before, silent, after := b.Arrived, b.Arrived, b.Arrived
	before.Request, silent.Request, after.Request = targon.Digest{1}, targon.Digest{2}, targon.Digest{3}
	silent.Status, silent.Receipt = targon.StatusGone, targon.Receipt{}
	other := b.Judged
	other.Verdict.Request = before.Request
	var leaves []targon.Digest
	for _, a := range []targon.Arrived{before, b.Arrived, after} {
		raw, err := a.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, merkle.Leaf(raw))
	}
	b.Index, b.Path = 1, merkle.Path(leaves, 1)
	b.Closed.Root, b.Closed.Receipts = merkle.Root(leaves), 3
	s.seal(&b)
	sixth, sixthClosed := b.Opened, b.Closed
	sixth.Epoch, sixthClosed.Epoch = 6, 6
	eighth := b.Opened
	eighth.Epoch = 8
	elsewhere := *b.Rate
	elsewhere.Prover = targon.Hotkey{9}
	return b, []targon.Entry{sixth, b.Opened, sixthClosed, *b.Rate, elsewhere, before, silent, b.Arrived, other, after, b.Judged, eighth, b.Closed}
}

func entries(list []targon.Entry) iter.Seq2[targon.Entry, error] {
	return func(yield func(targon.Entry, error) bool) {
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// TestLedgerLine: a ledger that has what the bundle says is ok, one that has anything else
// is not, and one that does not go so far says nothing.
func TestLedgerLine(t *testing.T) {
	s := newStand(t)
	b, all := written(t, s)
	without := func(at int) []targon.Entry {
		return append(append([]targon.Entry{}, all[:at]...), all[at+1:]...)
	}
	with := func(at int, e targon.Entry) []targon.Entry {
		out := append([]targon.Entry{}, all...)
		out[at] = e
		return out
	}
	opened, closed, judged, arrived, rate := b.Opened, b.Closed, b.Judged, b.Arrived, *b.Rate
	opened.AuditPPM++
	closed.Secret[0]++
	judged.Verdict.Tokens++
	arrived.Block++
	rate.AuditPPM++
	twin := all[5].(targon.Arrived)
	twin.Timing.Total++
	unrated := b
	unrated.Rate = nil
	s.seal(&unrated)
	for name, c := range map[string]struct {
		b    bundle.Bundle
		list []targon.Entry
		want bundle.Result
		says string
	}{
		"as it is":            {b, all, bundle.OK, "the root over its 3 receipts of epoch 7 is this one, and this is number 1"},
		"ends with epoch 6":   {b, all[:1], bundle.NotChecked, "ends with epoch 6, before epoch 7"},
		"ends before closing": {b, all[:12], bundle.NotChecked, "ends before epoch 7 closed"},
		"another opening":     {b, with(1, opened), bundle.NotOK, "opening: the ledger has another"},
		"no opening":          {b, without(1), bundle.NotOK, "opening: the ledger has none"},
		"another rate":        {b, with(3, rate), bundle.NotOK, "rate: the ledger has another"},
		"no rate":             {b, without(3), bundle.NotOK, "rate: the ledger has none"},
		"a rate left out":     {unrated, all, bundle.NotOK, "rate: the ledger has one, the bundle none"},
		"another arrival":     {b, with(7, arrived), bundle.NotOK, "arrival: the ledger has another"},
		"no arrival":          {b, without(7), bundle.NotOK, "arrival: the ledger has none"},
		"another verdict":     {b, with(10, judged), bundle.NotOK, "verdict: the ledger has another"},
		"another closing":     {b, with(12, closed), bundle.NotOK, "closing: the ledger has another"},
		"another receipt":     {b, with(5, twin), bundle.NotOK, "its 3 receipts have root"},
		"one receipt less":    {b, without(9), bundle.NotOK, "its 2 receipts have root"},
	} {
		l, err := bundle.Find(entries(c.list), c.b)
		if err != nil {
			t.Fatal(name, err)
		}
		a := s.aids(c.b, nil)
		a.Ledger = l
		if got := bundle.Check(c.b, a).Of(bundle.LineLedger); got.Result != c.want || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%s: %s %q, want %s with %q", name, got.Result, got.Detail, c.want, c.says)
		}
	}

	l, err := bundle.Find(entries(all), b)
	if err != nil {
		t.Fatal(err)
	}
	l.Fault = errors.New("epoch 3 ends in other scores")
	if got := bundle.Check(b, bundle.Aids{Ledger: l}).Of(bundle.LineLedger); got.Result != bundle.NotOK || !strings.Contains(got.Detail, "epoch 3") {
		t.Errorf("a ledger that contradicts itself: %+v", got)
	}
	torn := func(yield func(targon.Entry, error) bool) { yield(nil, errors.New("torn")) }
	if _, err := bundle.Find(torn, b); err == nil {
		t.Error("a ledger that cannot be read is found in")
	}
}

// TestChainLines: the hash must be the chain's, and the hotkeys must have had their slots.
func TestChainLines(t *testing.T) {
	s := newStand(t)
	b := s.judged(s.answer(s.engine, nil), nil)
	slots := func(uid targon.UID, prover, verifier bool) *bundle.Slots {
		return &bundle.Slots{Prover: bundle.Slot{UID: uid, Taken: prover}, Verifier: bundle.Slot{UID: 0, Taken: verifier}}
	}
	const no, ok, bad = bundle.NotChecked, bundle.OK, bundle.NotOK
	for name, c := range map[string]struct {
		chain       *bundle.Chain
		block, slot bundle.Result
		says        string
	}{
		"nobody asked":         {nil, no, no, "--subtensor.chain_endpoint"},
		"no answer":            {&bundle.Chain{Why: "no answer", Lost: "no answer"}, no, no, "no answer"},
		"as it is":             {&bundle.Chain{Hash: b.Block, Slots: slots(3, true, true)}, ok, ok, "had uid 3, the verifier's uid 0"},
		"forgotten":            {&bundle.Chain{Hash: b.Block, Lost: "state discarded"}, ok, no, "state discarded"},
		"another hash":         {&bundle.Chain{Hash: targon.Digest{9, 9}, Slots: slots(3, true, true)}, bad, ok, "the draw was made with"},
		"another uid":          {&bundle.Chain{Hash: b.Block, Slots: slots(4, true, true)}, ok, bad, "had uid 4, the ledger says 3"},
		"prover not there":     {&bundle.Chain{Hash: b.Block, Slots: slots(3, false, true)}, ok, bad, "had no slot"},
		"verifier not there":   {&bundle.Chain{Hash: b.Block, Slots: slots(3, true, false)}, ok, bad, "had no slot"},
		"neither hash nor why": {&bundle.Chain{Slots: slots(3, true, true)}, no, ok, ""},
	} {
		r := bundle.Check(b, bundle.Aids{Chain: c.chain})
		block, slot := r.Of(bundle.LineBlock), r.Of(bundle.LineSlots)
		if block.Result != c.block || slot.Result != c.slot || !strings.Contains(block.Detail+slot.Detail, c.says) {
			t.Errorf("%s: %+v, %+v", name, block, slot)
		}
	}
}
