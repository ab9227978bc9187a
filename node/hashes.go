package node

import (
	"context"
	"iter"
	"sync"

	"targon"
)

// remembered is how many blocks back a verifier that follows the chain still knows a
// hash without asking for it.
const remembered = 64

// hashing is a chain that remembers the blocks which it has told of: at each of them the
// private input is asked for, and what was just said need not be read again.
type hashing struct {
	RemoteChain
	mu     sync.Mutex
	recent [remembered]targon.Header
}

// Blocks yields finalised blocks.
func (c *hashing) Blocks(ctx context.Context) iter.Seq2[targon.Header, error] {
	return func(yield func(targon.Header, error) bool) {
		for h, err := range c.RemoteChain.Blocks(ctx) {
			if err == nil {
				c.remember(h)
			}
			if !yield(h, err) {
				return
			}
		}
	}
}

func (c *hashing) remember(h targon.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recent[h.Number%remembered] = h
}

// BlockHash returns the hash of a finalised block.
func (c *hashing) BlockHash(ctx context.Context, b targon.Block) (targon.Digest, error) {
	c.mu.Lock()
	h := c.recent[b%remembered]
	c.mu.Unlock()
	if h.Number == b && h.Hash != (targon.Digest{}) {
		return h.Hash, nil
	}
	return c.RemoteChain.BlockHash(ctx, b)
}
