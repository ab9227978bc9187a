#include "textflag.h"

// Four registers of 16 components at a time while there are 64, then two, then one.
//
// func avx512Values(out, p, v *float32, n, width, stride int)
TEXT ·avx512Values(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ v+16(FP), DX
	MOVQ n+24(FP), R8
	MOVQ width+32(FP), R9
	MOVQ stride+40(FP), R10

values64:
	CMPQ R9, $256
	JLT  values32
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1
	VMOVUPS 128(DI), Z2
	VMOVUPS 192(DI), Z3
	MOVQ DX, R11
	XORQ CX, CX

values64loop:
	VBROADCASTSS (SI)(CX*4), Z4
	VFMADD231PS (R11), Z4, Z0
	VFMADD231PS 64(R11), Z4, Z1
	VFMADD231PS 128(R11), Z4, Z2
	VFMADD231PS 192(R11), Z4, Z3
	ADDQ R10, R11
	INCQ CX
	CMPQ CX, R8
	JLT  values64loop
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	VMOVUPS Z3, 192(DI)
	ADDQ $256, DI
	ADDQ $256, DX
	SUBQ $256, R9
	JMP  values64

values32:
	CMPQ R9, $128
	JLT  values16
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1
	MOVQ DX, R11
	XORQ CX, CX

values32loop:
	VBROADCASTSS (SI)(CX*4), Z4
	VFMADD231PS (R11), Z4, Z0
	VFMADD231PS 64(R11), Z4, Z1
	ADDQ R10, R11
	INCQ CX
	CMPQ CX, R8
	JLT  values32loop
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	ADDQ $128, DI
	ADDQ $128, DX
	SUBQ $128, R9

values16:
	TESTQ R9, R9
	JZ    valuesdone
	VMOVUPS (DI), Z0
	MOVQ DX, R11
	XORQ CX, CX

values16loop:
	VBROADCASTSS (SI)(CX*4), Z4
	VFMADD231PS (R11), Z4, Z0
	ADDQ R10, R11
	INCQ CX
	CMPQ CX, R8
	JLT  values16loop
	VMOVUPS Z0, (DI)

valuesdone:
	VZEROUPPER
	RET

// Values of six queries at a time: a row that is loaded serves all six. SI and BX walk
// along the weights of the first and the last three, R11 along the rows; R12 is three
// outputs behind DI. Component block c of query q is summed in Z(6c+q).
#define SIX_BLOCK(V, A, B, C, D, E, F) \
	VMOVUPS     V, Z30       \
	VFMADD231PS Z24, Z30, A  \
	VFMADD231PS Z25, Z30, B  \
	VFMADD231PS Z26, Z30, C  \
	VFMADD231PS Z27, Z30, D  \
	VFMADD231PS Z28, Z30, E  \
	VFMADD231PS Z29, Z30, F
#define SIX_LOAD(O, A, B, C, D, E, F) \
	VMOVUPS O(DI), A         \
	VMOVUPS O(DI)(R15*1), B  \
	VMOVUPS O(DI)(R15*2), C  \
	VMOVUPS O(R12), D        \
	VMOVUPS O(R12)(R15*1), E \
	VMOVUPS O(R12)(R15*2), F
#define SIX_STORE(O, A, B, C, D, E, F) \
	VMOVUPS A, O(DI)         \
	VMOVUPS B, O(DI)(R15*1)  \
	VMOVUPS C, O(DI)(R15*2)  \
	VMOVUPS D, O(R12)        \
	VMOVUPS E, O(R12)(R15*1) \
	VMOVUPS F, O(R12)(R15*2)
#define SIX_BEGIN \
	MOVQ SI, R13           \
	LEAQ (AX)(AX*2), BX    \
	ADDQ SI, BX            \
	MOVQ DX, R11           \
	MOVQ R8, CX
#define SIX_WEIGHTS \
	VBROADCASTSS (R13), Z24        \
	VBROADCASTSS (R13)(AX*1), Z25  \
	VBROADCASTSS (R13)(AX*2), Z26  \
	VBROADCASTSS (BX), Z27         \
	VBROADCASTSS (BX)(AX*1), Z28   \
	VBROADCASTSS (BX)(AX*2), Z29
#define SIX_NEXT \
	ADDQ $4, R13  \
	ADDQ $4, BX   \
	ADDQ R10, R11 \
	DECQ CX
#define SIX_ADVANCE(N) \
	ADDQ $N, DI  \
	ADDQ $N, R12 \
	ADDQ $N, DX  \
	SUBQ $N, R9

// func avx512Values6(out *float32, outStride int, p *float32, pStride int, v *float32, n, width, stride int)
TEXT ·avx512Values6(SB), NOSPLIT, $0-64
	MOVQ out+0(FP), DI
	MOVQ outStride+8(FP), R15
	MOVQ p+16(FP), SI
	MOVQ pStride+24(FP), AX
	MOVQ v+32(FP), DX
	MOVQ n+40(FP), R8
	MOVQ width+48(FP), R9
	MOVQ stride+56(FP), R10
	LEAQ (R15)(R15*2), R12
	ADDQ DI, R12

six64:
	CMPQ R9, $256
	JLT  six48
	SIX_BEGIN
	SIX_LOAD(0, Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_LOAD(64, Z6, Z7, Z8, Z9, Z10, Z11)
	SIX_LOAD(128, Z12, Z13, Z14, Z15, Z16, Z17)
	SIX_LOAD(192, Z18, Z19, Z20, Z21, Z22, Z23)

six64loop:
	SIX_WEIGHTS
	SIX_BLOCK((R11), Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_BLOCK(64(R11), Z6, Z7, Z8, Z9, Z10, Z11)
	SIX_BLOCK(128(R11), Z12, Z13, Z14, Z15, Z16, Z17)
	SIX_BLOCK(192(R11), Z18, Z19, Z20, Z21, Z22, Z23)
	SIX_NEXT
	JNZ six64loop
	SIX_STORE(0, Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_STORE(64, Z6, Z7, Z8, Z9, Z10, Z11)
	SIX_STORE(128, Z12, Z13, Z14, Z15, Z16, Z17)
	SIX_STORE(192, Z18, Z19, Z20, Z21, Z22, Z23)
	SIX_ADVANCE(256)
	JMP six64

six48:
	CMPQ R9, $192
	JLT  six32
	SIX_BEGIN
	SIX_LOAD(0, Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_LOAD(64, Z6, Z7, Z8, Z9, Z10, Z11)
	SIX_LOAD(128, Z12, Z13, Z14, Z15, Z16, Z17)

six48loop:
	SIX_WEIGHTS
	SIX_BLOCK((R11), Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_BLOCK(64(R11), Z6, Z7, Z8, Z9, Z10, Z11)
	SIX_BLOCK(128(R11), Z12, Z13, Z14, Z15, Z16, Z17)
	SIX_NEXT
	JNZ six48loop
	SIX_STORE(0, Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_STORE(64, Z6, Z7, Z8, Z9, Z10, Z11)
	SIX_STORE(128, Z12, Z13, Z14, Z15, Z16, Z17)
	JMP sixdone

six32:
	CMPQ R9, $128
	JLT  six16
	SIX_BEGIN
	SIX_LOAD(0, Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_LOAD(64, Z6, Z7, Z8, Z9, Z10, Z11)

six32loop:
	SIX_WEIGHTS
	SIX_BLOCK((R11), Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_BLOCK(64(R11), Z6, Z7, Z8, Z9, Z10, Z11)
	SIX_NEXT
	JNZ six32loop
	SIX_STORE(0, Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_STORE(64, Z6, Z7, Z8, Z9, Z10, Z11)
	JMP sixdone

six16:
	TESTQ R9, R9
	JZ    sixdone
	SIX_BEGIN
	SIX_LOAD(0, Z0, Z1, Z2, Z3, Z4, Z5)

six16loop:
	SIX_WEIGHTS
	SIX_BLOCK((R11), Z0, Z1, Z2, Z3, Z4, Z5)
	SIX_NEXT
	JNZ six16loop
	SIX_STORE(0, Z0, Z1, Z2, Z3, Z4, Z5)

sixdone:
	VZEROUPPER
	RET
