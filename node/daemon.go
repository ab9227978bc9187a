package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/bundle"
	"targon/engine/native"
	"targon/evidence"
	"targon/gateway"
	"targon/ledger"
	"targon/sign"
	"targon/verifier"
	"targon/wire/ask"
	"targon/wire/desk"
)

// VerifyingConfig says what a verifier that runs by itself checks and where it keeps
// its ledger and its root secret.
type VerifyingConfig struct {
	Key      *sign.Key
	Chain    RemoteChain
	Model    *native.Model
	Engine   native.Options
	Dir      string          // ledger, root secret, and which chain they belong to
	Root     targon.Secret   // zero: the one that Dir keeps, made at the first start
	Packs    []evidence.Pack // as in VerifierConfig
	AuditPPM uint32
	Repute   bool // provers of little repute are audited more often
	Epoch    targon.Blocks
	// CloseEpoch may hold an epoch open beyond its length; nil: never.
	CloseEpoch func(verifier.Progress) bool
	BlockTime  time.Duration
	Pace       time.Duration // least time between two challenges to one prover
	Patience   ask.Limits    // with an answer; zero: 20 s for its first id, 15 s for each other, 60 s for all
	Private    bool          // provers may be on this machine or a private network
	Gateway    string        // host:port that serves users in the same process; empty: none
	Door       net.Listener  // serves users instead of Gateway; Run closes it
	Page       http.Handler  // what the users' address answers beside the gateway; nil: nothing
	Keys       []gateway.Key
	Desk       string          // host:port for gateways in other processes; empty: none
	Gateways   []targon.Hotkey // who may come to the desk
	Health     string          // host:port of /readyz, /healthz and, with a gateway, /metrics; empty: none
	Bundles    string          // folder for audited challenges that anyone may check again; empty: none
	// UserBundles is how long the bundle of a user's audited answer is kept for him, in
	// memory, once its epoch has closed; 0: not at all.
	UserBundles time.Duration
	Grace       time.Duration // for users' answers under way at the end
	Log         *slog.Logger
}

// patience with an answer, the same for challenges and users.
func (c VerifyingConfig) patience() ask.Limits {
	if c.Patience != (ask.Limits{}) {
		return c.Patience
	}
	return ask.Limits{First: 20 * time.Second, Next: 15 * time.Second, Total: time.Minute}
}

// Verifying is a verifier that is ready to run, with its doors.
type Verifying struct {
	verifier *verifier.Verifier
	shelf    *userShelf
	asker    *ask.Client
	gateway  *gateway.Gateway // nil: users are not served
	setter   *setter
	ledger   *ledger.File
	doors    []door
	grace    time.Duration
}

// door is an address that is answered.
type door struct {
	l net.Listener
	h http.Handler
}

// StartVerifying opens the folder and the doors. Run closes both.
func StartVerifying(ctx context.Context, c VerifyingConfig) (_ *Verifying, err error) {
	h := &health{hotkey: c.Key.Hotkey(), now: time.Now, announced: true}
	v := &Verifying{setter: newSetter(&hashing{RemoteChain: c.Chain}, h, c.Log), shelf: newUserShelf(c.Key, c.UserBundles), grace: c.Grace}
	defer func() {
		if err != nil {
			_ = v.close()
		}
	}()
	meta, err := v.setter.Metagraph(ctx)
	if err != nil {
		return nil, fmt.Errorf("read metagraph: %w", err)
	}
	self, ok := meta.ByHotkey(c.Key.Hotkey())
	if !ok {
		return nil, fmt.Errorf("%s, subnet %d: %w", c.Key.Hotkey(), meta.NetUID, ErrUnregistered)
	}
	if !self.Permit {
		c.Log.WarnContext(ctx, "the hotkey holds no validator permit: provers refuse it and the chain takes no weights until it has stake enough")
	}
	if c.Root == (targon.Secret{}) {
		if c.Root, err = keepRoot(c.Dir); err != nil {
			return nil, err
		}
	}
	if err = keepChain(c.Dir, meta.Genesis); err != nil {
		return nil, err
	}
	if err = keepOwner(c.Dir, meta.NetUID, c.Key.Hotkey()); err != nil {
		return nil, err
	}
	_, missing := os.Stat(filepath.Join(c.Dir, ledgerName))
	if v.ledger, err = ledger.Open(filepath.Join(c.Dir, ledgerName), ledger.WithLog(c.Log)); err != nil {
		return nil, err
	}
	keep, err := c.bundles()
	if err != nil {
		return nil, err
	}
	v.verifier, v.asker, err = NewVerifier(ctx, VerifierConfig{
		Key: c.Key, Root: c.Root, Model: c.Model, Chain: v.setter, Ledger: v.ledger, Inputs: LocalInputs(c.Root, v.setter),
		Packs: c.Packs, AuditPPM: c.AuditPPM, Repute: c.Repute, Epoch: c.Epoch, CloseEpoch: c.CloseEpoch, BlockTime: c.BlockTime, Pace: c.Pace, Limits: c.patience(),
		Engine: c.Engine, Local: c.Private, Bundles: keep, UserBundles: v.shelf.taker(), Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	v.shelf.fate = v.verifier.Fate
	if c.Desk != "" {
		if err = v.openDesk(ctx, c, meta, missing == nil); err != nil {
			return nil, fmt.Errorf("desk: %w", err)
		}
	}
	return v, v.open(ctx, c, h)
}

// bundles returns what writes bundles into the folder for them, nil if there is none.
func (c VerifyingConfig) bundles() (func(bundle.Bundle), error) {
	if c.Bundles == "" {
		return nil, nil
	}
	f, err := openBundles(c.Bundles, c.Key, c.Log)
	if err != nil {
		return nil, err
	}
	return f.put, nil
}

// openDesk opens the door for gateways in other processes.
func (v *Verifying) openDesk(ctx context.Context, c VerifyingConfig, meta targon.Metagraph, restarted bool) error {
	served, wait := servedDesk{v.verifier}, v.asker.Limits()
	s, err := desk.NewServer(desk.ServerConfig{
		Key: c.Key, Secret: desk.Secret(c.Root), Allow: c.Gateways, Desk: served, Book: served, Sealer: v.asker, Shelf: v.shelf, Restarted: restarted, Log: c.Log,
		Hello: desk.Hello{
			Genesis: meta.Genesis, NetUID: meta.NetUID, Weights: c.Model.Digest(), Model: c.Model.Name(),
			First: wait.First, Next: wait.Next, Total: wait.Total,
		},
	})
	if err != nil {
		return err
	}
	return v.listen(ctx, c.Desk, s.Handler())
}

// open opens the doors for users and for who looks after the machine.
func (v *Verifying) open(ctx context.Context, c VerifyingConfig, h *health) error {
	if c.Gateway != "" || c.Door != nil {
		v.gateway = NewGateway(GatewayConfig{Model: c.Model, Verifier: v.verifier, Asker: v.asker, Shelf: v.shelf, Keys: c.Keys, Log: c.Log})
	}
	switch {
	case c.Door != nil:
		v.doors = append(v.doors, door{c.Door, c.users(v.gateway.Handler())})
	case c.Gateway != "":
		if err := v.listen(ctx, c.Gateway, c.users(v.gateway.Handler())); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
	}
	if c.Health != "" {
		mux := http.NewServeMux()
		mux.Handle("GET /healthz", h)
		mux.Handle("GET /readyz", h)
		if v.gateway != nil {
			mux.HandleFunc("GET /metrics", metrics(v.gateway))
		}
		if err := v.listen(ctx, c.Health, mux); err != nil {
			return fmt.Errorf("health: %w", err)
		}
	}
	return nil
}

// users answers the gateway's address.
func (c VerifyingConfig) users(gateway http.Handler) http.Handler {
	if c.Page == nil {
		return gateway
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", gateway)
	mux.Handle("/healthz", gateway)
	mux.Handle("/", c.Page)
	return mux
}

func (v *Verifying) listen(ctx context.Context, address string, h http.Handler) error {
	l, err := Listen(ctx, address)
	if err == nil {
		v.doors = append(v.doors, door{l, h})
	}
	return err
}

func (v *Verifying) close() error {
	var errs []error
	for _, d := range v.doors {
		_ = d.l.Close() // closed already if it was served
	}
	if v.asker != nil {
		v.asker.Close()
	}
	if v.ledger != nil {
		errs = append(errs, v.ledger.Close())
	}
	return errors.Join(errs...)
}

// View returns what the verifier knows, also after Run.
func (v *Verifying) View() verifier.View { return v.verifier.View() }

// Served returns what the gateway has counted.
func (v *Verifying) Served() gateway.Stats {
	if v.gateway == nil {
		return gateway.Stats{}
	}
	return v.gateway.Stats()
}

// Run works until ctx ends. Then users' answers under way are finished first, for the
// grace at most, so that each is on the ledger, and the verifier ends after them.
func (v *Verifying) Run(ctx context.Context) error {
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, inner := errgroup.WithContext(inner)
	g.Go(func() error { return v.verifier.Run(inner) })
	g.Go(func() error { return v.setter.run(inner) })

	outer, shut := context.WithCancel(ctx)
	defer shut()
	defer context.AfterFunc(inner, shut)() // a verifier that failed serves nobody
	d, outer := errgroup.WithContext(outer)
	for _, one := range v.doors {
		d.Go(func() error { return Serve(outer, one.l, one.h, v.grace) })
	}
	d.Go(func() error { <-outer.Done(); return nil })
	err := d.Wait()
	stop()
	return errors.Join(err, g.Wait(), v.close())
}
