package local

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"targon"
	"targon/chain/local/jsonrpc"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

// Node answers for a chain in Substrate's JSON-RPC, as a Subtensor node would.
type Node struct {
	chain   *Chain
	meta    *substrate.Metadata
	raw     string // the metadata
	api     *subtensor.API
	answers map[string]answer
	newer   []byte // the metadata as version 15
	calls   map[string]method
}

type method func(ctx context.Context, p params) (any, error)

// NewNode returns a node of the chain.
func NewNode(c *Chain) *Node {
	n := &Node{chain: c, api: subtensor.NewAPI()}
	n.meta, n.newer = describe()
	n.raw, n.answers = hexOf(n.meta.Bytes()), answers(n.api)
	n.calls = map[string]method{
		"chain_getBlockHash": n.blockHash, "chain_getHead": n.blockHash, "chain_getHeader": n.header, "chain_getBlock": n.block,
		"chain_getFinalizedHead": n.finalised, "chain_getFinalisedHead": n.finalised,
		"state_getMetadata":       func(context.Context, params) (any, error) { return n.raw, nil },
		"state_getRuntimeVersion": version, "chain_getRuntimeVersion": version,
		"state_getStorage": n.storage, "state_getStorageAt": n.storage, "state_queryStorageAt": n.query,
		"state_getKeysPaged": n.keysPaged, "state_getKeys": n.keysAll, "state_call": n.stateCall,
		"author_submitExtrinsic": n.submit, "author_pendingExtrinsics": n.pending,
		"system_accountNextIndex": n.nonce, "account_nextIndex": n.nonce, "payment_queryInfo": payment,
		"system_chain":      said("Targon development"),
		"system_name":       said("targon"),
		"system_version":    said("1.0.0"),
		"system_chainType":  said("Development"),
		"system_properties": said(map[string]any{"ss58Format": 42, "tokenDecimals": 9, "tokenSymbol": "TAO"}),
		"system_health":     said(map[string]any{"peers": 0, "isSyncing": false, "shouldHavePeers": false}),
	}
	n.calls["rpc_methods"] = func(context.Context, params) (any, error) {
		return map[string]any{"methods": n.names()}, nil
	}
	return n
}

// Serve answers on a listener, over HTTP and websockets, until ctx ends. It closes the
// listener. Blocks are made by Chain.Run.
func (n *Node) Serve(ctx context.Context, l net.Listener) error { return jsonrpc.Serve(ctx, l, n) }

func said(v any) method { return func(context.Context, params) (any, error) { return v, nil } }

func (n *Node) names() []string {
	var out []string
	for name := range n.calls {
		out = append(out, name)
	}
	for name, s := range subscriptions() {
		out = append(out, name, s.end)
	}
	slices.Sort(out)
	return out
}

// Call answers one method.
func (n *Node) Call(ctx context.Context, name string, p []json.RawMessage) (any, error) {
	m, ok := n.calls[name]
	if !ok {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethod, Message: "Method not found"}
	}
	return m(ctx, p)
}

// params are a call's arguments.
type params []json.RawMessage

func badParams(err error) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeParams, Message: "Invalid params", Data: err.Error()}
}

// read decodes argument i; one that is absent or null leaves dst as it is.
func (p params) read(i int, dst any) error {
	if i >= len(p) || string(p[i]) == "null" {
		return nil
	}
	if err := json.Unmarshal(p[i], dst); err != nil {
		return badParams(fmt.Errorf("argument %d: %w", i, err))
	}
	return nil
}

// hexBytes are bytes as digits, after 0x or, as Bittensor's Python SDK sends arguments,
// without.
type hexBytes []byte

// UnmarshalText reads either form.
func (h *hexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(strings.TrimPrefix(string(text), "0x"))
	*h = b
	return err
}

func hexOf(b []byte) string { return "0x" + hex.EncodeToString(b) }

// at returns the block that argument i names, the newest where it names none.
func (n *Node) at(p params, i int) (*sealed, error) {
	var h hexBytes
	if err := p.read(i, &h); err != nil {
		return nil, err
	}
	if h != nil && len(h) != 32 {
		return nil, badParams(errors.New("a block hash has 32 bytes"))
	}
	var d targon.Digest
	copy(d[:], h)
	return n.chain.block(d)
}

// stateAt is at for blocks whose state is still there.
func (n *Node) stateAt(p params, i int) (*sealed, error) {
	b, err := n.at(p, i)
	if err == nil && b.snapshot == nil {
		err = errPruned
	}
	if errors.Is(err, errPruned) {
		return nil, &jsonrpc.Error{Code: 4003, Message: "Client error: UnknownBlock: State already discarded or unknown block"}
	}
	return b, err
}

func (n *Node) finalised(context.Context, params) (any, error) {
	h := n.chain.head()
	return hexOf(h.Hash[:]), nil
}

func (n *Node) blockHash(ctx context.Context, p params) (any, error) {
	if len(p) == 0 || string(p[0]) == "null" {
		return n.finalised(ctx, nil)
	}
	var list []json.RawMessage
	if json.Unmarshal(p[0], &list) != nil {
		return n.hashAt(p[0])
	}
	out := make([]any, len(list))
	for i, raw := range list {
		h, err := n.hashAt(raw)
		if err != nil {
			return nil, err
		}
		out[i] = h
	}
	return out, nil
}

// hashAt takes a number, or its hexadecimal text as polkadot-js sends it.
func (n *Node) hashAt(raw json.RawMessage) (any, error) {
	var number uint64
	if err := json.Unmarshal(raw, &number); err != nil {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return nil, badParams(err)
		}
		if _, err := fmt.Sscanf(text, "0x%x", &number); err != nil {
			return nil, badParams(err)
		}
	}
	h, there, _ := n.chain.at(targon.Block(number))
	if !there {
		return nil, nil
	}
	return hexOf(h.Hash[:]), nil
}

// headerJSON is a header as nodes show it.
func headerJSON(b *sealed) any {
	return map[string]any{
		"parentHash": hexOf(b.parent[:]), "number": fmt.Sprintf("%#x", uint64(b.number)), "stateRoot": hexOf(b.stateRoot[:]),
		"extrinsicsRoot": hexOf(b.extrinsicsRoot[:]), "digest": map[string]any{"logs": []string{}},
	}
}

func (n *Node) header(_ context.Context, p params) (any, error) {
	b, err := n.at(p, 0)
	if errors.Is(err, errPruned) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return headerJSON(b), nil
}

func (n *Node) block(_ context.Context, p params) (any, error) {
	b, err := n.at(p, 0)
	if errors.Is(err, errPruned) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	stamp, err := n.meta.EncodeCall("Timestamp", "set", record("now", n.chain.clock(b.number)))
	if err != nil {
		return nil, err
	}
	list := []string{hexOf(substrate.Inherent(stamp))}
	for _, x := range b.extrinsics {
		list = append(list, hexOf(x))
	}
	return map[string]any{"block": map[string]any{"header": headerJSON(b), "extrinsics": list}, "justifications": nil}, nil
}

// version is the runtime's. The hashed names are those of the runtime APIs that
// polkadot-js asks about: Core, Metadata, AccountNonceApi.
func version(context.Context, params) (any, error) {
	return map[string]any{
		"specName": "node-subtensor", "implName": "targon", "authoringVersion": 1, "specVersion": specVersion, "implVersion": 1,
		"apis":               [][2]any{{"0xdf6acb689907609b", 5}, {"0x37e397fc7c91f5e4", 1}, {"0xbc9d89904f5b923f", 1}},
		"transactionVersion": transactionVersion, "stateVersion": 1,
	}, nil
}

func (n *Node) storage(_ context.Context, p params) (any, error) {
	var key hexBytes
	if err := p.read(0, &key); err != nil {
		return nil, err
	}
	b, err := n.stateAt(p, 1)
	if err != nil {
		return nil, err
	}
	return orNull(b.read(n.chain, n.meta, string(key))), nil
}

func orNull(v []byte) any {
	if v == nil {
		return nil
	}
	return hexOf(v)
}

func (n *Node) query(_ context.Context, p params) (any, error) {
	var keys []hexBytes
	if err := p.read(0, &keys); err != nil {
		return nil, err
	}
	b, err := n.stateAt(p, 1)
	if err != nil {
		return nil, err
	}
	return []any{n.changes(b, keys)}, nil
}

// changes is a set of values at a block.
func (n *Node) changes(b *sealed, keys []hexBytes) any {
	own := b.own(n.chain, n.meta)
	pairs, _ := b.snapshot.storage(n.meta)
	list := make([][2]any, len(keys))
	for i, k := range keys {
		v, ok := own[string(k)]
		if !ok {
			v = pairs[string(k)]
		}
		list[i] = [2]any{hexOf(k), orNull(v)}
	}
	h := b.hash()
	return map[string]any{"block": hexOf(h[:]), "changes": list}
}

const maxKeys = 1000

func (n *Node) keysPaged(_ context.Context, p params) (any, error) {
	count := 0
	var prefix, start hexBytes
	if err := errors.Join(p.read(0, &prefix), p.read(1, &count), p.read(2, &start)); err != nil {
		return nil, badParams(err)
	}
	if count > maxKeys {
		return nil, badParams(fmt.Errorf("at most %d keys", maxKeys))
	}
	return n.keys(p, 3, string(prefix), string(start), count)
}

func (n *Node) keysAll(_ context.Context, p params) (any, error) {
	var prefix hexBytes
	if err := p.read(0, &prefix); err != nil {
		return nil, err
	}
	return n.keys(p, 1, string(prefix), "", 1<<30)
}

func (n *Node) keys(p params, at int, prefix, start string, count int) (any, error) {
	b, err := n.stateAt(p, at)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, k := range b.page(n.chain, n.meta, prefix, start, count) {
		out = append(out, hexOf([]byte(k)))
	}
	return out, nil
}

func (n *Node) stateCall(_ context.Context, p params) (any, error) {
	var function string
	var args hexBytes
	if err := errors.Join(p.read(0, &function), p.read(1, &args)); err != nil {
		return nil, badParams(err)
	}
	b, err := n.stateAt(p, 2)
	if err != nil {
		return nil, err
	}
	out, err := n.stateOf(b, function, args)
	if err != nil {
		return nil, &jsonrpc.Error{Code: 4003, Message: "Client error: " + err.Error()}
	}
	return hexOf(out), nil
}

func (n *Node) submit(_ context.Context, p params) (any, error) {
	var raw hexBytes
	if err := p.read(0, &raw); err != nil {
		return nil, err
	}
	if err := n.accept(raw); err != nil {
		return nil, err
	}
	h := substrate.Hash(raw)
	return hexOf(h[:]), nil
}

func (n *Node) accept(raw []byte) error {
	err := n.chain.accept(n.meta, raw)
	if e, ok := errors.AsType[*invalid](err); ok {
		out := &jsonrpc.Error{Code: e.code, Message: e.message}
		if e.data != "" {
			out.Data = e.data
		}
		return out
	}
	return err
}

func (n *Node) pending(context.Context, params) (any, error) {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	out := []string{}
	for _, t := range n.chain.pool {
		if t.call.raw != nil {
			out = append(out, hexOf(t.call.raw))
		}
	}
	return out, nil
}

func (n *Node) nonce(_ context.Context, p params) (any, error) {
	var who targon.Hotkey
	if err := p.read(0, &who); err != nil {
		return nil, err
	}
	return n.chain.nonce(who), nil
}

// payment says that calls are free here.
func payment(context.Context, params) (any, error) {
	return map[string]any{"weight": map[string]any{"ref_time": 0, "proof_size": 0}, "class": "normal", "partialFee": "0"}, nil
}
