#include "textflag.h"
#include "avx512_amd64.h"

// Products of four rows with up to four vectors, and of long rows from memory with up to
// six; avx512_tile_amd64.s has the others. One register holds the 16 lanes of one sum: sum r of vector
// b is Z(4b+r). Z24 to Z27 are the vectors, Z30 the weights of a row. A weight that is
// loaded serves all vectors, a piece of a vector four rows.

// LOADS reads 16 columns of each vector: BX is three vectors behind DX.
#define LOADS1 VMOVUPS (DX), Z24
#define LOADS2 LOADS1 \
	VMOVUPS (DX)(AX*1), Z25
#define LOADS3 LOADS2 \
	VMOVUPS (DX)(AX*2), Z26
#define LOADS4 LOADS3 \
	VMOVUPS (BX), Z27

#define ROW1(LOAD, W, A) \
	LOAD        W, Z30      \
	VFMADD231PS Z24, Z30, A
#define ROW2(LOAD, W, A, B) ROW1(LOAD, W, A) \
	VFMADD231PS Z25, Z30, B
#define ROW3(LOAD, W, A, B, C) ROW2(LOAD, W, A, B) \
	VFMADD231PS Z26, Z30, C
#define ROW4(LOAD, W, A, B, C, D) ROW3(LOAD, W, A, B, C) \
	VFMADD231PS Z27, Z30, D

#define STEP1(LOAD) \
	LOADS1                        \
	ROW1(LOAD, (SI), Z0)          \
	ROW1(LOAD, (SI)(R10*1), Z1)   \
	ROW1(LOAD, (SI)(R10*2), Z2)   \
	ROW1(LOAD, (SI)(R11*1), Z3)
#define STEP2(LOAD) \
	LOADS2                            \
	ROW2(LOAD, (SI), Z0, Z4)          \
	ROW2(LOAD, (SI)(R10*1), Z1, Z5)   \
	ROW2(LOAD, (SI)(R10*2), Z2, Z6)   \
	ROW2(LOAD, (SI)(R11*1), Z3, Z7)
#define STEP3(LOAD) \
	LOADS3                                 \
	ROW3(LOAD, (SI), Z0, Z4, Z8)           \
	ROW3(LOAD, (SI)(R10*1), Z1, Z5, Z9)    \
	ROW3(LOAD, (SI)(R10*2), Z2, Z6, Z10)   \
	ROW3(LOAD, (SI)(R11*1), Z3, Z7, Z11)
#define STEP4(LOAD) \
	LOADS4                                      \
	ROW4(LOAD, (SI), Z0, Z4, Z8, Z12)           \
	ROW4(LOAD, (SI)(R10*1), Z1, Z5, Z9, Z13)    \
	ROW4(LOAD, (SI)(R10*2), Z2, Z6, Z10, Z14)   \
	ROW4(LOAD, (SI)(R11*1), Z3, Z7, Z11, Z15)

#define ZEROS1 ZERO4(Z0, Z1, Z2, Z3)
#define ZEROS2 ZEROS1 \
	ZERO4(Z4, Z5, Z6, Z7)
#define ZEROS3 ZEROS2 \
	ZERO4(Z8, Z9, Z10, Z11)
#define ZEROS4 ZEROS3 \
	ZERO4(Z12, Z13, Z14, Z15)
#define ZEROS6 ZEROS4 \
	ZERO4(Z16, Z17, Z18, Z19) \
	ZERO4(Z20, Z21, Z22, Z23)

// The reduction tree, for several sums at a time. Quarters are 128 bits. EIGHTH leaves
// "j + (j+8)" of A in the low half of A and that of B in the high half; FOURTH leaves
// "j + (j+4)" of what A and B hold, in the order A's low, A's high, B's low, B's high;
// PAIR does "j + (j+2)" for A in the low half of each quarter, for B in its high half.
#define EIGHTH(A, B) \
	VSHUFF32X4 $0x44, B, A, Z24 \
	VSHUFF32X4 $0xEE, B, A, Z25 \
	VADDPS     Z25, Z24, A
#define FOURTH(A, B) \
	VSHUFF32X4 $0x88, B, A, Z26 \
	VSHUFF32X4 $0xDD, B, A, Z27 \
	VADDPS     Z27, Z26, A
#define PAIR(A, B) \
	VUNPCKLPD B, A, Z28 \
	VUNPCKHPD B, A, Z29 \
	VADDPS    Z29, Z28, A

// QUAD reduces the sums of four vectors (A's, B's, C's, D's four rows): Z0 gets a
// quarter for each vector, its four rows in order.
#define QUAD(C0, C1, C2, C3, D0, D1, D2, D3) \
	EIGHTH(Z0, Z4)   \
	EIGHTH(Z1, Z5)   \
	EIGHTH(Z2, Z6)   \
	EIGHTH(Z3, Z7)   \
	EIGHTH(C0, D0)   \
	EIGHTH(C1, D1)   \
	EIGHTH(C2, D2)   \
	EIGHTH(C3, D3)   \
	FOURTH(Z0, C0)   \
	FOURTH(Z1, C1)   \
	FOURTH(Z2, C2)   \
	FOURTH(Z3, C3)   \
	PAIR(Z0, Z1)     \
	PAIR(Z2, Z3)     \
	VSHUFPS $0x88, Z2, Z0, Z24 \
	VSHUFPS $0xDD, Z2, Z0, Z25 \
	VADDPS  Z25, Z24, Z0

// DUO reduces the sums of two vectors: the low quarters of A0 get their four rows.
#define DUO(A0, A1, A2, A3, B0, B1, B2, B3, YA, YS) \
	EIGHTH(A0, B0) \
	EIGHTH(A1, B1) \
	EIGHTH(A2, B2) \
	EIGHTH(A3, B3) \
	FOURTH(A0, A2) \
	FOURTH(A1, A3) \
	PAIR(A0, A1)   \
	VPERMILPS     $0xB1, A0, Z24 \
	VADDPS        Z24, A0, A0    \
	VEXTRACTF64X4 $1, A0, YS     \
	VSHUFPS       $0x88, YS, YA, YA

#define STORE1 \
	EIGHTH(Z0, Z1)             \
	EIGHTH(Z2, Z3)             \
	FOURTH(Z0, Z2)             \
	VPERMILPD $0x55, Z0, Z24   \
	VADDPS    Z24, Z0, Z0      \
	VPERMILPS $0xB1, Z0, Z24   \
	VADDPS    Z24, Z0, Z0      \
	VEXTRACTF64X4 $1, Z0, Y1   \
	VUNPCKLPS Y1, Y0, Y0       \
	VEXTRACTF128 $1, Y0, X1    \
	VUNPCKLPS X1, X0, X0       \
	VMOVUPS X0, (DI)
#define STORE2 \
	DUO(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Y0, Y1) \
	VMOVUPS      X0, (DI)            \
	VEXTRACTF128 $1, Y0, (DI)(R15*1)
#define STORE3 \
	QUAD(Z8, Z9, Z10, Z11, Z8, Z9, Z10, Z11) \
	VMOVUPS       X0, (DI)            \
	VEXTRACTF32X4 $1, Z0, (DI)(R15*1) \
	VEXTRACTF32X4 $2, Z0, (DI)(R15*2)
#define STORE4 \
	QUAD(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15) \
	VMOVUPS       X0, (DI)            \
	VEXTRACTF32X4 $1, Z0, (DI)(R15*1) \
	VEXTRACTF32X4 $2, Z0, (DI)(R15*2) \
	VEXTRACTF32X4 $3, Z0, (R12)
#define STORE6 STORE4 \
	DUO(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Y16, Y17) \
	VMOVUPS       X16, (R12)(R15*1)    \
	VEXTRACTF32X4 $1, Y16, (R12)(R15*2)

// GEMM is one of the functions below. WIDTH is what 16 weights take, SHIFT the binary
// logarithm of what part that is of 16 float32.
#define GEMM(ZEROS, STEP, STORE, SHIFT, WIDTH) \
	MOVQ  dst+0(FP), DI        \
	MOVQ  dstStride+8(FP), R15 \
	MOVQ  w+16(FP), SI         \
	MOVQ  x+24(FP), DX         \
	MOVQ  xStride+32(FP), AX   \
	MOVQ  panels+40(FP), R8    \
	MOVQ  cols+48(FP), R9      \
	MOVQ  stride+56(FP), R10   \
	LEAQ  (AX)(AX*2), BX       \
	ADDQ  DX, BX               \
	LEAQ  (R10)(R10*2), R11    \
	LEAQ  (R15)(R15*2), R12    \
	ADDQ  DI, R12              \
	MOVQ  R9, R13              \
	SHRQ  $SHIFT, R13          \
	NEGQ  R13                  \
	LEAQ  (R13)(R10*4), R13    \
panel:                             \
	ZEROS                      \
	MOVQ  R9, CX               \
	PCALIGN $32                \
loop:                              \
	STEP                       \
	ADDQ  $WIDTH, SI           \
	ADDQ  $64, DX              \
	ADDQ  $64, BX              \
	SUBQ  $64, CX              \
	JNZ   loop                 \
	STORE                      \
	ADDQ  R13, SI              \
	SUBQ  R9, DX               \
	SUBQ  R9, BX               \
	ADDQ  $16, DI              \
	ADDQ  $16, R12             \
	DECQ  R8                   \
	JNZ   panel                \
	VZEROUPPER                 \
	RET

// One vector and short rows; rows_amd64.s has the long ones. Those of the next panel are
// asked for while this one is multiplied. BX walks along them.
//
// func avx512Gemm1(dst, w, x *float32, panels, cols, stride int)
TEXT ·avx512Gemm1(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ w+8(FP), SI
	MOVQ x+16(FP), DX
	MOVQ panels+24(FP), R8
	MOVQ cols+32(FP), R9
	MOVQ stride+40(FP), R10
	LEAQ (R10)(R10*2), R11
	LEAQ (SI)(R10*4), BX
	MOVQ R10, R13
	SHLQ $2, R13
	SUBQ R9, R13

panel:
	ZEROS1
	MOVQ R9, CX
	PCALIGN $32

loop:
	STEP1(VMOVUPS)
	PREFETCHT0 (BX)
	PREFETCHT0 (BX)(R10*1)
	PREFETCHT0 (BX)(R10*2)
	PREFETCHT0 (BX)(R11*1)
	ADDQ $64, SI
	ADDQ $64, DX
	ADDQ $64, BX
	SUBQ $64, CX
	JNZ  loop
	STORE1
	ADDQ R13, SI
	ADDQ R13, BX
	SUBQ R9, DX
	ADDQ $16, DI
	DECQ R8
	JNZ  panel
	VZEROUPPER
	RET

// func avx512Gemm2(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Gemm2(SB), NOSPLIT, $0-64
	GEMM(ZEROS2, STEP2(VMOVUPS), STORE2, 0, 64)

// func avx512Gemm3(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Gemm3(SB), NOSPLIT, $0-64
	GEMM(ZEROS3, STEP3(VMOVUPS), STORE3, 0, 64)

// func avx512Gemm4(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Gemm4(SB), NOSPLIT, $0-64
	GEMM(ZEROS4, STEP4(VMOVUPS), STORE4, 0, 64)

// func avx512Half2(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Half2(SB), NOSPLIT, $0-64
	GEMM(ZEROS2, STEP2(VCVTPH2PS), STORE2, 1, 32)

// func avx512Half3(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Half3(SB), NOSPLIT, $0-64
	GEMM(ZEROS3, STEP3(VCVTPH2PS), STORE3, 1, 32)

// func avx512Half4(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Half4(SB), NOSPLIT, $0-64
	GEMM(ZEROS4, STEP4(VCVTPH2PS), STORE4, 1, 32)

// The same for long rows of which each is used once, one row after the other, as
// rows_amd64.s explains. LINE sums up row r: its weights times n vectors.
#define TIMES2(A, B) \
	VFMADD231PS (DX), Z30, A        \
	VFMADD231PS (DX)(AX*1), Z30, B
#define TIMES3(A, B, C) TIMES2(A, B) \
	VFMADD231PS (DX)(AX*2), Z30, C
#define TIMES4(A, B, C, D) TIMES3(A, B, C) \
	VFMADD231PS (BX), Z30, D
#define TIMES6(A, B, C, D, E, F) TIMES4(A, B, C, D) \
	VFMADD231PS (BX)(AX*1), Z30, E \
	VFMADD231PS (BX)(AX*2), Z30, F

#define LINE(LOAD, TIMES, WIDTH, LOOP) \
	MOVQ R9, CX      \
LOOP:                    \
	LOAD (SI), Z30   \
	TIMES            \
	ADDQ $WIDTH, SI  \
	ADDQ $64, DX     \
	ADDQ $64, BX     \
	SUBQ $64, CX     \
	JNZ  LOOP        \
	SUBQ R9, DX      \
	SUBQ R9, BX      \
	ADDQ R10, SI

#define LINES(LOAD, ZEROS, ROWA, ROWB, ROWC, ROWD, STORE, SHIFT, WIDTH) \
	MOVQ dst+0(FP), DI        \
	MOVQ dstStride+8(FP), R15 \
	MOVQ w+16(FP), SI         \
	MOVQ x+24(FP), DX         \
	MOVQ xStride+32(FP), AX   \
	MOVQ panels+40(FP), R8    \
	MOVQ cols+48(FP), R9      \
	MOVQ stride+56(FP), R10   \
	LEAQ (AX)(AX*2), BX       \
	ADDQ DX, BX               \
	LEAQ (R15)(R15*2), R12    \
	ADDQ DI, R12              \
	MOVQ R9, CX               \
	SHRQ $SHIFT, CX           \
	SUBQ CX, R10              \
panel:                            \
	ZEROS                     \
	LINE(LOAD, ROWA, WIDTH, loopa) \
	LINE(LOAD, ROWB, WIDTH, loopb) \
	LINE(LOAD, ROWC, WIDTH, loopc) \
	LINE(LOAD, ROWD, WIDTH, loopd) \
	STORE                     \
	ADDQ $16, DI              \
	ADDQ $16, R12             \
	DECQ R8                   \
	JNZ  panel                \
	VZEROUPPER                \
	RET
#define LINES2(LOAD, SHIFT, WIDTH) \
	LINES(LOAD, ZEROS2, TIMES2(Z0, Z4), TIMES2(Z1, Z5), TIMES2(Z2, Z6), TIMES2(Z3, Z7), STORE2, SHIFT, WIDTH)
#define LINES3(LOAD, SHIFT, WIDTH) \
	LINES(LOAD, ZEROS3, TIMES3(Z0, Z4, Z8), TIMES3(Z1, Z5, Z9), TIMES3(Z2, Z6, Z10), TIMES3(Z3, Z7, Z11), STORE3, SHIFT, WIDTH)
#define LINES4(LOAD, SHIFT, WIDTH) \
	LINES(LOAD, ZEROS4, TIMES4(Z0, Z4, Z8, Z12), TIMES4(Z1, Z5, Z9, Z13), TIMES4(Z2, Z6, Z10, Z14), TIMES4(Z3, Z7, Z11, Z15), STORE4, SHIFT, WIDTH)
#define LINES6(LOAD, SHIFT, WIDTH) \
	LINES(LOAD, ZEROS6, TIMES6(Z0, Z4, Z8, Z12, Z16, Z20), TIMES6(Z1, Z5, Z9, Z13, Z17, Z21), TIMES6(Z2, Z6, Z10, Z14, Z18, Z22), TIMES6(Z3, Z7, Z11, Z15, Z19, Z23), STORE6, SHIFT, WIDTH)

// func avx512Lines32x2(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines32x2(SB), NOSPLIT, $0-64
	LINES2(VMOVUPS, 0, 64)

// func avx512Lines16x2(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines16x2(SB), NOSPLIT, $0-64
	LINES2(VCVTPH2PS, 1, 32)

// func avx512Lines32x3(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines32x3(SB), NOSPLIT, $0-64
	LINES3(VMOVUPS, 0, 64)

// func avx512Lines16x3(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines16x3(SB), NOSPLIT, $0-64
	LINES3(VCVTPH2PS, 1, 32)

// func avx512Lines32x4(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines32x4(SB), NOSPLIT, $0-64
	LINES4(VMOVUPS, 0, 64)

// func avx512Lines16x4(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines16x4(SB), NOSPLIT, $0-64
	LINES4(VCVTPH2PS, 1, 32)

// func avx512Lines32x6(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines32x6(SB), NOSPLIT, $0-64
	LINES6(VMOVUPS, 0, 64)

// func avx512Lines16x6(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
TEXT ·avx512Lines16x6(SB), NOSPLIT, $0-64
	LINES6(VCVTPH2PS, 1, 32)
