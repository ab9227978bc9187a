package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	stdnet "net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"targon/gateway"
)

// one is a listener that accepts one connection: a pipe, whose deadlines are synctest's.
type one struct{ conns chan stdnet.Conn }

func (o one) Accept() (stdnet.Conn, error) {
	c, ok := <-o.conns
	if !ok {
		return nil, stdnet.ErrClosed
	}
	return c, nil
}

func (one) Close() error      { return nil }
func (one) Addr() stdnet.Addr { return &stdnet.TCPAddr{} }

// dial serves h to one client, as the processes do, and returns the client's end.
func dial(t *testing.T, h http.Handler) stdnet.Conn {
	t.Helper()
	client, server := stdnet.Pipe()
	l := one{make(chan stdnet.Conn, 1)}
	l.conns <- server
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = client.Close()
		close(l.conns)
		<-ended
		_ = s.Close()
	})
	return client
}

// TestBodyThatNeverComes: who announces a body and sends none is answered in time and let
// go, whoever he is and whatever he asks for.
func TestBodyThatNeverComes(t *testing.T) {
	for _, c := range []struct {
		line, key string
		status    int
	}{
		{"POST /v1/chat/completions", "", 401},
		{"POST /v1/chat/completions", goodKey, 400},
		{"GET /v1/models", goodKey, 200},
		{"GET /healthz", "", 200},
		{"PUT /v1/models", "", 405},
		{"POST /nothing", "", 404},
	} {
		synctest.Test(t, func(t *testing.T) {
			conf := newNet(script{text: "ok"}).config()
			conn := dial(t, gateway.New(conf).Handler())
			began := time.Now()
			fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n", c.line, c.key)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s: %v after %s", c.line, err, time.Since(began))
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Errorf("%s: %v", c.line, err)
			}
			_ = res.Body.Close()
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // a pipe's own
				t.Errorf("%s: the connection stays open: %v", c.line, err)
			}
			if took := time.Since(began); res.StatusCode != c.status || took > 20*time.Second {
				t.Errorf("%s: %d after %s, want %d within 20s", c.line, res.StatusCode, took, c.status)
			}
		})
	}
}

// TestHalfClosed: who closes his direction after the question is taken for gone, and is
// told so; it was an empty answer with status 200.
func TestHalfClosed(t *testing.T) {
	f := newNet(script{text: "abc", hold: make(chan struct{})})
	g := gateway.New(f.config())
	srv := httptest.NewServer(g.Handler())
	defer srv.Close()
	conn, err := stdnet.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := chat + `}`
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", goodKey, len(body), body)
	if err := conn.(*stdnet.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	said, err := io.ReadAll(res.Body)
	if res.StatusCode != 499 || !strings.Contains(string(said), `"code":"client_closed_request"`) || err != nil {
		t.Errorf("%d %s %v", res.StatusCode, said, err)
	}
}
