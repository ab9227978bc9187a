#include "textflag.h"
#include "exp_amd64.h"

// Constants that stay in registers while exp runs.
#define EXPLOAD \
	VBROADCASTSS expHigh<>(SB), Z31  \
	VBROADCASTSS expLow<>(SB), Z30   \
	VBROADCASTSS expLog2E<>(SB), Z29 \
	VBROADCASTSS expLn2Hi<>(SB), Z28 \
	VBROADCASTSS expLn2Lo<>(SB), Z27 \
	VBROADCASTSS expC7<>(SB), Z26    \
	VBROADCASTSS expC6<>(SB), Z25    \
	VBROADCASTSS expC5<>(SB), Z24    \
	VBROADCASTSS expC4<>(SB), Z23    \
	VBROADCASTSS expC3<>(SB), Z22    \
	VBROADCASTSS expC2<>(SB), Z21    \
	VBROADCASTSS expC1<>(SB), Z20    \
	VPBROADCASTD expBias<>(SB), Z19

// EXP replaces X by its exponential; N and P are scratch. The operand order of VMINPS
// and VMAXPS lets a NaN through.
#define EXP(X, N, P) \
	VMINPS       X, Z31, X    \
	VMAXPS       X, Z30, X    \
	VMULPS       Z29, X, N    \
	VRNDSCALEPS  $0, N, N     \
	VFMADD231PS  Z28, N, X    \
	VFMADD231PS  Z27, N, X    \
	VMOVAPS      Z26, P       \
	VFMADD213PS  Z25, X, P    \
	VFMADD213PS  Z24, X, P    \
	VFMADD213PS  Z23, X, P    \
	VFMADD213PS  Z22, X, P    \
	VFMADD213PS  Z21, X, P    \
	VFMADD213PS  Z20, X, P    \
	VFMADD213PS  Z20, X, P    \
	VCVTPS2DQ    N, N         \
	VPADDD       Z19, N, N    \
	VPSLLD       $23, N, N    \
	VMULPS       N, P, X

// func avx512Exp(x *float32, n int, m float32)
TEXT ·avx512Exp(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), DI
	MOVQ         n+8(FP), R9
	VBROADCASTSS m+16(FP), Z18
	EXPLOAD

exploop:
	VMOVUPS (DI), Z0
	VSUBPS  Z18, Z0, Z0
	EXP(Z0, Z1, Z2)
	VMOVUPS Z0, (DI)
	ADDQ    $64, DI
	SUBQ    $64, R9
	JNZ     exploop
	VZEROUPPER
	RET

// func avx512SwiGLU(gate, up *float32, n int)
TEXT ·avx512SwiGLU(SB), NOSPLIT, $0-24
	MOVQ gate+0(FP), DI
	MOVQ up+8(FP), SI
	MOVQ n+16(FP), R9
	EXPLOAD
	VPXORQ Z18, Z18, Z18

swigluloop:
	VMOVUPS (DI), Z4
	VSUBPS  Z4, Z18, Z0
	EXP(Z0, Z1, Z2)
	VADDPS  Z20, Z0, Z0
	VDIVPS  Z0, Z4, Z0
	VMULPS  (SI), Z0, Z0
	VMOVUPS Z0, (DI)
	ADDQ    $64, DI
	ADDQ    $64, SI
	SUBQ    $64, R9
	JNZ     swigluloop
	VZEROUPPER
	RET

// func avx512Sum(x *float32, n int) float32
TEXT ·avx512Sum(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), DI
	MOVQ   n+8(FP), R9
	VPXORQ Z0, Z0, Z0

sumloop:
	VADDPS (DI), Z0, Z0
	ADDQ   $64, DI
	SUBQ   $64, R9
	JNZ    sumloop
	VEXTRACTF64X4 $1, Z0, Y1
	VADDPS        Y1, Y0, Y0
	VEXTRACTF128  $1, Y0, X1
	VADDPS        X1, X0, X0
	VPERMILPS     $0xEE, X0, X1
	VADDPS        X1, X0, X0
	VPERMILPS     $0x55, X0, X1
	VADDSS        X1, X0, X0
	VMOVSS        X0, ret+16(FP)
	VZEROUPPER
	RET

// func avx512Max(x *float32, n int) float32
TEXT ·avx512Max(SB), NOSPLIT, $0-20
	MOVQ    x+0(FP), DI
	MOVQ    n+8(FP), R9
	VMOVUPS (DI), Z0

maxloop:
	VMAXPS (DI), Z0, Z0
	ADDQ   $64, DI
	SUBQ   $64, R9
	JNZ    maxloop
	VEXTRACTF64X4 $1, Z0, Y1
	VMAXPS        Y1, Y0, Y0
	VEXTRACTF128  $1, Y0, X1
	VMAXPS        X1, X0, X0
	VPERMILPS     $0xEE, X0, X1
	VMAXPS        X1, X0, X0
	VPERMILPS     $0x55, X0, X1
	VMAXSS        X1, X0, X0
	VMOVSS        X0, ret+16(FP)
	VZEROUPPER
	RET

// func avx512Scale(x *float32, n int, s float32)
TEXT ·avx512Scale(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), DI
	MOVQ         n+8(FP), R9
	VBROADCASTSS s+16(FP), Z1

scaleloop:
	VMULPS  (DI), Z1, Z0
	VMOVUPS Z0, (DI)
	ADDQ    $64, DI
	SUBQ    $64, R9
	JNZ     scaleloop
	VZEROUPPER
	RET
