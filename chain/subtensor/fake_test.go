package subtensor_test

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"targon"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/scale"
)

// fake is a node with the recorded subnet in its storage; every block is final at
// once and every call makes one.
type fake struct {
	t       testing.TB
	m       *substrate.Metadata
	api     *subtensor.API
	whole   substrate.Record // the recorded metagraph
	storage map[string][]byte
	head    targon.Block
	without map[string]bool // runtime APIs that it does not have
	bad     map[string]bool // those that answer in another form
	calls   []substrate.Call
	refuse  error // of the next call
	onHead  func(targon.Block)
	apply   func(c substrate.Call) // what a call does
}

// newFake builds the storage from a recorded get_metagraph (testdata/README.md).
func newFake(t testing.TB) *fake {
	t.Helper()
	return newFakeOf(t, 293)
}

func newFakeOf(t testing.TB, spec int) *fake {
	t.Helper()
	f := &fake{t: t, m: metadata(t, spec), api: subtensor.NewAPI(), storage: map[string][]byte{}, head: 73, without: map[string]bool{}, bad: map[string]bool{}}
	v, err := f.api.DecodeResult("SubnetInfoRuntimeApi_get_metagraph", answerOf(t, "metagraph.hex"))
	if err != nil {
		t.Fatal(err)
	}
	f.whole = v.(substrate.Record)
	f.put("NetworksAdded", true, 2)
	for entry, field := range map[string]string{
		"Tempo": "tempo", "SubnetworkN": "num_uids", "ValidatorPermit": "validator_permit", "LastUpdate": "last_update",
		"Emission": "emission", "Dividends": "dividends", "Incentive": "incentives",
	} {
		f.put(entry, f.whole.Get(field), 2)
	}
	for i, h := range f.list("hotkeys") {
		f.put("Keys", h, 2, i)
		f.put("Uids", i, 2, h)
		f.put("Owner", f.list("coldkeys")[i], h)
		f.put("TotalHotkeyAlpha", f.list("total_stake")[i], h, 2)
		f.put("Axons", f.list("axons")[i], 2, h)
	}
	f.put("WeightsSetRateLimit", 0, 2)
	f.put("CommitRevealWeightsEnabled", false, 2)
	f.put("MinAllowedWeights", 1, 2)
	return f
}

// answerOf reads a recorded answer.
func answerOf(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return unhex(t, strings.TrimSpace(string(text)))
}

func (f *fake) list(field string) []any { return f.whole.Get(field).([]any) }

func (f *fake) hotkey(uid int) targon.Hotkey { return f.list("hotkeys")[uid].(targon.Hotkey) }

func (f *fake) put(entry string, v any, keys ...any) {
	f.t.Helper()
	key, err := f.m.StorageKey("SubtensorModule", entry, keys...)
	if err != nil {
		f.t.Fatal(err)
	}
	_, e, err := f.m.Entry("SubtensorModule", entry)
	if err != nil {
		f.t.Fatal(err)
	}
	w := &scale.Writer{}
	if err := f.m.Types.Encode(w, e.Value, v); err != nil {
		f.t.Fatalf("%s: %v", entry, err)
	}
	f.storage[string(key)] = w.Bytes()
}

func (f *fake) Runtime(context.Context, targon.Digest) (*rpc.Runtime, error) {
	return &rpc.Runtime{Spec: 293, Transaction: 1, Metadata: f.m}, nil
}

func (f *fake) StorageMany(_ context.Context, keys [][]byte, _ targon.Digest) ([][]byte, error) {
	out := make([][]byte, len(keys))
	for i, k := range keys {
		out[i] = f.storage[string(k)]
	}
	return out, nil
}

func (f *fake) StateCall(_ context.Context, function string, args []byte, _ targon.Digest) ([]byte, error) {
	switch {
	case f.without[function]:
		return nil, &rpc.Error{Message: "Function to start was not found."}
	case f.bad[function]:
		return []byte{1, 2, 3}, nil
	}
	rec, err := f.api.DecodeArgs(function, args)
	if err != nil {
		f.t.Error(err)
	}
	switch function {
	case "SubnetInfoRuntimeApi_get_selective_metagraph":
		if rec.Get("netuid") != uint64(2) {
			return []byte{0}, nil
		}
		raw, err := f.api.EncodeResult(function, f.chosen(rec.Get("indexes").([]any)))
		if err != nil {
			f.t.Error(err)
		}
		return append(raw, 0, 0), nil // as a newer runtime does, with two more fields
	case "NeuronInfoRuntimeApi_get_neurons_lite":
		if rec.Get("netuid") == uint64(2) {
			return answerOf(f.t, "neurons_lite.hex"), nil
		}
		return []byte{0}, nil
	}
	return nil, &rpc.Error{Message: "Function to start was not found."}
}

// chosen is the metagraph with the fields of the indexes.
func (f *fake) chosen(indexes []any) substrate.Record {
	var out substrate.Record
	for _, field := range f.whole {
		v := any(nil)
		at, _ := f.api.Index(field.Name)
		for _, i := range indexes {
			if i == uint64(at) {
				v = field.Value
			}
		}
		switch {
		case field.Name == "netuid" && v == nil:
			v = 0
		case field.Name == "identity":
			v = substrate.Variant{Name: "None"}
		}
		out = append(out, substrate.Named{Name: field.Name, Value: v})
	}
	return append(out, substrate.Named{Name: "validators"})
}

func (f *fake) Finalised(context.Context) (targon.Header, error) { return f.header(f.head), nil }

func (f *fake) header(b targon.Block) targon.Header {
	return targon.Header{Number: b, Hash: targon.Digest{1, byte(b), byte(b >> 8)}}
}

func (f *fake) Hash(_ context.Context, b targon.Block) (targon.Digest, bool, error) {
	return f.header(b).Hash, b <= f.head, nil
}

func (f *fake) Heads(_ context.Context, from targon.Header) iter.Seq2[targon.Header, error] {
	return func(yield func(targon.Header, error) bool) {
		for b := from.Number + 1; ; b++ {
			f.head = max(f.head, b)
			if f.onHead != nil {
				f.onHead(b)
			}
			if !yield(f.header(b), nil) {
				return
			}
		}
	}
}

func (f *fake) Genesis(context.Context) (targon.Digest, error) { return targon.Digest{0x45}, nil }

func (f *fake) Send(_ context.Context, _ substrate.Signer, build rpc.Build) (rpc.Inclusion, error) {
	raw, err := build(f.m)
	if err != nil {
		return rpc.Inclusion{}, err
	}
	call, err := f.m.DecodeCall(raw)
	if err != nil {
		f.t.Error(err)
	}
	f.calls = append(f.calls, call)
	if f.refuse != nil {
		return rpc.Inclusion{}, f.refuse
	}
	f.head++
	if f.apply != nil {
		f.apply(call)
	}
	return rpc.Inclusion{Block: f.header(f.head), Index: 1}, nil
}

// keepWeights stores what set_weights and reveal_weights set for a neuron.
func (f *fake) keepWeights(uid int) {
	f.apply = func(c substrate.Call) {
		dests, values := c.Args.Get("dests"), c.Args.Get("weights")
		if c.Name == "reveal_weights" {
			dests, values = c.Args.Get("uids"), c.Args.Get("values")
		}
		if dests == nil {
			return
		}
		var row []any
		for i, d := range dests.([]any) {
			row = append(row, []any{d, values.([]any)[i]})
		}
		f.put("Weights", row, 2, uid)
	}
}
