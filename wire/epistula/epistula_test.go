package epistula_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"targon"
	"targon/sign"
	"targon/wire/epistula"
)

// start is when the tests' clock begins.
var start = time.UnixMilli(1_790_000_000_000)

func newKey(t testing.TB, b byte) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{b})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A bench is a caller, a receiver and a clock that both read.
type bench struct {
	now    time.Time
	caller *sign.Key
	self   *sign.Key
	config epistula.Config
}

func newBench(t testing.TB) *bench {
	b := &bench{now: start, caller: newKey(t, 1), self: newKey(t, 2)}
	b.config = epistula.Config{
		Self: b.self.Hotkey(), Genesis: targon.Digest{9}, NetUID: 4,
		Access: epistula.AccessFunc(func(h targon.Hotkey) error {
			if h != b.caller.Hotkey() {
				return errors.New("unknown caller")
			}
			return nil
		}),
		Now: func() time.Time { return b.now },
	}
	return b
}

func (b *bench) guard(t testing.TB) *epistula.Guard {
	t.Helper()
	g, err := epistula.NewGuard(b.config)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (b *bench) signer() epistula.Signer {
	return epistula.Signer{
		Key: b.caller, Genesis: b.config.Genesis, NetUID: b.config.NetUID,
		Now: func() time.Time { return b.now },
	}
}

const body = `{"hello":"world"}`

// request returns a signed request as a server sees it.
func (b *bench) request(t testing.TB) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/targon/v1/ask?x=1", nil)
	if err := b.signer().Sign(r, []byte(body), b.self.Hotkey(), b.now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAccepts(t *testing.T) {
	b := newBench(t)
	p, got, err := b.guard(t).Verify(b.request(t))
	if err != nil {
		t.Fatal(err)
	}
	want := epistula.Principal{Caller: b.caller.Hotkey(), Bound: true, Sent: start, Deadline: start.Add(time.Minute)}
	if string(got) != body || p != want {
		t.Errorf("got %+v with %q, want %+v", p, got, want)
	}
}

// TestRefuses changes one thing of a good request at a time.
func TestRefuses(t *testing.T) {
	headers := []string{
		epistula.HeaderVersion, epistula.HeaderTimestamp, epistula.HeaderUUID, epistula.HeaderSignedBy,
		epistula.HeaderSignedFor, epistula.HeaderSignature, epistula.HeaderNonce, epistula.HeaderDeadline,
	}
	type change struct {
		name string
		edit func(r *http.Request)
		err  error
	}
	var changes []change
	for _, h := range headers {
		edit := func(f func(string) string) func(*http.Request) {
			return func(r *http.Request) { r.Header[h] = []string{f(r.Header[h][0])} }
		}
		changes = append(changes,
			change{h + " missing", func(r *http.Request) { r.Header.Del(h) }, epistula.ErrMalformed},
			change{h + " empty", edit(func(string) string { return "" }), epistula.ErrMalformed},
			change{h + " twice", func(r *http.Request) { r.Header.Add(h, r.Header.Get(h)) }, epistula.ErrMalformed},
			change{h + " space before", edit(func(s string) string { return " " + s }), nil},
			change{h + " space after", edit(func(s string) string { return s + " " }), nil},
			change{h + " cut", edit(func(s string) string { return s[:len(s)-1] }), nil},
			change{h + " longer", edit(func(s string) string { return s + "0" }), nil},
			change{h + " joined", edit(func(s string) string { return s + "," + s }), nil},
		)
		if h != epistula.HeaderVersion && h != epistula.HeaderTimestamp && h != epistula.HeaderDeadline {
			changes = append(changes, change{h + " upper case", edit(strings.ToUpper), nil})
		}
	}
	set := func(h, v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(h, v) }
	}
	alien := newKey(t, 7).Hotkey().String()
	changes = append(changes, []change{
		{"version 1", set(epistula.HeaderVersion, "1"), epistula.ErrMalformed},
		{"timestamp with sign", set(epistula.HeaderTimestamp, "+1790000000000"), epistula.ErrMalformed},
		{"timestamp with zero", set(epistula.HeaderTimestamp, "01790000000000"), epistula.ErrMalformed},
		{"timestamp changed", set(epistula.HeaderTimestamp, "1790000000001"), epistula.ErrSignature},
		{"deadline changed", set(epistula.HeaderDeadline, "1790000060001"), epistula.ErrSignature},
		{"nonce changed", set(epistula.HeaderNonce, strings.Repeat("0", 32)), epistula.ErrSignature},
		{"uuid of version 4", set(epistula.HeaderUUID, "00000000-0000-4000-8000-000000000000"), epistula.ErrMalformed},
		{"uuid of other variant", set(epistula.HeaderUUID, "00000000-0000-8000-c000-000000000000"), epistula.ErrMalformed},
		{"uuid changed", set(epistula.HeaderUUID, "00000000-0000-8000-8000-000000000000"), epistula.ErrSignature},
		{"signature of zeros", set(epistula.HeaderSignature, "0x"+strings.Repeat("0", 128)), epistula.ErrSignature},
		{"signature without 0x", set(epistula.HeaderSignature, strings.Repeat("0", 130)), epistula.ErrMalformed},
		{"signed for another", set(epistula.HeaderSignedFor, alien), epistula.ErrReceiver},
		{"signed by a stranger", set(epistula.HeaderSignedBy, alien), epistula.ErrDenied},
		{"body changed", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.ToUpper(body))) }, epistula.ErrSignature},
		{"body cut", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(body[:5])) }, epistula.ErrBody},
		{"body longer", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(body + " ")) }, epistula.ErrBody},
		{"body gone", func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 }, epistula.ErrSignature},
		{"body absent, length not", func(r *http.Request) { r.Body = http.NoBody }, epistula.ErrBody},
		{"no length", func(r *http.Request) { r.ContentLength = -1 }, epistula.ErrLength},
		{"huge", func(r *http.Request) { r.ContentLength = 3 << 20 }, epistula.ErrTooLarge},
		{"other method", func(r *http.Request) { r.Method = http.MethodPut }, epistula.ErrSignature},
		{"other path", func(r *http.Request) { r.RequestURI = "/targon/v1/other?x=1" }, epistula.ErrSignature},
		{"other query", func(r *http.Request) { r.RequestURI = "/targon/v1/ask?x=2" }, epistula.ErrSignature},
		{"form stripped", func(r *http.Request) {
			r.Header.Del(epistula.HeaderNonce)
			r.Header.Del(epistula.HeaderDeadline)
		}, epistula.ErrMalformed},
	}...)
	b := newBench(t)
	b.config.AcceptPlain = true
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			g := b.guard(t)
			r := b.request(t)
			c.edit(r)
			_, _, err := g.Verify(r)
			if err == nil || c.err != nil && !errors.Is(err, c.err) {
				t.Fatalf("got %v, want %v", err, c.err)
			}
			if code, _, ok := epistula.Status(err); !ok || code < 400 || code > 499 {
				t.Errorf("status %d of %v", code, err)
			}
			if _, _, err := g.Verify(b.request(t)); err != nil {
				t.Errorf("the next good request: %v", err)
			}
		})
	}
}

// Whoever signs for another network, receiver or route signs something else.
func TestBindsEverything(t *testing.T) {
	b := newBench(t)
	g := b.guard(t)
	for name, edit := range map[string]func(*epistula.Signer){
		"genesis": func(s *epistula.Signer) { s.Genesis[0]++ },
		"netuid":  func(s *epistula.Signer) { s.NetUID++ },
		"key":     func(s *epistula.Signer) { s.Key = newKey(t, 5) },
	} {
		s := b.signer()
		edit(&s)
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		if err := s.Sign(r, []byte(body), b.self.Hotkey(), b.now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		r.Header.Set(epistula.HeaderSignedBy, b.caller.Hotkey().String())
		if _, _, err := g.Verify(r); !errors.Is(err, epistula.ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
}

func TestWindow(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		skew     time.Duration // of the caller's clock
		deadline time.Duration // from the receiver's now
		err      error
	}{
		{-8 * time.Second, time.Minute, nil},
		{-8*time.Second - time.Millisecond, time.Minute, epistula.ErrStale},
		{2 * time.Second, time.Minute, nil},
		{2*time.Second + time.Millisecond, time.Minute, epistula.ErrStale},
		{3 * time.Second, time.Minute, epistula.ErrStale},
		{0, time.Millisecond, nil},
		{0, 0, epistula.ErrDeadline},
		{0, -time.Second, epistula.ErrDeadline},
		{0, 10 * time.Minute, nil},
		{0, 10*time.Minute + time.Millisecond, epistula.ErrDeadline},
	} {
		s := b.signer()
		s.Now = func() time.Time { return b.now.Add(c.skew) }
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		if err := s.Sign(r, nil, b.self.Hotkey(), b.now.Add(c.deadline)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.guard(t).Verify(r); !errors.Is(err, c.err) {
			t.Errorf("skew %v deadline %v: %v, want %v", c.skew, c.deadline, err, c.err)
		}
	}
}

func TestReplay(t *testing.T) {
	b := newBench(t)
	g := b.guard(t)
	s := b.signer()
	s.Now = func() time.Time { return b.now.Add(2 * time.Second) } // the longest-lived envelope
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	if err := s.Sign(r, []byte(body), b.self.Hotkey(), b.now.Add(5*time.Minute)); err != nil {
		t.Fatal(err)
	}
	again := func() error {
		r.Body, _ = r.GetBody()
		_, _, err := g.Verify(r)
		return err
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
	for range 10 { // while its timestamp is fresh
		b.now = b.now.Add(time.Second)
		if err := again(); !errors.Is(err, epistula.ErrReplay) {
			t.Fatalf("at %v: %v, want ErrReplay", b.now.Sub(start), err)
		}
	}
	b.now = b.now.Add(5 * time.Second)
	if err := again(); !errors.Is(err, epistula.ErrStale) {
		t.Errorf("after the window: %v, want ErrStale", err)
	}
	b.now = start // a clock set back does not open it again
	if err := again(); !errors.Is(err, epistula.ErrReplay) {
		t.Errorf("with the clock set back: %v, want ErrReplay", err)
	}
}

func TestReplayRace(t *testing.T) {
	b := newBench(t)
	for range 3 {
		g := b.guard(t)
		r := b.request(t)
		var accepted, replayed int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 1000 {
			copied := r.Clone(t.Context())
			copied.Body, _ = r.GetBody()
			wg.Go(func() {
				_, _, err := g.Verify(copied)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					accepted++
				case errors.Is(err, epistula.ErrReplay):
					replayed++
				}
			})
		}
		wg.Wait()
		if accepted != 1 || replayed != 999 {
			t.Fatalf("%d accepted, %d replayed, want 1 and 999", accepted, replayed)
		}
	}
}

func TestNoncesAreBounded(t *testing.T) {
	b := newBench(t)
	b.config.PerCaller = 3
	g := b.guard(t)
	ask := func() error {
		_, _, err := g.Verify(b.request(t))
		return err
	}
	for range 3 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(); !errors.Is(err, epistula.ErrFull) {
		t.Errorf("fourth request: %v, want ErrFull", err)
	}
	b.now = b.now.Add(epistula.Keep)
	if err := ask(); !errors.Is(err, epistula.ErrFull) {
		t.Errorf("at the end of the keeping time: %v, want ErrFull", err)
	}
	b.now = b.now.Add(time.Millisecond)
	if err := ask(); err != nil {
		t.Errorf("after the keeping time: %v", err)
	}
}

func TestRestart(t *testing.T) {
	b := newBench(t)
	b.config.Restarted = true
	g := b.guard(t)
	for _, c := range []struct {
		dated time.Duration // after the start
		now   time.Duration
		retry int
		err   error
	}{
		{-time.Second, 0, 2, epistula.ErrTooEarly},
		{0, 500 * time.Millisecond, 2, epistula.ErrTooEarly},
		{2 * time.Second, time.Second, 1, epistula.ErrTooEarly},
		{2 * time.Second, 9 * time.Second, 1, epistula.ErrTooEarly},
		{2*time.Second + time.Millisecond, 3 * time.Second, 1, nil},
	} {
		b.now = start.Add(c.now)
		s := b.signer()
		s.Now = func() time.Time { return start.Add(c.dated) }
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		if err := s.Sign(r, nil, b.self.Hotkey(), b.now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := g.Verify(r); !errors.Is(err, c.err) {
			t.Errorf("dated start%+v: %v, want %v", c.dated, err, c.err)
		}
		if got := g.RetryAfter(); got != c.retry {
			t.Errorf("retry after %d s at start%+v, want %d", got, c.now, c.retry)
		}
	}
}

// A captured envelope must not work on the next run of the same receiver.
func TestReplayAcrossRestart(t *testing.T) {
	b := newBench(t)
	r := b.request(t)
	if _, _, err := b.guard(t).Verify(r); err != nil {
		t.Fatal(err)
	}
	b.config.Restarted = true
	for after := time.Duration(0); after < 12*time.Second; after += 250 * time.Millisecond {
		b.now = start.Add(after)
		r.Body, _ = r.GetBody()
		if _, _, err := b.guard(t).Verify(r); err == nil {
			t.Fatalf("accepted again %v later", after)
		}
	}
}

func TestPlain(t *testing.T) {
	b := newBench(t)
	b.config.Known = &epistula.Memory{}
	ask := func(g *epistula.Guard) error {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		if err := b.signer().SignPlain(r, []byte(body), b.self.Hotkey()); err != nil {
			t.Fatal(err)
		}
		p, _, err := g.Verify(r)
		if err == nil && (p.Bound || p.Deadline != b.now.Add(epistula.MaxAhead)) {
			t.Errorf("principal %+v", p)
		}
		if err == nil {
			r.Body, _ = r.GetBody()
			if _, _, err := g.Verify(r); !errors.Is(err, epistula.ErrReplay) {
				t.Errorf("plain replay: %v", err)
			}
		}
		return err
	}
	if err := ask(b.guard(t)); !errors.Is(err, epistula.ErrUnbound) {
		t.Errorf("by default: %v, want ErrUnbound", err)
	}
	b.config.AcceptPlain = true
	if err := ask(b.guard(t)); err != nil {
		t.Errorf("when accepted: %v", err)
	}
	if _, _, err := b.guard(t).Verify(b.request(t)); err != nil {
		t.Fatal(err)
	}
	// The set of callers outlives the guard.
	if err := ask(b.guard(t)); !errors.Is(err, epistula.ErrUnbound) {
		t.Errorf("after a bound envelope: %v, want ErrUnbound", err)
	}
}

type brokenKnown struct{ epistula.Memory }

func (*brokenKnown) MarkBound(targon.Hotkey) error { return errors.New("disk full") }

func TestKnownFails(t *testing.T) {
	b := newBench(t)
	b.config.Known = &brokenKnown{}
	_, _, err := b.guard(t).Verify(b.request(t))
	if err == nil {
		t.Fatal("accepted although the caller could not be remembered")
	}
	if _, _, ok := epistula.Status(err); ok {
		t.Errorf("%v blames the caller", err)
	}
}

func TestNoncesAreBoundedInAll(t *testing.T) {
	b := newBench(t)
	b.config.Total = 2
	b.config.Access = epistula.AccessFunc(func(targon.Hotkey) error { return nil })
	g := b.guard(t)
	for i, want := range []error{nil, nil, epistula.ErrFull} {
		b.caller = newKey(t, byte(10+i))
		if _, _, err := g.Verify(b.request(t)); !errors.Is(err, want) {
			t.Errorf("caller %d: %v, want %v", i, err, want)
		}
	}
}

// The body is not touched before everything else is in order.
func TestRefusedBeforeTheBody(t *testing.T) {
	b := newBench(t)
	g := b.guard(t)
	seen := b.request(t)
	if _, _, err := g.Verify(seen); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*http.Request){
		"receiver": func(r *http.Request) { r.Header.Set(epistula.HeaderSignedFor, b.caller.Hotkey().String()) },
		"caller":   func(r *http.Request) { r.Header.Set(epistula.HeaderSignedBy, b.self.Hotkey().String()) },
		"time":     func(r *http.Request) { r.Header.Set(epistula.HeaderTimestamp, "1") },
		"size":     func(r *http.Request) { r.ContentLength = 1 << 40 },
		"replay":   func(r *http.Request) { r.Header = seen.Header },
	} {
		r := b.request(t)
		r.Body = io.NopCloser(readFunc(func([]byte) (int, error) {
			t.Errorf("%s: body was read", name)
			return 0, io.EOF
		}))
		edit(r)
		if _, _, err := g.Verify(r); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestProtect(t *testing.T) {
	b := newBench(t)
	b.config.Now = nil
	g := b.guard(t)
	s := httptest.NewServer(g.Protect(
		func(w http.ResponseWriter, _ *http.Request, p epistula.Principal, got []byte) {
			fmt.Fprintf(w, "%s %s", p.Caller, got)
		},
		func(w http.ResponseWriter, _ *http.Request, err error) {
			code, message, _ := epistula.Status(err)
			http.Error(w, message, code)
		},
	))
	defer s.Close()
	ask := func(edit func(*http.Request)) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/a%20b?c=%2F", nil)
		if err != nil {
			t.Fatal(err)
		}
		signer := b.signer()
		signer.Now = nil
		if err := signer.Sign(r, []byte(body), b.self.Hotkey(), time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		edit(r)
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, strings.TrimSpace(string(got))
	}
	if code, got := ask(func(*http.Request) {}); code != 200 || got != b.caller.Hotkey().String()+" "+body {
		t.Errorf("good request: %d %q", code, got)
	}
	if code, _ := ask(func(r *http.Request) { r.ContentLength = -1 }); code != http.StatusLengthRequired {
		t.Errorf("chunked body: %d, want 411", code)
	}
	if code, _ := ask(func(r *http.Request) { r.Header = http.Header{} }); code != http.StatusBadRequest {
		t.Errorf("unsigned: %d, want 400", code)
	}
	if code, _ := ask(func(r *http.Request) { r.URL.RawQuery = "" }); code != http.StatusUnauthorized {
		t.Errorf("other query: %d, want 401", code)
	}
}

// vector is one line of testdata/vectors.json, for other implementations.
type vector struct {
	Note      string `json:"note"`
	Genesis   string `json:"genesis"`
	NetUID    uint16 `json:"netuid"`
	Method    string `json:"method"`
	Target    string `json:"target"`
	Receiver  string `json:"receiver"` // SS58
	Nonce     string `json:"nonce"`
	Deadline  uint64 `json:"deadline"`
	Timestamp int64  `json:"timestamp"`
	BodyHex   string `json:"body_hex"`
	UUID      string `json:"uuid"`
	Message   string `json:"message"`
	Seed      string `json:"signer_seed"`
	Signer    string `json:"signer"` // SS58
	// Signature is one of many possible ones: signing is randomised.
	Signature string `json:"signature"`
}

func TestVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 3 {
		t.Fatalf("%d vectors", len(all))
	}
	for _, v := range all {
		t.Run(v.Note, func(t *testing.T) { checkVector(t, v) })
	}
}

func checkVector(t *testing.T, v vector) {
	receiver, err := targon.ParseHotkey(v.Receiver)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := targon.ParseHotkey(v.Signer)
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(v.BodyHex)
	if err != nil {
		t.Fatal(err)
	}
	b := epistula.Binding{
		NetUID: targon.NetUID(v.NetUID), Method: v.Method, Target: v.Target, Receiver: receiver,
		Length: uint64(len(data)), Deadline: v.Deadline,
	}
	if err := b.Genesis.UnmarshalText([]byte(v.Genesis)); err != nil {
		t.Fatal(err)
	}
	if _, err := hex.Decode(b.Nonce[:], []byte(v.Nonce)); err != nil {
		t.Fatal(err)
	}
	if got := b.UUID().String(); got != v.UUID {
		t.Errorf("uuid %s, want %s", got, v.UUID)
	}
	g, err := epistula.NewGuard(epistula.Config{
		Self: receiver, Genesis: b.Genesis, NetUID: b.NetUID,
		Access: epistula.AccessFunc(func(targon.Hotkey) error { return nil }),
		Now:    func() time.Time { return time.UnixMilli(v.Timestamp) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(v.Method, v.Target, bytes.NewReader(data))
	r.Header = http.Header{
		epistula.HeaderVersion: {"2"}, epistula.HeaderTimestamp: {strconv.FormatInt(v.Timestamp, 10)},
		epistula.HeaderUUID: {v.UUID}, epistula.HeaderSignedBy: {v.Signer}, epistula.HeaderSignedFor: {v.Receiver},
		epistula.HeaderSignature: {v.Signature}, epistula.HeaderNonce: {v.Nonce},
		epistula.HeaderDeadline: {strconv.FormatUint(v.Deadline, 10)},
	}
	if m := epistula.Message(sha256.Sum256(data), v.UUID, strconv.FormatInt(v.Timestamp, 10), v.Receiver); string(m) != v.Message {
		t.Errorf("message %q, want %q", m, v.Message)
	}
	p, _, err := g.Verify(r)
	if err != nil || p.Caller != signer {
		t.Errorf("verify: %v, caller %s", err, p.Caller)
	}
}

func FuzzVerify(f *testing.F) {
	b := newBench(f)
	good := httptest.NewRequest(http.MethodPost, "/targon/v1/ask?x=1", nil)
	s := b.signer()
	s.Rand = strings.NewReader("sixteen bytes...") // each fuzzing process makes the same envelope
	if err := s.Sign(good, []byte(body), b.self.Hotkey(), start.Add(time.Minute)); err != nil {
		f.Fatal(err)
	}
	var lines []string
	for k, v := range good.Header {
		lines = append(lines, k+": "+v[0])
	}
	f.Add(strings.Join(lines, "\n"), "POST", "/targon/v1/ask?x=1", []byte(body), int64(len(body)))
	f.Add("", "GET", "/", []byte{}, int64(0))
	f.Fuzz(func(t *testing.T, headers, method, target string, data []byte, length int64) {
		g := b.guard(t)
		r := &http.Request{
			Method: method, RequestURI: target, Header: http.Header{},
			Body: io.NopCloser(bytes.NewReader(data)), ContentLength: length,
		}
		if target == "" {
			r.RequestURI = "/"
		}
		for line := range strings.Lines(headers) {
			k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			r.Header[k] = append(r.Header[k], v)
		}
		p, got, err := g.Verify(r)
		if err != nil {
			return
		}
		// The only envelope that was ever signed is the good one.
		if !bytes.Equal(got, []byte(body)) || !bytes.Equal(data, []byte(body)) || p.Caller != b.caller.Hotkey() ||
			method != good.Method || target != "/targon/v1/ask?x=1" || length != int64(len(body)) {
			t.Fatalf("accepted %q %q %q", method, target, data)
		}
		for k, v := range good.Header {
			// Signatures are randomised, so that each process has made another one.
			if len(r.Header[k]) != 1 || r.Header[k][0] != v[0] && k != epistula.HeaderSignature {
				t.Fatalf("accepted header %s %q, want %q", k, r.Header[k], v)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	bench := newBench(b)
	bench.config.PerCaller, bench.config.Total = 1<<30, 1<<30
	g := bench.guard(b)
	rs := make([]*http.Request, 1000)
	for i := range rs {
		rs[i] = bench.request(b)
	}
	i := 0
	for b.Loop() {
		if i == len(rs) {
			i = 0
			b.StopTimer()
			g = bench.guard(b)
			b.StartTimer()
		}
		rs[i].Body, _ = rs[i].GetBody()
		if _, _, err := g.Verify(rs[i]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkRefuse is the price of an envelope that names a real caller but was
// seen before: what a flood costs.
func BenchmarkRefuse(b *testing.B) {
	bench := newBench(b)
	g := bench.guard(b)
	r := bench.request(b)
	if _, _, err := g.Verify(r); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := g.Verify(r); err == nil {
			b.Fatal("accepted")
		}
	}
}

func ExampleGuard_Verify() {
	caller, _ := sign.FromSeed(targon.Secret{1})
	receiver, _ := sign.FromSeed(targon.Secret{2})
	signer := epistula.Signer{Key: caller, NetUID: 4}
	guard, err := epistula.NewGuard(epistula.Config{
		Self: receiver.Hotkey(), NetUID: 4,
		Access: epistula.AccessFunc(func(targon.Hotkey) error { return nil }),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("POST", "/targon/v1/ask", nil)
	if err := signer.Sign(r, []byte("hello"), receiver.Hotkey(), time.Now().Add(time.Minute)); err != nil {
		fmt.Println(err)
		return
	}
	who, body, err := guard.Verify(r)
	fmt.Println(who.Caller == caller.Hotkey(), string(body), err)
	r.Body, _ = r.GetBody()
	_, _, err = guard.Verify(r)
	fmt.Println(err)
	// Output:
	// true hello <nil>
	// nonce seen before
}
