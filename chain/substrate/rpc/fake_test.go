package rpc_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"targon"
	"targon/chain/substrate/rpc"
)

// answer is what a fake node does with a request.
type answer struct {
	result any
	refuse *rpc.Error
	silent bool   // no answer, ever
	raw    string // instead of an answer
	drop   bool   // close the connection
}

// chain is what several fake nodes agree on.
type chain struct {
	mu        sync.Mutex
	salt      byte // two chains of different salts have different hashes
	blocks    [][]rpc.Hex
	events    map[int]rpc.Hex
	spec      func(block int) int
	metadata  rpc.Hex
	nonce     int
	submitted []rpc.Hex
	onSubmit  func(c *chain, raw rpc.Hex) answer // called with mu held
	metadatas int
}

func newChain(n int) *chain {
	return &chain{blocks: make([][]rpc.Hex, n), events: map[int]rpc.Hex{}, spec: func(int) int { return 293 }}
}

func (c *chain) hash(n int) targon.Digest {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte{c.salt}, uint64(n)))
}

func (c *chain) add(list ...rpc.Hex) int {
	c.blocks = append(c.blocks, list)
	return len(c.blocks) - 1
}

// grow adds blocks from outside a request.
func (c *chain) grow(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		c.add()
	}
}

func hex32(d targon.Digest) string { return rpc.Hex(d[:]).String() }

// node is a fake node: a websocket server over a chain, whose answers a test may
// replace.
type node struct {
	t     testing.TB
	c     *chain
	url   string
	hook  func(method string, params []json.RawMessage) *answer
	deaf  bool // accepts connections and never reads
	ctx   context.Context
	mu    sync.Mutex
	conns map[*websocket.Conn]bool // true: has subscribed
	calls map[string]int
	ended sync.WaitGroup
}

func serve(t testing.TB, c *chain) *node {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n := &node{t: t, c: c, ctx: ctx, conns: map[*websocket.Conn]bool{}, calls: map[string]int{}}
	s := httptest.NewServer(http.HandlerFunc(n.accept))
	n.url = "ws" + strings.TrimPrefix(s.URL, "http")
	t.Cleanup(func() {
		cancel()
		n.cut()
		n.ended.Wait()
		s.Close()
	})
	return n
}

func (n *node) accept(w http.ResponseWriter, r *http.Request) {
	n.ended.Add(1)
	defer n.ended.Done()
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	n.mu.Lock()
	n.conns[ws] = false
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.conns, ws)
		n.mu.Unlock()
	}()
	for {
		_, raw, err := ws.Read(n.ctx) //nolint:contextcheck // a websocket lives longer than the request it began as
		if err != nil {
			return
		}
		n.mu.Lock()
		deaf := n.deaf
		n.mu.Unlock()
		if deaf {
			<-n.ctx.Done()
			return
		}
		if !n.reply(ws, raw) {
			return
		}
	}
}

func (n *node) reply(ws *websocket.Conn, raw []byte) bool {
	var q struct {
		ID     uint64            `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(raw, &q); err != nil {
		n.t.Errorf("node got %s: %v", raw, err)
		return false
	}
	n.mu.Lock()
	n.calls[q.Method]++
	hook := n.hook
	n.mu.Unlock()
	var a *answer
	if hook != nil {
		a = hook(q.Method, q.Params)
	}
	if a == nil {
		own := n.c.answer(q.Method, q.Params)
		a = &own
	}
	if q.Method == "chain_subscribeFinalizedHeads" && a.refuse == nil {
		n.mu.Lock()
		n.conns[ws] = true
		n.mu.Unlock()
	}
	switch {
	case a.drop:
		return false
	case a.silent:
		return true
	case a.raw != "":
		n.write(ws, []byte(a.raw))
	case a.refuse != nil:
		n.write(ws, encode(map[string]any{"jsonrpc": "2.0", "id": q.ID, "error": a.refuse}))
	default:
		n.write(ws, encode(map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": a.result}))
	}
	if q.Method == "chain_subscribeFinalizedHeads" {
		n.notify()
	}
	return true
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (n *node) write(ws *websocket.Conn, raw []byte) {
	_ = ws.Write(n.ctx, websocket.MessageText, raw) // a client may have left
}

// notify tells subscribers of the newest block.
func (n *node) notify() {
	n.c.mu.Lock()
	head := n.c.header(len(n.c.blocks) - 1)
	n.c.mu.Unlock()
	n.tell(head)
}

func (n *node) tell(head any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for ws, subscribed := range n.conns {
		if subscribed {
			n.write(ws, encode(map[string]any{"jsonrpc": "2.0", "method": "chain_finalizedHead", "params": map[string]any{"subscription": "s1", "result": head}}))
		}
	}
}

// cut closes all connections without a word.
func (n *node) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for ws := range n.conns {
		go func() { _ = ws.CloseNow() }()
	}
}

func (n *node) set(hook func(method string, params []json.RawMessage) *answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hook = hook
}

func (n *node) count(method string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls[method]
}

// header is a header as nodes show it.
func (c *chain) header(n int) map[string]any {
	parent := targon.Digest{}
	if n > 0 {
		parent = c.hash(n - 1)
	}
	return map[string]any{"parentHash": hex32(parent), "number": fmt.Sprintf("0x%x", n), "digest": map[string]any{"logs": []string{}}}
}

func (c *chain) find(params []json.RawMessage, i int) int {
	var want string
	if i < len(params) {
		_ = json.Unmarshal(params[i], &want)
	}
	for n := range c.blocks {
		if hex32(c.hash(n)) == want {
			return n
		}
	}
	return -1
}

func (c *chain) answer(method string, params []json.RawMessage) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := len(c.blocks) - 1
	switch method {
	case "chain_getBlockHash":
		var n int
		_ = json.Unmarshal(params[0], &n)
		if n > head {
			return answer{}
		}
		return answer{result: hex32(c.hash(n))}
	case "chain_getFinalizedHead":
		return answer{result: hex32(c.hash(head))}
	case "chain_getHeader":
		if n := c.find(params, 0); n >= 0 {
			return answer{result: c.header(n)}
		}
		return answer{}
	case "chain_getBlock":
		if n := c.find(params, 0); n >= 0 {
			list := append([]rpc.Hex{}, c.blocks[n]...)
			return answer{result: map[string]any{"block": map[string]any{"header": c.header(n), "extrinsics": list}}}
		}
		return answer{}
	case "chain_subscribeFinalizedHeads":
		return answer{result: "s1"}
	case "chain_unsubscribeFinalizedHeads":
		return answer{result: true}
	case "state_getRuntimeVersion":
		return answer{result: map[string]any{"specVersion": c.spec(c.find(params, 0)), "transactionVersion": 1}}
	case "state_getMetadata":
		c.metadatas++
		return answer{result: c.metadata}
	case "system_accountNextIndex":
		return answer{result: c.nonce}
	case "state_getStorage":
		if e, ok := c.events[c.find(params, 1)]; ok {
			return answer{result: e}
		}
		return answer{}
	case "author_submitExtrinsic":
		var raw rpc.Hex
		_ = json.Unmarshal(params[0], &raw)
		c.submitted = append(c.submitted, raw)
		return c.onSubmit(c, raw)
	}
	return answer{refuse: &rpc.Error{Code: -32601, Message: "Method not found"}}
}
