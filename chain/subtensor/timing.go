package subtensor

import (
	"context"
	"fmt"

	"targon"
	"targon/chain/substrate"
)

// Timing says when a subnet's epochs run. Up to spec 293 the number of a block decides
// (targon.Tempo); later runtimes keep a schedule, which is told apart by its being in
// the metadata. Source: should_run_epoch of opentensor/subtensor, in
// pallets/subtensor/src/coinbase/run_coinbase.rs.
type Timing struct {
	Tempo    targon.Tempo
	Schedule *Schedule // nil: the block's number decides
	at       targon.Block
}

// Schedule is the state of a runtime that counts from the last epoch.
type Schedule struct {
	Last    targon.Block  `chain:"LastEpochBlock"`
	Pending targon.Block  `chain:"PendingEpochAt"` // 0: none was asked for
	Waited  targon.Blocks `chain:"BlocksSinceLastStep"`
	Index   uint64        `chain:"SubnetEpochIndex"` // of the epoch now
}

// Next returns the first block after the one that was read in which an epoch runs, as
// far as that block can tell. A tempo of 0 never runs: it returns 0.
func (t Timing) Next() targon.Block {
	first := t.at + 1
	switch {
	case t.Tempo.Length == 0:
		return 0
	case t.Schedule == nil:
		return t.Tempo.Next(first)
	}
	s := t.Schedule
	next := s.Last + targon.Block(t.Tempo.Length)
	if s.Pending > 0 {
		next = min(next, s.Pending)
	}
	if s.Waited > t.Tempo.Length {
		next = first
	}
	return max(next, first)
}

// Index numbers the epoch that the next block belongs to, as commit and reveal count
// them. With a schedule it is the chain's own count after the block that was read.
func (t Timing) Index() uint64 {
	if t.Schedule == nil {
		return t.Tempo.Index(t.at + 1)
	}
	return t.Schedule.Index
}

// Timing reads when the subnet's epochs run, at the newest finalised block.
func (c *Client) Timing(ctx context.Context) (Timing, error) {
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return Timing{}, fmt.Errorf("read timing: %w", err)
	}
	return c.timing(ctx, head)
}

func (c *Client) timing(ctx context.Context, at targon.Header) (Timing, error) {
	net := []any{c.netuid}
	v, err := c.read(ctx, at.Hash, item{"NetworksAdded", net}, item{"Tempo", net}, item{"LastEpochBlock", net},
		item{"PendingEpochAt", net}, item{"BlocksSinceLastStep", net}, item{"SubnetEpochIndex", net})
	if err != nil {
		return Timing{}, fmt.Errorf("read timing: %w", err)
	}
	if v[0] != true {
		return Timing{}, fmt.Errorf("read timing of %d: %w", c.netuid, ErrNetwork)
	}
	t := Timing{Tempo: targon.Tempo{NetUID: c.netuid}, at: at.Number}
	if err := substrate.Into(v[1], &t.Tempo.Length); err != nil {
		return t, fmt.Errorf("read timing: %w", err)
	}
	if v[2] == nil { // the runtime has no such entry
		return t, nil
	}
	t.Schedule = &Schedule{}
	rec := substrate.Record{{Name: "LastEpochBlock", Value: v[2]}, {Name: "PendingEpochAt", Value: v[3]}, {Name: "BlocksSinceLastStep", Value: v[4]}, {Name: "SubnetEpochIndex", Value: v[5]}}
	if err := substrate.Into(rec, t.Schedule); err != nil {
		return t, fmt.Errorf("read timing: %w", err)
	}
	return t, nil
}
