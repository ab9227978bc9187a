package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"targon"
	"targon/chain/chainvectors"
	"targon/chain/substrate/rpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, c rpc.Config) *rpc.Client {
	t.Helper()
	if c.Pause == 0 {
		c.Pause = time.Millisecond
	}
	if c.Call == 0 {
		c.Call = 20 * time.Second
	}
	cl, err := rpc.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cl.Close(); err != nil {
			t.Error(err)
		}
	})
	return cl
}

func to(nodes ...*node) rpc.Config {
	var c rpc.Config
	for _, n := range nodes {
		c.Endpoints = append(c.Endpoints, n.url)
	}
	return c
}

func TestEndpoint(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"127.0.0.1:9944", "ws://127.0.0.1:9944"},
		{"ws://127.0.0.1:9944", "ws://127.0.0.1:9944"},
		{"wss://entrypoint-finney.opentensor.ai:443", "wss://entrypoint-finney.opentensor.ai:443"},
		{"[::1]:9944", "ws://[::1]:9944"},
		{"localhost:9944", "ws://localhost:9944"},
		{"http://127.0.0.1:9944", ""},
		{"ws://", ""},
		{"", ""},
		{"ws://a b", ""},
	} {
		got, err := rpc.Endpoint(c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("endpoint %q is %q (%v), want %q", c.in, got, err, c.want)
		}
	}
	if _, err := rpc.Start(rpc.Config{}); err == nil {
		t.Error("started without an endpoint")
	}
	if _, err := rpc.Start(rpc.Config{Endpoints: []string{"ftp://x"}}); err == nil {
		t.Error("started with an endpoint of another scheme")
	}
}

// exchange is one recorded request with its response.
type exchange struct {
	Request struct {
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	} `json:"request"`
	Response struct {
		Result json.RawMessage `json:"result"`
		Error  *rpc.Error      `json:"error"`
	} `json:"response"`
}

// TestRecorded plays each recorded exchange back over a socket.
func TestRecorded(t *testing.T) {
	for _, file := range chainvectors.Files(t, "wire-rpc.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v struct{ Exchanges []exchange }
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			n := serve(t, newChain(1))
			n.set(func(method string, params []json.RawMessage) *answer {
				for _, e := range v.Exchanges {
					if e.Request.Method == method && tight(e.Request.Params...) == tight(params...) {
						return &answer{result: e.Response.Result, refuse: e.Response.Error}
					}
				}
				return nil
			})
			c := start(t, to(n))
			for _, e := range v.Exchanges {
				params := make([]any, len(e.Request.Params))
				for i, p := range e.Request.Params {
					params[i] = p
				}
				var out json.RawMessage
				err := c.Read(t.Context(), &out, e.Request.Method, params...)
				refusal, refused := errors.AsType[*rpc.Error](err)
				switch {
				case refused != (e.Response.Error != nil), refused && refusal.Message != e.Response.Error.Message, err != nil && !refused:
					t.Errorf("%s: %v, want %v", e.Request.Method, err, e.Response.Error)
				case !refused && string(e.Response.Result) != "null" && tight(out) != tight(e.Response.Result):
					t.Errorf("%s: %s, want %s", e.Request.Method, out, e.Response.Result)
				}
			}
			typed(t, c, v.Exchanges)
			t.Logf("%d exchanges", len(v.Exchanges))
		})
	}
}

// tight returns JSON without spaces.
func tight(list ...json.RawMessage) string {
	var out bytes.Buffer
	for _, raw := range list {
		if err := json.Compact(&out, raw); err != nil {
			panic(err)
		}
		out.WriteByte(',')
	}
	return out.String()
}

// typed reads what the recording has through the methods that callers use.
func typed(t *testing.T, c *rpc.Client, list []exchange) {
	t.Helper()
	for _, e := range list {
		p := make([]string, len(e.Request.Params))
		for i, raw := range e.Request.Params {
			_ = json.Unmarshal(raw, &p[i]) // not all are text
		}
		digest := func(i int) (d targon.Digest) {
			var h rpc.Hex
			if i < len(p) && h.UnmarshalText([]byte(p[i])) == nil {
				copy(d[:], h)
			}
			return d
		}
		switch {
		case e.Request.Method == "chain_getFinalizedHead":
			h, err := c.Finalised(t.Context())
			if err != nil || fmt.Sprintf("%q", "0x"+h.Hash.String()) != string(e.Response.Result) {
				t.Errorf("finalised head %v (%v), want %s", h, err, e.Response.Result)
			}
		case e.Request.Method == "chain_getBlock" && len(p) == 1:
			list, err := c.Extrinsics(t.Context(), digest(0))
			if err != nil || len(list) == 0 {
				t.Errorf("block has %d extrinsics (%v)", len(list), err)
			}
		case e.Request.Method == "state_getStorage" && len(p) == 2:
			var key rpc.Hex
			if err := key.UnmarshalText([]byte(p[0])); err != nil {
				t.Fatal(err)
			}
			v, err := c.Storage(t.Context(), key, digest(1))
			if err != nil || fmt.Sprintf("%q", rpc.Hex(v)) != string(e.Response.Result) {
				t.Errorf("storage %x (%v), want %s", v, err, e.Response.Result)
			}
		case e.Request.Method == "system_accountNextIndex":
			h, err := targon.ParseHotkey(p[0])
			if err != nil {
				t.Fatal(err)
			}
			v, err := c.Nonce(t.Context(), h)
			if err != nil || fmt.Sprint(v) != string(e.Response.Result) {
				t.Errorf("nonce %d (%v), want %s", v, err, e.Response.Result)
			}
		}
	}
}

// TestFaults: whatever the first node does wrong, a read is answered by the second
// one. There is no state in which a caller waits for ever.
func TestFaults(t *testing.T) {
	method := func(name string, a answer) func(string, []json.RawMessage) *answer {
		return func(m string, _ []json.RawMessage) *answer {
			if m == name {
				return &a
			}
			return nil
		}
	}
	const asked = "system_accountNextIndex"
	for _, c := range []struct {
		name string
		hook func(string, []json.RawMessage) *answer
		deaf bool
		salt byte
	}{
		{name: "stops answering", hook: method(asked, answer{silent: true})},
		{name: "closes", hook: method(asked, answer{drop: true})},
		{name: "closes at once", hook: method("chain_getBlockHash", answer{drop: true})},
		{name: "answers no JSON", hook: method(asked, answer{raw: "{"})},
		{name: "answers no JSON at once", hook: method("chain_getBlockHash", answer{raw: "hello"})},
		{name: "genesis is no hash", hook: method("chain_getBlockHash", answer{result: "0x00"})},
		{name: "genesis is a number", hook: method("chain_getBlockHash", answer{result: 7})},
		{name: "genesis is null", hook: method("chain_getBlockHash", answer{})},
		{name: "is on another chain", salt: 1},
		{name: "is open and dead", deaf: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := newChain(3)
			good.nonce = 42
			bad := newChain(3)
			bad.salt = c.salt
			first, second := serve(t, bad), serve(t, good)
			first.deaf = c.deaf
			first.set(c.hook)
			cfg := to(first, second)
			cfg.Answer, cfg.Heartbeat = 300*time.Millisecond, 100*time.Millisecond
			cfg.Genesis = good.hash(0)
			cl := start(t, cfg)
			n, err := cl.Nonce(t.Context(), targon.Hotkey{})
			if err != nil || n != 42 {
				t.Errorf("nonce %d (%v), want 42", n, err)
			}
			g, err := cl.Genesis(t.Context())
			if err != nil || g != good.hash(0) {
				t.Errorf("genesis %s (%v)", g, err)
			}
		})
	}
}

// TestHalfOpen: a connection that dies without a word is noticed while nobody calls.
func TestHalfOpen(t *testing.T) {
	c := newChain(1)
	first, second := serve(t, c), serve(t, c)
	first.set(func(m string, _ []json.RawMessage) *answer {
		first.mu.Lock()
		first.deaf = true // from the next message on
		first.mu.Unlock()
		return nil
	})
	cfg := to(first, second)
	cfg.Answer, cfg.Heartbeat = 20*time.Second, 50*time.Millisecond
	cl := start(t, cfg)
	// The first node takes this request and nothing after it, not even pings.
	if _, err := cl.Nonce(t.Context(), targon.Hotkey{}); err != nil {
		t.Error(err)
	}
	if second.count("system_accountNextIndex") != 1 {
		t.Error("the second node was not asked")
	}
}

func TestWrongGenesis(t *testing.T) {
	n := serve(t, newChain(1))
	cfg := to(n)
	cfg.Genesis = targon.Digest{1}
	_, err := start(t, cfg).Nonce(t.Context(), targon.Hotkey{})
	if !errors.Is(err, rpc.ErrGenesis) || !errors.Is(err, rpc.ErrUnavailable) {
		t.Errorf("%v, want ErrGenesis", err)
	}
}

func TestDeadlines(t *testing.T) {
	n := serve(t, newChain(1))
	n.set(func(m string, _ []json.RawMessage) *answer {
		if m == "system_accountNextIndex" || m == "author_submitExtrinsic" {
			return &answer{silent: true}
		}
		return nil
	})
	cfg := to(n)
	cfg.Call, cfg.Answer = 300*time.Millisecond, 100*time.Millisecond
	c := start(t, cfg)
	if _, err := c.Nonce(t.Context(), targon.Hotkey{}); !errors.Is(err, rpc.ErrUnavailable) && !errors.Is(err, rpc.ErrUnknown) {
		t.Errorf("read: %v", err)
	}
	if n.count("system_accountNextIndex") < 2 {
		t.Error("a read was not repeated")
	}
	if err := c.Write(t.Context(), nil, "author_submitExtrinsic", "0x00"); !errors.Is(err, rpc.ErrUnknown) {
		t.Errorf("write: %v, want ErrUnknown", err)
	}
	if got := n.count("author_submitExtrinsic"); got != 1 {
		t.Errorf("a write was sent %d times", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Nonce(ctx, targon.Hotkey{}); err == nil {
		t.Error("a read went on after its context")
	}
}

func TestTooLarge(t *testing.T) {
	n := serve(t, newChain(1))
	n.set(func(m string, _ []json.RawMessage) *answer {
		if m == "state_getMetadata" {
			return &answer{result: strings.Repeat("x", 5000)}
		}
		return nil
	})
	cfg := to(n)
	cfg.MaxReply = 4096
	c := start(t, cfg)
	if err := c.Read(t.Context(), nil, "state_getMetadata"); !errors.Is(err, rpc.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	if _, err := c.Nonce(t.Context(), targon.Hotkey{}); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestClose(t *testing.T) {
	n := serve(t, newChain(1))
	asked := make(chan struct{}, 1)
	n.set(func(m string, _ []json.RawMessage) *answer {
		if m == "system_accountNextIndex" {
			asked <- struct{}{}
			return &answer{silent: true}
		}
		return nil
	})
	c := start(t, to(n))
	waiting := make(chan error, 1)
	go func() {
		_, err := c.Nonce(context.Background(), targon.Hotkey{})
		waiting <- err
	}()
	<-asked
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-waiting; !errors.Is(err, rpc.ErrClosed) {
		t.Errorf("a call that waited: %v, want ErrClosed", err)
	}
	if _, err := c.Nonce(t.Context(), targon.Hotkey{}); !errors.Is(err, rpc.ErrClosed) {
		t.Errorf("a call after: %v, want ErrClosed", err)
	}
	for _, err := range c.Heads(t.Context(), targon.Header{}) {
		if !errors.Is(err, rpc.ErrClosed) {
			t.Errorf("heads after: %v, want ErrClosed", err)
		}
	}
}

// FuzzReply feeds bytes as whatever a node may send.
func FuzzReply(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":"0x00"}`))
	f.Add([]byte(`{"jsonrpc":"2.0","method":"chain_finalizedHead","params":{"subscription":"s","result":{"number":"0x1"}}}`))
	f.Add([]byte(`{"id":1,"error":{"code":1010,"message":"Invalid","data":{"a":1}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) { rpc.TakeForTest(raw) })
}

// FuzzHeader: a header is refused as a malformed reply, or says a height and a parent
// that are written down again as the same.
func FuzzHeader(f *testing.F) {
	parent := "0x" + strings.Repeat("4e", 32)
	f.Add([]byte(`{"parentHash":"` + parent + `","number":"0x20","stateRoot":"0x00","extrinsicsRoot":"0x00","digest":{"logs":[]}}`))
	f.Add([]byte(`{"parentHash":"` + parent[:64] + `","number":"20"}`))
	f.Add([]byte(`{"number":"0xffffffffffffffffff"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, d, err := rpc.HeaderForTest(raw)
		if err != nil {
			if !errors.Is(err, rpc.ErrReply) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		again := fmt.Appendf(nil, `{"parentHash":"0x%s","number":"%#x"}`, d, uint64(n))
		if m, e, err := rpc.HeaderForTest(again); err != nil || m != n || e != d {
			t.Fatalf("%q reads as %d and %s, written down as %s: %d, %s, %v", raw, n, d, again, m, e, err)
		}
	})
}

func ExampleEndpoint() {
	u, err := rpc.Endpoint("127.0.0.1:9944")
	fmt.Println(u, err)
	// Output: ws://127.0.0.1:9944 <nil>
}
