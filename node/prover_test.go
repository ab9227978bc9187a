package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"targon"
	"targon/chain/subtensor"
	"targon/node"
	"targon/sign"
)

// fakeChain has one block and remembers what was announced.
type fakeChain struct {
	mu     sync.Mutex
	meta   targon.Metagraph
	refuse error
	served []netip.AddrPort
}

func (f *fakeChain) Blocks(ctx context.Context) iter.Seq2[targon.Header, error] {
	return func(yield func(targon.Header, error) bool) {
		if yield(targon.Header{Number: 1}, nil) {
			<-ctx.Done()
			yield(targon.Header{}, ctx.Err())
		}
	}
}

func (f *fakeChain) Metagraph(context.Context) (targon.Metagraph, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.meta, nil
}

func (f *fakeChain) ServeAxon(_ context.Context, a netip.AddrPort) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.served = append(f.served, a)
	return f.refuse
}

type noEngine struct{}

func (noEngine) Generate(context.Context, targon.Request) iter.Seq2[targon.Token, error] {
	return func(func(targon.Token, error) bool) {}
}

func testKey(t *testing.T, b byte) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{b})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func proverConfig(t *testing.T, f *fakeChain) node.ProverConfig {
	t.Helper()
	k := testKey(t, 1)
	f.meta.Genesis, f.meta.NetUID, f.meta.Block = targon.Digest{1}, 4, 7
	f.meta.Neurons = append(f.meta.Neurons, targon.Neuron{UID: 0, Hotkey: k.Hotkey()})
	return node.ProverConfig{Key: k, Chain: f, Engine: noEngine{}, Weights: targon.Digest{2}, Listen: "127.0.0.1:0"}
}

// readiness asks /healthz.
func readiness(t *testing.T, p *node.Prover) (int, node.Readiness) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + p.Address().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var r node.Readiness
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return res.StatusCode, r
}

func TestProverIsReadyAndEnds(t *testing.T) {
	f := &fakeChain{}
	c := proverConfig(t, f)
	c.External = netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), 0)
	p, err := node.StartProver(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	if status, r := readiness(t, p); status != http.StatusOK || !r.Ready || r.Hotkey != c.Key.Hotkey() || r.Block != 7 {
		t.Errorf("a prover that serves answers %d, %+v", status, r)
	}
	bound := netip.MustParseAddrPort(p.Address().String())
	if want := netip.AddrPortFrom(c.External.Addr(), bound.Port()); len(f.served) != 1 || f.served[0] != want {
		t.Errorf("announced %v, want %v once", f.served, want)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run returns %v", err)
	}
}

// TestProverAnnouncesOnce: an address that the chain shows is not sent again, since the
// chain takes one only once in a while.
func TestProverAnnouncesOnce(t *testing.T) {
	f := &fakeChain{}
	c := proverConfig(t, f)
	c.External = netip.MustParseAddrPort("203.0.113.7:8091")
	f.meta.Neurons[0].Axon = c.External
	p, err := node.StartProver(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer runAndStop(t, p)()
	if status, _ := readiness(t, p); status != http.StatusOK || len(f.served) != 0 {
		t.Errorf("status %d, announced %v", status, f.served)
	}
}

// TestProverTooSoon: a chain that takes the address later is no reason not to start,
// but it is one not to be ready.
func TestProverTooSoon(t *testing.T) {
	f := &fakeChain{refuse: fmt.Errorf("serve_axon: %w", subtensor.ServingRateLimitExceeded)}
	p, err := node.StartProver(t.Context(), proverConfig(t, f))
	if err != nil {
		t.Fatal(err)
	}
	defer runAndStop(t, p)()
	if status, r := readiness(t, p); status != http.StatusServiceUnavailable || !strings.Contains(r.Reason, "not taken the address") {
		t.Errorf("answers %d, %+v", status, r)
	}
}

func runAndStop(t *testing.T, p *node.Prover) func() {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	return func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run returns %v", err)
		}
	}
}

func TestProverDoesNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fakeChain, *node.ProverConfig)
		want   string
	}{
		"refused":       {func(f *fakeChain, _ *node.ProverConfig) { f.refuse = subtensor.InvalidIPAddress }, "InvalidIpAddress"},
		"unregistered":  {func(f *fakeChain, _ *node.ProverConfig) { f.meta.Neurons = nil }, "hotkey is not registered on the subnet"},
		"every address": {func(_ *fakeChain, c *node.ProverConfig) { c.Listen = ":0" }, "which one others reach"},
	} {
		f := &fakeChain{}
		conf := proverConfig(t, f)
		c.change(f, &conf)
		if _, err := node.StartProver(t.Context(), conf); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	f := &fakeChain{}
	conf := proverConfig(t, f)
	f.meta.Neurons = nil
	if _, err := node.StartProver(t.Context(), conf); !errors.Is(err, node.ErrUnregistered) {
		t.Errorf("%v, want ErrUnregistered", err)
	}
}
