package subtensor

import (
	"context"
	"fmt"

	"targon"
	"targon/chain/substrate"
)

// A Slot is the UID of a hotkey; it has none unless it is Taken.
type Slot struct {
	UID   targon.UID
	Taken bool
}

// SlotsAt returns which UIDs hotkeys had at a finalised block, in their order. A node
// forgets old states: then it is an error, and says nothing about the hotkeys.
func (c *Client) SlotsAt(ctx context.Context, b targon.Block, hotkeys ...targon.Hotkey) ([]Slot, error) {
	at, err := c.BlockHash(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("read slots: %w", err)
	}
	items := make([]item, len(hotkeys))
	for i, h := range hotkeys {
		items[i] = item{"Uids", []any{c.netuid, h}}
	}
	values, err := c.read(ctx, at, items...)
	if err != nil {
		return nil, fmt.Errorf("read slots at block %d: %w", b, err)
	}
	out := make([]Slot, len(hotkeys))
	for i, v := range values {
		if v == nil {
			continue
		}
		if err := substrate.Into(v, &out[i].UID); err != nil {
			return nil, fmt.Errorf("read slots at block %d: %w", b, err)
		}
		out[i].Taken = true
	}
	return out, nil
}
