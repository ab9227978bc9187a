package substrate

import (
	"fmt"
	"math"

	"targon/scale"
)

// TypeID numbers a type of a registry.
type TypeID uint32

// Registry is a chain's list of types; a TypeID is a place in it. The zero value is
// empty and ready for Add.
type Registry struct{ types []Type }

// Type is one type: its path in the chain's source and its layout.
type Type struct {
	Path   []string
	Params []Param
	Def    Def
	Docs   []string
}

// Param is a generic parameter; Type is nil where it has no layout.
type Param struct {
	Name string
	Type *TypeID
}

// Def is a layout: one of Composite, Variants, Sequence, Array, Tuple, Primitive,
// Compact, BitSequence.
type Def interface{ tag() uint8 }

// Composite is a struct.
type Composite struct{ Fields []Field }

// Variants is an enum.
type Variants struct{ List []VariantType }

// Sequence is a Vec.
type Sequence struct{ Elem TypeID }

// Array is of fixed length.
type Array struct {
	Len  uint32
	Elem TypeID
}

// Tuple is a struct without names.
type Tuple struct{ Elems []TypeID }

// Primitive is a built-in type.
type Primitive uint8

// Compact is an integer in compact form.
type Compact struct{ Elem TypeID }

// BitSequence is a list of bits.
type BitSequence struct{ Store, Order TypeID }

// Field is a part of a struct or of an enum's variant; Name is nil in tuples.
type Field struct {
	Name     *string
	Type     TypeID
	TypeName *string
	Docs     []string
}

// VariantType is one alternative of an enum.
type VariantType struct {
	Name   string
	Fields []Field
	Index  uint8
	Docs   []string
}

// The primitives, in their order in metadata.
const (
	Bool Primitive = iota
	Char
	Str
	U8
	U16
	U32
	U64
	U128
	U256
	I8
	I16
	I32
	I64
	I128
	I256
)

func (Composite) tag() uint8   { return 0 }
func (Variants) tag() uint8    { return 1 }
func (Sequence) tag() uint8    { return 2 }
func (Array) tag() uint8       { return 3 }
func (Tuple) tag() uint8       { return 4 }
func (Primitive) tag() uint8   { return 5 }
func (Compact) tag() uint8     { return 6 }
func (BitSequence) tag() uint8 { return 7 }

// Add appends a type and returns its number.
func (g *Registry) Add(t Type) TypeID {
	g.types = append(g.types, t)
	return TypeID(len(g.types) - 1)
}

// Len returns how many types there are.
func (g *Registry) Len() int { return len(g.types) }

// Type returns a type. The number must be of this registry.
func (g *Registry) Type(id TypeID) *Type { return &g.types[id] }

// name returns the last component of a type's path.
func (t *Type) name() string {
	if len(t.Path) == 0 {
		return ""
	}
	return t.Path[len(t.Path)-1]
}

func readRegistry(r *scale.Reader) Registry {
	n := 0
	return Registry{types: scale.ReadVec(r, func(r *scale.Reader) Type {
		if id := r.Compact(); id != uint64(n) {
			r.Fail("type %d in place %d", id, n)
		}
		n++
		return Type{
			Path:   scale.ReadVec(r, (*scale.Reader).Str),
			Params: scale.ReadVec(r, readParam),
			Def:    readDef(r),
			Docs:   scale.ReadVec(r, (*scale.Reader).Str),
		}
	})}
}

func (g *Registry) write(w *scale.Writer) {
	w.Len(len(g.types))
	for i, t := range g.types {
		writeTypeID(w, TypeID(i))
		scale.WriteVec(w, t.Path, (*scale.Writer).Str)
		scale.WriteVec(w, t.Params, writeParam)
		writeDef(w, t.Def)
		scale.WriteVec(w, t.Docs, (*scale.Writer).Str)
	}
}

func readTypeID(r *scale.Reader) TypeID {
	v := r.Compact()
	if v > math.MaxUint32 {
		r.Fail("type number %d", v)
	}
	return TypeID(v)
}

func writeTypeID(w *scale.Writer, id TypeID) { w.Compact(uint64(id)) }

func readParam(r *scale.Reader) Param {
	return Param{Name: r.Str(), Type: scale.ReadOption(r, readTypeID)}
}

func writeParam(w *scale.Writer, p Param) {
	w.Str(p.Name)
	scale.WriteOption(w, p.Type, writeTypeID)
}

func readDef(r *scale.Reader) Def {
	switch tag := r.U8(); tag {
	case 0:
		return Composite{scale.ReadVec(r, readField)}
	case 1:
		return Variants{scale.ReadVec(r, readVariant)}
	case 2:
		return Sequence{readTypeID(r)}
	case 3:
		return Array{r.U32(), readTypeID(r)}
	case 4:
		return Tuple{scale.ReadVec(r, readTypeID)}
	case 5:
		p := Primitive(r.U8())
		if p > I256 {
			r.Fail("primitive type %d", p)
		}
		return p
	case 6:
		return Compact{readTypeID(r)}
	case 7:
		return BitSequence{readTypeID(r), readTypeID(r)}
	default:
		r.Fail("type definition %d", tag)
		return Tuple{}
	}
}

func writeDef(w *scale.Writer, d Def) {
	w.U8(d.tag())
	switch d := d.(type) {
	case Composite:
		scale.WriteVec(w, d.Fields, writeField)
	case Variants:
		scale.WriteVec(w, d.List, writeVariant)
	case Sequence:
		writeTypeID(w, d.Elem)
	case Array:
		w.U32(d.Len)
		writeTypeID(w, d.Elem)
	case Tuple:
		scale.WriteVec(w, d.Elems, writeTypeID)
	case Primitive:
		w.U8(uint8(d))
	case Compact:
		writeTypeID(w, d.Elem)
	case BitSequence:
		writeTypeID(w, d.Store)
		writeTypeID(w, d.Order)
	}
}

func readField(r *scale.Reader) Field {
	return Field{
		Name:     scale.ReadOption(r, (*scale.Reader).Str),
		Type:     readTypeID(r),
		TypeName: scale.ReadOption(r, (*scale.Reader).Str),
		Docs:     scale.ReadVec(r, (*scale.Reader).Str),
	}
}

func writeField(w *scale.Writer, f Field) {
	scale.WriteOption(w, f.Name, (*scale.Writer).Str)
	writeTypeID(w, f.Type)
	scale.WriteOption(w, f.TypeName, (*scale.Writer).Str)
	scale.WriteVec(w, f.Docs, (*scale.Writer).Str)
}

func readVariant(r *scale.Reader) VariantType {
	return VariantType{
		Name:   r.Str(),
		Fields: scale.ReadVec(r, readField),
		Index:  r.U8(),
		Docs:   scale.ReadVec(r, (*scale.Reader).Str),
	}
}

func writeVariant(w *scale.Writer, v VariantType) {
	w.Str(v.Name)
	scale.WriteVec(w, v.Fields, writeField)
	w.U8(v.Index)
	scale.WriteVec(w, v.Docs, (*scale.Writer).Str)
}

// check refuses references to types that are not there and two variants of one
// index, which would make decoding ambiguous.
func (g *Registry) check() error {
	for i, t := range g.types {
		for _, id := range t.refs() {
			if int(id) >= len(g.types) {
				return fmt.Errorf("%w: type %d names type %d of %d", ErrMetadata, i, id, len(g.types))
			}
		}
		v, ok := t.Def.(Variants)
		if !ok {
			continue
		}
		var seen [256]bool
		for _, e := range v.List {
			if seen[e.Index] {
				return fmt.Errorf("%w: type %d has two variants of index %d", ErrMetadata, i, e.Index)
			}
			seen[e.Index] = true
		}
	}
	return nil
}

// refs lists the types that a type is made of.
func (t *Type) refs() []TypeID {
	var out []TypeID
	for _, p := range t.Params {
		if p.Type != nil {
			out = append(out, *p.Type)
		}
	}
	switch d := t.Def.(type) {
	case Composite:
		out = append(out, fieldTypes(d.Fields)...)
	case Variants:
		for _, v := range d.List {
			out = append(out, fieldTypes(v.Fields)...)
		}
	case Sequence:
		out = append(out, d.Elem)
	case Array:
		out = append(out, d.Elem)
	case Tuple:
		out = append(out, d.Elems...)
	case Compact:
		out = append(out, d.Elem)
	case BitSequence:
		out = append(out, d.Store, d.Order)
	}
	return out
}

func fieldTypes(fields []Field) []TypeID {
	out := make([]TypeID, len(fields))
	for i, f := range fields {
		out[i] = f.Type
	}
	return out
}

// variant finds an alternative by name.
func (v Variants) variant(name string) (*VariantType, bool) {
	for i := range v.List {
		if v.List[i].Name == name {
			return &v.List[i], true
		}
	}
	return nil, false
}

// at finds an alternative by index.
func (v Variants) at(index uint8) (*VariantType, bool) {
	for i := range v.List {
		if v.List[i].Index == index {
			return &v.List[i], true
		}
	}
	return nil, false
}

// variants returns the alternatives of a type that should be an enum.
func (g *Registry) variants(id *TypeID) Variants {
	if id == nil {
		return Variants{}
	}
	v, _ := g.Type(*id).Def.(Variants)
	return v
}

// empty reports whether values of a type take no bytes. Depth ends the walk of a
// type that contains itself, which no value can have.
func (g *Registry) empty(id TypeID, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch d := g.Type(id).Def.(type) {
	case Composite:
		return g.allEmpty(fieldTypes(d.Fields), depth)
	case Tuple:
		return g.allEmpty(d.Elems, depth)
	case Array:
		return d.Len == 0 || g.empty(d.Elem, depth+1)
	case Compact:
		return false // Compact<()> takes no bytes in Rust, and no chain uses it
	default:
		return false
	}
}

func (g *Registry) allEmpty(ids []TypeID, depth int) bool {
	for _, id := range ids {
		if !g.empty(id, depth+1) {
			return false
		}
	}
	return true
}
