package substrate

import (
	"errors"
	"fmt"
	"math/big"
	"unicode/utf8"

	"targon"
	"targon/scale"
)

// Values of a chain are Go values:
//
//	bool                     bool
//	u8 … u64, Compact of     uint64
//	i8 … i64                 int64
//	u128, u256, i128, i256   *big.Int, and Compact of the first two
//	str, char                string, rune
//	Vec<u8>, [u8; n]         []byte
//	Vec, array, tuple        []any
//	bits                     []bool
//	AccountId32              targon.Hotkey
//	Option                   nil or the value (Variant where the value may be nil itself)
//	struct with names        Record
//	struct of one nameless   the value inside
//	struct or tuple of nothing  nil
//	enum                     Variant

// Record is a struct: its fields in the order of the type.
type Record []Named

// Named is one field of a Record.
type Named struct {
	Name  string
	Value any
}

// Variant is one alternative of an enum. Value is nil, the only nameless field, a
// []any of several, or a Record.
type Variant struct {
	Name  string
	Value any
}

// ErrValue is the root of every failure to fit a Go value and a type together.
var ErrValue = errors.New("value does not fit its type")

// maxDepth bounds the nesting of values; calls inside calls inside proposals come to
// about ten.
const maxDepth = 64

// Get returns a field, or nil if there is none of that name.
func (r Record) Get(name string) any {
	for _, f := range r {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// Decode reads one value that takes up all of raw.
func (g *Registry) Decode(id TypeID, raw []byte) (any, error) {
	r := scale.NewReader(raw)
	v := g.read(r, id)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("decode type %d %s: %w", id, g.Type(id).name(), err)
	}
	return v, nil
}

// read reads one value. A value may take no bytes and still contain many parts, so
// that the parts are counted: no input costs more than in proportion to its length.
func (g *Registry) read(r *scale.Reader, id TypeID) any {
	return g.decoder(r).value(id, 0)
}

func (g *Registry) decoder(r *scale.Reader) *decoder {
	return &decoder{g: g, r: r, steps: 1<<16 + 16*r.Remaining()}
}

type decoder struct {
	g     *Registry
	r     *scale.Reader
	steps int
}

func (d *decoder) value(id TypeID, depth int) any {
	if d.steps--; d.steps < 0 || depth > maxDepth {
		d.r.Fail("value with too many or too deeply nested parts")
	}
	if d.r.Err() != nil {
		return nil
	}
	t := d.g.Type(id)
	switch def := t.Def.(type) {
	case Primitive:
		return d.primitive(def)
	case Composite:
		if t.name() == "AccountId32" {
			var h targon.Hotkey
			d.r.Fixed(h[:])
			return h
		}
		return d.fields(def.Fields, depth)
	case Variants:
		if t.name() == "Option" {
			return d.option(def, depth)
		}
		return d.variant(def, depth)
	case Sequence:
		if d.g.Type(def.Elem).Def == U8 {
			return copied(d.r.ByteVec())
		}
		return d.list(def.Elem, d.r.Compact(), depth)
	case Array:
		if d.g.Type(def.Elem).Def == U8 {
			return copied(d.r.Raw(int(def.Len)))
		}
		return d.list(def.Elem, uint64(def.Len), depth)
	case Tuple:
		if len(def.Elems) == 0 {
			return nil
		}
		out := make([]any, 0, len(def.Elems))
		for _, e := range def.Elems {
			out = append(out, d.value(e, depth+1))
		}
		return out
	case Compact:
		return d.compact(def, depth)
	case BitSequence:
		return d.bits(def)
	}
	d.r.Fail("type %d has no layout", id)
	return nil
}

func (d *decoder) primitive(p Primitive) any {
	r := d.r
	switch p {
	case Bool:
		return r.Bool()
	case Char:
		c := rune(r.U32())
		if !utf8.ValidRune(c) {
			r.Fail("character %#x", c)
		}
		return c
	case Str:
		return r.Str()
	case U8:
		return uint64(r.U8())
	case U16:
		return uint64(r.U16())
	case U32:
		return uint64(r.U32())
	case U64:
		return r.U64()
	case U128, U256:
		return r.BigUint(p.size())
	case I8:
		return int64(r.I8())
	case I16:
		return int64(r.I16())
	case I32:
		return int64(r.I32())
	case I64:
		return r.I64()
	case I128, I256:
		return r.BigInt(p.size())
	}
	r.Fail("primitive type %d", p)
	return nil
}

// size returns how many bytes an integer takes.
func (p Primitive) size() int {
	switch p {
	case U8, I8:
		return 1
	case U16, I16:
		return 2
	case U32, I32:
		return 4
	case U64, I64:
		return 8
	case U128, I128:
		return 16
	case U256, I256:
		return 32
	default:
		return 0
	}
}

func (p Primitive) unsigned() bool { return p >= U8 && p <= U256 }

// fields reads the parts of a struct or of a variant.
func (d *decoder) fields(fields []Field, depth int) any {
	switch {
	case len(fields) == 0:
		return nil
	case fields[0].Name == nil && len(fields) == 1:
		return d.value(fields[0].Type, depth+1)
	case fields[0].Name == nil:
		out := make([]any, 0, len(fields))
		for _, f := range fields {
			out = append(out, d.value(f.Type, depth+1))
		}
		return out
	}
	out := make(Record, 0, len(fields))
	for _, f := range fields {
		out = append(out, Named{fieldName(f), d.value(f.Type, depth+1)})
	}
	return out
}

func (d *decoder) variant(def Variants, depth int) any {
	index := d.r.U8()
	v, ok := def.at(index)
	if !ok {
		d.r.Fail("enum has no variant %d", index)
		return nil
	}
	return Variant{Name: v.Name, Value: d.fields(v.Fields, depth)}
}

func (d *decoder) option(def Variants, depth int) any {
	v, ok := d.variant(def, depth).(Variant)
	switch {
	case !ok:
		return nil
	case d.g.nilable(def):
		return v
	}
	return v.Value
}

// nilable reports whether the value inside an Option may be nil, so that None could
// not be told from Some.
func (g *Registry) nilable(option Variants) bool {
	some, ok := option.variant("Some")
	if !ok || len(some.Fields) != 1 {
		return true
	}
	id := some.Fields[0].Type
	return g.Type(id).name() == "Option" || g.empty(id, 0)
}

func (d *decoder) list(elem TypeID, n uint64, depth int) any {
	out := make([]any, 0, min(n, uint64(d.r.Remaining()), 1024))
	for range n {
		out = append(out, d.value(elem, depth+1))
		if d.r.Err() != nil {
			return nil
		}
	}
	return out
}

// compact reads an integer in compact form. A struct around the integer (Perbill)
// is looked through, as the encoding does.
func (d *decoder) compact(def Compact, depth int) any {
	p, ok := d.g.inner(def.Elem, depth)
	if !ok {
		d.r.Fail("compact form of something that is no unsigned integer")
		return nil
	}
	if p.size() > 8 {
		return d.r.CompactBig(p.size())
	}
	v := d.r.Compact()
	if p.size() < 8 && v>>(8*p.size()) != 0 {
		d.r.Fail("compact integer %d in a type of %d bytes", v, p.size())
	}
	return v
}

// inner looks through structs of one field to an unsigned integer.
func (g *Registry) inner(id TypeID, depth int) (Primitive, bool) {
	for ; depth <= maxDepth; depth++ {
		switch def := g.Type(id).Def.(type) {
		case Primitive:
			return def, def.unsigned()
		case Composite:
			if len(def.Fields) != 1 {
				return 0, false
			}
			id = def.Fields[0].Type
		default:
			return 0, false
		}
	}
	return 0, false
}

func (d *decoder) bits(def BitSequence) any {
	if d.g.Type(def.Store).Def != U8 || d.g.Type(def.Order).name() != "Lsb0" {
		d.r.Fail("bits in another order than bytes from the lowest")
		return nil
	}
	return d.r.BitVec()
}

// bigOf returns the integer in v, which may be of any integer type.
func bigOf(v any) (*big.Int, bool) {
	switch v := v.(type) {
	case *big.Int:
		return v, v != nil
	case uint64:
		return new(big.Int).SetUint64(v), true
	case int64:
		return big.NewInt(v), true
	}
	return nil, false
}

// Size returns how many bytes of raw the value at its start takes; all of them if there
// is no whole value.
func (g *Registry) Size(id TypeID, raw []byte) int {
	r := scale.NewReader(raw)
	g.read(r, id)
	return r.Offset()
}
