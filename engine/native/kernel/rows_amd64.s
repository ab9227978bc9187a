#include "textflag.h"

// Products of one vector with long rows, one row after the other. The weights come from
// memory then, in the order in which they lie there, which is what a processor fetches
// ahead of by itself: on a Zen 4 as fast as if they were only read, two to four times as
// fast as four rows side by side. Sums of successive rows overlap, so that the one chain
// of a row does not hold anything up.

// ROWSBEGIN: DX is behind the end of the vector, R9 the way there from its beginning,
// negative; R10 leads from the end of a row to the next.
#define ROWSBEGIN(SHIFT) \
	MOVQ dst+0(FP), DI     \
	MOVQ w+8(FP), SI       \
	MOVQ x+16(FP), DX      \
	MOVQ panels+24(FP), R8 \
	MOVQ cols+32(FP), R9   \
	MOVQ stride+40(FP), R10 \
	MOVQ R9, CX            \
	SHRQ $SHIFT, CX        \
	SUBQ CX, R10           \
	ADDQ R9, DX            \
	NEGQ R9
#define ROWSEND(PANEL) \
	ADDQ $16, DI \
	DECQ R8      \
	JNZ  PANEL   \
	VZEROUPPER   \
	RET

// FULL sums a row of float32 in A.
#define FULL(A, LOOP) \
	VPXORQ A, A, A \
	MOVQ   R9, CX  \
LOOP: \
	VMOVUPS     (SI), Z24              \
	VFMADD231PS (DX)(CX*1), Z24, A     \
	ADDQ        $64, SI                \
	ADDQ        $64, CX                \
	JNZ         LOOP                   \
	ADDQ        R10, SI

// HALF sums a row of float16 in A, two registers at a time; one first if that is odd.
#define HALF(A, LOOP, END) \
	VPXORQ A, A, A    \
	MOVQ   R9, CX     \
	TESTQ  $64, CX    \
	JZ     LOOP       \
	VCVTPH2PS   (SI), Z24          \
	VFMADD231PS (DX)(CX*1), Z24, A \
	ADDQ        $32, SI            \
	ADDQ        $64, CX            \
	JZ          END                \
LOOP: \
	VCVTPH2PS   (SI), Z24            \
	VCVTPH2PS   32(SI), Z25          \
	VFMADD231PS (DX)(CX*1), Z24, A   \
	VFMADD231PS 64(DX)(CX*1), Z25, A \
	ADDQ        $64, SI              \
	ADDQ        $128, CX             \
	JNZ         LOOP                 \
END: \
	ADDQ R10, SI

// TREE4 reduces the sums of four rows, Z0 to Z3, and stores them in order: what
// avx512_gemm_amd64.s explains.
#define TREE4 \
	VSHUFF32X4    $0x44, Z1, Z0, Z24 \
	VSHUFF32X4    $0xEE, Z1, Z0, Z25 \
	VADDPS        Z25, Z24, Z0       \
	VSHUFF32X4    $0x44, Z3, Z2, Z24 \
	VSHUFF32X4    $0xEE, Z3, Z2, Z25 \
	VADDPS        Z25, Z24, Z2       \
	VSHUFF32X4    $0x88, Z2, Z0, Z26 \
	VSHUFF32X4    $0xDD, Z2, Z0, Z27 \
	VADDPS        Z27, Z26, Z0       \
	VPERMILPD     $0x55, Z0, Z24     \
	VADDPS        Z24, Z0, Z0        \
	VPERMILPS     $0xB1, Z0, Z24     \
	VADDPS        Z24, Z0, Z0        \
	VEXTRACTF64X4 $1, Z0, Y1         \
	VUNPCKLPS     Y1, Y0, Y0         \
	VEXTRACTF128  $1, Y0, X1         \
	VUNPCKLPS     X1, X0, X0         \
	VMOVUPS       X0, (DI)

// func avx512Rows32(dst, w, x *float32, panels, cols, stride int)
TEXT ·avx512Rows32(SB), NOSPLIT, $0-48
	ROWSBEGIN(0)

panel:
	FULL(Z0, loop0)
	FULL(Z1, loop1)
	FULL(Z2, loop2)
	FULL(Z3, loop3)
	TREE4
	ROWSEND(panel)

// func avx512Rows16(dst *float32, w *uint16, x *float32, panels, cols, stride int)
TEXT ·avx512Rows16(SB), NOSPLIT, $0-48
	ROWSBEGIN(1)

panel:
	HALF(Z0, loop0, end0)
	HALF(Z1, loop1, end1)
	HALF(Z2, loop2, end2)
	HALF(Z3, loop3, end3)
	TREE4
	ROWSEND(panel)

// FULL2 and HALF2 sum a row with registers half as wide, lanes 8 to 15 in Y4, and leave
// "j + (j+8)" in A.
#define FULL2(A, LOOP) \
	VXORPS A, A, A    \
	VXORPS Y4, Y4, Y4 \
	MOVQ   R9, CX     \
LOOP: \
	VMOVUPS     (SI), Y8              \
	VMOVUPS     32(SI), Y9            \
	VFMADD231PS (DX)(CX*1), Y8, A     \
	VFMADD231PS 32(DX)(CX*1), Y9, Y4  \
	ADDQ        $64, SI               \
	ADDQ        $64, CX               \
	JNZ         LOOP                  \
	VADDPS      Y4, A, A              \
	ADDQ        R10, SI
#define HALF2(A, LOOP) \
	VXORPS A, A, A    \
	VXORPS Y4, Y4, Y4 \
	MOVQ   R9, CX     \
LOOP: \
	VCVTPH2PS   (SI), Y8              \
	VCVTPH2PS   16(SI), Y9            \
	VFMADD231PS (DX)(CX*1), Y8, A     \
	VFMADD231PS 32(DX)(CX*1), Y9, Y4  \
	ADDQ        $32, SI               \
	ADDQ        $64, CX               \
	JNZ         LOOP                  \
	VADDPS      Y4, A, A              \
	ADDQ        R10, SI

// TREE4OF8 reduces what they leave in Y0 to Y3, as avx2_amd64.s does.
#define TREE4OF8 \
	VPERM2F128   $0x20, Y2, Y0, Y8 \
	VPERM2F128   $0x31, Y2, Y0, Y9 \
	VADDPS       Y9, Y8, Y0        \
	VPERM2F128   $0x20, Y3, Y1, Y8 \
	VPERM2F128   $0x31, Y3, Y1, Y9 \
	VADDPS       Y9, Y8, Y1        \
	VUNPCKLPD    Y1, Y0, Y8        \
	VUNPCKHPD    Y1, Y0, Y9        \
	VADDPS       Y9, Y8, Y0        \
	VPERMILPS    $0xB1, Y0, Y8     \
	VADDPS       Y8, Y0, Y0        \
	VEXTRACTF128 $1, Y0, X8        \
	VSHUFPS      $0x88, X8, X0, X0 \
	VMOVUPS      X0, (DI)

// func avx2Rows32(dst, w, x *float32, panels, cols, stride int)
TEXT ·avx2Rows32(SB), NOSPLIT, $0-48
	ROWSBEGIN(0)

panel:
	FULL2(Y0, loop0)
	FULL2(Y1, loop1)
	FULL2(Y2, loop2)
	FULL2(Y3, loop3)
	TREE4OF8
	ROWSEND(panel)

// func avx2Rows16(dst *float32, w *uint16, x *float32, panels, cols, stride int)
TEXT ·avx2Rows16(SB), NOSPLIT, $0-48
	ROWSBEGIN(1)

panel:
	HALF2(Y0, loop0)
	HALF2(Y1, loop1)
	HALF2(Y2, loop2)
	HALF2(Y3, loop3)
	TREE4OF8
	ROWSEND(panel)
