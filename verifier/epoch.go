package verifier

import (
	"context"

	"golang.org/x/sync/errgroup"

	"targon"
)

// Run works until ctx ends and then returns nil, or returns the first failure that
// it cannot work on with: a ledger that does not append. It may be called once.
//
//	metagraph ─► ask ─► arrivals ─► ledger ─► draw ─► proof ─► ledger ─► evidence
//	                                                                        ▼
//	chain ◄─ ledger ◄─ weights ◄─ ledger ◄─ score ◄─ epoch closes, secret shown
func (v *Verifier) Run(ctx context.Context) error {
	if err := v.restore(ctx); err != nil { // ledger ─► state; what a crash left open is undecided
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	work, stop := context.WithCancel(context.WithoutCancel(ctx)) // judgements outlive ctx for a moment
	turn := func(h targon.Header) error { return v.turn(ctx, work, g, h) }

	g.Go(func() error { return v.blocks(ctx, turn) }) // chain ─► every finalised block, once
	g.Go(func() error { return v.send(ctx) })         // decided weights ─► chain ─► read back ─► ledger
	g.Go(func() error { return v.expire(ctx) })       // no block comes: undecided
	g.Go(func() error { return v.watch(ctx) })        // the ledger fails: nothing goes on
	return v.finish(g.Wait(), stop)
}

// turn is what one finalised block sets off.
func (v *Verifier) turn(ctx, work context.Context, g *errgroup.Group, h targon.Header) error {
	if err := v.open(ctx, h); err != nil { // epoch over: the next secret's hash ─► ledger
		return err
	}
	if err := v.draw(ctx, work, h); err != nil { // receipts × block hash × secret ─► judge ─► ledger ─► evidence
		return err
	}
	v.look(ctx, h)                       // chain ─► metagraph; private input
	v.ask(ctx, g)                        // metagraph ─► one asker a prover ─► arrive ─► ledger
	if err := v.close(ctx); err != nil { // all judged: secret ─► ledger ─► score ─► ledger ─► weights ─► ledger
		return err
	}
	v.poke() // send may have something to send, or to read back
	return nil
}
