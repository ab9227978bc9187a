// What quant_avx2_amd64.s and quant_vnni_amd64.s share. A record (quant_mul.go) is 48
// bytes: 32 of integers, then d, fix, s and fix0. A tile is 640: integers, scales at 512,
// offsets at 576.

// SUMS4 leaves in XA the sums of the eight integers of YA, YB, YC and YD each.
#define SUMS4(YA, YB, YC, YD, XA, XB) \
	VPHADDD      YB, YA, YA \
	VPHADDD      YD, YC, YC \
	VPHADDD      YC, YA, YA \
	VEXTRACTI128 $1, YA, XB \
	VPADDD       XB, XA, XA

// HALVES4 gathers the halves at an offset of four rows' blocks as float32.
#define HALVES4(off, X) \
	MOVWLZX   off(SI)(CX*1), AX           \
	VMOVD     AX, X                       \
	VPINSRW   $1, off(R11)(CX*1), X, X    \
	VPINSRW   $2, off(R12)(CX*1), X, X    \
	VPINSRW   $3, off(R13)(CX*1), X, X    \
	VCVTPH2PS X, X

// CHAIN4 takes the dot products of four rows in X4 to their sums in X3.
#define CHAIN4 \
	VPBROADCASTD 36(DX), X5   \
	VPADDD       X5, X4, X4   \
	VCVTDQ2PS    X4, X4       \
	HALVES4(0, X6)            \
	VBROADCASTSS 32(DX), X7   \
	VMULPS       X7, X6, X6   \
	VFMADD231PS  X4, X6, X3

// OFFSET4 adds the offsets of four rows.
#define OFFSET4 \
	HALVES4(2, X6)          \
	VBROADCASTSS 40(DX), X7 \
	VFMADD231PS  X7, X6, X3

// NIBBLES spreads 16 bytes of nibbles to 32: the low ones first. Y14 shifts, Y15 masks.
#define NIBBLES(mem, Y) \
	VBROADCASTI128 mem, Y    \
	VPSRLVD        Y14, Y, Y \
	VPAND          Y15, Y, Y

// FIFTHS adds the bits of a word, times 16, to the bytes of Y. T and U are scratch.
#define FIFTHS(mem, Y, T, U) \
	VPBROADCASTD mem, T                \
	VPSHUFB      ·fifthByte(SB), T, T \
	VMOVDQU      ·fifthBit(SB), U     \
	VPAND        U, T, T               \
	VPCMPEQB     U, T, T               \
	VPAND        ·sixteens(SB), T, T  \
	VPOR         T, Y, Y

#define GEMVARGS \
	MOVQ dst+0(FP), DI       \
	MOVQ w+8(FP), SI         \
	MOVQ panels+24(FP), R8   \
	MOVQ blocks+32(FP), R9   \
	MOVQ stride+40(FP), R10  \
	LEAQ (SI)(R10*4), BX

#define GEMVPANEL \
	LEAQ   (SI)(R10*1), R11  \
	LEAQ   (SI)(R10*2), R12  \
	LEAQ   (R11)(R10*2), R13 \
	VXORPS X3, X3, X3        \
	MOVQ   x+16(FP), DX      \
	MOVQ   R9, R15           \
	XORQ   CX, CX

// GEMVNEXT also asks for memory four rows ahead, at BX.
#define GEMVNEXT(size, label) \
	PREFETCHT0 (BX) \
	PREFETCHT0 64(BX) \
	ADDQ $(4*size), BX \
	ADDQ $48, DX   \
	ADDQ $size, CX \
	DECQ R15       \
	JNZ  label

#define GEMVSTORE(label) \
	VMOVUPS X3, (DI)            \
	ADDQ    $16, DI             \
	LEAQ    (SI)(R10*4), SI     \
	DECQ    R8                  \
	JNZ     label               \
	VZEROUPPER                  \
	RET

// TRANSPOSE turns eight rows of eight dwords, Y0 to Y7, into columns, left in Y8, Y0, Y9,
// Y1, Y10, Y2, Y11, Y3 for columns 0 to 7.
#define TRANSPOSE \
	VPUNPCKLDQ  Y1, Y0, Y8        \
	VPUNPCKHDQ  Y1, Y0, Y9        \
	VPUNPCKLDQ  Y3, Y2, Y10       \
	VPUNPCKHDQ  Y3, Y2, Y11       \
	VPUNPCKLDQ  Y5, Y4, Y12       \
	VPUNPCKHDQ  Y5, Y4, Y13       \
	VPUNPCKLDQ  Y7, Y6, Y14       \
	VPUNPCKHDQ  Y7, Y6, Y15       \
	VPUNPCKLQDQ Y10, Y8, Y0       \
	VPUNPCKHQDQ Y10, Y8, Y1       \
	VPUNPCKLQDQ Y11, Y9, Y2       \
	VPUNPCKHQDQ Y11, Y9, Y3       \
	VPUNPCKLQDQ Y14, Y12, Y4      \
	VPUNPCKHQDQ Y14, Y12, Y5      \
	VPUNPCKLQDQ Y15, Y13, Y6      \
	VPUNPCKHQDQ Y15, Y13, Y7      \
	VPERM2I128  $0x20, Y4, Y0, Y8  \
	VPERM2I128  $0x20, Y5, Y1, Y9  \
	VPERM2I128  $0x20, Y6, Y2, Y10 \
	VPERM2I128  $0x20, Y7, Y3, Y11 \
	VPERM2I128  $0x31, Y4, Y0, Y0  \
	VPERM2I128  $0x31, Y5, Y1, Y1  \
	VPERM2I128  $0x31, Y6, Y2, Y2  \
	VPERM2I128  $0x31, Y7, Y3, Y3
