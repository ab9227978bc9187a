package substrate_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"targon"
	"targon/chain/substrate"
	"targon/scale"
	"targon/sign"
)

// TestMetadataBytes: what is read is written back byte for byte, so a development
// chain can serve what it reads.
func TestMetadataBytes(t *testing.T) {
	for _, name := range []string{"metadata-293.scale.gz", "metadata-424-v14.scale.gz"} {
		t.Run(name, func(t *testing.T) {
			raw := rawMetadata(t, name)
			start := time.Now()
			m, err := substrate.ParseMetadata(raw)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d types, %d pallets, %v", m.Types.Len(), len(m.Pallets), time.Since(start))
			if !bytes.Equal(m.Bytes(), raw) {
				t.Error("encodes to other bytes")
			}
			for _, p := range m.Pallets { // every default and constant is of its type
				for _, c := range p.Constants {
					if _, err := m.Constant(p.Name, c.Name); err != nil {
						t.Error(err)
					}
				}
				if p.Storage == nil {
					continue
				}
				for _, e := range p.Storage.Entries {
					if _, err := m.StorageValue(p.Name, e.Name, nil); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// TestSpec424 signs with the thirteen extensions of the main network's runtime.
func TestSpec424(t *testing.T) {
	m, err := substrate.ParseMetadata(rawMetadata(t, "metadata-424-v14.scale.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Extrinsic.Extensions); n != 13 {
		t.Errorf("%d extensions, want 13", n)
	}
	key, err := sign.FromSeed(targon.Secret{1})
	if err != nil {
		t.Fatal(err)
	}
	call, err := m.EncodeCall("SubtensorModule", "set_weights", substrate.Record{
		{"netuid", targon.NetUID(4)}, {"dests", []uint16{1, 2}}, {"weights", []uint16{65535, 1}}, {"version_key", 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(call), "0700"+"0400"+"08"+"01000200"+"08"+"ffff0100"+"0000000000000000"; got != want {
		t.Errorf("call %s, want %s", got, want)
	}
	terms := substrate.Terms{Era: substrate.Mortal(64, 1000), Nonce: 7, Tip: 9, Spec: 424, Transaction: 1, Genesis: targon.Digest{2}, Start: targon.Digest{3}}
	raw, err := m.SignExtrinsic(key, call, terms)
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.DecodeExtrinsic(raw)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := m.Claim(x, terms)
	if err != nil {
		t.Fatal(err)
	}
	if err := sign.Verify(claim.Key, claim.Message, claim.Signature); err != nil || x.Terms.Nonce != 7 || x.Terms.Tip != 9 || x.Terms.Era != terms.Era {
		t.Errorf("%+v: %v", x, err)
	}
}

// TestUnknownExtension: an extension that is not known and carries bytes is never
// signed, whichever of its two types has them.
func TestUnknownExtension(t *testing.T) {
	raw := rawMetadata(t, "metadata-293.scale.gz")
	var unit, u8 substrate.TypeID
	m := parse(t, raw)
	for i := range m.Types.Len() {
		switch d := m.Types.Type(substrate.TypeID(i)).Def.(type) {
		case substrate.Tuple:
			if len(d.Elems) == 0 {
				unit = substrate.TypeID(i)
			}
		case substrate.Primitive:
			if d == substrate.U8 {
				u8 = substrate.TypeID(i)
			}
		}
	}
	for _, c := range []struct {
		name string
		ext  substrate.Extension
		ok   bool
	}{
		{"empty", substrate.Extension{Name: "New", Type: unit, Additional: unit}, true},
		{"sends a byte", substrate.Extension{Name: "New", Type: u8, Additional: unit}, false},
		{"signs a byte", substrate.Extension{Name: "New", Type: unit, Additional: u8}, false},
		{"known name of another form", substrate.Extension{Name: "CheckGenesis", Type: unit, Additional: u8}, false},
	} {
		m := parse(t, raw)
		m.Extrinsic.Extensions = append(m.Extrinsic.Extensions, c.ext)
		_, err := m.Payload([]byte{0, 0, 0}, substrate.Terms{})
		if (err == nil) != c.ok || err != nil && !errors.Is(err, substrate.ErrExtension) {
			t.Errorf("%s: %v, want signed %v", c.name, err, c.ok)
		}
	}
}

func parse(t testing.TB, raw []byte) *substrate.Metadata {
	t.Helper()
	m, err := substrate.ParseMetadata(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMetadataRefuses(t *testing.T) {
	raw := rawMetadata(t, "metadata-293.scale.gz")
	for _, c := range []struct {
		name string
		raw  []byte
	}{
		{"nothing", nil},
		{"no magic", append([]byte("atem"), raw[4:]...)},
		{"version 16", append([]byte("meta\x10"), raw[5:]...)},
		{"left over", append(bytes.Clone(raw), 0)},
		{"cut", raw[:len(raw)-1]},
		{"runtime type that is not there", append(bytes.Clone(raw[:len(raw)-2]), 0xfd, 0xff)},
	} {
		if _, err := substrate.ParseMetadata(c.raw); !errors.Is(err, substrate.ErrMetadata) {
			t.Errorf("%s: %v, want ErrMetadata", c.name, err)
		}
	}
	m := parse(t, raw)
	bad := substrate.TypeID(m.Types.Len())
	m.Types.Add(substrate.Type{Def: substrate.Sequence{Elem: bad + 1}})
	if _, err := substrate.ParseMetadata(m.Bytes()); !errors.Is(err, substrate.ErrMetadata) {
		t.Errorf("reference to nowhere: %v", err)
	}
	m = parse(t, raw)
	m.Types.Add(substrate.Type{Def: substrate.Variants{List: []substrate.VariantType{{Name: "A"}, {Name: "B"}}}})
	if _, err := substrate.ParseMetadata(m.Bytes()); !errors.Is(err, substrate.ErrMetadata) {
		t.Errorf("two variants of one index: %v", err)
	}
}

// Source of the rows with bytes: sp_runtime::generic::era, its own tests.
func TestEra(t *testing.T) {
	for _, c := range []struct {
		period, block uint64
		want          substrate.Era
		birth, death  uint64
	}{
		{64, 42, substrate.Era{Period: 64, Phase: 42}, 42, 106},
		{32768, 20000, substrate.Era{Period: 32768, Phase: 20000}, 20000, 52768},
		{4, 6, substrate.Era{Period: 4, Phase: 2}, 6, 10},
		{3, 6, substrate.Era{Period: 4, Phase: 2}, 6, 10},
		{100, 200, substrate.Era{Period: 128, Phase: 72}, 200, 328},
		{1 << 20, 65536 + 17, substrate.Era{Period: 65536, Phase: 16}, 65552, 131088},
	} {
		got := substrate.Mortal(c.period, c.block)
		if got != c.want || got.Birth(c.block) != c.birth || got.Death(c.block) != c.death {
			t.Errorf("period %d at %d: %+v from %d to %d, want %+v", c.period, c.block, got, got.Birth(c.block), got.Death(c.block), c)
		}
		// Up to its last block the extrinsic belongs to the same turn.
		if got.Birth(c.death-1) != c.birth || got.Birth(c.death) == c.birth {
			t.Errorf("period %d at %d: the last block is not %d", c.period, c.block, c.death-1)
		}
	}
	if e := (substrate.Era{}); !e.Immortal() || e.Birth(99) != 0 {
		t.Error("the zero era is mortal")
	}
}

// TestEncodeRefuses: nothing is cut to fit.
func TestEncodeRefuses(t *testing.T) {
	m := parse(t, rawMetadata(t, "metadata-293.scale.gz"))
	good := func() substrate.Record {
		return substrate.Record{{"netuid", 2}, {"dests", []uint16{1}}, {"weights", []uint16{1}}, {"version_key", 0}}
	}
	for _, c := range []struct {
		name string
		args substrate.Record
	}{
		{"a field less", good()[:3]},
		{"a field more", append(good(), substrate.Named{Name: "more", Value: 1})},
		{"another name", append(good()[:3], substrate.Named{Name: "versionKey", Value: 0})},
		{"too large", append(good()[1:], substrate.Named{Name: "netuid", Value: 65536})},
		{"negative", append(good()[1:], substrate.Named{Name: "netuid", Value: -1})},
		{"text", append(good()[1:], substrate.Named{Name: "netuid", Value: "2"})},
		{"no list", append(good()[:1], substrate.Named{Name: "dests", Value: 1}, good()[2], good()[3])},
		{"nothing", append(good()[1:], substrate.Named{Name: "netuid", Value: nil})},
	} {
		if _, err := m.EncodeCall("SubtensorModule", "set_weights", c.args); !errors.Is(err, substrate.ErrValue) {
			t.Errorf("%s: %v, want ErrValue", c.name, err)
		}
	}
	if _, err := m.EncodeCall("SubtensorModule", "set_wights", good()); !errors.Is(err, substrate.ErrUnknown) {
		t.Errorf("a call that is not there: %v", err)
	}
	if _, err := m.EncodeCall("SubtensorModul", "set_weights", good()); !errors.Is(err, substrate.ErrUnknown) {
		t.Errorf("a pallet that is not there: %v", err)
	}
	if _, err := m.StorageKey("System", "Account", []byte{1}); !errors.Is(err, substrate.ErrValue) {
		t.Errorf("an account of one byte: %v", err)
	}
	if _, err := m.StorageKey("System", "Number", 1); err == nil {
		t.Error("a key for a plain value was accepted")
	}
}

// TestHostileTypes: types that contain themselves or a great many empty parts end.
func TestHostileTypes(t *testing.T) {
	var g substrate.Registry
	unit := g.Add(substrate.Type{Def: substrate.Tuple{}})
	many := g.Add(substrate.Type{Def: substrate.Array{Len: 1 << 31, Elem: unit}})
	more := g.Add(substrate.Type{Def: substrate.Array{Len: 1 << 31, Elem: many}})
	self := g.Add(substrate.Type{Def: substrate.Composite{Fields: []substrate.Field{{Type: 3}}}})
	both := g.Add(substrate.Type{Def: substrate.Tuple{Elems: []substrate.TypeID{4, 4}}})
	list := g.Add(substrate.Type{Def: substrate.Sequence{Elem: unit}})
	compact := g.Add(substrate.Type{Def: substrate.Compact{Elem: self}})
	for _, id := range []substrate.TypeID{many, more, self, both, list, compact} {
		if v, err := g.Decode(id, []byte{0x03, 0xff, 0xff, 0xff, 0xff}); !errors.Is(err, scale.ErrFormat) {
			t.Errorf("type %d decodes as %v (%v)", id, v, err)
		}
	}
}

func TestPoolErrors(t *testing.T) {
	for _, c := range []struct {
		code          int
		message, data string
		want          *substrate.PoolError
	}{
		{1010, "Invalid Transaction", "Custom error: 11", &substrate.PoolError{Name: "Custom", Custom: 11}},
		{1010, "Invalid Transaction", `"Custom error: 6"`, &substrate.PoolError{Name: "Custom", Custom: 6}},
		{1010, "Invalid Transaction", "Transaction is outdated", &substrate.PoolError{Name: "Stale"}},
		{1010, "Invalid Transaction", "Transaction has a bad signature", &substrate.PoolError{Name: "BadProof"}},
		{1010, "Invalid Transaction", "Inability to pay some fees (e.g. account balance too low)", &substrate.PoolError{Name: "Payment"}},
		{1010, `{"invalid":{"stale":null}}`, "", &substrate.PoolError{Name: "Stale"}},
		{1010, "Invalid Transaction", "something else", &substrate.PoolError{Name: "Invalid"}},
		{1010, "Invalid Transaction", "Custom error: 256", &substrate.PoolError{Name: "Invalid"}},
		{1012, "Transaction is temporarily banned", "", &substrate.PoolError{Name: "TemporarilyBanned"}},
		{1013, "Transaction Already Imported", "", &substrate.PoolError{Name: "AlreadyImported"}},
		{1014, "Priority is too low", "", &substrate.PoolError{Name: "TooLowPriority"}},
		{-32601, "Method not found", "", nil},
	} {
		if got := substrate.ParsePoolError(c.code, c.message, c.data); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d %s %s: %v, want %v", c.code, c.message, c.data, got, c.want)
		}
	}
}

// TestOutcome: an interrupted batch is a failure, and silence is no success.
func TestOutcome(t *testing.T) {
	m := parse(t, rawMetadata(t, "metadata-293.scale.gz"))
	at := func(n uint64) substrate.Variant { return substrate.Variant{Name: "ApplyExtrinsic", Value: n} }
	ok := substrate.Event{Phase: at(1), Pallet: "System", Name: "ExtrinsicSuccess"}
	broken := substrate.Event{
		Phase: at(1), Pallet: "Utility", Name: "BatchInterrupted",
		Fields: []substrate.EventField{{Name: "error", Value: substrate.Variant{Name: "BadOrigin"}}},
	}
	if err := m.Outcome([]substrate.Event{ok}, 1); err != nil {
		t.Error(err)
	}
	if err := m.Outcome([]substrate.Event{ok}, 2); err == nil {
		t.Error("silence is a success")
	}
	if err := m.Outcome([]substrate.Event{broken, ok}, 1); err == nil || err.Error() != "BadOrigin" {
		t.Errorf("an interrupted batch: %v", err)
	}
	token := substrate.Variant{Name: "Token", Value: substrate.Variant{Name: "FundsUnavailable"}}
	if e, err := m.DispatchError(token); err != nil || e.Error() != "Token.FundsUnavailable" {
		t.Errorf("%v (%v)", e, err)
	}
	for _, v := range []any{nil, uint64(1), substrate.Variant{Name: "Module"}, substrate.Variant{Name: "Module", Value: []any{1}}} {
		if e, err := m.DispatchError(v); err == nil {
			t.Errorf("%v is %v", v, e)
		}
	}
}

// TestValuesRoundTrip encodes and decodes invented values of types that the runtime's
// calls use.
func TestValuesRoundTrip(t *testing.T) {
	m := parse(t, rawMetadata(t, "metadata-293.scale.gz"))
	rapid.Check(t, func(t *rapid.T) {
		ip := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "ip"))
		small := rapid.Uint8()
		args := substrate.Record{
			{"netuid", uint64(rapid.Uint16().Draw(t, "netuid"))},
			{"version", uint64(rapid.Uint32().Draw(t, "version"))},
			{"ip", ip},
			{"port", uint64(rapid.Uint16().Draw(t, "port"))},
			{"ip_type", uint64(small.Draw(t, "ip type"))},
			{"protocol", uint64(small.Draw(t, "protocol"))},
			{"placeholder1", uint64(small.Draw(t, "1"))},
			{"placeholder2", uint64(small.Draw(t, "2"))},
		}
		raw, err := m.EncodeCall("SubtensorModule", "serve_axon", args)
		if err != nil {
			t.Fatal(err)
		}
		call, err := m.DecodeCall(raw)
		if err != nil || fmt.Sprint(call.Args) != fmt.Sprint(args) {
			t.Fatalf("%v became %v (%v)", args, call.Args, err)
		}
	})
}

func FuzzMetadata(f *testing.F) {
	var g substrate.Metadata
	unit := g.Types.Add(substrate.Type{Path: []string{"a", "B"}, Def: substrate.Tuple{}})
	g.Types.Add(substrate.Type{Def: substrate.Variants{List: []substrate.VariantType{{Name: "x", Fields: []substrate.Field{{Type: unit}}}}}})
	g.Pallets = []substrate.Pallet{{Name: "P", Calls: new(substrate.TypeID), Storage: &substrate.Storage{Prefix: "P", Entries: []substrate.Entry{{Name: "e", Hashers: []substrate.Hasher{6}, Default: []byte{}}}}}}
	f.Add(g.Bytes())
	f.Add([]byte("meta\x0e"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := substrate.ParseMetadata(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(m.Bytes(), raw) {
			t.Fatalf("%x encodes as %x", raw, m.Bytes())
		}
		for i := range m.Types.Len() { // no type makes the decoder panic or hang
			id := substrate.TypeID(i)
			v, err := m.Types.Decode(id, raw[:min(len(raw), 64)])
			if err != nil {
				continue
			}
			w := &scale.Writer{}
			_ = m.Types.Encode(w, id, v)
		}
		_, _ = m.DecodeExtrinsic(raw)
		_, _ = m.Payload(raw, substrate.Terms{})
	})
}

// FuzzValues feeds the types of a real runtime: what decodes encodes to the same
// bytes.
func FuzzValues(f *testing.F) {
	m := parse(f, rawMetadata(f, "metadata-293.scale.gz"))
	f.Add(uint32(0), make([]byte, 32))
	f.Add(uint32(m.Runtime), []byte{})
	f.Fuzz(func(t *testing.T, id uint32, raw []byte) {
		if _, err := m.DecodeExtrinsic(raw); err != nil && !errors.Is(err, substrate.ErrExtrinsic) {
			t.Fatal(err)
		}
		_, _ = m.Events(raw)
		id %= uint32(m.Types.Len())
		v, err := m.Types.Decode(substrate.TypeID(id), raw)
		if err != nil {
			return
		}
		w := &scale.Writer{}
		if err := m.Types.Encode(w, substrate.TypeID(id), v); err != nil || !bytes.Equal(w.Bytes(), raw) {
			t.Fatalf("type %d: %x is %v, which encodes as %x (%v)", id, raw, v, w.Bytes(), err)
		}
	})
}

func Example() {
	// A type as a chain's metadata would list it: a struct of a number and a list.
	var g substrate.Registry
	u16 := g.Add(substrate.Type{Def: substrate.U16})
	list := g.Add(substrate.Type{Def: substrate.Sequence{Elem: u16}})
	netuid, dests := "netuid", "dests"
	call := g.Add(substrate.Type{Def: substrate.Composite{Fields: []substrate.Field{{Name: &netuid, Type: u16}, {Name: &dests, Type: list}}}})

	w := &scale.Writer{}
	err := g.Encode(w, call, substrate.Record{{"netuid", 4}, {"dests", []uint16{1, 2}}})
	fmt.Printf("%x %v\n", w.Bytes(), err)
	v, err := g.Decode(call, w.Bytes())
	fmt.Println(v, err)
	fmt.Println(strings.Contains(fmt.Sprint(g.Encode(w, call, substrate.Record{{"netuid", 4}})), "does not fit"))
	// Output:
	// 04000801000200 <nil>
	// [{netuid 4} {dests [1 2]}] <nil>
	// true
}
