package node

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"targon"
)

// What a prover answers to a key that may not ask.
var (
	errNoPermit     = errors.New("caller holds no validator permit on this subnet")
	errUnregistered = errors.New("caller is not registered on this subnet")
)

// AccessRule says who may ask besides holders of a validator permit. The zero rule
// admits nobody else.
type AccessRule struct {
	Registered   bool // neurons without a permit
	Unregistered bool // anybody else whose signature verifies
}

// Watcher tells finalised blocks and the subnet at the newest of them.
type Watcher interface {
	Blocks(ctx context.Context) iter.Seq2[targon.Header, error]
	Metagraph(ctx context.Context) (targon.Metagraph, error)
}

// permits admits the hotkeys that held a validator permit in the newest metagraph,
// and others as the rule has it.
type permits struct {
	rule AccessRule
	held atomic.Pointer[map[targon.Hotkey]bool] // of each neuron: has it a permit
}

// Admit returns nil for a hotkey that may ask. Nobody may before a metagraph is known.
func (p *permits) Admit(h targon.Hotkey) error {
	held := p.held.Load()
	if held == nil {
		return errNoPermit
	}
	switch permit, registered := (*held)[h]; {
	case !registered && !p.rule.Unregistered:
		return errUnregistered
	case registered && !permit && !p.rule.Registered:
		return errNoPermit
	}
	return nil
}

func (p *permits) learn(m targon.Metagraph) {
	held := map[targon.Hotkey]bool{}
	for _, n := range m.Neurons {
		held[n.Hotkey] = n.Permit
	}
	p.held.Store(&held)
}

// follow hands on the subnet at every block until ctx ends. While the chain is silent,
// what was known stays in force.
func follow(ctx context.Context, w Watcher, learn func(targon.Metagraph)) error {
	for ctx.Err() == nil {
		for _, err := range w.Blocks(ctx) {
			if err != nil {
				break
			}
			if m, err := w.Metagraph(ctx); err == nil {
				learn(m)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}
