#include "textflag.h"
#include "quant_amd64.h"
#include "quantk_amd64.h"

// Four rows of blocks times one vector, by VPDPBUSD: the stored integers are unsigned,
// the activations signed, and fix takes the bias off.
#define DOT(Y, A) \
	VPXOR    A, A, A  \
	VPDPBUSD Y8, Y, A

// func vnniGemvQ8_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ8_0(SB), NOSPLIT, $0-48
	GEMVARGS
	VPCMPEQB Y15, Y15, Y15
	VPSLLW   $7, Y15, Y15
	VPACKSSWB Y15, Y15, Y15 // -128 everywhere: 0xFF80 saturates to 0x80

vgemv8panel:
	GEMVPANEL

vgemv8loop:
	VMOVDQU (DX), Y8
	VPXOR   2(SI)(CX*1), Y15, Y0
	VPXOR   2(R11)(CX*1), Y15, Y1
	VPXOR   2(R12)(CX*1), Y15, Y2
	VPXOR   2(R13)(CX*1), Y15, Y9
	DOT(Y0, Y4)
	DOT(Y1, Y5)
	DOT(Y2, Y6)
	DOT(Y9, Y7)
	SUMS4(Y4, Y5, Y6, Y7, X4, X5)
	CHAIN4
	PREFETCHT0 128(BX)
	GEMVNEXT(34, vgemv8loop)
	GEMVSTORE(vgemv8panel)

// func vnniGemvQ4_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ4_0(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15

vgemv40panel:
	GEMVPANEL

vgemv40loop:
	VMOVDQU (DX), Y8
	NIBBLES(2(SI)(CX*1), Y0)
	NIBBLES(2(R11)(CX*1), Y1)
	NIBBLES(2(R12)(CX*1), Y2)
	NIBBLES(2(R13)(CX*1), Y9)
	DOT(Y0, Y4)
	DOT(Y1, Y5)
	DOT(Y2, Y6)
	DOT(Y9, Y7)
	SUMS4(Y4, Y5, Y6, Y7, X4, X5)
	CHAIN4
	GEMVNEXT(18, vgemv40loop)
	GEMVSTORE(vgemv40panel)

// func vnniGemvQ4_1(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ4_1(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15

vgemv41panel:
	GEMVPANEL

vgemv41loop:
	VMOVDQU (DX), Y8
	NIBBLES(4(SI)(CX*1), Y0)
	NIBBLES(4(R11)(CX*1), Y1)
	NIBBLES(4(R12)(CX*1), Y2)
	NIBBLES(4(R13)(CX*1), Y9)
	DOT(Y0, Y4)
	DOT(Y1, Y5)
	DOT(Y2, Y6)
	DOT(Y9, Y7)
	SUMS4(Y4, Y5, Y6, Y7, X4, X5)
	CHAIN4
	OFFSET4
	GEMVNEXT(20, vgemv41loop)
	GEMVSTORE(vgemv41panel)

// func vnniGemvQ5_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ5_0(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15

vgemv50panel:
	GEMVPANEL

vgemv50loop:
	VMOVDQU (DX), Y8
	NIBBLES(6(SI)(CX*1), Y0)
	NIBBLES(6(R11)(CX*1), Y1)
	NIBBLES(6(R12)(CX*1), Y2)
	NIBBLES(6(R13)(CX*1), Y9)
	FIFTHS(2(SI)(CX*1), Y0, Y10, Y11)
	FIFTHS(2(R11)(CX*1), Y1, Y10, Y11)
	FIFTHS(2(R12)(CX*1), Y2, Y10, Y11)
	FIFTHS(2(R13)(CX*1), Y9, Y10, Y11)
	DOT(Y0, Y4)
	DOT(Y1, Y5)
	DOT(Y2, Y6)
	DOT(Y9, Y7)
	SUMS4(Y4, Y5, Y6, Y7, X4, X5)
	CHAIN4
	GEMVNEXT(22, vgemv50loop)
	GEMVSTORE(vgemv50panel)

// func vnniGemvQ5_1(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ5_1(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15

vgemv51panel:
	GEMVPANEL

vgemv51loop:
	VMOVDQU (DX), Y8
	NIBBLES(8(SI)(CX*1), Y0)
	NIBBLES(8(R11)(CX*1), Y1)
	NIBBLES(8(R12)(CX*1), Y2)
	NIBBLES(8(R13)(CX*1), Y9)
	FIFTHS(4(SI)(CX*1), Y0, Y10, Y11)
	FIFTHS(4(R11)(CX*1), Y1, Y10, Y11)
	FIFTHS(4(R12)(CX*1), Y2, Y10, Y11)
	FIFTHS(4(R13)(CX*1), Y9, Y10, Y11)
	DOT(Y0, Y4)
	DOT(Y1, Y5)
	DOT(Y2, Y6)
	DOT(Y9, Y7)
	SUMS4(Y4, Y5, Y6, Y7, X4, X5)
	CHAIN4
	OFFSET4
	GEMVNEXT(24, vgemv51loop)
	GEMVSTORE(vgemv51panel)

// func vnniGemvQ4_K(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ4_K(SB), NOSPLIT, $256-48
	GEMVARGS
	LEAQ    scales-256(SP), AX
	VMOVDQU ·fifteens(SB), Y15

vgemv4kpanel:
	GEMVPANEL

vgemv4kloop:
	Q4KLOOP(vgemv4kloop)
	GEMVSTORE(vgemv4kpanel)

// func vnniGemvQ5_K(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ5_K(SB), NOSPLIT, $256-48
	GEMVARGS
	LEAQ    scales-256(SP), AX
	VMOVDQU ·fifteens(SB), Y15
	VMOVDQU ·sixteens(SB), Y14

vgemv5kpanel:
	GEMVPANEL

vgemv5kloop:
	Q5KLOOP(vgemv5kloop)
	GEMVSTORE(vgemv5kpanel)

// func vnniGemvQ6_K(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·vnniGemvQ6_K(SB), NOSPLIT, $256-48
	GEMVARGS
	LEAQ    scales-256(SP), AX
	VMOVDQU ·fifteens(SB), Y15
	VMOVDQU ·highBits(SB), Y14

vgemv6kpanel:
	GEMVPANEL

vgemv6kloop:
	Q6KLOOP(vgemv6kloop)
	GEMVSTORE(vgemv6kpanel)

// STEP8 multiplies four columns of 16 rows by eight vectors.
#define STEP8(i) \
	VMOVDQU32     (64*i)(SI), Z16              \
	VPDPBUSD.BCST (4*i)(AX)(R12*1), Z16, Z0    \
	VPDPBUSD.BCST (4*i)(BX)(R12*1), Z16, Z1    \
	VPDPBUSD.BCST (4*i)(CX)(R12*1), Z16, Z2    \
	VPDPBUSD.BCST (4*i)(DX)(R12*1), Z16, Z3    \
	VPDPBUSD.BCST (4*i)(R8)(R12*1), Z16, Z4    \
	VPDPBUSD.BCST (4*i)(R9)(R12*1), Z16, Z5    \
	VPDPBUSD.BCST (4*i)(R10)(R12*1), Z16, Z6   \
	VPDPBUSD.BCST (4*i)(R11)(R12*1), Z16, Z7

#define FIX8(at) \
	VPBROADCASTD at(AX)(R12*1), Z0  \
	VPBROADCASTD at(BX)(R12*1), Z1  \
	VPBROADCASTD at(CX)(R12*1), Z2  \
	VPBROADCASTD at(DX)(R12*1), Z3  \
	VPBROADCASTD at(R8)(R12*1), Z4  \
	VPBROADCASTD at(R9)(R12*1), Z5  \
	VPBROADCASTD at(R10)(R12*1), Z6 \
	VPBROADCASTD at(R11)(R12*1), Z7

// LESS8 leaves what fix says beyond fix0: the second half's.
#define LESS8 \
	FIX8(36)                                     \
	VPSUBD.BCST 44(AX)(R12*1), Z0, Z0  \
	VPSUBD.BCST 44(BX)(R12*1), Z1, Z1  \
	VPSUBD.BCST 44(CX)(R12*1), Z2, Z2  \
	VPSUBD.BCST 44(DX)(R12*1), Z3, Z3  \
	VPSUBD.BCST 44(R8)(R12*1), Z4, Z4  \
	VPSUBD.BCST 44(R9)(R12*1), Z5, Z5  \
	VPSUBD.BCST 44(R10)(R12*1), Z6, Z6 \
	VPSUBD.BCST 44(R11)(R12*1), Z7, Z7

// CHAIN takes the dot products in Z to the sums in A; Z17 holds the weights' scales.
#define CHAIN(R, Z, A, T) \
	VCVTDQ2PS   Z, Z                     \
	VMULPS.BCST 32(R)(R12*1), Z17, T     \
	VFMADD231PS Z, T, A

#define CHAIN8 \
	CHAIN(AX, Z0, Z8, Z18)   \
	CHAIN(BX, Z1, Z9, Z19)   \
	CHAIN(CX, Z2, Z10, Z20)  \
	CHAIN(DX, Z3, Z11, Z21)  \
	CHAIN(R8, Z4, Z12, Z22)  \
	CHAIN(R9, Z5, Z13, Z23)  \
	CHAIN(R10, Z6, Z14, Z24) \
	CHAIN(R11, Z7, Z15, Z25)

#define OFFSET8 \
	VMOVUPS          576(SI), Z17           \
	VFMADD231PS.BCST 40(AX)(R12*1), Z17, Z8   \
	VFMADD231PS.BCST 40(BX)(R12*1), Z17, Z9   \
	VFMADD231PS.BCST 40(CX)(R12*1), Z17, Z10  \
	VFMADD231PS.BCST 40(DX)(R12*1), Z17, Z11  \
	VFMADD231PS.BCST 40(R8)(R12*1), Z17, Z12  \
	VFMADD231PS.BCST 40(R9)(R12*1), Z17, Z13  \
	VFMADD231PS.BCST 40(R10)(R12*1), Z17, Z14 \
	VFMADD231PS.BCST 40(R11)(R12*1), Z17, Z15

// func vnniGemm8(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)
TEXT ·vnniGemm8(SB), NOSPLIT, $0-48
	MOVQ w+16(FP), SI
	MOVQ x+24(FP), AX
	MOVQ blocks+32(FP), DI
	LEAQ (DI)(DI*2), R12
	SHLQ $4, R12 // 48 bytes a record
	LEAQ (AX)(R12*1), BX
	LEAQ (BX)(R12*1), CX
	LEAQ (CX)(R12*1), DX
	LEAQ (DX)(R12*1), R8
	LEAQ (R8)(R12*1), R9
	LEAQ (R9)(R12*1), R10
	LEAQ (R10)(R12*1), R11
	XORQ R12, R12
	MOVQ kind+40(FP), R13
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11
	VPXORD Z12, Z12, Z12
	VPXORD Z13, Z13, Z13
	VPXORD Z14, Z14, Z14
	VPXORD Z15, Z15, Z15

vgemm8loop:
	CMPQ R13, $2
	JEQ  vgemm8halves
	FIX8(36)
	STEP8(0)
	STEP8(1)
	STEP8(2)
	STEP8(3)
	STEP8(4)
	STEP8(5)
	STEP8(6)
	STEP8(7)
	VMOVUPS 512(SI), Z17
	CHAIN8
	TESTQ R13, R13
	JZ    vgemm8next
	OFFSET8

vgemm8next:
	ADDQ $640, SI
	ADDQ $48, R12
	DECQ DI
	JNZ  vgemm8loop
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), AX
	VMOVUPS Z8, (DI)
	VMOVUPS Z9, (DI)(AX*1)
	LEAQ (DI)(AX*2), DI
	VMOVUPS Z10, (DI)
	VMOVUPS Z11, (DI)(AX*1)
	LEAQ (DI)(AX*2), DI
	VMOVUPS Z12, (DI)
	VMOVUPS Z13, (DI)(AX*1)
	LEAQ (DI)(AX*2), DI
	VMOVUPS Z14, (DI)
	VMOVUPS Z15, (DI)(AX*1)
	VZEROUPPER
	RET

vgemm8halves:
	FIX8(44)
	STEP8(0)
	STEP8(1)
	STEP8(2)
	STEP8(3)
	VMOVUPS 512(SI), Z17
	CHAIN8
	LESS8
	STEP8(4)
	STEP8(5)
	STEP8(6)
	STEP8(7)
	VMOVUPS 576(SI), Z17
	CHAIN8
	JMP vgemm8next

// The same for four vectors. Even and odd steps have sums of their own, which are added
// before they are used: a chain of one would wait for itself.
#define STEP4(i, A, B, C, D) \
	VMOVDQU32     (64*i)(SI), Z16             \
	VPDPBUSD.BCST (4*i)(AX)(R12*1), Z16, A    \
	VPDPBUSD.BCST (4*i)(BX)(R12*1), Z16, B    \
	VPDPBUSD.BCST (4*i)(CX)(R12*1), Z16, C    \
	VPDPBUSD.BCST (4*i)(DX)(R12*1), Z16, D

#define EVEN4(i) STEP4(i, Z0, Z1, Z2, Z3)
#define ODD4(i) STEP4(i, Z4, Z5, Z6, Z7)

#define FIX4(at) \
	VPBROADCASTD at(AX)(R12*1), Z0 \
	VPBROADCASTD at(BX)(R12*1), Z1 \
	VPBROADCASTD at(CX)(R12*1), Z2 \
	VPBROADCASTD at(DX)(R12*1), Z3 \
	VPXORD       Z4, Z4, Z4        \
	VPXORD       Z5, Z5, Z5        \
	VPXORD       Z6, Z6, Z6        \
	VPXORD       Z7, Z7, Z7

#define LESS4 \
	FIX4(36)                          \
	VPSUBD.BCST 44(AX)(R12*1), Z0, Z0 \
	VPSUBD.BCST 44(BX)(R12*1), Z1, Z1 \
	VPSUBD.BCST 44(CX)(R12*1), Z2, Z2 \
	VPSUBD.BCST 44(DX)(R12*1), Z3, Z3

#define CHAIN4V \
	VPADDD Z4, Z0, Z0        \
	VPADDD Z5, Z1, Z1        \
	VPADDD Z6, Z2, Z2        \
	VPADDD Z7, Z3, Z3        \
	CHAIN(AX, Z0, Z8, Z18)   \
	CHAIN(BX, Z1, Z9, Z19)   \
	CHAIN(CX, Z2, Z10, Z20)  \
	CHAIN(DX, Z3, Z11, Z21)

// func vnniGemm4(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)
TEXT ·vnniGemm4(SB), NOSPLIT, $0-48
	MOVQ w+16(FP), SI
	MOVQ x+24(FP), AX
	MOVQ blocks+32(FP), DI
	LEAQ (DI)(DI*2), R12
	SHLQ $4, R12
	LEAQ (AX)(R12*1), BX
	LEAQ (BX)(R12*1), CX
	LEAQ (CX)(R12*1), DX
	XORQ R12, R12
	MOVQ kind+40(FP), R13
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11

vgemm4loop:
	CMPQ R13, $2
	JEQ  vgemm4halves
	FIX4(36)
	EVEN4(0)
	ODD4(1)
	EVEN4(2)
	ODD4(3)
	EVEN4(4)
	ODD4(5)
	EVEN4(6)
	ODD4(7)
	VMOVUPS 512(SI), Z17
	CHAIN4V
	TESTQ R13, R13
	JZ    vgemm4next
	VMOVUPS          576(SI), Z17
	VFMADD231PS.BCST 40(AX)(R12*1), Z17, Z8
	VFMADD231PS.BCST 40(BX)(R12*1), Z17, Z9
	VFMADD231PS.BCST 40(CX)(R12*1), Z17, Z10
	VFMADD231PS.BCST 40(DX)(R12*1), Z17, Z11

vgemm4next:
	ADDQ $640, SI
	ADDQ $48, R12
	DECQ DI
	JNZ  vgemm4loop
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), AX
	VMOVUPS Z8, (DI)
	VMOVUPS Z9, (DI)(AX*1)
	LEAQ (DI)(AX*2), DI
	VMOVUPS Z10, (DI)
	VMOVUPS Z11, (DI)(AX*1)
	VZEROUPPER
	RET

vgemm4halves:
	FIX4(44)
	EVEN4(0)
	ODD4(1)
	EVEN4(2)
	ODD4(3)
	VMOVUPS 512(SI), Z17
	CHAIN4V
	LESS4
	EVEN4(4)
	ODD4(5)
	EVEN4(6)
	ODD4(7)
	VMOVUPS 576(SI), Z17
	CHAIN4V
	JMP vgemm4next
