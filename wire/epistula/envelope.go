package epistula

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"targon"
	"targon/sign"
)

// Envelope is a bound envelope by itself, so that one process can sign what another
// sends. Whoever holds it can send the body it was signed for, once, to the receiver
// it names, within the window; and nothing else.
type Envelope struct {
	Binding   Binding
	SignedBy  targon.Hotkey
	Timestamp uint64 // Unix milliseconds
	Signature targon.Signature
}

// Seal signs body for what b names: method, target, receiver and deadline. It fills in
// the network, a fresh nonce and the length.
func (s Signer) Seal(b Binding, body []byte) (Envelope, error) {
	b.Genesis, b.NetUID, b.Length = s.Genesis, s.NetUID, uint64(len(body))
	source := s.Rand
	if source == nil {
		source = rand.Reader
	}
	if _, err := io.ReadFull(source, b.Nonce[:]); err != nil {
		return Envelope{}, fmt.Errorf("draw nonce: %w", err)
	}
	e := Envelope{Binding: b, SignedBy: s.Key.Hotkey(), Timestamp: s.now()}
	var err error
	e.Signature, err = s.sign(body, b.UUID(), e.Timestamp, b.Receiver)
	return e, err
}

// Verify returns nil if the envelope is signed and covers body; it does not look at
// the clock.
func (e Envelope) Verify(body []byte) error {
	if e.Binding.Length != uint64(len(body)) {
		return fmt.Errorf("%w: length", ErrSignature)
	}
	m := Message(sha256.Sum256(body), e.Binding.UUID().String(), strconv.FormatUint(e.Timestamp, 10), e.Binding.Receiver.String())
	if err := sign.Verify(e.SignedBy, m, e.Signature); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// Attach makes body the request's body and sets the envelope's headers. The request's
// method and target must be those of the binding.
func (e Envelope) Attach(req *http.Request, body []byte) {
	req.Header.Set(HeaderNonce, e.Binding.Nonce.String())
	req.Header.Set(HeaderDeadline, strconv.FormatUint(e.Binding.Deadline, 10))
	e.attach(req, body, e.Binding.UUID())
}

// attach sets what both forms of envelope have.
func (e Envelope) attach(req *http.Request, body []byte, u UUID) {
	h := req.Header
	h.Set(HeaderVersion, Version)
	h.Set(HeaderTimestamp, strconv.FormatUint(e.Timestamp, 10))
	h.Set(HeaderUUID, u.String())
	h.Set(HeaderSignedBy, e.SignedBy.String())
	h.Set(HeaderSignedFor, e.Binding.Receiver.String())
	h.Set(HeaderSignature, "0x"+hex.EncodeToString(e.Signature[:]))
	// With GetBody the transport may send again on a fresh connection, which it
	// does only while nothing of the first attempt was written.
	req.GetBody = func() (io.ReadCloser, error) {
		if len(body) == 0 {
			return http.NoBody, nil // or else its length would not be announced
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	req.Body, _ = req.GetBody()
	req.ContentLength = int64(len(body))
}
