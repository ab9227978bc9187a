#include "textflag.h"
#include "neon_arm64.h"

// The 16 lanes of a row are four registers. Rows are worked on by fours.

#define ZERO16 \
	VEOR V0.B16, V0.B16, V0.B16    \
	VEOR V1.B16, V1.B16, V1.B16    \
	VEOR V2.B16, V2.B16, V2.B16    \
	VEOR V3.B16, V3.B16, V3.B16    \
	VEOR V4.B16, V4.B16, V4.B16    \
	VEOR V5.B16, V5.B16, V5.B16    \
	VEOR V6.B16, V6.B16, V6.B16    \
	VEOR V7.B16, V7.B16, V7.B16    \
	VEOR V8.B16, V8.B16, V8.B16    \
	VEOR V9.B16, V9.B16, V9.B16    \
	VEOR V10.B16, V10.B16, V10.B16 \
	VEOR V11.B16, V11.B16, V11.B16 \
	VEOR V12.B16, V12.B16, V12.B16 \
	VEOR V13.B16, V13.B16, V13.B16 \
	VEOR V14.B16, V14.B16, V14.B16 \
	VEOR V15.B16, V15.B16, V15.B16

// QUARTERS adds the last three steps of the tree for four rows, each in a register with
// "j + (j+8)" and "j + (j+4)" done, and leaves the sums in d. S to V are scratch.
#define QUARTERS(A, B, C, D, a, b, s, t, S, T, d, U, V, u, v) \
	VZIP1 B.S4, A.S4, S.S4 \
	VZIP2 B.S4, A.S4, T.S4 \
	FADD4(t, s, s)         \
	VZIP1 D.S4, C.S4, U.S4 \
	VZIP2 D.S4, C.S4, V.S4 \
	FADD4(v, u, u)         \
	VZIP1 U.D2, S.D2, T.D2 \
	VZIP2 U.D2, S.D2, V.D2 \
	FADD4(v, t, d)

// TREE16 adds up the 16 lanes of four rows in V0 to V15 and leaves the sums in V16.
#define TREE16 \
	FADD4(2, 0, 0)    \
	FADD4(3, 1, 1)    \
	FADD4(1, 0, 0)    \
	FADD4(6, 4, 4)    \
	FADD4(7, 5, 5)    \
	FADD4(5, 4, 4)    \
	FADD4(10, 8, 8)   \
	FADD4(11, 9, 9)   \
	FADD4(9, 8, 8)    \
	FADD4(14, 12, 12) \
	FADD4(15, 13, 13) \
	FADD4(13, 12, 12) \
	QUARTERS(V0, V4, V8, V12, 0, 4, 17, 18, V17, V18, 16, V19, V20, 19, 20)

#define ROW16(A, B, C, D) \
	VFMLA V24.S4, V20.S4, A.S4 \
	VFMLA V25.S4, V21.S4, B.S4 \
	VFMLA V26.S4, V22.S4, C.S4 \
	VFMLA V27.S4, V23.S4, D.S4

#define LOAD16(R) VLD1.P 64(R), [V20.S4, V21.S4, V22.S4, V23.S4]

#define GEMVROWS \
	MOVD R1, R4     \
	ADD  R6, R4, R7 \
	ADD  R6, R7, R8 \
	ADD  R6, R8, R9 \
	MOVD R2, R10    \
	MOVD R5, R11

// func neonGemv32(dst, w, x *float32, panels, blocks, stride int)
TEXT ·neonGemv32(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD w+8(FP), R1
	MOVD x+16(FP), R2
	MOVD panels+24(FP), R3
	MOVD blocks+32(FP), R5
	MOVD stride+40(FP), R6

gemv32panel:
	GEMVROWS
	ZERO16

gemv32loop:
	VLD1.P 64(R10), [V24.S4, V25.S4, V26.S4, V27.S4]
	LOAD16(R4)
	ROW16(V0, V1, V2, V3)
	LOAD16(R7)
	ROW16(V4, V5, V6, V7)
	LOAD16(R8)
	ROW16(V8, V9, V10, V11)
	LOAD16(R9)
	ROW16(V12, V13, V14, V15)
	SUBS $1, R11
	BNE  gemv32loop
	TREE16
	VST1.P [V16.S4], 16(R0)
	ADD  R6<<2, R1
	SUBS $1, R3
	BNE  gemv32panel
	RET

// WIDEN16 loads 16 float16 as float32.
#define WIDEN16(R) \
	VLD1.P 32(R), [V28.H8, V29.H8] \
	FCVTL(28, 20)                  \
	FCVTL2(28, 21)                 \
	FCVTL(29, 22)                  \
	FCVTL2(29, 23)

// func neonGemv16(dst *float32, w *uint16, x *float32, panels, blocks, stride int)
TEXT ·neonGemv16(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD w+8(FP), R1
	MOVD x+16(FP), R2
	MOVD panels+24(FP), R3
	MOVD blocks+32(FP), R5
	MOVD stride+40(FP), R6

gemv16panel:
	GEMVROWS
	ZERO16

gemv16loop:
	VLD1.P 64(R10), [V24.S4, V25.S4, V26.S4, V27.S4]
	WIDEN16(R4)
	ROW16(V0, V1, V2, V3)
	WIDEN16(R7)
	ROW16(V4, V5, V6, V7)
	WIDEN16(R8)
	ROW16(V8, V9, V10, V11)
	WIDEN16(R9)
	ROW16(V12, V13, V14, V15)
	SUBS $1, R11
	BNE  gemv16loop
	TREE16
	VST1.P [V16.S4], 16(R0)
	ADD  R6<<2, R1
	SUBS $1, R3
	BNE  gemv16panel
	RET

// Four rows times three vectors: lanes 0-7 over all columns first, put aside, then lanes
// 8-15. Twelve sums of two registers each, V0 to V23; V24 and V25 hold a row's columns,
// V26 to V31 the vectors'.
#define ROW3(R, A, B, C, D, E, F) \
	VLD1.P (R)(R12), [V24.S4, V25.S4] \
	VFMLA  V26.S4, V24.S4, A.S4       \
	VFMLA  V27.S4, V25.S4, B.S4       \
	VFMLA  V28.S4, V24.S4, C.S4       \
	VFMLA  V29.S4, V25.S4, D.S4       \
	VFMLA  V30.S4, V24.S4, E.S4       \
	VFMLA  V31.S4, V25.S4, F.S4

#define HALF3(label) \
	MOVD R5, R11                                        \
	VEOR V16.B16, V16.B16, V16.B16                      \
	VEOR V17.B16, V17.B16, V17.B16                      \
	VEOR V18.B16, V18.B16, V18.B16                      \
	VEOR V19.B16, V19.B16, V19.B16                      \
	VEOR V20.B16, V20.B16, V20.B16                      \
	VEOR V21.B16, V21.B16, V21.B16                      \
	VEOR V22.B16, V22.B16, V22.B16                      \
	VEOR V23.B16, V23.B16, V23.B16                      \
	ZERO16                                              \
label:                                                  \
	VLD1.P (R10)(R12), [V26.S4, V27.S4]                 \
	VLD1.P (R13)(R12), [V28.S4, V29.S4]                 \
	VLD1.P (R14)(R12), [V30.S4, V31.S4]                 \
	ROW3(R4, V0, V1, V2, V3, V4, V5)                    \
	ROW3(R7, V6, V7, V8, V9, V10, V11)                  \
	ROW3(R8, V12, V13, V14, V15, V16, V17)              \
	ROW3(R9, V18, V19, V20, V21, V22, V23)              \
	SUBS $1, R11                                        \
	BNE  label

#define VECTORS3 \
	ADD R15, R10, R13 \
	ADD R15, R13, R14

#define ADDSAVED(A, B, a, b) \
	VLD1.P 32(R16), [V24.S4, V25.S4] \
	FADD4(24, a, a)                  \
	FADD4(25, b, b)                  \
	FADD4(b, a, a)

// func neonGemm3(dst *float32, dstStride int, w, x *float32, xStride, panels, blocks, stride int)
TEXT ·neonGemm3(SB), NOSPLIT, $384-64
	MOVD dst+0(FP), R0
	MOVD w+16(FP), R1
	MOVD x+24(FP), R2
	MOVD xStride+32(FP), R15
	MOVD panels+40(FP), R3
	MOVD blocks+48(FP), R5
	MOVD stride+56(FP), R6
	MOVD $64, R12

gemm3panel:
	GEMVROWS
	VECTORS3
	HALF3(gemm3low)
	MOVD   $sums-384(SP), R16
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R16)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], 64(R16)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], 64(R16)
	VST1.P [V12.S4, V13.S4, V14.S4, V15.S4], 64(R16)
	VST1.P [V16.S4, V17.S4, V18.S4, V19.S4], 64(R16)
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(R16)
	GEMVROWS
	VECTORS3
	ADD $32, R4
	ADD $32, R7
	ADD $32, R8
	ADD $32, R9
	ADD $32, R10
	ADD $32, R13
	ADD $32, R14
	HALF3(gemm3high)
	MOVD $sums-384(SP), R16
	ADDSAVED(V0, V1, 0, 1)
	ADDSAVED(V2, V3, 2, 3)
	ADDSAVED(V4, V5, 4, 5)
	ADDSAVED(V6, V7, 6, 7)
	ADDSAVED(V8, V9, 8, 9)
	ADDSAVED(V10, V11, 10, 11)
	ADDSAVED(V12, V13, 12, 13)
	ADDSAVED(V14, V15, 14, 15)
	ADDSAVED(V16, V17, 16, 17)
	ADDSAVED(V18, V19, 18, 19)
	ADDSAVED(V20, V21, 20, 21)
	ADDSAVED(V22, V23, 22, 23)
	QUARTERS(V0, V6, V12, V18, 0, 6, 24, 25, V24, V25, 1, V26, V27, 26, 27)
	QUARTERS(V2, V8, V14, V20, 2, 8, 24, 25, V24, V25, 3, V26, V27, 26, 27)
	QUARTERS(V4, V10, V16, V22, 4, 10, 24, 25, V24, V25, 5, V26, V27, 26, 27)
	MOVD dstStride+8(FP), R16
	ADD  R16, R0, R17
	VST1 [V1.S4], (R0)
	VST1 [V3.S4], (R17)
	ADD  R16, R17
	VST1 [V5.S4], (R17)
	ADD  $16, R0
	ADD  R6<<2, R1
	SUBS $1, R3
	BNE  gemm3panel
	RET

// func neonWiden(dst *float32, src *uint16, blocks int)
TEXT ·neonWiden(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD blocks+16(FP), R2

widenloop:
	WIDEN16(R1)
	VST1.P [V20.S4, V21.S4, V22.S4, V23.S4], 64(R0)
	SUBS   $1, R2
	BNE    widenloop
	RET

// func neonValues(out, p, v *float32, n, blocks, stride int)
TEXT ·neonValues(SB), NOSPLIT, $0-48
	MOVD out+0(FP), R0
	MOVD p+8(FP), R1
	MOVD v+16(FP), R2
	MOVD n+24(FP), R3
	MOVD blocks+32(FP), R4
	MOVD stride+40(FP), R5

valuesblock:
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	MOVD R1, R6
	MOVD R2, R7
	MOVD R3, R8

valuesloop:
	VLD1R.P 4(R6), [V16.S4]
	VLD1.P  (R7)(R5), [V20.S4, V21.S4, V22.S4, V23.S4]
	VFMLA   V16.S4, V20.S4, V0.S4
	VFMLA   V16.S4, V21.S4, V1.S4
	VFMLA   V16.S4, V22.S4, V2.S4
	VFMLA   V16.S4, V23.S4, V3.S4
	SUBS    $1, R8
	BNE     valuesloop
	VST1.P  [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	ADD     $64, R2
	SUBS    $1, R4
	BNE     valuesblock
	RET

// The constants of portable.go: bounds, log2 e, ln 2 in two parts negated, the series,
// the exponent's bias.
DATA neonExp<>+0(SB)/4, $0x42B00000
DATA neonExp<>+4(SB)/4, $0xC2AE0000
DATA neonExp<>+8(SB)/4, $0x3FB8AA3B
DATA neonExp<>+12(SB)/4, $0xBF317218
DATA neonExp<>+16(SB)/4, $0x3102E308
DATA neonExp<>+20(SB)/4, $0x39500D01
DATA neonExp<>+24(SB)/4, $0x3AB60B61
DATA neonExp<>+28(SB)/4, $0x3C088889
DATA neonExp<>+32(SB)/4, $0x3D2AAAAB
DATA neonExp<>+36(SB)/4, $0x3E2AAAAB
DATA neonExp<>+40(SB)/4, $0x3F000000
DATA neonExp<>+44(SB)/4, $0x3F800000
DATA neonExp<>+48(SB)/4, $127
GLOBL neonExp<>(SB), RODATA|NOPTR, $52

#define EXPLOAD \
	MOVD    $neonExp<>(SB), R9  \
	VLD1R.P 4(R9), [V16.S4] \
	VLD1R.P 4(R9), [V17.S4] \
	VLD1R.P 4(R9), [V18.S4] \
	VLD1R.P 4(R9), [V19.S4] \
	VLD1R.P 4(R9), [V20.S4] \
	VLD1R.P 4(R9), [V21.S4] \
	VLD1R.P 4(R9), [V22.S4] \
	VLD1R.P 4(R9), [V23.S4] \
	VLD1R.P 4(R9), [V24.S4] \
	VLD1R.P 4(R9), [V25.S4] \
	VLD1R.P 4(R9), [V26.S4] \
	VLD1R.P 4(R9), [V27.S4] \
	VLD1R   (R9), [V28.S4]

// TERM sets B to fma(A, r, C): the series' next sum.
#define TERM(A, B, C) \
	VORR  C.B16, C.B16, B.B16 \
	VFMLA V0.S4, A.S4, B.S4

// EXP replaces V0 by its exponential; V1 to V3 are scratch. FMIN and FMAX pass a NaN on.
#define EXP \
	FMIN4(16, 0, 0)         \
	FMAX4(17, 0, 0)         \
	FMUL4(18, 0, 1)         \
	FRINTN4(1, 1)           \
	VFMLA V19.S4, V1.S4, V0.S4 \
	VFMLA V20.S4, V1.S4, V0.S4 \
	TERM(V21, V2, V22)      \
	TERM(V2, V3, V23)       \
	TERM(V3, V2, V24)       \
	TERM(V2, V3, V25)       \
	TERM(V3, V2, V26)       \
	TERM(V2, V3, V27)       \
	TERM(V3, V2, V27)       \
	FCVTNS4(1, 1)           \
	VADD  V28.S4, V1.S4, V1.S4 \
	VSHL  $23, V1.S4, V1.S4 \
	FMUL4(1, 2, 0)

// func neonExp(x *float32, quads int, m float32)
TEXT ·neonExp(SB), NOSPLIT, $0-20
	MOVD  x+0(FP), R0
	MOVD  quads+8(FP), R1
	FMOVS m+16(FP), F4
	VDUP  V4.S[0], V4.S4
	EXPLOAD

exploop:
	VLD1   (R0), [V0.S4]
	FSUB4(4, 0, 0)
	EXP
	VST1.P [V0.S4], 16(R0)
	SUBS   $1, R1
	BNE    exploop
	RET

// func neonSwiGLU(gate, up *float32, quads int)
TEXT ·neonSwiGLU(SB), NOSPLIT, $0-24
	MOVD gate+0(FP), R0
	MOVD up+8(FP), R2
	MOVD quads+16(FP), R1
	VEOR V6.B16, V6.B16, V6.B16
	EXPLOAD

swigluloop:
	VLD1   (R0), [V4.S4]
	VLD1.P 16(R2), [V5.S4]
	FSUB4(4, 6, 0)
	EXP
	FADD4(27, 0, 0)
	FDIV4(0, 4, 0)
	FMUL4(5, 0, 0)
	VST1.P [V0.S4], 16(R0)
	SUBS   $1, R1
	BNE    swigluloop
	RET

// func neonSum(x *float32, blocks int) float32
TEXT ·neonSum(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD blocks+8(FP), R1
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16

sumloop:
	VLD1.P 64(R0), [V20.S4, V21.S4, V22.S4, V23.S4]
	FADD4(20, 0, 0)
	FADD4(21, 1, 1)
	FADD4(22, 2, 2)
	FADD4(23, 3, 3)
	SUBS   $1, R1
	BNE    sumloop
	FADD4(2, 0, 0)
	FADD4(3, 1, 1)
	FADD4(1, 0, 0)
	VDUP   V0.D[1], V1.D2
	FADD4(1, 0, 0)
	VDUP   V0.S[1], V1.S4
	FADD4(1, 0, 0)
	FMOVS  F0, ret+16(FP)
	RET

// func neonMax(x *float32, blocks int) float32
TEXT ·neonMax(SB), NOSPLIT, $0-20
	MOVD x+0(FP), R0
	MOVD blocks+8(FP), R1
	VLD1 (R0), [V0.S4, V1.S4, V2.S4, V3.S4]

maxloop:
	VLD1.P 64(R0), [V20.S4, V21.S4, V22.S4, V23.S4]
	FMAX4(20, 0, 0)
	FMAX4(21, 1, 1)
	FMAX4(22, 2, 2)
	FMAX4(23, 3, 3)
	SUBS   $1, R1
	BNE    maxloop
	FMAX4(2, 0, 0)
	FMAX4(3, 1, 1)
	FMAX4(1, 0, 0)
	VDUP   V0.D[1], V1.D2
	FMAX4(1, 0, 0)
	VDUP   V0.S[1], V1.S4
	FMAX4(1, 0, 0)
	FMOVS  F0, ret+16(FP)
	RET

// func neonScale(x *float32, blocks int, s float32)
TEXT ·neonScale(SB), NOSPLIT, $0-20
	MOVD  x+0(FP), R0
	MOVD  blocks+8(FP), R1
	FMOVS s+16(FP), F4
	VDUP  V4.S[0], V4.S4

scaleloop:
	VLD1   (R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	FMUL4(4, 0, 0)
	FMUL4(4, 1, 1)
	FMUL4(4, 2, 2)
	FMUL4(4, 3, 3)
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R0)
	SUBS   $1, R1
	BNE    scaleloop
	RET

// func neonFMA(a, b, c *float32, quads int)
TEXT ·neonFMA(SB), NOSPLIT, $0-32
	MOVD a+0(FP), R0
	MOVD b+8(FP), R1
	MOVD c+16(FP), R2
	MOVD quads+24(FP), R3

fmaloop:
	VLD1.P 16(R0), [V0.S4]
	VLD1.P 16(R1), [V1.S4]
	VLD1   (R2), [V2.S4]
	VFMLA  V0.S4, V1.S4, V2.S4
	VST1.P [V2.S4], 16(R2)
	SUBS   $1, R3
	BNE    fmaloop
	RET
