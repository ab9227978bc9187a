// Package jsonrpc serves JSON-RPC 2.0 over HTTP and, with subscriptions, over
// websockets, as Substrate nodes do.
//
// It knows no method: a Service answers them. Requests of one connection are answered
// in order. It guards nothing but itself: messages are bounded, foreign web pages are
// refused by their origin, and whoever can reach the listener may call everything. Its
// invariant: after Serve returned, nothing that it started is left.
package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Error is a refusal with its number.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Numbers of JSON-RPC 2.0.
const (
	CodeParse    = -32700
	CodeRequest  = -32600
	CodeMethod   = -32601
	CodeParams   = -32602
	CodeInternal = -32603
)

// Stream sends notifications until its context ends or there are no more.
type Stream func(ctx context.Context, send func(any) error) error

// Service answers methods. An error that is no *Error is answered as CodeInternal.
type Service interface {
	Call(ctx context.Context, method string, params []json.RawMessage) (any, error)
	// Subscribe returns the name of the notifications and their stream, false where the
	// method is none that subscribes.
	Subscribe(method string, params []json.RawMessage) (name string, s Stream, ok bool, err error)
	// Unsubscribes reports whether the method ends a subscription.
	Unsubscribes(method string) bool
}

const (
	maxMessage = 16 << 20
	maxBatch   = 1024
	maxStreams = 1024
	maxWrite   = 10 * time.Second
)

// Serve answers on a listener until ctx ends; it closes the listener.
func Serve(ctx context.Context, l net.Listener, s Service) error {
	h := &server{service: s, life: ctx}
	web := &http.Server{Handler: h, ReadHeaderTimeout: maxWrite, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { _ = web.Close() })
	defer stop()
	err := web.Serve(l)
	_ = web.Close()
	h.open.Wait()
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve JSON-RPC: %w", err)
}

// Handler answers on a server of the caller's. Websockets end with ctx.
func Handler(ctx context.Context, s Service) http.Handler { return &server{service: s, life: ctx} }

type server struct {
	service Service
	life    context.Context //nolint:containedctx // that of Serve: hijacked connections outlive their request
	open    sync.WaitGroup
}

// ServeHTTP takes a websocket or one posted request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		s.open.Add(1)
		defer s.open.Done()
		s.socket(w, r)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "POST a JSON-RPC request, or open a websocket", http.StatusMethodNotAllowed)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		http.Error(w, "request is too large", http.StatusRequestEntityTooLarge)
		return
	}
	c := &conn{server: s}
	w.Header().Set("Content-Type", "application/json")
	if answer := c.message(r.Context(), raw); answer != nil {
		_, _ = w.Write(answer)
	}
}

// conn is one websocket, or one posted request when ws is nil.
type conn struct {
	server *server
	ws     *websocket.Conn
	tasks  sync.WaitGroup

	starts []func() // streams of the message at hand, which begin after its answer

	mu      sync.Mutex
	next    uint64
	streams map[string]context.CancelFunc
}

func (s *server) socket(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OriginPatterns: []string{"localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", "polkadot.js.org"},
	})
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(maxMessage)
	ctx, cancel := context.WithCancel(s.life)
	c := &conn{server: s, ws: ws, streams: map[string]context.CancelFunc{}}
	defer func() {
		cancel()
		_ = ws.CloseNow()
		c.tasks.Wait()
	}()
	for {
		_, raw, err := ws.Read(ctx) //nolint:contextcheck // as above: ctx is the server's
		if err != nil {
			return
		}
		if answer := c.message(ctx, raw); answer != nil && c.write(ctx, answer) != nil { //nolint:contextcheck // a socket lives as long as the server, not as the request it began as
			return
		}
		for _, start := range c.starts {
			start()
		}
		c.starts = nil
	}
}

func (c *conn) write(ctx context.Context, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, maxWrite)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, raw)
}

type request struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result"`
}

type refusal struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Error   *Error          `json:"error"`
}

func refuse(id json.RawMessage, code int, message string) any {
	return refusal{"2.0", id, &Error{Code: code, Message: message}}
}

// message answers one request or a batch; nil where nobody waits.
func (c *conn) message(ctx context.Context, raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	var answer any
	if len(raw) > 0 && raw[0] == '[' {
		var batch []json.RawMessage
		switch err := json.Unmarshal(raw, &batch); {
		case err != nil:
			answer = refuse(nil, CodeParse, "Parse error")
		case len(batch) == 0 || len(batch) > maxBatch:
			answer = refuse(nil, CodeRequest, "Invalid request")
		default:
			var list []any
			for _, one := range batch {
				if a := c.one(ctx, one); a != nil {
					list = append(list, a)
				}
			}
			if list != nil {
				answer = list
			}
		}
	} else {
		answer = c.one(ctx, raw)
	}
	if answer == nil {
		return nil
	}
	out, err := json.Marshal(answer)
	if err != nil {
		out, _ = json.Marshal(refuse(nil, CodeInternal, "Internal error"))
	}
	return out
}

func (c *conn) one(ctx context.Context, raw []byte) any {
	var r request
	if err := json.Unmarshal(raw, &r); err != nil {
		return refuse(nil, CodeParse, "Parse error")
	}
	var params []json.RawMessage
	if len(r.Params) > 0 && string(r.Params) != "null" {
		if err := json.Unmarshal(r.Params, &params); err != nil {
			return refuse(r.ID, CodeParams, "Invalid params: want a list")
		}
	}
	if r.Method == "" {
		return refuse(r.ID, CodeRequest, "Invalid request")
	}
	result, err := c.answer(ctx, r, params)
	switch e, ok := errors.AsType[*Error](err); {
	case len(r.ID) == 0:
		return nil // a notification
	case ok:
		return refusal{"2.0", r.ID, e}
	case err != nil:
		return refuse(r.ID, CodeInternal, err.Error())
	}
	return response{"2.0", r.ID, result}
}

func (c *conn) answer(ctx context.Context, r request, params []json.RawMessage) (any, error) {
	if c.server.service.Unsubscribes(r.Method) {
		return c.unsubscribe(params), nil
	}
	name, stream, ok, err := c.server.service.Subscribe(r.Method, params)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return c.subscribe(ctx, name, stream)
	}
	return c.server.service.Call(ctx, r.Method, params)
}

type notification struct {
	Version string `json:"jsonrpc"`
	Method  string `json:"method"`
	Params  update `json:"params"`
}

type update struct {
	Subscription string `json:"subscription"`
	Result       any    `json:"result"`
}

func (c *conn) subscribe(ctx context.Context, name string, stream Stream) (any, error) {
	if c.ws == nil {
		return nil, &Error{Code: CodeMethod, Message: "Subscriptions need a websocket"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.streams) >= maxStreams {
		return nil, &Error{Code: CodeRequest, Message: "Too many subscriptions"}
	}
	c.next++
	id := strconv.FormatUint(c.next, 36) + "s"
	life, cancel := context.WithCancel(ctx)
	c.streams[id] = cancel
	send := func(v any) error {
		if err := life.Err(); err != nil {
			return err
		}
		raw, err := json.Marshal(notification{"2.0", name, update{id, v}})
		if err != nil {
			return err
		}
		return c.write(ctx, raw) // not life: a write that is cancelled half-way ends the connection
	}
	c.starts = append(c.starts, func() {
		c.tasks.Go(func() {
			defer cancel()
			_ = stream(life, send) // its end is the connection's, or the client's wish
		})
	})
	return id, nil
}

func (c *conn) unsubscribe(params []json.RawMessage) bool {
	var id string
	if len(params) == 0 || json.Unmarshal(params[0], &id) != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cancel, ok := c.streams[id]
	if ok {
		cancel()
		delete(c.streams, id)
	}
	return ok
}
