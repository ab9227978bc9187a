package desk

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"targon"
	"targon/sign"
	"targon/wire/epistula"
)

// ServerConfig is what a Server needs. Zero means the default named, where there is one.
type ServerConfig struct {
	Key    *sign.Key // the verifier's
	Hello  Hello
	Secret targon.Secret   // for tickets; nobody else's
	Allow  []targon.Hotkey // the gateways
	Desk   Desk
	Book   Book
	Sealer Sealer
	Shelf  Shelf // of bundles for users; nil: there are none

	Restarted bool // an earlier run may have taken envelopes that this one has forgotten
	Calls     int  // answered at once; 64
	Now       func() time.Time
	Log       *slog.Logger // nowhere
}

// Stats counts calls since the start.
type Stats struct {
	Addressed uint64 `json:"addressed"`
	Recorded  uint64 `json:"recorded"` // what was addressed and never recorded is missing here
	Refused   uint64 `json:"refused"`
}

// Server is the verifier's end.
type Server struct {
	c      ServerConfig
	places chan struct{} // holds a value for each call under way
	// fetches holds a value for each call for a bundle: those are the only large answers.
	fetches chan struct{}
	mux     *http.ServeMux
	stats   struct{ addressed, recorded, refused atomic.Uint64 }
}

const (
	callTime   = 20 * time.Second // longest work for one call
	retryAfter = 2                // seconds, for ErrNotReady
)

// NewServer returns a server. Who listens must set ReadHeaderTimeout.
func NewServer(c ServerConfig) (*Server, error) {
	if (c.Secret == targon.Secret{}) || c.Desk == nil || c.Book == nil || c.Sealer == nil {
		return nil, errors.New("desk needs a secret, a verifier and a sealer")
	}
	if len(c.Allow) == 0 {
		return nil, errors.New("desk admits nobody: name the hotkeys of its gateways")
	}
	if c.Calls <= 0 {
		c.Calls = 64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{c: c, places: make(chan struct{}, c.Calls), fetches: make(chan struct{}, mostFetches), mux: http.NewServeMux()}
	// Who says hello does not know the network yet, so it is signed for none.
	greeting, err := s.guard(targon.Digest{}, 0)
	if err != nil {
		return nil, err
	}
	guard, err := s.guard(c.Hello.Genesis, c.Hello.NetUID)
	if err != nil {
		return nil, err
	}
	s.route(HelloPath, greeting, func(context.Context, call) (encoding.BinaryMarshaler, error) { return c.Hello, nil })
	s.route(AddressPath, guard, s.address)
	s.route(RecordPath, guard, s.record)
	s.route(BookPath, guard, s.book)
	s.route(BundlePath, guard, s.bundle)
	return s, nil
}

func (s *Server) guard(genesis targon.Digest, n targon.NetUID) (*epistula.Guard, error) {
	return epistula.NewGuard(epistula.Config{
		Self: s.c.Key.Hotkey(), Genesis: genesis, NetUID: n, Restarted: s.c.Restarted, MaxBody: maxMessage, Now: s.c.Now,
		Access: epistula.AccessFunc(func(h targon.Hotkey) error {
			if !slices.Contains(s.c.Allow, h) {
				return errors.New("is no gateway of this verifier's")
			}
			return nil
		}),
	})
}

// Handler returns the routes.
func (s *Server) Handler() http.Handler { return s.mux }

// Stats returns the counters.
func (s *Server) Stats() Stats {
	return Stats{s.stats.addressed.Load(), s.stats.recorded.Load(), s.stats.refused.Load()}
}

// call is a checked call.
type call struct {
	gateway targon.Hotkey
	body    []byte
}

// raw is an answer that is encoded already.
type raw []byte

// MarshalBinary returns it.
func (r raw) MarshalBinary() ([]byte, error) { return r, nil }

func (s *Server) route(path string, g *epistula.Guard, do func(context.Context, call) (encoding.BinaryMarshaler, error)) {
	serve := func(w http.ResponseWriter, r *http.Request, p epistula.Principal, body []byte) {
		status, answer := s.serve(r.Context(), p, func(ctx context.Context) (encoding.BinaryMarshaler, error) {
			return do(ctx, call{p.Caller, body})
		})
		if status >= 400 && status != http.StatusConflict {
			s.stats.refused.Add(1)
		}
		s.reply(w, r, status, answer)
	}
	refuse := func(w http.ResponseWriter, _ *http.Request, err error) {
		s.stats.refused.Add(1)
		status, text, ok := epistula.Status(err)
		if !ok {
			status, text = http.StatusInternalServerError, "internal error"
		}
		if status == http.StatusTooEarly {
			g.SetRetryAfter(w)
		}
		http.Error(w, text, status)
	}
	s.mux.Handle("POST "+path, g.Protect(serve, refuse))
}

// serve does the work for one call, if there is a place and before its deadline.
func (s *Server) serve(ctx context.Context, p epistula.Principal, do func(context.Context) (encoding.BinaryMarshaler, error)) (int, []byte) {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return http.StatusServiceUnavailable, nil
	}
	ctx, cancel := context.WithTimeout(ctx, min(callTime, p.Deadline.Sub(s.c.Now())))
	defer cancel()
	v, err := do(ctx)
	var out []byte
	if err == nil {
		out, err = v.MarshalBinary()
	}
	if err != nil {
		status := statusOf(err)
		if status == http.StatusInternalServerError {
			s.c.Log.ErrorContext(ctx, "desk call", "gateway", p.Caller, "error", err)
		}
		return status, nil
	}
	if len(out) == 0 {
		return http.StatusNoContent, nil
	}
	return http.StatusOK, out
}

// reply signs and sends. Why something was refused is its status: the gateway is told
// nothing else.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	nonce, err := nonceOf(r)
	var sig targon.Signature
	if err == nil {
		sig, err = s.c.Key.Sign(replyMessage(r.URL.Path, nonce, status, body))
	}
	if err != nil { // the guard has seen the nonce, and a key signs: neither happens
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set(HeaderSignature, "0x"+hex.EncodeToString(sig[:]))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a gateway that has gone tries again
}

func nonceOf(r *http.Request) (n epistula.Nonce, err error) {
	text := r.Header.Get(epistula.HeaderNonce)
	if len(text) != 2*len(n) {
		return n, fmt.Errorf("%w: nonce", ErrMalformed)
	}
	_, err = hex.Decode(n[:], []byte(text))
	return n, err
}

// address makes a request of a draft and seals it. The prover must be one that the
// book shows: a gateway does not choose whom the verifier signs for.
func (s *Server) address(ctx context.Context, c call) (encoding.BinaryMarshaler, error) {
	var d Draft
	if err := d.UnmarshalBinary(c.body); err != nil {
		return nil, err
	}
	provers := s.c.Book.Provers()
	i := slices.IndexFunc(provers, func(n targon.Neuron) bool { return n.Hotkey == d.Prover && n.UID == d.UID })
	switch {
	case d.Desk != s.c.Key.Hotkey() || d.Model != s.c.Hello.Model:
		return nil, fmt.Errorf("%w: draft for another verifier or model", ErrMalformed)
	case i < 0:
		return nil, ErrNeuron
	}
	r, err := s.c.Desk.Address(ctx, d.Draft, provers[i])
	if err != nil {
		return nil, err
	}
	sealed, err := s.c.Sealer.Seal(provers[i], r)
	if err != nil {
		return nil, err
	}
	s.stats.addressed.Add(1)
	e := sealed.Envelope
	return raw(sent{
		ticket: issue(s.c.Secret, errand{r.Digest(), c.gateway, d.UID}, uint64(s.c.Now().UnixMilli())),
		nonce:  e.Binding.Nonce, stamp: e.Timestamp, deadline: e.Binding.Deadline, signature: e.Signature, body: sealed.Body,
	}.encode()), nil
}

// record takes what came of a request, once: the verifier knows what it has.
func (s *Server) record(ctx context.Context, c call) (encoding.BinaryMarshaler, error) {
	var m Record
	if err := m.UnmarshalBinary(c.body); err != nil {
		return nil, err
	}
	x := m.Exchange
	e := errand{x.Transcript.Request.Digest(), c.gateway, x.UID}
	if err := m.Ticket.check(s.c.Secret, e, x.Timing.Total, s.c.Now()); err != nil {
		return nil, err
	}
	if err := s.c.Desk.Record(ctx, x, m.OptedOut); err != nil {
		return nil, err
	}
	s.stats.recorded.Add(1)
	return raw(nil), nil
}

// book answers with the page of now, or with nothing if the caller holds it already.
func (s *Server) book(_ context.Context, c call) (encoding.BinaryMarshaler, error) {
	if len(c.body) != len(targon.Digest{}) {
		return nil, fmt.Errorf("%w: want the digest of the page that is held", ErrMalformed)
	}
	b, err := Page{Provers: s.c.Book.Provers(), Scores: s.c.Book.Scores()}.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("book: %s", err.Error()) // the caller is not to blame
	}
	if targon.Digest(sha256.Sum256(b)) == targon.Digest(c.body) {
		return raw(nil), nil
	}
	return raw(b), nil
}
