package epistula

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"targon"
	"targon/sign"
)

// Signer puts envelopes around outgoing requests. The zero Now and Rand mean the
// system's.
type Signer struct {
	Key     *sign.Key
	Genesis targon.Digest
	NetUID  targon.NetUID
	Now     func() time.Time
	Rand    io.Reader
}

// Sign makes body the request's body and sets the envelope's headers, in the
// bound form. Signing again replaces the envelope by a fresh one.
func (s Signer) Sign(req *http.Request, body []byte, receiver targon.Hotkey, deadline time.Time) error {
	e, err := s.Seal(Binding{
		Method: req.Method, Target: req.URL.RequestURI(),
		Receiver: receiver, Deadline: uint64(deadline.UnixMilli()),
	}, body)
	if err != nil {
		return err
	}
	e.Attach(req, body)
	return nil
}

// SignPlain makes a v2 envelope without our binding, for peers that know nothing
// else. Our own receivers refuse it unless told otherwise.
func (s Signer) SignPlain(req *http.Request, body []byte, receiver targon.Hotkey) error {
	var u UUID
	source := s.Rand
	if source == nil {
		source = rand.Reader
	}
	if _, err := io.ReadFull(source, u[:]); err != nil {
		return fmt.Errorf("draw uuid: %w", err)
	}
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	req.Header.Del(HeaderNonce)
	req.Header.Del(HeaderDeadline)
	e := Envelope{Binding: Binding{Receiver: receiver}, SignedBy: s.Key.Hotkey(), Timestamp: s.now()}
	var err error
	if e.Signature, err = s.sign(body, u, e.Timestamp, receiver); err != nil {
		return err
	}
	e.attach(req, body, u)
	return nil
}

// now is in Unix milliseconds.
func (s Signer) now() uint64 {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	return uint64(now().UnixMilli())
}

func (s Signer) sign(body []byte, u UUID, stamp uint64, receiver targon.Hotkey) (targon.Signature, error) {
	sig, err := s.Key.Sign(Message(sha256.Sum256(body), u.String(), strconv.FormatUint(stamp, 10), receiver.String()))
	if err != nil {
		return sig, fmt.Errorf("sign envelope: %w", err)
	}
	return sig, nil
}
