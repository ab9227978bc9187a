#include "textflag.h"
#include "quant_amd64.h"
#include "quantk_amd64.h"

DATA ·nibbleShift+0(SB)/8, $0
DATA ·nibbleShift+8(SB)/8, $0
DATA ·nibbleShift+16(SB)/8, $0x0000000400000004
DATA ·nibbleShift+24(SB)/8, $0x0000000400000004
GLOBL ·nibbleShift(SB), RODATA|NOPTR, $32
DATA ·fifteens+0(SB)/8, $0x0F0F0F0F0F0F0F0F
DATA ·fifteens+8(SB)/8, $0x0F0F0F0F0F0F0F0F
DATA ·fifteens+16(SB)/8, $0x0F0F0F0F0F0F0F0F
DATA ·fifteens+24(SB)/8, $0x0F0F0F0F0F0F0F0F
GLOBL ·fifteens(SB), RODATA|NOPTR, $32
DATA ·sixteens+0(SB)/8, $0x1010101010101010
DATA ·sixteens+8(SB)/8, $0x1010101010101010
DATA ·sixteens+16(SB)/8, $0x1010101010101010
DATA ·sixteens+24(SB)/8, $0x1010101010101010
GLOBL ·sixteens(SB), RODATA|NOPTR, $32
DATA ·fifthByte+0(SB)/8, $0x0000000000000000
DATA ·fifthByte+8(SB)/8, $0x0101010101010101
DATA ·fifthByte+16(SB)/8, $0x0202020202020202
DATA ·fifthByte+24(SB)/8, $0x0303030303030303
GLOBL ·fifthByte(SB), RODATA|NOPTR, $32
DATA ·fifthBit+0(SB)/8, $0x8040201008040201
DATA ·fifthBit+8(SB)/8, $0x8040201008040201
DATA ·fifthBit+16(SB)/8, $0x8040201008040201
DATA ·fifthBit+24(SB)/8, $0x8040201008040201
GLOBL ·fifthBit(SB), RODATA|NOPTR, $32

DATA ·sixBits+0(SB)/8, $0x3F3F3F3F3F3F3F3F
DATA ·sixBits+8(SB)/8, $0x3F3F3F3F3F3F3F3F
DATA ·sixBits+16(SB)/8, $0x3F3F3F3F3F3F3F3F
DATA ·sixBits+24(SB)/8, $0x3F3F3F3F3F3F3F3F
GLOBL ·sixBits(SB), RODATA|NOPTR, $32
DATA ·highBits+0(SB)/8, $0x3030303030303030
DATA ·highBits+8(SB)/8, $0x3030303030303030
DATA ·highBits+16(SB)/8, $0x3030303030303030
DATA ·highBits+24(SB)/8, $0x3030303030303030
GLOBL ·highBits(SB), RODATA|NOPTR, $32
DATA ·signs+0(SB)/8, $0x8000000080000000
DATA ·signs+8(SB)/8, $0x8000000080000000
GLOBL ·signs(SB), RODATA|NOPTR, $16
// ONES makes words of 1 in Y13.
#define ONES \
	VPCMPEQW Y13, Y13, Y13 \
	VPSRLW   $15, Y13, Y13

// Four rows of blocks times one vector. VPMADDUBSW multiplies unsigned by signed bytes and
// adds pairs, which cannot saturate: the activations are at most ±127, the others at most
// 128.
#define DOT(Y, A) \
	VPMADDUBSW Y8, Y, A  \
	VPMADDWD   Y13, A, A

// SIGNED multiplies the magnitude of signed bytes by activations of their sign.
#define SIGNED(mem, A) \
	VMOVDQU    mem, Y0     \
	VPSIGNB    Y0, Y8, A   \
	VPABSB     Y0, Y0      \
	VPMADDUBSW A, Y0, A    \
	VPMADDWD   Y13, A, A

// func avx2GemvQ8_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ8_0(SB), NOSPLIT, $0-48
	GEMVARGS
	ONES

agemv8panel:
	GEMVPANEL

agemv8loop:
	VMOVDQU (DX), Y8
	SIGNED(2(SI)(CX*1), Y4)
	SIGNED(2(R11)(CX*1), Y5)
	SIGNED(2(R12)(CX*1), Y6)
	SIGNED(2(R13)(CX*1), Y7)
	SUMS4(Y4, Y5, Y6, Y7, X4, X5)
	CHAIN4
	PREFETCHT0 128(BX)
	GEMVNEXT(34, agemv8loop)
	GEMVSTORE(agemv8panel)

// func avx2GemvQ4_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ4_0(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	ONES

agemv40panel:
	GEMVPANEL

agemv40loop:
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
	GEMVNEXT(18, agemv40loop)
	GEMVSTORE(agemv40panel)

// func avx2GemvQ4_1(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ4_1(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	ONES

agemv41panel:
	GEMVPANEL

agemv41loop:
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
	GEMVNEXT(20, agemv41loop)
	GEMVSTORE(agemv41panel)

// func avx2GemvQ5_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ5_0(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	ONES

agemv50panel:
	GEMVPANEL

agemv50loop:
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
	GEMVNEXT(22, agemv50loop)
	GEMVSTORE(agemv50panel)

// func avx2GemvQ5_1(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ5_1(SB), NOSPLIT, $0-48
	GEMVARGS
	VMOVDQU ·nibbleShift(SB), Y14
	VMOVDQU ·fifteens(SB), Y15
	ONES

agemv51panel:
	GEMVPANEL

agemv51loop:
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
	GEMVNEXT(24, agemv51loop)
	GEMVSTORE(agemv51panel)

// func avx2GemvQ4_K(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ4_K(SB), NOSPLIT, $256-48
	GEMVARGS
	LEAQ    scales-256(SP), AX
	VMOVDQU ·fifteens(SB), Y15
	ONES

agemv4kpanel:
	GEMVPANEL

agemv4kloop:
	Q4KLOOP(agemv4kloop)
	GEMVSTORE(agemv4kpanel)

// func avx2GemvQ5_K(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ5_K(SB), NOSPLIT, $256-48
	GEMVARGS
	LEAQ    scales-256(SP), AX
	VMOVDQU ·fifteens(SB), Y15
	VMOVDQU ·sixteens(SB), Y14
	ONES

agemv5kpanel:
	GEMVPANEL

agemv5kloop:
	Q5KLOOP(agemv5kloop)
	GEMVSTORE(agemv5kpanel)

// func avx2GemvQ6_K(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·avx2GemvQ6_K(SB), NOSPLIT, $256-48
	GEMVARGS
	LEAQ    scales-256(SP), AX
	VMOVDQU ·fifteens(SB), Y15
	VMOVDQU ·highBits(SB), Y14
	ONES

agemv6kpanel:
	GEMVPANEL

agemv6kloop:
	Q6KLOOP(agemv6kloop)
	GEMVSTORE(agemv6kpanel)

// func avx2Record(dst *record, x *float32, blocks int, bias int32)
TEXT ·avx2Record(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVL bias+24(FP), R8
	NEGL R8
	ONES
	VPACKUSWB    Y13, Y13, Y12 // bytes of 1
	VPCMPEQD     Y11, Y11, Y11
	VPSRLD       $1, Y11, Y11  // all but the sign
	VMOVDQU      ·packed(SB), Y10
	MOVL         $0x42FE0000, AX // 127
	VMOVD        AX, X9

recordloop:
	VMOVUPS      (SI), Y0
	VMOVUPS      32(SI), Y1
	VMOVUPS      64(SI), Y2
	VMOVUPS      96(SI), Y3
	VPAND        Y11, Y0, Y4
	VPAND        Y11, Y1, Y5
	VPAND        Y11, Y2, Y6
	VPAND        Y11, Y3, Y7
	VPMAXUD      Y5, Y4, Y4
	VPMAXUD      Y7, Y6, Y6
	VPMAXUD      Y6, Y4, Y4
	VEXTRACTI128 $1, Y4, X5
	VPMAXUD      X5, X4, X4
	VPSHUFD      $0x4E, X4, X5
	VPMAXUD      X5, X4, X4
	VPSHUFD      $0xB1, X4, X5
	VPMAXUD      X5, X4, X4
	VMOVD        X4, AX
	CMPL         AX, $0x7F800000
	JCC          recordnan
	CMPL         AX, $0x0D800000 // 2^-100
	JCS          recordzero
	VDIVSS       X4, X9, X5
	VDIVSS       X9, X4, X6
	VBROADCASTSS X5, Y5
	VMULPS       Y5, Y0, Y0
	VMULPS       Y5, Y1, Y1
	VMULPS       Y5, Y2, Y2
	VMULPS       Y5, Y3, Y3
	VCVTPS2DQ    Y0, Y0
	VCVTPS2DQ    Y1, Y1
	VCVTPS2DQ    Y2, Y2
	VCVTPS2DQ    Y3, Y3
	VPACKSSDW    Y1, Y0, Y0
	VPACKSSDW    Y3, Y2, Y2
	VPACKSSWB    Y2, Y0, Y0
	VPERMD       Y0, Y10, Y0
	VMOVDQU      Y0, (DI)
	VMOVSS       X6, 32(DI)
	VPMADDUBSW   Y0, Y12, Y1
	VPMADDWD     Y13, Y1, Y1
	VEXTRACTI128 $1, Y1, X2
	VPHADDD      X2, X1, X1
	VPHADDD      X1, X1, X1 // first 16, last 16
	VMOVQ        X1, AX
	MOVQ         AX, BX
	SHRQ         $32, BX
	ADDL         AX, BX
	IMULL        R8, AX
	MOVL         AX, 44(DI)
	VCVTSI2SSL   BX, X1, X1
	IMULL        R8, BX
	MOVL         BX, 36(DI)
	VMULSS       X6, X1, X1
	VMOVSS       X1, 40(DI)

recordnext:
	ADDQ $128, SI
	ADDQ $48, DI
	DECQ CX
	JNZ  recordloop
	VZEROUPPER
	RET

recordnan:
	MOVL $0x7FC00000, AX
	JMP  recordempty

recordzero:
	XORL AX, AX

recordempty:
	VPXOR   Y0, Y0, Y0
	VMOVDQU Y0, (DI)
	MOVL    AX, 32(DI)
	MOVL    $0, 36(DI)
	MOVL    AX, 40(DI)
	MOVL    $0, 44(DI)
	JMP     recordnext

DATA ·packed+0(SB)/8, $0x0000000400000000
DATA ·packed+8(SB)/8, $0x0000000500000001
DATA ·packed+16(SB)/8, $0x0000000600000002
DATA ·packed+24(SB)/8, $0x0000000700000003
GLOBL ·packed(SB), RODATA|NOPTR, $32

// Eight rows of a tile times four vectors; the other eight rows follow in a second pass.
#define VECTOR(i, R, A) \
	VPBROADCASTD (4*i)(R)(R12*1), Y10 \
	VPSIGNB      Y8, Y10, Y10         \
	VPMADDUBSW   Y10, Y9, Y10         \
	VPMADDWD     Y13, Y10, Y10        \
	VPADDD       Y10, A, A

#define ASTEP(i) \
	VMOVDQU (64*i)(SI), Y8 \
	VPABSB  Y8, Y9         \
	VECTOR(i, AX, Y0)      \
	VECTOR(i, BX, Y1)      \
	VECTOR(i, CX, Y2)      \
	VECTOR(i, DX, Y3)

#define AFIX(at) \
	VPBROADCASTD at(AX)(R12*1), Y0 \
	VPBROADCASTD at(BX)(R12*1), Y1 \
	VPBROADCASTD at(CX)(R12*1), Y2 \
	VPBROADCASTD at(DX)(R12*1), Y3

#define ALESS(R, A) \
	VPBROADCASTD 36(R)(R12*1), A   \
	VPBROADCASTD 44(R)(R12*1), Y10 \
	VPSUBD       Y10, A, A

#define ACHAIN1(R, Z, A) \
	VCVTDQ2PS    Z, Z               \
	VBROADCASTSS 32(R)(R12*1), Y10  \
	VMULPS       Y10, Y8, Y10       \
	VFMADD231PS  Z, Y10, A

#define ACHAIN \
	ACHAIN1(AX, Y0, Y4) \
	ACHAIN1(BX, Y1, Y5) \
	ACHAIN1(CX, Y2, Y6) \
	ACHAIN1(DX, Y3, Y7)

#define AOFFSET(R, A) \
	VBROADCASTSS 40(R)(R12*1), Y10 \
	VFMADD231PS  Y10, Y8, A

// func avx2Gemm4(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)
TEXT ·avx2Gemm4(SB), NOSPLIT, $0-48
	MOVQ w+16(FP), R10
	MOVQ x+24(FP), AX
	MOVQ blocks+32(FP), R9
	LEAQ (R9)(R9*2), R12
	SHLQ $4, R12 // 48 bytes a record
	LEAQ (AX)(R12*1), BX
	LEAQ (BX)(R12*1), CX
	LEAQ (CX)(R12*1), DX
	MOVQ kind+40(FP), R13
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R11
	MOVQ $2, R8
	ONES

agemm4half:
	MOVQ   R10, SI
	MOVQ   R9, R15
	XORQ   R12, R12
	VPXOR  Y4, Y4, Y4
	VPXOR  Y5, Y5, Y5
	VPXOR  Y6, Y6, Y6
	VPXOR  Y7, Y7, Y7

agemm4loop:
	CMPQ R13, $2
	JEQ  agemm4sixteens
	AFIX(36)
	ASTEP(0)
	ASTEP(1)
	ASTEP(2)
	ASTEP(3)
	ASTEP(4)
	ASTEP(5)
	ASTEP(6)
	ASTEP(7)
	VMOVUPS 512(SI), Y8
	ACHAIN
	TESTQ R13, R13
	JZ    agemm4next
	VMOVUPS 576(SI), Y8
	AOFFSET(AX, Y4)
	AOFFSET(BX, Y5)
	AOFFSET(CX, Y6)
	AOFFSET(DX, Y7)

agemm4next:
	ADDQ $640, SI
	ADDQ $48, R12
	DECQ R15
	JNZ  agemm4loop
	VMOVUPS Y4, (DI)
	VMOVUPS Y5, (DI)(R11*1)
	LEAQ    (DI)(R11*2), SI
	VMOVUPS Y6, (SI)
	VMOVUPS Y7, (SI)(R11*1)
	ADDQ    $32, DI
	ADDQ    $32, R10
	DECQ    R8
	JNZ     agemm4half
	VZEROUPPER
	RET

agemm4sixteens:
	AFIX(44)
	ASTEP(0)
	ASTEP(1)
	ASTEP(2)
	ASTEP(3)
	VMOVUPS 512(SI), Y8
	ACHAIN
	ALESS(AX, Y0)
	ALESS(BX, Y1)
	ALESS(CX, Y2)
	ALESS(DX, Y3)
	ASTEP(4)
	ASTEP(5)
	ASTEP(6)
	ASTEP(7)
	VMOVUPS 576(SI), Y8
	ACHAIN
	JMP agemm4next
