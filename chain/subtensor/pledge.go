package subtensor

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"targon"
	"targon/chain/substrate"
	"targon/scale"
)

// Keeper keeps a few bytes where they outlive the process and nobody else reads them.
// Keep returns nil once they are durable; nil bytes are nothing to keep.
type Keeper interface {
	Keep(b []byte) error
	Kept() ([]byte, error)
}

// Pledge is a commitment that was made, or was about to be, and is not revealed yet.
// Without its salt the chain would never learn the weights.
type Pledge struct {
	Commitment
	Final bool         // the commit is in a final block
	Block targon.Block // that block; before, the newest when it was sent
	Epoch uint64       // of Block, as commit and reveal count them
}

const pledgeLabel = "targon/chain/pledge/v1"

// errPledge says that what was kept is no pledge.
var errPledge = errors.New("malformed pledge")

// MarshalBinary returns the form in which it is kept, SCALE.
func (p Pledge) MarshalBinary() ([]byte, error) {
	w := &scale.Writer{}
	w.Str(pledgeLabel)
	w.Raw(p.Preimage()...)
	w.Bool(p.Final)
	w.U64(uint64(p.Block))
	w.U64(p.Epoch)
	return w.Bytes(), nil
}

// UnmarshalBinary reads it back.
func (p *Pledge) UnmarshalBinary(b []byte) error {
	var v Pledge
	r := scale.NewReader(b)
	label := r.Str()
	r.Fixed(v.Account[:])
	v.NetUID = targon.NetUID(r.U16())
	for _, list := range []*[]uint16{&v.UIDs, &v.Values, &v.Salt} {
		*list = scale.ReadVec(r, (*scale.Reader).U16)
	}
	v.VersionKey, v.Final, v.Block, v.Epoch = r.U64(), r.Bool(), targon.Block(r.U64()), r.U64()
	if err := r.Done(); err != nil {
		return fmt.Errorf("%w: %w", errPledge, err)
	}
	if label != pledgeLabel || len(v.UIDs) != len(v.Values) {
		return errPledge
	}
	*p = v
	return nil
}

// saltWords is the length of the salt of Bittensor's own tools.
const saltWords = 8

// pledge draws a salt for weights and keeps it.
func (c *Client) pledge(ctx context.Context, s stance, uids, values []uint16) (Pledge, error) {
	var raw [2 * saltWords]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return Pledge{}, fmt.Errorf("read randomness: %w", err)
	}
	epoch, err := c.epochOf(ctx, s.head)
	if err != nil {
		return Pledge{}, err
	}
	p := Pledge{
		Commitment: Commitment{Account: c.key.Hotkey(), NetUID: c.netuid, UIDs: uids, Values: values, VersionKey: c.VersionKey},
		Epoch:      epoch, Block: s.head.Number,
	}
	for i := range saltWords {
		p.Salt = append(p.Salt, binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return p, c.keep(&p)
}

// keep makes a pledge durable, or forgets it when p is nil.
func (c *Client) keep(p *Pledge) error {
	if c.Pledges == nil {
		return nil
	}
	var b []byte
	if p != nil {
		var err error
		if b, err = p.MarshalBinary(); err != nil {
			return err
		}
	}
	if err := c.Pledges.Keep(b); err != nil {
		return fmt.Errorf("keep the salt of committed weights: %w", err)
	}
	return nil
}

// commitAndReveal commits, waits for the epoch of the reveal, and reveals. The salt is
// durable before the commit is sent: a process that dies at any point after it can be
// followed by one that reveals, see Resume.
func (c *Client) commitAndReveal(ctx context.Context, s stance, uids, values []uint16) error {
	p, err := c.pledge(ctx, s, uids, values)
	if err != nil {
		return err
	}
	in, err := c.Commit(ctx, p.Commitment)
	if err != nil {
		return err // what is kept tells, at the next start, whether it landed after all
	}
	if p.Epoch, err = c.epochOf(ctx, in.Block); err != nil {
		return err
	}
	p.Final, p.Block = true, in.Block.Number
	if err := c.keep(&p); err != nil {
		return err
	}
	return c.reveal(ctx, p, in.Block, s.hyper.RevealPeriodEpochs)
}

// epochOf numbers the epoch of a block, as commit and reveal count them.
func (c *Client) epochOf(ctx context.Context, h targon.Header) (uint64, error) {
	t, err := c.timing(ctx, h)
	if err != nil {
		return 0, err
	}
	if t.Schedule == nil { // what is read at a block is about the one after it
		t.at--
	}
	return t.Index(), nil
}

// reveal waits for the epoch in which a pledge may be revealed, and does it. A commit
// of which only is known when it was sent may be in the epoch after that.
func (c *Client) reveal(ctx context.Context, p Pledge, from targon.Header, period uint64) error {
	for again := !p.Final; ; again = false {
		last, err := c.awaitEpoch(ctx, from, p.Epoch+period)
		if err != nil {
			return fmt.Errorf("wait for the reveal: %w", err)
		}
		_, err = c.Reveal(ctx, p.Commitment)
		switch _, refused := errors.AsType[Refusal](err); {
		case err == nil:
			return c.keep(nil)
		case again && (errors.Is(err, RevealTooEarly) || errors.Is(err, CommitBlockNotInRevealRange)):
			from, p.Epoch = last, p.Epoch+1
		case refused: // and would be again
			return errors.Join(err, c.keep(nil))
		default:
			return err
		}
	}
}

// awaitEpoch waits until the next block is one of an epoch, and returns the block before.
func (c *Client) awaitEpoch(ctx context.Context, from targon.Header, due uint64) (targon.Header, error) {
	for h, err := range c.node.Heads(ctx, from) {
		if err != nil {
			return h, err
		}
		now, err := c.timing(ctx, h)
		if err != nil {
			return h, err
		}
		if now.Index() >= due {
			return h, nil
		}
	}
	return targon.Header{}, context.Cause(ctx)
}

// blocksOfSending is how long a commit that was sent by a process which died may take
// to show: its era is longer, but a pool that has it includes it at once.
const blocksOfSending = 8

// Resume finishes what an earlier process committed to: it waits until the chain takes
// the reveal, and reveals. It returns false when there was nothing to finish: nothing is
// kept, or the chain does not have the commit, because it never came there or is
// revealed already. After an error that is the chain's refusal nothing is kept any more.
func (c *Client) Resume(ctx context.Context) (revealed bool, err error) {
	if c.Pledges == nil {
		return false, nil
	}
	b, err := c.Pledges.Kept()
	if err != nil || len(b) == 0 {
		return false, err
	}
	var p Pledge
	if err := p.UnmarshalBinary(b); err != nil {
		return false, errors.Join(fmt.Errorf("resume the reveal of weights: %w", err), c.keep(nil))
	}
	if c.key == nil || p.Account != c.key.Hotkey() || p.NetUID != c.netuid {
		return false, fmt.Errorf("resume the reveal of weights: kept for %s on subnet %d", p.Account, p.NetUID)
	}
	if revealed, err = c.resume(ctx, p); err != nil {
		return false, fmt.Errorf("resume the reveal of weights: %w", err)
	}
	return revealed, nil
}

func (c *Client) resume(ctx context.Context, p Pledge) (bool, error) {
	s, err := c.stand(ctx)
	if err != nil {
		return false, err
	}
	there, err := c.committed(ctx, s.head, p)
	for h := s.head; err == nil && !there; {
		if h.Number >= p.Block+blocksOfSending {
			return false, c.keep(nil)
		}
		for next, failed := range c.node.Heads(ctx, h) {
			h, err = next, failed
			break
		}
		if err == nil {
			there, err = c.committed(ctx, h, p)
		}
	}
	if err != nil {
		return false, err
	}
	err = c.reveal(ctx, p, targon.Header{}, s.hyper.RevealPeriodEpochs)
	return err == nil, err
}

// committed reports whether the chain holds the commit of a pledge.
func (c *Client) committed(ctx context.Context, at targon.Header, p Pledge) (bool, error) {
	v, err := c.read(ctx, at.Hash, item{"WeightCommits", []any{c.netuid, p.Account}})
	if err != nil || v[0] == nil {
		return false, err
	}
	var open []struct {
		Hash               targon.Digest
		Block, First, Last uint64
	}
	if err := substrate.Into(v[0], &open); err != nil {
		return false, fmt.Errorf("read commits: %w", err)
	}
	for _, o := range open {
		if o.Hash == p.Hash() {
			return true, nil
		}
	}
	return false, nil
}
