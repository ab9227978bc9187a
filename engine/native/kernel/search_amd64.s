#include "textflag.h"

// An all-ones exponent plus one carries into the sign's place.
//
// func avxFinite(x *float32, n int) bool
TEXT ·avxFinite(SB), NOSPLIT, $0-17
	MOVQ     x+0(FP), SI
	MOVQ     n+8(FP), R9
	VPCMPEQD Y7, Y7, Y7
	VPSRLD   $1, Y7, Y6     // all but the sign
	VPSRLD   $31, Y7, Y5
	VPSLLD   $23, Y5, Y5    // one in the exponent
	VPXOR    Y0, Y0, Y0
	VPXOR    Y1, Y1, Y1
	XORQ     CX, CX

finiteloop:
	VPAND  (SI)(CX*1), Y6, Y2
	VPAND  32(SI)(CX*1), Y6, Y3
	VPADDD Y5, Y2, Y2
	VPADDD Y5, Y3, Y3
	VPOR   Y2, Y0, Y0
	VPOR   Y3, Y1, Y1
	ADDQ   $64, CX
	CMPQ   CX, R9
	JLT    finiteloop
	VPOR      Y1, Y0, Y0
	VMOVMSKPS Y0, AX
	TESTL     AX, AX
	SETEQ     ret+16(FP)
	VZEROUPPER
	RET

// Each comparison that holds is -1.
//
// func avxAbove(x *float32, n int, limit float32) int
TEXT ·avxAbove(SB), NOSPLIT, $0-32
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), R9
	VBROADCASTSS limit+16(FP), Y7
	VPXOR        Y0, Y0, Y0
	VPXOR        Y1, Y1, Y1
	XORQ         CX, CX

aboveloop:
	VCMPPS $1, (SI)(CX*1), Y7, Y2
	VCMPPS $1, 32(SI)(CX*1), Y7, Y3
	VPSUBD Y2, Y0, Y0
	VPSUBD Y3, Y1, Y1
	ADDQ   $64, CX
	CMPQ   CX, R9
	JLT    aboveloop
	VPADDD       Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0xEE, X0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0x55, X0, X1
	VPADDD       X1, X0, X0
	VMOVD        X0, AX
	MOVQ         AX, ret+24(FP)
	VZEROUPPER
	RET

// func avxFirstAbove(x *float32, n int, limit float32) int
TEXT ·avxFirstAbove(SB), NOSPLIT, $0-32
	MOVQ         x+0(FP), SI
	MOVQ         n+8(FP), R9
	VBROADCASTSS limit+16(FP), Y7
	XORQ         CX, CX

firstloop:
	VCMPPS $1, (SI)(CX*1), Y7, Y2
	VCMPPS $1, 32(SI)(CX*1), Y7, Y3
	VPOR   Y2, Y3, Y4
	VPTEST Y4, Y4
	JNZ    firstfound
	ADDQ   $64, CX
	CMPQ   CX, R9
	JLT    firstloop

firstfound:
	SHRQ $2, CX
	MOVQ CX, ret+24(FP)
	VZEROUPPER
	RET
