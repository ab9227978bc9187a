package ask_test

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strings"
	"testing"
	"time"

	"targon"
	"targon/wire/ask"
	"targon/wire/epistula"
)

// TestSealedLooksTheSame: what a prover gets from the process that sealed and from one
// that sends for it differs in nothing but what differs each time.
func TestSealedLooksTheSame(t *testing.T) {
	var dumps []string
	secret := regexp.MustCompile(`(?m)^(Epistula-Timestamp|Epistula-Uuid|Epistula-Request-Signature|Targon-Nonce|Targon-Deadline): .*$`)
	var window []string
	h := func(w http.ResponseWriter, r *http.Request) {
		b, err := httputil.DumpRequest(r, true)
		if err != nil {
			t.Error(err)
		}
		dumps = append(dumps, secret.ReplaceAllString(string(b), "$1: …"))
		window = append(window, r.Header.Get(epistula.HeaderDeadline)+" "+r.Header.Get(epistula.HeaderTimestamp))
		answers(token(1)+receipt(t))(w, r)
	}
	fixed := func() time.Time { return time.UnixMilli(1_790_000_000_000) }
	n, _ := serve(t, h, ask.Limits{})
	own := ask.New(ask.Config{Key: key(t, 1), AllowPrivate: true, Now: fixed})
	other := ask.New(ask.Config{AllowPrivate: true, Now: fixed})
	defer own.Close()
	defer other.Close()

	if x, err := own.Ask(t.Context(), n, request(t), nil); err != nil || x.Status != targon.StatusComplete {
		t.Fatalf("own: %s %s, %v", x.Status, x.Detail, err)
	}
	sealed, err := own.Seal(n, request(t))
	if err != nil {
		t.Fatal(err)
	}
	x, err := other.AskSealed(t.Context(), n, sealed, nil)
	if err != nil || x.Status != targon.StatusComplete || x.UID != n.UID || x.Transcript.Request.Digest() != request(t).Digest() {
		t.Fatalf("sealed: %+v, %v", x, err)
	}
	if len(dumps) != 2 || dumps[0] != dumps[1] || window[0] != window[1] {
		t.Errorf("a prover can tell %s\nfrom %s\n%q", dumps[0], dumps[1], window)
	}
	if !strings.Contains(dumps[0], "Epistula-Uuid: …") {
		t.Errorf("no envelope in %s", dumps[0])
	}
}

// TestSealedIsChecked: nothing is sent that its verifier did not seal for this prover,
// lately.
func TestSealedIsChecked(t *testing.T) {
	n, own := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }, ask.Limits{})
	for name, c := range map[string]struct {
		change func(*ask.Sealed, *targon.Neuron)
		want   error
	}{
		"body":       {func(s *ask.Sealed, _ *targon.Neuron) { s.Body = append([]byte(" "), s.Body...) }, epistula.ErrSignature},
		"not JSON":   {func(s *ask.Sealed, _ *targon.Neuron) { s.Body = []byte("{") }, targon.ErrRequest},
		"no request": {func(s *ask.Sealed, _ *targon.Neuron) { s.Body = []byte("{}") }, targon.ErrRequest},
		"signature":  {func(s *ask.Sealed, _ *targon.Neuron) { s.Envelope.Signature[5]++ }, epistula.ErrSignature},
		"signer":     {func(s *ask.Sealed, _ *targon.Neuron) { s.Envelope.SignedBy[5]++ }, targon.ErrRequest},
		"receiver":   {func(s *ask.Sealed, _ *targon.Neuron) { s.Envelope.Binding.Receiver[5]++ }, targon.ErrRequest},
		"target":     {func(s *ask.Sealed, _ *targon.Neuron) { s.Envelope.Binding.Target = "/" }, targon.ErrRequest},
		"method":     {func(s *ask.Sealed, _ *targon.Neuron) { s.Envelope.Binding.Method = "PUT" }, targon.ErrRequest},
		"neuron":     {func(_ *ask.Sealed, n *targon.Neuron) { n.Hotkey[0]++ }, targon.ErrRequest},
		"old": {func(s *ask.Sealed, _ *targon.Neuron) {
			*s = seal(t, n, time.Now().Add(-5*time.Second))
		}, ask.ErrSealed},
		"ahead": {func(s *ask.Sealed, _ *targon.Neuron) { *s = seal(t, n, time.Now().Add(5*time.Second)) }, ask.ErrSealed},
	} {
		s, to := seal(t, n, time.Now()), n
		c.change(&s, &to)
		x, err := own.AskSealed(t.Context(), to, s, nil)
		if !errors.Is(err, c.want) || x.Status != targon.StatusOurs {
			t.Errorf("%s: %s, %v, want %v", name, x.Status, err, c.want)
		}
	}
	keyless := ask.New(ask.Config{})
	if _, err := keyless.Ask(t.Context(), n, request(t), nil); !errors.Is(err, targon.ErrRequest) {
		t.Errorf("a client without a key asks: %v", err)
	}
	if _, err := keyless.Seal(n, request(t)); !errors.Is(err, targon.ErrRequest) {
		t.Errorf("a client without a key seals: %v", err)
	}
}

func seal(t *testing.T, n targon.Neuron, at time.Time) ask.Sealed {
	t.Helper()
	c := ask.New(ask.Config{Key: key(t, 1), Now: func() time.Time { return at }})
	s, err := c.Seal(n, request(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
