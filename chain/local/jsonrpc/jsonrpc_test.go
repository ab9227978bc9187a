package jsonrpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"targon/chain/local/jsonrpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with its arguments and counts for subscribers.
type echo struct{}

func (echo) Call(_ context.Context, method string, p []json.RawMessage) (any, error) {
	switch method {
	case "echo":
		return p, nil
	case "fail":
		return nil, errors.New("broken")
	}
	return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethod, Message: "Method not found"}
}

func (echo) Subscribe(method string, _ []json.RawMessage) (string, jsonrpc.Stream, bool, error) {
	switch method {
	case "count":
		return "counted", func(ctx context.Context, send func(any) error) error {
			for n := 1; ; n++ {
				if err := send(n); err != nil || n == 3 {
					<-ctx.Done() // until the client leaves
					return err
				}
			}
		}, true, nil
	case "refused":
		return "", nil, true, &jsonrpc.Error{Code: 7, Message: "no", Data: "why"}
	}
	return "", nil, false, nil
}

func (echo) Unsubscribes(method string) bool { return method == "stop" }

// serve runs the service until the test ends.
func serve(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- jsonrpc.Serve(ctx, l, echo{}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

var exchanges = []struct{ ask, answer string }{
	{`{"jsonrpc":"2.0","id":1,"method":"echo","params":[1,"a",null]}`, `{"jsonrpc":"2.0","id":1,"result":[1,"a",null]}`},
	{`{"id":"x","method":"echo"}`, `{"jsonrpc":"2.0","id":"x","result":null}`},
	{`{"id":1,"method":"nothing"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`},
	{`{"id":1,"method":"fail"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"broken"}}`},
	{`{"id":1,"method":"refused"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":7,"message":"no","data":"why"}}`},
	{`{"id":1,"method":"echo","params":{"a":1}}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params: want a list"}}`},
	{`{"id":1}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"Invalid request"}}`},
	{`{`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`},
	{`[]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}`},
	{`[{"id":1,"method":"echo"},{"method":"echo"}]`, `[{"jsonrpc":"2.0","id":1,"result":null}]`},
	{`{"id":1,"method":"stop","params":["none"]}`, `{"jsonrpc":"2.0","id":1,"result":false}`},
}

func TestHTTP(t *testing.T) {
	address := serve(t)
	for _, x := range append(exchanges, struct{ ask, answer string }{`{"id":1,"method":"count"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Subscriptions need a websocket"}}`}) {
		if got := post(t, address, x.ask); got != x.answer {
			t.Errorf("%s:\n got %s\nwant %s", x.ask, got, x.answer)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", res.Status)
	}
}

func post(t testing.TB, address, ask string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, strings.NewReader(ask))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWebsocket(t *testing.T) {
	address := serve(t)
	ws, _, err := websocket.Dial(t.Context(), "ws://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	say := func(text string) {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(want string) {
		t.Helper()
		if _, got, err := ws.Read(t.Context()); err != nil || string(got) != want {
			t.Errorf("got %s (%v)\nwant %s", got, err, want)
		}
	}
	for _, x := range exchanges {
		say(x.ask)
		hear(x.answer)
	}
	say(`{"id":1,"method":"count"}`)
	hear(`{"jsonrpc":"2.0","id":1,"result":"1s"}`)
	for n := 1; n <= 3; n++ {
		hear(fmt.Sprintf(`{"jsonrpc":"2.0","method":"counted","params":{"subscription":"1s","result":%d}}`, n))
	}
	say(`{"id":2,"method":"stop","params":["1s"]}`)
	hear(`{"jsonrpc":"2.0","id":2,"result":true}`)
	_, res, err := websocket.Dial(t.Context(), "ws://"+address, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://example.org"}}})
	if err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page connects: %v", err)
	}
}

// FuzzMessage: whatever is posted, the answer is JSON or nothing.
func FuzzMessage(f *testing.F) {
	for _, x := range exchanges {
		f.Add([]byte(x.ask))
	}
	h := jsonrpc.Handler(f.Context(), echo{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(raw)))
		if out := w.Body.Bytes(); len(out) > 0 && !json.Valid(out) {
			t.Errorf("%q is answered with %q", raw, out)
		}
	})
}

func ExampleHandler() {
	h := jsonrpc.Handler(context.Background(), echo{})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"id":1,"method":"echo","params":["hello"]}`)))
	fmt.Println(w.Body)
	// Output: {"jsonrpc":"2.0","id":1,"result":["hello"]}
}
