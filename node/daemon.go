package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/engine/native"
	"targon/gateway"
	"targon/ledger"
	"targon/sign"
	"targon/verifier"
	"targon/wire/ask"
)

// VerifyingConfig says what a verifier that runs by itself checks and where it keeps
// its ledger and its root secret.
type VerifyingConfig struct {
	Key       *sign.Key
	Chain     RemoteChain
	Model     *native.Model
	Engine    native.Options
	Dir       string // ledger, root secret, and which chain they belong to
	AuditPPM  uint32
	Epoch     targon.Blocks
	BlockTime time.Duration
	Pace      time.Duration // least time between two challenges to one prover
	Private   bool          // provers may be on this machine or a private network
	Gateway   string        // host:port that serves users in the same process; empty: none
	Keys      []gateway.Key
	Health    string        // host:port of /healthz; empty: none
	Grace     time.Duration // for users' answers under way at the end
	Log       *slog.Logger
}

// patience of a verifier with an answer, the same for challenges and users.
func patience() ask.Limits {
	return ask.Limits{First: 20 * time.Second, Next: 15 * time.Second, Total: time.Minute}
}

// Verifying is a verifier that is ready to run, with its doors.
type Verifying struct {
	verifier *verifier.Verifier
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
	v := &Verifying{setter: newSetter(c.Chain, h, c.Log), grace: c.Grace}
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
	root, err := keepRoot(c.Dir)
	if err == nil {
		err = keepChain(c.Dir, meta.Genesis)
	}
	if err != nil {
		return nil, err
	}
	if v.ledger, err = ledger.Open(filepath.Join(c.Dir, ledgerName), ledger.WithLog(c.Log)); err != nil {
		return nil, err
	}
	var asker *ask.Client
	v.verifier, asker, err = NewVerifier(ctx, VerifierConfig{
		Key: c.Key, Root: root, Model: c.Model, Chain: v.setter, Ledger: v.ledger, Inputs: LocalInputs(root, c.Chain),
		AuditPPM: c.AuditPPM, Epoch: c.Epoch, BlockTime: c.BlockTime, Pace: c.Pace, Limits: patience(),
		Engine: c.Engine, Local: c.Private, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	return v, v.open(ctx, c, h, asker)
}

// open opens the doors.
func (v *Verifying) open(ctx context.Context, c VerifyingConfig, h *health, asker *ask.Client) error {
	if c.Gateway != "" {
		g := NewGateway(GatewayConfig{Model: c.Model, Verifier: v.verifier, Asker: asker, Keys: c.Keys, Log: c.Log})
		if err := v.listen(ctx, c.Gateway, g.Handler()); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
	}
	if c.Health != "" {
		mux := http.NewServeMux()
		mux.Handle("GET /healthz", h)
		if err := v.listen(ctx, c.Health, mux); err != nil {
			return fmt.Errorf("health: %w", err)
		}
	}
	return nil
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
	if v.ledger != nil {
		errs = append(errs, v.ledger.Close())
	}
	return errors.Join(errs...)
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
