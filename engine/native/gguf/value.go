package gguf

import (
	"encoding/binary"
	"math"
)

// Metadata value types, numbered as gguf_type in the specification.
const (
	kindUint8 uint32 = iota
	kindInt8
	kindUint16
	kindInt16
	kindUint32
	kindInt32
	kindFloat32
	kindBool
	kindString
	kindArray
	kindUint64
	kindInt64
	kindFloat64
)

// minSize is the least number of bytes that a value of a kind takes, 0 for a kind
// that may not stand in an array.
func minSize(kind uint32) int {
	switch kind {
	case kindUint8, kindInt8, kindBool:
		return 1
	case kindUint16, kindInt16:
		return 2
	case kindUint32, kindInt32, kindFloat32:
		return 4
	case kindString, kindUint64, kindInt64, kindFloat64:
		return 8
	}
	return 0
}

// value reads one metadata value, an array as a List.
func (c *cursor) value(key string) any {
	kind := c.u32()
	if kind != kindArray {
		if c.err == nil && minSize(kind) == 0 {
			c.fail(malformed("key %s has unknown type %d", brief(key), kind))
			return nil
		}
		return c.scalar(kind, key)
	}
	elem, n := c.u32(), c.u64()
	if c.err != nil {
		return nil
	}
	size := minSize(elem)
	if size == 0 {
		c.fail(malformed("key %s is an array of type %d, which is not read", brief(key), elem))
		return nil
	}
	// Checked before anything is allocated: n elements cannot fit the rest.
	if n > uint64(len(c.rest)/size) {
		c.fail(truncated("key %s claims %d elements, the file has room for %d", brief(key), n, len(c.rest)/size))
		return nil
	}
	return c.list(List{kind: elem, n: int(n)}, key)
}

// list takes the bytes of a List, having looked at those that may be wrong.
func (c *cursor) list(l List, key string) any {
	from := c.rest
	switch l.kind {
	case kindString:
		what := "value of key " + brief(key)
		for range l.n {
			if c.take(c.u64(), what); c.err != nil {
				return nil
			}
		}
	case kindBool:
		for range l.n {
			if c.bool(key); c.err != nil {
				return nil
			}
		}
	default:
		c.take(uint64(l.n*minSize(l.kind)), "value of key "+brief(key))
	}
	l.data = from[: len(from)-len(c.rest) : len(from)-len(c.rest)]
	return l
}

func (c *cursor) scalar(kind uint32, key string) any {
	switch kind {
	case kindUint8:
		return c.u8()
	case kindInt8:
		return int8(c.u8())
	case kindUint16:
		return c.u16()
	case kindInt16:
		return int16(c.u16())
	case kindUint32:
		return c.u32()
	case kindInt32:
		return int32(c.u32())
	case kindFloat32:
		return math.Float32frombits(c.u32())
	case kindBool:
		return c.bool(key)
	case kindString:
		return c.str("value of key " + brief(key))
	case kindUint64:
		return c.u64()
	case kindInt64:
		return int64(c.u64())
	}
	return math.Float64frombits(c.u64())
}

// array decodes a List's elements, which have been looked at.
func (c *cursor) array(kind uint32, n int) any {
	switch kind {
	case kindUint8:
		return decode(n, c.u8)
	case kindInt8:
		return decode(n, func() int8 { return int8(c.u8()) })
	case kindUint16:
		return decode(n, c.u16)
	case kindInt16:
		return decode(n, func() int16 { return int16(c.u16()) })
	case kindUint32:
		return decode(n, c.u32)
	case kindInt32:
		return decode(n, func() int32 { return int32(c.u32()) })
	case kindFloat32:
		return decode(n, func() float32 { return math.Float32frombits(c.u32()) })
	case kindBool:
		return decode(n, func() bool { return c.bool("") })
	case kindString:
		return decode(n, func() string { return c.str("") })
	case kindUint64:
		return decode(n, c.u64)
	case kindInt64:
		return decode(n, func() int64 { return int64(c.u64()) })
	}
	return decode(n, func() float64 { return math.Float64frombits(c.u64()) })
}

func decode[T any](n int, next func() T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = next()
	}
	return out
}

// isUint8 tells the one kind whose number is zero from an unknown type.
func isUint8(value any) bool { _, ok := value.(uint8); return ok }

// valueType returns the kind of a Go value; kindUint8, which is zero, also for
// types that GGUF cannot hold.
func valueType(value any) uint32 {
	switch value.(type) {
	case int8:
		return kindInt8
	case uint16:
		return kindUint16
	case int16:
		return kindInt16
	case uint32:
		return kindUint32
	case int32:
		return kindInt32
	case float32:
		return kindFloat32
	case bool:
		return kindBool
	case string:
		return kindString
	case uint64:
		return kindUint64
	case int64:
		return kindInt64
	case float64:
		return kindFloat64
	case List:
		return kindArray
	}
	return kindUint8
}

// appendValue writes a value that Set let through, its kind first.
func appendValue(b []byte, value any) []byte {
	b = binary.LittleEndian.AppendUint32(b, valueType(value))
	if l, ok := value.(List); ok {
		b = binary.LittleEndian.AppendUint32(b, l.kind)
		b = binary.LittleEndian.AppendUint64(b, uint64(l.n))
		return append(b, l.data...)
	}
	return appendScalar(b, value)
}

func appendScalar(b []byte, value any) []byte {
	switch v := value.(type) {
	case uint8:
		return append(b, v)
	case int8:
		return append(b, byte(v))
	case uint16:
		return binary.LittleEndian.AppendUint16(b, v)
	case int16:
		return binary.LittleEndian.AppendUint16(b, uint16(v))
	case uint32:
		return binary.LittleEndian.AppendUint32(b, v)
	case int32:
		return binary.LittleEndian.AppendUint32(b, uint32(v))
	case float32:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	case bool:
		if v {
			return append(b, 1)
		}
		return append(b, 0)
	case string:
		return appendString(b, v)
	case uint64:
		return binary.LittleEndian.AppendUint64(b, v)
	case int64:
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	case float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	panic("internal error: metadata type was not checked")
}

func appendString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}
