package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/dashboard"
)

type source struct {
	view dashboard.View
	err  error
}

func (s source) Snapshot(context.Context) (dashboard.View, error) { return s.view, s.err }

var view = dashboard.View{
	Title: "local network", Model: "tiny", Block: 12, Epoch: 1, Gateway: "http://127.0.0.1:8080/v1",
	Provers: []dashboard.Row{
		{UID: 1, Label: "prover 1", Standing: "honest", AuditedTokens: 267, Weight: 65535},
		{UID: 4, Label: "quantized", Standing: "caught", Reason: "mismatch"},
	},
}

func get(t *testing.T, s dashboard.Source, path string) (*http.Response, string) {
	t.Helper()
	h, err := dashboard.Handler(dashboard.Config{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestPageShowsEveryProver(t *testing.T) {
	res, body := get(t, source{view: view}, "/")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d", res.StatusCode)
	}
	for _, want := range []string{"prover 1", "quantized", "caught: mismatch", "65535", "http://127.0.0.1:8080/v1"} {
		if !strings.Contains(body, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}
}

func TestHostileTextStaysText(t *testing.T) {
	v := view
	v.Model = `<script>alert(1)</script>`
	v.Provers = []dashboard.Row{{Label: `"><img src=x onerror=alert(1)>`, Standing: `honest" onmouseover="x`}}
	_, body := get(t, source{view: v}, "/")
	for _, bad := range []string{"<script>", "<img", `honest" onmouseover`} {
		if strings.Contains(body, bad) {
			t.Errorf("page holds %q unescaped", bad)
		}
	}
}

func TestJSONIsTheView(t *testing.T) {
	_, body := get(t, source{view: view}, "/status.json")
	var got dashboard.View
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(view, got); d != "" {
		t.Errorf("status.json differs (-want +got):\n%s", d)
	}
}

func TestNoSnapshotIs503AndTellsNothing(t *testing.T) {
	for _, path := range []string{"/", "/status.json"} {
		res, body := get(t, source{err: errors.New("the inner workings")}, path)
		if res.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "inner workings") {
			t.Errorf("%s: status %d, body %q", path, res.StatusCode, body)
		}
	}
}

func TestOtherPathsAreNotFound(t *testing.T) {
	if res, _ := get(t, source{view: view}, "/nothing"); res.StatusCode != http.StatusNotFound {
		t.Errorf("status %d, want 404", res.StatusCode)
	}
}

func ExampleHandler() {
	h, err := dashboard.Handler(dashboard.Config{Source: source{view: dashboard.View{
		Model: "tiny", Provers: []dashboard.Row{{UID: targon.UID(3), Standing: "honest"}},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/status.json", nil))
	fmt.Println(w.Code, strings.Contains(w.Body.String(), `"standing":"honest"`))
	// Output: 200 true
}

// TestBodyIsNotAwaited: a visitor who announces a body and does not send it has as long as
// any visit.
func TestBodyIsNotAwaited(t *testing.T) {
	h, err := dashboard.Handler(dashboard.Config{Source: source{view: view}})
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]bool{http.MethodGet: false, http.MethodPost: true} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		var body io.Reader
		if want {
			body = strings.NewReader("x")
		}
		h.ServeHTTP(w, httptest.NewRequest(method, "/", body))
		if got := !w.read.IsZero(); got != want || w.write.IsZero() {
			t.Errorf("%s: deadline for the body %v, want %v; for the page %v", method, got, want, !w.write.IsZero())
		}
	}
}

type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error  { d.read = at; return nil }
func (d *deadlines) SetWriteDeadline(at time.Time) error { d.write = at; return nil }
