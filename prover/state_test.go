package prover_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"targon"
	"targon/prover"
	"targon/wire/ask"
	"targon/wire/epistula"
)

func open(t *testing.T, dir string) *prover.State {
	t.Helper()
	s, err := prover.OpenState(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	a, b, c := targon.Hotkey{1}, targon.Hotkey{2}, targon.Hotkey{3}
	s := open(t, dir)
	if s.Restarted() || s.Bound(a) {
		t.Error("a first start remembers something")
	}
	for range 2 {
		if err := errors.Join(s.MarkBound(a), s.MarkBound(b)); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Bound(a) || !s.Bound(b) || s.Bound(c) {
		t.Error("marks wrong callers")
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if err := s.MarkBound(c); !errors.Is(err, prover.ErrState) {
		t.Errorf("mark after close: %v", err)
	}
	again := open(t, dir)
	if !again.Restarted() || !again.Bound(a) || !again.Bound(b) || again.Bound(c) {
		t.Error("forgot something")
	}
}

// TestStateInUse: two provers that write one file would damage it.
func TestStateInUse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := prover.OpenState(dir); !errors.Is(err, prover.ErrInUse) || errors.Is(err, prover.ErrState) {
		t.Errorf("a folder that another prover uses: %v", err)
	}
	if err := errors.Join(s.MarkBound(targon.Hotkey{1}), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s = open(t, dir); !s.Bound(targon.Hotkey{1}) {
		t.Error("who was refused has changed the file")
	}
}

// TestStateCut opens the file cut at every byte, as a crash could leave it.
func TestStateCut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	keys := []targon.Hotkey{{1}, {2}, {3}}
	for _, k := range keys {
		if err := s.MarkBound(k); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "callers.log")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const header, line = len("targon/callers/v1\n"), 74
	for n := range len(whole) + 1 {
		if n%line > 3 && n%9 != 0 && n > header { // syncing takes its time; keep the edges
			continue
		}
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir)
		for i, k := range keys {
			if got, want := s.Bound(k), n >= header+(i+1)*line; got != want {
				t.Fatalf("cut at %d: caller %d known %t, want %t", n, i, got, want)
			}
		}
		if err := errors.Join(s.MarkBound(keys[2]), s.Close()); err != nil {
			t.Fatal(err)
		}
		if s = open(t, dir); !s.Bound(keys[2]) || !s.Restarted() {
			t.Fatalf("cut at %d: what was added is lost", n)
		}
		_ = s.Close()
	}
}

func TestStateDamaged(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := errors.Join(s.MarkBound(targon.Hotkey{1}), s.MarkBound(targon.Hotkey{2}), s.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "callers.log")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[20] ^= 1
	for name, content := range map[string][]byte{"line": damaged, "header": []byte("something else\n")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := prover.OpenState(dir); !errors.Is(err, prover.ErrState) {
			t.Errorf("%s: %v, want ErrState", name, err)
		}
	}
}

// What was accepted before a restart is not accepted after it, and the plain form
// stays closed to whoever has used the bound one.
func TestRestartedProver(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, engineFunc(counting))
	w.config.AcceptPlain = true
	now := time.UnixMilli(1_790_000_000_000)
	w.config.Now = func() time.Time { return now }
	w.config.State = open(t, dir)
	s := epistula.Signer{Key: w.caller, Genesis: genesis, NetUID: 4, Now: w.config.Now}
	r := httptest.NewRequest(http.MethodPost, ask.Path, nil)
	if err := s.Sign(r, encode(t, w.request(1)), w.self.Hotkey(), now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	send := func(h http.Handler) *httptest.ResponseRecorder {
		r.Body, _ = r.GetBody()
		out := httptest.NewRecorder()
		h.ServeHTTP(out, r)
		return out
	}
	if out := send(w.handler(t)); out.Code != 200 {
		t.Fatalf("first start: http %d %s", out.Code, out.Body)
	}
	_ = w.config.State.Close()
	w.config.State = open(t, dir)
	h := w.handler(t)
	if out := send(h); out.Code != 425 || out.Header().Get("Retry-After") != "2" {
		t.Errorf("after a restart: http %d %v", out.Code, out.Header())
	}
	now = now.Add(3 * time.Second)
	if err := s.SignPlain(r, encode(t, w.request(1)), w.self.Hotkey()); err != nil {
		t.Fatal(err)
	}
	if out := send(h); out.Code != 401 {
		t.Errorf("plain form: http %d, want 401", out.Code)
	}
	if err := s.Sign(r, encode(t, w.request(1)), w.self.Hotkey(), now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if out := send(h); out.Code != 200 {
		t.Errorf("signed anew: http %d %s", out.Code, out.Body)
	}
}
