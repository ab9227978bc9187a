package rpc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"targon"
	"targon/chain/chainvectors"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/scale"
	"targon/sign"
)

// take reads heads until it has n or an error.
func take(t *testing.T, c *rpc.Client, from targon.Header, n int, each func(targon.Header)) ([]targon.Block, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out []targon.Block
	for h, err := range c.Heads(ctx, from) {
		if err != nil {
			return out, err
		}
		out = append(out, h.Number)
		if len(out) == n {
			return out, nil
		}
		if each != nil {
			each(h)
		}
	}
	return out, errors.New("heads ended")
}

func upTo(from, to targon.Block) []targon.Block {
	var out []targon.Block
	for b := from; b <= to; b++ {
		out = append(out, b)
	}
	return out
}

// TestHeads: each block once and in order, though connections break and blocks come
// in bunches.
func TestHeads(t *testing.T) {
	c := newChain(5)
	first, second := serve(t, c), serve(t, c)
	cl := start(t, to(first, second))
	got, err := take(t, cl, targon.Header{}, 30, func(h targon.Header) {
		if h.Number%7 == 0 {
			first.cut()
			second.cut()
		}
		if int(h.Number) >= len(c.blocks)-1 {
			c.grow(4)
			first.notify()
			second.notify()
		}
	})
	if err != nil || !slices.Equal(got, upTo(4, 33)) {
		t.Errorf("blocks %v (%v), want 4 to 33", got, err)
	}
	// Someone who knows a block goes on after it.
	got, err = take(t, cl, targon.Header{Number: 2, Hash: c.hash(2)}, 3, nil)
	if err != nil || !slices.Equal(got, upTo(3, 5)) {
		t.Errorf("blocks %v (%v), want 3 to 5", got, err)
	}
}

// TestLeaving: a reader who goes away ends his subscription and leaves the connection
// to the others.
func TestLeaving(t *testing.T) {
	c := newChain(5)
	n := serve(t, c)
	cl := start(t, to(n))
	for range 3 {
		if _, err := take(t, cl, targon.Header{}, 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range cl.Heads(ctx, targon.Header{}) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		cancel()
	}
	if _, err := cl.Finalised(t.Context()); err != nil {
		t.Fatal(err)
	}
	subscribed, ended := n.count("chain_subscribeFinalizedHeads"), n.count("chain_unsubscribeFinalizedHeads")
	if subscribed != 4 || ended != 4 || n.count("chain_getBlockHash") != 1+4 { // one genesis: one connection
		t.Errorf("%d subscriptions, %d ended, %d hashes asked for", subscribed, ended, n.count("chain_getBlockHash"))
	}
}

func TestHeadsFaults(t *testing.T) {
	honest := newChain(10)
	liar := func(salt byte) *chain {
		c := newChain(10)
		c.salt = salt
		return c
	}
	same := func(c *chain) func(string, []json.RawMessage) *answer { // hides a false chain behind our genesis
		return func(m string, p []json.RawMessage) *answer {
			if m == "chain_getBlockHash" && string(p[0]) == "0" {
				return &answer{result: hex32(honest.hash(0))}
			}
			return nil
		}
	}
	from := targon.Header{Number: 4, Hash: honest.hash(4)}
	for _, c := range []struct {
		name   string
		chains []*chain
		hook   func(string, []json.RawMessage) *answer // of the first
		want   error
	}{
		{"a node forks below what is final", []*chain{liar(1), honest}, nil, nil},
		{"all nodes do", []*chain{liar(1), liar(2)}, nil, rpc.ErrFork},
		{"a lagging node", []*chain{newChain(3), honest}, nil, nil},
		{"a block with another number", []*chain{newChain(10), honest}, func(m string, _ []json.RawMessage) *answer {
			if m == "chain_getHeader" {
				return &answer{result: map[string]any{"parentHash": hex32(honest.hash(4)), "number": "0x7"}}
			}
			return nil
		}, nil},
		{"a number that is none", []*chain{newChain(10), honest}, func(m string, _ []json.RawMessage) *answer {
			if m == "chain_getHeader" {
				return &answer{result: map[string]any{"parentHash": hex32(honest.hash(4)), "number": "five"}}
			}
			return nil
		}, nil},
		{"a header that is missing", []*chain{newChain(10), honest}, func(m string, _ []json.RawMessage) *answer {
			if m == "chain_getHeader" {
				return &answer{}
			}
			return nil
		}, nil},
		{"a subscription refused", []*chain{newChain(10), honest}, func(m string, _ []json.RawMessage) *answer {
			if m == "chain_subscribeFinalizedHeads" {
				return &answer{refuse: &rpc.Error{Code: -32601, Message: "no"}}
			}
			return nil
		}, nil},
		{"a subscription never opened", []*chain{newChain(10), honest}, func(m string, _ []json.RawMessage) *answer {
			if m == "chain_subscribeFinalizedHeads" {
				return &answer{silent: true}
			}
			return nil
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var nodes []*node
			for i, ch := range c.chains {
				n := serve(t, ch)
				if ch.salt != 0 {
					n.set(same(ch))
				} else if i == 0 {
					n.set(c.hook)
				}
				nodes = append(nodes, n)
			}
			cfg := to(nodes...)
			cfg.Stall, cfg.Answer = 300*time.Millisecond, 200*time.Millisecond
			got, err := take(t, start(t, cfg), from, 5, nil)
			if !errors.Is(err, c.want) || err == nil && !slices.Equal(got, upTo(5, 9)) {
				t.Errorf("blocks %v (%v), want 5 to 9 (%v)", got, err, c.want)
			}
		})
	}
}

func metadata(t testing.TB) []byte {
	t.Helper()
	f, err := os.Open(chainvectors.Default(t, "metadata-293.scale.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestUpgrade: the runtime changes in the middle of a run; metadata is read again,
// once, and the old one is still known for old blocks.
func TestUpgrade(t *testing.T) {
	c := newChain(10)
	c.metadata = metadata(t)
	c.spec = func(block int) int {
		if block >= 6 {
			return 294
		}
		return 293
	}
	cl := start(t, to(serve(t, c)))
	for _, step := range []struct {
		block     int
		spec      uint32
		metadatas int
	}{{4, 293, 1}, {5, 293, 1}, {6, 294, 2}, {5, 293, 2}, {9, 294, 2}} {
		rt, err := cl.Runtime(t.Context(), c.hash(step.block))
		if err != nil {
			t.Fatal(err)
		}
		if rt.Spec != step.spec || c.metadatas != step.metadatas {
			t.Errorf("block %d: spec %d after %d fetches, want %d after %d", step.block, rt.Spec, c.metadatas, step.spec, step.metadatas)
		}
	}
	c.mu.Lock()
	c.metadata, c.spec = rpc.Hex("nonsense"), func(int) int { return 295 }
	c.mu.Unlock()
	if _, err := cl.Runtime(t.Context(), c.hash(1)); !errors.Is(err, substrate.ErrMetadata) {
		t.Errorf("metadata that is none: %v", err)
	}
}

// outcomes of System.Events for extrinsic 1 of a block: an inherent's success, then
// what is given.
func events(t *testing.T, m *substrate.Metadata, last substrate.Variant) rpc.Hex {
	t.Helper()
	info := substrate.Record{
		{Name: "weight", Value: substrate.Record{{Name: "ref_time", Value: 1}, {Name: "proof_size", Value: 2}}},
		{Name: "class", Value: "Normal"},
		{Name: "pays_fee", Value: "Yes"},
	}
	success := substrate.Variant{Name: "ExtrinsicSuccess", Value: substrate.Record{{Name: "dispatch_info", Value: info}}}
	if last.Name == "" {
		last = success
	} else {
		last = substrate.Variant{Name: "ExtrinsicFailed", Value: substrate.Record{{Name: "dispatch_error", Value: last}, {Name: "dispatch_info", Value: info}}}
	}
	record := func(n int, e substrate.Variant) substrate.Record {
		return substrate.Record{
			{Name: "phase", Value: substrate.Variant{Name: "ApplyExtrinsic", Value: n}},
			{Name: "event", Value: substrate.Variant{Name: "System", Value: e}},
			{Name: "topics", Value: []any{}},
		}
	}
	_, entry, err := m.Entry("System", "Events")
	if err != nil {
		t.Fatal(err)
	}
	w := &scale.Writer{}
	if err := m.Types.Encode(w, entry.Value, []any{record(0, success), record(1, last)}); err != nil {
		t.Fatal(err)
	}
	return w.Bytes()
}

// TestSend drives an extrinsic through everything that can become of it.
func TestSend(t *testing.T) {
	raw := metadata(t)
	m, err := substrate.ParseMetadata(raw)
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.FromSeed(targon.Secret{5})
	if err != nil {
		t.Fatal(err)
	}
	good := events(t, m, substrate.Variant{})
	bad := events(t, m, substrate.Variant{Name: "Module", Value: substrate.Record{{Name: "index", Value: 7}, {Name: "error", Value: []byte{54, 0, 0, 0}}}})
	include := func(e rpc.Hex) func(c *chain, raw rpc.Hex) answer {
		return func(c *chain, raw rpc.Hex) answer {
			c.events[c.add(rpc.Hex{0}, raw)] = e
			return answer{result: hex32(substrate.Hash(raw))}
		}
	}
	refuse := func(code int, data string) answer {
		return answer{refuse: &rpc.Error{Code: code, Message: "Invalid Transaction", Data: json.RawMessage(data)}}
	}
	for _, c := range []struct {
		name   string
		submit func(c *chain, raw rpc.Hex) answer
		sent   int // times that it was submitted
		check  func(in rpc.Inclusion, err error) bool
	}{
		{"included", include(good), 1, func(in rpc.Inclusion, err error) bool {
			return err == nil && in.Index == 1 && in.Block.Number > 9 && len(in.Events) == 1
		}},
		{"failed in its block", include(bad), 1, func(in rpc.Inclusion, err error) bool {
			e, ok := errors.AsType[*substrate.DispatchError](err)
			return ok && e.Error() == "SubtensorModule.CommitRevealEnabled" && in.Block.Number > 9
		}},
		{"refused by the pool", func(*chain, rpc.Hex) answer { return refuse(1010, `"Custom error: 6"`) }, 1, func(_ rpc.Inclusion, err error) bool {
			e, ok := errors.AsType[*substrate.PoolError](err)
			return ok && e.Custom == 6
		}},
		{"refused by the node", func(*chain, rpc.Hex) answer { return refuse(-32000, `null`) }, 1, func(_ rpc.Inclusion, err error) bool {
			_, ok := errors.AsType[*rpc.Error](err)
			return ok
		}},
		{"there already", func(c *chain, raw rpc.Hex) answer {
			include(good)(c, raw)
			return refuse(1013, `null`)
		}, 1, func(_ rpc.Inclusion, err error) bool { return err == nil }},
		{"taken, and the answer lost", func(c *chain, raw rpc.Hex) answer {
			if len(c.submitted) == 1 {
				include(good)(c, raw)
			}
			return answer{drop: true}
		}, 1, func(in rpc.Inclusion, err error) bool { return err == nil && in.Index == 1 }},
		{"lost, then taken", func(c *chain, raw rpc.Hex) answer {
			if len(c.submitted) == 1 {
				c.add()
				return answer{drop: true}
			}
			return include(good)(c, raw)
		}, 2, func(in rpc.Inclusion, err error) bool { return err == nil }},
		{"lost, then called stale", func(c *chain, raw rpc.Hex) answer {
			if len(c.submitted) == 1 {
				c.add()
				return answer{drop: true}
			}
			if len(c.submitted) == 2 {
				include(good)(c, raw)
			}
			return refuse(1010, `"Transaction is outdated"`)
		}, 2, func(in rpc.Inclusion, err error) bool { return err == nil }},
		{"never included", func(c *chain, _ rpc.Hex) answer {
			for range 64 {
				c.add()
			}
			return answer{result: hex32(targon.Digest{})}
		}, 8, func(_ rpc.Inclusion, err error) bool { return errors.Is(err, rpc.ErrExpired) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch := newChain(10)
			ch.metadata, ch.nonce = raw, 3
			n := serve(t, ch)
			ch.onSubmit = func(ch *chain, raw rpc.Hex) answer {
				go n.notify()
				return c.submit(ch, raw)
			}
			cfg := to(n)
			cl := start(t, cfg)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			in, err := cl.Send(ctx, key, func(m *substrate.Metadata) ([]byte, error) {
				return m.EncodeCall("System", "remark", substrate.Record{{Name: "remark", Value: []byte{1}}})
			})
			ch.mu.Lock()
			defer ch.mu.Unlock()
			if !c.check(in, err) || len(ch.submitted) != c.sent {
				t.Errorf("%+v, %v after %d submissions, want %d", in, err, len(ch.submitted), c.sent)
			}
			for _, raw := range ch.submitted {
				if !bytes.Equal(raw, ch.submitted[0]) {
					t.Error("two different extrinsics were submitted")
				}
			}
			x, err := m.DecodeExtrinsic(ch.submitted[0])
			if err != nil {
				t.Fatal(err)
			}
			claim, err := m.Claim(x, substrate.Terms{Spec: 293, Transaction: 1, Genesis: ch.hash(0), Start: ch.hash(9)})
			if err != nil || sign.Verify(claim.Key, claim.Message, claim.Signature) != nil || x.Terms.Nonce != 3 || x.Terms.Era != substrate.Mortal(64, 9) {
				t.Errorf("extrinsic %+v (%v)", x, err)
			}
		})
	}
}

// TestSendUnknown: a caller who gives up is told that the outcome is open; whoever
// sends the same again joins it, and whoever sends something else does not.
func TestSendUnknown(t *testing.T) {
	ch := newChain(10)
	ch.metadata = metadata(t)
	arrived := make(chan struct{}, 9)
	ch.onSubmit = func(*chain, rpc.Hex) answer {
		arrived <- struct{}{}
		return answer{result: hex32(targon.Digest{})}
	}
	n := serve(t, ch)
	cl := start(t, to(n))
	m, err := substrate.ParseMetadata(ch.metadata)
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.FromSeed(targon.Secret{5})
	if err != nil {
		t.Fatal(err)
	}
	send := func(patient bool, remark byte) (rpc.Inclusion, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if !patient { // gives up when the node has it
			go func() {
				<-arrived
				cancel()
			}()
		}
		return cl.Send(ctx, key, func(m *substrate.Metadata) ([]byte, error) {
			return m.EncodeCall("System", "remark", substrate.Record{{Name: "remark", Value: []byte{remark}}})
		})
	}
	submitted := func() []rpc.Hex {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		return slices.Clone(ch.submitted)
	}
	if _, err := send(false, 1); !errors.Is(err, rpc.ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want ErrUnknown and Canceled", err)
	}
	ch.mu.Lock() // while nobody waits it is included
	ch.events[ch.add(rpc.Hex{0}, ch.submitted[0])] = events(t, m, substrate.Variant{})
	ch.mu.Unlock()
	ch.grow(5)
	in, err := send(true, 1)
	if err != nil || in.Block.Number != 10 || len(submitted()) != 1 {
		t.Errorf("%+v, %v after %d submissions, want block 10 after 1", in, err, len(submitted()))
	}
	// Now that its outcome is known, the same call is another one, as is a different call.
	if _, err := send(false, 1); !errors.Is(err, rpc.ErrUnknown) || len(submitted()) != 2 {
		t.Errorf("again: %v after %d submissions, want 2", err, len(submitted()))
	}
	if _, err := send(false, 2); !errors.Is(err, rpc.ErrUnknown) || len(submitted()) != 3 {
		t.Errorf("another: %v after %d submissions, want 3", err, len(submitted()))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cl.Send(ctx, key, nil); !errors.Is(err, context.Canceled) || len(submitted()) != 3 {
		t.Errorf("cancelled: %v after %d submissions", err, len(submitted()))
	}
}
