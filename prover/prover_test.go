package prover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"targon"
	"targon/prover"
	"targon/sign"
	"targon/wire/ask"
	"targon/wire/epistula"
	"targon/wire/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	genesis = targon.Digest{1}
	weights = targon.Digest{2}
)

// engineFunc is an engine of one function.
type engineFunc func(ctx context.Context, r targon.Request, yield func(targon.Token, error) bool)

func (f engineFunc) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) { f(ctx, r, yield) }
}

// counting draws 1, 2, 3, ... up to MaxTokens.
func counting(_ context.Context, r targon.Request, yield func(targon.Token, error) bool) {
	for i := range r.MaxTokens {
		if !yield(targon.Token{ID: targon.TokenID(i + 1), Text: fmt.Sprint(" ", i+1)}, nil) {
			return
		}
	}
}

type world struct {
	caller, self *sign.Key
	config       prover.Config
	log          *bytes.Buffer
}

func key(t testing.TB, b byte) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{b})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t testing.TB, e prover.Engine) *world {
	w := &world{caller: key(t, 1), self: key(t, 2), log: &bytes.Buffer{}}
	w.config = prover.Config{
		Key: w.self, Engine: e, Weights: weights, Genesis: genesis, NetUID: 4,
		Access: epistula.AccessFunc(func(h targon.Hotkey) error {
			if h == key(t, 66).Hotkey() {
				return errors.New("no permit")
			}
			return nil
		}),
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	return w
}

func (w *world) handler(t testing.TB) http.Handler {
	t.Helper()
	p, err := prover.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	return p.Handler()
}

func (w *world) request(max uint32) targon.Request {
	return targon.Request{
		ID: targon.RequestID{7}, Verifier: w.caller.Hotkey(), Prover: w.self.Hotkey(), Model: "tiny",
		Weights: weights, Salt: targon.Salt{3}, Prompt: []targon.TokenID{5, 6}, MaxTokens: max,
		Sampling: targon.Sampling{Temperature: 1, Seed: 1 << 63},
	}
}

// post signs body as the caller and sends it to the handler.
func (w *world) post(t testing.TB, h http.Handler, body []byte, life time.Duration) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, ask.Path, nil)
	s := epistula.Signer{Key: w.caller, Genesis: genesis, NetUID: 4}
	if err := s.Sign(r, body, w.self.Hotkey(), time.Now().Add(life)); err != nil {
		t.Fatal(err)
	}
	out := httptest.NewRecorder()
	h.ServeHTTP(out, r)
	return out
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read takes a stream apart: ids, and the last event if it is not a token.
func read(t testing.TB, body io.Reader) (ids []targon.TokenID, name string, data []byte) {
	t.Helper()
	r := sse.NewReader(body, sse.Limits{})
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return ids, name, data
		}
		if err != nil || name != "" {
			t.Fatalf("event %q after %q: %v", e.Name, name, err)
		}
		if e.Name != ask.EventToken {
			name, data = e.Name, bytes.Clone(e.Data)
			continue
		}
		var tok targon.Token
		if err := json.Unmarshal(e.Data, &tok); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, tok.ID)
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		engine engineFunc
		max    uint32
		ids    []targon.TokenID
		finish targon.Finish
	}{
		{"as many as asked", counting, 3, []targon.TokenID{1, 2, 3}, targon.FinishLength},
		{"ends by itself", func(_ context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
			_ = yield(targon.Token{ID: 4}, nil) && yield(targon.Token{ID: 9}, nil)
		}, 5, []targon.TokenID{4, 9}, targon.FinishStop},
		{"ends by itself at the last", func(_ context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
			_ = yield(targon.Token{ID: 4}, nil) && yield(targon.Token{ID: 9}, nil)
		}, 2, []targon.TokenID{4, 9}, targon.FinishStop},
		{"engine that does not end", func(_ context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
			for yield(targon.Token{ID: 4}, nil) {
			}
		}, 2, []targon.TokenID{4, 4}, targon.FinishLength},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.engine)
			w.config.EOS = []targon.TokenID{9}
			req := w.request(c.max)
			out := w.post(t, w.handler(t), encode(t, req), time.Minute)
			if out.Code != http.StatusOK {
				t.Fatalf("http %d %s", out.Code, out.Body)
			}
			ids, name, data := read(t, out.Body)
			if name != ask.EventReceipt || fmt.Sprint(ids) != fmt.Sprint(c.ids) {
				t.Fatalf("ids %v then %q %s", ids, name, data)
			}
			var got targon.Receipt
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			want := targon.ReceiptFor(req, c.ids, c.finish)
			if err := sign.Verify(w.self.Hotkey(), want.Message(), got.Signature); err != nil {
				t.Error(err)
			}
			if got.Signature = want.Signature; got != want {
				t.Errorf("receipt %+v, want %+v", got, want)
			}
		})
	}
}

// The bytes of the stream are part of the protocol.
func TestStreamBytes(t *testing.T) {
	w := newWorld(t, engineFunc(func(_ context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
		_ = yield(targon.Token{ID: 17, Text: " <b> &\n"}, nil) && yield(targon.Token{ID: 18}, nil)
	}))
	out := w.post(t, w.handler(t), encode(t, w.request(2)), time.Minute)
	want := "data: {\"id\":17,\"text\":\" <b> &\\n\"}\n\ndata: {\"id\":18,\"text\":\"\"}\n\nevent: receipt\ndata: {\"request\":\""
	if got := out.Body.String(); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\"}\n\n") {
		t.Errorf("stream %q, want prefix %q", got, want)
	}
	if got := out.Header().Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("content type %q", got)
	}
}

func TestRefuses(t *testing.T) {
	w := newWorld(t, engineFunc(counting))
	edit := func(f func(*targon.Request)) []byte {
		r := w.request(2)
		f(&r)
		return encode(t, r)
	}
	good := string(encode(t, w.request(2)))
	for _, c := range []struct {
		name string
		body []byte
		code int
	}{
		{"no json", []byte("hello"), 400},
		{"empty", nil, 400},
		{"unknown field", []byte(strings.Replace(good, `{"id"`, `{"x":1,"id"`, 1)), 400},
		{"trailing data", []byte(good + "{}"), 400},
		{"trailing garbage", []byte(good + "x"), 400},
		{"deep nesting", []byte(strings.Repeat("[", 100_000)), 400},
		{"invalid", edit(func(r *targon.Request) { r.MaxTokens = 0 }), 400},
		{"no prompt", edit(func(r *targon.Request) { r.Prompt = nil }), 400},
		{"hot", edit(func(r *targon.Request) { r.Sampling.Temperature = 3 }), 400},
		{"id too large", []byte(strings.Replace(good, "[5,6]", "[5,2147483648]", 1)), 400},
		{"other prover", edit(func(r *targon.Request) { r.Prover[0]++ }), 403},
		{"other verifier", edit(func(r *targon.Request) { r.Verifier[0]++ }), 403},
		{"other weights", edit(func(r *targon.Request) { r.Weights[0]++ }), 404},
		{"too large", bytes.Repeat([]byte(" "), ask.MaxRequestBody+1), 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := w.post(t, w.handler(t), c.body, time.Minute)
			if out.Code != c.code {
				t.Errorf("http %d %s, want %d", out.Code, out.Body, c.code)
			}
			var f ask.Failure
			if err := json.Unmarshal(out.Body.Bytes(), &f); err != nil || f.Error.Message == "" || f.Error.Type == "" || f.Error.Code == "" {
				t.Errorf("body %s", out.Body)
			}
			if out.Body.Len() > 160 {
				t.Errorf("body of %d bytes: %s", out.Body.Len(), out.Body)
			}
		})
	}
	t.Run("replayed", func(t *testing.T) {
		h := w.handler(t)
		r := httptest.NewRequest(http.MethodPost, ask.Path, nil)
		s := epistula.Signer{Key: w.caller, Genesis: genesis, NetUID: 4}
		if err := s.Sign(r, []byte(good), w.self.Hotkey(), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{200, 409} {
			r.Body, _ = r.GetBody()
			out := httptest.NewRecorder()
			h.ServeHTTP(out, r)
			if out.Code != want {
				t.Errorf("http %d, want %d", out.Code, want)
			}
		}
	})
	t.Run("unsigned", func(t *testing.T) {
		out := httptest.NewRecorder()
		w.handler(t).ServeHTTP(out, httptest.NewRequest(http.MethodPost, ask.Path, strings.NewReader(good)))
		if out.Code != 400 {
			t.Errorf("http %d", out.Code)
		}
	})
	t.Run("not admitted", func(t *testing.T) {
		w := newWorld(t, engineFunc(counting))
		w.caller = key(t, 66)
		if out := w.post(t, w.handler(t), []byte(good), time.Minute); out.Code != 403 || strings.Contains(out.Body.String(), "permit") {
			t.Errorf("http %d %s", out.Code, out.Body)
		}
	})
	t.Run("other method", func(t *testing.T) {
		out := httptest.NewRecorder()
		w.handler(t).ServeHTTP(out, httptest.NewRequest(http.MethodGet, ask.Path, nil))
		if out.Code != 405 {
			t.Errorf("http %d", out.Code)
		}
	})
	// The one hint is for the operator, see TestHints.
	if got := w.log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "hint=") {
		t.Errorf("a caller's faults fill the log: %s", got)
	}
}

func TestEngineFails(t *testing.T) {
	boom := errors.New("secret path /var/lib")
	after := func(n int, err error) engineFunc {
		return func(_ context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
			for i := range n {
				if !yield(targon.Token{ID: targon.TokenID(i)}, nil) {
					return
				}
			}
			if err == nil {
				panic("secret")
			}
			yield(targon.Token{}, err)
		}
	}
	for _, c := range []struct {
		name   string
		engine engineFunc
		code   int
		event  string
		logged bool
	}{
		{"busy", after(0, fmt.Errorf("no slot: %w", targon.ErrBusy)), 429, "", false},
		{"cannot", after(0, fmt.Errorf("too long: %w", targon.ErrRequest)), 400, "", false},
		{"fails at once", after(0, boom), 500, "", true},
		{"panics at once", after(0, nil), 500, "", true},
		{"fails later", after(2, boom), 200, ask.EventError, true},
		{"busy later", after(2, targon.ErrBusy), 200, ask.EventError, false},
		{"panics later", after(2, nil), 200, ask.EventError, true},
		{"stops short", func(_ context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
			_ = yield(targon.Token{ID: 9}, nil) && yield(targon.Token{ID: 4}, nil)
		}, 200, ask.EventError, true},
		{"draws nothing", func(context.Context, targon.Request, func(targon.Token, error) bool) {}, 500, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.engine)
			w.config.EOS = []targon.TokenID{9}
			h := w.handler(t)
			for range 20 { // more often than there are slots
				out := w.post(t, h, encode(t, w.request(5)), time.Minute)
				if out.Code != c.code {
					t.Fatalf("http %d %s, want %d", out.Code, out.Body, c.code)
				}
				if strings.Contains(out.Body.String(), "secret") {
					t.Fatalf("tells too much: %s", out.Body)
				}
				if c.code == 200 {
					if _, name, _ := read(t, out.Body); name != c.event {
						t.Fatalf("ends with %q", name)
					}
				}
				if c.code == 429 && out.Header().Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			}
			if logged := w.log.Len() > 0; logged != c.logged {
				t.Errorf("log %q, want something: %t", w.log, c.logged)
			}
		})
	}
}

// blocking yields one id, then waits to be let on.
type blocking struct {
	begun chan struct{}
	on    chan struct{}
}

func (b *blocking) Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error] {
	return func(yield func(targon.Token, error) bool) {
		if !yield(targon.Token{ID: 1}, nil) {
			return
		}
		b.begun <- struct{}{}
		select {
		case <-b.on:
			yield(targon.Token{ID: 2}, nil)
		case <-ctx.Done():
			yield(targon.Token{}, ctx.Err())
		}
	}
}

func TestCapacity(t *testing.T) {
	e := &blocking{begun: make(chan struct{}), on: make(chan struct{})}
	w := newWorld(t, e)
	w.config.Capacity, w.config.PerCaller = 3, 2
	p, err := prover.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	h := p.Handler()
	other := *w
	other.caller = key(t, 3)
	body, otherBody := encode(t, w.request(2)), encode(t, other.request(2))
	var codes [3]int
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { codes[i] = w.post(t, h, body, time.Minute).Code })
		<-e.begun
	}
	busy := w.post(t, h, body, time.Minute)
	if busy.Code != 429 || busy.Header().Get("Retry-After") != "1" {
		t.Errorf("beyond the share: http %d %v", busy.Code, busy.Header())
	}
	wg.Go(func() { codes[2] = other.post(t, h, otherBody, time.Minute).Code })
	<-e.begun
	if got := other.post(t, h, otherBody, time.Minute).Code; got != 429 {
		t.Errorf("beyond the capacity: http %d", got)
	}
	if got := p.InFlight(); got != 3 {
		t.Errorf("%d in flight, want 3", got)
	}
	close(e.on)
	wg.Wait()
	if codes != [3]int{200, 200, 200} || p.InFlight() != 0 {
		t.Errorf("codes %v, %d in flight", codes, p.InFlight())
	}
}

// Whoever has seen the receipt may ask again at once and finds a free place.
func TestPlaceIsFreeBeforeTheReceipt(t *testing.T) {
	w := newWorld(t, engineFunc(counting))
	w.config.Capacity = 1
	p, err := prover.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, ask.Path, nil)
	s := epistula.Signer{Key: w.caller, Genesis: genesis, NetUID: 4}
	if err := s.Sign(r, encode(t, w.request(2)), w.self.Hotkey(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	seen := false
	p.Handler().ServeHTTP(&spy{httptest.NewRecorder(), func(b []byte) {
		if !bytes.Contains(b, []byte("event: receipt")) {
			return
		}
		seen = true
		if p.InFlight() != 0 {
			t.Error("the place is still taken when the receipt is written")
		}
	}}, r)
	if !seen {
		t.Error("no receipt")
	}
}

type spy struct {
	*httptest.ResponseRecorder
	see func([]byte)
}

func (s *spy) Write(b []byte) (int, error) {
	s.see(b)
	return s.ResponseRecorder.Write(b)
}

func TestDeadline(t *testing.T) {
	e := &blocking{begun: make(chan struct{}, 1), on: make(chan struct{})}
	w := newWorld(t, e)
	out := w.post(t, w.handler(t), encode(t, w.request(2)), 50*time.Millisecond)
	ids, name, data := read(t, out.Body)
	if len(ids) != 1 || name != ask.EventError || !strings.Contains(string(data), "deadline passed") {
		t.Errorf("ids %v, then %q %s", ids, name, data)
	}
	if w.log.Len() > 0 {
		t.Errorf("log %s", w.log)
	}
}

// An engine that merely ends when its time is up has not finished an answer.
func TestDeadlineOfAQuietEngine(t *testing.T) {
	w := newWorld(t, engineFunc(func(ctx context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
		yield(targon.Token{ID: 1}, nil)
		<-ctx.Done()
	}))
	out := w.post(t, w.handler(t), encode(t, w.request(2)), 30*time.Millisecond)
	if _, name, data := read(t, out.Body); name != ask.EventError || !strings.Contains(string(data), "deadline passed") {
		t.Errorf("ends with %q %s", name, data)
	}
}

func TestServer(t *testing.T) {
	s := prover.Server("127.0.0.1:0", nil)
	if s.ReadHeaderTimeout != 5*time.Second || s.IdleTimeout != time.Minute || s.MaxHeaderBytes != 16<<10 || s.WriteTimeout != 0 {
		t.Errorf("server %+v", s)
	}
	if s.Protocols.HTTP2() || s.Protocols.UnencryptedHTTP2() || !s.Protocols.HTTP1() {
		t.Errorf("protocols %v", s.Protocols)
	}
}

func TestServesCapacity(t *testing.T) {
	w := newWorld(t, engineFunc(counting))
	now := time.UnixMilli(1_790_000_000_000)
	w.config.Now = func() time.Time { return now }
	w.config.Capacity = 5
	h := w.handler(t)
	get := func() targon.Capacity {
		out := httptest.NewRecorder()
		h.ServeHTTP(out, httptest.NewRequest(http.MethodGet, ask.CapacityPath, nil))
		var c targon.Capacity
		if err := json.Unmarshal(out.Body.Bytes(), &c); err != nil || out.Code != 200 {
			t.Fatalf("http %d: %v", out.Code, err)
		}
		if err := sign.Verify(w.self.Hotkey(), c.Message(), c.Signature); err != nil {
			t.Error(err)
		}
		return c
	}
	first := get()
	if first.Prover != w.self.Hotkey() || first.Weights != weights || first.Concurrent != 5 || first.Issued != now.UnixMilli() {
		t.Errorf("capacity %+v", first)
	}
	if get() != first {
		t.Error("signed anew although asked again at once")
	}
	now = now.Add(time.Minute)
	if got := get(); got.Issued != now.UnixMilli() {
		t.Errorf("issued %d a minute later", got.Issued-first.Issued)
	}
}

// dial starts a prover on loopback and returns its neuron and a client.
func (w *world) dial(t testing.TB) (targon.Neuron, *ask.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(w.handler(t))
	s.Config = prover.Server("", s.Config.Handler)
	s.Start()
	c := ask.New(ask.Config{Key: w.caller, Genesis: genesis, NetUID: 4, AllowPrivate: true})
	t.Cleanup(func() { c.Close(); s.Close() })
	return targon.Neuron{UID: 3, Hotkey: w.self.Hotkey(), Axon: netip.MustParseAddrPort(s.Listener.Addr().String())}, c
}

func TestOverLoopback(t *testing.T) {
	w := newWorld(t, engineFunc(counting))
	w.config.EOS = []targon.TokenID{0}
	n, c := w.dial(t)
	var text strings.Builder
	x, err := c.Ask(t.Context(), n, w.request(40), func(tok targon.Token) error {
		text.WriteString(tok.Text)
		return nil
	})
	if err != nil || x.Status != targon.StatusComplete || x.UID != 3 {
		t.Fatalf("%v: %v %s", err, x.Status, x.Detail)
	}
	rec := x.Transcript.Receipt
	want := targon.ReceiptFor(x.Transcript.Request, x.Transcript.Tokens, targon.FinishLength)
	if rec.Digest() != want.Digest() || sign.Verify(n.Hotkey, rec.Message(), rec.Signature) != nil {
		t.Errorf("receipt %+v, want %+v", rec, want)
	}
	if !strings.HasPrefix(text.String(), " 1 2 3") || len(x.Transcript.Tokens) != 40 {
		t.Errorf("text %q", &text)
	}
	if x.Timing.First <= 0 || x.Timing.Total < x.Timing.First || x.Timing.Burst == 0 || time.Since(time.UnixMilli(x.Timing.Ended)) > time.Minute {
		t.Errorf("timing %+v", x.Timing)
	}
	if got, err := c.Capacity(t.Context(), n); err != nil || got.Concurrent != 8 {
		t.Errorf("capacity %+v, %v", got, err)
	}
}

// When the asker hangs up, the engine is told, and the place becomes free.
func TestAskerGoesAway(t *testing.T) {
	stopped := make(chan struct{})
	w := newWorld(t, engineFunc(func(ctx context.Context, _ targon.Request, yield func(targon.Token, error) bool) {
		defer close(stopped)
		yield(targon.Token{ID: 1}, nil)
		<-ctx.Done()
		yield(targon.Token{}, ctx.Err())
	}))
	n, c := w.dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	x, err := c.Ask(ctx, n, w.request(5), func(targon.Token) error { cancel(); return nil })
	if err != nil || x.Status != targon.StatusAborted || len(x.Transcript.Tokens) != 1 {
		t.Errorf("%v: %v %s", err, x.Status, x.Detail)
	}
	<-stopped
}

func TestServe(t *testing.T) {
	w := newWorld(t, engineFunc(counting))
	p, err := prover.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l, time.Second) }()
	c := ask.New(ask.Config{Key: w.caller, Genesis: genesis, NetUID: 4, AllowPrivate: true})
	n := targon.Neuron{Hotkey: w.self.Hotkey(), Axon: netip.MustParseAddrPort(l.Addr().String())}
	if x, err := c.Ask(ctx, n, w.request(2), nil); err != nil || x.Status != targon.StatusComplete {
		t.Errorf("%v: %v %s", err, x.Status, x.Detail)
	}
	c.Close()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t, engineFunc(counting))
	for name, edit := range map[string]func(*prover.Config){
		"key":      func(c *prover.Config) { c.Key = nil },
		"engine":   func(c *prover.Config) { c.Engine = nil },
		"access":   func(c *prover.Config) { c.Access = nil },
		"capacity": func(c *prover.Config) { c.Capacity = -1 },
	} {
		c := w.config
		edit(&c)
		if _, err := prover.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// BenchmarkSignedRequests is what a prover does for a request of one id besides
// running an engine, asked over loopback by a client that does not sign anew.
func BenchmarkSignedRequests(b *testing.B) {
	w := newWorld(b, engineFunc(counting))
	w.config.Capacity, w.config.MaxNonces = 1000, 1<<30
	h := w.handler(b)
	body := encode(b, w.request(1))
	s := epistula.Signer{Key: w.caller, Genesis: genesis, NetUID: 4}
	rs := make([]*http.Request, b.N)
	for i := range rs {
		rs[i] = httptest.NewRequest(http.MethodPost, ask.Path, nil)
		if err := s.Sign(rs[i], body, w.self.Hotkey(), time.Now().Add(9*time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	var next, failed atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			out := httptest.NewRecorder()
			h.ServeHTTP(out, rs[next.Add(1)-1])
			if out.Code != 200 {
				failed.Add(1)
			}
		}
	})
	if failed.Load() > 0 {
		b.Fatalf("%d of %d refused", failed.Load(), b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func BenchmarkLoopback(b *testing.B) {
	w := newWorld(b, engineFunc(counting))
	w.config.Capacity, w.config.MaxNonces = 1000, 1<<30
	n, c := w.dial(b)
	r := w.request(64)
	for b.Loop() {
		if x, err := c.Ask(b.Context(), n, r, nil); err != nil || x.Status != targon.StatusComplete {
			b.Fatal(err, x.Detail)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/64, "µs/id")
}
