package local

import (
	"encoding/json"
	"errors"
	"testing"

	"targon"
	"targon/chain/local/jsonrpc"
	"targon/chain/substrate"
)

// fuzzed is a chain with one neuron that may do everything, and its key.
func fuzzed(t testing.TB) *Chain {
	own := testKey(t, 1).Hotkey()
	return newChain(t, Config{
		NetUID: 4, Tempo: 9, Sudo: own, Rules: Rules{PayStake: true},
		Accounts: []Account{{Hotkey: own, Balance: 1e12, Stake: 1e12, Register: true}, {Hotkey: targon.Hotkey{2}, Register: true}},
	})
}

// seeds are calls of many kinds, also inside one another.
func seeds(t testing.TB, m *substrate.Metadata) [][]byte {
	remark := substrate.Variant{Name: "System", Value: substrate.Variant{Name: "remark", Value: record("remark", []byte{1})}}
	tempo := substrate.Variant{Name: "AdminUtils", Value: substrate.Variant{Name: "sudo_set_tempo", Value: record("netuid", 4, "tempo", 3)}}
	sudo := substrate.Variant{Name: "Sudo", Value: substrate.Variant{Name: "sudo", Value: record("call", tempo)}}
	var out [][]byte
	for _, c := range []struct {
		pallet, name string
		args         substrate.Record
	}{
		{"Utility", "batch", record("calls", []any{remark, tempo, sudo})},
		{"Utility", "batch_all", record("calls", []any{sudo, remark})},
		{"Utility", "force_batch", record("calls", []any{tempo, remark})},
		{"Balances", "transfer_keep_alive", record("dest", substrate.Variant{Name: "Id", Value: targon.Hotkey{7}}, "value", 5)},
		{subtensorPallet, "set_weights", record("netuid", 4, "dests", []uint16{0, 1}, "weights", []uint16{1, 2}, "version_key", 0)},
		{subtensorPallet, "burned_register", record("netuid", 4, "hotkey", targon.Hotkey{9})},
		{subtensorPallet, "add_stake_limit", record("hotkey", testKey(t, 1).Hotkey(), "netuid", 4, "amount_staked", uint64(1e9), "limit_price", uint64(1e9), "allow_partial", true)},
		{subtensorPallet, "serve_prometheus", record("netuid", 4, "version", 1, "ip", 10<<24, "port", 1, "ip_type", 4)},
	} {
		raw, err := m.EncodeCall(c.pallet, c.name, c.args)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, raw)
	}
	return out
}

// FuzzDeed: whatever call is decoded, running it moves no rao that is not in the books,
// and what it leaves is written and its events are told as the metadata wants it.
func FuzzDeed(f *testing.F) {
	m := Metadata()
	for _, raw := range seeds(f, m) {
		f.Add(raw)
	}
	c := fuzzed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		decoded, err := m.DecodeCall(raw)
		if err != nil {
			return
		}
		d, err := deedOf(decoded)
		if err != nil {
			return
		}
		s := c.state.clone()
		s.block = 20
		for range 2 { // also as somebody who has just done so
			x := call{signer: testKey(t, 1).Hotkey(), deed: d, raw: raw}
			s.conclude(0, 1, s.apply(x))
		}
		total := targon.Rao(0)
		for _, a := range s.accounts {
			total += a.balance + a.stake
		}
		if total != 2e12+s.minted-s.burned {
			t.Fatalf("accounts own %d, the books say 2e12 + %d - %d", total, s.minted, s.burned)
		}
		p := &page{m: m, pairs: map[string][]byte{}}
		s.write(p)
		p.put("System", "Events", (&sealed{events: s.events}).records(m))
		if p.err != nil {
			t.Fatal(p.err)
		}
	})
}

// FuzzNode: whatever a client sends, it is answered or refused with a number, and the
// chain goes on.
func FuzzNode(f *testing.F) {
	c := fuzzed(f)
	n := NewNode(c)
	methods := n.names()
	for i, raw := range seeds(f, n.meta) {
		x, err := n.meta.SignExtrinsic(testKey(f, 1), raw, substrate.Terms{Spec: specVersion, Transaction: transactionVersion, Genesis: c.genesis, Start: c.genesis})
		if err != nil {
			f.Fatal(err)
		}
		text, err := json.Marshal([]string{hexOf(x)})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(0), text)
		f.Add(uint8(i), []byte(`["NeuronInfoRuntimeApi_get_neurons_lite","0x0400",null]`))
	}
	f.Add(uint8(3), []byte(`["0x","5",null,"0x00"]`))
	f.Fuzz(func(t *testing.T, which uint8, params []byte) {
		var list []json.RawMessage
		if json.Unmarshal(params, &list) != nil {
			return
		}
		name := methods[int(which)%len(methods)]
		if which == 0 {
			name = "author_submitExtrinsic"
		}
		v, err := n.Call(t.Context(), name, list)
		if _, ok := errors.AsType[*jsonrpc.Error](err); err != nil && !ok {
			t.Fatalf("%s(%s): %v", name, params, err)
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		if len(c.pool) > 0 {
			c.Step()
		}
	})
}
