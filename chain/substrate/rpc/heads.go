package rpc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"targon"
)

// Heads yields finalised blocks, each once and in order, from the one after from; a
// zero from begins with the newest. It goes on across lost connections and slow
// nodes, and fills what was missed. It ends when ctx does, when the client is
// closed, and with ErrFork when every node contradicts a block that it yielded.
func (c *Client) Heads(ctx context.Context, from targon.Header) iter.Seq2[targon.Header, error] {
	return func(yield func(targon.Header, error) bool) {
		f := follower{c: c, last: from, yield: yield}
		for {
			err := f.follow(ctx)
			switch {
			case f.stopped:
				return
			case ctx.Err() != nil:
				yield(targon.Header{}, fmt.Errorf("follow chain: %w", context.Cause(ctx)))
				return
			case errors.Is(err, ErrClosed), errors.Is(err, ErrFork) && f.forks >= len(c.c.Endpoints):
				yield(targon.Header{}, fmt.Errorf("follow chain: %w", err))
				return
			}
			c.c.Log.WarnContext(ctx, "chain subscription ended", "error", err)
			wait(ctx, c.c.Pause)
		}
	}
}

// follower is the state of one reader of heads.
type follower struct {
	c       *Client
	last    targon.Header
	forks   int // nodes in a row that contradicted last
	yield   func(targon.Header, error) bool
	stopped bool
}

// follow reads one connection's subscription until it ends. The node is left when it
// was at fault, not when the reader goes away: others use the connection too.
func (f *follower) follow(ctx context.Context) error {
	n, err := f.c.node(ctx)
	if err != nil {
		return err
	}
	err = f.subscribed(ctx, n)
	if err != nil && ctx.Err() == nil {
		n.leave(err)
	}
	return err
}

func (f *follower) subscribed(ctx context.Context, n *conn) error {
	sub, cancel := context.WithTimeout(ctx, f.c.c.Answer)
	heads, end, err := n.subscribe(sub, "chain_subscribeFinalizedHeads", "chain_unsubscribeFinalizedHeads")
	cancel()
	if err != nil {
		return err
	}
	defer end()
	// What is final already is not waited for: the next block may be far away.
	now, err := f.c.Finalised(ctx)
	if err == nil {
		err = f.reach(ctx, now.Number)
	}
	if err != nil {
		return err
	}
	stall := time.NewTimer(f.c.c.Stall)
	defer stall.Stop()
	for !f.stopped {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.gone:
			return n.err
		case <-stall.C:
			return fmt.Errorf("%w: no finalised head in %v", errGone, f.c.c.Stall)
		case raw := <-heads:
			before := f.last
			head, err := parseHead(raw)
			if err == nil {
				err = f.reach(ctx, head)
			}
			if err != nil {
				return err
			}
			if f.last != before { // a node that repeats itself or is behind us does not count
				stall.Reset(f.c.c.Stall)
			}
		}
	}
	return nil
}

// reach yields the blocks up to a height.
func (f *follower) reach(ctx context.Context, head targon.Block) error {
	first := f.last.Number + 1
	if f.last == (targon.Header{}) {
		first = head
	}
	for b := first; b <= head; b++ {
		h, err := f.block(ctx, b)
		if err != nil {
			return err
		}
		f.last, f.forks = h, 0
		if !f.yield(h, nil) {
			f.stopped = true
			return nil
		}
	}
	return nil
}

// block reads one block and holds it to the one before.
func (f *follower) block(ctx context.Context, b targon.Block) (targon.Header, error) {
	d, ok, err := f.c.Hash(ctx, b)
	if err != nil {
		return targon.Header{}, err
	}
	if !ok {
		return targon.Header{}, fmt.Errorf("%w: finalised block %d is not there", ErrReply, b)
	}
	h, parent, err := f.c.header(ctx, d)
	if err != nil {
		return targon.Header{}, err
	}
	if h.Number != b {
		return targon.Header{}, fmt.Errorf("%w: block %d has the number %d", ErrReply, b, h.Number)
	}
	if f.last != (targon.Header{}) && parent != f.last.Hash {
		f.forks++
		return targon.Header{}, fmt.Errorf("%w: parent of block %d is %s, block %d was %s", ErrFork, b, parent, f.last.Number, f.last.Hash)
	}
	return h, nil
}
