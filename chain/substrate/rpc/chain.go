package rpc

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"targon"
	"targon/chain/substrate"
)

// Hex is bytes as JSON-RPC shows them: "0x" and lower-case digits.
type Hex []byte

// MarshalText returns the 0x form.
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// String returns the 0x form.
func (h Hex) String() string { return "0x" + hex.EncodeToString(h) }

// UnmarshalText reads the 0x form.
func (h *Hex) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), "0x")
	if !ok {
		return fmt.Errorf("bytes %.20q do not begin with 0x", text)
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return fmt.Errorf("bytes %.20q: %w", text, err)
	}
	*h = b
	return nil
}

func parseDigest(s string) (targon.Digest, error) {
	var h Hex
	if err := h.UnmarshalText([]byte(s)); err != nil || len(h) != 32 {
		return targon.Digest{}, fmt.Errorf("%w: hash %.80q", ErrReply, s)
	}
	return targon.Digest(h), nil
}

func hash(d targon.Digest) Hex { return d[:] }

// header is a block's header as nodes show it; hashes of other fields are of no use
// here.
type header struct {
	Parent string `json:"parentHash"`
	Number string `json:"number"`
}

func (h header) number() (targon.Block, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(h.Number, "0x"), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: block number %.40q", ErrReply, h.Number)
	}
	return targon.Block(n), nil
}

// Hash returns the hash of a block by its height; false if the node has none.
func (c *Client) Hash(ctx context.Context, b targon.Block) (targon.Digest, bool, error) {
	var text string
	if err := c.Read(ctx, &text, "chain_getBlockHash", uint64(b)); err != nil || text == "" {
		return targon.Digest{}, false, err
	}
	d, err := parseDigest(text)
	return d, err == nil, err
}

// Finalised returns the newest finalised block.
func (c *Client) Finalised(ctx context.Context) (targon.Header, error) {
	var text string
	if err := c.Read(ctx, &text, "chain_getFinalizedHead"); err != nil {
		return targon.Header{}, err
	}
	d, err := parseDigest(text)
	if err != nil {
		return targon.Header{}, err
	}
	h, _, err := c.header(ctx, d)
	return h, err
}

// header returns a block's height and its parent's hash.
func (c *Client) header(ctx context.Context, at targon.Digest) (targon.Header, targon.Digest, error) {
	var h header
	if err := c.Read(ctx, &h, "chain_getHeader", hash(at)); err != nil {
		return targon.Header{}, targon.Digest{}, err
	}
	n, err := h.number()
	if err != nil {
		return targon.Header{}, targon.Digest{}, err
	}
	parent, err := parseDigest(h.Parent)
	return targon.Header{Number: n, Hash: at}, parent, err
}

// Extrinsics returns what a block contains.
func (c *Client) Extrinsics(ctx context.Context, at targon.Digest) ([][]byte, error) {
	var out struct {
		Block *struct {
			Extrinsics []Hex `json:"extrinsics"`
		} `json:"block"`
	}
	if err := c.Read(ctx, &out, "chain_getBlock", hash(at)); err != nil {
		return nil, err
	}
	if out.Block == nil { // an empty list would say that nothing was included
		return nil, fmt.Errorf("%w: block %s is not there", ErrReply, at)
	}
	list := make([][]byte, len(out.Block.Extrinsics))
	for i, x := range out.Block.Extrinsics {
		list[i] = x
	}
	return list, nil
}

// Storage returns what lies under a key at a block; nil where nothing is.
func (c *Client) Storage(ctx context.Context, key []byte, at targon.Digest) ([]byte, error) {
	var out *Hex
	if err := c.Read(ctx, &out, "state_getStorage", Hex(key), hash(at)); err != nil || out == nil {
		return nil, err
	}
	return append([]byte{}, *out...), nil
}

// batch bounds how many keys one request names.
const batch = 512

// StorageMany returns what lies under each key at a block, in their order.
func (c *Client) StorageMany(ctx context.Context, keys [][]byte, at targon.Digest) ([][]byte, error) {
	out := make([][]byte, 0, len(keys))
	for len(keys) > 0 {
		part := keys[:min(batch, len(keys))]
		keys = keys[len(part):]
		names := make([]Hex, len(part))
		for i, k := range part {
			names[i] = k
		}
		var sets []struct {
			Changes [][2]*Hex `json:"changes"`
		}
		if err := c.Read(ctx, &sets, "state_queryStorageAt", names, hash(at)); err != nil {
			return nil, err
		}
		found := map[string][]byte{}
		for _, s := range sets {
			for _, kv := range s.Changes {
				switch {
				case kv[0] == nil:
				case kv[1] == nil:
					found[string(*kv[0])] = nil
				default:
					found[string(*kv[0])] = append([]byte{}, *kv[1]...)
				}
			}
		}
		for _, k := range part {
			v, said := found[string(k)]
			if !said {
				return nil, fmt.Errorf("%w: nothing about key %x", ErrReply, k)
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// Keys returns all keys under a prefix at a block, in the chain's order. More than
// limit of them is an error.
func (c *Client) Keys(ctx context.Context, prefix []byte, at targon.Digest, limit int) ([][]byte, error) {
	var out [][]byte
	var from any
	for {
		var page []Hex
		if err := c.Read(ctx, &page, "state_getKeysPaged", Hex(prefix), batch, from, hash(at)); err != nil {
			return nil, err
		}
		for _, k := range page {
			if len(out) > 0 && string(out[len(out)-1]) >= string(k) {
				return nil, fmt.Errorf("%w: keys under %x are out of order", ErrReply, prefix)
			}
			if !strings.HasPrefix(string(k), string(prefix)) {
				return nil, fmt.Errorf("%w: a key that is not under %x", ErrReply, prefix)
			}
			out = append(out, k)
		}
		if len(out) > limit {
			return nil, fmt.Errorf("%w: more than %d keys under %x", ErrTooLarge, limit, prefix)
		}
		if len(page) < batch {
			return out, nil
		}
		from = page[len(page)-1]
	}
}

// StateCall calls a function of the runtime at a block.
func (c *Client) StateCall(ctx context.Context, function string, args []byte, at targon.Digest) ([]byte, error) {
	var out Hex
	if err := c.Read(ctx, &out, "state_call", function, Hex(args), hash(at)); err != nil {
		return nil, err
	}
	return out, nil
}

// Nonce returns the number that an account's next extrinsic bears, those that wait in
// the pool counted.
func (c *Client) Nonce(ctx context.Context, account targon.Hotkey) (uint64, error) {
	var n *uint64
	if err := c.Read(ctx, &n, "system_accountNextIndex", account.String()); err != nil {
		return 0, err
	}
	if n == nil {
		return 0, fmt.Errorf("%w: no nonce", ErrReply)
	}
	return *n, nil
}

// Runtime is the code of a chain at a block: its versions and its metadata.
type Runtime struct {
	Spec, Transaction uint32
	Metadata          *substrate.Metadata
}

// runtimesKept is how many runtimes are remembered: the one before and the one after
// an upgrade.
const runtimesKept = 2

// Runtime returns the runtime that is in force at a block. Metadata is fetched when
// the versions are new, so that an upgrade in the middle of a run is noticed by the
// first call that it concerns.
func (c *Client) Runtime(ctx context.Context, at targon.Digest) (*Runtime, error) {
	var v struct {
		Spec        *uint32 `json:"specVersion"`
		Transaction *uint32 `json:"transactionVersion"`
	}
	if err := c.Read(ctx, &v, "state_getRuntimeVersion", hash(at)); err != nil {
		return nil, err
	}
	if v.Spec == nil || v.Transaction == nil {
		return nil, fmt.Errorf("%w: a runtime without versions", ErrReply)
	}
	if r := c.known(*v.Spec, *v.Transaction); r != nil {
		return r, nil
	}
	var raw Hex
	if err := c.Read(ctx, &raw, "state_getMetadata", hash(at)); err != nil {
		return nil, err
	}
	m, err := substrate.ParseMetadata(raw)
	if err != nil {
		return nil, fmt.Errorf("runtime %d: %w", *v.Spec, err)
	}
	r := &Runtime{*v.Spec, *v.Transaction, m}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, known := range c.runtimes { // another caller was faster
		if known.Spec == r.Spec && known.Transaction == r.Transaction {
			return known, nil
		}
	}
	c.runtimes = append(c.runtimes, r)
	if len(c.runtimes) > runtimesKept {
		c.runtimes = c.runtimes[1:]
	}
	c.c.Log.InfoContext(ctx, "chain runtime read", "spec", r.Spec, "transaction", r.Transaction)
	return r, nil
}

func (c *Client) known(spec, transaction uint32) *Runtime {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.runtimes {
		if r.Spec == spec && r.Transaction == transaction {
			return r
		}
	}
	return nil
}

// parseHead reads a header out of a notification.
func parseHead(raw json.RawMessage) (targon.Block, error) {
	var h header
	if err := decode(raw, &h); err != nil {
		return 0, err
	}
	return h.number()
}
