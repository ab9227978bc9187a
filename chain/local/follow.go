package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"targon"
	"targon/chain/local/jsonrpc"
	"targon/chain/substrate"
)

// subscription is a method that subscribes: the one that ends it, the name of what it
// sends, and what it does.
type subscription struct {
	end, sends string
	start      func(n *Node, p params) (jsonrpc.Stream, error)
}

func subscriptions() map[string]subscription {
	return map[string]subscription{
		"chain_subscribeFinalizedHeads":  {"chain_unsubscribeFinalizedHeads", "chain_finalizedHead", (*Node).heads},
		"chain_subscribeNewHeads":        {"chain_unsubscribeNewHeads", "chain_newHead", (*Node).heads},
		"chain_subscribeNewHead":         {"chain_unsubscribeNewHead", "chain_newHead", (*Node).heads},
		"chain_subscribeAllHeads":        {"chain_unsubscribeAllHeads", "chain_allHead", (*Node).heads},
		"state_subscribeRuntimeVersion":  {"state_unsubscribeRuntimeVersion", "state_runtimeVersion", (*Node).versions},
		"state_subscribeStorage":         {"state_unsubscribeStorage", "state_storage", (*Node).watchStorage},
		"author_submitAndWatchExtrinsic": {"author_unwatchExtrinsic", "author_extrinsicUpdate", (*Node).watchExtrinsic},
	}
}

// Subscribe starts a stream of notifications.
func (n *Node) Subscribe(name string, p []json.RawMessage) (string, jsonrpc.Stream, bool, error) {
	s, ok := subscriptions()[name]
	if !ok {
		return "", nil, false, nil
	}
	stream, err := s.start(n, p)
	return s.sends, stream, true, err
}

// Unsubscribes reports whether a method ends a subscription.
func (n *Node) Unsubscribes(name string) bool {
	for _, s := range subscriptions() {
		if s.end == name {
			return true
		}
	}
	return false
}

// each calls f for every block from a height on. Who is so slow that blocks are
// forgotten goes on with the newest.
func (n *Node) each(ctx context.Context, from targon.Block, f func(h targon.Header, b *sealed) error) error {
	for at := from; ; {
		h, there, grown := n.chain.at(at)
		if !there {
			select {
			case <-grown:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		b, err := n.chain.block(h.Hash)
		if errors.Is(err, errPruned) {
			at = n.chain.head().Number
			continue
		}
		if err != nil {
			return err
		}
		if err := f(h, b); err != nil {
			return err
		}
		at++
	}
}

func (n *Node) heads(params) (jsonrpc.Stream, error) {
	return func(ctx context.Context, send func(any) error) error {
		return n.each(ctx, n.chain.head().Number, func(_ targon.Header, b *sealed) error { return send(headerJSON(b)) })
	}, nil
}

// versions says the one version that there is.
func (n *Node) versions(params) (jsonrpc.Stream, error) {
	return func(ctx context.Context, send func(any) error) error {
		v, err := version(ctx, nil)
		if err != nil {
			return err
		}
		return send(v)
	}, nil
}

// watchStorage sends the values under some keys, and again those that changed.
func (n *Node) watchStorage(p params) (jsonrpc.Stream, error) {
	var keys []hexBytes
	if err := p.read(0, &keys); err != nil {
		return nil, err
	}
	return func(ctx context.Context, send func(any) error) error {
		last := map[string][]byte{}
		first := true
		return n.each(ctx, n.chain.head().Number, func(_ targon.Header, b *sealed) error {
			if b.snapshot == nil {
				return nil
			}
			var changed []hexBytes
			for _, k := range keys {
				v := b.read(n.chain, n.meta, string(k))
				if first || !bytes.Equal(v, last[string(k)]) {
					changed = append(changed, k)
				}
				last[string(k)] = v
			}
			first = false
			if len(changed) == 0 {
				return nil
			}
			return send(n.changes(b, changed))
		})
	}, nil
}

var errDone = errors.New("nothing more to say")

// watchExtrinsic submits an extrinsic and says what becomes of it.
func (n *Node) watchExtrinsic(p params) (jsonrpc.Stream, error) {
	var raw hexBytes
	if err := p.read(0, &raw); err != nil {
		return nil, err
	}
	from := n.chain.head().Number
	if err := n.accept(raw); err != nil {
		return nil, err
	}
	return func(ctx context.Context, send func(any) error) error {
		if err := send("ready"); err != nil {
			return err
		}
		err := n.each(ctx, from, func(h targon.Header, b *sealed) error {
			if !slices.ContainsFunc(b.extrinsics, func(x []byte) bool { return substrate.Hash(x) == substrate.Hash(raw) }) {
				return nil
			}
			if err := send(map[string]any{"inBlock": hexOf(h.Hash[:])}); err != nil {
				return err
			}
			if err := send(map[string]any{"finalized": hexOf(h.Hash[:])}); err != nil {
				return err
			}
			return errDone
		})
		if errors.Is(err, errDone) {
			return nil
		}
		return err
	}, nil
}
