package gguf

import (
	"encoding/binary"
	"iter"
	"math"
)

// A List is an array of a file's metadata. It stays where it lies in the file, since a
// vocabulary, taken apart, is several times as large: elements are decoded when they are
// asked for. The zero value is empty.
type List struct {
	kind uint32
	n    int
	data []byte
}

// listOf returns a slice that Set let through as a List.
func listOf[T any](v []T) List {
	var zero T
	l := List{kind: valueType(zero), n: len(v)}
	for _, x := range v {
		l.data = appendScalar(l.data, x)
	}
	return l
}

// toList returns a slice as a List; false for what is none.
func toList(value any) (l List, ok bool) {
	switch v := value.(type) {
	case []uint8:
		return listOf(v), true
	case []int8:
		return listOf(v), true
	case []uint16:
		return listOf(v), true
	case []int16:
		return listOf(v), true
	case []uint32:
		return listOf(v), true
	case []int32:
		return listOf(v), true
	case []float32:
		return listOf(v), true
	case []bool:
		return listOf(v), true
	case []string:
		return listOf(v), true
	case []uint64:
		return listOf(v), true
	case []int64:
		return listOf(v), true
	case []float64:
		return listOf(v), true
	}
	return List{}, false
}

// Len returns the number of elements.
func (l List) Len() int { return l.n }

// decode returns the elements as a slice.
func (l List) decode() any {
	c := &cursor{rest: l.data}
	return c.array(l.kind, l.n)
}

// integers tells whether elements are integers.
func (l List) integers() bool {
	switch l.kind {
	case kindUint8, kindInt8, kindUint16, kindInt16, kindUint32, kindInt32, kindUint64, kindInt64:
		return true
	}
	return false
}

// Int returns an element of a list of integers; false if it exceeds an int64, or if the
// elements are something else.
func (l List) Int(i int) (int64, bool) {
	size := minSize(l.kind)
	if !l.integers() {
		return 0, false
	}
	b := l.data[i*size:]
	switch l.kind {
	case kindUint8:
		return int64(b[0]), true
	case kindInt8:
		return int64(int8(b[0])), true
	case kindUint16:
		return int64(binary.LittleEndian.Uint16(b)), true
	case kindInt16:
		return int64(int16(binary.LittleEndian.Uint16(b))), true
	case kindUint32:
		return int64(binary.LittleEndian.Uint32(b)), true
	case kindInt32:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	}
	u := binary.LittleEndian.Uint64(b)
	return int64(u), l.kind == kindInt64 || u <= math.MaxInt64
}

// Float returns an element of a list of float32, or of float64 narrowed to it; false if
// the elements are something else.
func (l List) Float(i int) (float32, bool) {
	switch l.kind {
	case kindFloat32:
		return math.Float32frombits(binary.LittleEndian.Uint32(l.data[4*i:])), true
	case kindFloat64:
		return float32(math.Float64frombits(binary.LittleEndian.Uint64(l.data[8*i:]))), true
	}
	return 0, false
}

// textStep is how many texts share one entry of an index: a few steps from its beginning
// take no longer than looking a place of its own up would.
const textStep = 4

// Texts is a list of texts, any of which is found at once.
type Texts struct {
	list   List
	starts []uint32 // where every textStep-th begins
}

// Texts returns a list of texts; false if the elements are something else, or take more
// than 4 GiB.
func (l List) Texts() (*Texts, bool) {
	if l.kind != kindString || uint64(len(l.data)) > math.MaxUint32 {
		return nil, false
	}
	t := &Texts{list: l, starts: make([]uint32, 0, (l.n+textStep-1)/textStep)}
	at := 0
	for i := range l.n {
		if i%textStep == 0 {
			t.starts = append(t.starts, uint32(at))
		}
		at += 8 + int(binary.LittleEndian.Uint64(l.data[at:]))
	}
	return t, true
}

// Len returns the number of texts.
func (t *Texts) Len() int { return t.list.n }

// At returns a text: bytes of the file, which the caller must not change.
func (t *Texts) At(i int) []byte {
	rest := t.list.data[t.starts[i/textStep]:]
	for range i % textStep {
		rest = rest[8+binary.LittleEndian.Uint64(rest):]
	}
	end := 8 + binary.LittleEndian.Uint64(rest)
	return rest[8:end:end]
}

// All yields all texts in order, as At returns them.
func (t *Texts) All() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		rest := t.list.data
		for i := range t.list.n {
			end := 8 + binary.LittleEndian.Uint64(rest)
			if !yield(i, rest[8:end:end]) {
				return
			}
			rest = rest[end:]
		}
	}
}
