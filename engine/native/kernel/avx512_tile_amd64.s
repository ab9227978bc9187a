#include "textflag.h"
#include "avx512_amd64.h"

// Products of four rows of weights with six vectors, as in avx512_gemm_amd64.s, where the
// reduction of a panel's 24 sums goes on beside the products around it: by itself it is a
// run of shuffles and additions that wait for each other, in which the multipliers stand
// still. So the sums of vectors 0 to 3 are reduced while the last step of a panel is done for
// 4 and 5; and the rest while the first step of the next panel is done for 1 to 3.
//
// One register holds the 16 lanes of one sum: sum r of vector b is Z(4b+r). Z24 to Z27 are
// the weights of four rows, Z28 a piece of a vector, Z29 and Z30 serve the reduction. A
// weight that is loaded serves six vectors, a piece of a vector four rows.

// WEIGHTS loads those of a step.
#define WEIGHTS(LOAD) \
	LOAD (SI), Z24         \
	LOAD (SI)(R10*1), Z25  \
	LOAD (SI)(R10*2), Z26  \
	LOAD (SI)(R11*1), Z27
#define TIMES(X, A, B, C, D) \
	VMOVUPS     X, Z28      \
	VFMADD231PS Z24, Z28, A \
	VFMADD231PS Z25, Z28, B \
	VFMADD231PS Z26, Z28, C \
	VFMADD231PS Z27, Z28, D
#define VECTOR0 TIMES((DX), Z0, Z1, Z2, Z3)
#define VECTOR1 TIMES((DX)(AX*1), Z4, Z5, Z6, Z7)
#define VECTOR2 TIMES((DX)(AX*2), Z8, Z9, Z10, Z11)
#define VECTOR3 TIMES((BX), Z12, Z13, Z14, Z15)
#define VECTOR4 TIMES((BX)(AX*1), Z16, Z17, Z18, Z19)
#define VECTOR5 TIMES((BX)(AX*2), Z20, Z21, Z22, Z23)

// AHEAD fetches a line of what lies ahead, which R14 walks along.
#define AHEAD \
	PREFETCHT1 (R14) \
	ADDQ $64, R14

// ON goes on to the next step.
#define ON(WIDTH) \
	ADDQ $WIDTH, SI \
	ADDQ $64, DX    \
	ADDQ $64, BX

#define STEP(LOAD, WIDTH) \
	WEIGHTS(LOAD)    \
	VECTOR0          \
	VECTOR1          \
	AHEAD            \
	VECTOR2          \
	VECTOR3          \
	VECTOR4          \
	VECTOR5          \
	ON(WIDTH)    

// The reduction tree, two sums at a time: what one has of the other's half is exchanged,
// by one shuffle and one move under a mask, so that one addition does for both. K1 is the
// upper half of a register, K2 the upper quarter of each half, K3 the upper half of each quarter;
// Z31 exchanges the quarters of halves.
#define EIGHTHS(A, B, T) \
	VSHUFF64X2 $0x4E, B, A, T \
	VMOVAPS    B, K1, A       \
	VADDPS     T, A, A
#define FOURTHS(A, B, T) \
	VMOVAPS   A, T      \
	VPERMT2PD B, Z31, T \
	VMOVAPS   B, K2, A  \
	VADDPS    T, A, A
#define PAIRS(A, B, T) \
	VSHUFPD $0x55, B, A, T \
	VMOVAPS B, K3, A       \
	VADDPS  T, A, A

// LAST adds "0 + 1": in each quarter A's two and then B's.
#define LAST(A, B, T) \
	VSHUFPS $0x88, B, A, T \
	VSHUFPS $0xDD, B, A, A \
	VADDPS  T, A, A

// PUT0 stores vectors 0 to 3, a quarter each, PUT4 the other two.
#define PUT0 \
	VMOVUPS       X0, (DI)            \
	VEXTRACTF32X4 $1, Z0, (DI)(R15*1) \
	VEXTRACTF32X4 $2, Z0, (DI)(R15*2) \
	VEXTRACTF32X4 $3, Z0, (R12)
#define PUT4 \
	VMOVUPS       X16, (R12)(R15*1)     \
	VEXTRACTF32X4 $1, Y16, (R12)(R15*2)

// TILE is one of the functions below. WIDTH is what 16 weights take, SHIFT the binary
// logarithm of what part that is of 16 float32. There are at least two steps to a row.
#define TILE(LOAD, SHIFT, WIDTH) \
	MOVQ    dst+0(FP), DI        \
	MOVQ    dstStride+8(FP), R15 \
	MOVQ    w+16(FP), SI         \
	MOVQ    x+24(FP), DX         \
	MOVQ    xStride+32(FP), AX   \
	MOVQ    panels+40(FP), R8    \
	MOVQ    cols+48(FP), R9      \
	MOVQ    stride+56(FP), R10   \
	MOVQ    ahead+64(FP), R14    \
	MOVL    $0xFF00, CX          \
	KMOVW   CX, K1               \
	MOVL    $0xF0F0, CX          \
	KMOVW   CX, K2               \
	MOVL    $0xCCCC, CX          \
	KMOVW   CX, K3               \
	VMOVUPS quarters<>(SB), Z31  \
	LEAQ    (AX)(AX*2), BX       \
	ADDQ    DX, BX               \
	LEAQ    (R10)(R10*2), R11    \
	LEAQ    (R15)(R15*2), R12    \
	ADDQ    DI, R12              \
	MOVQ    R9, R13              \
	SHRQ    $SHIFT, R13          \
	NEGQ    R13                  \
	LEAQ    (R13)(R10*4), R13    \
	ZERO4(Z0, Z1, Z2, Z3)        \
	ZERO4(Z4, Z5, Z6, Z7)        \
	ZERO4(Z8, Z9, Z10, Z11)      \
	ZERO4(Z12, Z13, Z14, Z15)    \
	ZERO4(Z16, Z17, Z18, Z19)    \
	ZERO4(Z20, Z21, Z22, Z23)    \
	STEP(LOAD, WIDTH)            \
panel:                               \
	MOVQ    R9, CX               \
	SUBQ    $128, CX             \
	JZ      end                  \
	PCALIGN $32                  \
loop:                                \
	STEP(LOAD, WIDTH)            \
	SUBQ    $64, CX              \
	JNZ     loop                 \
end:                                 \
	WEIGHTS(LOAD)                \
	VECTOR0                      \
	VECTOR1                      \
	AHEAD                        \
	VECTOR2                      \
	VECTOR3                      \
	VECTOR4                      \
	EIGHTHS(Z0, Z8, Z29)         \
	EIGHTHS(Z4, Z12, Z30)        \
	FOURTHS(Z0, Z4, Z29)         \
	VECTOR5                      \
	EIGHTHS(Z1, Z9, Z29)         \
	EIGHTHS(Z5, Z13, Z30)        \
	FOURTHS(Z1, Z5, Z29)         \
	EIGHTHS(Z2, Z10, Z29)        \
	EIGHTHS(Z6, Z14, Z30)        \
	FOURTHS(Z2, Z6, Z29)         \
	EIGHTHS(Z3, Z11, Z29)        \
	EIGHTHS(Z7, Z15, Z30)        \
	FOURTHS(Z3, Z7, Z29)         \
	ON(WIDTH)                    \
	ADDQ    R13, SI              \
	SUBQ    R9, DX               \
	SUBQ    R9, BX               \
	DECQ    R8                   \
	JZ      last                 \
	ZERO4(Z4, Z5, Z6, Z7)        \
	ZERO4(Z8, Z9, Z10, Z11)      \
	ZERO4(Z12, Z13, Z14, Z15)    \
	WEIGHTS(LOAD)                \
	VECTOR1                      \
	PAIRS(Z0, Z1, Z29)           \
	PAIRS(Z2, Z3, Z30)           \
	LAST(Z0, Z2, Z29)            \
	VECTOR2                      \
	EIGHTHS(Z16, Z18, Z29)       \
	EIGHTHS(Z20, Z22, Z30)       \
	FOURTHS(Z16, Z20, Z29)       \
	PUT0                         \
	ZERO4(Z0, Z1, Z2, Z3)        \
	VECTOR3                      \
	AHEAD                        \
	EIGHTHS(Z17, Z19, Z29)       \
	EIGHTHS(Z21, Z23, Z30)       \
	FOURTHS(Z17, Z21, Z29)       \
	PAIRS(Z16, Z17, Z30)         \
	VECTOR0                      \
	VEXTRACTF64X4 $1, Z16, Y17   \
	LAST(Y16, Y17, Y30)          \
	PUT4                         \
	ADDQ    $16, DI              \
	ADDQ    $16, R12             \
	ZERO4(Z16, Z17, Z18, Z19)    \
	ZERO4(Z20, Z21, Z22, Z23)    \
	VECTOR4                      \
	VECTOR5                      \
	ON(WIDTH)                    \
	JMP     panel                \
last:                                \
	PAIRS(Z0, Z1, Z29)           \
	PAIRS(Z2, Z3, Z30)           \
	EIGHTHS(Z16, Z18, Z29)       \
	EIGHTHS(Z20, Z22, Z30)       \
	FOURTHS(Z16, Z20, Z29)       \
	EIGHTHS(Z17, Z19, Z29)       \
	EIGHTHS(Z21, Z23, Z30)       \
	FOURTHS(Z17, Z21, Z29)       \
	LAST(Z0, Z2, Z29)            \
	PAIRS(Z16, Z17, Z30)         \
	PUT0                         \
	VEXTRACTF64X4 $1, Z16, Y17   \
	LAST(Y16, Y17, Y30)          \
	PUT4                         \
	VZEROUPPER                   \
	RET

DATA quarters<>+0(SB)/8, $2
DATA quarters<>+8(SB)/8, $3
DATA quarters<>+16(SB)/8, $8
DATA quarters<>+24(SB)/8, $9
DATA quarters<>+32(SB)/8, $6
DATA quarters<>+40(SB)/8, $7
DATA quarters<>+48(SB)/8, $12
DATA quarters<>+56(SB)/8, $13
GLOBL quarters<>(SB), RODATA|NOPTR, $64

// func avx512Tile32(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int, ahead uintptr)
TEXT ·avx512Tile32(SB), NOSPLIT, $0-72
	TILE(VMOVUPS, 0, 64)

// func avx512Tile16(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int, ahead uintptr)
TEXT ·avx512Tile16(SB), NOSPLIT, $0-72
	TILE(VCVTPH2PS, 1, 32)
