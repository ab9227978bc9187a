package gguf

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Write writes a file of version 3. Equal files give equal bytes.
func Write(w io.Writer, f *File) error {
	align := f.alignment()
	b := append([]byte(magic), 3, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(f.tensors)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(f.keys)))
	for _, key := range f.keys {
		b = appendString(b, key)
		b = appendValue(b, f.values[key])
	}
	var offset uint64
	for _, t := range f.tensors {
		b = appendString(b, t.Name)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(t.Dims)))
		for _, d := range t.Dims {
			b = binary.LittleEndian.AppendUint64(b, d)
		}
		b = binary.LittleEndian.AppendUint32(b, uint32(t.Type))
		b = binary.LittleEndian.AppendUint64(b, offset)
		offset += uint64(len(t.Data)) + pad(uint64(len(t.Data)), align)
	}
	b = append(b, make([]byte, pad(uint64(len(b)), align))...)
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write gguf header: %w", err)
	}
	zeros := make([]byte, align)
	for _, t := range f.tensors {
		// Checked again: the caller holds the tensor and may have changed it.
		if size, err := tensorSize(t); err != nil || size != uint64(len(t.Data)) {
			return malformed("tensor %s changed after it was added", brief(t.Name))
		}
		if _, err := w.Write(t.Data); err != nil {
			return fmt.Errorf("write gguf tensor %s: %w", brief(t.Name), err)
		}
		if _, err := w.Write(zeros[:pad(uint64(len(t.Data)), align)]); err != nil {
			return fmt.Errorf("write gguf tensor %s: %w", brief(t.Name), err)
		}
	}
	return nil
}

// pad returns how many bytes bring n to a multiple of align.
func pad(n, align uint64) uint64 { return (align - n%align) % align }
