package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// conn is one websocket to one node.
type conn struct {
	ws     *websocket.Conn
	writes time.Duration // the longest that a write may take
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	gone chan struct{} // closed when the connection is of no more use
	err  error         // why; set before gone is closed

	mu      sync.Mutex
	left    bool
	next    uint64
	pending map[uint64]func(reply)          // by request id
	subs    map[string]chan json.RawMessage // by subscription id as JSON
}

// reply is what a request ended with.
type reply struct {
	result json.RawMessage
	err    error
}

// message is anything that a node sends.
type message struct {
	ID     *uint64         `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *Error          `json:"error"`
	Method string          `json:"method"`
	Params struct {
		Subscription json.RawMessage `json:"subscription"`
		Result       json.RawMessage `json:"result"`
	} `json:"params"`
}

type request struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

func dial(ctx context.Context, endpoint string, c Config) (*conn, error) {
	ws, _, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{HTTPClient: c.HTTP}) //nolint:bodyclose // the body is the websocket's own
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	ws.SetReadLimit(c.MaxReply)
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	n := &conn{
		ws: ws, writes: c.Answer, cancel: cancel, gone: make(chan struct{}),
		pending: map[uint64]func(reply){}, subs: map[string]chan json.RawMessage{},
	}
	n.tasks.Go(func() { n.read(life) })
	n.tasks.Go(func() { n.beat(life, c.Heartbeat) })
	return n, nil
}

// leave ends the connection and everything that waits for it. The first reason
// counts. It does not wait for the connection's goroutines; whoever reads gone may.
func (n *conn) leave(reason error) {
	n.mu.Lock()
	if n.left {
		n.mu.Unlock()
		return
	}
	n.left, n.err = true, reason
	waiting := n.pending
	n.pending, n.subs = nil, nil
	n.mu.Unlock()

	ended := fmt.Errorf("%w: %w", errGone, reason)
	if errors.Is(reason, ErrTooLarge) && len(waiting) == 1 {
		ended = reason // it is this one's answer, and as large from any node
	}
	for _, answer := range waiting {
		answer(reply{err: ended})
	}
	n.cancel()
	_ = n.ws.CloseNow() // the node may not be there to say goodbye to
	close(n.gone)
}

// lost reports whether the connection has ended.
func (n *conn) lost() bool {
	select {
	case <-n.gone:
		return true
	default:
		return false
	}
}

// read takes messages until the connection ends.
func (n *conn) read(ctx context.Context) {
	for {
		_, raw, err := n.ws.Read(ctx)
		if err != nil {
			if errors.Is(err, websocket.ErrMessageTooBig) {
				err = ErrTooLarge
			}
			n.leave(err)
			return
		}
		if err := n.take(raw); err != nil {
			n.leave(err)
			return
		}
	}
}

// beat finds connections that are open and dead.
func (n *conn) beat(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		ping, cancel := context.WithTimeout(ctx, every)
		err := n.ws.Ping(ping)
		cancel()
		if err != nil {
			n.leave(fmt.Errorf("no heartbeat: %w", err))
			return
		}
	}
}

// take gives one message to whoever waits for it.
func (n *conn) take(raw []byte) error {
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("%w: %w", ErrReply, err)
	}
	if m.ID == nil {
		n.notify(m)
		return nil
	}
	n.mu.Lock()
	answer := n.pending[*m.ID]
	delete(n.pending, *m.ID)
	n.mu.Unlock()
	if answer == nil {
		return nil // its caller gave up
	}
	if m.Error != nil {
		answer(reply{err: m.Error})
		return nil
	}
	answer(reply{result: m.Result})
	return nil
}

// notify hands on the newest message of a subscription; one that nobody took yet is
// replaced, because its reader fills gaps itself.
func (n *conn) notify(m message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ch := n.subs[string(m.Params.Subscription)]
	if ch == nil {
		return
	}
	select {
	case <-ch:
	default:
	}
	ch <- m.Params.Result // this goroutine is the only sender, and there is room for one
}

// send writes a request; answer is called exactly once, from another goroutine or,
// when the request cannot be sent, not at all.
func (n *conn) send(ctx context.Context, method string, params []any, answer func(reply)) (uint64, error) {
	n.mu.Lock()
	if n.left {
		n.mu.Unlock()
		return 0, fmt.Errorf("%w: %w", errGone, n.err)
	}
	n.next++
	id := n.next
	n.pending[id] = answer
	n.mu.Unlock()
	if params == nil {
		params = []any{}
	}
	raw, err := json.Marshal(request{"2.0", id, method, params})
	if err == nil { // a caller who leaves in mid-write must not take the connection along
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.writes)
		err = n.ws.Write(write, websocket.MessageText, raw)
		cancel()
	}
	if err != nil {
		n.forget(id)
		n.leave(fmt.Errorf("write: %w", err))
		return 0, fmt.Errorf("%w: %w", errGone, err)
	}
	return id, nil
}

func (n *conn) forget(id uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pending, id)
}

// call sends a request and decodes its result into out; a null result leaves out
// as it is.
func (n *conn) call(ctx context.Context, out any, method string, params ...any) error {
	ch := make(chan reply, 1)
	id, err := n.send(ctx, method, params, func(r reply) { ch <- r })
	if err != nil {
		return err
	}
	select {
	case r := <-ch:
		if r.err != nil {
			return r.err
		}
		return decode(r.result, out)
	case <-ctx.Done():
		n.forget(id)
		return context.Cause(ctx)
	}
}

func decode(raw json.RawMessage, out any) error {
	if out == nil || len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%w: %w", ErrReply, err)
	}
	return nil
}

// subscribe opens a subscription. The channel holds the newest notification until end
// is called or the connection is gone.
func (n *conn) subscribe(ctx context.Context, method, undo string) (heads <-chan json.RawMessage, end func(), err error) {
	ch := make(chan json.RawMessage, 1)
	done := make(chan reply, 1)
	_, err = n.send(ctx, method, nil, func(r reply) {
		if r.err == nil && len(r.result) == 0 {
			r.err = fmt.Errorf("%w: a subscription without a name", ErrReply)
		}
		if r.err == nil {
			n.mu.Lock() // before the next message is read
			if n.subs != nil {
				n.subs[string(r.result)] = ch
			}
			n.mu.Unlock()
		}
		done <- r
	})
	if err != nil {
		return nil, nil, err
	}
	select {
	case r := <-done:
		return ch, func() { n.unsubscribe(undo, r.result) }, r.err //nolint:contextcheck // it is given back although ctx has ended
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// unsubscribe ends a subscription and does not wait for the node to say so.
func (n *conn) unsubscribe(method string, name json.RawMessage) {
	n.mu.Lock()
	_, open := n.subs[string(name)]
	delete(n.subs, string(name))
	n.mu.Unlock()
	if open {
		_, _ = n.send(context.Background(), method, []any{name}, func(reply) {})
	}
}
