package local_test

import (
	"bytes"
	"testing"
	"time"

	"targon"
	"targon/chain/local"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

// TestMetadataVersions: the runtime says of itself what it says in state_getMetadata, and
// in version 15, which holds the runtime APIs too.
func TestMetadataVersions(t *testing.T) {
	_, endpoint := serve(t, local.Config{BlockTime: time.Hour})
	node := connect(t, endpoint)
	head, err := node.Finalised(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(function string, args ...byte) []byte {
		raw, err := node.StateCall(t.Context(), function, args, head.Hash)
		if err != nil {
			t.Errorf("%s(%x): %v", function, args, err)
		}
		return raw
	}
	old := local.Metadata().Bytes()
	if raw := ask("Metadata_metadata"); !bytes.HasSuffix(raw, old) || len(raw) > len(old)+4 {
		t.Error("Metadata_metadata is not the metadata")
	}
	if got := ask("Metadata_metadata_versions"); !bytes.Equal(got, []byte{8, 14, 0, 0, 0, 15, 0, 0, 0}) {
		t.Errorf("versions %x", got)
	}
	if raw := ask("Metadata_metadata_at_version", 14, 0, 0, 0); !bytes.HasSuffix(raw, old) {
		t.Error("version 14 is another")
	}
	if raw := ask("Metadata_metadata_at_version", 16, 0, 0, 0); !bytes.Equal(raw, []byte{0}) {
		t.Errorf("version 16 is %.20x", raw)
	}
	newer := ask("Metadata_metadata_at_version", 15, 0, 0, 0)
	for _, part := range []string{"meta\x0f", "get_selective_metagraph", "NeuronInfoRuntimeApi", "burned_register"} {
		if !bytes.Contains(newer, []byte(part)) {
			t.Errorf("version 15 lacks %q", part)
		}
	}
}

// TestEveryValue: what lies in storage reads back under the metadata, each key under
// its entry, and so do the runtime APIs.
func TestEveryValue(t *testing.T) {
	_, endpoint := serve(t, local.Config{
		NetUID: 4, Tempo: 5, BlockTime: time.Hour,
		Accounts: []local.Account{{Hotkey: targon.Hotkey{1}, Balance: 7, Stake: 1e12, Register: true}, {Hotkey: targon.Hotkey{2}, Register: true}},
	})
	node := connect(t, endpoint)
	head, err := node.Finalised(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := local.Metadata()
	keys, err := node.Keys(t.Context(), nil, head.Hash, 10000)
	if err != nil {
		t.Fatal(err)
	}
	values, err := node.StorageMany(t.Context(), keys, head.Hash)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, p := range m.Pallets {
		for _, e := range p.Storage.Entries {
			prefix, err := m.StorageKey(p.Name, e.Name)
			if err != nil {
				t.Fatal(err)
			}
			for i, k := range keys {
				if !bytes.HasPrefix(k, prefix) {
					continue
				}
				read++
				if _, err := m.StorageKeys(p.Name, e.Name, k); err != nil {
					t.Error(err)
				}
				if v, err := m.StorageValue(p.Name, e.Name, values[i]); err != nil || v == nil {
					t.Errorf("%s.%s: %v, %v", p.Name, e.Name, v, err)
				}
			}
		}
	}
	if read != len(keys) || read < 60 {
		t.Errorf("%d of %d keys are of an entry", read, len(keys))
	}
	api := subtensor.NewAPI()
	for function, args := range map[string]substrate.Record{
		"NeuronInfoRuntimeApi_get_neurons_lite":          {{Name: "netuid", Value: 4}},
		"NeuronInfoRuntimeApi_get_neurons":               {{Name: "netuid", Value: 4}},
		"NeuronInfoRuntimeApi_get_neuron":                {{Name: "netuid", Value: 4}, {Name: "uid", Value: 1}},
		"NeuronInfoRuntimeApi_get_neuron_lite":           {{Name: "netuid", Value: 4}, {Name: "uid", Value: 1}},
		"SubnetInfoRuntimeApi_get_metagraph":             {{Name: "netuid", Value: 4}},
		"SubnetInfoRuntimeApi_get_selective_metagraph":   {{Name: "netuid", Value: 4}, {Name: "indexes", Value: []uint16{0, 3, 52, 72, 999}}},
		"SubnetInfoRuntimeApi_get_subnet_hyperparams":    {{Name: "netuid", Value: 4}},
		"SubnetInfoRuntimeApi_get_subnet_hyperparams_v2": {{Name: "netuid", Value: 4}},
		"SwapRuntimeApi_current_alpha_price":             {{Name: "netuid", Value: 4}},
		"AccountNonceApi_account_nonce":                  {{Name: "account", Value: targon.Hotkey{1}}},
	} {
		raw, err := api.EncodeArgs(function, args)
		if err != nil {
			t.Fatal(err)
		}
		out, err := node.StateCall(t.Context(), function, raw, head.Hash)
		if err != nil {
			t.Errorf("%s: %v", function, err)
			continue
		}
		if v, err := api.DecodeResult(function, out); err != nil || v == nil {
			t.Errorf("%s: %v, %v", function, v, err)
		}
	}
	if _, err := node.StateCall(t.Context(), "Nothing_at_all", nil, head.Hash); err == nil {
		t.Error("a function that is not there was answered")
	}
	if _, err := node.Storage(t.Context(), []byte{1}, targon.Digest{9}); err == nil {
		t.Error("state of an unknown block was read")
	}
}
