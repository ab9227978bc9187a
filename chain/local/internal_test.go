package local

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/sign"
)

func testKey(t interface{ Fatal(...any) }, n byte) *sign.Key {
	k, err := sign.FromSeed(targon.Secret{n})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newChain(t interface{ Fatal(...any) }, c Config) *Chain {
	out, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSetWeightsChecks breaks each rule alone, and each pair of rules: the earlier
// one must be named, as Subtensor does.
func TestSetWeightsChecks(t *testing.T) {
	own, stranger := targon.Hotkey{1}, targon.Hotkey{9}
	breaches := []struct {
		want  Refusal
		apply func(s *state, x *call)
	}{
		{WeightVecNotEqualSize, func(_ *state, x *call) { x.values = append(x.values, 1) }},
		{UidsLengthExceedUidsInSubNet, func(_ *state, x *call) {
			x.uids, x.values = append(x.uids, 0, 11), append(x.values, 1, 1)
		}},
		{HotKeyNotRegisteredInSubNet, func(_ *state, x *call) { x.signer = stranger }},
		{NotEnoughStakeToSetWeights, func(s *state, _ *call) { s.rules.MinStake = 101 }},
		{IncorrectWeightVersionKey, func(s *state, _ *call) { s.rules.VersionKey = 6 }},
		{SettingWeightsTooFast, func(s *state, _ *call) { s.rules.RateLimit = 50 }},
		{NeuronNoValidatorPermit, func(s *state, _ *call) { s.neurons[0].permit = false }},
		{DuplicateUids, func(_ *state, x *call) { x.uids[1] = x.uids[0] }},
		{UidVecContainInvalidOne, func(_ *state, x *call) { x.uids[0] = 3 }},
		{WeightVecLengthIsLow, func(s *state, _ *call) { s.rules.MinAllowedWeights = 3 }},
		{MaxWeightExceeded, func(s *state, _ *call) { s.rules.MaxWeight = 49151 }},
	}
	base := func() (*state, *call) {
		c := newChain(t, Config{Accounts: []Account{
			{Hotkey: own, Stake: 100, Register: true},
			{Hotkey: targon.Hotkey{2}, Register: true},
			{Hotkey: targon.Hotkey{3}, Register: true},
			{Hotkey: stranger, Stake: 100},
		}})
		c.state.block, c.state.neurons[0].updated = 60, 11
		r := &c.state.rules
		r.MinStake, r.VersionKey, r.RateLimit, r.MaxWeight = 100, 5, 49, 49152
		return c.state, &call{signer: own, version: 5, uids: []uint16{2, 1}, values: []uint16{3, 1}}
	}
	s, x := base()
	if err := s.setWeights(*x); err != nil {
		t.Fatalf("at every limit: %v", err)
	}
	if diff := cmp.Diff(targon.Weights{{UID: 1, Value: 21845}, {UID: 2, Value: 65535}}, s.neurons[0].weights); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if s.neurons[0].updated != 60 {
		t.Errorf("updated at %d, want 60", s.neurons[0].updated)
	}
	for i, first := range breaches {
		for _, second := range breaches[i:] {
			s, x := base()
			second.apply(s, x)
			first.apply(s, x)
			if err := s.setWeights(*x); !errors.Is(err, first.want) {
				t.Errorf("%s and %s: %v", first.want, second.want, err)
			}
			if s.neurons[0].weights != nil || s.neurons[0].updated != 11 {
				t.Errorf("%s: refused and stored", first.want)
			}
		}
	}
}

func TestSetWeightsForItself(t *testing.T) {
	h := targon.Hotkey{1}
	c := newChain(t, Config{
		Accounts: []Account{{Hotkey: h, Register: true}, {Hotkey: targon.Hotkey{2}, Register: true}},
		Rules:    Rules{MinAllowedWeights: 2, MaxWeight: 1},
	})
	if err := c.state.setWeights(call{signer: h, uids: []uint16{0}, values: []uint16{7}}); err != nil {
		t.Errorf("a single weight for oneself needs no permit: %v", err)
	}
	if err := c.state.setWeights(call{signer: h, uids: []uint16{1}, values: []uint16{7}}); !errors.Is(err, NeuronNoValidatorPermit) {
		t.Errorf("a single weight for another: %v", err)
	}
}

func TestCallsAreSigned(t *testing.T) {
	key, other := testKey(t, 1), testKey(t, 2)
	accounts := []Account{{Hotkey: key.Hotkey(), Balance: 100}}
	c, elsewhere := newChain(t, Config{Accounts: accounts}), newChain(t, Config{Accounts: accounts, Seed: targon.Secret{1}})
	good := call{signer: key.Hotkey(), kind: kindAddStake, amount: 10}
	sig, err := key.Sign(good.message(c.genesis, c.netuid))
	if err != nil {
		t.Fatal(err)
	}
	for name, bend := range map[string]func(*call){
		"signer": func(x *call) { x.signer = other.Hotkey() },
		"nonce":  func(x *call) { x.nonce++ },
		"kind":   func(x *call) { x.kind = kindRegister },
		"amount": func(x *call) { x.amount++ },
		"axon":   func(x *call) { x.axon = netip.MustParseAddrPort("10.0.0.1:1") },
		"uids":   func(x *call) { x.uids = []uint16{1} },
		"values": func(x *call) { x.values = []uint16{1} },
		"key":    func(x *call) { x.version++ },
	} {
		bent := good
		bend(&bent)
		if _, err := c.submit(bent, sig); !errors.Is(err, BadSignature) {
			t.Errorf("%s changed after signing: %v", name, err)
		}
	}
	if _, err := elsewhere.submit(good, sig); !errors.Is(err, BadSignature) {
		t.Errorf("on another chain: %v", err)
	}
	first, err := c.submit(good, sig)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // while it waits, and after its block
		if _, err := c.submit(good, sig); !errors.Is(err, Stale) {
			t.Errorf("again: %v", err)
		}
		c.Step()
	}
	if <-first.done; first.err != nil || c.state.account(key.Hotkey()).stake != 10 {
		t.Errorf("stake is %d, %v", c.state.account(key.Hotkey()).stake, first.err)
	}
}

// TestOneCallOfAKindInABlock holds a retry after a timeout to the same block.
func TestOneCallOfAKindInABlock(t *testing.T) {
	key := testKey(t, 1)
	c := newChain(t, Config{Accounts: []Account{{Hotkey: key.Hotkey(), Stake: 1, Register: true}}})
	client := c.For(key)
	x := call{signer: key.Hotkey(), kind: kindSetWeights, uids: []uint16{0}, values: []uint16{65535}}
	first, err := client.submit(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.submit(t.Context(), x)
	if err != nil || again != first || len(c.pool) != 1 {
		t.Errorf("a retry made call %p beside %p, %v; %d wait", again, first, err, len(c.pool))
	}
	x.values = []uint16{1}
	if _, err := client.submit(t.Context(), x); !errors.Is(err, AlreadyPending) {
		t.Errorf("other weights for the same block: %v", err)
	}
	if _, err := client.submit(t.Context(), call{signer: key.Hotkey(), kind: kindServeAxon, axon: netip.MustParseAddrPort("10.0.0.1:1")}); err != nil {
		t.Errorf("a call of another kind: %v", err)
	}
	c.Step()
	if first.err != nil || first.block != 1 || c.state.account(key.Hotkey()).nonce != 2 {
		t.Errorf("block %d, %v, nonce %d", first.block, first.err, c.state.account(key.Hotkey()).nonce)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.SetWeights(ctx, targon.Weights{{UID: 0, Value: 65535}}); !errors.Is(err, context.Canceled) {
		t.Errorf("under a cancelled context: %v", err)
	}
}

func TestRegistrationReplacesTheWeakest(t *testing.T) {
	key := func(n byte) targon.Hotkey { return targon.Hotkey{n} }
	c := newChain(t, Config{
		Accounts: []Account{
			{Hotkey: key(1), Stake: 5, Register: true},
			{Hotkey: key(2), Register: true},
			{Hotkey: key(3), Register: true},
			{Hotkey: key(4), Balance: 100},
		},
		Rules: Rules{MaxNeurons: 4, Burn: 10, ImmunityPeriod: 20},
	})
	s := c.state
	s.block = 19
	if err := s.register(key(5), key(5)); !errors.Is(err, NotEnoughBalanceToStake) {
		t.Errorf("a poor account: %v", err)
	}
	if err := s.register(key(4), key(4)); err != nil || s.neurons[3].hotkey != key(4) || s.account(key(4)).balance != 90 || s.burned != 10 {
		t.Errorf("next free slot: %v, %+v", err, s.neurons)
	}
	if err := s.register(key(4), key(4)); !errors.Is(err, HotKeyAlreadyRegisteredInSubNet) {
		t.Errorf("twice: %v", err)
	}
	s.accounts[key(6)] = &account{balance: 1000}
	if err := s.register(key(6), key(6)); !errors.Is(err, NoNeuronIdAvailable) || s.account(key(6)).balance != 1000 {
		t.Errorf("all immune: %v, balance %d", err, s.account(key(6)).balance)
	}
	s.block = 20
	s.neurons[1].incentive, s.neurons[2].incentive = 7, 6
	s.neurons[2].weights, s.neurons[2].axon = targon.Weights{{}}, netip.MustParseAddrPort("10.0.0.1:1")
	if err := s.register(key(6), key(6)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]targon.Hotkey{key(1), key(2), key(6), key(4)}, hotkeys(s)); diff != "" {
		t.Errorf("slots (-want +got):\n%s", diff)
	}
	if n := s.neurons[2]; n.weights != nil || n.axon.IsValid() || n.incentive != 0 || n.registered != 20 {
		t.Errorf("a newcomer inherits: %+v", n)
	}
}

func hotkeys(s *state) (out []targon.Hotkey) {
	for _, n := range s.neurons {
		out = append(out, n.hotkey)
	}
	return out
}

func TestPermitsFollowStake(t *testing.T) {
	c := newChain(t, Config{Rules: Rules{MaxValidators: 2}, Accounts: []Account{
		{Hotkey: targon.Hotkey{1}, Stake: 5, Register: true},
		{Hotkey: targon.Hotkey{2}, Stake: 9, Register: true},
		{Hotkey: targon.Hotkey{3}, Stake: 5, Register: true},
		{Hotkey: targon.Hotkey{4}, Balance: 6, Register: true},
	}})
	permits := func() (out []bool) {
		for _, n := range c.state.neurons {
			out = append(out, n.permit)
		}
		return out
	}
	if got := permits(); !slices.Equal(got, []bool{false, true, true, false}) {
		t.Errorf("of equal stakes the later uid wins: %v", got)
	}
	if err := c.state.addStake(targon.Hotkey{4}, 7); !errors.Is(err, NotEnoughBalanceToStake) {
		t.Errorf("more than owned: %v", err)
	}
	if err := c.state.addStake(targon.Hotkey{4}, 6); err != nil || !slices.Equal(permits(), []bool{false, true, false, true}) {
		t.Errorf("stake added: %v, %v", err, permits())
	}
}

func TestAxons(t *testing.T) {
	c := newChain(t, Config{Accounts: []Account{{Hotkey: targon.Hotkey{1}, Register: true}}})
	for text, want := range map[string]error{
		"127.0.0.1:9000": nil, "[::1]:9000": nil, "[2001:db8::1]:1": nil,
		"10.0.0.1:0": InvalidPort, "0.0.0.0:1": InvalidIpAddress, "224.0.0.1:1": InvalidIpAddress, "[fe80::1%eth0]:1": InvalidIpAddress,
	} {
		if err := c.state.serveAxon(targon.Hotkey{1}, netip.MustParseAddrPort(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	if err := c.state.serveAxon(targon.Hotkey{1}, netip.AddrPort{}); !errors.Is(err, InvalidIpAddress) {
		t.Errorf("nowhere: %v", err)
	}
}

// TestEpochVectors compares with epochs of the real runtime, to the last unit.
func TestEpochVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/epochs.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name           string
		Block          targon.Block
		Kappa          uint16
		ActivityCutoff targon.Blocks `json:"activity_cutoff"`
		Neurons        []struct {
			Stake               targon.Rao
			Permit              bool
			Registered, Updated targon.Block
			Weights             [][2]uint16
		}
		Consensus, Incentive []int
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		s := &state{block: v.Block, accounts: map[targon.Hotkey]*account{}, rules: Rules{Kappa: v.Kappa, ActivityCutoff: v.ActivityCutoff, Emission: 1e9}}
		for i, in := range v.Neurons {
			n := neuron{hotkey: targon.Hotkey{byte(i), 1}, permit: in.Permit, registered: in.Registered, updated: in.Updated}
			for _, w := range in.Weights {
				n.weights = append(n.weights, targon.Weight{UID: targon.UID(w[0]), Value: w[1]})
			}
			s.neurons = append(s.neurons, n)
			s.account(n.hotkey).stake = in.Stake
		}
		s.epoch(6)
		for j, n := range s.neurons {
			if int(n.consensus) != v.Consensus[j] {
				t.Errorf("%s: consensus of uid %d is %d, recorded %d", v.Name, j, n.consensus, v.Consensus[j])
			}
			if int(n.incentive) != v.Incentive[j] {
				t.Errorf("%s: incentive of uid %d is %d, recorded %d", v.Name, j, n.incentive, v.Incentive[j])
			}
		}
	}
}

// TestBooks runs chains with random calls: no rao is made or lost outside the
// books, incentives sum to a whole, zero weight earns nothing, and the same
// calls give the same hashes while another secret gives others.
func TestBooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := Rules{MaxNeurons: 6, MaxValidators: 3, Burn: 5, Emission: targon.Rao(rapid.Uint64Range(1, 1<<40).Draw(t, "emission"))}
		var accounts []Account
		var owned targon.Rao
		for i := range byte(8) {
			a := Account{
				Hotkey: targon.Hotkey{i + 1}, Balance: targon.Rao(rapid.Uint64Range(0, 50).Draw(t, "balance")),
				Stake: targon.Rao(rapid.Uint64Range(0, 1<<50).Draw(t, "stake")), Register: i < 4,
			}
			owned += a.Balance + a.Stake
			accounts = append(accounts, a)
		}
		config := Config{NetUID: 4, Tempo: 3, Accounts: accounts, Rules: rules}
		a, b := newChain(t, config), newChain(t, config)
		config.Seed = targon.Secret{1}
		c := newChain(t, config)
		for range rapid.IntRange(1, 30).Draw(t, "blocks") {
			x := drawCall(t)
			for _, chain := range []*Chain{a, b, c} {
				chain.pool = append(chain.pool, &ticket{call: x, done: make(chan struct{})})
			}
			ha, hb, hc := a.Step(), b.Step(), c.Step()
			if ha != hb || ha.Hash == hc.Hash {
				t.Fatalf("hashes %v and %v must be equal, %v another", ha, hb, hc)
			}
			checkBooks(t, a, owned)
		}
	})
}

func drawCall(t *rapid.T) call {
	x := call{
		signer: targon.Hotkey{rapid.ByteRange(1, 9).Draw(t, "signer")},
		kind:   kind(rapid.IntRange(1, 4).Draw(t, "kind")), amount: targon.Rao(rapid.IntRange(0, 20).Draw(t, "amount")),
	}
	if x.kind == kindSetWeights {
		x.uids = rapid.SliceOfNDistinct(rapid.Uint16Range(0, 5), 1, 6, rapid.ID).Draw(t, "uids")
		x.values = rapid.SliceOfN(rapid.SampledFrom([]uint16{0, 0, 1, 7, 30000, 65535}), len(x.uids), len(x.uids)).Draw(t, "values")
	}
	return x
}

func checkBooks(t *rapid.T, c *Chain, owned targon.Rao) {
	s, total := c.state, targon.Rao(0)
	for _, a := range s.accounts {
		total += a.balance + a.stake
	}
	if total != owned+s.minted-s.burned {
		t.Fatalf("accounts own %d, the books say %d + %d - %d", total, owned, s.minted, s.burned)
	}
	if !c.state.rhythm().Pays(s.block) {
		return
	}
	incentives, emissions := 0, targon.Rao(0)
	for _, n := range s.neurons {
		incentives += int(n.incentive)
		emissions += n.emission
	}
	if incentives != 0 && (incentives > 65535 || incentives < 65535-len(s.neurons)) {
		t.Fatalf("incentives sum to %d", incentives)
	}
	if emissions > s.rules.Emission*4 {
		t.Fatalf("an epoch paid %d", emissions)
	}
}

// TestZeroWeightEarnsNothing puts a convicted neuron beside one of full weight.
func TestZeroWeightEarnsNothing(t *testing.T) {
	c := newChain(t, Config{Tempo: 3, Accounts: []Account{
		{Hotkey: targon.Hotkey{1}, Stake: 10, Register: true}, {Hotkey: targon.Hotkey{2}, Register: true}, {Hotkey: targon.Hotkey{3}, Register: true},
	}})
	c.Step()
	if err := c.state.setWeights(call{signer: targon.Hotkey{1}, uids: []uint16{0, 1, 2}, values: []uint16{65535, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	for !c.state.rhythm().Pays(c.Step().Number) {
	}
	for i, want := range []struct {
		incentive uint16
		emission  targon.Rao
	}{{0, 2e9}, {0, 0}, {65535, 2e9}} {
		if n := c.state.neurons[i]; n.incentive != want.incentive || n.emission != want.emission {
			t.Errorf("uid %d has incentive %d and earns %d, want %+v", i, n.incentive, n.emission, want)
		}
	}
	for !c.state.rhythm().Pays(c.Step().Number) {
	}
	if got := c.state.minted; got != 8e9 {
		t.Errorf("two epochs of 4 blocks minted %d rao, want 8 TAO", got)
	}
}

// TestFollowing: what is late by no more than the debt is made up for, and the rest is
// left out.
func TestFollowing(t *testing.T) {
	const ms = time.Millisecond
	start := time.Unix(1000, 0)
	for now, want := range map[time.Duration]time.Duration{0: ms, 7 * ms: ms, 251 * ms: ms, 252 * ms: 2 * ms, time.Hour: time.Hour - maxDebt} {
		if got := following(start, start.Add(now), ms).Sub(start); got != want {
			t.Errorf("%v after the last was due: %v, want %v", now, got, want)
		}
	}
}

// TestCatchUp: a chain that catches up keeps its pace on a virtual clock.
func TestCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChain(t, Config{BlockTime: 800 * time.Microsecond, CatchUp: true})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		time.Sleep(time.Second + 400*time.Microsecond)
		if n := c.head().Number; n != 1250 {
			t.Errorf("%d blocks in a second, want 1250", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestChecker: of many signatures that come together each gets its own answer.
func TestChecker(t *testing.T) {
	var c checker
	var all sync.WaitGroup
	key := testKey(t, 1)
	for i := range 40 {
		message := []byte{byte(i)}
		sig, err := key.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if i%13 == 0 {
			message[0]++
		}
		all.Go(func() {
			if err := c.verify(sign.Signed{Key: key.Hotkey(), Message: message, Signature: sig}); (err != nil) != (i%13 == 0) {
				t.Errorf("signature %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if c.busy || len(c.waiting) > 0 {
		t.Errorf("%d are left waiting", len(c.waiting))
	}
}

// TestUpscale: rounding is to the nearest, half up; above 32768 the factor is cut to 32
// bits first, which turns an exact half down.
func TestUpscale(t *testing.T) {
	for _, c := range []struct{ in, want []uint16 }{
		{[]uint16{5, 6}, []uint16{54613, 65535}}, // 54612.5, as recorded
		{[]uint16{1, 3}, []uint16{21845, 65535}},
		{[]uint16{1, 32768}, []uint16{2, 65535}},
		{[]uint16{20000, 40000}, []uint16{32767, 65535}},
		{[]uint16{7, 65535}, []uint16{7, 65535}},
		{[]uint16{0, 0}, []uint16{0, 0}},
	} {
		var in targon.Weights
		for i, v := range c.in {
			in = append(in, targon.Weight{UID: targon.UID(i), Value: v})
		}
		for i, got := range upscale(in) {
			if got.Value != c.want[i] {
				t.Errorf("%v becomes %d in place %d, want %v", c.in, got.Value, i, c.want)
			}
		}
	}
}

// TestAtTheLimit pins which side of each limit is allowed.
func TestAtTheLimit(t *testing.T) {
	third := targon.Weights{{UID: 0, Value: 1}, {UID: 1, Value: 1}, {UID: 2, Value: 1}}
	if exceeds(third, 21845) || !exceeds(third, 21844) {
		t.Error("a third of the sum exceeds 21845/65535, or does not exceed 21844/65535")
	}
	s := newChain(t, Config{
		Accounts: []Account{{Hotkey: targon.Hotkey{1}, Stake: 7, Register: true}, {Hotkey: targon.Hotkey{2}, Stake: 6, Register: true}},
		Rules:    Rules{MinStake: 7, ActivityCutoff: 10},
	}).state
	if !s.neurons[0].permit || s.neurons[1].permit {
		t.Error("a stake of 7 must count where 7 is needed, and 6 must not")
	}
	s.neurons[0].updated = 5
	for block, want := range map[targon.Block]bool{15: true, 16: false} {
		s.block = block
		if s.epoch(1); s.neurons[0].active != want {
			t.Errorf("at block %d, weights of block 5 count: %t", block, !want)
		}
	}
}
