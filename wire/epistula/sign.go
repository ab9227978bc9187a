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
	b := Binding{
		Genesis: s.Genesis, NetUID: s.NetUID,
		Method: req.Method, Target: req.URL.RequestURI(),
		Receiver: receiver, Length: uint64(len(body)), Deadline: uint64(deadline.UnixMilli()),
	}
	source := s.Rand
	if source == nil {
		source = rand.Reader
	}
	if _, err := io.ReadFull(source, b.Nonce[:]); err != nil {
		return fmt.Errorf("draw nonce: %w", err)
	}
	req.Header.Set(HeaderNonce, b.Nonce.String())
	req.Header.Set(HeaderDeadline, strconv.FormatUint(b.Deadline, 10))
	return s.seal(req, body, receiver, b.UUID())
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
	return s.seal(req, body, receiver, u)
}

func (s Signer) seal(req *http.Request, body []byte, receiver targon.Hotkey, u UUID) error {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	stamp, to, uuid := strconv.FormatInt(now().UnixMilli(), 10), receiver.String(), u.String()
	sig, err := s.Key.Sign(Message(sha256.Sum256(body), uuid, stamp, to))
	if err != nil {
		return fmt.Errorf("sign envelope: %w", err)
	}
	h := req.Header
	h.Set(HeaderVersion, Version)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderUUID, uuid)
	h.Set(HeaderSignedBy, s.Key.Hotkey().String())
	h.Set(HeaderSignedFor, to)
	h.Set(HeaderSignature, "0x"+hex.EncodeToString(sig[:]))
	// With GetBody the transport may send again on a fresh connection, which it
	// does only while nothing of the first attempt was written.
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	req.ContentLength = int64(len(body))
	return nil
}
