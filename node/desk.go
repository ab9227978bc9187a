package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"targon"
	"targon/gateway"
	"targon/verifier"
	"targon/wire/ask"
	"targon/wire/desk"
)

// ownDesk is a verifier as a gateway in its process sees it.
type ownDesk struct{ *verifier.Verifier }

// Address says in the gateway's words when there is no epoch yet.
func (d ownDesk) Address(ctx context.Context, draft targon.Draft, n targon.Neuron) (targon.Request, error) {
	r, err := d.Verifier.Address(ctx, draft, n)
	if errors.Is(err, verifier.ErrNotReady) {
		err = fmt.Errorf("%w: %w", gateway.ErrUnavailable, err)
	}
	return r, err
}

// servedDesk is a verifier as its desk serves it.
type servedDesk struct{ *verifier.Verifier }

// Address says in the desk's words what the verifier says in its own.
func (d servedDesk) Address(ctx context.Context, draft targon.Draft, n targon.Neuron) (targon.Request, error) {
	r, err := d.Verifier.Address(ctx, draft, n)
	return r, inDeskWords(err)
}

// Record does so too.
func (d servedDesk) Record(ctx context.Context, x targon.Exchange, optedOut bool) error {
	return inDeskWords(d.Verifier.Record(ctx, x, optedOut))
}

func inDeskWords(err error) error {
	switch {
	case errors.Is(err, verifier.ErrNotReady):
		return fmt.Errorf("%w: %w", desk.ErrNotReady, err)
	case errors.Is(err, verifier.ErrTwice):
		return fmt.Errorf("%w: %w", desk.ErrTwice, err)
	}
	return err
}

// farDesk is a verifier in another process as a gateway sees it: Desk, Book and Asker at
// once, since what the desk sealed is what the asker sends. Until there is a client
// everything is unavailable.
type farDesk struct {
	private bool // provers may be on this machine or a private network
	poll    time.Duration
	log     *slog.Logger
	now     func() time.Time

	link atomic.Pointer[link]
	page atomic.Pointer[page]

	mu      sync.Mutex
	open    map[targon.RequestID]desk.Addressed // addressed and not recorded
	tickets map[targon.Digest]desk.Wanted       // of the last mostTickets answers, by request
	order   []targon.Digest                     // of tickets; the oldest is at next, once it is full
	next    int
}

// mostTickets is how many answers' bundles can be fetched from the verifier: the last so
// many (own; about 200 bytes each).
const mostTickets = 1 << 15

// link is what there is once the verifier has been found.
type link struct {
	client *desk.Client
	outbox *desk.Outbox
	asker  *ask.Client // without a key: all that it sends was sealed by the verifier
}

// page is a book and when it was last known to be right.
type page struct {
	desk.Page
	digest targon.Digest
	at     time.Time
}

// bookAge is how long the verifier may be away before the gateway is not ready.
const bookAge = 10 * time.Second

func newFarDesk(private bool, poll time.Duration, log *slog.Logger) *farDesk {
	return &farDesk{private: private, poll: poll, log: log, now: time.Now, open: map[targon.RequestID]desk.Addressed{}, tickets: map[targon.Digest]desk.Wanted{}}
}

// meet takes a client into use, and the verifier's patience over.
func (f *farDesk) meet(c *desk.Client) *link {
	h := c.Hello()
	l := &link{
		client: c, outbox: desk.NewOutbox(c, desk.OutboxConfig{Log: f.log}),
		asker: ask.New(ask.Config{AllowPrivate: f.private, Limits: ask.Limits{First: h.First, Next: h.Next, Total: h.Total}}),
	}
	f.link.Store(l)
	return l
}

func (f *farDesk) close() {
	if l := f.link.Load(); l != nil {
		l.client.Close()
		l.asker.Close()
	}
}

// Address has the draft addressed and sealed, and keeps what sending and recording it
// takes.
func (f *farDesk) Address(ctx context.Context, d targon.Draft, n targon.Neuron) (targon.Request, error) {
	l := f.link.Load()
	if l == nil {
		return targon.Request{}, gateway.ErrUnavailable
	}
	a, err := l.client.Address(ctx, d, n)
	switch {
	case errors.Is(err, desk.ErrNeuron):
		return targon.Request{}, fmt.Errorf("%w: %w", gateway.ErrNeuron, err)
	case errors.Is(err, desk.ErrAway), errors.Is(err, desk.ErrNotReady):
		return targon.Request{}, fmt.Errorf("%w: %w", gateway.ErrUnavailable, err)
	case err != nil:
		return targon.Request{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[a.Request.ID] = a
	return a.Request, nil
}

// errNotAddressed is a fault of ours: the gateway asks and records what it addressed.
var errNotAddressed = errors.New("request was not addressed by this process")

// Ask sends what was sealed.
func (f *farDesk) Ask(ctx context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error) {
	f.mu.Lock()
	a, ok := f.open[r.ID]
	f.mu.Unlock()
	if !ok {
		return targon.Exchange{UID: n.UID, Status: targon.StatusOurs, Transcript: targon.Transcript{Request: r}}, errNotAddressed
	}
	return f.link.Load().asker.AskSealed(ctx, n, a.Sealed, each)
}

// Record brings an exchange to the verifier, at once or as soon as it is there.
func (f *farDesk) Record(ctx context.Context, x targon.Exchange, optedOut bool) error {
	id := x.Transcript.Request.ID
	f.mu.Lock()
	a, ok := f.open[id]
	delete(f.open, id)
	if ok && x.Status == targon.StatusComplete {
		f.hold(desk.Wanted{Ticket: a.Ticket, UID: x.UID, Request: x.Transcript.Request.Digest()})
	}
	f.mu.Unlock()
	if !ok {
		return errNotAddressed
	}
	return f.link.Load().outbox.Post(ctx, desk.Record{Ticket: a.Ticket, Exchange: x, OptedOut: optedOut})
}

// hold keeps what fetching a bundle takes; mu is held.
func (f *farDesk) hold(w desk.Wanted) {
	if len(f.order) < mostTickets {
		f.order = append(f.order, w.Request)
	} else {
		delete(f.tickets, f.order[f.next])
		f.order[f.next] = w.Request
		f.next = (f.next + 1) % mostTickets
	}
	f.tickets[w.Request] = w
}

// Bundle fetches the bundle of a user's answer from the verifier.
func (f *farDesk) Bundle(ctx context.Context, request targon.Digest) (targon.Fate, []byte, error) {
	f.mu.Lock()
	w, ok := f.tickets[request]
	f.mu.Unlock()
	l := f.link.Load()
	if !ok || l == nil {
		return targon.FateUnknown, nil, nil
	}
	shown, err := l.client.Bundle(ctx, w)
	switch {
	case errors.Is(err, desk.ErrAway), errors.Is(err, desk.ErrNotReady):
		return shown.Fate, nil, fmt.Errorf("%w: %w", gateway.ErrUnavailable, err)
	case err == nil && shown.Fate == targon.FateUnknown && l.outbox.Stats().Waiting > 0:
		shown.Fate = targon.FateWaiting // it may not have been brought yet
	}
	return shown.Fate, shown.File, err
}

// Provers returns those of the book, however old: whom the desk does not know any more
// it does not address.
func (f *farDesk) Provers() []targon.Neuron {
	if p := f.page.Load(); p != nil {
		return p.Provers
	}
	return nil
}

// Scores returns those of the book.
func (f *farDesk) Scores() []targon.Score {
	if p := f.page.Load(); p != nil {
		return p.Scores
	}
	return nil
}

// readiness is what the gateway says of itself.
func (f *farDesk) readiness() GatewayReadiness {
	var r GatewayReadiness
	if l := f.link.Load(); l != nil {
		r.Records = l.outbox.Stats()
	}
	switch p := f.page.Load(); {
	case p == nil || f.now().Sub(p.at) > bookAge:
		r.Reason = "the verifier does not answer"
	case len(p.Provers) == 0:
		r.Reason = "no prover serves"
	default:
		r.Ready = true
	}
	return r
}

// errChanged says that this process was started for what the verifier no longer serves.
var errChanged = errors.New("verifier serves something else than before: this gateway has to start again")

// follow keeps the book until ctx ends. It says when the verifier goes away and when it
// is back, once each; one that is back with another model or chain is not the one that
// was met.
func (f *farDesk) follow(ctx context.Context) error {
	away := false
	for ctx.Err() == nil {
		err := f.read(ctx)
		if err == nil && away {
			err = f.meetAgain(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errChanged):
			return err
		case err != nil && !away:
			f.log.WarnContext(ctx, "verifier does not answer", "error", err)
		case err == nil && away:
			f.log.InfoContext(ctx, "verifier answers again")
		}
		away = err != nil
		select {
		case <-ctx.Done():
		case <-time.After(f.poll):
		}
	}
	return nil
}

func (f *farDesk) meetAgain(ctx context.Context) error {
	c := f.link.Load().client
	h, err := c.SayHello(ctx)
	if err == nil && h != c.Hello() {
		err = errChanged
	}
	return err
}

// read reads the book once.
func (f *farDesk) read(ctx context.Context) error {
	held := page{}
	if p := f.page.Load(); p != nil {
		held = *p
	}
	begun := f.now()
	got, digest, changed, err := f.link.Load().client.Book(ctx, held.digest)
	if err != nil {
		return err
	}
	if changed {
		held = page{Page: got, digest: digest}
	}
	held.at = begun
	f.page.Store(&held)
	return nil
}
