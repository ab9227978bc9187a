package substrate_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
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
	"targon/scale"
	"targon/sign"
)

// object is a JSON object of a recording; numbers are kept as they are written.
type object map[string]any

func (o object) str(key string) string { s, _ := o[key].(string); return s }
func (o object) obj(key string) object { m, _ := o[key].(map[string]any); return m }
func (o object) list(key string) []any { l, _ := o[key].([]any); return l }
func (o object) hex(key string) []byte { return unhex(o.str(key)) }
func (o object) num(key string) uint64 { return number(o[key]) }
func (o object) objs(key string) []object {
	var out []object
	for _, e := range o.list(key) {
		m, _ := e.(map[string]any)
		out = append(out, m)
	}
	return out
}

func number(v any) uint64 {
	n, ok := new(big.Int).SetString(fmt.Sprint(v), 10)
	if !ok || !n.IsUint64() {
		return 0
	}
	return n.Uint64()
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		panic(err)
	}
	return b
}

func load(t *testing.T, file string) object {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out object
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out
}

func rawMetadata(t testing.TB, name string) []byte {
	t.Helper()
	return unpack(t, chainvectors.Default(t, name))
}

func unpack(t testing.TB, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
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
	return raw
}

// metadata returns that of the runtime that made a recording.
func metadata(t testing.TB, v object) *substrate.Metadata {
	t.Helper()
	m, err := substrate.ParseMetadata(unpack(t, chainvectors.Metadata(t, spec(map[string]any(v)))))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// spec returns the spec version that a recording names anywhere, or 0.
func spec(v any) int {
	switch v := v.(type) {
	case map[string]any:
		if n, ok := v["spec_version"]; ok {
			return int(number(n))
		}
		for _, e := range v {
			if n := spec(e); n != 0 {
				return n
			}
		}
	case []any:
		for _, e := range v {
			if n := spec(e); n != 0 {
				return n
			}
		}
	}
	return 0
}

// TestWireVectors runs every wire recording; what is in a file says what it records.
func TestWireVectors(t *testing.T) {
	for _, file := range chainvectors.Files(t, "wire-*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			v := load(t, file)
			switch {
			case v["entries"] != nil:
				storage(t, v)
			case v["extrinsics"] != nil:
				extrinsics(t, v)
			case v["exchanges"] != nil:
				exchanges(t, v)
			case v["calls"] != nil && v["blocks"] != nil:
				refusals(t, v)
			case v["calls"] != nil:
				t.Skip("runtime APIs are not in metadata of version 14: chain/subtensor reads them")
			default:
				t.Errorf("a recording of an unknown kind")
			}
		})
	}
}

func storage(t *testing.T, v object) {
	m := metadata(t, v)
	entries, prefixes := 0, 0
	for _, e := range v.objs("entries") {
		entries++
		name := e.str("pallet") + "." + e.str("entry")
		_, entry, err := m.Entry(e.str("pallet"), e.str("entry"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, h := range e.list("hashers") {
			if got := entry.Hashers[i].String(); got != h {
				t.Errorf("%s: hasher %d is %s, want %s", name, i, got, h)
			}
		}
		key, err := m.StorageKey(e.str("pallet"), e.str("entry"), keys(t, e.list("args"))...)
		if err != nil || !bytes.Equal(key, e.hex("storage_key")) {
			t.Errorf("%s: key %x (%v), want %s", name, key, err, e.str("storage_key"))
		}
		back, err := m.StorageKeys(e.str("pallet"), e.str("entry"), key)
		if err != nil || len(e.list("args")) > 0 && !same(back, e.list("args")) {
			t.Errorf("%s: key reads as %v (%v), want %v", name, back, err, e["args"])
		}
		var raw []byte
		if e["value_hex"] != nil {
			raw = e.hex("value_hex")
		}
		got, err := m.StorageValue(e.str("pallet"), e.str("entry"), raw)
		if err != nil || !same(got, e["decoded"]) {
			t.Errorf("%s: value %v (%v), want %v", name, plain(got), err, e["decoded"])
			continue
		}
		if raw == nil {
			continue
		}
		w := &scale.Writer{}
		if err := m.Types.Encode(w, entry.Value, got); err != nil || !bytes.Equal(w.Bytes(), raw) {
			t.Errorf("%s: value encodes as %x (%v), want %x", name, w.Bytes(), err, raw)
		}
	}
	for _, p := range v.objs("prefixes") {
		prefixes++
		key, err := m.StorageKey(p.str("pallet"), p.str("entry"), keys(t, p.list("prefix_args"))...)
		if err != nil || !bytes.Equal(key, p.hex("prefix_hex")) {
			t.Errorf("%s.%s: prefix %x (%v), want %s", p.str("pallet"), p.str("entry"), key, err, p.str("prefix_hex"))
		}
		for _, k := range p.list("keys_paged") {
			back, err := m.StorageKeys(p.str("pallet"), p.str("entry"), unhex(k.(string)))
			if err != nil {
				t.Error(err)
				continue
			}
			again, err := m.StorageKey(p.str("pallet"), p.str("entry"), back...)
			if err != nil || !bytes.Equal(again, unhex(k.(string))) {
				t.Errorf("key %s reads as %v, which gives %x (%v)", k, back, again, err)
			}
		}
	}
	t.Logf("%d entries, %d prefixes", entries, prefixes)
}

// keys turns recorded map keys into values: numbers and accounts.
func keys(t *testing.T, args []any) []any {
	t.Helper()
	var out []any
	for _, a := range args {
		switch a := a.(type) {
		case json.Number:
			out = append(out, number(a))
		case string:
			if h, err := targon.ParseHotkey(a); err == nil {
				out = append(out, h)
			} else {
				out = append(out, unhex(a))
			}
		default:
			t.Fatalf("map key %v", a)
		}
	}
	return out
}

func extrinsics(t *testing.T, v object) {
	m := metadata(t, v)
	for i, name := range v.list("signed_extensions") {
		if i >= len(m.Extrinsic.Extensions) || m.Extrinsic.Extensions[i].Name != name {
			t.Errorf("signed extension %d is not %s", i, name)
		}
	}
	for _, x := range v.objs("extrinsics") {
		checkExtrinsic(t, m, x)
	}
	checkBlocks(t, m, v.objs("blocks"))
	t.Logf("%d extrinsics, %d blocks", len(v.objs("extrinsics")), len(v.objs("blocks")))
}

func digest(b []byte) (d targon.Digest) {
	copy(d[:], b)
	return d
}

// terms returns what a recorded extrinsic was signed with.
func terms(t *testing.T, x object) substrate.Terms {
	t.Helper()
	out := substrate.Terms{
		Nonce: x.num("nonce"), Tip: x.num("tip"),
		Spec: uint32(x.num("spec_version")), Transaction: uint32(x.num("transaction_version")),
		Genesis: digest(x.hex("genesis_hash")), Start: digest(x.hex("era_block_hash")),
	}
	if era := x.obj("era"); era["mortal"] == true {
		out.Era = substrate.Mortal(era.num("period"), era.num("current_block"))
		if out.Era.Period != era.num("period") || out.Era.Phase != era.num("phase") {
			t.Errorf("era %+v, want %v", out.Era, era)
		}
	}
	return out
}

// checkExtrinsic holds a recorded extrinsic to each of its pieces.
func checkExtrinsic(t *testing.T, m *substrate.Metadata, x object) {
	t.Helper()
	name := x.str("name")
	if name == "" {
		name = x.obj("call").str("name")
	}
	call := checkCall(t, m, name, x.obj("call"))
	tm := terms(t, x)
	payload, err := m.Payload(call, tm)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if want := x.hex("signing_payload_hex"); len(want) > 0 && !bytes.Equal(payload, want) {
		t.Errorf("%s: payload %x\nwant %x", name, payload, want)
	}
	if want := x.num("signing_payload_length"); want != 0 && uint64(len(payload)) != want {
		t.Errorf("%s: payload of %d bytes, want %d", name, len(payload), want)
	}
	if want := x.hex("signed_bytes_hex"); len(want) > 0 && !bytes.Equal(substrate.SignedBytes(payload), want) {
		t.Errorf("%s: signed bytes %x\nwant %x", name, substrate.SignedBytes(payload), want)
	}
	var signer targon.Hotkey
	var sig targon.Signature
	copy(signer[:], x.hex("signer_public_key"))
	copy(sig[:], x.hex("signature_hex"))
	raw, err := m.Assemble(signer, sig, call, tm)
	want := x.hex("extrinsic_hex")
	// A recording of a bad signature changed it after it was noted and hashed.
	bad := strings.Contains(x.obj("pool").obj("error").str("message"), "badProof")
	if err != nil || bytes.Equal(raw, want) == bad {
		t.Errorf("%s: extrinsic %x (%v)\nwant %x", name, raw, err, want)
	}
	if got := substrate.Hash(raw); got != digest(x.hex("extrinsic_hash")) {
		t.Errorf("%s: hash %s, want %s", name, got, x.str("extrinsic_hash"))
	}
	back, err := m.DecodeExtrinsic(want)
	if err != nil || !back.Signed || back.Signer != signer || (back.Signature != sig) != bad || back.Terms.Nonce != tm.Nonce || back.Terms.Tip != tm.Tip || back.Terms.Era != tm.Era {
		t.Errorf("%s: reads as %+v (%v)", name, back, err)
		return
	}
	claim, err := m.Claim(back, tm)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if err := sign.Verify(claim.Key, claim.Message, claim.Signature); (err != nil) != bad {
		t.Errorf("%s: signature: %v", name, err)
	}
	tm.Spec++
	if claim, err = m.Claim(back, tm); err != nil || sign.Verify(claim.Key, claim.Message, claim.Signature) == nil {
		t.Errorf("%s: signature holds for another runtime (%v)", name, err)
	}
}

// checkCall decodes a recorded call, encodes it again and returns its bytes.
func checkCall(t *testing.T, m *substrate.Metadata, name string, c object) []byte {
	t.Helper()
	want := c.hex("call_hex")
	got, err := m.DecodeCall(want)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return want
	}
	if uint64(got.PalletIndex) != c.num("pallet_index") || uint64(got.Index) != c.num("call_index") || got.Name != c.str("name") || !alike(got.Pallet, c.str("pallet")) {
		t.Errorf("%s: call reads as %+v", name, got)
	}
	if !same(got.Args, c["args"]) {
		t.Errorf("%s: arguments read as %v, want %v", name, plain(got.Args), c["args"])
	}
	again, err := m.EncodeCall(got.Pallet, got.Name, got.Args)
	if err != nil || !bytes.Equal(again, want) {
		t.Errorf("%s: call encodes as %x (%v), want %x", name, again, err, want)
	}
	return again
}

func checkBlocks(t *testing.T, m *substrate.Metadata, blocks []object) {
	t.Helper()
	for _, b := range blocks {
		for _, x := range b.list("extrinsics") {
			got, err := m.DecodeExtrinsic(unhex(x.(string)))
			if err != nil {
				t.Errorf("block %d: %v", b.num("number"), err)
			} else if !got.Signed && !bytes.Equal(substrate.Inherent(got.CallBytes), unhex(x.(string))) {
				t.Errorf("block %d: inherent %s does not encode to itself", b.num("number"), x)
			}
		}
		checkEvents(t, m, b.obj("events"))
	}
}

func checkEvents(t *testing.T, m *substrate.Metadata, v object) {
	t.Helper()
	events, err := m.Events(v.hex("value_hex"))
	want := v.objs("decoded")
	if err != nil || len(events) != len(want) {
		t.Fatalf("%d events (%v), want %d", len(events), err, len(want))
	}
	for i, e := range events {
		w := want[i]
		if uint64(e.PalletIndex) != w.num("pallet_index") || uint64(e.Index) != w.num("event_index") || e.Name != w.str("event") || !alike(e.Pallet, w.str("pallet")) {
			t.Errorf("event %d is %s.%s, want %s.%s", i, e.Pallet, e.Name, w["pallet"], w["event"])
			continue
		}
		if !same(e.Phase, w["phase"]) || len(e.Fields) != len(w.list("fields")) || !same(e.Topics, w["topics"]) {
			t.Errorf("event %d %s: phase %v, %d fields, topics %v; want %v", i, e.Name, e.Phase, len(e.Fields), e.Topics, w)
			continue
		}
		for j, f := range w.objs("fields") {
			if !bytes.Equal(e.Fields[j].Raw, f.hex("hex")) || !same(e.Fields[j].Value, f["value"]) {
				t.Errorf("event %d %s: field %d is %x %v, want %v", i, e.Name, j, e.Fields[j].Raw, plain(e.Fields[j].Value), f)
			}
		}
	}
}

func refusals(t *testing.T, v object) {
	m := metadata(t, v)
	checkBlocks(t, m, v.objs("blocks"))
	events := map[uint64][]substrate.Event{}
	for _, b := range v.objs("blocks") {
		e, err := m.Events(b.obj("events").hex("value_hex"))
		if err != nil {
			t.Fatal(err)
		}
		events[b.num("number")] = e
	}
	kinds := map[string]int{}
	for _, x := range v.objs("calls") {
		kinds[x.str("outcome")]++
		checkExtrinsic(t, m, x)
		if x.str("outcome") == "refused by the pool" {
			checkPool(t, x)
			continue
		}
		if e, ok := events[x.obj("block").num("number")]; ok {
			checkOutcome(t, x, m.Outcome(e, int(x.num("extrinsic_index"))))
		}
		if w := x.obj("error"); w["error_index"] != nil {
			got, err := m.ErrorName(uint8(w.num("module_index")), uint8(w.num("error_index")))
			if err != nil || got.Name != w.str("name") {
				t.Errorf("%s: error is %v (%v), want %v", x.str("name"), got, err, w)
			}
		}
	}
	t.Logf("outcomes %v", kinds)
}

// checkOutcome compares what the events of a block say with what was noted.
func checkOutcome(t *testing.T, x object, err error) {
	t.Helper()
	w := x.obj("error")
	if x.str("outcome") == "ok" {
		if err != nil {
			t.Errorf("%s: %v, want success", x.str("name"), err)
		}
		return
	}
	e, ok := errors.AsType[*substrate.DispatchError](err)
	if !ok || w["name"] != nil && e.Name != w.str("name") || w["module_index"] != nil && uint64(e.PalletIndex) != w.num("module_index") {
		t.Errorf("%s: %v, want %v", x.str("name"), err, w)
	}
}

func checkPool(t *testing.T, x object) {
	t.Helper()
	e := x.obj("pool").obj("error")
	got := substrate.ParsePoolError(int(e.num("code")), e.str("message"), e.str("data"))
	if got == nil || got.Name == "Invalid" {
		t.Errorf("%s: %v of %v", x.str("name"), got, e)
		return
	}
	var want map[string]map[string]any
	if err := json.Unmarshal([]byte(e.str("message")), &want); err != nil {
		t.Fatal(err)
	}
	for name, custom := range want["invalid"] {
		if !alike(got.Name, name) || custom != nil && float64(got.Custom) != custom {
			t.Errorf("%s: %v, want %s %v", x.str("name"), got, name, custom)
		}
	}
}

// exchanges checks what is SCALE inside the recorded JSON.
func exchanges(t *testing.T, v object) {
	m := metadata(t, v)
	blocks := 0
	for _, e := range v.objs("exchanges") {
		if e.obj("request").str("method") != "chain_getBlock" {
			continue
		}
		for _, x := range e.obj("response").obj("result").obj("block").list("extrinsics") {
			blocks++
			if _, err := m.DecodeExtrinsic(unhex(x.(string))); err != nil {
				t.Error(err)
			}
		}
	}
	t.Logf("%d extrinsics", blocks)
}

func TestCommitRevealVectors(t *testing.T) {
	for _, file := range chainvectors.Files(t, "commit-reveal*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			v := load(t, file)
			m := metadata(t, v)
			for _, s := range v.objs("steps") {
				events, err := m.Events(s.obj("events").hex("value_hex"))
				if err != nil {
					t.Fatal(err)
				}
				if s["events"] != nil {
					checkEvents(t, m, s.obj("events"))
				}
				for _, x := range s.objs("calls") {
					checkExtrinsic(t, m, x)
					if s["events"] != nil && x["extrinsic_index"] != nil {
						checkOutcome(t, x, m.Outcome(events, int(x.num("extrinsic_index"))))
					}
				}
			}
			stored := append(v.objs("weights_after"), v.obj("weight_commits_storage"))
			for _, s := range stored {
				entry := "Weights"
				if s["uid"] == nil {
					entry = "WeightCommits"
				}
				back, err := m.StorageKeys("SubtensorModule", entry, s.hex("storage_key"))
				if err != nil || len(back) != 2 {
					t.Errorf("%s: key reads as %v (%v)", entry, back, err)
				}
				if got, err := m.StorageValue("SubtensorModule", entry, s.hex("value_hex")); err != nil || !same(got, s["decoded"]) {
					t.Errorf("%s: %v (%v), want %v", entry, plain(got), err, s["decoded"])
				}
			}
		})
	}
}

// plain turns a value into what JSON would hold, integers as decimal text.
func plain(v any) any {
	switch v := v.(type) {
	case uint64, int64, *big.Int:
		return fmt.Sprint(v)
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case targon.Hotkey:
		return v.String()
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, plain(e))
		}
		return out
	case substrate.Record:
		out := map[string]any{}
		for _, f := range v {
			out[bare(f.Name)] = plain(f.Value)
		}
		return out
	case substrate.Variant:
		if v.Value == nil {
			return v.Name
		}
		return map[string]any{bare(v.Name): plain(v.Value)}
	default:
		return v
	}
}

func bare(s string) string         { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
func alike(a, b string) bool       { return bare(a) == bare(b) }
func same(got, want any) bool      { return equal(plain(got), want) }
func isCall(m map[string]any) bool { return m["call_index"] != nil }

// equal compares a plain value with recorded JSON, which spells names in several
// ways.
func equal(got, want any) bool {
	switch want := want.(type) {
	case nil:
		return got == nil
	case bool:
		return got == want
	case json.Number:
		return got == want.String()
	case string:
		s, ok := got.(string)
		return ok && (s == want || alike(s, want))
	case []any:
		if s, ok := got.(string); ok { // bytes, recorded as numbers
			b := unhex(s)
			for i, e := range want {
				if i >= len(b) || uint64(b[i]) != number(e) {
					return false
				}
			}
			return len(b) == len(want)
		}
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
		if !ok {
			return got == nil && len(want) == 0
		}
		if isCall(want) { // {pallet: {call: args}}
			for range 2 {
				for _, inner := range m {
					m, _ = inner.(map[string]any)
				}
			}
			want, _ = want["args"].(map[string]any)
		}
		if len(m) != len(want) {
			return false
		}
		for k, w := range want {
			g, ok := m[bare(k)]
			if !ok || !equal(g, w) {
				return false
			}
		}
		return true
	}
	return false
}
