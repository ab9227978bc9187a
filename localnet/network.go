package localnet

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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
	"targon/chain/subtensor"
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
	purse    *sign.Key    // of the coldkey that everybody's slot is bought with
	cores    native.Cores // all engines share them: see startProvers
	dir      string       // of ledger and chain
	passing  bool         // dir is to be removed at the end
	door     net.Listener // of gateway and status page
	ground   *ground
	eyes     *subtensor.Client // the network's own
	verifier *node.Verifying
	probe    targon.Request // for measuring speed
	last     targon.Epoch   // to be closed, if any number was asked for
	before   uint64         // times that weights had been set by earlier runs
	paid     targon.Block   // pays the last weights; 0 until they are set

	stop    context.CancelFunc
	serving *errgroup.Group // provers, which end after those who ask them
	asking  *errgroup.Group // verifier with gateway and page, users, progress
	ended   chan struct{}   // closed when every part has returned
	err     error           // of the first part that failed; read after ended
}

// APIKey opens the gateway of a local network, which by default only this machine
// can reach.
const APIKey = "local"

// Start puts the network together and sets it going. The parts live until Close; ctx
// only ends the beginning.
func Start(ctx context.Context, c Config) (*Network, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	n := &Network{cfg: c, seats: c.seats(), cores: native.NewCores(c.Cores), ended: make(chan struct{})}
	err := n.prepare(ctx)
	if err == nil {
		err = n.launch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, n.release())
	}
	return n, nil
}

// prepare makes keys, folder and door, and a chain on which everybody has a slot.
func (n *Network) prepare(ctx context.Context) error {
	var err error
	if n.secrets, err = newSecrets(n.cfg.Seed); err != nil {
		return err
	}
	if err := n.openFolder(); err != nil {
		return err
	}
	if n.door, err = node.Listen(ctx, n.cfg.Listen); err != nil {
		return fmt.Errorf("gateway: %w (--listen)", err)
	}
	if err := n.makeKeys(); err != nil {
		return err
	}
	past, err := n.past(ctx)
	if err != nil {
		return err
	}
	n.before = past.Set
	if n.cfg.Epochs > 0 {
		n.last = past.Epoch + targon.Epoch(n.cfg.Epochs) - 1
	}
	if n.ground, err = openGround(ctx, n.cfg, n.secrets, n.dir, past.Height); err != nil {
		return err
	}
	if n.eyes, err = n.ground.client(n.purse); err != nil { //nolint:contextcheck // a line lives until the ground closes it
		return err
	}
	if err := enrol(ctx, n.eyes, n.purse, n.owner, n.keys); err != nil {
		return fmt.Errorf("buy slots on the development chain: %w", err)
	}
	return nil
}

// openFolder uses the folder given or a temporary one. A folder also keeps the root of
// all secrets, without which its ledger is of no use.
func (n *Network) openFolder() error {
	var err error
	if n.dir = n.cfg.Dir; n.dir != "" {
		n.secrets, err = keepSecrets(n.dir, n.secrets, n.cfg.Seed != nil)
		return err
	}
	if n.dir, err = os.MkdirTemp("", "targon-up-"); err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	n.passing = true
	return nil
}

func (n *Network) makeKeys() error {
	for name, k := range map[string]**sign.Key{"verifier": &n.owner, "purse": &n.purse} {
		var err error
		if *k, err = n.secrets.key(name); err != nil {
			return err
		}
	}
	for i := range n.seats {
		k, err := n.secrets.key(fmt.Sprintf("prover %d", i+1))
		if err != nil {
			return err
		}
		n.keys = append(n.keys, k)
	}
	return nil
}

// past is what the ledger of earlier runs says.
func (n *Network) past(ctx context.Context) (verifier.View, error) {
	l, err := ledger.Open(filepath.Join(n.dir, "ledger"))
	if err != nil {
		return verifier.View{}, err
	}
	s, err := verifier.Replay(ctx, l, node.Policy())
	if err = errors.Join(err, l.Close()); err != nil {
		return verifier.View{}, fmt.Errorf("read ledger: %w", err)
	}
	return s.View(), nil
}

// startVerifier starts the verifier with its gateway, as `targon verifier` does, and
// the status page beside it.
func (n *Network) startVerifier(ctx context.Context) error {
	page, err := dashboard.Handler(dashboard.Config{Source: n, Log: n.cfg.Log})
	if err != nil {
		return err
	}
	chain, err := n.ground.client(n.owner) //nolint:contextcheck // a line lives until the ground closes it
	if err != nil {
		return err
	}
	n.verifier, err = node.StartVerifying(ctx, node.VerifyingConfig{
		Key: n.owner, Root: n.secrets.derive("verifier"), Chain: chain, Model: n.cfg.Model, Dir: n.dir,
		Engine: native.Options{Cores: n.cores, Kernel: n.cfg.Kernel}, Packs: n.cfg.Packs, AuditPPM: n.cfg.AuditPPM,
		Epoch: targon.Blocks(n.cfg.Tempo) + 1, CloseEpoch: n.enough, BlockTime: n.cfg.BlockTime, Pace: pace, Private: true,
		Patience: ask.Limits{First: 10 * time.Second, Next: 10 * time.Second, Total: 20 * time.Second},
		Door:     n.door, Page: page, Keys: []gateway.Key{{Name: "local", SHA256: gateway.HashKey(APIKey)}},
		Bundles: n.cfg.Bundles, UserBundles: userBundles, Grace: grace, Log: n.cfg.Log,
	})
	if err != nil {
		return fmt.Errorf("verifier: %w", err)
	}
	return nil
}

// userBundles is how long users can fetch what was checked of their answers.
const userBundles = time.Hour

// grace is for answers under way at the end.
const grace = 2 * time.Second

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
// Whom nobody has asked is not silent: on a busy machine the verifier may have no time to
// ask, and what it pays then must not hang on an epoch in which nothing happened.
func (n *Network) enough(p verifier.Progress) bool {
	if n.cfg.Epochs > 0 && p.Epoch > n.last {
		return false
	}
	if p.Elapsed >= longestEpoch {
		return true
	}
	for _, r := range p.Provers {
		silent := r.Asked > 0 && r.Complete == 0 && p.Elapsed >= longestEpoch/6
		if !silent && r.Audited < auditedPerEpoch {
			return false
		}
	}
	return true
}

// launch starts the provers, then the verifier, and then every loop. Who asks ends
// before who answers, and both before the chain: an end must look like nobody's fault.
func (n *Network) launch(ctx context.Context) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	n.serving, life = errgroup.WithContext(life)
	inner, stop := context.WithCancel(life)
	n.stop = stop
	n.asking, inner = errgroup.WithContext(inner)
	err := n.startProvers(ctx, life)
	if err == nil {
		n.probe = n.probeRequest()
		err = n.startVerifier(ctx)
	}
	if err == nil {
		n.asking.Go(func() error { return n.verifier.Run(inner) })
		n.asking.Go(func() error { return n.ground.watch(inner) })
		for i := range users {
			n.asking.Go(func() error { n.newUser(i).run(inner); return nil })
		}
		n.asking.Go(func() error { n.newProgress().run(inner); return nil })
	}
	finish := func() {
		asked := n.asking.Wait()
		end()
		served := n.serving.Wait()
		if n.err = asked; asked == nil {
			n.err = served
		}
		close(n.ended)
	}
	if err != nil {
		stop()
		finish()
		return err
	}
	go finish()
	return nil
}

// startProvers gives each prover an engine of its own. They take turns, id by id, on
// the cores of this machine: without that, the scheduler's time slices would make an
// honest stream come in bursts.
func (n *Network) startProvers(ctx, life context.Context) error {
	start, starting := errgroup.WithContext(ctx) // together: each waits for a block that holds its address
	for i := range n.seats {
		start.Go(func() error {
			p, err := n.startProver(starting, i)
			if err == nil {
				n.serving.Go(func() error { return quiet(life, p.Run(life)) })
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
	chain, err := n.ground.client(n.keys[i]) //nolint:contextcheck // a line lives until the ground closes it
	if err != nil {
		return nil, err
	}
	c := node.ProverConfig{
		Key: n.keys[i], Chain: chain, Engine: honest, Model: n.cfg.Model.Name(),
		Weights: n.cfg.Model.Digest(), EOS: n.cfg.Model.EOS(), Listen: "127.0.0.1:0", Grace: grace, Log: n.cfg.Log.With("prover", s.name),
	}
	switch {
	case s.cheat != "":
		seed := n.secrets.derive("cheat " + s.name)
		if c.Engine, err = cheating(s.cheat, honest, o, binary.LittleEndian.Uint64(seed[:])); err != nil {
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
