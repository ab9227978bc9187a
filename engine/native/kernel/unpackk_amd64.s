#include "textflag.h"
#include "quant_amd64.h"
#include "unpack_amd64.h"

// The blocks of 256. A row of eight tiles is filled from one block of each of 16 rows.

// SIXTEENS8 loads 16 bytes at an offset of eight rows and leaves their first to fourth
// dwords in Y4 to Y7, a row a lane.
#define SIXTEENS8(off) \
	VMOVDQU     off(SI), X0                      \
	VMOVDQU     off(SI)(R8*1), X1                \
	VMOVDQU     off(SI)(R8*2), X2                \
	VMOVDQU     off(SI)(R9*1), X3                \
	VINSERTI128 $1, off(R10), Y0, Y0             \
	VINSERTI128 $1, off(R10)(R8*1), Y1, Y1       \
	VINSERTI128 $1, off(R10)(R8*2), Y2, Y2       \
	VINSERTI128 $1, off(R10)(R9*1), Y3, Y3       \
	VPUNPCKLDQ  Y1, Y0, Y6                       \
	VPUNPCKLDQ  Y3, Y2, Y7                       \
	VPUNPCKLQDQ Y7, Y6, Y4                       \
	VPUNPCKHQDQ Y7, Y6, Y5                       \
	VPUNPCKHDQ  Y1, Y0, Y0                       \
	VPUNPCKHDQ  Y3, Y2, Y2                       \
	VPUNPCKLQDQ Y2, Y0, Y6                       \
	VPUNPCKHQDQ Y2, Y0, Y7

// LOWHALVES turns the low words of eight dwords into float32.
#define LOWHALVES(Y, X) \
	VPACKUSDW Y, Y, Y     \
	VPERMQ    $0xD8, Y, Y \
	VCVTPH2PS X, Y

// MULTIPLES stores four bytes of each dword times a float for each row, 640 apart.
#define MULTIPLES(Y, F, to) \
	VPAND     Y15, Y, Y0         \
	VCVTDQ2PS Y0, Y0             \
	VMULPS    F, Y0, Y0          \
	VMOVUPS   Y0, to(DX)         \
	VPSRLD    $8, Y, Y0          \
	VPAND     Y15, Y0, Y0        \
	VCVTDQ2PS Y0, Y0             \
	VMULPS    F, Y0, Y0          \
	VMOVUPS   Y0, (640+to)(DX)   \
	VPSRLD    $16, Y, Y0         \
	VPAND     Y15, Y0, Y0        \
	VCVTDQ2PS Y0, Y0             \
	VMULPS    F, Y0, Y0          \
	VMOVUPS   Y0, (1280+to)(DX)  \
	VPSRLD    $24, Y, Y0         \
	VCVTDQ2PS Y0, Y0             \
	VMULPS    F, Y0, Y0          \
	VMOVUPS   Y0, (1920+to)(DX)

// SUPERSCALES fills scales and offsets of eight tiles of Q4_K or Q5_K.
#define SUPERSCALES \
	SIXTEENS8(0)                  \
	VPCMPEQD  Y15, Y15, Y15       \
	VPSRLD    $16, Y15, Y14       \
	VPSRLD    $24, Y15, Y15       \
	VPAND     Y14, Y4, Y8         \
	VPSRLD    $16, Y4, Y9         \
	LOWHALVES(Y8, X8)             \
	LOWHALVES(Y9, X9)             \
	VPCMPEQD  Y1, Y1, Y1          \
	VPSLLD    $31, Y1, Y1         \
	VPXOR     Y1, Y9, Y9          \
	VMOVDQU   ·sixBits(SB), Y1 \
	VPAND     Y1, Y5, Y10         \
	VPAND     Y1, Y6, Y11         \
	VMOVDQU   ·highBits(SB), Y1 \
	VPSRLD    $2, Y5, Y12         \
	VPAND     Y1, Y12, Y12        \
	VPSRLD    $2, Y6, Y13         \
	VPAND     Y1, Y13, Y13        \
	VMOVDQU   ·fifteens(SB), Y1   \
	VPAND     Y1, Y7, Y2          \
	VPOR      Y2, Y12, Y12        \
	VPSRLD    $4, Y7, Y2          \
	VPAND     Y1, Y2, Y2          \
	VPOR      Y2, Y13, Y13        \
	MULTIPLES(Y10, Y8, 512)       \
	MULTIPLES(Y12, Y8, 3072)      \
	MULTIPLES(Y11, Y9, 576)       \
	MULTIPLES(Y13, Y9, 3136)

#define LOW(mem, Y) \
	VPAND mem, Y15, Y

#define HIGH(mem, Y) \
	VMOVDQU mem, Y       \
	VPSRLW  $4, Y, Y     \
	VPAND   Y15, Y, Y

#define LOW8(off) \
	LOW(off(SI), Y0) \
	LOW(off(SI)(R8*1), Y1) \
	LOW(off(SI)(R8*2), Y2) \
	LOW(off(SI)(R9*1), Y3) \
	LOW(off(R10), Y4) \
	LOW(off(R10)(R8*1), Y5) \
	LOW(off(R10)(R8*2), Y6) \
	LOW(off(R10)(R9*1), Y7)

#define HIGH8(off) \
	HIGH(off(SI), Y0) \
	HIGH(off(SI)(R8*1), Y1) \
	HIGH(off(SI)(R8*2), Y2) \
	HIGH(off(SI)(R9*1), Y3) \
	HIGH(off(R10), Y4) \
	HIGH(off(R10)(R8*1), Y5) \
	HIGH(off(R10)(R8*2), Y6) \
	HIGH(off(R10)(R9*1), Y7)

// UPPER adds bits of bytes that a shift takes to where Y14 masks them.
#define UPPER(mem, Y, SHIFT, by) \
	VMOVDQU mem, Y8      \
	SHIFT   $by, Y8, Y8  \
	VPAND   Y14, Y8, Y8  \
	VPOR    Y8, Y, Y

#define UPPER8(off, SHIFT, by) \
	UPPER(off(SI), Y0, SHIFT, by) \
	UPPER(off(SI)(R8*1), Y1, SHIFT, by) \
	UPPER(off(SI)(R8*2), Y2, SHIFT, by) \
	UPPER(off(SI)(R9*1), Y3, SHIFT, by) \
	UPPER(off(R10), Y4, SHIFT, by) \
	UPPER(off(R10)(R8*1), Y5, SHIFT, by) \
	UPPER(off(R10)(R8*2), Y6, SHIFT, by) \
	UPPER(off(R10)(R9*1), Y7, SHIFT, by)

// TILEK stores eight rows of one tile and goes on to the next.
#define TILEK \
	COLUMNS          \
	ADDQ $640, DX

// SIGNEDMULTIPLES is MULTIPLES for signed bytes: the even ones are scales, the odd ones
// second scales.
#define SIGNEDMULTIPLES(Y, F, to) \
	VPSLLD    $24, Y, Y0        \
	VPSRAD    $24, Y0, Y0       \
	VCVTDQ2PS Y0, Y0            \
	VMULPS    F, Y0, Y0         \
	VMOVUPS   Y0, to(DX)        \
	VPSLLD    $16, Y, Y0        \
	VPSRAD    $24, Y0, Y0       \
	VCVTDQ2PS Y0, Y0            \
	VMULPS    F, Y0, Y0         \
	VMOVUPS   Y0, (64+to)(DX)   \
	VPSLLD    $8, Y, Y0         \
	VPSRAD    $24, Y0, Y0       \
	VCVTDQ2PS Y0, Y0            \
	VMULPS    F, Y0, Y0         \
	VMOVUPS   Y0, (640+to)(DX)  \
	VPSRAD    $24, Y, Y0        \
	VCVTDQ2PS Y0, Y0            \
	VMULPS    F, Y0, Y0         \
	VMOVUPS   Y0, (704+to)(DX)

#define MASK15 \
	VMOVDQU ·fifteens(SB), Y15

// func avx2UnpackQ4_K(dst *tile, w *byte, blocks, stride int)
TEXT ·avx2UnpackQ4_K(SB), NOSPLIT, $0-32
	UNPACKARGS

unpack4Khalf:
	UNPACKHALF

unpack4Kloop:
	SUPERSCALES
	MASK15
	LOW8(16)
	TILEK
	MASK15
	HIGH8(16)
	TILEK
	MASK15
	LOW8(48)
	TILEK
	MASK15
	HIGH8(48)
	TILEK
	MASK15
	LOW8(80)
	TILEK
	MASK15
	HIGH8(80)
	TILEK
	MASK15
	LOW8(112)
	TILEK
	MASK15
	HIGH8(112)
	TILEK
	AHEAD(0)
	AHEAD(192)
	AHEAD(384)
	AHEAD(576)
	AHEAD(768)
	AHEAD(960)
	ADDQ $(1152), BX
	ADDQ $144, SI
	ADDQ $144, R10
	SUBQ $8, CX
	JNZ  unpack4Kloop
	UNPACKEND(unpack4Khalf)

// func avx2UnpackQ5_K(dst *tile, w *byte, blocks, stride int)
TEXT ·avx2UnpackQ5_K(SB), NOSPLIT, $0-32
	UNPACKARGS

unpack5Khalf:
	UNPACKHALF

unpack5Kloop:
	SUPERSCALES
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	LOW8(48)
	UPPER8(16, VPSLLW, 4)
	TILEK
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	HIGH8(48)
	UPPER8(16, VPSLLW, 3)
	TILEK
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	LOW8(80)
	UPPER8(16, VPSLLW, 2)
	TILEK
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	HIGH8(80)
	UPPER8(16, VPSLLW, 1)
	TILEK
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	LOW8(112)
	UPPER8(16, VPSRLW, 0)
	TILEK
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	HIGH8(112)
	UPPER8(16, VPSRLW, 1)
	TILEK
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	LOW8(144)
	UPPER8(16, VPSRLW, 2)
	TILEK
	MASK15
	VMOVDQU ·sixteens(SB), Y14
	HIGH8(144)
	UPPER8(16, VPSRLW, 3)
	TILEK
	AHEAD(0)
	AHEAD(192)
	AHEAD(384)
	AHEAD(576)
	AHEAD(768)
	AHEAD(960)
	AHEAD(1152)
	AHEAD(1344)
	ADDQ $(1408), BX
	ADDQ $176, SI
	ADDQ $176, R10
	SUBQ $8, CX
	JNZ  unpack5Kloop
	UNPACKEND(unpack5Khalf)

// func avx2UnpackQ6_K(dst *tile, w *byte, blocks, stride int)
TEXT ·avx2UnpackQ6_K(SB), NOSPLIT, $0-32
	UNPACKARGS

unpack6Khalf:
	UNPACKHALF

unpack6Kloop:
	HALVES8(208, 512)
	VMOVUPS 512(DX), Y8
	SIXTEENS8(192)
	SIGNEDMULTIPLES(Y4, Y8, 512)
	SIGNEDMULTIPLES(Y5, Y8, 1792)
	SIGNEDMULTIPLES(Y6, Y8, 3072)
	SIGNEDMULTIPLES(Y7, Y8, 4352)
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	LOW8(0)
	UPPER8(128, VPSLLW, 4)
	TILEK
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	LOW8(32)
	UPPER8(128, VPSLLW, 2)
	TILEK
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	HIGH8(0)
	UPPER8(128, VPSLLW, 0)
	TILEK
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	HIGH8(32)
	UPPER8(128, VPSRLW, 2)
	TILEK
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	LOW8(64)
	UPPER8(160, VPSLLW, 4)
	TILEK
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	LOW8(96)
	UPPER8(160, VPSLLW, 2)
	TILEK
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	HIGH8(64)
	UPPER8(160, VPSLLW, 0)
	TILEK
	MASK15
	VMOVDQU   ·highBits(SB), Y14
	HIGH8(96)
	UPPER8(160, VPSRLW, 2)
	TILEK
	AHEAD(0)
	AHEAD(192)
	AHEAD(384)
	AHEAD(576)
	AHEAD(768)
	AHEAD(960)
	AHEAD(1152)
	AHEAD(1344)
	AHEAD(1536)
	ADDQ $(1680), BX
	ADDQ $210, SI
	ADDQ $210, R10
	SUBQ $8, CX
	JNZ  unpack6Kloop
	UNPACKEND(unpack6Khalf)
