package gguf

import (
	"fmt"
	"math/bits"
)

// Type is the number format of a tensor, numbered as ggml_type in ggml.h.
type Type uint32

// The types that this package reads.
const (
	F32  Type = 0 // float32
	F16  Type = 1 // IEEE half
	Q4_0 Type = 2 // blocks of 32: f16 scale, 32 nibbles less 8
	Q8_0 Type = 8 // blocks of 32: f16 scale, 32 int8
)

// readable is named in refusals, so that the reader knows what to convert to.
const readable = "F32, F16, Q8_0, Q4_0"

// typeNames holds the names of ggml.h by number; "" is a number that was removed.
var typeNames = [...]string{
	"F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1",
	"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
	"IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M",
	"BF16", "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0",
	"IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4",
}

// String returns ggml's name of the type.
func (t Type) String() string {
	if uint64(t) < uint64(len(typeNames)) {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Block returns how many elements share a block and how many bytes it takes;
// zeros for a type that this package does not read.
func (t Type) Block() (elements, bytes int) {
	switch t {
	case F32:
		return 1, 4
	case F16:
		return 1, 2
	case Q8_0:
		return 32, 34
	case Q4_0:
		return 32, 18
	}
	return 0, 0
}

// Bytes returns the size of a number of elements that fill whole blocks; false
// when they do not, when the size overflows, or when the type is not read.
func (t Type) Bytes(elements uint64) (uint64, bool) {
	per, size := t.Block()
	if per == 0 || elements%uint64(per) != 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(elements/uint64(per), uint64(size))
	return lo, hi == 0
}
