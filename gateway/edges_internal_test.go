package gateway

import (
	"errors"
	"net/http/httptest"
	"testing"

	"targon"
)

// TestForgetMany: provers that have left are forgotten once there are many of them, unless
// they are answering.
func TestForgetMany(t *testing.T) {
	for _, c := range []struct{ known, want int }{{18, 18}, {19, 2}} {
		r := newRouter(nil, Breaker{}, nil)
		for i := range c.known {
			r.of(targon.Hotkey{byte(i)})
		}
		r.of(targon.Hotkey{5}).inFlight = 1
		r.forget([]targon.Neuron{{Hotkey: targon.Hotkey{3}}})
		if len(r.known) != c.want {
			t.Errorf("of %d provers, one of them here, %d are remembered, want %d", c.known, len(r.known), c.want)
		}
		if r.known[targon.Hotkey{3}] == nil || r.known[targon.Hotkey{5}] == nil {
			t.Error("who is here, or answers, is forgotten")
		}
	}
}

// TestWantsBearer: who has no key is told which kind of key is wanted, and nobody else.
func TestWantsBearer(t *testing.T) {
	for err, want := range map[error]string{errKey: "Bearer", errors.New("no"): ""} {
		w := httptest.NewRecorder()
		writeError(w, err)
		if got := w.Header().Get("WWW-Authenticate"); got != want {
			t.Errorf("%v asks for %q, want %q", err, got, want)
		}
	}
}
