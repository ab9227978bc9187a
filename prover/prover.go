// Package prover serves requests: it checks who asks, runs the engine, streams the
// ids as they are drawn, and signs a receipt over all of them at the end.
//
// It does not know how tokens are made ([Engine] does), who is registered
// ([epistula.Access] does), or what anybody thinks of its answers. It keeps no
// record of them.
//
// Its invariants: an id is committed to before it is sent; a receipt is signed
// only over an answer that the engine ended by itself, never over one that was
// cut; and of the capacity that it has signed, a place is free again before the
// asker can know that its answer is complete.
package prover

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"targon"
	"targon/sign"
	"targon/wire/ask"
	"targon/wire/epistula"
)

// Engine runs the model.
//
// Generate yields each id the moment it is drawn, the end-of-sequence id
// included, and ends by itself after it or after MaxTokens ids. An error is the
// last thing it yields: one that wraps targon.ErrBusy before the first id means
// that it has no room, targon.ErrRequest that this request cannot be answered. It
// stops when ctx ends or the loop does, and is safe for concurrent use.
type Engine interface {
	Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error]
}

// Config is what a Prover needs. Zero numbers mean the defaults named.
type Config struct {
	Key     *sign.Key
	Engine  Engine
	Model   string           // for logs; what is served is Weights
	Weights targon.Digest    // requests for any other are refused
	EOS     []targon.TokenID // ids that end an answer; without them, where an engine ends is believed
	Genesis targon.Digest    // the chain's
	NetUID  targon.NetUID    //
	Access  epistula.Access  // who may ask
	State   *State           // nil: nothing outlives the process, for tests and local networks
	Log     *slog.Logger     // nil: nowhere
	Now     func() time.Time // nil: the system's
	// Capacity is how many requests are answered at once: 8. PerCaller bounds one
	// caller's share: all of it. The share is what is signed, so that being busy
	// below it counts against us.
	Capacity, PerCaller int
	// AcceptPlain admits Epistula v2 envelopes without our binding.
	AcceptPlain bool
	// MaxNonces bounds the envelopes remembered for one caller: 1<<15.
	MaxNonces int
}

// Prover answers requests. It is safe for concurrent use.
type Prover struct {
	c     Config
	guard *epistula.Guard
	slots *slots

	mu       sync.Mutex
	capacity []byte // signed JSON, good until renew
	renew    time.Time
	hinted   time.Time // when the operator was last told what may be wrong here
}

// New checks the configuration and returns a prover.
func New(c Config) (*Prover, error) {
	if c.Key == nil || c.Engine == nil || c.Access == nil {
		return nil, errors.New("prover needs a key, an engine and an access rule")
	}
	if c.Capacity == 0 {
		c.Capacity = 8
	}
	if c.PerCaller == 0 || c.PerCaller > c.Capacity {
		c.PerCaller = c.Capacity
	}
	if c.Capacity < 0 || c.Capacity > targon.MaxConcurrent || c.PerCaller < 0 {
		return nil, fmt.Errorf("prover capacity %d, want 1 to %d", c.Capacity, targon.MaxConcurrent)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.EOS = slices.Clone(c.EOS)
	ec := epistula.Config{
		Self: c.Key.Hotkey(), Genesis: c.Genesis, NetUID: c.NetUID, Access: c.Access,
		AcceptPlain: c.AcceptPlain, MaxBody: ask.MaxRequestBody, PerCaller: c.MaxNonces, Now: c.Now,
	}
	if c.State != nil {
		ec.Known, ec.Restarted = c.State, c.State.Restarted()
	}
	guard, err := epistula.NewGuard(ec)
	if err != nil {
		return nil, err
	}
	return &Prover{c: c, guard: guard, slots: newSlots(c.Capacity, c.PerCaller)}, nil
}

// Handler serves the two routes of docs/PROTOCOL.md.
func (p *Prover) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+ask.Path, p.guard.Protect(p.ask, p.refuse))
	mux.HandleFunc("GET "+ask.CapacityPath, p.serveCapacity)
	return mux
}

// InFlight returns how many requests are being answered.
func (p *Prover) InFlight() int { return p.slots.inUse() }

// Server returns an HTTP server for a prover: HTTP/1.1, so that one connection is
// one stream, and with a bound on how long a stranger may take to say what it
// wants. There is no bound on how long an answer takes; each write has its own.
func Server(address string, h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Addr:              address,
		Handler:           h,
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}
}

// Serve answers on l until ctx ends, then lets answers under way finish for at
// most grace.
func (p *Prover) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	s := Server(l.Addr().String(), p.Handler())
	s.ErrorLog = slog.NewLogLogger(p.c.Log.Handler(), slog.LevelDebug)
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	p.c.Log.InfoContext(ctx, "serving", "address", l.Addr().String(), "hotkey", p.c.Key, "model", p.c.Model, "weights", p.c.Weights.String())
	select {
	case err := <-failed:
		return fmt.Errorf("serve prover: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.Shutdown(ending); err != nil {
		_ = s.Close() // what is left has had its time
	}
	<-failed //nolint:errcheck // it was shut down and says so
	return nil
}

// slots counts the requests under way, in all and for each caller.
type slots struct {
	total, perCaller int

	mu      sync.Mutex
	used    int
	callers map[targon.Hotkey]int
}

func newSlots(total, perCaller int) *slots {
	return &slots{total: total, perCaller: perCaller, callers: map[targon.Hotkey]int{}}
}

// take returns the function that gives the place back, once however often it is
// called, or false when there is none. It never waits: a queue would only turn
// busy into late.
func (s *slots) take(h targon.Hotkey) (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used >= s.total || s.callers[h] >= s.perCaller {
		return nil, false
	}
	s.used++
	s.callers[h]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.used--
		if s.callers[h]--; s.callers[h] == 0 {
			delete(s.callers, h)
		}
	}), true
}

func (s *slots) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}
