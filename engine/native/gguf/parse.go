package gguf

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

const magic = "GGUF"

// The least bytes that an entry of each table takes: its length prefixes and
// fixed fields with the shortest permitted contents.
const (
	minKV     = 8 + 1 + 4 + 1
	minTensor = 8 + 1 + 4 + 8 + 4 + 8
)

// Parse reads a model file. The tensors' Data and arrays of metadata are parts of data,
// which must stay unchanged as long as the File is in use.
func Parse(data []byte) (*File, error) {
	c := &cursor{rest: data}
	tensors, pairs, err := c.header()
	if err != nil {
		return nil, err
	}
	f := &File{}
	for range pairs {
		key := c.str("a key")
		value := c.value(key)
		if c.err != nil {
			return nil, c.err
		}
		if _, ok := f.values[key]; ok {
			return nil, malformed("key %s occurs twice", brief(key))
		}
		if err := f.Set(key, value); err != nil {
			return nil, err
		}
	}
	infos := make([]info, 0, min(tensors, 1<<10))
	for range tensors {
		infos = append(infos, c.info())
		if c.err != nil {
			return nil, c.err
		}
	}
	if err := f.place(data, len(data)-len(c.rest), infos); err != nil {
		return nil, err
	}
	return f, nil
}

// beginning says what a file is that is no GGUF file, so that whoever fetched it sees why.
func beginning(data []byte) string {
	switch {
	case len(data) == 0:
		return "it is empty"
	case bytes.HasPrefix(data, []byte("version https://git-lfs")):
		return "it is a pointer of Git LFS to the file, which is still to be fetched"
	}
	return fmt.Sprintf("it begins with %q, want %q", data[:min(len(data), len(magic))], magic)
}

// header reads magic, version and the two counts.
func (c *cursor) header() (tensors, pairs uint64, err error) {
	if !bytes.HasPrefix(c.rest, []byte(magic)) {
		return 0, 0, malformed("not a GGUF file: %s", beginning(c.rest))
	}
	c.take(uint64(len(magic)), "the magic")
	switch version := c.u32(); {
	case c.err != nil:
		return 0, 0, c.err
	case version == 2 || version == 3:
	case version&0xffff == 0 && version != 0:
		return 0, 0, unsupported("big-endian file, only little-endian is read")
	default:
		return 0, 0, unsupported("version %d, only 2 and 3 are read", version)
	}
	tensors, pairs = c.u64(), c.u64()
	if c.err != nil {
		return 0, 0, c.err
	}
	if room := uint64(len(c.rest)) / minTensor; tensors > room {
		return 0, 0, truncated("claims %d tensors, the file has room for %d", tensors, room)
	}
	if room := uint64(len(c.rest)) / minKV; pairs > room {
		return 0, 0, truncated("claims %d keys, the file has room for %d", pairs, room)
	}
	return tensors, pairs, nil
}

// An info is a tensor whose data were not looked for yet.
type info struct {
	Tensor
	offset, size uint64
}

func (c *cursor) info() info {
	var t info
	t.Name = c.str("a tensor's name")
	n := c.u32()
	if c.err == nil && n > maxDims {
		c.fail(malformed("tensor %s has %d dimensions, want 1 to %d", brief(t.Name), n, maxDims))
	}
	if c.err != nil {
		return t
	}
	for range n {
		t.Dims = append(t.Dims, c.u64())
	}
	t.Type, t.offset = Type(c.u32()), c.u64()
	if c.err != nil {
		return t
	}
	size, err := tensorSize(&t.Tensor)
	if err != nil {
		c.fail(err)
	}
	t.size = size
	return t
}

// place gives every tensor its bytes; start is where the header ended.
func (f *File) place(data []byte, start int, infos []info) error {
	align := f.alignment()
	body := (uint64(start) + align - 1) &^ (align - 1)
	for i := range infos {
		t := &infos[i]
		if t.offset%align != 0 {
			return malformed("tensor %s begins at %d, which is not a multiple of %d", brief(t.Name), t.offset, align)
		}
		// Written so that no sum can overflow: t.offset and t.size are the file's.
		room := uint64(len(data)) - min(body, uint64(len(data)))
		if t.offset > room || t.size > room-t.offset {
			return truncated("tensor %s needs %d bytes at %d, the file has %d", brief(t.Name), t.size, t.offset, room)
		}
		from := body + t.offset
		t.Data = data[from : from+t.size : from+t.size]
		if err := f.Add(&t.Tensor); err != nil {
			return err
		}
	}
	byOffset := slices.Clone(infos)
	slices.SortFunc(byOffset, func(a, b info) int { return cmp.Compare(a.offset, b.offset) })
	for i := 1; i < len(byOffset); i++ {
		if a, b := &byOffset[i-1], &byOffset[i]; a.offset+a.size > b.offset {
			return malformed("tensors %s and %s overlap", brief(a.Name), brief(b.Name))
		}
	}
	return nil
}

// A cursor takes the header apart. Its first failure sticks; later reads give
// zeros, so that loops check once a round.
type cursor struct {
	rest []byte
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.rest = nil
}

func (c *cursor) take(n uint64, what string) []byte {
	if c.err != nil {
		return nil
	}
	if n > uint64(len(c.rest)) {
		c.fail(truncated("the file ends early: %s takes %d bytes, %d are left", what, n, len(c.rest)))
		return nil
	}
	out := c.rest[:n]
	c.rest = c.rest[n:]
	return out
}

func (c *cursor) u8() uint8 {
	if b := c.take(1, "a number"); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.take(2, "a number"); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4, "a number"); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8, "a number"); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) bool(key string) bool {
	v := c.u8()
	if v > 1 {
		c.fail(malformed("key %s: a truth value is %d", brief(key), v))
	}
	return v == 1
}

func (c *cursor) str(what string) string {
	n := c.u64()
	return string(c.take(n, what))
}
