// Package chaintest says what roles may rely on from every chain client, as tests.
//
// It drives a chain that makes blocks by itself and does not look at what only one
// implementation has: names of refusals, costs, how pay is split.
package chaintest

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"targon"
)

// Reader sees the chain's final blocks and the subnet.
type Reader interface {
	// Blocks yields a recent final block and then every later one, each once, in
	// order, until ctx is done, whose error comes last.
	Blocks(ctx context.Context) iter.Seq2[targon.Header, error]
	// BlockHash returns the hash of a final block.
	BlockHash(ctx context.Context, n targon.Block) (targon.Digest, error)
	// Metagraph returns the subnet at a recent final block; the caller owns it.
	Metagraph(ctx context.Context) (targon.Metagraph, error)
}

// Writer acts for one account. Each call returns once its effect is final.
type Writer interface {
	SetWeights(ctx context.Context, w targon.Weights) error
	Register(ctx context.Context) error
	ServeAxon(ctx context.Context, axon netip.AddrPort) error
}

// Client is an account's view of the chain.
type Client interface {
	Reader
	Writer
}

// Account is a client and who it acts for.
type Account struct {
	Client
	Hotkey targon.Hotkey
}

// Net is a chain for one test. Blocks must come by themselves until the test ends,
// several epochs of them within seconds, and one set_weights a block be allowed.
type Net struct {
	Verifier Account    // registered, with a permit and the only stake
	Provers  [2]Account // able to register, not yet registered
	Tempo    targon.Tempo
}

// Run tests the chains that fresh makes.
func Run(t *testing.T, fresh func(t testing.TB) Net) {
	tests := []struct {
		name string
		test func(t *testing.T, n Net)
	}{
		{"blocks come once and in order", testBlocks},
		{"a slow reader misses nothing", testSlow},
		{"a reader can leave", testLeave},
		{"registration and axons", testRegister},
		{"a metagraph belongs to its caller", testCopy},
		{"who may set weights", testPermit},
		{"weights are paid for", testPay},
		{"the same weights from several callers", testRetry},
		{"a cancelled call", testCancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, fresh(t)) })
	}
}

// follow reads n blocks and checks that they follow each other.
func follow(t *testing.T, r Reader, n int, each func(targon.Header)) (out []targon.Header) {
	t.Helper()
	for h, err := range r.Blocks(t.Context()) {
		if err != nil {
			t.Errorf("after %d blocks: %v", len(out), err)
			return out
		}
		if len(out) > 0 && (h.Number != out[len(out)-1].Number+1 || h.Hash == out[len(out)-1].Hash) {
			t.Errorf("block %v follows %v", h, out[len(out)-1])
		}
		if out = append(out, h); len(out) == n {
			return out
		}
		if each != nil {
			each(h)
		}
	}
	t.Errorf("the chain ended after %d blocks", len(out))
	return out
}

func testBlocks(t *testing.T, n Net) {
	var group sync.WaitGroup
	for _, r := range []Reader{n.Verifier, n.Provers[0]} {
		group.Go(func() {
			for _, h := range follow(t, r, 5, nil) {
				if got, err := r.BlockHash(t.Context(), h.Number); err != nil || got != h.Hash {
					t.Errorf("hash of block %d is %v, %v; followers saw %v", h.Number, got, err, h.Hash)
				}
			}
		})
	}
	group.Wait()
	if _, err := n.Verifier.BlockHash(t.Context(), 1<<40); err == nil {
		t.Error("a block of the far future has a hash")
	}
}

func testSlow(t *testing.T, n Net) {
	waited := false
	follow(t, n.Verifier, 12, func(targon.Header) {
		if !waited {
			follow(t, n.Provers[0], 8, nil)
			waited = true
		}
	})
}

func testLeave(t *testing.T, n Net) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range n.Verifier.Blocks(ctx) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("blocks end with %v, want the context's error", last)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func metagraph(t *testing.T, r Reader) targon.Metagraph {
	t.Helper()
	m, err := r.Metagraph(t.Context())
	must(t, err)
	for i := 1; i < len(m.Neurons); i++ {
		if m.Neurons[i-1].UID >= m.Neurons[i].UID {
			t.Fatalf("uid %d comes before %d", m.Neurons[i-1].UID, m.Neurons[i].UID)
		}
	}
	return m
}

func neuron(t *testing.T, r Reader, h targon.Hotkey) targon.Neuron {
	t.Helper()
	n, ok := metagraph(t, r).ByHotkey(h)
	if !ok {
		t.Fatalf("%s is not in the metagraph", h)
	}
	return n
}

func testRegister(t *testing.T, n Net) {
	axon := netip.MustParseAddrPort("10.0.0.1:9000")
	if err := n.Provers[0].ServeAxon(t.Context(), axon); err == nil {
		t.Error("somebody unregistered published an axon")
	}
	for i, p := range n.Provers {
		must(t, p.Register(t.Context()))
		must(t, p.ServeAxon(t.Context(), netip.AddrPortFrom(axon.Addr(), axon.Port()+uint16(i))))
	}
	if err := n.Provers[0].Register(t.Context()); err == nil {
		t.Error("a hotkey registered twice")
	}
	m := metagraph(t, n.Verifier)
	provers := m.Provers(n.Verifier.Hotkey)
	if len(provers) != 2 || m.NetUID != n.Tempo.NetUID || m.Genesis == (targon.Digest{}) {
		t.Fatalf("metagraph shows %+v", m)
	}
	for i, p := range provers {
		if p.Hotkey != n.Provers[i].Hotkey || p.Axon.Port() != axon.Port()+uint16(i) || p.Permit {
			t.Errorf("prover %d is %+v", i, p)
		}
	}
}

func testCopy(t *testing.T, n Net) {
	m := metagraph(t, n.Verifier)
	m.Neurons[0].Hotkey = targon.Hotkey{1}
	neuron(t, n.Verifier, n.Verifier.Hotkey)
}

func testPermit(t *testing.T, n Net) {
	verifier := neuron(t, n.Verifier, n.Verifier.Hotkey)
	if !verifier.Permit {
		t.Fatal("the verifier has no permit")
	}
	vector := targon.Weights{{UID: verifier.UID, Value: 65535}}
	if err := n.Provers[0].SetWeights(t.Context(), vector); err == nil {
		t.Error("somebody unregistered set weights")
	}
	must(t, n.Provers[0].Register(t.Context()))
	if err := n.Provers[0].SetWeights(t.Context(), vector); err == nil {
		t.Error("somebody without a permit set weights")
	}
	for name, bad := range map[string]targon.Weights{
		"unknown uid":   {{UID: 60000, Value: 65535}},
		"duplicate uid": {{UID: verifier.UID, Value: 65535}, {UID: verifier.UID, Value: 1}},
		"no weights":    nil,
	} {
		if err := n.Verifier.SetWeights(t.Context(), bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// epoch waits until the chain has paid after the present block.
func epoch(t *testing.T, n Net) {
	t.Helper()
	pays := n.Tempo.Next(metagraph(t, n.Verifier).Block + 1)
	for h, err := range n.Verifier.Blocks(t.Context()) {
		must(t, err)
		if h.Number > pays {
			return
		}
	}
}

func testPay(t *testing.T, n Net) {
	for _, p := range n.Provers {
		must(t, p.Register(t.Context()))
	}
	first, second := neuron(t, n.Verifier, n.Provers[0].Hotkey), neuron(t, n.Verifier, n.Provers[1].Hotkey)
	for _, tt := range []struct{ weight, low, high uint16 }{
		{weight: 0, low: 0, high: 0},
		{weight: 65535, low: 32700, high: 32800},
		{weight: 21845, low: 16300, high: 16450},
	} {
		w := targon.Weights{{UID: first.UID, Value: 65535}, {UID: second.UID, Value: tt.weight}}
		slices.SortFunc(w, func(a, b targon.Weight) int { return int(a.UID) - int(b.UID) })
		before := metagraph(t, n.Verifier).Block
		must(t, n.Verifier.SetWeights(t.Context(), w))
		if at := neuron(t, n.Verifier, n.Verifier.Hotkey).LastUpdate; at <= before {
			t.Errorf("weights were last set at block %d, it was %d before", at, before)
		}
		epoch(t, n)
		a, b := neuron(t, n.Verifier, first.Hotkey), neuron(t, n.Verifier, second.Hotkey)
		if b.Incentive < tt.low || b.Incentive > tt.high || a.Incentive < 65534-tt.high {
			t.Errorf("weight %d has incentive %d beside %d, want %d to %d", tt.weight, b.Incentive, a.Incentive, tt.low, tt.high)
		}
		if a.Emission == 0 || (b.Emission == 0) != (tt.weight == 0) {
			t.Errorf("weight %d earns %d beside %d", tt.weight, b.Emission, a.Emission)
		}
	}
}

func testRetry(t *testing.T, n Net) {
	must(t, n.Provers[0].Register(t.Context()))
	p := neuron(t, n.Verifier, n.Provers[0].Hotkey)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if err := n.Verifier.SetWeights(t.Context(), targon.Weights{{UID: p.UID, Value: 65535}}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func testCancelled(t *testing.T, n Net) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Provers[0].Register(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("register says %v", err)
	}
	if _, ok := metagraph(t, n.Verifier).ByHotkey(n.Provers[0].Hotkey); ok {
		t.Error("registered under a cancelled context")
	}
	if _, err := n.Verifier.Metagraph(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("metagraph says %v", err)
	}
}
