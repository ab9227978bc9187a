package localnet

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/chain/local"
	"targon/dashboard"
	"targon/engine/native"
	"targon/gateway"
	"targon/ledger"
	"targon/node"
	"targon/sign"
	"targon/verifier"
	"targon/wire/ask"
)

// Network is a running network. Start makes one, Wait lets it run, Close ends it.
type Network struct {
	cfg      Config
	secrets  secrets
	seats    []seat
	keys     []*sign.Key  // of the seats
	owner    *sign.Key    // of the verifier
	cores    native.Cores // all engines share them: see startProvers
	chain    *local.Chain
	ledger   *ledger.File
	dir      string // to be removed at the end, or empty
	asker    *ask.Client
	verifier *verifier.Verifier
	gateway  *gateway.Gateway
	door     net.Listener
	probe    targon.Request // for measuring speed
	last     targon.Epoch   // to be closed, if any number was asked for
	before   uint64         // times that weights had been set by earlier runs

	stop  context.CancelFunc
	group *errgroup.Group
	ended chan struct{} // closed when every part has returned
	err   error         // of the first part that failed; read after ended
}

// APIKey opens the gateway of a local network, which by default only this machine
// can reach.
const APIKey = "local"

// Start puts the network together and sets it going. The parts live until Close.
func Start(ctx context.Context, c Config) (*Network, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	n := &Network{cfg: c, seats: c.seats(), cores: native.NewCores(c.Cores), ended: make(chan struct{})}
	if err := n.build(ctx); err != nil {
		n.release()
		return nil, err
	}
	if err := n.launch(ctx); err != nil {
		n.release()
		return nil, err
	}
	return n, nil
}

// build makes everything that holds no goroutine.
func (n *Network) build(ctx context.Context) error {
	var err error
	if n.secrets, err = newSecrets(n.cfg.Seed); err != nil {
		return err
	}
	if err := n.openLedger(); err != nil {
		return err
	}
	if n.door, err = node.Listen(ctx, n.cfg.Listen); err != nil {
		return fmt.Errorf("gateway: %w (--listen)", err)
	}
	if err := n.makeChain(ctx); err != nil {
		return err
	}
	if err := n.makeVerifier(ctx); err != nil {
		return err
	}
	n.gateway = node.NewGateway(node.GatewayConfig{
		Model: n.cfg.Model, Verifier: n.verifier, Asker: n.asker, Log: n.cfg.Log,
		Keys: []gateway.Key{{Name: "local", SHA256: gateway.HashKey(APIKey)}},
	})
	return nil
}

// openLedger opens the ledger in the folder given or in a temporary one. A folder
// also keeps the root of all secrets, without which its ledger is of no use.
func (n *Network) openLedger() error {
	dir := n.cfg.Dir
	var err error
	if dir == "" {
		if dir, err = os.MkdirTemp("", "targon-up-"); err != nil {
			return fmt.Errorf("make a temporary folder: %w", err)
		}
		n.dir = dir
	} else if n.secrets, err = keepSecrets(dir, n.secrets, n.cfg.Seed != nil); err != nil {
		return err
	}
	n.ledger, err = ledger.Open(filepath.Join(dir, "ledger"))
	return err
}

// stake is what the verifier holds: all of the subnet's.
const stake targon.Rao = 1000e9

func (n *Network) makeChain(ctx context.Context) error {
	var err error
	if n.owner, err = n.secrets.key("verifier"); err != nil {
		return err
	}
	accounts := []local.Account{{Hotkey: n.owner.Hotkey(), Stake: stake, Register: true}}
	for i := range n.seats {
		k, err := n.secrets.key(fmt.Sprintf("prover %d", i+1))
		if err != nil {
			return err
		}
		n.keys = append(n.keys, k)
		accounts = append(accounts, local.Account{Hotkey: k.Hotkey(), Register: true})
	}
	n.chain, err = local.New(local.Config{
		NetUID: netUID, Tempo: targon.Blocks(n.cfg.Tempo), BlockTime: n.cfg.BlockTime,
		Seed: n.secrets.derive("chain"), Accounts: accounts,
	})
	if err != nil {
		return err
	}
	return n.catchUp(ctx)
}

// catchUp makes empty blocks up to where the ledger of an earlier run ends: the
// chain is made anew each time, and nothing may be dated before what is on record.
func (n *Network) catchUp(ctx context.Context) error {
	past := verifier.NewState(node.Policy())
	for e, err := range n.ledger.All(ctx) {
		if err == nil {
			err = past.Apply(e)
		}
		if err != nil {
			return fmt.Errorf("read ledger: %w", err)
		}
	}
	view := past.View()
	for h := view.Height; h > 0; h-- {
		n.chain.Step()
	}
	n.before = view.Set
	if n.cfg.Epochs > 0 {
		n.last = view.Epoch + targon.Epoch(n.cfg.Epochs) - 1
	}
	return nil
}

func (n *Network) makeVerifier(ctx context.Context) error {
	n.probe = n.probeRequest()
	var err error
	n.verifier, n.asker, err = node.NewVerifier(ctx, node.VerifierConfig{
		Key: n.owner, Root: n.secrets.derive("verifier"), Model: n.cfg.Model, Chain: n.chain.For(n.owner), Ledger: n.ledger,
		Inputs: inputs{n.secrets.derive("inputs")}, AuditPPM: n.cfg.AuditPPM, Epoch: targon.Blocks(n.cfg.Tempo) + 1,
		BlockTime: n.cfg.BlockTime, Pace: pace, CloseEpoch: n.enough, Local: true, Log: n.cfg.Log, Engine: native.Options{Cores: n.cores, Kernel: n.cfg.Kernel},
		Limits: ask.Limits{First: 10 * time.Second, Next: 10 * time.Second, Total: 20 * time.Second},
	})
	return err
}

// pace lies between two challenges to one prover: a dozen of them shall not keep a
// laptop's cores busy for nothing.
const pace = 400 * time.Millisecond

// probeRequest is what speed is measured with.
func (n *Network) probeRequest() targon.Request {
	d := node.Openings(n.cfg.Model)(rand.New(rand.NewChaCha8(sha256.Sum256([]byte("targon/localnet/speed")))))
	return targon.Request{
		Verifier: n.owner.Hotkey(), Prover: n.owner.Hotkey(), Model: n.cfg.Model.Name(), Weights: n.cfg.Model.Digest(),
		Prompt: d.Prompt, MaxTokens: d.MaxTokens, Sampling: targon.Sampling{Temperature: d.Temperature},
	}
}

// enough holds an epoch open until each prover that answers has its share of audited
// ids, but not for ever; and the one after the last that was asked for until the end.
func (n *Network) enough(p verifier.Progress) bool {
	if n.cfg.Epochs > 0 && p.Epoch > n.last {
		return false
	}
	if p.Elapsed >= longestEpoch {
		return true
	}
	for _, r := range p.Provers {
		answers := r.Complete > 0 || p.Elapsed < longestEpoch/6
		if answers && r.Audited < auditedPerEpoch {
			return false
		}
	}
	return true
}

// launch starts the provers and then every loop.
func (n *Network) launch(ctx context.Context) error {
	ctx, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	n.group, ctx = errgroup.WithContext(ctx)
	n.group.Go(func() error { return quiet(ctx, n.chain.Run(ctx)) })
	err := n.startProvers(ctx)
	if err == nil {
		err = n.startDoor(ctx)
	}
	if err != nil {
		n.stop()
		_ = n.group.Wait()
		return err
	}
	n.group.Go(func() error { return n.verifier.Run(ctx) })
	for i := range users {
		n.group.Go(func() error { n.newUser(i).run(ctx); return nil })
	}
	n.group.Go(func() error { n.newProgress().run(ctx); return nil })
	go func() {
		n.err = n.group.Wait()
		close(n.ended)
	}()
	return nil
}

// startProvers gives each prover an engine of its own. They take turns, id by id, on
// the cores of this machine: without that, the scheduler's time slices would make an
// honest stream come in bursts.
func (n *Network) startProvers(ctx context.Context) error {
	start, starting := errgroup.WithContext(ctx) // together: each waits for a block that holds its address
	for i := range n.seats {
		start.Go(func() error {
			p, err := n.startProver(starting, i)
			if err == nil {
				n.group.Go(func() error { return quiet(ctx, p.Run(ctx)) })
			}
			return err
		})
	}
	return start.Wait()
}

func (n *Network) startProver(ctx context.Context, i int) (*node.Prover, error) {
	s, o := n.seats[i], native.Options{Cores: n.cores, Kernel: n.cfg.Kernel}
	honest, err := native.New(n.cfg.Model, o)
	if err != nil {
		return nil, err
	}
	c := node.ProverConfig{
		Key: n.keys[i], Chain: n.chain.For(n.keys[i]), Engine: honest, Model: n.cfg.Model.Name(),
		Weights: n.cfg.Model.Digest(), EOS: n.cfg.Model.EOS(), Listen: "127.0.0.1:0", Log: n.cfg.Log.With("prover", s.name),
	}
	switch {
	case s.cheat != "":
		if c.Engine, err = cheating(s.cheat, n.cfg.Model, honest, o); err != nil {
			return nil, err
		}
	case s.slow:
		c.Engine = halfSpeed{inner: honest}
	}
	p, err := node.StartProver(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("prover %s: %w", s.name, err)
	}
	return p, nil
}

// startDoor serves gateway and status page on one address.
func (n *Network) startDoor(ctx context.Context) error {
	page, err := dashboard.Handler(dashboard.Config{Source: n, Log: n.cfg.Log})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", n.gateway.Handler())
	mux.Handle("/healthz", n.gateway.Handler())
	mux.Handle("/", page)
	n.group.Go(func() error { return node.Serve(ctx, n.door, mux, 2*time.Second) })
	return nil
}

// users chat at the same time.
const users = 3

func (n *Network) newUser(i int) *user {
	return &user{
		http: &http.Client{Transport: &http.Transport{}}, base: n.URL(), key: APIKey, model: n.cfg.Model.Name(),
		rng: rand.New(rand.NewChaCha8(n.secrets.derive(fmt.Sprintf("user %d", i+1)))),
		due: func() bool {
			v := n.verifier.View()
			return v.Total.Requests > 0 && v.Organic.Requests*usersShare < v.Total.Requests
		},
	}
}

func (n *Network) newProgress() *progress {
	p := &progress{
		out: n.cfg.Progress, started: n.cfg.Started, view: n.verifier.View,
		names: map[targon.Hotkey]string{}, convicted: map[targon.Hotkey]bool{},
	}
	for i, s := range n.seats {
		p.names[n.keys[i].Hotkey()] = s.name
	}
	p.say("gateway and status page at %s, API key %q, model %s", n.URL(), APIKey, n.cfg.Model.Name())
	if n.cfg.Epochs == 0 {
		p.say(`try it: curl %s/v1/chat/completions -H "Authorization: Bearer %s" -d '{"model":"%s","messages":[{"role":"user","content":"Tell me a story."}]}'`,
			n.URL(), APIKey, n.cfg.Model.Name())
		p.say("it runs until Ctrl-C, and then prints who was caught, by what, and after how many tokens")
	}
	return p
}

// URL is where gateway and status page are.
func (n *Network) URL() string { return "http://" + n.door.Addr().String() }

// quiet turns the end of a context into success.
func quiet(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
