package substrate

import (
	"fmt"
	"math/big"
	"reflect"

	"targon"
	"targon/scale"
)

// Encode appends v as the type says. It takes what Decode returns and, to spare
// callers conversions, any integer type, any slice for a list, a [32]byte or a
// targon.Hotkey for an account, and a string for an enum's variant without fields.
// An integer that does not fit, a field that is missing or one too many is an
// ErrValue.
func (g *Registry) Encode(w *scale.Writer, id TypeID, v any) error {
	return g.encode(w, id, v, 0)
}

func misfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrValue, fmt.Sprintf(format, args...))
}

func (g *Registry) encode(w *scale.Writer, id TypeID, v any, depth int) error {
	if depth > maxDepth {
		return misfit("nested more than %d deep", maxDepth)
	}
	t := g.Type(id)
	switch def := t.Def.(type) {
	case Primitive:
		return encodePrimitive(w, def, v)
	case Composite:
		if t.name() == "AccountId32" {
			return encodeBytes(w, v, 32)
		}
		return g.encodeFields(w, def.Fields, v, depth)
	case Variants:
		if t.name() == "Option" {
			return g.encodeOption(w, def, v, depth)
		}
		return g.encodeVariant(w, def, v, depth)
	case Sequence:
		return g.encodeList(w, def.Elem, v, -1, depth)
	case Array:
		return g.encodeList(w, def.Elem, v, int(def.Len), depth)
	case Tuple:
		return g.encodeTuple(w, def.Elems, v, depth)
	case Compact:
		return g.encodeCompact(w, def, v, depth)
	case BitSequence:
		b, ok := v.([]bool)
		if !ok {
			return misfit("%T for bits", v)
		}
		w.BitVec(b)
		return nil
	}
	return misfit("type %d has no layout", id)
}

func encodePrimitive(w *scale.Writer, p Primitive, v any) error {
	switch p {
	case Bool:
		b, ok := v.(bool)
		if !ok {
			return misfit("%T for a bool", v)
		}
		w.Bool(b)
		return nil
	case Str:
		s, ok := v.(string)
		if !ok {
			return misfit("%T for text", v)
		}
		w.Str(s)
		return nil
	case Char:
		c, ok := v.(rune)
		if !ok {
			return misfit("%T for a character", v)
		}
		w.I32(c)
		return nil
	default: // an integer
	}
	n, err := integer(v)
	if err != nil {
		return err
	}
	fits := scale.FitsInt
	if p.unsigned() {
		fits = scale.FitsUint
	}
	if !fits(n, p.size()) {
		return misfit("%d in an integer of %d bytes", n, p.size())
	}
	w.Big(n, p.size())
	return nil
}

// integer returns v if it is an integer of any type.
func integer(v any) (*big.Int, error) {
	if n, ok := bigOf(v); ok {
		return n, nil
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return new(big.Int).SetUint64(r.Uint()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return big.NewInt(r.Int()), nil
	default:
		return nil, misfit("%T for an integer", v)
	}
}

// encodeBytes appends exactly n bytes.
func encodeBytes(w *scale.Writer, v any, n int) error {
	b, ok := bytesOf(v)
	if !ok || len(b) != n {
		return misfit("%T of %d bytes for %d bytes", v, len(b), n)
	}
	w.Raw(b...)
	return nil
}

// bytesOf returns the bytes of a slice or array of them.
func bytesOf(v any) ([]byte, bool) {
	switch v := v.(type) {
	case []byte:
		return v, true
	case targon.Hotkey:
		return v[:], true
	}
	r := reflect.ValueOf(v)
	if k := r.Kind(); (k != reflect.Slice && k != reflect.Array) || r.Type().Elem().Kind() != reflect.Uint8 {
		return nil, false
	}
	out := make([]byte, r.Len())
	reflect.Copy(reflect.ValueOf(out), r)
	return out, true
}

func (g *Registry) encodeFields(w *scale.Writer, fields []Field, v any, depth int) error {
	switch {
	case len(fields) == 0:
		if v != nil {
			return misfit("%T for nothing", v)
		}
		return nil
	case fields[0].Name == nil && len(fields) == 1:
		return g.encode(w, fields[0].Type, v, depth+1)
	case fields[0].Name == nil:
		return g.encodeTuple(w, fieldTypes(fields), v, depth)
	}
	rec, ok := v.(Record)
	if !ok || len(rec) != len(fields) {
		return misfit("%T of %d fields for a struct of %d", v, len(rec), len(fields))
	}
	for _, f := range fields {
		name := fieldName(f)
		part, ok := rec.find(name)
		if !ok {
			return misfit("field %s is missing", name)
		}
		if err := g.encode(w, f.Type, part, depth+1); err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
	}
	return nil
}

func (r Record) find(name string) (any, bool) {
	for _, f := range r {
		if f.Name == name {
			return f.Value, true
		}
	}
	return nil, false
}

func (g *Registry) encodeVariant(w *scale.Writer, def Variants, v any, depth int) error {
	var name string
	var part any
	switch v := v.(type) {
	case string:
		name = v
	case Variant:
		name, part = v.Name, v.Value
	default:
		return misfit("%T for an enum", v)
	}
	e, ok := def.variant(name)
	if !ok {
		return misfit("enum has no variant %q", name)
	}
	w.U8(e.Index)
	if err := g.encodeFields(w, e.Fields, part, depth); err != nil {
		return fmt.Errorf("variant %s: %w", name, err)
	}
	return nil
}

func (g *Registry) encodeOption(w *scale.Writer, def Variants, v any, depth int) error {
	if g.nilable(def) {
		return g.encodeVariant(w, def, v, depth)
	}
	some, _ := def.variant("Some")
	w.Bool(v != nil)
	if v == nil {
		return nil
	}
	return g.encode(w, some.Fields[0].Type, v, depth+1)
}

func (g *Registry) encodeTuple(w *scale.Writer, types []TypeID, v any, depth int) error {
	parts, ok := v.([]any)
	if v == nil && len(types) == 0 {
		return nil
	}
	if !ok || len(parts) != len(types) {
		return misfit("%T of %d parts for %d", v, len(parts), len(types))
	}
	for i, id := range types {
		if err := g.encode(w, id, parts[i], depth+1); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
	}
	return nil
}

// encodeList appends a list, or an array when n is its length.
func (g *Registry) encodeList(w *scale.Writer, elem TypeID, v any, n, depth int) error {
	if g.Type(elem).Def == U8 {
		b, ok := bytesOf(v)
		if !ok || n >= 0 && len(b) != n {
			return misfit("%T of %d bytes for bytes", v, len(b))
		}
		if n < 0 {
			w.Len(len(b))
		}
		w.Raw(b...)
		return nil
	}
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice && list.Kind() != reflect.Array {
		return misfit("%T for a list", v)
	}
	if n >= 0 && list.Len() != n {
		return misfit("list of %d for an array of %d", list.Len(), n)
	}
	if n < 0 {
		w.Len(list.Len())
	}
	for i := range list.Len() {
		if err := g.encode(w, elem, list.Index(i).Interface(), depth+1); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

func (g *Registry) encodeCompact(w *scale.Writer, def Compact, v any, depth int) error {
	p, ok := g.inner(def.Elem, depth)
	if !ok {
		return misfit("compact form of something that is no unsigned integer")
	}
	n, err := integer(v)
	if err != nil {
		return err
	}
	if !scale.FitsUint(n, p.size()) {
		return misfit("%d in an integer of %d bytes", n, p.size())
	}
	w.CompactBig(n)
	return nil
}
