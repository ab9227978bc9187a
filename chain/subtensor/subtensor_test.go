package subtensor_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"reflect"
	"testing"

	"targon"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
)

var _ subtensor.Node = (*rpc.Client)(nil) // the connection serves as it is

// account signs nothing: the fake node does not look.
type account targon.Hotkey

func (a account) Hotkey() targon.Hotkey               { return targon.Hotkey(a) }
func (account) Sign([]byte) (targon.Signature, error) { return targon.Signature{}, nil }

// TestMetagraph: three ways to read a subnet say the same.
func TestMetagraph(t *testing.T) {
	const selective, lite = "SubnetInfoRuntimeApi_get_selective_metagraph", "NeuronInfoRuntimeApi_get_neurons_lite"
	want := []struct {
		axon      string
		stake     targon.Rao
		incentive uint16
		emission  targon.Rao
		updated   targon.Block
		dividends uint16
	}{
		{"", 32382598874, 0, 2111452293, 66, 30681},
		{"192.168.1.5:8091", 31819785475, 0, 2398572878, 66, 34853},
		{"10.0.0.7:9443", 2742254573, 39845, 2742134441, 6, 0},
		{"", 8422644942, 25686, 1767726204, 6, 0},
		{"[2001:db8::42]:65535", 7605841507, 2, 164525, 8, 0},
	}
	for _, c := range []struct {
		name    string
		prepare func(f *fake)
	}{
		{"by fields", func(*fake) {}},
		{"by neurons", func(f *fake) { f.without[selective] = true }},
		{"by neurons, the fields being others", func(f *fake) { f.bad[selective] = true }},
		{"by storage", func(f *fake) { f.without[selective], f.without[lite] = true, true }},
		{"by storage, the neurons being others", func(f *fake) { f.bad[selective], f.bad[lite] = true, true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			c.prepare(f)
			s, err := subtensor.New(f, 2, nil).Subnet(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Genesis != (targon.Digest{0x45}) || s.NetUID != 2 || s.Block != 73 || s.Tempo != 10 || len(s.Neurons) != len(want) {
				t.Fatalf("%+v", s)
			}
			for i, n := range s.Neurons {
				w := want[i]
				axon := ""
				if n.Axon.IsValid() {
					axon = n.Axon.String()
				}
				if n.UID != targon.UID(i) || n.Hotkey != f.hotkey(i) || n.Coldkey != f.list("coldkeys")[i] || axon != w.axon || n.Stake != w.stake ||
					!n.Permit || n.Incentive != w.incentive || n.Emission != w.emission || n.LastUpdate != w.updated || s.Dividends[i] != w.dividends {
					t.Errorf("neuron %d: %+v, want %+v", i, n, w)
				}
			}
			if _, err := subtensor.New(f, 99, nil).Metagraph(t.Context()); !errors.Is(err, subtensor.ErrNetwork) && !f.bad[selective] {
				t.Errorf("a subnet that is not there: %v, want ErrNetwork", err)
			}
		})
	}
}

func TestHyperparameters(t *testing.T) {
	f := newFake(t)
	h, err := subtensor.New(f, 2, nil).Hyperparameters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h.Tempo != 10 || h.SubnetworkN != 5 || h.MinAllowedWeights != 1 || h.AlphaValues != (subtensor.AlphaValues{Low: 45875, High: 58982}) || h.BondsMovingAverage != 900000 {
		t.Errorf("%+v", h)
	}
	if _, err := subtensor.New(f, 3, nil).Hyperparameters(t.Context()); !errors.Is(err, subtensor.ErrNetwork) {
		t.Errorf("a subnet that is not there: %v", err)
	}
}

// TestCalls compares calls with the recorded bytes of the same ones.
func TestCalls(t *testing.T) {
	f := newFake(t)
	hot, cold := f.hotkey(4), account{9}
	var sent [][]byte
	f.apply = func(c substrate.Call) {
		raw, err := f.m.EncodeCall(c.Pallet, c.Name, c.Args)
		if err != nil {
			t.Error(err)
		}
		sent = append(sent, raw)
	}
	c := subtensor.New(f, 2, account(f.hotkey(1)))
	_, err1 := c.Register(t.Context(), cold, hot)
	err2 := c.ServeAxon(t.Context(), netip.MustParseAddrPort("192.168.1.5:8091"))
	err3 := c.ServeAxon(t.Context(), netip.MustParseAddrPort("[2001:db8::42]:65535"))
	_, err4 := c.Transfer(t.Context(), cold, targon.Hotkey{0x8e}, 1234567)
	_, err5 := c.AddStake(t.Context(), cold, hot, 1)
	_, err6 := c.RemoveStake(t.Context(), cold, hot, 1)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	key := hex.EncodeToString(hot[:])
	for i, want := range []string{
		"07070200" + key,
		"07040200" + "509e9800" + "0501a8c0000000000000000000000000" + "9b1f" + "04040000",
		"07040200" + "509e9800" + "420000000000000000000000b80d0120" + "ffff" + "06040000",
		"050300" + "8e00000000000000000000000000000000000000000000000000000000000000" + "1e5a4b00",
		"0702" + key + "0200" + "0100000000000000",
		"0703" + key + "0200" + "0100000000000000",
	} {
		if got := hex.EncodeToString(sent[i]); got != want {
			t.Errorf("call %d: %s, want %s", i, got, want)
		}
	}
	if _, err := subtensor.New(f, 2, nil).Register(t.Context(), nil, hot); err == nil {
		t.Error("a call without a key was sent")
	}
	// A mapped IPv4 address is IPv4.
	sent = nil
	if err := c.ServeAxon(t.Context(), netip.MustParseAddrPort("[::ffff:192.168.1.5]:8091")); err != nil || !bytes.Contains(sent[0], []byte{0x9b, 0x1f, 4}) {
		t.Errorf("mapped address: %x (%v)", sent, err)
	}
}

func TestRefusals(t *testing.T) {
	f := newFake(t)
	c := subtensor.New(f, 2, account(f.hotkey(1)))
	for _, r := range []struct {
		err  error
		want subtensor.Refusal
	}{
		{&substrate.PoolError{Name: "Custom", Custom: 6}, subtensor.RateLimitExceeded},
		{&substrate.PoolError{Name: "Custom", Custom: 11}, subtensor.InvalidIPAddress},
		{&substrate.PoolError{Name: "Custom", Custom: 13}, subtensor.InvalidPort},
		{&substrate.PoolError{Name: "Custom", Custom: 19}, "UidNotFound"},
		{&substrate.PoolError{Name: "Custom", Custom: 255}, "BadRequest"},
		{&substrate.PoolError{Name: "Custom", Custom: 200}, "Custom(200)"},
		{fmt.Errorf("in block 9: %w", &substrate.DispatchError{Pallet: "SubtensorModule", Name: "NeuronNoValidatorPermit"}), subtensor.NeuronNoValidatorPermit},
	} {
		f.refuse = r.err
		err := c.ServeAxon(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"))
		if !errors.Is(err, r.want) || !errors.Is(err, r.err) {
			t.Errorf("%v, want %v", err, r.want)
		}
	}
}

func TestSetWeights(t *testing.T) {
	good := targon.Weights{{UID: 1, Value: 65535}, {UID: 3, Value: 7}}
	for _, c := range []struct {
		name    string
		who     int // uid; -1 is nobody
		w       targon.Weights
		prepare func(f *fake)
		want    error
		calls   []string
	}{
		{"set", 0, good, nil, nil, []string{"set_weights"}},
		{"with zeros, which are not kept", 0, append(targon.Weights{{UID: 0}}, good...), nil, nil, []string{"set_weights"}},
		{"nobody", -1, good, nil, subtensor.ErrNotRegistered, nil},
		{"no permit", 0, good, func(f *fake) { f.put("ValidatorPermit", []bool{false, true, true, true, true}, 2) }, subtensor.NeuronNoValidatorPermit, nil},
		{"only oneself without permit", 0, targon.Weights{{UID: 0, Value: 65535}}, func(f *fake) { f.put("ValidatorPermit", []bool{false, true, true, true, true}, 2) }, nil, []string{"set_weights"}},
		{"too few", 0, good, func(f *fake) { f.put("MinAllowedWeights", 3, 2) }, errAny, nil},
		{"just enough", 0, good, func(f *fake) { f.put("MinAllowedWeights", 2, 2) }, nil, []string{"set_weights"}},
		{"a uid that is not there", 0, targon.Weights{{UID: 5, Value: 65535}}, nil, errAny, nil},
		{"not a vector", 0, targon.Weights{{UID: 1, Value: 3}}, nil, errAny, nil},
		{"version key too low", 0, good, func(f *fake) { f.put("WeightsVersionKey", 8, 2) }, errAny, nil},
		{"version key equal", 0, good, func(f *fake) { f.put("WeightsVersionKey", 7, 2) }, nil, []string{"set_weights"}},
		{"too soon by a block", 0, good, func(f *fake) { f.put("WeightsSetRateLimit", 9, 2) }, subtensor.ErrTooSoon, nil}, // last at 66, next block is 74
		{"just in time", 0, good, func(f *fake) { f.put("WeightsSetRateLimit", 8, 2) }, nil, []string{"set_weights"}},
		{"never set before", 0, good, func(f *fake) {
			f.put("WeightsSetRateLimit", 1000, 2)
			f.put("LastUpdate", []uint64{0, 0, 0, 0, 0}, 2)
		}, nil, []string{"set_weights"}},
		{"commit and reveal", 0, good, func(f *fake) { f.put("CommitRevealWeightsEnabled", true, 2) }, nil, []string{"commit_weights", "reveal_weights"}},
		{"the chain keeps others", 0, good, func(f *fake) {
			f.put("Weights", []any{[]any{1, 65535}}, 2, 0)
			f.apply = nil
		}, subtensor.ErrReadBack, []string{"set_weights"}},
		{"refused", 0, good, func(f *fake) { f.refuse = &substrate.PoolError{Name: "Custom", Custom: 6} }, subtensor.RateLimitExceeded, []string{"set_weights"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			who := account{77}
			if c.who >= 0 {
				who = account(f.hotkey(c.who))
				f.keepWeights(c.who)
			}
			if c.prepare != nil {
				c.prepare(f)
			}
			cl := subtensor.New(f, 2, who)
			cl.VersionKey = 7
			err := cl.SetWeights(t.Context(), c.w)
			if some := errors.Is(c.want, errAny); some && err == nil || !some && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			var names []string
			for _, call := range f.calls {
				names = append(names, call.Name)
			}
			if !reflect.DeepEqual(names, c.calls) {
				t.Errorf("calls %v, want %v", names, c.calls)
			}
		})
	}
}

var errAny = errors.New("some error")

// TestReveal: what is revealed is what was committed, in the epoch where the chain
// takes it (the rule of commit-reveal.json: period 1 means the next epoch).
func TestReveal(t *testing.T) {
	f := newFake(t)
	f.keepWeights(0)
	f.put("CommitRevealWeightsEnabled", true, 2)
	who := f.hotkey(0)
	var committed, revealed targon.Block
	keep := f.apply
	var hash []byte
	f.apply = func(c substrate.Call) {
		keep(c)
		switch c.Name {
		case "commit_weights":
			committed, hash = f.head, c.Args.Get("commit_hash").([]byte)
		case "reveal_weights":
			revealed = f.head
			var w subtensor.Commitment
			err := errors.Join(substrate.Into(c.Args.Get("uids"), &w.UIDs), substrate.Into(c.Args.Get("values"), &w.Values), substrate.Into(c.Args.Get("salt"), &w.Salt))
			w.Account, w.NetUID, w.VersionKey = who, 2, c.Args.Get("version_key").(uint64)
			if h := w.Hash(); err != nil || !bytes.Equal(h[:], hash) || len(w.Salt) == 0 {
				t.Errorf("revealed %+v (%v), which is not what was committed", w, err)
			}
		}
	}
	if err := subtensor.New(f, 2, account(who)).SetWeights(t.Context(), targon.Weights{{UID: 1, Value: 65535}}); err != nil {
		t.Fatal(err)
	}
	tempo := targon.Tempo{NetUID: 2, Length: 10}
	if tempo.Index(revealed) != tempo.Index(committed)+1 {
		t.Errorf("committed in epoch %d, revealed in %d", tempo.Index(committed), tempo.Index(revealed))
	}
}

// TestSpec424: everything that is read and sent exists in the main network's runtime of
// a year later, too.
func TestSpec424(t *testing.T) {
	f := newFakeOf(t, 424)
	f.without["SubnetInfoRuntimeApi_get_selective_metagraph"], f.without["NeuronInfoRuntimeApi_get_neurons_lite"] = true, true
	who := account(f.hotkey(0))
	f.keepWeights(0)
	c := subtensor.New(f, 2, who)
	h, err := c.Hyperparameters(t.Context())
	if err != nil || h.Tempo != 10 || h.Kappa == 0 {
		t.Errorf("%+v (%v)", h, err)
	}
	if s, err := c.Subnet(t.Context()); err != nil || len(s.Neurons) != 5 || s.Neurons[2].Incentive != 39845 {
		t.Errorf("%+v (%v)", s, err)
	}
	_, err1 := c.Register(t.Context(), who, f.hotkey(1))
	_, err2 := c.AddStake(t.Context(), who, f.hotkey(1), 5)
	_, err3 := c.RemoveStake(t.Context(), who, f.hotkey(1), 5)
	_, err4 := c.Transfer(t.Context(), who, f.hotkey(1), 5)
	err5 := c.ServeAxon(t.Context(), netip.MustParseAddrPort("10.0.0.1:80"))
	err6 := c.SetWeights(t.Context(), targon.Weights{{UID: 1, Value: 65535}})
	f.put("CommitRevealWeightsEnabled", true, 2)
	f.onHead = func(b targon.Block) { f.put("SubnetEpochIndex", uint64(b)/20, 2) }
	err7 := c.SetWeights(t.Context(), targon.Weights{{UID: 2, Value: 65535}})
	_, err8 := c.Balance(t.Context(), f.hotkey(0))
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
		t.Error(err)
	}
}

// TestCurrent: nobody is paid for what the neuron before him did.
func TestCurrent(t *testing.T) {
	f := newFake(t)
	c := subtensor.New(f, 2, account(f.hotkey(0)))
	m, err := c.Metagraph(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := targon.Weights{{UID: 1, Value: 65535}, {UID: 2, Value: 20000}, {UID: 3, Value: 10000}}
	if got, err := c.Current(t.Context(), m, w); err != nil || !reflect.DeepEqual(got, w) {
		t.Errorf("nothing changed: %v (%v)", got, err)
	}
	f.put("Keys", targon.Hotkey{1}, 2, 1)
	if got, err := c.Current(t.Context(), m, w); err != nil || !reflect.DeepEqual(got, targon.Weights{{UID: 2, Value: 65535}, {UID: 3, Value: 32768}}) {
		t.Errorf("uid 1 changed: %v (%v)", got, err)
	}
	f.put("Keys", targon.Hotkey{2}, 2, 2)
	f.put("Keys", targon.Hotkey{3}, 2, 3)
	if got, err := c.Current(t.Context(), m, w); err != nil || len(got) != 0 {
		t.Errorf("all changed: %v (%v)", got, err)
	}
}

func TestTiming(t *testing.T) {
	old := newFake(t) // (block + 3) mod 11 == 10
	got, err := subtensor.New(old, 2, nil).Timing(t.Context())
	if err != nil || got.Schedule != nil || got.Next() != 84 || got.Index() != (74+3)/11 {
		t.Errorf("by number: %+v, next %d, index %d (%v)", got, got.Next(), got.Index(), err)
	}
	for _, c := range []struct {
		tempo, last, pending, waited uint64
		next                         targon.Block
	}{
		{10, 70, 0, 3, 80},
		{10, 70, 76, 3, 76},
		{10, 70, 99, 3, 80},
		{10, 70, 50, 3, 74}, // overdue
		{10, 60, 0, 10, 74}, // due since 70
		{360, 70, 0, 360, 430},
		{360, 70, 0, 361, 74},
		{0, 70, 0, 3, 0},
	} {
		f := newFakeOf(t, 424)
		f.put("Tempo", c.tempo, 2)
		f.put("LastEpochBlock", c.last, 2)
		f.put("PendingEpochAt", c.pending, 2)
		f.put("BlocksSinceLastStep", c.waited, 2)
		f.put("SubnetEpochIndex", 17, 2)
		got, err := subtensor.New(f, 2, nil).Timing(t.Context())
		if err != nil || got.Schedule == nil || got.Next() != c.next || got.Index() != 17 {
			t.Errorf("%+v: %+v, next %d, index %d (%v)", c, got, got.Next(), got.Index(), err)
		}
	}
	if _, err := subtensor.New(old, 9, nil).Timing(t.Context()); !errors.Is(err, subtensor.ErrNetwork) {
		t.Errorf("a subnet that is not there: %v", err)
	}
}

// FuzzAnswer: whatever a node answers to a runtime API, it is refused or a value that
// encodes to the same bytes, and a subnet read from it has its neurons in place.
func FuzzAnswer(f *testing.F) {
	functions := []string{
		"SubnetInfoRuntimeApi_get_selective_metagraph", "NeuronInfoRuntimeApi_get_neurons_lite", "SubnetInfoRuntimeApi_get_metagraph",
		"SubnetInfoRuntimeApi_get_subnet_hyperparams_v2", "SubnetInfoRuntimeApi_get_subnet_state", "SubnetInfoRuntimeApi_get_dynamic_info",
		"StakeInfoRuntimeApi_get_stake_info_for_coldkey",
	}
	f.Add(uint8(2), answerOf(f, "metagraph.hex"))
	f.Add(uint8(1), answerOf(f, "neurons_lite.hex"))
	f.Add(uint8(0), []byte{1, 8, 0, 0, 0})
	f.Add(uint8(3), []byte{0})
	api, node := subtensor.NewAPI(), &answering{}
	client := subtensor.New(node, 4, nil)
	f.Fuzz(func(t *testing.T, which uint8, raw []byte) {
		name := functions[int(which)%len(functions)]
		if v, err := api.DecodeResult(name, raw); err == nil {
			again, err := api.EncodeResult(name, v)
			if err != nil || !bytes.HasPrefix(raw, again) || len(bytes.Trim(raw[len(again):], "\x00")) > 0 {
				t.Fatalf("%s: %x is %v, which encodes as %x (%v)", name, raw, v, again, err)
			}
		}
		node.raw = raw
		s, err := client.Subnet(t.Context())
		for i, n := range s.Neurons {
			if err != nil || int(n.UID) != i {
				t.Fatalf("%x: neuron %d in place %d (%v)", raw, n.UID, i, err)
			}
		}
	})
}

// answering is a node that says the same to every runtime API, and has no storage.
type answering struct{ raw []byte }

func (a *answering) StateCall(context.Context, string, []byte, targon.Digest) ([]byte, error) {
	return a.raw, nil
}

func (*answering) Finalised(context.Context) (targon.Header, error) {
	return targon.Header{Number: 1}, nil
}

func (*answering) Runtime(context.Context, targon.Digest) (*rpc.Runtime, error) {
	return &rpc.Runtime{Metadata: &substrate.Metadata{}}, nil
}

func (*answering) StorageMany(_ context.Context, keys [][]byte, _ targon.Digest) ([][]byte, error) {
	return make([][]byte, len(keys)), nil
}

func (*answering) Hash(context.Context, targon.Block) (targon.Digest, bool, error) {
	return targon.Digest{}, false, nil
}

func (*answering) Heads(context.Context, targon.Header) iter.Seq2[targon.Header, error] {
	return func(func(targon.Header, error) bool) {}
}

func (*answering) Genesis(context.Context) (targon.Digest, error) { return targon.Digest{}, nil }

func (*answering) Send(context.Context, substrate.Signer, rpc.Build) (rpc.Inclusion, error) {
	return rpc.Inclusion{}, errors.New("nothing is sent")
}

func ExampleCommitment() {
	w := subtensor.Commitment{NetUID: 4, UIDs: []uint16{1}, Values: []uint16{65535}, Salt: []uint16{7}}
	fmt.Println(len(w.Preimage()), w.Hash())
	// Output: 51 ed5d52117f3b54350750a1fb6fc207b21ed628b044dbb3845e4da3abba67af67
}
