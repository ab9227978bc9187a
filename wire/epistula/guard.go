package epistula

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"targon"
	"targon/sign"
)

// Access says who may ask. Admit returns nil, or why not; it is called before the
// signature is checked, so it must be cheap, and must not count anything.
type Access interface {
	Admit(caller targon.Hotkey) error
}

// AccessFunc is a function that is an Access.
type AccessFunc func(targon.Hotkey) error

// Admit calls f.
func (f AccessFunc) Admit(h targon.Hotkey) error { return f(h) }

// Principal is a caller whose envelope was checked. There is no other way to get
// one than through a [Guard].
type Principal struct {
	Caller   targon.Hotkey
	Bound    bool      // sent the bound form
	Sent     time.Time // by the caller's clock
	Deadline time.Time // when the answer is worth nothing any more
}

// Config is what a Guard needs. Zero numbers mean the defaults named.
type Config struct {
	Self    targon.Hotkey
	Genesis targon.Digest
	NetUID  targon.NetUID
	Access  Access
	Known   Known // nil: a fresh Memory
	// AcceptPlain admits v2 envelopes without our binding, from callers that have
	// never sent a bound one.
	AcceptPlain bool
	// Restarted says that an earlier run may have accepted envelopes which this
	// one has forgotten: whatever is dated up to 2 s after the start is then
	// refused with ErrTooEarly.
	Restarted bool
	MaxBody   int64 // 2 MiB
	// PerCaller and Total bound the nonces remembered for Keep (20 s): 1<<15 and
	// 1<<19, so that one caller is held to 1,638 requests a second.
	PerCaller, Total int
	BodyTime         time.Duration // for reading a body: 15 s
	Now              func() time.Time
}

// Guard checks envelopes for one receiver. It is safe for concurrent use.
type Guard struct {
	c       Config
	self    string
	started time.Time
	nonces  *nonces

	mu    sync.RWMutex
	names map[string]targon.Hotkey // parsed addresses of admitted callers
}

const maxNames = 4096

// NewGuard returns a guard whose start, for the rule after a restart, is now.
func NewGuard(c Config) (*Guard, error) {
	if (c.Self == targon.Hotkey{}) || c.Access == nil {
		return nil, errors.New("guard needs its own hotkey and an access rule")
	}
	if c.Known == nil {
		c.Known = &Memory{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxBody == 0 {
		c.MaxBody = 2 << 20
	}
	if c.BodyTime == 0 {
		c.BodyTime = 15 * time.Second
	}
	if c.PerCaller == 0 {
		c.PerCaller = 1 << 15
	}
	if c.Total == 0 {
		c.Total = 1 << 19
	}
	return &Guard{
		c: c, self: c.Self.String(), started: c.Now(),
		nonces: newNonces(c.PerCaller, c.Total), names: map[string]targon.Hotkey{},
	}, nil
}

// RetryAfter is how long, in whole seconds, a caller that was told ErrTooEarly
// should wait before it signs anew.
func (g *Guard) RetryAfter() int {
	left := g.started.Add(Future).Sub(g.c.Now())
	return max(1, int((left+time.Second-1)/time.Second))
}

// Handler serves a request whose envelope was checked; body is what was signed.
type Handler func(w http.ResponseWriter, r *http.Request, p Principal, body []byte)

// Protect returns an http.Handler that calls next for good envelopes and refuse
// for all others. The context that next sees ends with the caller's connection.
func (g *Guard) Protect(next Handler, refuse func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The read deadline must be gone again before the handler streams: net/http
		// takes a late read error for a client that went away.
		rc := http.NewResponseController(w)
		limited := rc.SetReadDeadline(time.Now().Add(g.c.BodyTime)) == nil
		p, body, err := g.Verify(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		if limited {
			if err := rc.SetReadDeadline(time.Time{}); err != nil {
				refuse(w, r, fmt.Errorf("lift read deadline: %w", err))
				return
			}
		}
		next(w, r, p, body)
	})
}

// Verify checks the envelope of a request, cheapest checks first, and reads the
// body once everything that can be known without it is in order. An error that
// wraps none of the package's own is a fault of the receiver.
func (g *Guard) Verify(r *http.Request) (Principal, []byte, error) {
	now := g.c.Now()
	e, err := g.open(r.Header)
	if err != nil {
		return Principal{}, nil, err
	}
	if err := g.timely(e, now); err != nil {
		return Principal{}, nil, err
	}
	if e.caller, err = g.admit(e.signedBy); err != nil {
		return Principal{}, nil, err
	}
	if !e.bound && (!g.c.AcceptPlain || g.c.Known.Bound(e.caller)) {
		return Principal{}, nil, ErrUnbound
	}
	if err := g.nonces.peek(e.use(), now); err != nil {
		return Principal{}, nil, err
	}
	body, err := g.read(r)
	if err != nil {
		return Principal{}, nil, err
	}
	if err := g.authentic(e, r, body); err != nil {
		return Principal{}, nil, err
	}
	// The first of many equal envelopes to come here is the one that counts.
	if err := g.nonces.insert(e.use(), g.c.Now()); err != nil {
		return Principal{}, nil, err
	}
	if e.bound && !g.c.Known.Bound(e.caller) {
		if err := g.c.Known.MarkBound(e.caller); err != nil {
			return Principal{}, nil, fmt.Errorf("remember %s: %w", e.caller, err)
		}
	}
	return Principal{Caller: e.caller, Bound: e.bound, Sent: e.sent, Deadline: e.deadline}, body, nil
}

// envelope is the headers, read but not yet believed.
type envelope struct {
	stamp, uuidText, signedBy string
	uuid                      UUID
	sent, deadline            time.Time
	deadlineMillis            uint64
	nonce                     Nonce
	bound                     bool
	signature                 targon.Signature
	caller                    targon.Hotkey
}

func (e *envelope) use() use {
	if e.bound {
		return use{caller: e.caller, nonce: e.nonce}
	}
	return use{caller: e.caller, nonce: e.uuid, plain: true}
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// single returns the only value of a header.
func single(h http.Header, name string) (string, error) {
	v := h[name]
	if len(v) != 1 || v[0] == "" {
		return "", fmt.Errorf("%w: want %s once", ErrMalformed, name)
	}
	return v[0], nil
}

// open reads the headers: presence, exact lengths, encodings, and the receiver,
// which is a comparison of text.
func (g *Guard) open(h http.Header) (*envelope, error) {
	var v [6]string
	for i, name := range [...]string{
		HeaderVersion, HeaderTimestamp, HeaderUUID, HeaderSignedBy, HeaderSignedFor, HeaderSignature,
	} {
		var err error
		if v[i], err = single(h, name); err != nil {
			return nil, err
		}
	}
	e := &envelope{stamp: v[1], uuidText: v[2], signedBy: v[3]}
	if v[0] != Version {
		return nil, malformed("version")
	}
	ms, ok := millis(e.stamp)
	if !ok {
		return nil, malformed("timestamp")
	}
	e.sent = time.UnixMilli(ms)
	var err error
	if e.uuid, err = ParseUUID(e.uuidText); err != nil {
		return nil, err
	}
	if len(v[5]) != 130 || v[5][:2] != "0x" || !lowerHex(e.signature[:], v[5][2:]) {
		return nil, malformed("signature")
	}
	if err := e.openBinding(h); err != nil {
		return nil, err
	}
	if v[4] != g.self {
		return nil, ErrReceiver
	}
	return e, nil
}

// openBinding reads our two headers, which come together or not at all, and holds
// the uuid's version to the form.
func (e *envelope) openBinding(h http.Header) error {
	e.bound = len(h[HeaderNonce]) > 0 || len(h[HeaderDeadline]) > 0
	if !e.bound {
		if e.uuid.version() != 4 {
			return malformed("uuid of a plain envelope")
		}
		return nil
	}
	nonce, err := single(h, HeaderNonce)
	if err != nil {
		return err
	}
	deadline, err := single(h, HeaderDeadline)
	if err != nil {
		return err
	}
	if !lowerHex(e.nonce[:], nonce) {
		return malformed("nonce")
	}
	ms, ok := millis(deadline)
	if !ok {
		return malformed("deadline")
	}
	e.deadlineMillis, e.deadline = uint64(ms), time.UnixMilli(ms)
	if e.uuid.version() != 8 {
		return malformed("uuid of a bound envelope")
	}
	return nil
}

// timely checks the window, the deadline, and the rule after a restart.
func (g *Guard) timely(e *envelope, now time.Time) error {
	// Timestamps are whole milliseconds, so the clock is cut to them too.
	now = now.Truncate(time.Millisecond)
	if e.sent.Before(now.Add(-Past)) || e.sent.After(now.Add(Future)) {
		return ErrStale
	}
	if !e.bound {
		e.deadline = now.Add(MaxAhead)
	}
	if !e.deadline.After(now) || e.deadline.After(now.Add(MaxAhead)) {
		return ErrDeadline
	}
	// Whatever the former run may have accepted was dated at most 2 s after its
	// end, and it ended before this one started.
	if g.c.Restarted && !e.sent.After(g.started.Add(Future)) {
		return ErrTooEarly
	}
	return nil
}

// admit parses the caller's address and asks whether it may speak. Addresses of
// admitted callers are kept parsed, because base58 costs more than all checks
// before it.
func (g *Guard) admit(address string) (targon.Hotkey, error) {
	g.mu.RLock()
	h, ok := g.names[address]
	g.mu.RUnlock()
	if !ok {
		var err error
		if h, err = targon.ParseHotkey(address); err != nil {
			return h, malformed("signed-by")
		}
	}
	if err := g.c.Access.Admit(h); err != nil {
		return h, fmt.Errorf("%w: %w", ErrDenied, err)
	}
	if !ok {
		g.mu.Lock()
		if len(g.names) < maxNames {
			g.names[address] = h
		}
		g.mu.Unlock()
	}
	return h, nil
}

// read takes exactly the announced number of bytes.
func (g *Guard) read(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 {
		return nil, ErrLength
	}
	if r.ContentLength > g.c.MaxBody {
		return nil, ErrTooLarge
	}
	if r.Body == nil || r.Body == http.NoBody {
		if r.ContentLength != 0 {
			return nil, ErrBody
		}
		return nil, nil
	}
	var buf bytes.Buffer
	// The buffer grows with what arrives, not with what was announced.
	n, err := io.Copy(&buf, io.LimitReader(r.Body, r.ContentLength+1))
	if err != nil || n != r.ContentLength {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	return buf.Bytes(), nil
}

// authentic recomputes what was signed from what was received.
func (g *Guard) authentic(e *envelope, r *http.Request, body []byte) error {
	if e.bound {
		want := Binding{
			Genesis: g.c.Genesis, NetUID: g.c.NetUID, Method: r.Method, Target: target(r),
			Receiver: g.c.Self, Nonce: e.nonce, Length: uint64(len(body)), Deadline: e.deadlineMillis,
		}
		if want.UUID() != e.uuid {
			return fmt.Errorf("%w: uuid", ErrSignature)
		}
	}
	m := Message(sha256.Sum256(body), e.uuidText, e.stamp, g.self)
	if err := sign.Verify(e.caller, m, e.signature); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// target is the request line's, before any mux or proxy handler rewrote the URL.
func target(r *http.Request) string {
	if r.RequestURI != "" {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// SetRetryAfter sets the header that tells the caller of an ErrTooEarly when to
// come back.
func (g *Guard) SetRetryAfter(w http.ResponseWriter) {
	w.Header().Set("Retry-After", strconv.Itoa(g.RetryAfter()))
}
