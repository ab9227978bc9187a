// Package subtensor is a client of Bittensor's chain: it registers, serves, stakes,
// sets weights and reads a subnet for one account.
//
// It knows what Subtensor's pallets mean; formats are package substrate's and the
// connection is rpc's, behind small interfaces. It loads no keys. It decides nothing
// about weights but whether the chain would take them. Its invariants: what it reads
// belongs to one finalised block; a call returns once its effect is final; and nothing
// is sent twice, whatever happens to connections, because an extrinsic is signed once
// and is dead before another is signed.
package subtensor

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"targon"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
)

// pallet is where everything of Bittensor lies.
const pallet = "SubtensorModule"

var (
	// ErrNetwork says that the chain has no such subnet.
	ErrNetwork = errors.New("no such subnet")
	// ErrNotRegistered says that the account is no neuron of the subnet.
	ErrNotRegistered = errors.New("hotkey is not registered on the subnet")
	// ErrReadBack says that the chain shows something else than was set.
	ErrReadBack = errors.New("chain shows other weights than were set")
	// ErrNoBlock says that the chain has no final block of that height yet.
	ErrNoBlock = errors.New("no such block")
)

// State reads the chain as it was at a block.
type State interface {
	Runtime(ctx context.Context, at targon.Digest) (*rpc.Runtime, error)
	StorageMany(ctx context.Context, keys [][]byte, at targon.Digest) ([][]byte, error)
	StateCall(ctx context.Context, function string, args []byte, at targon.Digest) ([]byte, error)
}

// Blocks names finalised blocks.
type Blocks interface {
	Finalised(ctx context.Context) (targon.Header, error)
	Hash(ctx context.Context, b targon.Block) (targon.Digest, bool, error)
	Heads(ctx context.Context, from targon.Header) iter.Seq2[targon.Header, error]
}

// Sender signs a call, submits it and waits until its block is final.
type Sender interface {
	Genesis(ctx context.Context) (targon.Digest, error)
	Send(ctx context.Context, key substrate.Signer, build rpc.Build) (rpc.Inclusion, error)
}

// Node is a connection to the chain; *rpc.Client is one.
type Node interface {
	State
	Blocks
	Sender
}

// Client sees one subnet with the eyes of one account.
type Client struct {
	node   Node
	key    substrate.Signer
	netuid targon.NetUID
	api    *API

	// VersionKey goes with weights; a chain refuses one below its own.
	VersionKey uint64
	// Pledges keeps the salt of committed weights until they are revealed. Nil keeps it
	// in memory, so that a restart loses it.
	Pledges Keeper
}

// New returns a client. A nil key can only read.
func New(node Node, netuid targon.NetUID, key substrate.Signer) *Client {
	return &Client{node: node, key: key, netuid: netuid, api: NewAPI()}
}

// Blocks yields the newest finalised block and then every later one, each once, in
// order, until ctx is done, whose error comes last.
func (c *Client) Blocks(ctx context.Context) iter.Seq2[targon.Header, error] {
	return c.node.Heads(ctx, targon.Header{})
}

// Head returns the newest finalised block.
func (c *Client) Head(ctx context.Context) (targon.Header, error) { return c.node.Finalised(ctx) }

// BlockHash returns the hash of a finalised block, or ErrNoBlock.
func (c *Client) BlockHash(ctx context.Context, b targon.Block) (targon.Digest, error) {
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return targon.Digest{}, err
	}
	if b > head.Number {
		return targon.Digest{}, fmt.Errorf("block %d: %w: the newest is %d", b, ErrNoBlock, head.Number)
	}
	d, ok, err := c.node.Hash(ctx, b)
	if err == nil && !ok {
		err = fmt.Errorf("block %d: %w", b, ErrNoBlock)
	}
	return d, err
}

// Call returns a decoded runtime API result at a block.
func (c *Client) call(ctx context.Context, at targon.Digest, function string, args substrate.Record) (any, error) {
	raw, err := c.api.EncodeArgs(function, args)
	if err != nil {
		return nil, err
	}
	out, err := c.node.StateCall(ctx, function, raw, at)
	if err != nil {
		return nil, err
	}
	return c.api.DecodeResult(function, out)
}

// item names one storage value.
type item struct {
	entry string
	keys  []any
}

// read returns decoded storage values of Bittensor's pallet at a block, nil for those
// that the runtime does not have or that are absent without a default.
func (c *Client) read(ctx context.Context, at targon.Digest, items ...item) ([]any, error) {
	rt, err := c.node.Runtime(ctx, at)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	var places []int
	for i, it := range items {
		key, err := rt.Metadata.StorageKey(pallet, it.entry, it.keys...)
		if errors.Is(err, substrate.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		keys, places = append(keys, key), append(places, i)
	}
	values, err := c.node.StorageMany(ctx, keys, at)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, raw := range values {
		if out[places[i]], err = rt.Metadata.StorageValue(pallet, items[places[i]].entry, raw); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// send submits a call of Bittensor's pallet.
func (c *Client) send(ctx context.Context, key substrate.Signer, name string, args substrate.Record) (rpc.Inclusion, error) {
	return c.sendTo(ctx, key, pallet, name, args)
}

func (c *Client) sendTo(ctx context.Context, key substrate.Signer, module, name string, args substrate.Record) (rpc.Inclusion, error) {
	if key == nil {
		return rpc.Inclusion{}, fmt.Errorf("%s: no key to sign with", name)
	}
	in, err := c.node.Send(ctx, key, func(m *substrate.Metadata) ([]byte, error) {
		return m.EncodeCall(module, name, args)
	})
	if err != nil {
		return in, fmt.Errorf("%s: %w", name, named(err))
	}
	return in, nil
}
