package prover_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"targon/wire/ask"
	"targon/wire/epistula"
)

// TestHints: a prover that refuses everybody because its clock or its model is another
// than its verifiers' says so, and not at every request of a stranger's.
func TestHints(t *testing.T) {
	w := newWorld(t, engineFunc(counting))
	now := time.UnixMilli(1_790_000_000_000)
	w.config.Now = func() time.Time { return now }
	h := w.handler(t)
	send := func(ahead time.Duration, other byte) {
		t.Helper()
		s := epistula.Signer{Key: w.caller, Genesis: genesis, NetUID: 4, Now: func() time.Time { return now.Add(ahead) }}
		q := w.request(1)
		q.Weights[0] += other
		r := httptest.NewRequest(http.MethodPost, ask.Path, nil)
		if err := s.Sign(r, encode(t, q), w.self.Hotkey(), now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		r.Body, _ = r.GetBody()
		out := httptest.NewRecorder()
		if h.ServeHTTP(out, r); (out.Code == http.StatusOK) != (ahead == 0 && other == 0) {
			t.Fatalf("http %d", out.Code)
		}
	}
	said := func() string { defer w.log.Reset(); return w.log.String() }
	said()
	send(0, 0)
	if got := said(); strings.Contains(got, "hint") {
		t.Errorf("of a good request: %s", got)
	}
	send(time.Hour, 0)
	if got := said(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "this machine's clock") {
		t.Errorf("of another time: %q", got)
	}
	now = now.Add(time.Minute - time.Millisecond)
	send(0, 1)
	if got := said(); got != "" {
		t.Errorf("within a minute: %q", got)
	}
	now = now.Add(time.Millisecond)
	send(0, 1)
	if got := said(); strings.Count(got, "level=WARN") != 1 || !strings.Contains(got, "--model") {
		t.Errorf("of another model: %q", got)
	}
}
