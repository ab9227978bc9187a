package local

import (
	"bytes"

	"targon/chain/substrate"
	"targon/sign"
)

// A ware is an extrinsic on its way into the pool.
type ware struct {
	raw   []byte
	x     substrate.Extrinsic
	deed  deed
	claim sign.Signed
}

var errProof = invalidTransaction("Transaction has a bad signature")

// accept puts an extrinsic into the pool, if its signature, nonce, era and call are
// right for the next block.
func (c *Chain) accept(m *substrate.Metadata, raw []byte) error {
	w, err := c.unwrap(m, raw)
	if err != nil {
		return err
	}
	if c.checks.verify(w.claim) != nil {
		return errProof
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.admit(w)
}

// acceptAll is accept for the extrinsics of one block, whose signatures are checked
// together. It stops at the first that is not right.
func (c *Chain) acceptAll(m *substrate.Metadata, list [][]byte) error {
	wares, claims := make([]ware, len(list)), make([]sign.Signed, len(list))
	for i, raw := range list {
		var err error
		if wares[i], err = c.unwrap(m, raw); err != nil {
			return err
		}
		claims[i] = wares[i].claim
	}
	if sign.VerifyAll(claims) != nil {
		return errProof
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range wares {
		if err := c.admit(w); err != nil {
			return err
		}
	}
	return nil
}

// unwrap reads an extrinsic and works out what must have been signed for it to be
// right in the next block.
func (c *Chain) unwrap(m *substrate.Metadata, raw []byte) (ware, error) {
	x, err := m.DecodeExtrinsic(raw)
	if err != nil {
		return ware{}, &invalid{1002, "Verification Error", err.Error()}
	}
	if !x.Signed {
		return ware{}, invalidTransaction("Could not find an unsigned validator for the unsigned transaction")
	}
	d, err := deedOf(x.Call)
	if err != nil {
		return ware{}, invalidTransaction("Transaction call is not expected")
	}
	c.mu.Lock()
	next := uint64(c.state.block) + 1
	birth := min(x.Terms.Era.Birth(next), next-1)
	start := c.hashes[birth]
	c.mu.Unlock()
	claim, err := m.Claim(x, substrate.Terms{Spec: specVersion, Transaction: transactionVersion, Genesis: c.genesis, Start: start})
	if err != nil {
		return ware{}, errProof
	}
	return ware{raw: raw, x: x, deed: d, claim: claim}, nil
}

// admit checks what depends on the pool and the state.
func (c *Chain) admit(w ware) error {
	x, d := w.x, w.deed
	for _, t := range c.pool {
		if bytes.Equal(t.call.raw, w.raw) {
			return &invalid{1013, "Transaction Already Imported", ""}
		}
	}
	nonce := uint64(0)
	if a := c.state.accounts[x.Signer]; a != nil {
		nonce = a.nonce
	}
	switch next := c.nextNonce(x.Signer); {
	case x.Terms.Nonce < nonce:
		return invalidTransaction("Transaction is outdated")
	case x.Terms.Nonce < next:
		return &invalid{1014, "Priority is too low", "The transaction has too low priority to replace another transaction already in the pool."}
	case x.Terms.Nonce > next:
		return invalidTransaction("Transaction will be valid in the future")
	case len(c.pool) >= maxPool:
		return &invalid{1016, "Immediately Dropped", "The transaction couldn't enter the pool because of the limit"}
	}
	if !d.free && (c.state.accounts[x.Signer] == nil || c.state.accounts[x.Signer].balance == 0) {
		return invalidTransaction("Inability to pay some fees (e.g. account balance too low)")
	}
	if d.valid != nil {
		if err := d.valid(c.state, x.Signer); err != nil {
			return err
		}
	}
	c.pool = append(c.pool, &ticket{
		call: call{signer: x.Signer, nonce: x.Terms.Nonce, kind: kindExtrinsic, raw: w.raw, deed: d}, done: make(chan struct{}),
	})
	return nil
}
