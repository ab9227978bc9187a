package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/gateway"
)

// stopwatch is a user who notes when each flush came and can stop reading.
type stopwatch struct {
	*httptest.ResponseRecorder
	began   time.Time
	flushes []time.Duration
	breakAt int // writes fail from this one on; 0: never
	writes  int
}

func (s *stopwatch) Write(b []byte) (int, error) {
	if s.writes++; s.breakAt > 0 && s.writes >= s.breakAt {
		return 0, errors.New("connection reset")
	}
	return s.ResponseRecorder.Write(b)
}

func (s *stopwatch) Flush() {
	s.flushes = append(s.flushes, time.Since(s.began))
	s.ResponseRecorder.Flush()
}

func newStopwatch() *stopwatch {
	return &stopwatch{ResponseRecorder: httptest.NewRecorder(), began: time.Now()}
}

const streamed = chat + `,"stream":true}`

// TestFlush: each id reaches the user the moment it came.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newStopwatch()
		newNet(script{text: "abc", pause: time.Second}).handler().ServeHTTP(w, post("/v1/chat/completions", streamed))
		s := time.Second
		want := []time.Duration{s, s, 2 * s, 3 * s, 3 * s, 3 * s} // role, a, b, c, finish, [DONE]
		if d := cmp.Diff(want, w.flushes); d != "" {
			t.Error(d)
		}
	})
}

type askerFunc func(context.Context, targon.Neuron, targon.Request, func(targon.Token) error) (targon.Exchange, error)

func (a askerFunc) Ask(ctx context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error) {
	return a(ctx, n, r, each)
}

// TestFailOver: what the user gets, who is asked, and what is recorded, for each way
// in which a first prover can fail.
func TestFailOver(t *testing.T) {
	fine := script{text: "ok"}
	part := script{text: "par", status: targon.StatusIncomplete}
	unsigned := script{text: "no", tamper: func(r *targon.Receipt) { r.Signature[0] ^= 1 }}
	otherIDs := script{text: "no", tamper: func(r *targon.Receipt) { *r = signed(key(1), targon.Request{}, nil) }}
	for _, c := range []struct {
		name     string
		scripts  []script
		stream   bool
		code     int
		contains string
		records  []targon.Status
	}{
		{"fine", []script{fine, fine}, false, 200, `"ok"`, []targon.Status{targon.StatusComplete}},
		{"busy", []script{{status: targon.StatusBusy}, fine}, false, 200, `"ok"`, []targon.Status{targon.StatusBusy, targon.StatusComplete}},
		{"too early", []script{{status: targon.StatusTooEarly}, fine}, true, 200, `[DONE]`, []targon.Status{targon.StatusTooEarly, targon.StatusComplete}},
		{"refused", []script{{status: targon.StatusRefused}, fine}, true, 200, `[DONE]`, []targon.Status{targon.StatusRefused, targon.StatusComplete}},
		{"gone", []script{{status: targon.StatusGone}, fine}, false, 200, `"ok"`, []targon.Status{targon.StatusGone, targon.StatusComplete}},
		{"part, not streamed", []script{part, fine}, false, 200, `"ok"`, []targon.Status{targon.StatusIncomplete, targon.StatusComplete}},
		{"part, streamed", []script{part, fine}, true, 200, "event: error\ndata: {\"error\":{\"message\":\"the prover failed\"", []targon.Status{targon.StatusIncomplete}},
		{"part without text, streamed", []script{{text: "\x00", status: targon.StatusIncomplete}, fine}, true, 200, `[DONE]`, []targon.Status{targon.StatusIncomplete, targon.StatusComplete}},
		{"all busy", []script{{status: targon.StatusBusy}, {status: targon.StatusBusy}}, true, 503, `"overloaded"`, []targon.Status{targon.StatusBusy, targon.StatusBusy}},
		{"all gone", []script{{status: targon.StatusGone}, {status: targon.StatusGone}}, false, 502, `"prover_failed"`, []targon.Status{targon.StatusGone, targon.StatusGone}},
		{"three attempts", []script{part, part, part, fine}, false, 502, `"prover_failed"`, []targon.Status{targon.StatusIncomplete, targon.StatusIncomplete, targon.StatusIncomplete}},
		{"our fault", []script{{err: errors.New("no entropy")}, fine}, false, 500, `"internal error"`, []targon.Status{targon.StatusOurs}},
		{"receipt unsigned", []script{unsigned, fine}, false, 200, `"ok"`, []targon.Status{targon.StatusComplete, targon.StatusComplete}},
		{"receipt for other ids", []script{otherIDs, fine}, false, 200, `"ok"`, []targon.Status{targon.StatusComplete, targon.StatusComplete}},
		{"receipt unsigned, streamed", []script{unsigned, fine}, true, 200, "event: error\ndata: {\"error\":{\"message\":\"the prover failed: its receipt", []targon.Status{targon.StatusComplete}},
		{"nobody", nil, false, 503, `"no_prover"`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newNet(c.scripts...)
			body := chat + `}`
			if c.stream {
				body = streamed
			}
			w := serve(f.handler(), post("/v1/chat/completions", body))
			if w.Code != c.code || !strings.Contains(w.Body.String(), c.contains) {
				t.Errorf("%d %s, want %d with %s", w.Code, w.Body, c.code, c.contains)
			}
			if strings.Contains(w.Body.String(), "LIES") {
				t.Error("the prover's own text reached the user")
			}
			if c.code != 200 && c.code != 500 && c.code != 502 && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if strings.Contains(w.Body.String(), "event: error") && strings.Contains(w.Body.String(), `"receipt"`) {
				t.Errorf("a failed answer names a receipt: %s", w.Body)
			}
			var got []targon.Status
			for i, x := range f.records {
				got = append(got, x.Status)
				if x.Origin != targon.OriginOrganic || x.UID != targon.UID(i+1) || x.Transcript.Request.Prompt == nil {
					t.Errorf("record %d is not whole: %+v", i, x)
				}
			}
			if d := cmp.Diff(c.records, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestErrorEndsStream: after the error event nothing comes, [DONE] least of all.
func TestErrorEndsStream(t *testing.T) {
	w := serve(newNet(script{text: "a", status: targon.StatusGone}).handler(), post("/v1/chat/completions", streamed))
	_, after, ok := strings.Cut(w.Body.String(), "event: error\n")
	if !ok || strings.Count(after, "data:") != 1 || strings.Contains(w.Body.String(), "[DONE]") {
		t.Errorf("got %s", w.Body)
	}
}

func TestAddressFails(t *testing.T) {
	f := newNet(script{text: "ok"})
	f.address = errors.New("spool: no space left")
	w := serve(f.handler(), post("/v1/chat/completions", chat+`}`))
	if w.Code != 500 || strings.Contains(w.Body.String(), "spool") || len(f.asked) != 0 {
		t.Errorf("%d %s, asked %v", w.Code, w.Body, f.asked)
	}
}

// TestVerifierAway: the user is told to come again, and nothing about why.
func TestVerifierAway(t *testing.T) {
	f := newNet(script{text: "ok"}, script{text: "ok"})
	f.address = fmt.Errorf("dial 10.0.0.1: %w", gateway.ErrUnavailable)
	w := serve(f.handler(), post("/v1/chat/completions", chat+`}`))
	if w.Code != 503 || w.Header().Get("Retry-After") != "5" || strings.Contains(w.Body.String(), "10.0.0.1") ||
		!strings.Contains(w.Body.String(), `"verifier_unavailable"`) || len(f.asked) != 0 || len(f.drafts) != 1 {
		t.Errorf("%d %v %s, asked %v, %d drafts", w.Code, w.Header(), w.Body, f.asked, len(f.drafts))
	}
	f.address = fmt.Errorf("uid 1: %w", gateway.ErrNeuron)
	w = serve(f.handler(), post("/v1/chat/completions", chat+`}`))
	if w.Code != 503 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"no_prover"`) || len(f.drafts) != 3 {
		t.Errorf("where no prover serves any more: %d %v %s, %d drafts, want one for each prover", w.Code, w.Header(), w.Body, len(f.drafts))
	}
}

// TestRecordFails: losing a record is our loss, not the user's.
func TestRecordFails(t *testing.T) {
	f := newNet(script{text: "ok"})
	f.record = errors.New("disk full")
	if w := serve(f.handler(), post("/v1/chat/completions", chat+`}`)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestTimeout: the request as a whole has an end, for which no prover is blamed, and
// of which no prover hears beforehand.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newNet(script{text: strings.Repeat("a", 100), pause: 20 * time.Second}, script{text: "ok"})
		c := f.config()
		c.Asker = askerFunc(func(ctx context.Context, n targon.Neuron, r targon.Request, each func(targon.Token) error) (targon.Exchange, error) {
			if d, ok := ctx.Deadline(); ok {
				t.Errorf("users' requests have a deadline, %v", time.Until(d))
			}
			return f.Ask(ctx, n, r, each)
		})
		began := time.Now()
		w := serve(gateway.New(c).Handler(), post("/v1/chat/completions", chat+`}`))
		if w.Code != 504 || time.Since(began) != 10*time.Minute {
			t.Errorf("%d after %v: %s", w.Code, time.Since(began), w.Body)
		}
		if len(f.records) != 1 || f.records[0].Status != targon.StatusAborted {
			t.Errorf("recorded %+v", f.records)
		}
	})
}

// TestDisconnect uses real connections: the prover is let go at once, streaming or
// not, and the record says that it was not the prover's doing.
func TestDisconnect(t *testing.T) {
	for _, body := range []string{chat + `}`, streamed} {
		f := newNet(script{text: "abc", hold: make(chan struct{})}, script{text: "ok"})
		g := gateway.New(f.config())
		srv := httptest.NewServer(g.Handler())
		ctx, cancel := context.WithCancel(t.Context())
		req := post("/v1/chat/completions", body)
		out, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL+"/v1/chat/completions", req.Body)
		if err != nil {
			t.Fatal(err)
		}
		out.Header = req.Header
		go func() { // leave once the prover has been asked; a stream is read up to its first text
			<-f.began
			if !strings.Contains(body, "stream") {
				cancel()
			}
		}()
		res, err := srv.Client().Do(out)
		if err == nil {
			if _, err := io.ReadFull(res.Body, make([]byte, 300)); err != nil {
				t.Errorf("read stream: %v", err)
			}
			cancel()
			res.Body.Close()
		}
		x := <-f.done
		if x.Status != targon.StatusAborted {
			t.Errorf("%s: recorded %v, want aborted", body, x.Status)
		}
		srv.Close() // waits for the handler
		cancel()
		if s := g.Stats(); s.Aborted != 1 || s.Requests != 1 || s.Answered+s.Failed != 0 {
			t.Errorf("%s: stats %+v", body, s)
		}
		if got := askedOf(f); len(got) != 1 {
			t.Errorf("%s: asked %v after the user had gone", body, got)
		}
	}
}

func askedOf(f *net) []targon.UID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

// TestBrokenWrite: a write that fails is a user who has gone.
func TestBrokenWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newNet(script{text: "abcdef", pause: time.Second}, script{text: "ok"})
		w := newStopwatch()
		w.breakAt = 3
		g := gateway.New(f.config())
		g.Handler().ServeHTTP(w, post("/v1/chat/completions", streamed))
		if len(f.records) != 1 || f.records[0].Status != targon.StatusAborted || time.Since(w.began) > 3*time.Second {
			t.Errorf("after %v: %+v", time.Since(w.began), f.records)
		}
		if g.Stats().Aborted != 1 {
			t.Errorf("stats %+v", g.Stats())
		}
	})
}

// TestTrailers: over a real connection, a stream's provenance is in its trailer.
func TestTrailers(t *testing.T) {
	f := newNet(script{text: "ok"})
	srv := httptest.NewServer(f.handler())
	defer srv.Close()
	req := post("/v1/chat/completions", streamed)
	out, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v1/chat/completions", req.Body)
	if err != nil {
		t.Fatal(err)
	}
	out.Header = req.Header
	res, err := srv.Client().Do(out)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := f.records[0].Transcript.Receipt.Digest().String()
	if got := res.Trailer.Get("X-Targon-Receipt"); got != want || strings.Count(string(body), want) != 2 {
		t.Errorf("trailer %q, want %q, and twice in %s", got, want, body)
	}
}
