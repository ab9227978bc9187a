package subtensor

import (
	"context"
	"fmt"
	"math/big"
	"net/netip"

	"golang.org/x/crypto/blake2b"

	"targon"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/scale"
)

// axonVersion is what an axon says of its software: that of Bittensor's SDK whose
// protocol we speak, 10.2.0, as its numbers have it.
const axonVersion = 10_002_000

// axonProtocol is what Bittensor's SDK sends; nothing reads it.
const axonProtocol = 4

// arg is one argument of a call.
func arg(name string, v any) substrate.Named { return substrate.Named{Name: name, Value: v} }

// ServeAxon tells the chain where the hotkey serves. The chain refuses loopback
// addresses, port 0, and more than one change in ServingRateLimit blocks. It is
// signed by the hotkey.
func (c *Client) ServeAxon(ctx context.Context, axon netip.AddrPort) error {
	_, err := c.send(ctx, c.key, "serve_axon", serveArgs(c.netuid, axon))
	return err
}

func serveArgs(netuid targon.NetUID, axon netip.AddrPort) substrate.Record {
	ip, kind := axon.Addr().Unmap(), 4
	if ip.Is6() {
		kind = 6
	}
	return substrate.Record{
		arg("netuid", netuid), arg("version", axonVersion), arg("ip", new(big.Int).SetBytes(ip.AsSlice())), arg("port", axon.Port()),
		arg("ip_type", kind), arg("protocol", axonProtocol), arg("placeholder1", 0), arg("placeholder2", 0),
	}
}

// Register gives a hotkey a slot on the subnet; the coldkey pays. It returns the block
// in which the hotkey was a neuron. A hotkey that has a slot is not registered
// again.
func (c *Client) Register(ctx context.Context, coldkey substrate.Signer, hotkey targon.Hotkey) (rpc.Inclusion, error) {
	return c.send(ctx, coldkey, "burned_register", substrate.Record{arg("netuid", c.netuid), arg("hotkey", hotkey)})
}

// AddStake puts a coldkey's TAO behind a hotkey of the subnet.
func (c *Client) AddStake(ctx context.Context, coldkey substrate.Signer, hotkey targon.Hotkey, amount targon.Rao) (rpc.Inclusion, error) {
	return c.send(ctx, coldkey, "add_stake", substrate.Record{arg("hotkey", hotkey), arg("netuid", c.netuid), arg("amount_staked", amount)})
}

// RemoveStake takes alpha away from behind a hotkey of the subnet.
func (c *Client) RemoveStake(ctx context.Context, coldkey substrate.Signer, hotkey targon.Hotkey, amount targon.Rao) (rpc.Inclusion, error) {
	return c.send(ctx, coldkey, "remove_stake", substrate.Record{arg("hotkey", hotkey), arg("netuid", c.netuid), arg("amount_unstaked", amount)})
}

// Transfer sends TAO from a coldkey to another, unless that would leave the sender
// with less than the chain keeps accounts for.
func (c *Client) Transfer(ctx context.Context, coldkey substrate.Signer, to targon.Hotkey, amount targon.Rao) (rpc.Inclusion, error) {
	return c.sendTo(ctx, coldkey, "Balances", "transfer_keep_alive", substrate.Record{
		arg("dest", substrate.Variant{Name: "Id", Value: to}), arg("value", amount),
	})
}

// Balance returns what an account owns beside its stake.
func (c *Client) Balance(ctx context.Context, account targon.Hotkey) (targon.Rao, error) {
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return 0, err
	}
	rt, err := c.node.Runtime(ctx, head.Hash)
	if err != nil {
		return 0, err
	}
	key, err := rt.Metadata.StorageKey("System", "Account", account)
	if err != nil {
		return 0, err
	}
	raw, err := c.node.StorageMany(ctx, [][]byte{key}, head.Hash)
	if err != nil {
		return 0, err
	}
	v, err := rt.Metadata.StorageValue("System", "Account", raw[0])
	if err != nil {
		return 0, err
	}
	var info struct {
		Data struct {
			Free targon.Rao `chain:"free"`
		} `chain:"data"`
	}
	if err := substrate.Into(v, &info); err != nil {
		return 0, fmt.Errorf("balance of %s: %w", account, err)
	}
	return info.Data.Free, nil
}

// Commitment is what commit_weights hides and reveal_weights shows.
type Commitment struct {
	Account    targon.Hotkey
	NetUID     targon.NetUID
	UIDs       []uint16
	Values     []uint16
	Salt       []uint16
	VersionKey uint64
}

// Preimage returns the bytes that are hashed.
func (c Commitment) Preimage() []byte {
	w := &scale.Writer{}
	w.Raw(c.Account[:]...)
	w.U16(uint16(c.NetUID))
	for _, list := range [][]uint16{c.UIDs, c.Values, c.Salt} {
		scale.WriteVec(w, list, (*scale.Writer).U16)
	}
	w.U64(c.VersionKey)
	return w.Bytes()
}

// Hash returns what commit_weights sends.
func (c Commitment) Hash() targon.Digest { return blake2b.Sum256(c.Preimage()) }

// Commit sends the hash of weights. They are revealed in the epoch that follows by
// RevealPeriodEpochs, and only then.
func (c *Client) Commit(ctx context.Context, w Commitment) (rpc.Inclusion, error) {
	h := w.Hash()
	return c.send(ctx, c.key, "commit_weights", substrate.Record{arg("netuid", w.NetUID), arg("commit_hash", h[:])})
}

// Reveal shows weights that were committed.
func (c *Client) Reveal(ctx context.Context, w Commitment) (rpc.Inclusion, error) {
	return c.send(ctx, c.key, "reveal_weights", substrate.Record{
		arg("netuid", w.NetUID), arg("uids", w.UIDs), arg("values", w.Values), arg("salt", w.Salt), arg("version_key", w.VersionKey),
	})
}
