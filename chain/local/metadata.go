package local

import (
	"fmt"
	"strings"

	"targon/chain/substrate"
	"targon/chain/subtensor"
	"targon/scale"
)

// builder makes metadata. The texts above are either right or fail every test, so that
// its first error is kept and panics at the end.
type builder struct {
	*substrate.Schema
	m   substrate.Metadata
	err error

	extra substrate.TypeID // of what the signed extensions add, together
}

func (b *builder) define(text string) {
	if err := b.Define(text); err != nil && b.err == nil {
		b.err = err
	}
}

func (b *builder) id(text string) substrate.TypeID {
	id, err := b.Type(text)
	if err != nil && b.err == nil {
		b.err = err
	}
	return id
}

// Metadata returns what this chain's runtime says of itself.
func Metadata() *substrate.Metadata {
	m, _ := describe()
	return m
}

// describe returns the metadata, and its bytes as version 15.
func describe() (*substrate.Metadata, []byte) {
	b := &builder{Schema: substrate.NewSchema()}
	b.define(commonTypes)
	b.define("sp_runtime::generic::era::Era = enum{Immortal" + eras() + "}")
	b.define("frame_metadata_hash_extension::Mode = enum{Disabled, Enabled}")
	b.define("node_subtensor_runtime::RuntimeCall = enum{}") // some calls take calls
	list := pallets()
	for _, p := range list {
		b.variants(p, "Call", p.calls)
		b.variants(p, "Event", p.events)
		b.variants(p, "Error", p.failures)
	}
	for _, kind := range []string{"Call", "Event", "Error"} {
		b.runtime(list, kind)
	}
	b.define("frame_system::EventRecord = {phase: Phase, event: RuntimeEvent, topics: Vec<H256>}")
	b.params("MultiAddress", [2]string{"AccountId", "AccountId32"}, [2]string{"AccountIndex", "()"})
	b.params("Result", [2]string{"T", "()"}, [2]string{"E", "DispatchError"})
	b.params("EventRecord", [2]string{"E", "RuntimeEvent"}, [2]string{"T", "H256"})
	for _, p := range list {
		b.m.Pallets = append(b.m.Pallets, b.pallet(p))
	}
	b.extrinsic()
	b.define("node_subtensor_runtime::Runtime = {}")
	b.m.Runtime = b.id("Runtime")
	if b.err != nil {
		panic("internal error: " + b.err.Error())
	}
	b.m.Types = b.Types
	m, err := substrate.ParseMetadata(b.m.Bytes()) // what clients will read
	if err != nil {
		panic("internal error: " + err.Error())
	}
	return m, b.version15()
}

// version15 adds the runtime APIs, whose types version 14 does not have.
func (b *builder) version15() []byte {
	extra := substrate.Extra{
		Address: b.id("MultiAddress"), Call: b.id("RuntimeCall"), Signature: b.id("MultiSignature"), Extensions: b.extra,
		Event: b.id("RuntimeEvent"), Error: b.id("RuntimeError"), Functions: subtensor.Functions(b.Schema),
	}
	b.m.Types = b.Types
	return b.m.Bytes15(extra)
}

// runtime gathers the calls, events or errors of all pallets.
func (b *builder) runtime(list []palletText, kind string) {
	var parts []string
	var all substrate.Variants
	for _, p := range list {
		if !p.has(kind) {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s(%s%s) = %d", p.name, p.name, kind, p.index))
		all.List = append(all.List, substrate.VariantType{Name: p.name, Index: p.index, Fields: []substrate.Field{{Type: b.id(p.name + kind)}}})
	}
	if kind == "Call" { // was there before its parts
		b.Types.Type(b.id("RuntimeCall")).Def = all
		return
	}
	b.define("node_subtensor_runtime::Runtime" + kind + " = enum{" + strings.Join(parts, ", ") + "}")
}

// eras are the mortal eras: their first byte is the variant, a second one follows.
func eras() string {
	var out strings.Builder
	for i := 1; i < 256; i++ {
		fmt.Fprintf(&out, ", Mortal%d(u8)", i)
	}
	return out.String()
}

func (p palletText) has(kind string) bool {
	switch kind {
	case "Call":
		return p.calls != ""
	case "Event":
		return p.events != ""
	default:
		return p.failures != ""
	}
}

// variants defines a pallet's calls, events or errors. All pallets name them alike, so
// that they are found under the pallet's name here and get their path after.
func (b *builder) variants(p palletText, kind, text string) {
	if text == "" {
		return
	}
	b.define(p.name + kind + " = enum{" + text + "}")
	b.Types.Type(b.id(p.name + kind)).Path = []string{p.path, "pallet", kind}
}

func (b *builder) pallet(p palletText) substrate.Pallet {
	out := substrate.Pallet{Name: p.name, Index: p.index}
	for _, kind := range []struct {
		name string
		dst  **substrate.TypeID
	}{{"Call", &out.Calls}, {"Event", &out.Events}, {"Error", &out.Errors}} {
		if p.has(kind.name) {
			id := b.id(p.name + kind.name)
			*kind.dst = &id
		}
	}
	out.Storage = &substrate.Storage{Prefix: p.name}
	for line := range strings.Lines(p.storage) {
		if f := strings.Fields(line); len(f) == 4 {
			out.Storage.Entries = append(out.Storage.Entries, b.entry(f))
		}
	}
	for _, c := range p.constants {
		w := &scale.Writer{}
		id := b.id(c.kind)
		if err := b.Types.Encode(w, id, c.value); err != nil && b.err == nil {
			b.err = err
		}
		out.Constants = append(out.Constants, substrate.Constant{Name: c.name, Type: id, Value: w.Bytes()})
	}
	return out
}

func (b *builder) entry(f []string) substrate.Entry {
	value, maybe := strings.CutSuffix(f[3], "?")
	e := substrate.Entry{Name: f[0], HasDefault: !maybe, Value: b.id(value)}
	if f[1] != "-" {
		e.Key = b.id(f[2])
		for _, h := range f[1] {
			e.Hashers = append(e.Hashers, map[rune]substrate.Hasher{
				'I': substrate.Identity, 'B': substrate.Blake2x128Concat, 'T': substrate.Twox64Concat,
			}[h])
		}
	}
	if e.Default = []byte{0}; !maybe {
		e.Default = b.zero(e.Value)
	}
	return e
}

// zero is the encoding of a type's least value, which is what an absent one reads as.
func (b *builder) zero(id substrate.TypeID) []byte {
	var out []byte
	switch d := b.Types.Type(id).Def.(type) {
	case substrate.Primitive:
		out = make([]byte, map[substrate.Primitive]int{substrate.Bool: 1, substrate.U8: 1, substrate.U16: 2, substrate.U32: 4, substrate.U64: 8, substrate.U128: 16}[d])
	case substrate.Composite:
		for _, f := range d.Fields {
			out = append(out, b.zero(f.Type)...)
		}
	case substrate.Tuple:
		for _, e := range d.Elems {
			out = append(out, b.zero(e)...)
		}
	case substrate.Array:
		for range d.Len {
			out = append(out, b.zero(d.Elem)...)
		}
	default:
		out = []byte{0} // an empty list, or None
	}
	return out
}

func (b *builder) extrinsic() {
	form := substrate.ExtrinsicForm{Version: 4}
	var types []string
	for _, e := range extensions() {
		b.define(e[1] + "::" + e[0] + " = " + e[2])
		form.Extensions = append(form.Extensions, substrate.Extension{Name: e[0], Type: b.id(e[0]), Additional: b.id(e[3])})
		types = append(types, e[0])
	}
	b.define("sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic = {Vec<u8>}")
	form.Type = b.id("UncheckedExtrinsic")
	b.params("UncheckedExtrinsic", [2]string{"Address", "MultiAddress"}, [2]string{"Call", "RuntimeCall"},
		[2]string{"Signature", "MultiSignature"}, [2]string{"Extra", "(" + strings.Join(types, ",") + ")"})
	b.extra = b.id("(" + strings.Join(types, ",") + ")")
	b.m.Extrinsic = form
}

// params says what a type is generic over. Polkadot's tools find some types only there.
func (b *builder) params(name string, list ...[2]string) {
	var params []substrate.Param
	for _, p := range list {
		id := b.id(p[1])
		params = append(params, substrate.Param{Name: p[0], Type: &id})
	}
	b.Types.Type(b.id(name)).Params = params
}
