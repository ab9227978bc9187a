package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/engine/native"
	"targon/gateway"
	"targon/sign"
	"targon/wire/desk"
)

// FarGatewayConfig says for which verifier, in another process, a gateway serves, and to
// whom.
type FarGatewayConfig struct {
	Key      *sign.Key // the gateway's own hotkey, which needs no slot on the subnet
	Endpoint string    // of the verifier's desk
	Verifier targon.Hotkey
	NetUID   targon.NetUID
	Model    *native.Model // for its tokenizer and its template
	Listen   string        // host:port
	Health   string        // host:port of /readyz and /metrics, for who looks after the machine; empty: none
	Keys     []gateway.Key
	Private  bool          // provers may be on this machine or a private network
	Grace    time.Duration // for answers under way at the end, and then for their records
	Poll     time.Duration // from one look at the book to the next; 1 s
	Log      *slog.Logger
}

// FarGateway is a gateway that listens, for a verifier in another process.
type FarGateway struct {
	c     FarGatewayConfig
	desk  *farDesk
	doors []door // the users' first
}

// ErrOtherNetwork says that the verifier serves another subnet or model than this
// gateway was started for. Only a change of settings helps.
var ErrOtherNetwork = errors.New("verifier serves something else")

// GatewayReadiness is the answer of such a gateway's /readyz.
type GatewayReadiness struct {
	Ready   bool             `json:"ready"`
	Reason  string           `json:"reason,omitempty"` // why not
	Records desk.OutboxStats `json:"records"`          // what became of users' exchanges
}

// StartFarGateway listens. The verifier need not be there yet.
func StartFarGateway(ctx context.Context, c FarGatewayConfig) (*FarGateway, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if _, err := desk.ParseEndpoint(c.Endpoint); err != nil {
		return nil, err
	}
	if c.Poll <= 0 {
		c.Poll = time.Second
	}
	l, err := Listen(ctx, c.Listen)
	if err != nil {
		return nil, err
	}
	g := &FarGateway{c: c, desk: newFarDesk(c.Private, c.Poll, c.Log)}
	users := gateway.New(gateway.Config{
		Model: c.Model.Name(), Context: c.Model.Context(), Longest: longest(c.Model), Codec: Codec(c.Model),
		Asker: g.desk, Desk: g.desk, Book: g.desk, Shelf: g.desk, Keys: c.Keys, Log: c.Log,
	})
	mux := http.NewServeMux()
	mux.Handle("/", users.Handler())
	mux.HandleFunc("GET /readyz", g.ready)
	g.doors = []door{{l, mux}}
	if c.Health == "" {
		return g, nil
	}
	if l, err = Listen(ctx, c.Health); err != nil {
		return nil, errors.Join(fmt.Errorf("health: %w", err), g.doors[0].l.Close())
	}
	inside := http.NewServeMux()
	inside.HandleFunc("GET /readyz", g.ready)
	inside.HandleFunc("GET /metrics", metrics(users))
	g.doors = append(g.doors, door{l, inside})
	return g, nil
}

// Address is where the gateway listens.
func (g *FarGateway) Address() net.Addr { return g.doors[0].l.Addr() }

func (g *FarGateway) ready(w http.ResponseWriter, _ *http.Request) {
	r := g.desk.readiness()
	writeReadiness(w, r.Ready, r)
}

// writeReadiness answers 200 when ready and 503 otherwise.
func writeReadiness(w http.ResponseWriter, ready bool, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(v) // the asker may be gone
}

// Run serves until ctx ends. Then answers under way are finished, and what could not be
// recorded yet is, each for the grace at most. It is an error if something is left.
func (g *FarGateway) Run(ctx context.Context) error {
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	back, inner := errgroup.WithContext(inner)
	back.Go(func() error { return g.attend(inner) })

	outer, shut := context.WithCancel(ctx)
	defer shut()
	defer context.AfterFunc(inner, shut)() // without a verifier there is nothing to serve
	doors, outer := errgroup.WithContext(outer)
	for _, d := range g.doors {
		doors.Go(func() error { return Serve(outer, d.l, d.h, g.c.Grace) })
	}
	err := doors.Wait()
	left := g.flush(ctx)
	stop()
	err = errors.Join(err, back.Wait())
	g.desk.close()
	if left > 0 {
		err = errors.Join(err, fmt.Errorf("%d users' exchanges could not be recorded within %s: the verifier does not answer", left, g.c.Grace))
	}
	return err
}

// flush waits until all is recorded.
func (g *FarGateway) flush(ctx context.Context) int {
	l := g.desk.link.Load()
	if l == nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.c.Grace)
	defer cancel()
	return l.outbox.Wait(ctx)
}

// attend finds the verifier, then keeps the book and brings records until ctx ends.
func (g *FarGateway) attend(ctx context.Context) error {
	c, err := g.find(ctx)
	if c == nil {
		return err
	}
	l := g.desk.meet(c)
	g.c.Log.InfoContext(ctx, "verifier found", "endpoint", g.c.Endpoint, "verifier", c.Verifier())
	back, ctx := errgroup.WithContext(ctx)
	back.Go(func() error { return g.desk.follow(ctx) })
	back.Go(func() error { return l.outbox.Run(ctx) })
	return back.Wait()
}

// find tries until the verifier answers. It returns nil and nil when ctx ends first.
func (g *FarGateway) find(ctx context.Context) (*desk.Client, error) {
	for said := ""; ; {
		c, err := desk.Meet(ctx, desk.ClientConfig{Endpoint: g.c.Endpoint, Verifier: g.c.Verifier, Key: g.c.Key})
		switch {
		case err == nil:
			if err = g.check(c.Hello()); err != nil {
				c.Close()
				return nil, err
			}
			return c, nil
		case ctx.Err() != nil:
			return nil, nil //nolint:nilnil // told to end before there was a verifier
		case err.Error() != said:
			said = err.Error()
			g.c.Log.WarnContext(ctx, "verifier not found yet", "endpoint", g.c.Endpoint, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(g.c.Poll):
		}
	}
}

// check compares what the verifier serves with what this gateway is for.
func (g *FarGateway) check(h desk.Hello) error {
	switch m := g.c.Model; {
	case h.NetUID != g.c.NetUID:
		return fmt.Errorf("%w: subnet %d, this gateway was started for %d (--netuid)", ErrOtherNetwork, h.NetUID, g.c.NetUID)
	case h.Weights != m.Digest():
		return fmt.Errorf("%w: model %s with weights %s, this gateway has %s with %s (--model)", ErrOtherNetwork, h.Model, h.Weights, m.Name(), m.Digest())
	}
	return nil
}
