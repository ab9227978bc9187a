// Package desk is how a gateway in a process of its own reaches its verifier: five
// signed calls over HTTP, their encodings, and both ends.
//
// A gateway holds no secret of the verifier's. It has each request addressed and
// sealed at the desk, sends it to the prover as it is, and brings back what came; the
// desk answers only hotkeys that it was told of. The package does not ask provers
// (wire/ask does), does not judge, and encrypts nothing: where the network between
// the two is not trusted with prompts, TLS stands in front.
//
// Its invariants. Every answer that a [Client] acts on is signed by the verifier, for
// this call and no other. A [Server] records only what it addressed, for the gateway
// and the neuron it was addressed for, and takes no status, time or text for granted
// beyond that. Every call has a deadline and every message a bound.
package desk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"targon"
	"targon/wire/ask"
)

// Where the calls are; docs/PROTOCOL.md describes them. All are signed POSTs.
const (
	HelloPath   = "/targon/v1/desk/hello"
	AddressPath = "/targon/v1/desk/address"
	RecordPath  = "/targon/v1/desk/record"
	BookPath    = "/targon/v1/desk/book"
	BundlePath  = "/targon/v1/desk/bundle"
)

// HeaderSignature carries the verifier's signature of an answer, 0x and 128 hex digits.
const HeaderSignature = "Targon-Desk-Signature"

// TicketAge is how long an addressed request may be recorded.
const TicketAge = 15 * time.Minute

// What a call of the desk may come to. Only ErrAway and ErrNotReady are worth trying
// again.
var (
	// ErrAway says that no answer of the verifier's came: it, or the way to it, is down.
	ErrAway = errors.New("verifier does not answer")
	// ErrNotReady says that the verifier cannot take requests at this time.
	ErrNotReady = errors.New("verifier takes no requests now")
	// ErrNeuron says that the prover does not serve any more under that UID.
	ErrNeuron = errors.New("prover is not served any more")
	// ErrTwice says that the exchange is on record: for a Client that is success.
	ErrTwice = errors.New("exchange is on record already")
	// ErrTicket says that an exchange was not addressed here, or too long ago.
	ErrTicket = errors.New("request was not addressed here, or too long ago")
	// ErrMalformed is the root of every failure to decode a message, and of messages
	// that contradict themselves.
	ErrMalformed = errors.New("malformed message")
)

// Desk addresses drafts and records exchanges, as package gateway has it. It says
// ErrNotReady and ErrTwice in these words; any other error is a fault that may pass.
type Desk interface {
	Address(ctx context.Context, d targon.Draft, n targon.Neuron) (targon.Request, error)
	Record(ctx context.Context, x targon.Exchange, optedOut bool) error
}

// Book says who serves and how good they are.
type Book interface {
	Provers() []targon.Neuron
	Scores() []targon.Score
}

// Sealer puts the verifier's envelope around a request; *ask.Client is one.
type Sealer interface {
	Seal(n targon.Neuron, r targon.Request) (ask.Sealed, error)
}

// answers maps what can be wrong to a status and back. The order counts: the first
// match holds.
var answers = [...]struct {
	err  error
	code int
}{
	{ErrMalformed, http.StatusBadRequest},
	{targon.ErrRequest, http.StatusBadRequest},
	{targon.ErrEncoding, http.StatusBadRequest},
	{ErrNeuron, http.StatusNotFound},
	{ErrTwice, http.StatusConflict},
	{ErrTicket, http.StatusGone},
	{ErrNotReady, http.StatusServiceUnavailable},
}

func statusOf(err error) int {
	for _, a := range answers {
		if errors.Is(err, a.err) {
			return a.code
		}
	}
	return http.StatusInternalServerError
}

func errorOf(status int) error {
	for _, a := range answers {
		if status == a.code {
			return a.err
		}
	}
	return ErrAway // a fault of the verifier's, which may pass
}
