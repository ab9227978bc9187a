package local_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"targon"
	"targon/chain/chaintest"
	"targon/chain/local"
	"targon/sign"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func key(t testing.TB, n byte) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{n})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestChain(t *testing.T) {
	chaintest.Run(t, func(t testing.TB) chaintest.Net {
		keys := []*sign.Key{key(t, 1), key(t, 2), key(t, 3)}
		c, err := local.New(local.Config{
			NetUID: 4, Tempo: 9,
			Accounts: []local.Account{
				{Hotkey: keys[0].Hotkey(), Stake: 1e12, Register: true},
				{Hotkey: keys[1].Hotkey(), Balance: 1e9},
				{Hotkey: keys[2].Hotkey(), Balance: 1e9},
			},
			Rules: local.Rules{Burn: 1e8, ActivityCutoff: 1 << 40},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
		account := func(i int) chaintest.Account {
			return chaintest.Account{Client: c.For(keys[i]), Hotkey: keys[i].Hotkey()}
		}
		return chaintest.Net{
			Verifier: account(0), Provers: [2]chaintest.Account{account(1), account(2)}, Tempo: c.Tempo(),
		}
	})
}

// TestPace holds Run to its pace on a virtual clock, and a late reader to every block.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := local.New(local.Config{BlockTime: 12 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		start, next := time.Now(), targon.Block(0)
		for h, err := range c.For(key(t, 1)).Blocks(ctx) {
			if h.Number == 5 && err == nil {
				time.Sleep(time.Hour) // virtual: 300 blocks pass by
			}
			if h.Number == 400 {
				break
			}
			if err != nil || h.Number != next {
				t.Fatalf("block %d, %v, want %d", h.Number, err, next)
			}
			next++
		}
		if took, want := time.Since(start), 400*12*time.Second; took != want {
			t.Errorf("400 blocks took %v, want %v", took, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestGenesisIsChecked(t *testing.T) {
	h := targon.Hotkey{1}
	for name, c := range map[string]local.Config{
		"no hotkey":         {Accounts: []local.Account{{}}},
		"twice":             {Accounts: []local.Account{{Hotkey: h}, {Hotkey: h}}},
		"too rich":          {Accounts: []local.Account{{Hotkey: h, Balance: 1 << 63}}},
		"rich by overflow":  {Accounts: []local.Account{{Hotkey: h, Balance: 1 << 61, Stake: 1<<64 - 1}}},
		"too many":          {Accounts: []local.Account{{Hotkey: h, Register: true}, {Hotkey: targon.Hotkey{2}, Register: true}}, Rules: local.Rules{MaxNeurons: 1}},
		"uids do not reach": {Rules: local.Rules{MaxNeurons: 1<<16 + 1}},
		"no permits":        {Rules: local.Rules{MaxValidators: -1}},
	} {
		if _, err := local.New(c); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func Example() {
	verifier, _ := sign.FromSeed(targon.Secret{1})
	prover, _ := sign.FromSeed(targon.Secret{2})
	c, err := local.New(local.Config{NetUID: 4, Tempo: 3, BlockTime: time.Millisecond, Accounts: []local.Account{
		{Hotkey: verifier.Hotkey(), Stake: 1e12, Register: true},
		{Hotkey: prover.Hotkey()},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	fmt.Println(c.For(prover).Register(ctx))
	fmt.Println(c.For(prover).ServeAxon(ctx, netip.MustParseAddrPort("127.0.0.1:9000")))
	fmt.Println(c.For(verifier).SetWeights(ctx, targon.Weights{{UID: 1, Value: 65535}}))
	for {
		m, err := c.For(prover).Metagraph(ctx)
		if n, _ := m.ByUID(1); n.Incentive > 0 || err != nil {
			fmt.Println(n.Incentive, n.Emission, err)
			break
		}
	}
	cancel()
	fmt.Println(<-done)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// 65535 2000000000 <nil>
	// <nil>
}

func BenchmarkStep(b *testing.B) {
	for _, neurons := range []int{0, 256} {
		b.Run(fmt.Sprintf("neurons=%d", neurons), func(b *testing.B) {
			var accounts []local.Account
			for i := range neurons {
				accounts = append(accounts, local.Account{Hotkey: targon.Hotkey{1, byte(i), byte(i >> 8)}, Register: true})
			}
			c, err := local.New(local.Config{Accounts: accounts})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				c.Step()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "blocks/s")
		})
	}
}
