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

// value reads one metadata value.
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
	return c.array(elem, int(n), key)
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

func (c *cursor) array(kind uint32, n int, key string) any {
	switch kind {
	case kindUint8:
		return list(c, n, c.u8)
	case kindInt8:
		return list(c, n, func() int8 { return int8(c.u8()) })
	case kindUint16:
		return list(c, n, c.u16)
	case kindInt16:
		return list(c, n, func() int16 { return int16(c.u16()) })
	case kindUint32:
		return list(c, n, c.u32)
	case kindInt32:
		return list(c, n, func() int32 { return int32(c.u32()) })
	case kindFloat32:
		return list(c, n, func() float32 { return math.Float32frombits(c.u32()) })
	case kindBool:
		return list(c, n, func() bool { return c.bool(key) })
	case kindString:
		what := "value of key " + brief(key)
		return list(c, n, func() string { return c.str(what) })
	case kindUint64:
		return list(c, n, c.u64)
	case kindInt64:
		return list(c, n, func() int64 { return int64(c.u64()) })
	}
	return list(c, n, func() float64 { return math.Float64frombits(c.u64()) })
}

// list reads n elements. It grows as it reads, so that a false count over short
// strings stops at the first that is missing rather than after an allocation.
func list[T any](c *cursor, n int, next func() T) []T {
	out := make([]T, 0, min(n, 1<<16))
	for range n {
		v := next()
		if c.err != nil {
			return nil
		}
		out = append(out, v)
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
	case []uint8, []int8, []uint16, []int16, []uint32, []int32, []float32, []bool, []string,
		[]uint64, []int64, []float64:
		return kindArray
	}
	return kindUint8
}

// appendValue writes a value that Set let through, its kind first.
func appendValue(b []byte, value any) []byte {
	b = binary.LittleEndian.AppendUint32(b, valueType(value))
	switch v := value.(type) {
	case []uint8:
		return appendArray(b, v)
	case []int8:
		return appendArray(b, v)
	case []uint16:
		return appendArray(b, v)
	case []int16:
		return appendArray(b, v)
	case []uint32:
		return appendArray(b, v)
	case []int32:
		return appendArray(b, v)
	case []float32:
		return appendArray(b, v)
	case []bool:
		return appendArray(b, v)
	case []string:
		return appendArray(b, v)
	case []uint64:
		return appendArray(b, v)
	case []int64:
		return appendArray(b, v)
	case []float64:
		return appendArray(b, v)
	}
	return appendScalar(b, value)
}

func appendArray[T any](b []byte, v []T) []byte {
	var zero T
	b = binary.LittleEndian.AppendUint32(b, valueType(zero))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(v)))
	for _, x := range v {
		b = appendScalar(b, x)
	}
	return b
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
