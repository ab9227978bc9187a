package localnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/chain/local"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/node"
	"targon/sign"
)

// What the network's own coldkey holds at genesis, what it stakes on the verifier,
// which is all of the subnet's stake, and what a slot costs.
const (
	fortune targon.Rao = 10_000e9
	stake   targon.Rao = 1000e9
	burn    targon.Rao = 1e8
)

// journalName is the file of a network's folder that keeps its chain.
const journalName = "chain.journal"

// ground is what a network stands on: a development chain behind a loopback socket.
// Nobody reaches it in another way, not even the network itself.
type ground struct {
	chain    *local.Chain
	endpoint string
	cfg      Config
	stop     context.CancelFunc
	ended    chan struct{} // closed when the chain makes no more blocks
	err      error         // why; read after ended

	mu    sync.Mutex
	lines []*rpc.Client
}

// openGround goes on with the chain of a folder, or begins one there, and serves it
// until close. It is at least as high as a ledger that ends at a height: after a crash
// blocks may be missing, and nothing may be dated before what is on record.
func openGround(ctx context.Context, c Config, s secrets, dir string, height targon.Block) (*ground, error) {
	purse, err := s.key("purse")
	if err != nil {
		return nil, err
	}
	chain, err := local.Open(local.Config{
		NetUID: netUID, Tempo: targon.Blocks(c.Tempo), BlockTime: c.BlockTime, Seed: s.derive("chain"),
		Accounts: []local.Account{{Hotkey: purse.Hotkey(), Balance: fortune}},
		Rules:    local.Rules{Burn: burn, CommitReveal: c.CommitReveal},
	}, filepath.Join(dir, journalName))
	if errors.Is(err, local.ErrJournal) {
		return nil, fmt.Errorf("the chain in folder %s was made with other settings (--tempo, --commit-reveal): give the same, or use an empty folder: %w", dir, err)
	}
	if err != nil {
		return nil, err
	}
	if height > 0 {
		for chain.Step().Number < height {
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		_ = chain.Close()
		return nil, fmt.Errorf("listen for the chain's clients: %w", err)
	}
	g := &ground{chain: chain, endpoint: "ws://" + l.Addr().String(), cfg: c, ended: make(chan struct{})}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	g.stop = stop
	parts, life := errgroup.WithContext(life)
	parts.Go(func() error { return chain.Run(life) })
	parts.Go(func() error { return local.NewNode(chain).Serve(life, l) })
	go func() {
		g.err = parts.Wait()
		close(g.ended)
	}()
	return g, nil
}

// client connects somebody to the chain, as a daemon would: each by a line of its own.
func (g *ground) client(key *sign.Key) (*subtensor.Client, error) {
	line, err := node.ChainConfig{Endpoint: g.endpoint, Log: g.cfg.Log}.Connect()
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines = append(g.lines, line)
	return subtensor.New(line, netUID, key), nil
}

// watch returns when the chain has failed, or with ctx.
func (g *ground) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-g.ended:
		return fmt.Errorf("development chain: %w", g.err)
	}
}

// close hangs up every line and then ends the chain.
func (g *ground) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range g.lines {
		_ = line.Close()
	}
	g.lines = nil
	g.stop()
	<-g.ended
	return errors.Join(g.err, g.chain.Close())
}

// enrol buys a slot for everybody who has none yet, in the order of the cast, so that
// UIDs are in that order, and gives the verifier its stake.
func enrol(ctx context.Context, c *subtensor.Client, purse *sign.Key, verifier *sign.Key, provers []*sign.Key) error {
	meta, err := c.Metagraph(ctx)
	if err != nil {
		return err
	}
	joining, order := errgroup.WithContext(ctx)
	for _, k := range append([]*sign.Key{verifier}, provers...) {
		if _, there := meta.ByHotkey(k.Hotkey()); there {
			continue
		}
		t := &turn{Key: purse, over: make(chan struct{})}
		joining.Go(func() error {
			_, err := c.Register(order, t, k.Hotkey())
			return err
		})
		select {
		case <-t.over:
		case <-order.Done():
		}
	}
	if err := joining.Wait(); err != nil {
		return err
	}
	if own, _ := meta.ByHotkey(verifier.Hotkey()); own.Stake < stake {
		_, err = c.AddStake(ctx, purse, verifier.Hotkey(), stake-own.Stake)
	}
	return err
}

// turn is a key that says when it has signed. Calls of one account through one line are
// signed one after the other, each when the one before has reached the pool: who begins
// only then comes after it on the chain, and nobody waits for a block of his own.
type turn struct {
	*sign.Key
	once sync.Once
	over chan struct{}
}

// Sign signs, and lets the next one begin.
func (t *turn) Sign(message []byte) (targon.Signature, error) {
	defer t.once.Do(func() { close(t.over) })
	return t.Key.Sign(message)
}
