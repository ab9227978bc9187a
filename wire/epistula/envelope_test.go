package epistula_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"targon"
	"targon/wire/epistula"
)

// TestEnvelopeTravels: what one process seals another sends, and a receiver takes it as
// if the signer had sent it; with anything changed, nobody does.
func TestEnvelopeTravels(t *testing.T) {
	signer, receiver := newKey(t, 1), newKey(t, 2)
	s := epistula.Signer{Key: signer, Genesis: targon.Digest{7}, NetUID: 4, Now: func() time.Time { return start }}
	body := []byte(`{"a":1}`)
	e, err := s.Seal(epistula.Binding{
		Method: http.MethodPost, Target: "/x", Receiver: receiver.Hotkey(), Deadline: uint64(start.Add(time.Minute).UnixMilli()),
	}, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Verify(body); err != nil {
		t.Errorf("own envelope: %v", err)
	}
	g, err := epistula.NewGuard(epistula.Config{
		Self: receiver.Hotkey(), Genesis: targon.Digest{7}, NetUID: 4, Now: func() time.Time { return start },
		Access: epistula.AccessFunc(func(targon.Hotkey) error { return nil }),
	})
	if err != nil {
		t.Fatal(err)
	}
	send := func() error {
		req, err := http.NewRequest(http.MethodPost, "http://h/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		e.Attach(req, body)
		p, got, err := g.Verify(req)
		if err == nil && (p.Caller != signer.Hotkey() || !p.Bound || string(got) != string(body)) {
			t.Errorf("received %+v, %q", p, got)
		}
		again, _ := req.GetBody()
		if b, _ := io.ReadAll(again); string(b) != string(body) {
			t.Errorf("body to send again is %q", b)
		}
		return err
	}
	if err := send(); err != nil {
		t.Errorf("first: %v", err)
	}
	if err := send(); !errors.Is(err, epistula.ErrReplay) {
		t.Errorf("second: %v, want ErrReplay", err)
	}

	for name, change := range map[string]func(*epistula.Envelope){
		"method":    func(e *epistula.Envelope) { e.Binding.Method = http.MethodGet },
		"target":    func(e *epistula.Envelope) { e.Binding.Target = "/y" },
		"receiver":  func(e *epistula.Envelope) { e.Binding.Receiver[0]++ },
		"genesis":   func(e *epistula.Envelope) { e.Binding.Genesis[0]++ },
		"netuid":    func(e *epistula.Envelope) { e.Binding.NetUID++ },
		"nonce":     func(e *epistula.Envelope) { e.Binding.Nonce[0]++ },
		"deadline":  func(e *epistula.Envelope) { e.Binding.Deadline++ },
		"length":    func(e *epistula.Envelope) { e.Binding.Length++ },
		"time":      func(e *epistula.Envelope) { e.Timestamp++ },
		"signer":    func(e *epistula.Envelope) { e.SignedBy = receiver.Hotkey() },
		"signature": func(e *epistula.Envelope) { e.Signature[0]++ },
	} {
		other := e
		change(&other)
		if err := other.Verify(body); !errors.Is(err, epistula.ErrSignature) {
			t.Errorf("%s changed: %v, want ErrSignature", name, err)
		}
	}
	if err := e.Verify([]byte(`{"a":2}`)); !errors.Is(err, epistula.ErrSignature) {
		t.Errorf("body changed: %v, want ErrSignature", err)
	}
}
