package substrate

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"targon"
)

// Into copies a decoded value into what dst points to: numbers with their range
// checked, records into structs by the tag `chain:"name"`, lists into slices, tuples into
// structs by position, None into a nil pointer. A struct's field that the record does
// not have is an error unless its tag ends with ",maybe"; what the record has beyond
// the struct is passed over, so that a runtime may add fields.
func Into(v, dst any) error {
	p := reflect.ValueOf(dst)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return misfit("want a pointer, got %T", dst)
	}
	return into(v, p.Elem())
}

func into(v any, dst reflect.Value) error {
	if t := reflect.TypeOf(v); t != nil && t.AssignableTo(dst.Type()) {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	switch dst.Kind() {
	case reflect.Pointer:
		if v == nil {
			dst.SetZero()
			return nil
		}
		dst.Set(reflect.New(dst.Type().Elem()))
		return into(v, dst.Elem())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, ok := bigOf(v)
		if !ok || !n.IsUint64() || dst.OverflowUint(n.Uint64()) {
			return misfit("%v into %s", v, dst.Type())
		}
		dst.SetUint(n.Uint64())
		return nil
	case reflect.Int64:
		n, ok := bigOf(v)
		if !ok || !n.IsInt64() {
			return misfit("%v into %s", v, dst.Type())
		}
		dst.SetInt(n.Int64())
		return nil
	case reflect.Array:
		return intoArray(v, dst)
	case reflect.Slice:
		return intoSlice(v, dst)
	case reflect.Struct:
		return intoStruct(v, dst)
	default:
		return misfit("%T into %s", v, dst.Type())
	}
}

func intoArray(v any, dst reflect.Value) error {
	b, ok := v.([]byte)
	if h, is := v.(targon.Hotkey); is {
		b, ok = h[:], true
	}
	if !ok || dst.Type().Elem().Kind() != reflect.Uint8 || len(b) != dst.Len() {
		return misfit("%T of %d bytes into %s", v, len(b), dst.Type())
	}
	reflect.Copy(dst, reflect.ValueOf(b))
	return nil
}

func intoSlice(v any, dst reflect.Value) error {
	list, ok := v.([]any)
	if !ok {
		return misfit("%T into %s", v, dst.Type())
	}
	out := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, e := range list {
		if err := into(e, out.Index(i)); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	dst.Set(out)
	return nil
}

func intoStruct(v any, dst reflect.Value) error {
	if n, ok := v.(*big.Int); ok && dst.Type() == reflect.TypeFor[big.Int]() {
		dst.Set(reflect.ValueOf(new(big.Int).Set(n)).Elem())
		return nil
	}
	switch v := v.(type) {
	case []any:
		if len(v) != dst.NumField() {
			return misfit("tuple of %d into %s", len(v), dst.Type())
		}
		for i, part := range v {
			if err := into(part, dst.Field(i)); err != nil {
				return fmt.Errorf("part %d: %w", i, err)
			}
		}
		return nil
	case Record:
		for i := range dst.NumField() {
			name, maybe := strings.CutSuffix(dst.Type().Field(i).Tag.Get("chain"), ",maybe")
			part, ok := v.find(name)
			switch {
			case ok:
				if err := into(part, dst.Field(i)); err != nil {
					return fmt.Errorf("field %s: %w", name, err)
				}
			case !maybe:
				return misfit("field %s is missing", name)
			}
		}
		return nil
	}
	return misfit("%T into %s", v, dst.Type())
}
