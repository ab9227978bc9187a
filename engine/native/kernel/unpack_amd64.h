// Sixteen rows of blocks become tiles, eight rows at a time: SI and R10 are the first and
// fifth row, R8 the distance of rows, R9 three times that.
#define UNPACKARGS \
	MOVQ dst+0(FP), DI     \
	MOVQ w+8(FP), R11      \
	MOVQ blocks+16(FP), R12 \
	MOVQ stride+24(FP), R8 \
	LEAQ (R8)(R8*2), R9    \
	LEAQ (R11)(R8*8), BX   \
	LEAQ (BX)(R8*8), BX    \
	MOVQ $2, R13

#define UNPACKHALF \
	MOVQ R11, SI           \
	LEAQ (R11)(R8*4), R10  \
	MOVQ DI, DX            \
	MOVQ R12, CX

// AHEAD asks for three lines of the 16 rows that follow, at BX.
#define AHEAD(at) \
	PREFETCHT1 at(BX)       \
	PREFETCHT1 (64+at)(BX)  \
	PREFETCHT1 (128+at)(BX)

#define UNPACKNEXT(size, label) \
	AHEAD(0)           \
	ADDQ $(8*size), BX \
	ADDQ $size, SI  \
	ADDQ $size, R10 \
	ADDQ $640, DX   \
	DECQ CX         \
	JNZ  label

#define UNPACKEND(label) \
	LEAQ (R11)(R8*8), R11 \
	ADDQ $32, DI          \
	DECQ R13              \
	JNZ  label            \
	VZEROUPPER            \
	RET

// COLUMNS stores what TRANSPOSE left, 64 bytes apart.
#define COLUMNS \
	TRANSPOSE             \
	VMOVDQU Y8, (DX)      \
	VMOVDQU Y9, 64(DX)    \
	VMOVDQU Y10, 128(DX)  \
	VMOVDQU Y11, 192(DX)  \
	VMOVDQU Y0, 256(DX)   \
	VMOVDQU Y1, 320(DX)   \
	VMOVDQU Y2, 384(DX)   \
	VMOVDQU Y3, 448(DX)

// HALVES8 stores the halves at an offset of eight rows' blocks as float32.
#define HALVES8(off, to) \
	MOVWLZX   off(SI), AX                  \
	VMOVD     AX, X0                       \
	VPINSRW   $1, off(SI)(R8*1), X0, X0    \
	VPINSRW   $2, off(SI)(R8*2), X0, X0    \
	VPINSRW   $3, off(SI)(R9*1), X0, X0    \
	VPINSRW   $4, off(R10), X0, X0         \
	VPINSRW   $5, off(R10)(R8*1), X0, X0   \
	VPINSRW   $6, off(R10)(R8*2), X0, X0   \
	VPINSRW   $7, off(R10)(R9*1), X0, X0   \
	VCVTPH2PS X0, Y0                       \
	VMOVUPS   Y0, to(DX)

#define NIBBLES8(off) \
	NIBBLES(off(SI), Y0)         \
	NIBBLES(off(SI)(R8*1), Y1)   \
	NIBBLES(off(SI)(R8*2), Y2)   \
	NIBBLES(off(SI)(R9*1), Y3)   \
	NIBBLES(off(R10), Y4)        \
	NIBBLES(off(R10)(R8*1), Y5)  \
	NIBBLES(off(R10)(R8*2), Y6)  \
	NIBBLES(off(R10)(R9*1), Y7)

#define FIFTHS8(off) \
	FIFTHS(off(SI), Y0, Y8, Y9)        \
	FIFTHS(off(SI)(R8*1), Y1, Y8, Y9)  \
	FIFTHS(off(SI)(R8*2), Y2, Y8, Y9)  \
	FIFTHS(off(SI)(R9*1), Y3, Y8, Y9)  \
	FIFTHS(off(R10), Y4, Y8, Y9)       \
	FIFTHS(off(R10)(R8*1), Y5, Y8, Y9) \
	FIFTHS(off(R10)(R8*2), Y6, Y8, Y9) \
	FIFTHS(off(R10)(R9*1), Y7, Y8, Y9)
