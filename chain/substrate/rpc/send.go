package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"targon"
	"targon/chain/substrate"
)

// ErrExpired says that an extrinsic was not included and never will be: the blocks
// in which it was valid are final. It is safe to sign another.
var ErrExpired = errors.New("extrinsic was not included while it was valid")

// Inclusion is where an extrinsic took effect.
type Inclusion struct {
	Block     targon.Header
	Index     int // in its block
	Extrinsic targon.Digest
	Events    []substrate.Event // its own
}

// Build makes a call for the runtime that will be asked to run it.
type Build func(*substrate.Metadata) ([]byte, error)

// pending is an extrinsic on its way.
type pending struct {
	signer targon.Hotkey
	call   []byte
	raw    []byte
	hash   targon.Digest
	from   targon.Header // the era's first block
	death  targon.Block
	sure   atomic.Bool // a node said that it has it
}

// Send signs a call, submits it and waits until the block that contains it is final.
// It signs once: across outages the same bytes are submitted again, which cannot take
// effect twice. An equal call of the same account whose outcome is still open, because
// another caller waits for it or one gave up waiting, is joined and not signed again. It
// returns a *substrate.PoolError if the pool refused it, a
// *substrate.DispatchError (with the inclusion) if the call failed in its block,
// ErrExpired, or ErrUnknown when ctx ended before the outcome was final.
func (c *Client) Send(ctx context.Context, key substrate.Signer, build Build) (Inclusion, error) {
	p, err := c.submit(ctx, key, build)
	if err != nil {
		return Inclusion{}, err
	}
	previous := p.from
	for h, err := range c.Heads(ctx, p.from) {
		if err != nil {
			return Inclusion{}, fmt.Errorf("extrinsic %s: %w: %w", p.hash, ErrUnknown, err)
		}
		in, found, err := c.find(ctx, p, h, previous)
		if found && !errors.Is(err, ErrUnknown) {
			c.settle(p)
		}
		if found || err != nil {
			return in, err
		}
		if h.Number+1 >= p.death {
			c.settle(p)
			return Inclusion{}, fmt.Errorf("extrinsic %s: %w: until block %d", p.hash, ErrExpired, p.death)
		}
		if !p.sure.Load() || h.Number%resubmit == 0 {
			_ = c.offer(ctx, p) // the blocks will tell
		}
		previous = h
	}
	return Inclusion{}, fmt.Errorf("extrinsic %s: %w", p.hash, ErrUnknown)
}

// resubmit is after how many blocks an extrinsic is offered again: pools forget what
// they hold when a node restarts.
const resubmit = 8

// submit signs a call for the newest finalised block and offers it. Only a refusal of
// the first offer is final: a later one may follow an offer whose answer was lost.
func (c *Client) submit(ctx context.Context, key substrate.Signer, build Build) (*pending, error) {
	c.sending.Lock()
	defer c.sending.Unlock()
	p, joined, err := c.sign(ctx, key, build)
	if err != nil || joined {
		return p, err
	}
	switch err := c.offer(ctx, p); {
	case err == nil, errors.Is(err, ErrUnknown):
		return p, nil
	default:
		c.settle(p)
		return nil, fmt.Errorf("submit extrinsic: %w", err)
	}
}

// remembered is for how many blocks after its death an extrinsic of unknown outcome is
// still looked for when its call is sent again.
const remembered = substrate.DefaultPeriod

// join returns the extrinsic of an equal call whose outcome is open.
func (c *Client) join(signer targon.Hotkey, call []byte, head targon.Block) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = slices.DeleteFunc(c.open, func(p *pending) bool { return head > p.death+remembered })
	for _, p := range c.open {
		if p.signer == signer && bytes.Equal(p.call, call) {
			return p
		}
	}
	return nil
}

// settle forgets an extrinsic whose outcome is known.
func (c *Client) settle(p *pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = slices.DeleteFunc(c.open, func(o *pending) bool { return o == p })
}

// sign returns a new extrinsic, or the one to join.
func (c *Client) sign(ctx context.Context, key substrate.Signer, build Build) (p *pending, joined bool, err error) {
	genesis, err := c.Genesis(ctx)
	if err != nil {
		return nil, false, err
	}
	head, err := c.Finalised(ctx)
	if err != nil {
		return nil, false, err
	}
	rt, err := c.Runtime(ctx, head.Hash)
	if err != nil {
		return nil, false, err
	}
	call, err := build(rt.Metadata)
	if err != nil {
		return nil, false, err
	}
	if p := c.join(key.Hotkey(), call, head.Number); p != nil {
		return p, true, nil
	}
	nonce, err := c.Nonce(ctx, key.Hotkey())
	if err != nil {
		return nil, false, err
	}
	era := substrate.Mortal(substrate.DefaultPeriod, uint64(head.Number))
	raw, err := rt.Metadata.SignExtrinsic(key, call, substrate.Terms{
		Era: era, Nonce: nonce, Spec: rt.Spec, Transaction: rt.Transaction, Genesis: genesis, Start: head.Hash,
	})
	if err != nil {
		return nil, false, err
	}
	p = &pending{
		signer: key.Hotkey(), call: call, raw: raw, hash: substrate.Hash(raw),
		from: head, death: targon.Block(era.Death(uint64(head.Number))),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, p)
	return p, false, nil
}

// offer submits an extrinsic. Having it already is as good as accepting it.
func (c *Client) offer(ctx context.Context, p *pending) error {
	var name Hex
	err := c.Write(ctx, &name, "author_submitExtrinsic", Hex(p.raw))
	if e, ok := errors.AsType[*Error](err); ok {
		refusal := substrate.ParsePoolError(e.Code, e.Message, e.Text())
		switch {
		case refusal == nil:
			return err
		case refusal.Name == "AlreadyImported":
			err = nil
		default:
			return refusal
		}
	}
	if err == nil {
		p.sure.Store(true)
	}
	return err
}

// find looks for an extrinsic in a block and reads how it ended there. Events are
// those of the runtime that ran the block, which is the one in its parent's state.
func (c *Client) find(ctx context.Context, p *pending, at, parent targon.Header) (Inclusion, bool, error) {
	list, err := c.Extrinsics(ctx, at.Hash)
	if err != nil {
		return Inclusion{}, false, fmt.Errorf("extrinsic %s: %w: %w", p.hash, ErrUnknown, err)
	}
	for i, raw := range list {
		if substrate.Hash(raw) != p.hash {
			continue
		}
		in := Inclusion{Block: at, Index: i, Extrinsic: p.hash}
		rt, err := c.Runtime(ctx, parent.Hash)
		if err != nil {
			return in, true, fmt.Errorf("extrinsic %s in block %d: %w: %w", p.hash, at.Number, ErrUnknown, err)
		}
		events, err := c.events(ctx, rt.Metadata, at.Hash)
		if err != nil {
			return in, true, fmt.Errorf("extrinsic %s in block %d: %w: %w", p.hash, at.Number, ErrUnknown, err)
		}
		for _, e := range events {
			if n, ok := e.Extrinsic(); ok && n == i {
				in.Events = append(in.Events, e)
			}
		}
		if err := rt.Metadata.Outcome(in.Events, i); err != nil {
			return in, true, fmt.Errorf("extrinsic %s in block %d: %w", p.hash, at.Number, err)
		}
		return in, true, nil
	}
	return Inclusion{}, false, nil
}

func (c *Client) events(ctx context.Context, m *substrate.Metadata, at targon.Digest) ([]substrate.Event, error) {
	key, err := m.StorageKey("System", "Events")
	if err != nil {
		return nil, err
	}
	raw, err := c.Storage(ctx, key, at)
	if err != nil {
		return nil, err
	}
	return m.Events(raw)
}
