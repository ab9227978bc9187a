package native

import (
	"encoding/binary"
	"unsafe"
)

// inPlace returns the little-endian numbers in b without copying them; false where the
// machine has the other byte order or b does not begin at a multiple of a number's size.
func inPlace[T uint16 | float32](b []byte) ([]T, bool) {
	size := unsafe.Sizeof(*new(T))
	first := unsafe.SliceData(b)
	if len(b) == 0 || uintptr(len(b))%size != 0 || uintptr(unsafe.Pointer(first))%size != 0 {
		return nil, false
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, false
	}
	return unsafe.Slice((*T)(unsafe.Pointer(first)), uintptr(len(b))/size), true
}
