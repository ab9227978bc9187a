#include "textflag.h"
#include "quant_amd64.h"
#include "unpack_amd64.h"

// func avx2UnpackQ8_0(dst *tile, w *byte, blocks, stride int, flip uint8)
TEXT ·avx2UnpackQ8_0(SB), NOSPLIT, $0-33
	UNPACKARGS

unpack8half:
	UNPACKHALF

unpack8loop:
	VPBROADCASTB flip+32(FP), Y15
	VPXOR        2(SI), Y15, Y0
	VPXOR        2(SI)(R8*1), Y15, Y1
	VPXOR        2(SI)(R8*2), Y15, Y2
	VPXOR        2(SI)(R9*1), Y15, Y3
	VPXOR        2(R10), Y15, Y4
	VPXOR        2(R10)(R8*1), Y15, Y5
	VPXOR        2(R10)(R8*2), Y15, Y6
	VPXOR        2(R10)(R9*1), Y15, Y7
	COLUMNS
	HALVES8(0, 512)
	PREFETCHT1 192(BX)
	PREFETCHT1 256(BX)
	UNPACKNEXT(34, unpack8loop)
	UNPACKEND(unpack8half)

// func avx2UnpackQ4_0(dst *tile, w *byte, blocks, stride int)
TEXT ·avx2UnpackQ4_0(SB), NOSPLIT, $0-32
	UNPACKARGS

unpack40half:
	UNPACKHALF

unpack40loop:
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	NIBBLES8(2)
	COLUMNS
	HALVES8(0, 512)
	UNPACKNEXT(18, unpack40loop)
	UNPACKEND(unpack40half)

// func avx2UnpackQ4_1(dst *tile, w *byte, blocks, stride int)
TEXT ·avx2UnpackQ4_1(SB), NOSPLIT, $0-32
	UNPACKARGS

unpack41half:
	UNPACKHALF

unpack41loop:
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	NIBBLES8(4)
	COLUMNS
	HALVES8(0, 512)
	HALVES8(2, 576)
	UNPACKNEXT(20, unpack41loop)
	UNPACKEND(unpack41half)

// func avx2UnpackQ5_0(dst *tile, w *byte, blocks, stride int)
TEXT ·avx2UnpackQ5_0(SB), NOSPLIT, $0-32
	UNPACKARGS

unpack50half:
	UNPACKHALF

unpack50loop:
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	NIBBLES8(6)
	FIFTHS8(2)
	COLUMNS
	HALVES8(0, 512)
	UNPACKNEXT(22, unpack50loop)
	UNPACKEND(unpack50half)

// func avx2UnpackQ5_1(dst *tile, w *byte, blocks, stride int)
TEXT ·avx2UnpackQ5_1(SB), NOSPLIT, $0-32
	UNPACKARGS

unpack51half:
	UNPACKHALF

unpack51loop:
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	NIBBLES8(8)
	FIFTHS8(4)
	COLUMNS
	HALVES8(0, 512)
	HALVES8(2, 576)
	PREFETCHT1 192(BX)
	UNPACKNEXT(24, unpack51loop)
	UNPACKEND(unpack51half)
