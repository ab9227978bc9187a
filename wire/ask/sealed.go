package ask

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"targon"
	"targon/wire/epistula"
)

// Sealed is a request in the envelope of its verifier, for another process to send. A
// prover cannot tell it from one that the verifier sent itself, for it is the same
// bytes, built by the same code; what it can see is where the connection comes from.
// It must be sent soon: provers take no envelope that is older than epistula.Past.
type Sealed struct {
	Body     []byte // the request as JSON, as it was signed
	Envelope epistula.Envelope
}

// ErrSealed says that a sealed request is of no use any more, or not yet. Nothing was
// sent, so that no prover is blamed for refusing it.
var ErrSealed = errors.New("envelope is too old to be sent, or the clocks differ")

// maxSealedAge leaves half of a prover's window for the way to it.
const maxSealedAge = epistula.Past / 2

// Binding is what a verifier's envelope around a request to a prover commits to, but
// for its nonce and length.
func Binding(to targon.Hotkey, deadline time.Time) epistula.Binding {
	return epistula.Binding{Method: http.MethodPost, Target: Path, Receiver: to, Deadline: uint64(deadline.UnixMilli())}
}

// Seal signs r, as Ask would now, and sends nothing.
func (c *Client) Seal(n targon.Neuron, r targon.Request) (Sealed, error) {
	body, err := c.encode(n, r)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal request to uid %d: %w", n.UID, err)
	}
	e, err := c.signer.Seal(Binding(n.Hotkey, c.config.Now().Add(c.config.Limits.Total)), body)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal request to uid %d: %w", n.UID, err)
	}
	return Sealed{Body: body, Envelope: e}, nil
}

// Open reads the request and checks that its verifier signed it in this envelope, for
// its prover and for this protocol.
func (s Sealed) Open() (targon.Request, error) {
	var r targon.Request
	if err := strict(s.Body, &r); err != nil {
		return r, fmt.Errorf("open sealed request: %w: %w", targon.ErrRequest, err)
	}
	if err := r.Validate(); err != nil {
		return r, fmt.Errorf("open sealed request: %w", err)
	}
	b := s.Envelope.Binding
	if s.Envelope.SignedBy != r.Verifier || b.Receiver != r.Prover || b.Method != http.MethodPost || b.Target != Path {
		return r, fmt.Errorf("open sealed request: %w: another envelope", targon.ErrRequest)
	}
	if err := s.Envelope.Verify(s.Body); err != nil {
		return r, fmt.Errorf("open sealed request: %w", err)
	}
	return r, nil
}

// AskSealed is Ask for a request that its verifier sealed, once.
func (c *Client) AskSealed(ctx context.Context, n targon.Neuron, s Sealed, each func(targon.Token) error) (targon.Exchange, error) {
	r, err := s.Open()
	age := c.config.Now().Sub(time.UnixMilli(int64(s.Envelope.Timestamp)))
	switch {
	case err != nil:
	case r.Prover != n.Hotkey:
		err = fmt.Errorf("%w: not to this neuron", targon.ErrRequest)
	case age > maxSealedAge || age < -maxSealedAge:
		err = fmt.Errorf("%w: sealed %s ago", ErrSealed, age)
	}
	return c.exchange(ctx, n, outgoing{r: r, body: s.Body, err: err, envelop: s.attach}, each)
}

// attach is how a sealed request gets its envelope: it has one. The deadline in it is
// counted from when it was signed.
func (s Sealed) attach(req *http.Request, o outgoing, _ time.Time) error {
	s.Envelope.Attach(req, o.body)
	return nil
}
