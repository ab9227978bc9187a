package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/chain/subtensor"
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
	Listen   string         // host:port
	External netip.AddrPort // what is announced; what is left zero is that of the address bound to
	Access   AccessRule     // who may ask besides holders of a permit
	Capacity int            // 0: the role's default
	State    *prover.State  // nil: nothing outlives the process
	Grace    time.Duration  // for answers under way at the end; 0: 2 s
	Log      *slog.Logger   // nil: nowhere
}

// Prover is a prover that listens and has announced its address.
type Prover struct {
	role    *prover.Prover
	chain   ProverChain
	permits *permits
	health  *health
	l       net.Listener
	address netip.AddrPort // announced
	grace   time.Duration
	log     *slog.Logger
}

// Announcing takes a final block; where the chain says that it is too soon it is tried
// again.
const (
	announceTime  = 3 * time.Minute
	announceAgain = time.Minute
)

// ErrUnregistered says that the hotkey has no slot on the subnet.
var ErrUnregistered = errors.New("hotkey is not registered on the subnet")

// StartProver listens and announces the address on the chain. An address that the
// chain shows already is not announced again, and one that it takes only later,
// because another was announced just before, is announced while Run runs.
func StartProver(ctx context.Context, c ProverConfig) (*Prover, error) {
	m, err := c.Chain.Metagraph(ctx)
	if err != nil {
		return nil, fmt.Errorf("read metagraph: %w", err)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Grace == 0 {
		c.Grace = 2 * time.Second
	}
	p := &Prover{
		chain: c.Chain, permits: &permits{rule: c.Access}, grace: c.Grace, log: c.Log,
		health: &health{hotkey: c.Key.Hotkey(), now: time.Now},
	}
	p.learn(m)
	p.role, err = prover.New(prover.Config{
		Key: c.Key, Engine: c.Engine, Model: c.Model, Weights: c.Weights, EOS: c.EOS,
		Genesis: m.Genesis, NetUID: m.NetUID, Access: p.permits, Capacity: c.Capacity, State: c.State, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	own, ok := m.ByHotkey(c.Key.Hotkey())
	if !ok {
		return nil, fmt.Errorf("%s, subnet %d: %w", c.Key.Hotkey(), m.NetUID, ErrUnregistered)
	}
	if p.l, err = Listen(ctx, c.Listen); err != nil {
		return nil, err
	}
	if err = p.choose(c.External); err == nil && own.Axon != p.address {
		err = p.announce(ctx)
	} else if err == nil {
		p.health.announce(true)
	}
	if err != nil {
		_ = p.l.Close()
		return nil, fmt.Errorf("announce %s: %w", p.l.Addr(), err)
	}
	return p, nil
}

func (p *Prover) learn(m targon.Metagraph) {
	p.permits.learn(m)
	p.health.saw(m)
}

// choose decides which address is announced.
func (p *Prover) choose(external netip.AddrPort) error {
	bound, err := netip.ParseAddrPort(p.l.Addr().String())
	if err != nil {
		return err
	}
	ip, port := bound.Addr(), bound.Port()
	if external.Addr().IsValid() {
		ip = external.Addr()
	}
	if external.Port() != 0 {
		port = external.Port()
	}
	if ip.IsUnspecified() {
		return errors.New("listening on every address does not say which one others reach: name it")
	}
	p.address = netip.AddrPortFrom(ip.Unmap(), port)
	return nil
}

// announce tells the chain the address. That it is too soon is no error: Run tries
// again.
func (p *Prover) announce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, announceTime)
	defer cancel()
	err := p.chain.ServeAxon(ctx, p.address)
	switch {
	case errors.Is(err, subtensor.ServingRateLimitExceeded), errors.Is(err, subtensor.RateLimitExceeded):
		p.log.WarnContext(ctx, "address not announced yet: the chain takes a change only once in a while", "address", p.address.String(), "again", announceAgain.String())
		return nil
	case err != nil:
		return err
	}
	p.health.announce(true)
	p.log.InfoContext(ctx, "address announced", "address", p.address.String())
	return nil
}

// retry announces until the chain has taken the address.
func (p *Prover) retry(ctx context.Context) error {
	for !p.health.isAnnounced() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(announceAgain):
		}
		if err := p.announce(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "address not announced", "address", p.address.String(), "error", err)
		}
	}
	return nil
}

// Address is where the prover listens.
func (p *Prover) Address() net.Addr { return p.l.Addr() }

// Run serves until ctx ends. Beside the prover's routes there are GET /readyz and
// /healthz, which say whether it is ready.
func (p *Prover) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("/", p.role.Handler())
	mux.Handle("GET /healthz", p.health)
	mux.Handle("GET /readyz", p.health)
	s := prover.Server(p.l.Addr().String(), mux)
	s.ErrorLog = slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return follow(ctx, p.chain, p.learn) })
	g.Go(func() error { return p.retry(ctx) })
	g.Go(func() error { return serveOn(ctx, p.l, s, p.grace) })
	return g.Wait()
}
