package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"targon"
	"targon/engine/native"
	"targon/gateway"
	"targon/model"
	"targon/node"
	"targon/wire/ask"
	"targon/wire/desk"
)

// farVerifier is a verifier's desk on loopback, with one prover that is always busy.
type farVerifier struct {
	model   *native.Model
	key     targon.Hotkey
	provers []targon.Neuron

	hello  desk.Hello
	door   atomic.Value // its http.Handler
	books  atomic.Int32 // calls for the book
	hellos atomic.Int32

	mu     sync.Mutex
	refuse error // of Record
	asked  uint64
	got    []targon.Exchange
}

func (f *farVerifier) Address(_ context.Context, d targon.Draft, n targon.Neuron) (targon.Request, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return targon.Request{
		ID: targon.RequestID{byte(f.asked)}, Verifier: f.key, Prover: n.Hotkey, Model: d.Model, Weights: f.model.Digest(), Prompt: d.Prompt,
		Sampling: targon.Sampling{Temperature: d.Temperature, Seed: 1, TopK: d.TopK, TopP: d.TopP, MinP: d.MinP}, MaxTokens: d.MaxTokens,
	}, nil
}

func (f *farVerifier) Record(_ context.Context, x targon.Exchange, _ bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse == nil {
		f.got = append(f.got, x)
	}
	return f.refuse
}

func (f *farVerifier) set(refuse error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = refuse
}

func (f *farVerifier) recorded() []targon.Exchange {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got
}

func (f *farVerifier) Provers() []targon.Neuron { return f.provers }
func (*farVerifier) Scores() []targon.Score     { return nil }

// open begins to answer as the verifier says hello now.
func (f *farVerifier) open(t *testing.T) {
	t.Helper()
	key := testKey(t, 1)
	s, err := desk.NewServer(desk.ServerConfig{
		Key: key, Secret: targon.Secret{1}, Allow: []targon.Hotkey{testKey(t, 2).Hotkey()}, Desk: f, Book: f,
		Sealer: ask.New(ask.Config{Key: key, Genesis: f.hello.Genesis, NetUID: f.hello.NetUID}), Hello: f.hello,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.door.Store(http.HandlerFunc(s.Handler().ServeHTTP))
}

// shut answers like a proxy in front of a verifier that is away.
func (f *farVerifier) shut() {
	f.door.Store(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
}

// more waits until n has grown by two: the second call began after more did.
func more(t *testing.T, n *atomic.Int32) {
	t.Helper()
	for was, tries := n.Load(), 0; n.Load() < was+2; tries++ {
		if tries > 4000 {
			t.Fatal("no such calls for 20 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// newFar returns a verifier and what a gateway for it is started with.
func newFar(t *testing.T) (*farVerifier, node.FarGatewayConfig) {
	t.Helper()
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	key := testKey(t, 1)
	f := &farVerifier{model: m, key: key.Hotkey(), provers: []targon.Neuron{{
		UID: 3, Hotkey: testKey(t, 3).Hotkey(), Axon: netip.MustParseAddrPort(busy.Listener.Addr().String()),
	}}}
	f.hello = desk.Hello{
		Genesis: targon.Digest{1}, NetUID: 4, Weights: m.Digest(), Model: m.Name(), First: time.Minute, Next: time.Minute, Total: time.Minute,
	}
	f.open(t)
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.door.Load().(http.HandlerFunc)(w, r)
		switch r.URL.Path { // counted when they are answered
		case desk.BookPath:
			f.books.Add(1)
		case desk.HelloPath:
			f.hellos.Add(1)
		}
	}))
	t.Cleanup(func() {
		for _, server := range []*httptest.Server{busy, door} {
			server.CloseClientConnections()
			server.Close()
		}
	})
	return f, node.FarGatewayConfig{
		Key: testKey(t, 2), Endpoint: door.URL, Verifier: key.Hotkey(), NetUID: 4, Model: m, Listen: "127.0.0.1:0",
		Keys: []gateway.Key{{Name: "user", SHA256: gateway.HashKey("key")}}, Private: true, Grace: 20 * time.Second,
		Poll: 10 * time.Millisecond,
	}
}

// runFar starts a gateway; the function that it returns ends it and says how it ended.
func runFar(t *testing.T, c node.FarGatewayConfig) (*node.FarGateway, func() error) {
	t.Helper()
	g, err := node.StartFarGateway(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	return g, func() error { stop(); return <-ended }
}

// once makes one call of a gateway by itself.
func once(t *testing.T, g *node.FarGateway, path, body string) (int, string) {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.Address().String()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer key")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// untilReady asks /readyz until what it says is as wanted.
func untilReady(t *testing.T, g *node.FarGateway, want func(node.GatewayReadiness) bool) {
	t.Helper()
	var text string
	for range 2000 {
		_, text = once(t, g, "/readyz", "")
		var r node.GatewayReadiness
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if want(r) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("after 20 s the gateway still says %s", text)
}

const story = `{"model":"targon-tiny-1","messages":[{"role":"user","content":"Tell me a story."}],"max_tokens":4}`

// TestFarGateway: what a user's request came to reaches the verifier, at once or once it
// takes it again, and before the gateway ends.
func TestFarGateway(t *testing.T) {
	f, c := newFar(t)
	g, end := runFar(t, c)
	untilReady(t, g, func(r node.GatewayReadiness) bool { return r.Ready })
	if status, text := once(t, g, "/v1/chat/completions", story); status != http.StatusServiceUnavailable || !strings.Contains(text, "overloaded") {
		t.Errorf("with one busy prover: %d %s", status, text)
	}
	if got := f.recorded(); len(got) != 1 || got[0].Status != targon.StatusBusy || got[0].UID != 3 || got[0].Origin != targon.OriginOrganic {
		t.Fatalf("recorded %+v", got)
	}

	f.set(desk.ErrNotReady)
	for range 2 {
		once(t, g, "/v1/chat/completions", story)
	}
	untilReady(t, g, func(r node.GatewayReadiness) bool { return r.Records == desk.OutboxStats{Recorded: 1, Waiting: 2} })
	f.set(nil)
	untilReady(t, g, func(r node.GatewayReadiness) bool { return r.Records == desk.OutboxStats{Recorded: 3, Late: 2} })

	f.set(desk.ErrNotReady)
	once(t, g, "/v1/chat/completions", story)
	time.AfterFunc(50*time.Millisecond, func() { f.set(nil) })
	if err := end(); err != nil {
		t.Errorf("Run returns %v", err)
	}
	if got := f.recorded(); len(got) != 4 {
		t.Errorf("%d exchanges are recorded, want 4", len(got))
	}
}

// TestFarGatewayLoses: what cannot be recorded in time is no clean end.
func TestFarGatewayLoses(t *testing.T) {
	f, c := newFar(t)
	c.Grace = 50 * time.Millisecond
	g, end := runFar(t, c)
	untilReady(t, g, func(r node.GatewayReadiness) bool { return r.Ready })
	f.set(desk.ErrNotReady)
	once(t, g, "/v1/chat/completions", story)
	if err := end(); err == nil || !strings.Contains(err.Error(), "1 users' exchanges could not be recorded") {
		t.Errorf("Run returns %v", err)
	}
}

// TestFarGatewayMeetsAgain: a verifier that was away is served again, unless it comes back
// with another model.
func TestFarGatewayMeetsAgain(t *testing.T) {
	f, c := newFar(t)
	g, err := node.StartFarGateway(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run(t.Context()) }()
	untilReady(t, g, func(r node.GatewayReadiness) bool { return r.Ready })
	f.shut()
	away := func() bool {
		_, text := once(t, g, "/v1/chat/completions", story)
		return strings.Contains(text, "verifier_unavailable")
	}
	more(t, &f.books)
	if !away() {
		t.Error("while the verifier is away users are told something else")
	}
	met := f.hellos.Load()
	f.open(t)
	for f.hellos.Load() == met { // it is asked again what it serves
		more(t, &f.books)
	}
	if away() {
		t.Error("the verifier is back, and users are told that it is away")
	}
	f.shut()
	more(t, &f.books)
	f.hello.Weights[0]++
	f.open(t)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "has to start again") {
		t.Errorf("Run returns %v", err)
	}
}

// TestFarGatewayAlone: without its verifier a gateway says so and ends well; with one
// that serves something else it ends by itself.
func TestFarGatewayAlone(t *testing.T) {
	_, c := newFar(t)
	away := c
	away.Endpoint = "127.0.0.1:1"
	g, end := runFar(t, away)
	if status, text := once(t, g, "/readyz", ""); status != http.StatusServiceUnavailable || !strings.Contains(text, "the verifier does not answer") {
		t.Errorf("%d %s", status, text)
	}
	if status, text := once(t, g, "/v1/chat/completions", story); status != http.StatusServiceUnavailable {
		t.Errorf("a user gets %d %s", status, text)
	}
	if err := end(); err != nil {
		t.Errorf("Run returns %v", err)
	}

	c.NetUID = 5
	other, err := node.StartFarGateway(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Run(t.Context()); !errors.Is(err, node.ErrOtherNetwork) {
		t.Errorf("for another subnet Run returns %v", err)
	}
	c.Endpoint = "ws://127.0.0.1:1"
	if _, err := node.StartFarGateway(t.Context(), c); err == nil {
		t.Error("an endpoint that is none is taken")
	}
}
