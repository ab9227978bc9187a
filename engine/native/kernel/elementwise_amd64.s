#include "textflag.h"

// Single operations on every element, in registers of eight, which are as fast here as
// registers of sixteen.

// func avxNorm(out, x, w *float32, n int, s float32)
TEXT ·avxNorm(SB), NOSPLIT, $0-36
	MOVQ         out+0(FP), DI
	MOVQ         x+8(FP), SI
	MOVQ         w+16(FP), DX
	MOVQ         n+24(FP), R9
	VBROADCASTSS s+32(FP), Y2
	XORQ         CX, CX

normloop:
	VMULPS  (SI)(CX*1), Y2, Y0
	VMULPS  32(SI)(CX*1), Y2, Y1
	VMULPS  (DX)(CX*1), Y0, Y0
	VMULPS  32(DX)(CX*1), Y1, Y1
	VMOVUPS Y0, (DI)(CX*1)
	VMOVUPS Y1, 32(DI)(CX*1)
	ADDQ    $64, CX
	CMPQ    CX, R9
	JLT     normloop
	VZEROUPPER
	RET

// func avxAdd(x, y *float32, n int)
TEXT ·avxAdd(SB), NOSPLIT, $0-24
	MOVQ x+0(FP), DI
	MOVQ y+8(FP), SI
	MOVQ n+16(FP), R9
	XORQ CX, CX

addloop:
	VMOVUPS (DI)(CX*1), Y0
	VMOVUPS 32(DI)(CX*1), Y1
	VADDPS  (SI)(CX*1), Y0, Y0
	VADDPS  32(SI)(CX*1), Y1, Y1
	VMOVUPS Y0, (DI)(CX*1)
	VMOVUPS Y1, 32(DI)(CX*1)
	ADDQ    $64, CX
	CMPQ    CX, R9
	JLT     addloop
	VZEROUPPER
	RET

// Four pairs at a time: each cosine and sine is doubled, and the products with the
// sines are taken from the first of each pair and added to the second.
//
// func avxTurnPairs(x, cos, sin *float32, pairs int)
TEXT ·avxTurnPairs(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), DI
	MOVQ cos+8(FP), SI
	MOVQ sin+16(FP), DX
	MOVQ pairs+24(FP), R9
	XORQ CX, CX

pairsloop:
	VPMOVZXDQ (SI)(CX*4), Y0
	VPMOVZXDQ (DX)(CX*4), Y1
	VMOVSLDUP Y0, Y0
	VMOVSLDUP Y1, Y1
	VMOVUPS   (DI)(CX*8), Y2
	VPERMILPS $0xB1, Y2, Y3
	VMULPS    Y0, Y2, Y2
	VMULPS    Y1, Y3, Y3
	VADDSUBPS Y3, Y2, Y2
	VMOVUPS   Y2, (DI)(CX*8)
	ADDQ      $4, CX
	CMPQ      CX, R9
	JLT       pairsloop
	VZEROUPPER
	RET

// func avxTurnHalves(a, b, cos, sin *float32, pairs int)
TEXT ·avxTurnHalves(SB), NOSPLIT, $0-40
	MOVQ a+0(FP), DI
	MOVQ b+8(FP), BX
	MOVQ cos+16(FP), SI
	MOVQ sin+24(FP), DX
	MOVQ pairs+32(FP), R9
	XORQ CX, CX

halvesloop:
	VMOVUPS (DI)(CX*4), Y0
	VMOVUPS (BX)(CX*4), Y1
	VMOVUPS (SI)(CX*4), Y2
	VMOVUPS (DX)(CX*4), Y3
	VMULPS  Y2, Y0, Y4
	VMULPS  Y3, Y1, Y5
	VMULPS  Y3, Y0, Y0
	VMULPS  Y2, Y1, Y1
	VSUBPS  Y5, Y4, Y4
	VADDPS  Y1, Y0, Y0
	VMOVUPS Y4, (DI)(CX*4)
	VMOVUPS Y0, (BX)(CX*4)
	ADDQ    $8, CX
	CMPQ    CX, R9
	JLT     halvesloop
	VZEROUPPER
	RET
