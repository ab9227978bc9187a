// Package rpc talks to Substrate nodes over websocket JSON-RPC.
//
// A Client keeps one connection to one of several nodes. It leaves a node that is on
// another chain, stops answering, answers nonsense or contradicts what was final, and
// goes on to the next with growing pauses; calls that only read are repeated there,
// and whoever follows the finalised heads sees each block once, in order, whatever
// happens to connections. What was sent and never answered is ErrUnknown: only the
// caller knows whether to send it again.
//
// It believes what a node says about storage: there are no proofs, so an operator
// names nodes that he trusts. It does not interpret values; package substrate does.
package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"targon"
)

var (
	// ErrUnavailable says that no node could be asked before the deadline.
	ErrUnavailable = errors.New("no node of the chain answers")
	// ErrUnknown says that a request was sent and its outcome is not known.
	ErrUnknown = errors.New("sent, and the answer did not come")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("chain client is closed")
	// ErrGenesis says that a node is on another chain.
	ErrGenesis = errors.New("node is on another chain")
	// ErrFork says that nodes contradict a block that was final before.
	ErrFork = errors.New("nodes contradict a finalised block")
	// ErrReply says that a node answered nonsense.
	ErrReply = errors.New("node's answer makes no sense")
	// ErrTooLarge says that an answer was longer than allowed.
	ErrTooLarge = errors.New("node's answer is too large")
)

// errGone ends the requests of a connection that is lost.
var errGone = errors.New("connection to the node is lost")

// Error is a node's refusal.
type Error struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// Error returns the node's words, cut short.
func (e *Error) Error() string {
	text := e.Message
	if len(e.Data) > 0 && string(e.Data) != "null" {
		text += ": " + e.Text()
	}
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	return fmt.Sprintf("node refuses: %s (%d)", text, e.Code)
}

// Text returns the data of an error, without quotes where it is text.
func (e *Error) Text() string {
	var s string
	if json.Unmarshal(e.Data, &s) == nil {
		return s
	}
	return string(e.Data)
}

// Config says which nodes to ask and how long to wait. Zero durations and sizes
// are the defaults.
type Config struct {
	Endpoints []string      // ws://…, wss://… or host:port; the first is preferred
	Genesis   targon.Digest // of the chain wanted; zero: of the first node that answers
	Call      time.Duration // a whole call, repeats included; 60 s
	Answer    time.Duration // one answer, before the node is left; 15 s
	Heartbeat time.Duration // between pings and for their answer; 10 s
	Stall     time.Duration // without a new finalised head, before the node is left; 2 min
	Pause     time.Duration // before the second attempt, doubling to 30 s; 250 ms
	MaxReply  int64         // bytes; 32 MiB
	HTTP      *http.Client  // for the handshake; its own
	Log       *slog.Logger  // silent
}

const maxPause = 30 * time.Second

// Client is a connection to a chain, for any number of callers at once.
type Client struct {
	c      Config
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	conn     *conn         // nil while there is none
	changed  chan struct{} // closed when conn changes
	reason   error         // why there is none
	strange  int           // nodes in a row that were on another chain
	genesis  targon.Digest // zero until known
	runtimes []*Runtime    // newest last

	open []*pending // extrinsics whose outcome is not known

	sending sync.Mutex // from reading an account's nonce to using it
}

// Start begins to connect and returns at once. It fails only for a Config that
// can never work.
func Start(c Config) (*Client, error) {
	if len(c.Endpoints) == 0 {
		return nil, errors.New("connect to chain: no endpoint")
	}
	urls := make([]string, len(c.Endpoints))
	for i, e := range c.Endpoints {
		u, err := Endpoint(e)
		if err != nil {
			return nil, err
		}
		urls[i] = u
	}
	c.Endpoints = urls
	fallback(&c.Call, time.Minute)
	fallback(&c.Answer, 15*time.Second)
	fallback(&c.Heartbeat, 10*time.Second)
	fallback(&c.Stall, 2*time.Minute)
	fallback(&c.Pause, 250*time.Millisecond)
	if c.MaxReply == 0 {
		c.MaxReply = 32 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cl := &Client{c: c, cancel: cancel, changed: make(chan struct{}), genesis: c.Genesis}
	cl.done.Go(func() { cl.run(ctx) })
	return cl, nil
}

func fallback(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// Endpoint returns the URL of an endpoint; host:port alone means ws, as Bittensor's
// tools take it.
func Endpoint(s string) (string, error) {
	full := s
	if !strings.Contains(s, "://") {
		full = "ws://" + s
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || (u.Scheme != "ws" && u.Scheme != "wss") {
		return "", fmt.Errorf("chain endpoint %q: want ws://host:port, wss://host or host:port", s)
	}
	return u.String(), nil
}

// Close ends the connection and all calls. It may be called more than once.
func (c *Client) Close() error {
	c.cancel()
	c.done.Wait()
	return nil
}

// run keeps a connection until ctx ends.
func (c *Client) run(ctx context.Context) {
	pause := c.c.Pause
	for i := 0; ctx.Err() == nil; i++ {
		endpoint := c.c.Endpoints[i%len(c.c.Endpoints)]
		n, err := c.connect(ctx, endpoint)
		if err == nil {
			began := time.Now()
			c.publish(n, nil)
			c.c.Log.InfoContext(ctx, "chain connected", "endpoint", endpoint)
			select {
			case <-n.gone:
			case <-ctx.Done():
				n.leave(ErrClosed)
			}
			n.tasks.Wait()
			err = n.err
			if time.Since(began) > c.c.Heartbeat {
				pause = c.c.Pause
			}
		}
		c.publish(nil, fmt.Errorf("%s: %w", endpoint, err))
		if ctx.Err() != nil {
			break
		}
		c.c.Log.WarnContext(ctx, "chain connection lost", "endpoint", endpoint, "error", err)
		if i%len(c.c.Endpoints) == len(c.c.Endpoints)-1 { // all were tried
			wait(ctx, pause)
			pause = min(2*pause, maxPause)
		}
	}
	c.publish(nil, ErrClosed)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (c *Client) publish(n *conn, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.reason = n, reason
	switch {
	case n != nil:
		c.strange = 0
	case errors.Is(reason, ErrGenesis):
		c.strange++
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// connect dials a node and checks that it is on our chain.
func (c *Client) connect(ctx context.Context, endpoint string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.c.Answer)
	defer cancel()
	n, err := dial(ctx, endpoint, c.c)
	if err != nil {
		return nil, err
	}
	var text string
	err = n.call(ctx, &text, "chain_getBlockHash", 0)
	if err == nil {
		err = c.recognise(text)
	}
	if err != nil {
		n.leave(err)
		n.tasks.Wait()
		return nil, fmt.Errorf("ask for the genesis: %w", err)
	}
	return n, nil
}

// recognise compares a node's genesis with ours; the first one becomes ours if none
// was asked for.
func (c *Client) recognise(text string) error {
	genesis, err := parseDigest(text)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.genesis == (targon.Digest{}) {
		c.genesis = genesis
	}
	if genesis != c.genesis {
		return fmt.Errorf("%w: genesis %s, want %s", ErrGenesis, genesis, c.genesis)
	}
	return nil
}

// node waits for a connection.
func (c *Client) node(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		n, changed, reason, strange := c.conn, c.changed, c.reason, c.strange
		c.mu.Unlock()
		switch {
		case n != nil && !n.lost():
			return n, nil
		case errors.Is(reason, ErrClosed):
			return nil, ErrClosed
		case strange >= len(c.c.Endpoints): // waiting makes no other chain of them
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, reason)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if reason == nil {
				return nil, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
			}
			return nil, fmt.Errorf("%w: %w: %w", ErrUnavailable, context.Cause(ctx), reason)
		}
	}
}

// Read calls a method that changes nothing and decodes its result into out. It is
// repeated on other nodes until one answers or the time is up. A refusal is an *Error.
func (c *Client) Read(ctx context.Context, out any, method string, params ...any) error {
	ctx, cancel := c.bound(ctx, method)
	defer cancel()
	for {
		err := c.once(ctx, out, method, params)
		if err == nil || !errors.Is(err, errGone) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w: %w", method, ErrUnavailable, err)
		}
	}
}

// Write calls a method once. If it was sent and no answer came the error is
// ErrUnknown.
func (c *Client) Write(ctx context.Context, out any, method string, params ...any) error {
	ctx, cancel := c.bound(ctx, method)
	defer cancel()
	err := c.once(ctx, out, method, params)
	if errors.Is(err, errGone) {
		return fmt.Errorf("%s: %w", method, ErrUnknown)
	}
	return err
}

// bound gives a call its time.
func (c *Client) bound(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.c.Call, fmt.Errorf("%s took more than %v: %w", method, c.c.Call, context.DeadlineExceeded))
}

// once asks the present node. A node that does not answer in time is left.
func (c *Client) once(ctx context.Context, out any, method string, params []any) error {
	if ctx.Err() != nil { // nothing was sent
		return fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
	n, err := c.node(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	short, cancel := context.WithTimeout(ctx, c.c.Answer)
	defer cancel()
	err = n.call(short, out, method, params...)
	switch {
	case err == nil:
		return nil
	case short.Err() != nil && ctx.Err() == nil:
		err = fmt.Errorf("%w: no answer to %s in %v", errGone, method, c.c.Answer)
		n.leave(err)
	case ctx.Err() != nil && !errors.Is(err, errGone):
		return fmt.Errorf("%s: %w: %w", method, ErrUnknown, context.Cause(ctx))
	case errors.Is(err, ErrReply):
		n.leave(err) // another node may do better; this answer is of no use
	}
	return fmt.Errorf("%s: %w", method, err)
}

// Genesis returns the hash of the chain's first block, once a node has said it.
func (c *Client) Genesis(ctx context.Context) (targon.Digest, error) {
	ctx, cancel := c.bound(ctx, "genesis")
	defer cancel()
	if _, err := c.node(ctx); err != nil {
		return targon.Digest{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.genesis, nil
}
