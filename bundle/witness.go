package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"targon"
	"targon/merkle"
)

// A Ledger is what a verifier's ledger says about what a bundle says. [Find] makes one.
type Ledger struct {
	// Fault is what is wrong with the ledger as a whole, from whoever has replayed it.
	Fault error

	opened, closed, rate, arrived, judged targon.Entry // nil: not there
	newest                                targon.Epoch // opened, of all
	index                                 int          // of the arrival among the receipts
	leaves                                []targon.Digest
}

// Find takes what a bundle is about out of a ledger's entries.
func Find(entries iter.Seq2[targon.Entry, error], b Bundle) (*Ledger, error) {
	l, n, request := &Ledger{}, b.Opened.Epoch, b.Arrived.Request
	for e, err := range entries {
		if err != nil {
			return nil, err // says that it was reading a ledger
		}
		switch e := e.(type) {
		case targon.EpochOpened:
			if l.newest = e.Epoch; e.Epoch == n {
				l.opened = e
			}
		case targon.RateSet:
			if e.Epoch == n && e.Prover == b.Arrived.Prover {
				l.rate = e
			}
		case targon.Arrived:
			if e.Epoch != n {
				continue
			}
			if e.Request == request {
				l.arrived, l.index = e, len(l.leaves)
			}
			if e.Status == targon.StatusComplete {
				raw, err := e.MarshalBinary()
				if err != nil {
					return nil, fmt.Errorf("encode arrival: %w", err)
				}
				l.leaves = append(l.leaves, merkle.Leaf(raw))
			}
		case targon.Judged:
			if e.Verdict.Request == request {
				l.judged = e
			}
		case targon.EpochClosed:
			if e.Epoch == n {
				l.closed = e
			}
		default:
		}
	}
	return l, nil
}

// ledger holds a bundle to the ledger that it is said to come from.
func (c *checker) ledger() error {
	l, b := c.a.Ledger, c.b
	switch {
	case l == nil:
		return unchecked(fmt.Sprintf("that epoch %d closed with this root is for the verifier's ledger to say: name it with --ledger", b.Closed.Epoch))
	case l.opened == nil && l.newest <= b.Opened.Epoch: // equal where it has none, and the first is looked for
		return unchecked(fmt.Sprintf("this one ends with epoch %d, before epoch %d was opened", l.newest, b.Opened.Epoch))
	case l.opened != nil && l.closed == nil:
		return unchecked(fmt.Sprintf("this one ends before epoch %d closed", b.Closed.Epoch))
	}
	for _, e := range []struct {
		name      string
		has, says targon.Entry
	}{
		{"opening", l.opened, b.Opened},
		{"rate", l.rate, rateEntry(b)},
		{"arrival", l.arrived, b.Arrived},
		{"verdict", l.judged, b.Judged},
		{"closing", l.closed, b.Closed},
	} {
		if err := sameEntry(e.has, e.says); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	if root := merkle.Root(l.leaves); b.Closed.Root != (targon.Digest{}) && (root != b.Closed.Root || l.index != int(b.Index)) {
		return fmt.Errorf("its %d receipts have root %s and this is number %d, the bundle says %s and %d", len(l.leaves), root, l.index, b.Closed.Root, b.Index)
	}
	if l.Fault != nil {
		return fmt.Errorf("says so, and does not hold by itself: %w", l.Fault)
	}
	return holds(fmt.Sprintf("has this opening, arrival, verdict and closing; the root over its %d receipts of epoch %d is this one, and this is number %d of them",
		len(l.leaves), b.Closed.Epoch, l.index))
}

// rateEntry is nil, as an entry, where the bundle has no rate.
func rateEntry(b Bundle) targon.Entry {
	if b.Rate == nil {
		return nil
	}
	return *b.Rate
}

// sameEntry compares what a ledger has with what a bundle says; nil is nothing.
func sameEntry(has, says targon.Entry) error {
	switch {
	case has == nil && says == nil:
		return nil
	case has == nil:
		return errors.New("the ledger has none")
	case says == nil:
		return errors.New("the ledger has one, the bundle none")
	}
	x, err := has.MarshalBinary()
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	y, err := says.MarshalBinary()
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if !bytes.Equal(x, y) {
		return errors.New("the ledger has another")
	}
	return nil
}

// A Chain is what a node of the chain said about the blocks that a bundle names. What
// was not to be had is zero, and the reason is in words.
type Chain struct {
	Hash  targon.Digest // of the block that drew
	Why   string        // there is no Hash
	Slots *Slots        // at the height of the arrival
	Lost  string        // why there are no Slots: nodes forget old states
}

// Slots are where hotkeys stood on the subnet.
type Slots struct {
	Prover, Verifier Slot
}

// Slot is a hotkey's UID; it is none unless it is Taken.
type Slot struct {
	UID   targon.UID
	Taken bool
}

// block holds the hash that drew to the chain's.
func (c *checker) block() error {
	at, k := c.b.Arrived.Block+DrawDistance, c.a.Chain
	switch {
	case k == nil:
		return unchecked(fmt.Sprintf("that block %d has this hash is for the chain to say: name a node with --subtensor.chain_endpoint", at))
	case k.Hash == (targon.Digest{}):
		return unchecked(k.Why)
	case k.Hash != c.b.Block:
		return fmt.Errorf("block %d is %s, the draw was made with %s", at, k.Hash, c.b.Block)
	}
	return holds(fmt.Sprintf("block %d is %s on this chain: the hash that the draw was made with", at, k.Hash))
}

// slots says whether prover and verifier were who the ledger says on the subnet.
func (c *checker) slots() error {
	a, k := c.b.Arrived, c.a.Chain
	switch {
	case k == nil:
		return unchecked("who had which UID is for the chain to say")
	case k.Slots == nil:
		return unchecked(k.Lost)
	case !k.Slots.Prover.Taken:
		return fmt.Errorf("at block %d prover %s had no slot on this subnet", a.Block, a.Prover)
	case k.Slots.Prover.UID != a.UID:
		return fmt.Errorf("at block %d prover %s had uid %d, the ledger says %d", a.Block, a.Prover, k.Slots.Prover.UID, a.UID)
	case !k.Slots.Verifier.Taken:
		return fmt.Errorf("at block %d verifier %s had no slot on this subnet", a.Block, c.b.Transcript.Request.Verifier)
	}
	return holds(fmt.Sprintf("at block %d the prover's hotkey had uid %d, the verifier's uid %d", a.Block, a.UID, k.Slots.Verifier.UID))
}
