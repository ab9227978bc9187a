package desk_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"targon"
	"targon/sign"
	"targon/wire/ask"
	"targon/wire/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func key(t testing.TB, b byte) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{b})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// verifier is one with one prover; what Address and Record say can be set.
type verifier struct {
	mu              sync.Mutex
	key             *sign.Key
	weights         targon.Digest
	provers         []targon.Neuron
	scores          []targon.Score
	address, record error
	addressed       uint64
	got             []targon.Exchange
	optedOut        []bool
	change          func(*targon.Request) // a verifier that does what it should not
}

func (v *verifier) Address(_ context.Context, d targon.Draft, n targon.Neuron) (targon.Request, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.address != nil {
		return targon.Request{}, v.address
	}
	v.addressed++
	r := targon.Request{
		ID: targon.RequestID{byte(v.addressed)}, Verifier: v.key.Hotkey(), Prover: n.Hotkey, Model: d.Model, Weights: v.weights,
		Salt: targon.Salt{9}, Prompt: d.Prompt, MaxTokens: d.MaxTokens,
		Sampling: targon.Sampling{Temperature: d.Temperature, Seed: 77, TopK: d.TopK, TopP: d.TopP, MinP: d.MinP},
	}
	if v.change != nil {
		v.change(&r)
	}
	return r, nil
}

func (v *verifier) Record(_ context.Context, x targon.Exchange, optedOut bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.record != nil {
		return v.record
	}
	for _, have := range v.got {
		if have.Transcript.Request.Digest() == x.Transcript.Request.Digest() {
			return desk.ErrTwice
		}
	}
	v.got, v.optedOut = append(v.got, x), append(v.optedOut, optedOut)
	return nil
}

func (v *verifier) Provers() []targon.Neuron { return v.provers }
func (v *verifier) Scores() []targon.Score   { return v.scores }

// world is a verifier's desk on loopback, and one gateway that it admits.
type world struct {
	*verifier
	server *desk.Server
	config desk.ClientConfig
	tamper func(w http.ResponseWriter, r *http.Request, next http.Handler)
	now    time.Time // added to nothing until set
}

func newWorld(t *testing.T, change ...func(*desk.ServerConfig)) *world {
	t.Helper()
	k := key(t, 1)
	w := &world{verifier: &verifier{
		key: k, weights: targon.Digest{4},
		provers: []targon.Neuron{{UID: 5, Hotkey: key(t, 3).Hotkey(), Axon: netip.MustParseAddrPort("192.0.2.1:80")}},
		scores:  []targon.Score{{UID: 5, Hotkey: key(t, 3).Hotkey(), Value: 0.5}},
	}}
	hello := desk.Hello{Genesis: targon.Digest{8}, NetUID: 4, Weights: w.weights, Model: "m", First: 3, Next: 2, Total: 5}
	sealer := ask.New(ask.Config{Key: k, Genesis: hello.Genesis, NetUID: hello.NetUID})
	c := desk.ServerConfig{
		Key: k, Hello: hello, Secret: targon.Secret{6}, Allow: []targon.Hotkey{key(t, 2).Hotkey()},
		Desk: w, Book: w, Sealer: sealer,
		Now: func() time.Time {
			if !w.now.IsZero() {
				return w.now
			}
			return time.Now()
		},
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if w.server, err = desk.NewServer(c); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.tamper != nil {
			w.tamper(rw, r, w.server.Handler())
			return
		}
		w.server.Handler().ServeHTTP(rw, r)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	w.config = desk.ClientConfig{Endpoint: s.URL, Verifier: k.Hotkey(), Key: key(t, 2)}
	return w
}

func (w *world) meet(t *testing.T) *desk.Client {
	t.Helper()
	c, err := desk.Meet(t.Context(), w.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func draft() targon.Draft {
	return targon.Draft{Model: "m", Prompt: []targon.TokenID{1, 2}, Temperature: 0.5, TopK: 3, TopP: 0.9, MinP: 0.1, MaxTokens: 7}
}

// TestRoundTrip: a draft becomes a sealed request, what came of it is recorded once,
// and the book is what the verifier shows.
func TestRoundTrip(t *testing.T) {
	w := newWorld(t)
	c := w.meet(t)
	if h := c.Hello(); h.Genesis != (targon.Digest{8}) || h.NetUID != 4 || h.Weights != w.weights || h.Model != "m" || h.First != 3 || h.Next != 2 || h.Total != 5 || c.Verifier() != w.key.Hotkey() {
		t.Errorf("hello is %+v", h)
	}
	if h, err := c.SayHello(t.Context()); err != nil || h != c.Hello() {
		t.Errorf("hello again is %+v, %v", h, err)
	}
	p, digest, changed, err := c.Book(t.Context(), targon.Digest{})
	if diff := cmp.Diff(desk.Page{Provers: w.provers, Scores: w.scores}, p, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); err != nil || !changed || diff != "" {
		t.Fatalf("book: changed %v, %v (-want +got):\n%s", changed, err, diff)
	}
	if _, same, changed, err := c.Book(t.Context(), digest); err != nil || changed || same != digest {
		t.Errorf("the same book again: changed %v, %v", changed, err)
	}
	w.scores = nil
	if p, _, changed, err := c.Book(t.Context(), digest); err != nil || !changed || p.Scores != nil {
		t.Errorf("another book: changed %v, %+v, %v", changed, p, err)
	}

	a, err := c.Address(t.Context(), draft(), w.provers[0])
	if err != nil {
		t.Fatal(err)
	}
	if r, err := a.Sealed.Open(); err != nil || r.Digest() != a.Request.Digest() || r.Sampling.Seed != 77 || r.Sampling.MinP != 0.1 {
		t.Errorf("sealed is %+v, %v", r, err)
	}
	x := targon.Exchange{UID: 5, Status: targon.StatusBusy, Transcript: targon.Transcript{Request: a.Request}, Detail: "busy"}
	m := desk.Record{Ticket: a.Ticket, Exchange: x, OptedOut: true}
	for range 2 { // the second time is a repetition whose answer was lost
		if err := c.Record(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	x.Origin = targon.OriginOrganic
	if diff := cmp.Diff([]targon.Exchange{x}, w.got); diff != "" || !w.optedOut[0] {
		t.Errorf("recorded, opted out %v (-want +got):\n%s", w.optedOut, diff)
	}
	if s := w.server.Stats(); s != (desk.Stats{Addressed: 1, Recorded: 1}) {
		t.Errorf("%+v", s)
	}
}

// TestRefusals: each refusal has its error at the other end.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(*world, *targon.Draft, *targon.Neuron)
		want   error
	}{
		"not ready":     {func(w *world, _ *targon.Draft, _ *targon.Neuron) { w.address = desk.ErrNotReady }, desk.ErrNotReady},
		"a fault":       {func(w *world, _ *targon.Draft, _ *targon.Neuron) { w.address = errors.New("secret internals") }, desk.ErrAway},
		"not a request": {func(w *world, _ *targon.Draft, _ *targon.Neuron) { w.address = targon.ErrRequest }, desk.ErrMalformed},
		"other uid":     {func(_ *world, _ *targon.Draft, n *targon.Neuron) { n.UID++ }, desk.ErrNeuron},
		"other hotkey":  {func(_ *world, _ *targon.Draft, n *targon.Neuron) { n.Hotkey[0]++ }, desk.ErrNeuron},
		"other model":   {func(_ *world, d *targon.Draft, _ *targon.Neuron) { d.Model = "x" }, desk.ErrMalformed},
		"empty prompt":  {func(_ *world, d *targon.Draft, _ *targon.Neuron) { d.Prompt = nil }, targon.ErrRequest},
		"verifier asks something else": {func(w *world, _ *targon.Draft, _ *targon.Neuron) {
			w.change = func(r *targon.Request) { r.MaxTokens++ }
		}, desk.ErrMalformed},
		"verifier asks for other weights": {func(w *world, _ *targon.Draft, _ *targon.Neuron) {
			w.change = func(r *targon.Request) { r.Weights[0]++ }
		}, desk.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			client := w.meet(t)
			d, n := draft(), w.provers[0]
			c.break_(w, &d, &n)
			_, err := client.Address(t.Context(), d, n)
			if !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret internals") {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// TestRecordsOnlyItsOwn: what the desk did not address for this gateway and neuron, or
// too long ago, is not recorded.
func TestRecordsOnlyItsOwn(t *testing.T) {
	w := newWorld(t, func(c *desk.ServerConfig) { c.Allow = append(c.Allow, key(t, 7).Hotkey()) })
	c := w.meet(t)
	a, err := c.Address(t.Context(), draft(), w.provers[0])
	if err != nil {
		t.Fatal(err)
	}
	x := targon.Exchange{UID: 5, Status: targon.StatusGone, Transcript: targon.Transcript{Request: a.Request}}
	w.config.Key = key(t, 7)
	other := w.meet(t)
	if err := other.Record(t.Context(), desk.Record{Ticket: a.Ticket, Exchange: x}); !errors.Is(err, desk.ErrTicket) {
		t.Errorf("another gateway: %v, want ErrTicket", err)
	}
	uid, prompt, long := x, x, x
	uid.UID++
	prompt.Transcript.Request.Prompt = []targon.TokenID{1, 3}
	long.Timing.Total = time.Minute
	for name, e := range map[string]targon.Exchange{"other uid": uid, "other prompt": prompt} {
		if err := c.Record(t.Context(), desk.Record{Ticket: a.Ticket, Exchange: e}); !errors.Is(err, desk.ErrTicket) {
			t.Errorf("%s: %v, want ErrTicket", name, err)
		}
	}
	if err := c.Record(t.Context(), desk.Record{Ticket: a.Ticket, Exchange: long}); !errors.Is(err, desk.ErrMalformed) {
		t.Errorf("an answer that took longer than there was time: %v, want ErrMalformed", err)
	}
	for _, fault := range []error{desk.ErrNotReady, errors.New("disk")} {
		w.record = fault
		if err := c.Record(t.Context(), desk.Record{Ticket: a.Ticket, Exchange: x}); !errors.Is(err, desk.ErrAway) && !errors.Is(err, desk.ErrNotReady) {
			t.Errorf("%v arrives as %v", fault, err)
		}
	}
	if w.record = nil; len(w.got) != 0 {
		t.Fatalf("recorded %+v", w.got)
	}
	if err := c.Record(t.Context(), desk.Record{Ticket: a.Ticket, Exchange: x}); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// TestStrangers: who is not admitted learns nothing, and is told why it gets nothing.
func TestStrangers(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*desk.ClientConfig)
		want   string
	}{
		"unknown gateway": {func(c *desk.ClientConfig) { c.Key = key(t, 9) }, "does not admit this hotkey"},
		"other verifier":  {func(c *desk.ClientConfig) { c.Verifier = key(t, 9).Hotkey() }, "another verifier's"},
		"clock behind":    {func(c *desk.ClientConfig) { c.Now = func() time.Time { return time.Now().Add(-time.Hour) } }, "clocks"},
		"nobody there":    {func(c *desk.ClientConfig) { c.Endpoint = "127.0.0.1:1" }, "connection refused"},
	} {
		conf := w.config
		c.change(&conf)
		if _, err := desk.Meet(t.Context(), conf); !errors.Is(err, desk.ErrAway) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want ErrAway with %q", name, err, c.want)
		}
	}
	if s := w.server.Stats(); s.Refused != 3 {
		t.Errorf("%d refused, want 3", s.Refused)
	}
}

// TestSignedAnswersOnly: an answer that somebody on the way changed, made up or kept
// from an earlier call is no answer.
func TestSignedAnswersOnly(t *testing.T) {
	w := newWorld(t)
	c := w.meet(t)
	var kept *httptest.ResponseRecorder
	for name, tamper := range map[string]func(*httptest.ResponseRecorder) *httptest.ResponseRecorder{
		"changed body": func(r *httptest.ResponseRecorder) *httptest.ResponseRecorder { r.Body.Bytes()[40]++; return r },
		"other status": func(r *httptest.ResponseRecorder) *httptest.ResponseRecorder { r.Code = http.StatusConflict; return r },
		"no signature": func(r *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			r.Header().Del(desk.HeaderSignature)
			return r
		},
		"bad signature": func(r *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			r.Header().Set(desk.HeaderSignature, "0x"+strings.Repeat("zz", 64))
			return r
		},
		"earlier answer": func(r *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			if kept == nil {
				kept = r
			}
			return kept
		},
	} {
		w.tamper = func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			rec = tamper(rec)
			maps.Copy(rw.Header(), rec.Header())
			rw.WriteHeader(rec.Code)
			_, _ = rw.Write(rec.Body.Bytes())
		}
		_, _, _, err := c.Book(t.Context(), targon.Digest{})
		if name == "earlier answer" { // the first was as it should be
			_, _, _, err = c.Book(t.Context(), targon.Digest{})
		}
		if !errors.Is(err, desk.ErrAway) || !strings.Contains(err.Error(), "signed") {
			t.Errorf("%s: %v, want ErrAway", name, err)
		}
	}
	w.tamper = func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(rw, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
	}
	if _, _, _, err := c.Book(t.Context(), targon.Digest{}); !errors.Is(err, desk.ErrAway) {
		t.Errorf("a redirect: %v, want ErrAway", err)
	}
}

// TestNoRoom: calls beyond the bound are told to come again.
func TestNoRoom(t *testing.T) {
	hold, inside := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(c *desk.ServerConfig) {
		c.Calls, c.Desk = 1, slow{hold, inside}
	})
	c := w.meet(t)
	first := make(chan error)
	go func() {
		_, err := c.Address(context.Background(), draft(), w.provers[0])
		first <- err
	}()
	<-inside
	if _, _, _, err := c.Book(t.Context(), targon.Digest{}); !errors.Is(err, desk.ErrNotReady) {
		t.Errorf("%v, want ErrNotReady", err)
	}
	close(hold)
	if err := <-first; !errors.Is(err, desk.ErrNotReady) {
		t.Errorf("the first: %v", err)
	}
}

type slow struct{ hold, inside chan struct{} }

func (s slow) Address(context.Context, targon.Draft, targon.Neuron) (targon.Request, error) {
	s.inside <- struct{}{}
	<-s.hold
	return targon.Request{}, desk.ErrNotReady
}

func (slow) Record(context.Context, targon.Exchange, bool) error { return nil }

func TestServerConfig(t *testing.T) {
	w := newWorld(t)
	good := desk.ServerConfig{Key: key(t, 1), Secret: targon.Secret{1}, Allow: []targon.Hotkey{{1}}, Desk: w, Book: w, Sealer: ask.New(ask.Config{})}
	if _, err := desk.NewServer(good); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for name, change := range map[string]func(*desk.ServerConfig){
		"secret":  func(c *desk.ServerConfig) { c.Secret = targon.Secret{} },
		"desk":    func(c *desk.ServerConfig) { c.Desk = nil },
		"book":    func(c *desk.ServerConfig) { c.Book = nil },
		"sealer":  func(c *desk.ServerConfig) { c.Sealer = nil },
		"gateway": func(c *desk.ServerConfig) { c.Allow = nil },
	} {
		c := good
		change(&c)
		if _, err := desk.NewServer(c); err == nil {
			t.Errorf("without its %s there is a server", name)
		}
	}
}

func TestParseEndpoint(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"127.0.0.1:8093", "http://127.0.0.1:8093"},
		{"http://h:1/", "http://h:1"},
		{"https://h", "https://h"},
		{"ws://h", ""},
		{"http://", ""},
		{"http://u:p@h", ""},
		{"http://h/x", ""},
		{"http://h?x", ""},
		{"http://h#x", ""},
		{"http://[", ""},
	} {
		got, err := desk.ParseEndpoint(c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}
