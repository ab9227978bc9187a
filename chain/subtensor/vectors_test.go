package subtensor_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"targon"
	"targon/chain/chainvectors"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t testing.TB, file string, dst any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(dst); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func metadata(t testing.TB, spec int) *substrate.Metadata {
	t.Helper()
	f, err := os.Open(chainvectors.Metadata(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	m, err := substrate.ParseMetadata(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// recorded is one runtime API call of a recording.
type recorded struct {
	Method  string         `json:"method"`
	Args    map[string]any `json:"args"`
	ArgsHex string         `json:"args_hex"`
	Result  string         `json:"result_hex"`
	Decoded any            `json:"decoded"`
}

func calls(t testing.TB, file string) []recorded {
	t.Helper()
	var v struct {
		Calls []recorded `json:"calls"`
	}
	load(t, file, &v)
	return v.Calls
}

// TestRuntimeAPIVectors: arguments and results of every recorded call, byte for byte in
// both directions.
func TestRuntimeAPIVectors(t *testing.T) {
	api := subtensor.NewAPI()
	for _, file := range chainvectors.Files(t, "wire-*.json") {
		list := calls(t, file)
		if len(list) == 0 || list[0].Method == "" {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, c := range list {
				name := fmt.Sprintf("%s(%v)", c.Method, c.Args)
				args, err := api.DecodeArgs(c.Method, unhex(t, c.ArgsHex))
				if err != nil || !equal(plain(args), any(c.Args)) {
					t.Errorf("%s: arguments %v (%v)", name, plain(args), err)
				}
				if raw, err := api.EncodeArgs(c.Method, args); err != nil || !bytes.Equal(raw, unhex(t, c.ArgsHex)) {
					t.Errorf("%s: arguments encode as %x (%v), want %s", name, raw, err, c.ArgsHex)
				}
				v, err := api.DecodeResult(c.Method, unhex(t, c.Result))
				if err != nil || !equal(plain(v), c.Decoded) {
					t.Errorf("%s: %v (%v)\nwant %v", name, plain(v), err, c.Decoded)
					continue
				}
				if raw, err := api.EncodeResult(c.Method, v); err != nil || !bytes.Equal(raw, unhex(t, c.Result)) {
					t.Errorf("%s: encodes as %x (%v), want %s", name, raw, err, c.Result)
				}
			}
			t.Logf("%d calls", len(list))
		})
	}
}

// TestCommitments: what is hashed for commit_weights, and its hash.
func TestCommitments(t *testing.T) {
	for _, file := range chainvectors.Files(t, "commit-reveal*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var v struct {
				Vectors []struct {
					Key      string   `json:"account_public_key"`
					NetUID   uint16   `json:"netuid"`
					UIDs     []uint16 `json:"uids"`
					Values   []uint16 `json:"values"`
					Salt     []uint16 `json:"salt"`
					Version  uint64   `json:"version_key"`
					Preimage string   `json:"preimage_hex"`
					Hash     string   `json:"hash_hex"`
				} `json:"vectors"`
			}
			load(t, file, &v)
			for _, c := range v.Vectors {
				w := subtensor.Commitment{Account: targon.Hotkey(unhex(t, c.Key)), NetUID: targon.NetUID(c.NetUID), UIDs: c.UIDs, Values: c.Values, Salt: c.Salt, VersionKey: c.Version}
				if !bytes.Equal(w.Preimage(), unhex(t, c.Preimage)) || "0x"+w.Hash().String() != c.Hash {
					t.Errorf("preimage %x, hash %s; want %s, %s", w.Preimage(), w.Hash(), c.Preimage, c.Hash)
				}
			}
			t.Logf("%d commitments", len(v.Vectors))
		})
	}
}

// plain turns a value into what JSON would hold, integers as decimal text.
func plain(v any) any {
	switch v := v.(type) {
	case uint64, int64, *big.Int:
		return fmt.Sprint(v)
	case targon.Hotkey:
		return v.String()
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, plain(e))
		}
		return out
	case substrate.Record:
		out := map[string]any{}
		for _, f := range v {
			out[f.Name] = plain(f.Value)
		}
		return out
	case substrate.Variant: // an Option of an Option, which JSON cannot tell apart
		return plain(v.Value)
	default:
		return v
	}
}

func equal(got, want any) bool {
	switch want := want.(type) {
	case json.Number:
		return got == want.String()
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range list {
			if !equal(list[i], want[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok || len(m) != len(want) {
			return false
		}
		for k, w := range want {
			if g, ok := m[k]; !ok || !equal(g, w) {
				return false
			}
		}
		return true
	}
	return got == want
}
