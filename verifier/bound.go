package verifier

import (
	"fmt"

	"targon"
	"targon/merkle"
)

// leaves returns the hashed leaves of an epoch's Merkle tree: the encodings of its
// arrivals that carry a receipt, in the ledger's order.
func (e *epoch) leaves() ([]targon.Digest, error) {
	var out []targon.Digest
	for _, r := range e.records {
		if r.arrived.Status != targon.StatusComplete {
			continue
		}
		b, err := r.arrived.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("encode arrival of request %s: %w", r.arrived.Request, err)
		}
		out = append(out, merkle.Leaf(b))
	}
	return out, nil
}

// closing is the entry that closes an epoch: its secret, and what binds its receipts.
func (e *epoch) closing(secret targon.Digest) (targon.EpochClosed, error) {
	leaves, err := e.leaves()
	return targon.EpochClosed{
		Epoch: e.opened.Epoch, Block: e.end, Secret: secret, Root: merkle.Root(leaves), Receipts: uint32(len(leaves)),
	}, err
}

// bound reports what is wrong with the root that an epoch is closed with. Ledgers begun
// before roots were kept have none.
func (e *epoch) bound(c targon.EpochClosed) error {
	if c.Root == (targon.Digest{}) {
		return nil
	}
	want, err := e.closing(c.Secret)
	if err != nil {
		return err
	}
	if c.Root != want.Root || c.Receipts != want.Receipts {
		return fmt.Errorf("%w: epoch %d is closed with root %s of %d receipts, its own is %s of %d",
			ErrLedger, c.Epoch, c.Root, c.Receipts, want.Root, want.Receipts)
	}
	return nil
}
