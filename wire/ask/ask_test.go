package ask_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"targon"
	"targon/sign"
	"targon/wire/ask"
	"targon/wire/epistula"
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

func request(t testing.TB) targon.Request {
	return targon.Request{
		Verifier: key(t, 1).Hotkey(), Prover: key(t, 2).Hotkey(), Model: "m",
		Prompt: []targon.TokenID{1}, MaxTokens: 3,
	}
}

// serve runs h on loopback and returns its neuron and a client.
func serve(t *testing.T, h http.HandlerFunc, l ask.Limits) (targon.Neuron, *ask.Client) {
	t.Helper()
	s := httptest.NewServer(h)
	c := ask.New(ask.Config{Key: key(t, 1), AllowPrivate: true, Limits: l})
	t.Cleanup(func() { c.Close(); s.CloseClientConnections(); s.Close() })
	return targon.Neuron{UID: 5, Hotkey: key(t, 2).Hotkey(), Axon: netip.MustParseAddrPort(s.Listener.Addr().String())}, c
}

// answers returns a handler that sends a stream's bytes as they stand.
func answers(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, body)
	}
}

func token(id int) string { return fmt.Sprintf("data: {\"id\":%d,\"text\":\"x\"}\n\n", id) }

func receipt(t testing.TB) string {
	b, err := json.Marshal(targon.ReceiptFor(request(t), []targon.TokenID{1, 2, 3}, targon.FinishLength))
	if err != nil {
		t.Fatal(err)
	}
	return "event: receipt\ndata: " + string(b) + "\n\n"
}

func TestStreams(t *testing.T) {
	three, rec := token(1)+token(2)+token(3), receipt(t)
	for _, c := range []struct {
		name, body string
		status     targon.Status
		ids        int
		detail     string
	}{
		{"complete", three + rec, targon.StatusComplete, 3, ""},
		{"comments between", ": hi\n\n" + three + ": hi\n\n" + rec + ": bye\n", targon.StatusComplete, 3, ""},
		{"short, for proof to judge", token(1) + rec, targon.StatusComplete, 1, ""},
		{"empty", "", targon.StatusIncomplete, 0, "no receipt"},
		{"receipt only", rec, targon.StatusComplete, 0, ""},
		{"no receipt", three, targon.StatusIncomplete, 3, "no receipt"},
		{"cut in a token", three[:len(three)-5], targon.StatusIncomplete, 2, "unexpected EOF"},
		{"cut in the receipt", three + rec[:len(rec)-10], targon.StatusIncomplete, 3, "unexpected EOF"},
		{"receipt without its blank line", three + rec[:len(rec)-1], targon.StatusIncomplete, 3, "unexpected EOF"},
		{"too many ids", three + token(4) + rec, targon.StatusIncomplete, 3, "more than 3 ids"},
		{"two receipts", three + rec + rec, targon.StatusIncomplete, 3, "after the receipt"},
		{"token after the receipt", token(1) + rec + token(2), targon.StatusIncomplete, 1, "after the receipt"},
		{"bytes after the receipt", three + rec + "x", targon.StatusIncomplete, 3, "after the receipt"},
		{"garbage", strings.Repeat("\x00\xff", 1000), targon.StatusIncomplete, 0, "unexpected EOF"},
		{"garbage event", "data: hello\n\n", targon.StatusIncomplete, 0, "token event"},
		{"token without id", "data: {\"text\":\"x\"}\n\n", targon.StatusIncomplete, 0, "token event"},
		{"token without text", "data: {\"id\":1}\n\n", targon.StatusIncomplete, 0, "token event"},
		{"id of text", "data: {\"id\":\"1\",\"text\":\"\"}\n\n", targon.StatusIncomplete, 0, "token event"},
		{"id too large", "data: {\"id\":2147483648,\"text\":\"\"}\n\n", targon.StatusIncomplete, 0, "token event"},
		{"two values", "data: {\"id\":1,\"text\":\"\"}{}\n\n", targon.StatusIncomplete, 0, "token event"},
		{"garbage receipt", three + "event: receipt\ndata: {\"request\":1}\n\n", targon.StatusIncomplete, 3, "receipt"},
		{"receipt with more", three + strings.Replace(rec, "{", "{\"x\":1,", 1), targon.StatusIncomplete, 3, "unknown field"},
		{"unknown event", "event: ping\ndata: 1\n\n" + three + rec, targon.StatusIncomplete, 0, "ping"},
		{"error event", token(1) + "event: error\ndata: {\"error\":{}}\n\n", targon.StatusIncomplete, 1, "gave up"},
		{"long line", "data: " + strings.Repeat("x", 1<<17), targon.StatusIncomplete, 0, "line"},
		{"endless", token(1) + strings.Repeat(": x\n", 1<<15), targon.StatusIncomplete, 1, "over its limit: stream"},
		{"escapes in detail", "event: \x1b[31mred\ndata: 1\n\n", targon.StatusIncomplete, 0, "event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, client := serve(t, answers(c.body), ask.Limits{Bytes: 100_000 + 1<<16})
			if strings.HasPrefix(c.name, "endless") {
				n, client = serve(t, answers(c.body), ask.Limits{Bytes: 1 << 16})
			}
			var seen []targon.TokenID
			x, err := client.Ask(t.Context(), n, request(t), func(tok targon.Token) error {
				seen = append(seen, tok.ID)
				return nil
			})
			if err != nil || x.Status != c.status || len(x.Transcript.Tokens) != c.ids || !strings.Contains(x.Detail, c.detail) {
				t.Fatalf("%v: %v, ids %v, %q; want %v, %d ids, %q", err, x.Status, x.Transcript.Tokens, x.Detail, c.status, c.ids, c.detail)
			}
			if !slices.Equal(seen, x.Transcript.Tokens) {
				t.Errorf("handed on %v of %v", seen, x.Transcript.Tokens)
			}
			if (x.Transcript.Receipt == targon.Receipt{}) != (c.status != targon.StatusComplete) {
				t.Errorf("receipt %+v with status %v", x.Transcript.Receipt, x.Status)
			}
			if x.UID != 5 || x.Timing.Ended == 0 || (x.Timing.Total > 0) != (c.ids > 0) || strings.ContainsAny(x.Detail, "\x1b\n") || len(x.Detail) > 256 {
				t.Errorf("exchange %+v", x)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for code, want := range map[int]targon.Status{
		429: targon.StatusBusy, 503: targon.StatusBusy, 425: targon.StatusTooEarly,
		400: targon.StatusRefused, 401: targon.StatusRefused, 403: targon.StatusRefused, 404: targon.StatusRefused,
		409: targon.StatusRefused, 500: targon.StatusRefused, 502: targon.StatusRefused,
		204: targon.StatusRefused, 302: targon.StatusRefused, 307: targon.StatusRefused,
	} {
		n, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != ask.Path {
				t.Errorf("redirect to %s was followed", r.URL)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
			if code != 204 {
				fmt.Fprint(w, "\x1b[2Jno ", strings.Repeat("z", 10_000))
			}
		}, ask.Limits{})
		x, err := c.Ask(t.Context(), n, request(t), nil)
		if err != nil || x.Status != want || !strings.HasPrefix(x.Detail, fmt.Sprintf("http %d", code)) {
			t.Errorf("http %d: %v %v %q, want %v", code, err, x.Status, x.Detail, want)
		}
		if len(x.Detail) > 256 || strings.Contains(x.Detail, "\x1b") {
			t.Errorf("detail %q", x.Detail)
		}
	}
}

func TestOtherContent(t *testing.T) {
	n, c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, token(1)+receipt(t))
	}, ask.Limits{})
	if x, err := c.Ask(t.Context(), n, request(t), nil); err != nil || x.Status != targon.StatusIncomplete {
		t.Errorf("%v %v", err, x.Status)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	hangsUp, c := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ask.Limits{})
	for name, axon := range map[string]netip.AddrPort{"closed port": closed, "no axon": {}, "hangs up": hangsUp.Axon} {
		n := targon.Neuron{Hotkey: key(t, 2).Hotkey(), Axon: axon}
		x, err := c.Ask(t.Context(), n, request(t), nil)
		if err != nil || x.Status != targon.StatusGone || x.Detail == "" {
			t.Errorf("%s: %v %v %q, want gone", name, err, x.Status, x.Detail)
		}
	}
}

// A connection that never comes about is not a silent prover.
func TestNoConnectionInTime(t *testing.T) {
	over := make(chan struct{})
	defer close(over) // net/http dials on for whoever comes next
	c := ask.New(ask.Config{
		Key: key(t, 1), AllowPrivate: true, Limits: ask.Limits{First: 20 * time.Millisecond},
		HTTP: &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			<-over
			return nil, net.ErrClosed
		}}},
	})
	x, err := c.Ask(t.Context(), neuron(t), request(t), nil)
	if err != nil || x.Status != targon.StatusGone {
		t.Errorf("%v: %v %s, want gone", err, x.Status, x.Detail)
	}
	n, c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}, ask.Limits{First: 20 * time.Millisecond})
	if x, err = c.Ask(t.Context(), n, request(t), nil); err != nil || x.Status != targon.StatusIncomplete {
		t.Errorf("%v: %v %s, want incomplete", err, x.Status, x.Detail)
	}
}

// Faults of the asker are errors, and nothing is sent.
func TestOurs(t *testing.T) {
	n, c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("was asked") }, ask.Limits{})
	past, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, f := range map[string]func(r *targon.Request) context.Context{
		"invalid":        func(r *targon.Request) context.Context { r.MaxTokens = 0; return t.Context() },
		"other prover":   func(r *targon.Request) context.Context { r.Prover[0]++; return t.Context() },
		"other verifier": func(r *targon.Request) context.Context { r.Verifier[0]++; return t.Context() },
		"too late":       func(*targon.Request) context.Context { return past },
	} {
		r := request(t)
		x, err := c.Ask(f(&r), n, r, nil)
		if err == nil || x.Status != targon.StatusOurs || x.UID != 5 {
			t.Errorf("%s: %v %v", name, err, x.Status)
		}
	}
}

func TestCallerGoesAway(t *testing.T) {
	n, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, token(1))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}, ask.Limits{})
	gone := errors.New("browser closed")
	x, err := c.Ask(t.Context(), n, request(t), func(targon.Token) error { return gone })
	if err != nil || x.Status != targon.StatusAborted || len(x.Transcript.Tokens) != 1 {
		t.Errorf("callback: %v %v", err, x.Status)
	}
	ctx, cancel := context.WithCancel(t.Context())
	x, err = c.Ask(ctx, n, request(t), func(targon.Token) error { cancel(); return nil })
	if err != nil || x.Status != targon.StatusAborted {
		t.Errorf("cancelled: %v %v", err, x.Status)
	}
	x, err = c.Ask(ctx, n, request(t), nil)
	if err != nil || x.Status != targon.StatusAborted {
		t.Errorf("cancelled before: %v %v", err, x.Status)
	}
}

// What goes over the wire carries a good envelope and tells nothing else.
func TestWhatIsSent(t *testing.T) {
	var g *epistula.Guard
	n, c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		p, body, err := g.Verify(r)
		if err != nil || p.Caller != key(t, 1).Hotkey() || !p.Bound {
			t.Errorf("envelope: %v", err)
		}
		if left := time.Until(p.Deadline); left > time.Minute || left < 50*time.Second {
			t.Errorf("deadline in %v", left)
		}
		var got targon.Request
		if err := json.Unmarshal(body, &got); err != nil || got.Digest() != request(t).Digest() {
			t.Errorf("body %s", body)
		}
		var names []string
		for k := range r.Header {
			names = append(names, k)
		}
		slices.Sort(names)
		want := "Accept Content-Length Content-Type Epistula-Request-Signature Epistula-Signed-By Epistula-Signed-For " +
			"Epistula-Timestamp Epistula-Uuid Epistula-Version Targon-Deadline Targon-Nonce User-Agent"
		if got := strings.Join(names, " "); got != want {
			t.Errorf("headers %s, want %s", got, want)
		}
		answers(token(1)+receipt(t))(w, r)
	}, ask.Limits{Total: time.Minute})
	var err error
	if g, err = epistula.NewGuard(epistula.Config{
		Self: n.Hotkey, Access: epistula.AccessFunc(func(targon.Hotkey) error { return nil }),
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time over the same connection
		if x, err := c.Ask(t.Context(), n, request(t), nil); err != nil || x.Status != targon.StatusComplete {
			t.Errorf("%v: %v %s", err, x.Status, x.Detail)
		}
	}
}

func TestCheckAddress(t *testing.T) {
	for address, ok := range map[string]bool{
		"8.8.8.8:8091": true, "1.1.1.1:443": true, "[2606:4700::1111]:9000": true, "9.9.9.9:80": true, "[::ffff:8.8.8.8]:8091": true,
		"127.0.0.1:6379": false, "169.254.169.254:80": false, "[::1]:8091": false, "[::ffff:127.0.0.1]:8091": false,
		"0.0.0.0:8091": false, "10.1.2.3:8091": false, "172.16.0.1:8091": false, "192.168.1.1:8091": false,
		"100.64.0.1:8091": false, "198.18.0.1:8091": false, "224.0.0.1:8091": false, "255.255.255.255:8091": false,
		"240.0.0.1:8091": false, "192.0.2.1:8091": false, "[fc00::1]:8091": false, "[fe80::1]:8091": false,
		"[fe80::1%eth0]:8091": false, "[ff02::1]:8091": false, "[::]:8091": false, "[2001:db8::1]:8091": false,
		"[64:ff9b::7f00:1]:8091": false, "[2002:7f00:1::]:8091": false, "[::7f00:1]:8091": false,
		"8.8.8.8:22": false, "8.8.8.8:25": false, "8.8.8.8:0": false, "[2606:4700::1111%1]:9000": false,
	} {
		err := ask.CheckAddress(netip.MustParseAddrPort(address))
		if (err == nil) != ok || err != nil && !errors.Is(err, ask.ErrAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if ask.CheckAddress(netip.AddrPort{}) == nil {
		t.Error("the zero address is dialled")
	}
}

// The policy holds at the client, and again at the socket for who uses the
// transport alone.
func TestDialPolicy(t *testing.T) {
	n, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("was dialled") }, ask.Limits{})
	c := ask.New(ask.Config{Key: key(t, 1)})
	x, err := c.Ask(t.Context(), n, request(t), nil)
	if err != nil || x.Status != targon.StatusGone || !strings.Contains(x.Detail, "public") {
		t.Errorf("%v %v %q", err, x.Status, x.Detail)
	}
	if _, err := c.Capacity(t.Context(), n); !errors.Is(err, ask.ErrAddress) {
		t.Errorf("capacity: %v", err)
	}
	h := http.Client{Transport: ask.NewTransport(false)}
	resp, err := h.Get("http://localhost:" + fmt.Sprint(n.Axon.Port()))
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, ask.ErrAddress) {
		t.Errorf("name that resolves to loopback: %v", err)
	}
}

func TestCapacity(t *testing.T) {
	now := time.UnixMilli(1_790_000_000_000)
	good := targon.Capacity{Prover: key(t, 2).Hotkey(), Concurrent: 4, Issued: now.UnixMilli()}
	seal := func(k *sign.Key, edit func(*targon.Capacity)) string {
		c := good
		edit(&c)
		var err error
		if c.Signature, err = k.Sign(c.Message()); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	self := key(t, 2)
	whole := seal(self, func(*targon.Capacity) {})
	for _, c := range []struct {
		name, body string
		code       int
		ok         bool
	}{
		{"good", whole, 200, true},
		{"a bit old", seal(self, func(c *targon.Capacity) { c.Issued -= 599_000 }), 200, true},
		{"too old", seal(self, func(c *targon.Capacity) { c.Issued -= 601_000 }), 200, false},
		{"of the future", seal(self, func(c *targon.Capacity) { c.Issued += 601_000 }), 200, false},
		{"nothing", seal(self, func(c *targon.Capacity) { c.Concurrent = 0 }), 200, false},
		{"somebody else's", seal(key(t, 3), func(c *targon.Capacity) { c.Prover = key(t, 3).Hotkey() }), 200, false},
		{"signed by somebody else", seal(key(t, 3), func(*targon.Capacity) {}), 200, false},
		{"in another's name", seal(self, func(c *targon.Capacity) { c.Prover = key(t, 3).Hotkey() }), 200, false},
		{"changed", strings.Replace(whole, `"concurrent":4`, `"concurrent":5`, 1), 200, false},
		{"trailing", whole + "x", 200, false},
		{"huge", strings.Repeat(" ", 10_000) + whole, 200, false},
		{"no json", "hello", 200, false},
		{"error", whole, 500, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != ask.CapacityPath {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.WriteHeader(c.code)
				fmt.Fprint(w, c.body)
			}, ask.Limits{})
			client := ask.New(ask.Config{Key: key(t, 1), AllowPrivate: true, Now: func() time.Time { return now }})
			defer client.Close()
			got, err := client.Capacity(t.Context(), n)
			if (err == nil) != c.ok || c.ok && got.Concurrent != 4 || !c.ok && got != (targon.Capacity{}) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(token(1) + receipt(f)))
	f.Add([]byte("event: error\ndata: {}\n\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		c := ask.New(ask.Config{
			Key: key(t, 1), AllowPrivate: true, Limits: ask.Limits{Bytes: 1 << 12},
			HTTP: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}},
					Body: io.NopCloser(strings.NewReader(string(stream))),
				}, nil
			})},
		})
		n := targon.Neuron{Hotkey: key(t, 2).Hotkey(), Axon: netip.MustParseAddrPort("127.0.0.1:1")}
		x, err := c.Ask(t.Context(), n, request(t), nil)
		if err != nil || x.Status != targon.StatusComplete && x.Status != targon.StatusIncomplete || len(x.Transcript.Tokens) > 3 {
			t.Fatalf("%v: %v, %d ids", err, x.Status, len(x.Transcript.Tokens))
		}
		if x.Status != targon.StatusComplete && x.Transcript.Receipt != (targon.Receipt{}) {
			t.Fatal("receipt of an incomplete stream")
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
