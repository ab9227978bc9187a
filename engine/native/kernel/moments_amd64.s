#include "textflag.h"

DATA farthest<>+0(SB)/4, $0xC2AE0000
GLOBL farthest<>(SB), RODATA|NOPTR, $4

// func avxExponents(dst, logits *float32, n int, high, inverse float32)
TEXT ·avxExponents(SB), NOSPLIT, $0-32
	MOVQ         dst+0(FP), DI
	MOVQ         logits+8(FP), SI
	MOVQ         n+16(FP), R9
	VBROADCASTSS high+24(FP), Y2
	VBROADCASTSS inverse+28(FP), Y3
	XORQ         CX, CX

exponentsloop:
	VMOVUPS (SI)(CX*1), Y0
	VMOVUPS 32(SI)(CX*1), Y1
	VSUBPS  Y2, Y0, Y0
	VSUBPS  Y2, Y1, Y1
	VMULPS  Y3, Y0, Y0
	VMULPS  Y3, Y1, Y1
	VMOVUPS Y0, (DI)(CX*1)
	VMOVUPS Y1, 32(DI)(CX*1)
	ADDQ    $64, CX
	CMPQ    CX, R9
	JLT     exponentsloop
	VZEROUPPER
	RET

// Lanes 0 to 3 and 4 to 7 are a register each.
//
// func avxTotal(x *float32, n int, sum *octet)
TEXT ·avxTotal(SB), NOSPLIT, $0-24
	MOVQ    x+0(FP), SI
	MOVQ    n+8(FP), R9
	MOVQ    sum+16(FP), DI
	VMOVUPD (DI), Y0
	VMOVUPD 32(DI), Y1
	ADDQ    SI, R9

totalloop:
	VCVTPS2PD (SI), Y2
	VCVTPS2PD 16(SI), Y3
	VCVTPS2PD 32(SI), Y4
	VCVTPS2PD 48(SI), Y5
	VADDPD    Y2, Y0, Y0
	VADDPD    Y3, Y1, Y1
	VADDPD    Y4, Y0, Y0
	VADDPD    Y5, Y1, Y1
	ADDQ      $64, SI
	CMPQ      SI, R9
	JLT       totalloop
	VMOVUPD   Y0, (DI)
	VMOVUPD   Y1, 32(DI)
	VZEROUPPER
	RET

// POWERS adds four weights to the sums A, B and C.
#define POWERS(O, A, B, C) \
	VMOVUPS   O(DX)(CX*1), X6       \
	VSUBPS    X12, X6, X6           \
	VMULPS    X13, X6, X6           \
	VMAXPS    X14, X6, X6           \
	VCVTPS2PD X6, Y6                \
	VCVTPS2PD O(SI)(CX*1), Y7       \
	VMULPD    Y6, Y7, Y8            \
	VMULPD    Y6, Y8, Y9            \
	VADDPD    Y7, A, A              \
	VADDPD    Y8, B, B              \
	VADDPD    Y9, C, C

// func avxMoments(w, logits *float32, n int, high, inverse float32, sums *[3]octet)
TEXT ·avxMoments(SB), NOSPLIT, $0-40
	MOVQ         w+0(FP), SI
	MOVQ         logits+8(FP), DX
	MOVQ         n+16(FP), R9
	MOVQ         sums+32(FP), DI
	VBROADCASTSS high+24(FP), X12
	VBROADCASTSS inverse+28(FP), X13
	VBROADCASTSS farthest<>(SB), X14
	VMOVUPD      (DI), Y0
	VMOVUPD      32(DI), Y1
	VMOVUPD      64(DI), Y2
	VMOVUPD      96(DI), Y3
	VMOVUPD      128(DI), Y4
	VMOVUPD      160(DI), Y5
	XORQ         CX, CX

momentsloop:
	POWERS(0, Y0, Y2, Y4)
	POWERS(16, Y1, Y3, Y5)
	ADDQ $32, CX
	CMPQ CX, R9
	JLT  momentsloop
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VMOVUPD Y2, 64(DI)
	VMOVUPD Y3, 96(DI)
	VMOVUPD Y4, 128(DI)
	VMOVUPD Y5, 160(DI)
	VZEROUPPER
	RET
