package local_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"targon"
	"targon/chain/chaintest"
	"targon/chain/local"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/sign"
)

// serve runs a chain behind a loopback socket until the test ends.
func serve(t testing.TB, config local.Config) (*local.Chain, string) {
	t.Helper()
	c, err := local.New(config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- c.Run(ctx) }()
	go func() { done <- local.NewNode(c).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return c, "ws://" + l.Addr().String()
}

func connect(t testing.TB, endpoint string) *rpc.Client {
	t.Helper()
	c, err := rpc.Start(rpc.Config{Endpoints: []string{endpoint}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// owner is a client whose key is its own coldkey.
type owner struct {
	*subtensor.Client
	key *sign.Key
}

func (o owner) Register(ctx context.Context) error {
	_, err := o.Client.Register(ctx, o.key, o.key.Hotkey())
	return err
}

// TestSocket holds the chain to the suite as Subtensor's client sees it.
func TestSocket(t *testing.T) {
	chaintest.Run(t, func(t testing.TB) chaintest.Net {
		keys := []*sign.Key{key(t, 1), key(t, 2), key(t, 3)}
		c, endpoint := serve(t, local.Config{
			NetUID: 4, Tempo: 19, BlockTime: 5 * time.Millisecond,
			Accounts: []local.Account{
				{Hotkey: keys[0].Hotkey(), Stake: 1e12, Register: true},
				{Hotkey: keys[1].Hotkey(), Balance: 1e9},
				{Hotkey: keys[2].Hotkey(), Balance: 1e9},
			},
			Rules: local.Rules{Burn: 1e8},
		})
		account := func(i int) chaintest.Account {
			return chaintest.Account{Client: owner{subtensor.New(connect(t, endpoint), 4, keys[i]), keys[i]}, Hotkey: keys[i].Hotkey()}
		}
		return chaintest.Net{Verifier: account(0), Provers: [2]chaintest.Account{account(1), account(2)}, Tempo: c.Tempo()}
	})
}

// TestLife goes through what a prover and a verifier do on the chain, with coldkeys.
func TestLife(t *testing.T) {
	cold, hot, verifier := key(t, 1), key(t, 2), key(t, 3)
	_, endpoint := serve(t, local.Config{
		NetUID: 4, Tempo: 9, BlockTime: 5 * time.Millisecond,
		Accounts: []local.Account{{Hotkey: cold.Hotkey(), Balance: 10e9}},
		Rules:    local.Rules{PayStake: true, PublicAxons: true, Burn: 1e8},
	})
	ctx, node := t.Context(), connect(t, endpoint)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	a, b := subtensor.New(node, 4, hot), subtensor.New(node, 4, verifier)
	in, err := a.Register(ctx, cold, hot.Hotkey())
	must(err)
	if len(in.Events) < 2 || !in.Events[0].Is("SubtensorModule", "NeuronRegistered") {
		t.Errorf("events of a registration: %v", in.Events)
	}
	_, err = b.Register(ctx, cold, verifier.Hotkey())
	must(err)
	if _, err = b.Register(ctx, cold, verifier.Hotkey()); !errors.Is(err, subtensor.Refusal("HotKeyAlreadyRegisteredInSubNet")) {
		t.Errorf("registered twice: %v", err)
	}
	_, err = b.AddStake(ctx, cold, verifier.Hotkey(), 5e9)
	must(err)
	_, err = b.RemoveStake(ctx, cold, verifier.Hotkey(), 1e9)
	must(err)
	if _, err = b.AddStake(ctx, cold, verifier.Hotkey(), 1); !errors.Is(err, subtensor.Refusal("StakeAmountTooLow")) {
		t.Errorf("a stake of 1 rao: %v", err)
	}
	if err := a.ServeAxon(ctx, netip.MustParseAddrPort("127.0.0.1:1")); !errors.Is(err, subtensor.InvalidIPAddress) {
		t.Errorf("a loopback axon: %v", err)
	}
	axon := netip.MustParseAddrPort("[2001:db8::7]:8091")
	must(a.ServeAxon(ctx, axon))
	if err := a.SetWeights(ctx, targon.Weights{{UID: 1, Value: 65535}}); !errors.Is(err, subtensor.NeuronNoValidatorPermit) {
		t.Errorf("weights without a permit: %v", err)
	}
	must(b.SetWeights(ctx, targon.Weights{{UID: 0, Value: 65535}}))
	_, err = a.Transfer(ctx, cold, hot.Hotkey(), 1e9)
	must(err)
	if got, err := a.Balance(ctx, hot.Hotkey()); err != nil || got != 1e9 {
		t.Errorf("the prover has %d, %v", got, err)
	}
	if got, err := a.Balance(ctx, cold.Hotkey()); err != nil || got != 10e9-2e8-4e9-1e9 {
		t.Errorf("the coldkey has %d, %v", got, err)
	}
	for h, err := range a.Blocks(ctx) {
		must(err)
		m, err := a.Metagraph(ctx)
		must(err)
		if n, _ := m.ByUID(0); n.Incentive > 0 {
			if n.Incentive != 65535 || n.Emission == 0 || n.Stake == 0 || n.Coldkey != cold.Hotkey() || n.Axon != axon {
				t.Errorf("paid at block %d: %+v", h.Number, n)
			}
			break
		}
	}
	hyper, err := a.Hyperparameters(ctx)
	if must(err); hyper.Tempo != 9 || hyper.Kappa != 32767 || hyper.Burn != 1e8 {
		t.Errorf("hyperparameters %+v", hyper)
	}
}

// TestCommitReveal sets weights where the subnet wants them committed first.
func TestCommitReveal(t *testing.T) {
	verifier := key(t, 1)
	_, endpoint := serve(t, local.Config{
		NetUID: 4, Tempo: 19, BlockTime: 5 * time.Millisecond,
		Accounts: []local.Account{{Hotkey: verifier.Hotkey(), Stake: 1e12, Register: true}, {Hotkey: targon.Hotkey{2}, Register: true}},
		Rules:    local.Rules{CommitReveal: true, RateLimit: 1},
	})
	client := subtensor.New(connect(t, endpoint), 4, verifier)
	if err := client.SetWeights(t.Context(), targon.Weights{{UID: 1, Value: 65535}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Reveal(t.Context(), subtensor.Commitment{Account: verifier.Hotkey(), NetUID: 4, UIDs: []uint16{1}, Values: []uint16{1}}); !errors.Is(err, subtensor.Refusal("NoWeightsCommitFound")) {
		t.Errorf("revealed what was never committed: %v", err)
	}
}

// TestPool: what the pool refuses, it refuses as a Subtensor node does.
func TestPool(t *testing.T) {
	alice := key(t, 1)
	_, endpoint := serve(t, local.Config{BlockTime: time.Hour, Accounts: []local.Account{{Hotkey: alice.Hotkey(), Balance: 1e9}}})
	node := connect(t, endpoint)
	head, err := node.Finalised(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rt, err := node.Runtime(t.Context(), head.Hash)
	if err != nil {
		t.Fatal(err)
	}
	remark, err := rt.Metadata.EncodeCall("System", "remark", substrate.Record{{Name: "remark", Value: []byte{1}}})
	if err != nil {
		t.Fatal(err)
	}
	submit := func(change func(*substrate.Terms)) string {
		terms := substrate.Terms{Spec: rt.Spec, Transaction: rt.Transaction, Genesis: head.Hash, Start: head.Hash, Era: substrate.Mortal(64, 0)}
		change(&terms)
		raw, err := rt.Metadata.SignExtrinsic(alice, remark, terms)
		if err != nil {
			t.Fatal(err)
		}
		var name rpc.Hex
		err = node.Write(t.Context(), &name, "author_submitExtrinsic", rpc.Hex(raw))
		if e, ok := errors.AsType[*rpc.Error](err); ok {
			return substrate.ParsePoolError(e.Code, e.Message, e.Text()).Name
		}
		if err != nil {
			t.Error(err)
		}
		return ""
	}
	for _, c := range []struct {
		want   string
		change func(*substrate.Terms)
	}{
		{"BadProof", func(t *substrate.Terms) { t.Spec++ }},
		{"BadProof", func(t *substrate.Terms) { t.Genesis[0]++ }},
		{"BadProof", func(t *substrate.Terms) { t.Start[0]++ }},
		{"Future", func(t *substrate.Terms) { t.Nonce = 1 }},
		{"", func(*substrate.Terms) {}},
		{"TooLowPriority", func(*substrate.Terms) {}},
		{"", func(t *substrate.Terms) { t.Nonce, t.Era = 1, substrate.Era{} }},
	} {
		if got := submit(c.change); got != c.want {
			t.Errorf("pool says %q, want %q", got, c.want)
		}
	}
	if n, err := node.Nonce(t.Context(), alice.Hotkey()); err != nil || n != 2 {
		t.Errorf("next nonce %d, %v", n, err)
	}
}
