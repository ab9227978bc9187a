// Package ask is the one client that speaks to provers: verifier, gateway, pool
// and audit use the same code, so that a challenge and a user's request cannot be
// told apart by how they are sent, timed or given up.
//
// It signs and sends a request, hands the ids on as they come, times them by its
// own monotonic clock, and returns what came as a [targon.Exchange]. It does not
// judge: whether the receipt is signed, commits to these ids and answers this
// request is for package proof. It does not retry, and it reads no chain.
//
// Its invariant: whatever the other side does, Ask ends by its deadlines, holds a
// bounded number of bytes, and reports what the prover did as a status and not as
// an error. Errors are ours.
package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"targon"
	"targon/sign"
	"targon/wire/epistula"
)

// Limits are the deadlines and sizes that an exchange is held to. Zero means the
// default named.
type Limits struct {
	// Header is from sending to the response's header: First. A prover sends its
	// header with the first id, so that it can still refuse until then.
	Header time.Duration
	First  time.Duration // from sending to the first id: 30 s
	Next   time.Duration // between two ids, and from the last to the end: 15 s
	Total  time.Duration // from sending to the receipt: 5 min; told to the prover
	Bytes  int64         // of the response's body: 16 MiB
}

// maxTotal leaves a prover whose clock is behind within its own 10 minutes.
const maxTotal = epistula.MaxAhead - epistula.Past - 2*time.Second

// Config is what a Client needs. A client without a key sends only what others sealed.
type Config struct {
	Key     *sign.Key
	Genesis targon.Digest
	NetUID  targon.NetUID
	// HTTP is used with its redirects switched off; nil means a client of our own
	// over NewTransport(AllowPrivate).
	HTTP *http.Client
	// AllowPrivate dials any address, as local networks need.
	AllowPrivate bool
	Limits       Limits
	Now          func() time.Time // for timestamps; durations are monotonic
}

// Client asks provers. It is safe for concurrent use.
type Client struct {
	config Config
	http   *http.Client
	signer epistula.Signer
}

// New returns a client.
func New(c Config) *Client {
	l := &c.Limits
	if l.First == 0 {
		l.First = 30 * time.Second
	}
	if l.Header == 0 {
		l.Header = l.First
	}
	if l.Next == 0 {
		l.Next = 15 * time.Second
	}
	if l.Total == 0 {
		l.Total = 5 * time.Minute
	}
	l.Total = min(l.Total, maxTotal)
	if l.Bytes == 0 {
		l.Bytes = 16 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h := http.Client{}
	if c.HTTP != nil {
		h = *c.HTTP
	}
	if h.Transport == nil {
		h.Transport = NewTransport(c.AllowPrivate)
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.Jar, h.Timeout = nil, 0
	return &Client{
		config: c, http: &h,
		signer: epistula.Signer{Key: c.Key, Genesis: c.Genesis, NetUID: c.NetUID, Now: c.Now},
	}
}

// Limits returns what exchanges are held to, defaults included.
func (c *Client) Limits() Limits { return c.config.Limits }

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Why an exchange ended, as causes of its context.
var (
	errTotal  = errors.New("deadline passed")
	errHeader = errors.New("no response in time")
	errFirst  = errors.New("no id in time")
	errStall  = errors.New("stream stalled")
)

// Ask sends r to n and hands each id to each, which may be nil, as it comes. Calls
// of each come one after the other, from a goroutine of their own, and have ended
// when Ask returns; however slow they are, the times measured are those of the
// network. An error from each, like the end of ctx by cancellation, means that
// whoever asked went away: StatusAborted, unless the answer was complete by then.
// A deadline of ctx counts as the request's own.
//
// The error is not nil only for faults of ours; the status is then StatusOurs. The
// exchange's Origin is left to the caller.
func (c *Client) Ask(ctx context.Context, n targon.Neuron, r targon.Request,
	each func(targon.Token) error,
) (targon.Exchange, error) {
	body, err := c.encode(n, r)
	return c.exchange(ctx, n, outgoing{r: r, body: body, err: err, envelop: c.sign}, each)
}

// outgoing is a request on its way: its bytes, or why there are none, and how they get
// their envelope.
type outgoing struct {
	r       targon.Request
	body    []byte
	err     error
	envelop func(req *http.Request, o outgoing, deadline time.Time) error
}

// sign is how a request of our own gets its envelope: the moment it is sent.
func (c *Client) sign(req *http.Request, o outgoing, deadline time.Time) error {
	return c.signer.Sign(req, o.body, o.r.Prover, deadline)
}

// exchange is all that Ask and AskSealed have in common, which is everything but whose
// hand is on the envelope.
func (c *Client) exchange(ctx context.Context, n targon.Neuron, o outgoing, each func(targon.Token) error) (targon.Exchange, error) {
	x := targon.Exchange{UID: n.UID, Status: targon.StatusOurs, Transcript: targon.Transcript{Request: o.r}}
	err := o.err
	if err == nil {
		e := &exchange{c: c, x: &x}
		// A transport that is not net/http's cannot say when it is connected.
		_, traceable := c.http.Transport.(*http.Transport)
		e.connected.Store(!traceable)
		err = e.run(ctx, n, o, each)
	}
	if x.Timing.Ended == 0 { // no id came
		x.Timing.Ended = c.config.Now().UnixMilli()
	}
	if err != nil {
		x.Status, x.Detail = targon.StatusOurs, err.Error()
		return x, fmt.Errorf("ask uid %d: %w", n.UID, err)
	}
	return x, nil
}

// encode checks that the request is ours to send and to this neuron.
func (c *Client) encode(n targon.Neuron, r targon.Request) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if c.config.Key == nil || r.Prover != n.Hotkey || r.Verifier != c.config.Key.Hotkey() {
		return nil, fmt.Errorf("%w: not from this key to this neuron", targon.ErrRequest)
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	if len(body) > MaxRequestBody {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", targon.ErrRequest, len(body), MaxRequestBody)
	}
	return body, nil
}

// request builds an HTTP request to a neuron.
func request(ctx context.Context, n targon.Neuron, method, path string) (*http.Request, error) {
	u := url.URL{Scheme: "http", Host: n.Axon.String(), Path: path}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	req.Header.Set("User-Agent", "targon")
	return req, nil
}

// reachable applies the dial policy to an axon. The transport applies it again, if
// it is ours.
func (c *Client) reachable(n targon.Neuron) error {
	if !n.Axon.IsValid() || n.Axon.Port() == 0 {
		return fmt.Errorf("%w: serves no axon", ErrAddress)
	}
	if c.config.AllowPrivate {
		return nil
	}
	return CheckAddress(n.Axon)
}
