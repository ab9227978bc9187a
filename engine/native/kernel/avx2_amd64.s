#include "textflag.h"
#include "exp_amd64.h"

// The reduction tree for four sums at once. Each of A, B, C, D holds lanes 0-7 with
// 8-15 already added; R (the low half of A) gets the four results in order. S and T
// are scratch. Half + half is "j + (j+4)", unpacked pairs are "j + (j+2)", the
// swapped neighbours "0 + 1".
#define REDUCE4(A, B, C, D, S, T, XA, XS) \
	VPERM2F128 $0x20, C, A, S \
	VPERM2F128 $0x31, C, A, T \
	VADDPS     T, S, A        \
	VPERM2F128 $0x20, D, B, S \
	VPERM2F128 $0x31, D, B, T \
	VADDPS     T, S, B        \
	VUNPCKLPD  B, A, S        \
	VUNPCKHPD  B, A, T        \
	VADDPS     T, S, A        \
	VPERMILPS  $0xB1, A, S    \
	VADDPS     S, A, A        \
	VEXTRACTF128 $1, A, XS    \
	VSHUFPS    $0x88, XS, XA, XA

// func avxGemv32(dst, w, x *float32, panels, cols, stride int)
TEXT ·avxGemv32(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ w+8(FP), SI
	MOVQ x+16(FP), DX
	MOVQ panels+24(FP), R8
	MOVQ cols+32(FP), R9
	MOVQ stride+40(FP), R10

gemv32panel:
	LEAQ (SI)(R10*1), R11
	LEAQ (SI)(R10*2), R12
	LEAQ (R11)(R10*2), R13
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	XORQ CX, CX

gemv32loop:
	VMOVUPS     (DX)(CX*1), Y8
	VMOVUPS     32(DX)(CX*1), Y9
	VFMADD231PS (SI)(CX*1), Y8, Y0
	VFMADD231PS 32(SI)(CX*1), Y9, Y1
	VFMADD231PS (R11)(CX*1), Y8, Y2
	VFMADD231PS 32(R11)(CX*1), Y9, Y3
	VFMADD231PS (R12)(CX*1), Y8, Y4
	VFMADD231PS 32(R12)(CX*1), Y9, Y5
	VFMADD231PS (R13)(CX*1), Y8, Y6
	VFMADD231PS 32(R13)(CX*1), Y9, Y7
	ADDQ        $64, CX
	CMPQ        CX, R9
	JLT         gemv32loop
	VADDPS      Y1, Y0, Y0
	VADDPS      Y3, Y2, Y2
	VADDPS      Y5, Y4, Y4
	VADDPS      Y7, Y6, Y6
	REDUCE4(Y0, Y2, Y4, Y6, Y8, Y9, X0, X8)
	VMOVUPS     X0, (DI)
	ADDQ        $16, DI
	LEAQ        (SI)(R10*4), SI
	DECQ        R8
	JNZ         gemv32panel
	VZEROUPPER
	RET

// func avxGemv16(dst *float32, w *uint16, x *float32, panels, cols, stride int)
TEXT ·avxGemv16(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ w+8(FP), SI
	MOVQ x+16(FP), DX
	MOVQ panels+24(FP), R8
	MOVQ cols+32(FP), R9
	MOVQ stride+40(FP), R10

gemv16panel:
	LEAQ (SI)(R10*1), R11
	LEAQ (SI)(R10*2), R12
	LEAQ (R11)(R10*2), R13
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	XORQ CX, CX

gemv16loop:
	VMOVUPS     (DX)(CX*2), Y8
	VMOVUPS     32(DX)(CX*2), Y9
	VCVTPH2PS   (SI)(CX*1), Y10
	VCVTPH2PS   16(SI)(CX*1), Y11
	VFMADD231PS Y10, Y8, Y0
	VFMADD231PS Y11, Y9, Y1
	VCVTPH2PS   (R11)(CX*1), Y12
	VCVTPH2PS   16(R11)(CX*1), Y13
	VFMADD231PS Y12, Y8, Y2
	VFMADD231PS Y13, Y9, Y3
	VCVTPH2PS   (R12)(CX*1), Y10
	VCVTPH2PS   16(R12)(CX*1), Y11
	VFMADD231PS Y10, Y8, Y4
	VFMADD231PS Y11, Y9, Y5
	VCVTPH2PS   (R13)(CX*1), Y12
	VCVTPH2PS   16(R13)(CX*1), Y13
	VFMADD231PS Y12, Y8, Y6
	VFMADD231PS Y13, Y9, Y7
	ADDQ        $32, CX
	CMPQ        CX, R9
	JLT         gemv16loop
	VADDPS      Y1, Y0, Y0
	VADDPS      Y3, Y2, Y2
	VADDPS      Y5, Y4, Y4
	VADDPS      Y7, Y6, Y6
	REDUCE4(Y0, Y2, Y4, Y6, Y8, Y9, X0, X8)
	VMOVUPS     X0, (DI)
	ADDQ        $16, DI
	LEAQ        (SI)(R10*4), SI
	DECQ        R8
	JNZ         gemv16panel
	VZEROUPPER
	RET

// Four rows times three vectors need 12 accumulators of 8 lanes. Lanes 0-7 are done
// over all columns first and put aside on the stack, then lanes 8-15, so that each
// weight loaded serves three and each input four.
#define ROW3(W, A, B, C) \
	VMOVUPS     (W)(CX*1), Y12 \
	VFMADD231PS Y13, Y12, A    \
	VFMADD231PS Y14, Y12, B    \
	VFMADD231PS Y15, Y12, C

// func avxGemm3(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)
TEXT ·avxGemm3(SB), NOSPLIT, $384-64
	MOVQ dst+0(FP), DI
	MOVQ dstStride+8(FP), R15
	MOVQ w+16(FP), SI
	MOVQ x+24(FP), DX
	MOVQ xStride+32(FP), AX
	MOVQ panels+40(FP), R8
	MOVQ cols+48(FP), R9
	MOVQ stride+56(FP), R10
	LEAQ (DX)(AX*1), BX
	LEAQ (BX)(AX*1), AX

gemm3panel:
	LEAQ (SI)(R10*1), R11
	LEAQ (SI)(R10*2), R12
	LEAQ (R11)(R10*2), R13
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	XORQ CX, CX

gemm3half0:
	VMOVUPS (DX)(CX*1), Y13
	VMOVUPS (BX)(CX*1), Y14
	VMOVUPS (AX)(CX*1), Y15
	ROW3(SI, Y0, Y1, Y2)
	ROW3(R11, Y3, Y4, Y5)
	ROW3(R12, Y6, Y7, Y8)
	ROW3(R13, Y9, Y10, Y11)
	ADDQ    $64, CX
	CMPQ    CX, R9
	JLT     gemm3half0
	VMOVUPS Y0, sums-384(SP)
	VMOVUPS Y1, sums-352(SP)
	VMOVUPS Y2, sums-320(SP)
	VMOVUPS Y3, sums-288(SP)
	VMOVUPS Y4, sums-256(SP)
	VMOVUPS Y5, sums-224(SP)
	VMOVUPS Y6, sums-192(SP)
	VMOVUPS Y7, sums-160(SP)
	VMOVUPS Y8, sums-128(SP)
	VMOVUPS Y9, sums-96(SP)
	VMOVUPS Y10, sums-64(SP)
	VMOVUPS Y11, sums-32(SP)
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	MOVQ $32, CX

gemm3half1:
	VMOVUPS (DX)(CX*1), Y13
	VMOVUPS (BX)(CX*1), Y14
	VMOVUPS (AX)(CX*1), Y15
	ROW3(SI, Y0, Y1, Y2)
	ROW3(R11, Y3, Y4, Y5)
	ROW3(R12, Y6, Y7, Y8)
	ROW3(R13, Y9, Y10, Y11)
	ADDQ    $64, CX
	CMPQ    CX, R9
	JLT     gemm3half1
	VADDPS  sums-384(SP), Y0, Y0
	VADDPS  sums-352(SP), Y1, Y1
	VADDPS  sums-320(SP), Y2, Y2
	VADDPS  sums-288(SP), Y3, Y3
	VADDPS  sums-256(SP), Y4, Y4
	VADDPS  sums-224(SP), Y5, Y5
	VADDPS  sums-192(SP), Y6, Y6
	VADDPS  sums-160(SP), Y7, Y7
	VADDPS  sums-128(SP), Y8, Y8
	VADDPS  sums-96(SP), Y9, Y9
	VADDPS  sums-64(SP), Y10, Y10
	VADDPS  sums-32(SP), Y11, Y11
	REDUCE4(Y0, Y3, Y6, Y9, Y12, Y13, X0, X12)
	REDUCE4(Y1, Y4, Y7, Y10, Y12, Y13, X1, X12)
	REDUCE4(Y2, Y5, Y8, Y11, Y12, Y13, X2, X12)
	VMOVUPS X0, (DI)
	VMOVUPS X1, (DI)(R15*1)
	VMOVUPS X2, (DI)(R15*2)
	ADDQ    $16, DI
	LEAQ    (SI)(R10*4), SI
	DECQ    R8
	JNZ     gemm3panel
	VZEROUPPER
	RET

// func avxWiden(dst *float32, src *uint16, blocks int)
TEXT ·avxWiden(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX

widenloop:
	VCVTPH2PS (SI), Y0
	VCVTPH2PS 16(SI), Y1
	VMOVUPS   Y0, (DI)
	VMOVUPS   Y1, 32(DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	DECQ      CX
	JNZ       widenloop
	VZEROUPPER
	RET

// func avxValues(out, p, v *float32, n, width, stride int)
TEXT ·avxValues(SB), NOSPLIT, $0-48
	MOVQ out+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ v+16(FP), DX
	MOVQ n+24(FP), R8
	MOVQ width+32(FP), R9
	MOVQ stride+40(FP), R10

values32:
	CMPQ R9, $128
	JLT  values16
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS 64(DI), Y2
	VMOVUPS 96(DI), Y3
	MOVQ DX, R11
	XORQ CX, CX
	JMP  values32test

values32loop:
	VBROADCASTSS (SI)(CX*4), Y4
	VFMADD231PS (R11), Y4, Y0
	VFMADD231PS 32(R11), Y4, Y1
	VFMADD231PS 64(R11), Y4, Y2
	VFMADD231PS 96(R11), Y4, Y3
	ADDQ R10, R11
	INCQ CX

values32test:
	CMPQ CX, R8
	JLT  values32loop
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	ADDQ $128, DI
	ADDQ $128, DX
	SUBQ $128, R9
	JMP  values32

values16:
	CMPQ R9, $64
	JLT  valuesdone
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	MOVQ DX, R11
	XORQ CX, CX
	JMP  values16test

values16loop:
	VBROADCASTSS (SI)(CX*4), Y4
	VFMADD231PS (R11), Y4, Y0
	VFMADD231PS 32(R11), Y4, Y1
	ADDQ R10, R11
	INCQ CX

values16test:
	CMPQ CX, R8
	JLT  values16loop
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)

valuesdone:
	VZEROUPPER
	RET

// Constants that stay in registers while exp runs.
#define EXPLOAD \
	VBROADCASTSS expHigh<>(SB), Y15 \
	VBROADCASTSS expLow<>(SB), Y14 \
	VBROADCASTSS expLog2E<>(SB), Y13 \
	VBROADCASTSS expLn2Hi<>(SB), Y12 \
	VBROADCASTSS expLn2Lo<>(SB), Y11 \
	VBROADCASTSS expC7<>(SB), Y10 \
	VBROADCASTSS expC6<>(SB), Y9 \
	VBROADCASTSS expC5<>(SB), Y8 \
	VBROADCASTSS expC4<>(SB), Y7 \
	VBROADCASTSS expC3<>(SB), Y6

// EXP replaces Y0 by its exponential; Y1, Y2 and Y3 are scratch. The operand order of
// VMINPS and VMAXPS lets a NaN through.
#define EXP \
	VMINPS       Y0, Y15, Y0 \
	VMAXPS       Y0, Y14, Y0 \
	VMULPS       Y13, Y0, Y1 \
	VROUNDPS     $0, Y1, Y1  \
	VFMADD231PS  Y12, Y1, Y0 \
	VFMADD231PS  Y11, Y1, Y0 \
	VFMADD213PS  Y9, Y0, Y2  \
	VFMADD213PS  Y8, Y0, Y2  \
	VFMADD213PS  Y7, Y0, Y2  \
	VFMADD213PS  Y6, Y0, Y2  \
	VBROADCASTSS expC2<>(SB), Y3 \
	VFMADD213PS  Y3, Y0, Y2  \
	VBROADCASTSS expC1<>(SB), Y3 \
	VFMADD213PS  Y3, Y0, Y2  \
	VFMADD213PS  Y3, Y0, Y2  \
	VCVTPS2DQ    Y1, Y1      \
	VPBROADCASTD expBias<>(SB), Y3 \
	VPADDD       Y3, Y1, Y1  \
	VPSLLD       $23, Y1, Y1 \
	VMULPS       Y1, Y2, Y0

// func avxExp(x *float32, n int, m float32)
TEXT ·avxExp(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), DI
	MOVQ         n+8(FP), R9
	VBROADCASTSS m+16(FP), Y5
	EXPLOAD
	XORQ         CX, CX

exploop:
	VMOVUPS (DI)(CX*1), Y0
	VSUBPS  Y5, Y0, Y0
	VMOVAPS Y10, Y2
	EXP
	VMOVUPS Y0, (DI)(CX*1)
	ADDQ    $32, CX
	CMPQ    CX, R9
	JLT     exploop
	VZEROUPPER
	RET

// func avxSwiGLU(gate, up *float32, n int)
TEXT ·avxSwiGLU(SB), NOSPLIT, $0-24
	MOVQ gate+0(FP), DI
	MOVQ up+8(FP), SI
	MOVQ n+16(FP), R9
	EXPLOAD
	XORQ CX, CX

swigluloop:
	VMOVUPS (DI)(CX*1), Y4
	VXORPS  Y0, Y0, Y0
	VSUBPS  Y4, Y0, Y0
	VMOVAPS Y10, Y2
	EXP
	VBROADCASTSS expC1<>(SB), Y3
	VADDPS  Y3, Y0, Y0
	VDIVPS  Y0, Y4, Y0
	VMULPS  (SI)(CX*1), Y0, Y0
	VMOVUPS Y0, (DI)(CX*1)
	ADDQ    $32, CX
	CMPQ    CX, R9
	JLT     swigluloop
	VZEROUPPER
	RET

// func avxSum(x *float32, n int) float32
TEXT ·avxSum(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), DI
	MOVQ   n+8(FP), R9
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	XORQ   CX, CX

sumloop:
	VADDPS (DI)(CX*1), Y0, Y0
	VADDPS 32(DI)(CX*1), Y1, Y1
	ADDQ   $64, CX
	CMPQ   CX, R9
	JLT    sumloop
	VADDPS       Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VPERMILPS    $0xEE, X0, X1
	VADDPS       X1, X0, X0
	VPERMILPS    $0x55, X0, X1
	VADDSS       X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func avxMax(x *float32, n int) float32
TEXT ·avxMax(SB), NOSPLIT, $0-20
	MOVQ    x+0(FP), DI
	MOVQ    n+8(FP), R9
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	XORQ    CX, CX

maxloop:
	VMAXPS (DI)(CX*1), Y0, Y0
	VMAXPS 32(DI)(CX*1), Y1, Y1
	ADDQ   $64, CX
	CMPQ   CX, R9
	JLT    maxloop
	VMAXPS       Y1, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xEE, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x55, X0, X1
	VMAXSS       X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func avxScale(x *float32, n int, s float32)
TEXT ·avxScale(SB), NOSPLIT, $0-20
	MOVQ         x+0(FP), DI
	MOVQ         n+8(FP), R9
	VBROADCASTSS s+16(FP), Y1
	XORQ         CX, CX

scaleloop:
	VMULPS  (DI)(CX*1), Y1, Y0
	VMOVUPS Y0, (DI)(CX*1)
	ADDQ    $32, CX
	CMPQ    CX, R9
	JLT     scaleloop
	VZEROUPPER
	RET

// func avxFMA(a, b, c *float32, n int)
TEXT ·avxFMA(SB), NOSPLIT, $0-32
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DX
	MOVQ c+16(FP), DI
	MOVQ n+24(FP), R9
	XORQ CX, CX

fmaloop:
	VMOVUPS     (DI)(CX*1), Y0
	VMOVUPS     (SI)(CX*1), Y1
	VFMADD231PS (DX)(CX*1), Y1, Y0
	VMOVUPS     Y0, (DI)(CX*1)
	ADDQ        $32, CX
	CMPQ        CX, R9
	JLT         fmaloop
	VZEROUPPER
	RET
