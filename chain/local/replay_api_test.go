package local_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"targon"
	"targon/chain/chainvectors"
	"targon/chain/local"
	"targon/chain/substrate"
	"targon/chain/substrate/rpc"
	"targon/chain/subtensor"
	"targon/scale"
)

// apiRecording is a file of runtime API calls of one subnet.
type apiRecording struct {
	NetUID targon.NetUID `json:"netuid"`
	Calls  []apiCall     `json:"calls"`
}

type apiCall struct {
	Method string          `json:"method"`
	Args   json.RawMessage `json:"args"`
	Raw    string          `json:"args_hex"`
	Result string          `json:"result_hex"`
}

// TestReplayAPI asks this chain what a real runtime was asked, about a subnet of as many
// neurons with the same keys. Values of an economy that is not here differ; the form may
// not: the same fields in the same types, a list or nothing where it was so there.
func TestReplayAPI(t *testing.T) {
	for _, file := range chainvectors.Files(t, "wire-*.json") {
		var v apiRecording
		readJSON(t, file, &v)
		if len(v.Calls) == 0 || v.Calls[0].Method == "" {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			api := subtensor.NewAPI()
			config := v.config(t, api)
			s := newStage(t, config, local.Metadata())
			for _, c := range v.Calls {
				want, err := api.DecodeResult(c.Method, unhex(t, c.Result))
				if err != nil {
					t.Logf("not replayed: %s: %v", c.Method, err)
					continue
				}
				raw, err := s.node.StateCall(t.Context(), c.Method, unhex(t, c.Raw), s.head().Hash)
				if err != nil {
					t.Errorf("%s(%s): %v", c.Method, c.Args, err)
					continue
				}
				got, err := api.DecodeResult(c.Method, raw)
				if err != nil {
					t.Errorf("%s(%s): %v", c.Method, c.Args, err)
					continue
				}
				for _, difference := range unlike(c.Method, got, want) {
					t.Errorf("%s(%s): %s", c.Method, c.Args, difference)
				}
			}
			t.Logf("%d calls", len(v.Calls))
		})
	}
}

// config is a subnet of the recorded neurons.
func (v *apiRecording) config(t *testing.T, api *subtensor.API) local.Config {
	t.Helper()
	c := local.Config{NetUID: v.NetUID, Rules: local.Rules{PayStake: true}}
	for _, call := range v.Calls {
		if !strings.HasSuffix(call.Method, "_get_neurons_lite") {
			continue
		}
		got, err := api.DecodeResult(call.Method, unhex(t, call.Result))
		if err != nil {
			t.Fatal(err)
		}
		list, _ := got.([]any)
		for _, n := range list {
			rec := n.(substrate.Record)
			a := local.Account{Hotkey: rec.Get("hotkey").(targon.Hotkey), Coldkey: rec.Get("coldkey").(targon.Hotkey), Register: true}
			for _, e := range rec.Get("stake").([]any) {
				a.Stake += targon.Rao(e.([]any)[1].(uint64))
			}
			c.Accounts = append(c.Accounts, a)
		}
		if len(list) > 0 {
			break
		}
	}
	return c
}

// unlike lists in what the form of two values differs, and the values of what makes a
// neuron: keys and places. Lists that depend on history may be of another length.
func unlike(at string, got, want any) []string {
	if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) && !isNumber(got, want) {
		return []string{fmt.Sprintf("%s is %T, recorded %T", at, got, want)}
	}
	var out []string
	switch want := want.(type) {
	case substrate.Record:
		got, _ := got.(substrate.Record)
		if len(got) != len(want) {
			return []string{fmt.Sprintf("%s has %d fields, recorded %d", at, len(got), len(want))}
		}
		for i, f := range want {
			if got[i].Name != f.Name {
				out = append(out, fmt.Sprintf("%s: field %d is %s, recorded %s", at, i, got[i].Name, f.Name))
				continue
			}
			out = append(out, unlike(at+"."+f.Name, got[i].Value, f.Value)...)
		}
	case []any:
		got, _ := got.([]any)
		byUID := !slices.ContainsFunc([]string{"dividends_per_hotkey", "weights", "bonds", "network_connect", "emission_history", "validators"},
			func(s string) bool { return strings.HasSuffix(at, s) })
		if byUID && len(got) != len(want) && !strings.HasSuffix(at, "name") && !strings.HasSuffix(at, "symbol") {
			out = append(out, fmt.Sprintf("%s: %d, recorded %d", at, len(got), len(want)))
		}
		for i := range min(len(got), len(want)) {
			out = append(out, unlike(fmt.Sprintf("%s[%d]", at, i), got[i], want[i])...)
		}
	case targon.Hotkey:
		if got != want && !strings.Contains(at, "owner") {
			out = append(out, fmt.Sprintf("%s: %v, recorded %v", at, got, want))
		}
	}
	if strings.HasSuffix(at, ".uid") || strings.HasSuffix(at, ".netuid") {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			out = append(out, fmt.Sprintf("%s: %v, recorded %v", at, got, want))
		}
	}
	return out
}

func isNumber(list ...any) bool {
	return !slices.ContainsFunc(list, func(v any) bool {
		switch v.(type) {
		case uint64, int64, *big.Int:
			return false
		}
		return true
	})
}

// TestReplayStorage: every recorded entry that this chain has lies under the same key
// here, and its recorded bytes are a value of the same type: they read as the same
// and are written as the same.
func TestReplayStorage(t *testing.T) {
	ours := local.Metadata()
	for _, file := range chainvectors.Files(t, "wire-*.json") {
		var v struct {
			Entries []struct {
				Pallet string  `json:"pallet"`
				Entry  string  `json:"entry"`
				Key    string  `json:"storage_key"`
				Value  *string `json:"value_hex"`
			} `json:"entries"`
		}
		readJSON(t, file, &v)
		if len(v.Entries) == 0 {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			real, shared := realMetadata(t, 0), 0
			for _, e := range v.Entries {
				_, entry, err := ours.Entry(e.Pallet, e.Entry)
				if err != nil {
					continue // not here
				}
				shared++
				name, key := e.Pallet+"."+e.Entry, unhex(t, e.Key)
				keys, err := ours.StorageKeys(e.Pallet, e.Entry, key)
				if err != nil {
					t.Error(err)
					continue
				}
				if again, err := ours.StorageKey(e.Pallet, e.Entry, keys...); err != nil || !bytes.Equal(again, key) {
					t.Errorf("%s%v lies under %x (%v), recorded %x", name, keys, again, err, key)
				}
				if e.Value == nil {
					continue
				}
				raw := unhex(t, *e.Value)
				got, err := ours.StorageValue(e.Pallet, e.Entry, raw)
				want, werr := real.StorageValue(e.Pallet, e.Entry, raw)
				if err != nil || werr != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s reads as %v (%v), in the real runtime as %v (%v)", name, got, err, want, werr)
					continue
				}
				w := &scale.Writer{}
				if err := ours.Types.Encode(w, entry.Value, got); err != nil || !bytes.Equal(w.Bytes(), raw) {
					t.Errorf("%s is written as %x (%v), recorded %x", name, w.Bytes(), err, raw)
				}
			}
			t.Logf("%d of %d entries are here too", shared, len(v.Entries))
		})
	}
}

// TestReplayRPC asks what a node was asked. Blocks and settings are others here, so that
// the form is compared: what is null, text, a number, a list, which fields an object
// has, and what is an error.
func TestReplayRPC(t *testing.T) {
	for _, file := range chainvectors.Files(t, "wire-rpc.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var v struct {
				Exchanges []struct {
					Request struct {
						Method string `json:"method"`
						Params []any  `json:"params"`
					} `json:"request"`
					Response struct {
						Result any             `json:"result"`
						Error  json.RawMessage `json:"error"`
					} `json:"response"`
				} `json:"exchanges"`
			}
			readJSON(t, file, &v)
			s := newStage(t, local.Config{NetUID: 2}, local.Metadata())
			here := s.head().Hash
			for _, e := range v.Exchanges {
				params := slices.Clone(e.Request.Params)
				for i, p := range params { // a block of the recording is one of ours
					if text, ok := p.(string); ok && len(text) == 66 && i == len(params)-1 {
						params[i] = rpc.Hex(here[:])
					}
				}
				var got any
				err := s.node.Read(t.Context(), &got, e.Request.Method, params...)
				if failed := e.Response.Error != nil; (err != nil) != failed {
					t.Errorf("%s(%v): %v, recorded %s", e.Request.Method, params, err, e.Response.Error)
				}
				if err == nil && !strings.HasPrefix(e.Request.Method, "state_get") { // what lies in storage differs
					if a, b := outline(got), outline(e.Response.Result); a != b {
						t.Errorf("%s(%v): %s, recorded %s", e.Request.Method, params, a, b)
					}
				}
			}
			t.Logf("%d exchanges", len(v.Exchanges))
		})
	}
}

// outline is the form of a JSON value, without what is in lists.
func outline(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case map[string]any:
		var parts []string
		for k, e := range v {
			parts = append(parts, k+":"+outline(e))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		return "list"
	case string:
		return "text"
	case bool:
		return "bool"
	default:
		return "number"
	}
}
