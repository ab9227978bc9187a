#include "textflag.h"

DATA ids<>+0(SB)/4, $0
DATA ids<>+4(SB)/4, $1
DATA ids<>+8(SB)/4, $2
DATA ids<>+12(SB)/4, $3
DATA ids<>+16(SB)/4, $4
DATA ids<>+20(SB)/4, $5
DATA ids<>+24(SB)/4, $6
DATA ids<>+28(SB)/4, $7
GLOBL ids<>(SB), RODATA|NOPTR, $32

// numbers are those of Murmur3, and 158 as an exponent.
DATA numbers<>+0(SB)/4, $0xCC9E2D51
DATA numbers<>+4(SB)/4, $0x1B873593
DATA numbers<>+8(SB)/4, $0xE6546B64
DATA numbers<>+12(SB)/4, $16
DATA numbers<>+16(SB)/4, $0x85EBCA6B
DATA numbers<>+20(SB)/4, $0xC2B2AE35
DATA numbers<>+24(SB)/4, $0x4F000000
DATA numbers<>+28(SB)/4, $8
GLOBL numbers<>(SB), RODATA|NOPTR, $32

// EIGHT hashes the ids in Y0, which are multiplied by the first number already, and sets
// h to whether the ids, with logits at logits, may win. Y2 is lost.
#define EIGHT(h, logits) \
	VPSRLD    $17, Y0, Y2   \ // h = the word, turned by 15
	VPSLLD    $15, Y0, h    \
	VPOR      Y2, h, h      \
	VPMULLD   Y5, h, h      \
	VPXOR     Y14, h, h     \ // with the state, turned by 13
	VPSRLD    $19, h, Y2    \
	VPSLLD    $13, h, h     \
	VPOR      Y2, h, h      \
	VPSLLD    $2, h, Y2     \ // times 5
	VPADDD    Y2, h, h      \
	VPADDD    Y6, h, h      \
	VPXOR     Y7, h, h      \ // the length
	VPSRLD    $16, h, Y2    \
	VPXOR     Y2, h, h      \
	VPMULLD   Y8, h, h      \
	VPSRLD    $13, h, Y2    \
	VPXOR     Y2, h, h      \
	VPMULLD   Y9, h, h      \
	VPSRLD    $16, h, Y2    \
	VPXOR     Y2, h, h      \ // the hash
	VPSRLD    $1, h, h      \
	VCVTDQ2PS h, h          \
	VPSUBD    Y10, h, h     \
	VCVTDQ2PS h, h          \
	VMULPS    Y12, h, h     \
	VADDPS    logits, h, h  \
	VCMPPS    $13, Y13, h, h  // at least the limit

// func avxContend(x *float32, from, n int, first, state uint32, slope, limit float32) (group int, which uint32)
TEXT ·avxContend(SB), NOSPLIT, $0-52
	MOVQ         x+0(FP), SI
	MOVQ         from+8(FP), CX
	MOVQ         n+16(FP), R9
	MOVL         state+28(FP), AX
	VMOVD        AX, X14
	VPBROADCASTD X14, Y14
	VBROADCASTSS slope+32(FP), Y12
	VBROADCASTSS limit+36(FP), Y13
	VPBROADCASTD numbers<>+0(SB), Y4
	VPBROADCASTD numbers<>+4(SB), Y5
	VPBROADCASTD numbers<>+8(SB), Y6
	VPBROADCASTD numbers<>+12(SB), Y7
	VPBROADCASTD numbers<>+16(SB), Y8
	VPBROADCASTD numbers<>+20(SB), Y9
	VPBROADCASTD numbers<>+24(SB), Y10
	VPBROADCASTD numbers<>+28(SB), Y11
	MOVL         first+24(FP), DX
	ADDL         CX, DX
	VMOVD        DX, X0
	VPBROADCASTD X0, Y0
	VPADDD       ids<>(SB), Y0, Y0
	VPMULLD      Y4, Y0, Y0
	VPMULLD      Y4, Y11, Y11   // what eight ids further adds to that product

contendloop:
	EIGHT(Y1, (SI)(CX*4))
	VPADDD    Y11, Y0, Y0
	EIGHT(Y3, 32(SI)(CX*4))
	VPADDD    Y11, Y0, Y0
	VPOR      Y1, Y3, Y2
	VPTEST    Y2, Y2
	JNZ       contendfound
	ADDQ      $16, CX
	CMPQ      CX, R9
	JLT       contendloop
	MOVQ      CX, group+40(FP)
	MOVL      $0, which+48(FP)
	VZEROUPPER
	RET

contendfound:
	VMOVMSKPS Y1, AX
	VMOVMSKPS Y3, DX
	SHLL      $8, DX
	ORL       DX, AX
	MOVQ      CX, group+40(FP)
	MOVL      AX, which+48(FP)
	VZEROUPPER
	RET

// func avx512Contend(x *float32, from, n int, first, state uint32, slope, limit float32) (group int, which uint32)
TEXT ·avx512Contend(SB), NOSPLIT, $0-52
	MOVQ         x+0(FP), SI
	MOVQ         from+8(FP), CX
	MOVQ         n+16(FP), R9
	MOVL         state+28(FP), AX
	VPBROADCASTD AX, Z14
	VBROADCASTSS slope+32(FP), Z12
	VBROADCASTSS limit+36(FP), Z13
	VPBROADCASTD numbers<>+0(SB), Z4
	VPBROADCASTD numbers<>+4(SB), Z5
	VPBROADCASTD numbers<>+8(SB), Z6
	VPBROADCASTD numbers<>+12(SB), Z7
	VPBROADCASTD numbers<>+16(SB), Z8
	VPBROADCASTD numbers<>+20(SB), Z9
	VPBROADCASTD numbers<>+24(SB), Z10
	MOVL         first+24(FP), DX
	ADDL         CX, DX
	VPBROADCASTD DX, Y0
	VPADDD       ids<>(SB), Y0, Y0
	VPBROADCASTD numbers<>+28(SB), Y11
	VPADDD       Y11, Y0, Y1
	VINSERTI64X4 $1, Y1, Z0, Z0
	VPMULLD      Z4, Z0, Z0
	VPBROADCASTD numbers<>+12(SB), Z11
	VPMULLD      Z4, Z11, Z11          // what 16 ids further adds to that product

wideloop:
	VPROLD     $15, Z0, Z1
	VPMULLD    Z5, Z1, Z1
	VPXORD     Z14, Z1, Z1
	VPROLD     $13, Z1, Z1
	VPSLLD     $2, Z1, Z2
	VPADDD     Z6, Z1, Z1
	VPADDD     Z2, Z1, Z1
	VPSRLD     $16, Z1, Z2
	VPTERNLOGD $0x96, Z7, Z2, Z1    // of three: the word, shifted, and the length
	VPMULLD    Z8, Z1, Z1
	VPSRLD     $13, Z1, Z2
	VPXORD     Z2, Z1, Z1
	VPMULLD    Z9, Z1, Z1
	VPSRLD     $16, Z1, Z2
	VPXORD     Z2, Z1, Z1
	VPSRLD     $1, Z1, Z1
	VCVTDQ2PS  Z1, Z1
	VPSUBD     Z10, Z1, Z1
	VCVTDQ2PS  Z1, Z1
	VMULPS     Z12, Z1, Z1
	VADDPS     (SI)(CX*4), Z1, Z1
	VCMPPS     $13, Z13, Z1, K1
	VPADDD     Z11, Z0, Z0
	KORTESTW   K1, K1
	JNZ        widefound
	ADDQ       $16, CX
	CMPQ       CX, R9
	JLT        wideloop

widefound:
	KMOVW K1, AX
	MOVQ  CX, group+40(FP)
	MOVL  AX, which+48(FP)
	VZEROUPPER
	RET
