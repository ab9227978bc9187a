package node

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"targon"
)

// errNoPermit is what a prover answers to a key that may not ask.
var errNoPermit = errors.New("caller holds no validator permit on this subnet")

// Watcher tells finalised blocks and the subnet at the newest of them.
type Watcher interface {
	Blocks(ctx context.Context) iter.Seq2[targon.Header, error]
	Metagraph(ctx context.Context) (targon.Metagraph, error)
}

// permits admits the hotkeys that held a validator permit in the newest metagraph.
type permits struct {
	held atomic.Pointer[map[targon.Hotkey]bool]
}

// Admit returns nil for a hotkey with a permit.
func (p *permits) Admit(h targon.Hotkey) error {
	if held := p.held.Load(); held == nil || !(*held)[h] {
		return errNoPermit
	}
	return nil
}

func (p *permits) learn(m targon.Metagraph) {
	held := map[targon.Hotkey]bool{}
	for _, n := range m.Neurons {
		if n.Permit {
			held[n.Hotkey] = true
		}
	}
	p.held.Store(&held)
}

// follow learns anew at every block until ctx ends. While the chain is silent, what
// was known stays in force.
func (p *permits) follow(ctx context.Context, w Watcher) error {
	for ctx.Err() == nil {
		for _, err := range w.Blocks(ctx) {
			if err != nil {
				break
			}
			if m, err := w.Metagraph(ctx); err == nil {
				p.learn(m)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}
