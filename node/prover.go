package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/prover"
	"targon/sign"
)

// ProverChain is what a prover needs of the chain.
type ProverChain interface {
	Watcher
	ServeAxon(ctx context.Context, a netip.AddrPort) error
}

// ProverConfig says what a prover serves, to whom, and where.
type ProverConfig struct {
	Key      *sign.Key
	Chain    ProverChain
	Engine   prover.Engine
	Model    string
	Weights  targon.Digest
	EOS      []targon.TokenID
	Listen   string // host:port; the address that it is bound to is announced
	Capacity int    // 0: the role's default
	Log      *slog.Logger
}

// Prover is a prover that listens and has announced its address.
type Prover struct {
	role    *prover.Prover
	chain   Watcher
	permits *permits
	l       net.Listener
}

// StartProver listens and announces the address on the chain.
func StartProver(ctx context.Context, c ProverConfig) (*Prover, error) {
	m, err := c.Chain.Metagraph(ctx)
	if err != nil {
		return nil, fmt.Errorf("read metagraph: %w", err)
	}
	p := &Prover{chain: c.Chain, permits: &permits{}}
	p.permits.learn(m)
	p.role, err = prover.New(prover.Config{
		Key: c.Key, Engine: c.Engine, Model: c.Model, Weights: c.Weights, EOS: c.EOS,
		Genesis: m.Genesis, NetUID: m.NetUID, Access: p.permits, Capacity: c.Capacity, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	if p.l, err = Listen(ctx, c.Listen); err != nil {
		return nil, err
	}
	address, err := netip.ParseAddrPort(p.l.Addr().String())
	if err == nil {
		err = c.Chain.ServeAxon(ctx, address)
	}
	if err != nil {
		_ = p.l.Close()
		return nil, fmt.Errorf("announce %s: %w", p.l.Addr(), err)
	}
	return p, nil
}

// Run serves until ctx ends.
func (p *Prover) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.permits.follow(ctx, p.chain) })
	g.Go(func() error { return p.role.Serve(ctx, p.l, 2*time.Second) })
	return g.Wait()
}
