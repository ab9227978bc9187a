package local

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"targon"
	"targon/sign"
)

// ErrReadBack says that the chain does not show the weights that it took.
var ErrReadBack = errors.New("chain shows other weights than were set")

// ErrNoBlock says that the chain has no block of that height yet.
var ErrNoBlock = errors.New("no such block")

// Client sees the chain with the eyes of one account.
type Client struct {
	chain *Chain
	key   *sign.Key
	// VersionKey goes with every SetWeights.
	VersionKey uint64
}

// For returns a client that signs with key.
func (c *Chain) For(key *sign.Key) *Client { return &Client{chain: c, key: key} }

// Blocks yields the head and then every later block, each once, in order, until ctx
// is done, whose error comes last. A slow reader catches up by height: it holds
// nothing up and nothing piles up for it.
func (c *Client) Blocks(ctx context.Context) iter.Seq2[targon.Header, error] {
	return func(yield func(targon.Header, error) bool) {
		for n := c.chain.head().Number; ; {
			h, there, grown := c.chain.at(n)
			if there {
				if err := ctx.Err(); err != nil {
					yield(targon.Header{}, fmt.Errorf("follow blocks: %w", err))
					return
				}
				if !yield(h, nil) {
					return
				}
				n++
				continue
			}
			select {
			case <-grown:
			case <-ctx.Done():
				yield(targon.Header{}, fmt.Errorf("follow blocks: %w", ctx.Err()))
				return
			}
		}
	}
}

// Head returns the newest block; every block is final.
func (c *Client) Head(ctx context.Context) (targon.Header, error) {
	return c.chain.head(), ctx.Err()
}

// BlockHash returns the hash of a block, or ErrNoBlock.
func (c *Client) BlockHash(ctx context.Context, n targon.Block) (targon.Digest, error) {
	if err := ctx.Err(); err != nil {
		return targon.Digest{}, err
	}
	h, there, _ := c.chain.at(n)
	if !there {
		return targon.Digest{}, fmt.Errorf("block %d: %w", n, ErrNoBlock)
	}
	return h.Hash, nil
}

// Metagraph returns the subnet at the head. The caller owns it.
func (c *Client) Metagraph(ctx context.Context) (targon.Metagraph, error) {
	if err := ctx.Err(); err != nil {
		return targon.Metagraph{}, err
	}
	c.chain.mu.Lock()
	defer c.chain.mu.Unlock()
	s := c.chain.state
	m := targon.Metagraph{Genesis: c.chain.hashes[0], NetUID: s.netuid, Block: s.block, Neurons: make([]targon.Neuron, len(s.neurons))}
	for i, n := range s.neurons {
		a := account{coldkey: n.hotkey}
		if have := s.accounts[n.hotkey]; have != nil {
			a = *have
		}
		m.Neurons[i] = targon.Neuron{
			UID: targon.UID(i), Hotkey: n.hotkey, Coldkey: a.coldkey, Axon: n.axon, Stake: a.stake, Permit: n.permit,
			Incentive: n.incentive, Emission: n.emission, LastUpdate: n.updated,
		}
	}
	return m, nil
}

// Weights returns what a neuron last set, as the chain stores it.
func (c *Client) Weights(ctx context.Context, u targon.UID) (targon.Weights, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.chain.mu.Lock()
	defer c.chain.mu.Unlock()
	if int(u) >= len(c.chain.state.neurons) {
		return nil, fmt.Errorf("weights of uid %d: %w", u, UidVecContainInvalidOne)
	}
	return slices.Clone(c.chain.state.neurons[u].weights), nil
}

// Balance returns what the account owns beside its stake.
func (c *Client) Balance(ctx context.Context) (targon.Rao, error) {
	c.chain.mu.Lock()
	defer c.chain.mu.Unlock()
	if a := c.chain.state.accounts[c.key.Hotkey()]; a != nil {
		return a.balance, ctx.Err()
	}
	return 0, ctx.Err()
}

// SetWeights signs and submits the vector, waits for the block that holds it and
// reads it back. A Refusal means that nothing was set. When ctx ends the wait the
// result is unknown; calling again with the same vector before the next block joins
// the waiting call, so that no block sets it twice.
func (c *Client) SetWeights(ctx context.Context, w targon.Weights) error {
	x := call{kind: kindSetWeights, version: c.VersionKey}
	for _, e := range w {
		x.uids, x.values = append(x.uids, uint16(e.UID)), append(x.values, e.Value)
	}
	block, err := c.send(ctx, x)
	if err != nil {
		return fmt.Errorf("set weights: %w", err)
	}
	m, err := c.Metagraph(ctx)
	if err != nil {
		return fmt.Errorf("read weights back: %w", err)
	}
	n, ok := m.ByHotkey(c.key.Hotkey())
	if !ok || n.LastUpdate < block {
		return fmt.Errorf("%w: neuron of %s at block %d", ErrReadBack, c.key.Hotkey(), block)
	}
	got, err := c.Weights(ctx, n.UID)
	if err != nil {
		return fmt.Errorf("read weights back: %w", err)
	}
	want := upscale(w)
	slices.SortFunc(want, func(a, b targon.Weight) int { return int(a.UID) - int(b.UID) })
	if !slices.Equal(got, want) {
		return fmt.Errorf("%w: uid %d at block %d", ErrReadBack, n.UID, block)
	}
	return nil
}

// Register takes a slot of the subnet for the account, against Rules.Burn.
func (c *Client) Register(ctx context.Context) error {
	if _, err := c.send(ctx, call{kind: kindRegister}); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return nil
}

// ServeAxon publishes where the account's neuron answers.
func (c *Client) ServeAxon(ctx context.Context, axon netip.AddrPort) error {
	if _, err := c.send(ctx, call{kind: kindServeAxon, axon: axon}); err != nil {
		return fmt.Errorf("serve axon %s: %w", axon, err)
	}
	return nil
}

// AddStake moves an amount from the account's balance to its stake.
func (c *Client) AddStake(ctx context.Context, amount targon.Rao) error {
	if _, err := c.send(ctx, call{kind: kindAddStake, amount: amount}); err != nil {
		return fmt.Errorf("add stake: %w", err)
	}
	return nil
}

// send signs a call, submits it and waits for its block.
func (c *Client) send(ctx context.Context, x call) (targon.Block, error) {
	x.signer = c.key.Hotkey()
	t, err := c.submit(ctx, x)
	if err != nil {
		return 0, err
	}
	select {
	case <-t.done:
		return t.block, t.err
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for a block: %w", ctx.Err())
	}
}

// submit takes the next nonce and tries again when another call took it first.
func (c *Client) submit(ctx context.Context, x call) (*ticket, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if t, err := c.chain.pending(x); t != nil || err != nil {
			return t, err
		}
		x.nonce = c.chain.nonce(x.signer)
		sig, err := c.key.Sign(x.message(c.chain.genesis, c.chain.netuid))
		if err != nil {
			return nil, err
		}
		t, err := c.chain.submit(x, sig)
		if !errors.Is(err, Stale) {
			return t, err
		}
	}
}
