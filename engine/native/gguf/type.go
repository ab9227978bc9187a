package gguf

import (
	"fmt"
	"math/bits"
	"strings"
)

// Type is the number format of a tensor, numbered as ggml_type in ggml.h.
type Type uint32

// The types that this package reads. The size of a block in elements follows each.
const (
	F32  Type = 0  // 1: float32
	F16  Type = 1  // 1: IEEE half
	Q4_0 Type = 2  // 32: half scale, nibbles less 8
	Q4_1 Type = 3  // 32: half scale and minimum, nibbles
	Q5_0 Type = 6  // 32: half scale, 5 bits less 16
	Q5_1 Type = 7  // 32: half scale and minimum, 5 bits
	Q8_0 Type = 8  // 32: half scale, int8
	Q4_K Type = 12 // 256: eight 6-bit scales and minima under two halves, nibbles
	Q5_K Type = 13 // 256: as Q4_K, 5 bits
	Q6_K Type = 14 // 256: sixteen 8-bit scales under a half, 6 bits less 32
	BF16 Type = 30 // 1: the upper half of a float32
)

// readable and writable are named in refusals, so that whoever reads them knows what
// to convert to.
const (
	readable = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K"
	writable = "F32, F16, Q8_0, Q4_0, Q4_K"
)

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
	case F16, BF16:
		return 1, 2
	case Q4_0:
		return 32, 18
	case Q4_1:
		return 32, 20
	case Q5_0:
		return 32, 22
	case Q5_1:
		return 32, 24
	case Q8_0:
		return 32, 34
	case Q4_K:
		return 256, 144
	case Q5_K:
		return 256, 176
	case Q6_K:
		return 256, 210
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

// Named returns the type that a name stands for, in any case: "q8_0" is Q8_0. Only
// types that this package reads have a name here.
func Named(name string) (Type, bool) {
	for i, n := range typeNames {
		if per, _ := Type(i).Block(); per > 0 && strings.EqualFold(n, name) {
			return Type(i), true
		}
	}
	return 0, false
}
