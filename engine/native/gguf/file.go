package gguf

import (
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const (
	maxDims      = 4       // GGML_MAX_DIMS
	maxKey       = 1 << 16 // the specification's limit, exclusive
	maxName      = 256     // the specification says 64; some converters exceed it
	maxAlign     = 1 << 20
	defaultAlign = 32
	keyAlign     = "general.alignment"
)

// A Tensor is a named array of numbers. Dims[0] is the row length, the fastest
// varying dimension, as in ggml; Data holds the rows one after another.
type Tensor struct {
	Name string
	Type Type
	Dims []uint64
	Data []byte
}

// Elements returns the product of the dimensions. Tensors of a File never overflow.
func (t *Tensor) Elements() uint64 {
	n := uint64(1)
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

// A File is a model file's metadata and tensors, each in order. The zero value is
// an empty file. Its methods that only read may be called concurrently.
type File struct {
	keys    []string
	values  map[string]any // a List for a slice
	tensors []*Tensor
	names   map[string]*Tensor
	owner   any
}

// Keep has the File keep something reachable: what its bytes belong to, such as a file
// that is mapped. Whoever looks at them keeps the File as well.
func (f *File) Keep(owner any) { f.owner = owner }

// Set adds or replaces a metadata value: an integer of 8 to 64 bits, float32,
// float64, bool, string, or a slice of one of these.
func (f *File) Set(key string, value any) error {
	if key == "" || len(key) >= maxKey || !utf8.ValidString(key) {
		return malformed("key %s is empty, too long or not UTF-8", brief(key))
	}
	if list, ok := toList(value); ok {
		value = list
	}
	if valueType(value) == 0 && !isUint8(value) {
		return malformed("key %s: %T is not a metadata type", brief(key), value)
	}
	if key == keyAlign {
		n, _ := toUint(value)
		if err := checkAlign(n); err != nil {
			return err
		}
	}
	if f.values == nil {
		f.values = map[string]any{}
	}
	if _, ok := f.values[key]; !ok {
		f.keys = append(f.keys, key)
	}
	f.values[key] = value
	return nil
}

// Add appends a tensor; its name must be new and its data of the size that its
// type and dimensions call for. The File keeps t.
func (f *File) Add(t *Tensor) error {
	size, err := tensorSize(t)
	if err != nil {
		return err
	}
	if uint64(len(t.Data)) != size {
		return malformed("tensor %s has %d bytes, its dimensions call for %d", brief(t.Name), len(t.Data), size)
	}
	if _, ok := f.names[t.Name]; ok {
		return malformed("tensor %s occurs twice", brief(t.Name))
	}
	if f.names == nil {
		f.names = map[string]*Tensor{}
	}
	f.names[t.Name] = t
	f.tensors = append(f.tensors, t)
	return nil
}

// Tensor returns a tensor by name.
func (f *File) Tensor(name string) (*Tensor, bool) {
	t, ok := f.names[name]
	return t, ok
}

// Tensors returns all tensors in file order.
func (f *File) Tensors() []*Tensor { return slices.Clone(f.tensors) }

// Keys returns the metadata keys in file order.
func (f *File) Keys() []string { return slices.Clone(f.keys) }

// Value returns a metadata value of the type that [File.Set] takes; a slice is made anew
// by each call.
func (f *File) Value(key string) (any, bool) {
	v, ok := f.values[key]
	if l, array := v.(List); array {
		return l.decode(), true
	}
	return v, ok
}

// Has tells whether there is a metadata value.
func (f *File) Has(key string) bool {
	_, ok := f.values[key]
	return ok
}

// List returns an array.
func (f *File) List(key string) (List, bool) {
	l, ok := f.values[key].(List)
	return l, ok
}

// Uint returns an integer of any width that is not negative.
func (f *File) Uint(key string) (uint64, bool) { return toUint(f.values[key]) }

// Float returns a floating-point number of either width.
func (f *File) Float(key string) (float64, bool) {
	switch v := f.values[key].(type) {
	case float32:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// String returns a text.
func (f *File) String(key string) (string, bool) {
	v, ok := f.values[key].(string)
	return v, ok
}

// Bool returns a truth value.
func (f *File) Bool(key string) (value, ok bool) {
	value, ok = f.values[key].(bool)
	return value, ok
}

func toUint(value any) (uint64, bool) {
	var s int64
	switch v := value.(type) {
	case uint8:
		return uint64(v), true
	case uint16:
		return uint64(v), true
	case uint32:
		return uint64(v), true
	case uint64:
		return v, true
	case int8:
		s = int64(v)
	case int16:
		s = int64(v)
	case int32:
		s = int64(v)
	case int64:
		s = v
	default:
		return 0, false
	}
	return uint64(max(s, 0)), s >= 0
}

func checkAlign(n uint64) error {
	if n < 8 || n > maxAlign || bits.OnesCount64(n) != 1 {
		return malformed("key %q must be a power of two from 8 to %d", keyAlign, maxAlign)
	}
	return nil
}

// alignment returns the boundary that tensors start at.
func (f *File) alignment() uint64 {
	if n, ok := f.Uint(keyAlign); ok {
		return n
	}
	return defaultAlign
}

// tensorSize checks everything about a tensor but its data, and returns how many
// bytes these must have.
func tensorSize(t *Tensor) (uint64, error) {
	if t.Name == "" || len(t.Name) > maxName || !utf8.ValidString(t.Name) {
		return 0, malformed("tensor name %s is empty, longer than %d or not UTF-8", brief(t.Name), maxName)
	}
	per, _ := t.Type.Block()
	if per == 0 {
		return 0, unsupported("tensor %s is %v, which this engine does not read yet; it reads %s",
			brief(t.Name), t.Type, readable)
	}
	if len(t.Dims) == 0 || len(t.Dims) > maxDims {
		return 0, malformed("tensor %s has %d dimensions, want 1 to %d", brief(t.Name), len(t.Dims), maxDims)
	}
	n := uint64(1)
	for _, d := range t.Dims {
		hi, lo := bits.Mul64(n, d)
		// ggml counts elements in an int64.
		if d == 0 || hi != 0 || lo > math.MaxInt64 {
			return 0, malformed("tensor %s has impossible dimensions %d", brief(t.Name), t.Dims)
		}
		n = lo
	}
	if t.Dims[0]%uint64(per) != 0 {
		return 0, malformed("tensor %s: rows of %d are not a multiple of %v's block of %d",
			brief(t.Name), t.Dims[0], t.Type, per)
	}
	size, ok := t.Type.Bytes(n)
	if !ok {
		return 0, malformed("tensor %s has impossible dimensions %d", brief(t.Name), t.Dims)
	}
	return size, nil
}
