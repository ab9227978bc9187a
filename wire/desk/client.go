package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"targon"
	"targon/sign"
	"targon/wire/ask"
	"targon/wire/epistula"
)

// ClientConfig is what a gateway knows of its verifier.
type ClientConfig struct {
	Endpoint string        // http:// or https://, host and port
	Verifier targon.Hotkey // whose signature counts
	Key      *sign.Key     // the gateway's own
	HTTP     *http.Client  // nil: one of our own
	Now      func() time.Time
}

// Client is the gateway's end. It is safe for concurrent use.
type Client struct {
	c     ClientConfig
	base  string
	http  *http.Client
	hello Hello
}

// Longest time of each call.
const (
	helloTime   = 5 * time.Second
	addressTime = 5 * time.Second
	recordTime  = 10 * time.Second
	bookTime    = 5 * time.Second
	bundleTime  = 20 * time.Second
)

// ParseEndpoint returns the address of a desk in its full form; host:port means http.
func ParseEndpoint(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", fmt.Errorf("endpoint: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("endpoint %q: want http:// or https:// with host and port only", text)
	}
	return u.Scheme + "://" + u.Host, nil
}

// Meet finds the verifier and learns what it serves. ErrAway means that it may be
// tried again.
func Meet(ctx context.Context, c ClientConfig) (*Client, error) {
	base, err := ParseEndpoint(c.Endpoint)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	d := &Client{c: c, base: base, http: newHTTP(c.HTTP)}
	if d.hello, err = d.SayHello(ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// SayHello asks what the verifier serves now, which may have changed since Meet.
func (d *Client) SayHello(ctx context.Context) (Hello, error) {
	stranger := *d
	stranger.hello = Hello{} // who says hello signs for no network
	var h Hello
	b, err := stranger.call(ctx, HelloPath, nil, helloTime)
	if err == nil {
		err = h.UnmarshalBinary(b)
	}
	if err != nil {
		return h, fmt.Errorf("meet verifier: %w", err)
	}
	return h, nil
}

func newHTTP(given *http.Client) *http.Client {
	h := http.Client{}
	if given != nil {
		h = *given
	}
	if h.Transport == nil {
		h.Transport = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			TLSHandshakeTimeout: 3 * time.Second, MaxIdleConnsPerHost: 64, IdleConnTimeout: 50 * time.Second,
			MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
		}
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.Jar, h.Timeout = nil, 0
	return &h
}

// Hello returns what the verifier said of itself when it was met.
func (d *Client) Hello() Hello { return d.hello }

// Verifier returns whose desk it is.
func (d *Client) Verifier() targon.Hotkey { return d.c.Verifier }

// Close lets go of idle connections.
func (d *Client) Close() { d.http.CloseIdleConnections() }

// Addressed is a request that may be sent, and what it takes to record it.
type Addressed struct {
	Request targon.Request
	Sealed  ask.Sealed
	Ticket  Ticket
}

// Address has a draft addressed to a neuron. What comes back is what was drafted,
// sealed by the verifier.
func (d *Client) Address(ctx context.Context, draft targon.Draft, n targon.Neuron) (Addressed, error) {
	a, err := d.address(ctx, draft, n)
	if err != nil {
		return Addressed{}, fmt.Errorf("address request to uid %d: %w", n.UID, err)
	}
	return a, nil
}

func (d *Client) address(ctx context.Context, draft targon.Draft, n targon.Neuron) (Addressed, error) {
	body, err := Draft{Draft: draft, UID: n.UID, Prover: n.Hotkey, Desk: d.c.Verifier}.MarshalBinary()
	if err != nil {
		return Addressed{}, err
	}
	b, err := d.call(ctx, AddressPath, body, addressTime)
	if err != nil {
		return Addressed{}, err
	}
	var s sent
	if err := s.decode(b); err != nil {
		return Addressed{}, err
	}
	binding := ask.Binding(n.Hotkey, time.UnixMilli(int64(s.deadline)))
	binding.Genesis, binding.NetUID, binding.Nonce, binding.Length = d.hello.Genesis, d.hello.NetUID, s.nonce, uint64(len(s.body))
	a := Addressed{Ticket: s.ticket, Sealed: ask.Sealed{
		Body:     s.body,
		Envelope: epistula.Envelope{Binding: binding, SignedBy: d.c.Verifier, Timestamp: s.stamp, Signature: s.signature},
	}}
	if a.Request, err = a.Sealed.Open(); err != nil {
		return Addressed{}, err
	}
	return a, asDrafted(a.Request, draft, d.hello.Weights)
}

// asDrafted checks that a request asks what the user asked.
func asDrafted(r targon.Request, d targon.Draft, weights targon.Digest) error {
	s := targon.Sampling{Temperature: d.Temperature, Seed: r.Sampling.Seed, TopK: d.TopK, TopP: d.TopP, MinP: d.MinP}
	if r.Model != d.Model || r.Weights != weights || r.Sampling != s || r.MaxTokens != d.MaxTokens || !slices.Equal(r.Prompt, d.Prompt) {
		return fmt.Errorf("%w: request is not the draft", ErrMalformed)
	}
	return nil
}

// Record brings an exchange back and returns nil once it is durable, also if it was so
// before: a call whose answer was lost may be repeated.
func (d *Client) Record(ctx context.Context, m Record) error {
	body, err := m.MarshalBinary()
	if err == nil {
		_, err = d.call(ctx, RecordPath, body, recordTime)
	}
	if err != nil && !errors.Is(err, ErrTwice) {
		return fmt.Errorf("record exchange with uid %d: %w", m.Exchange.UID, err)
	}
	return nil
}

// Book fetches the book unless it is the page whose digest is held; changed is false
// then. The zero digest is no page's.
func (d *Client) Book(ctx context.Context, held targon.Digest) (p Page, digest targon.Digest, changed bool, err error) {
	b, err := d.call(ctx, BookPath, held[:], bookTime)
	switch {
	case err != nil:
		return p, held, false, fmt.Errorf("read book: %w", err)
	case len(b) == 0:
		return p, held, false, nil
	}
	if err := p.UnmarshalBinary(b); err != nil {
		return p, held, false, fmt.Errorf("read book: %w", err)
	}
	return p, sha256.Sum256(b), true, nil
}

// call makes one signed call and returns the body of a signed answer.
func (d *Client) call(ctx context.Context, path string, body []byte, limit time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+path, nil)
	if err != nil {
		return nil, fmt.Errorf("build call: %w", err)
	}
	req.Header.Set("User-Agent", "targon")
	s := epistula.Signer{Key: d.c.Key, Genesis: d.hello.Genesis, NetUID: d.hello.NetUID, Now: d.c.Now, Rand: rand.Reader}
	if err := s.Sign(req, body, d.c.Verifier, d.c.Now().Add(limit)); err != nil {
		return nil, err
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	defer resp.Body.Close()
	most := maxMessage
	if path == BundlePath {
		most = maxFile + 4096
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: read answer: %w", ErrAway, err)
	}
	if len(answer) > most {
		return nil, fmt.Errorf("%w: answer of more than %d bytes", ErrAway, most)
	}
	return answer, d.judge(req, resp, answer)
}

// judge believes an answer that is signed for this call, and turns its status into an
// error. One that is not signed is none, whatever it says; why it may be so is told.
func (d *Client) judge(req *http.Request, resp *http.Response, answer []byte) error {
	nonce, err := nonceOf(req)
	if err != nil {
		return err
	}
	var sig targon.Signature
	text, ok := strings.CutPrefix(resp.Header.Get(HeaderSignature), "0x")
	if ok && len(text) == 2*len(sig) {
		_, err = hex.Decode(sig[:], []byte(text))
	}
	if !ok || err != nil || sign.Verify(d.c.Verifier, replyMessage(req.URL.Path, nonce, resp.StatusCode, answer), sig) != nil {
		return fmt.Errorf("%w: %s", ErrAway, unsigned(resp.StatusCode, answer))
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return nil
	default:
		return fmt.Errorf("%w (http %d)", errorOf(resp.StatusCode), resp.StatusCode)
	}
}

// unsigned says what an answer without the verifier's signature may mean.
func unsigned(status int, answer []byte) string {
	switch status {
	case http.StatusForbidden:
		return "the desk does not admit this hotkey"
	case http.StatusMisdirectedRequest:
		return "the desk is another verifier's"
	case http.StatusUnauthorized:
		return "the desk does not take the signature: look at both clocks"
	case http.StatusTooEarly:
		return "the desk has just started"
	case http.StatusOK, http.StatusNoContent:
		return "the answer is not signed by this verifier"
	default:
		line, _, _ := bytes.Cut(answer, []byte("\n"))
		return fmt.Sprintf("http %d, unsigned: %.80q", status, line)
	}
}
