package node

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// timed is a connection that notes its deadline.
type timed struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (t *timed) SetReadDeadline(at time.Time) error { t.read = at; return nil }

// TestBodiesHaveTime: whoever announces a body at an address where nobody reads it cannot
// hold the connection; a request without one has no deadline that an answer could outlast.
func TestBodiesHaveTime(t *testing.T) {
	for _, body := range []io.Reader{nil, strings.NewReader("x"), io.MultiReader(strings.NewReader("x"))} {
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		bounded(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/readyz", body))
		left := time.Until(w.read)
		if want := body != nil; !w.read.IsZero() != want || want && (left <= 0 || left > bodyTime) {
			t.Errorf("body %T: it has %v", body, left)
		}
		if w.Code != http.StatusNotFound {
			t.Errorf("body %T: %d", body, w.Code)
		}
	}
}
