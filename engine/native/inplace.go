package native

import (
	"encoding/binary"
	"unsafe"

	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
)

// blocksOf returns the kernels' name of a type whose weights share scales. They read its
// blocks wherever these begin.
func blocksOf(t gguf.Type) (kernel.Blocks, bool) {
	f, ok := map[gguf.Type]kernel.Blocks{
		gguf.Q8_0: kernel.Q8_0, gguf.Q4_0: kernel.Q4_0, gguf.Q4_1: kernel.Q4_1, gguf.Q5_0: kernel.Q5_0,
		gguf.Q5_1: kernel.Q5_1, gguf.Q4_K: kernel.Q4_K, gguf.Q5_K: kernel.Q5_K, gguf.Q6_K: kernel.Q6_K,
	}[t]
	return f, ok
}

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
