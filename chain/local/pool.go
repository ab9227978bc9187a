package local

import (
	"bytes"

	"targon/chain/substrate"
	"targon/sign"
)

// accept puts an extrinsic into the pool, if its signature, nonce, era and call are
// right for the next block.
func (c *Chain) accept(m *substrate.Metadata, raw []byte) error {
	x, err := m.DecodeExtrinsic(raw)
	if err != nil {
		return &invalid{1002, "Verification Error", err.Error()}
	}
	if !x.Signed {
		return invalidTransaction("Could not find an unsigned validator for the unsigned transaction")
	}
	d, err := deedOf(x.Call)
	if err != nil {
		return invalidTransaction("Transaction call is not expected")
	}
	c.mu.Lock()
	next := uint64(c.state.block) + 1
	birth := x.Terms.Era.Birth(next)
	if birth >= next {
		birth = next - 1
	}
	start := c.hashes[birth]
	c.mu.Unlock()
	claim, err := m.Claim(x, substrate.Terms{Spec: specVersion, Transaction: transactionVersion, Genesis: c.genesis, Start: start})
	if err != nil || sign.Verify(claim.Key, claim.Message, claim.Signature) != nil {
		return invalidTransaction("Transaction has a bad signature")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.admit(x, d, raw)
}

// admit checks what depends on the pool and the state.
func (c *Chain) admit(x substrate.Extrinsic, d deed, raw []byte) error {
	for _, t := range c.pool {
		if bytes.Equal(t.call.raw, raw) {
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
		call: call{signer: x.Signer, nonce: x.Terms.Nonce, kind: kindExtrinsic, raw: raw, deed: d}, done: make(chan struct{}),
	})
	return nil
}
