// Four rows of blocks of 256 times one vector, for quant_avx2_amd64.s and
// quant_vnni_amd64.s, which define DOT. AX is memory for the scales and offsets of four
// rows: 32 bytes for each of eight sub-blocks. X3 holds the sums.

// HEADERS loads 16 bytes at an offset of four rows and leaves their first to fourth
// dwords in X4 to X7, a row a lane.
#define HEADERS(off) \
	VMOVDQU     off(SI)(CX*1), X0  \
	VMOVDQU     off(R11)(CX*1), X1 \
	VMOVDQU     off(R12)(CX*1), X2 \
	VMOVDQU     off(R13)(CX*1), X9 \
	VPUNPCKLDQ  X1, X0, X10        \
	VPUNPCKLDQ  X9, X2, X11        \
	VPUNPCKLQDQ X11, X10, X4       \
	VPUNPCKHQDQ X11, X10, X5       \
	VPUNPCKHDQ  X1, X0, X0         \
	VPUNPCKHDQ  X9, X2, X2         \
	VPUNPCKLQDQ X2, X0, X6         \
	VPUNPCKHQDQ X2, X0, X7

#define MULTIPLE(X, F, left, SHIFT, to) \
	VPSLLD    $left, X, X12 \
	SHIFT     $24, X12, X12 \
	VCVTDQ2PS X12, X12      \
	VMULPS    F, X12, X12   \
	VMOVUPS   X12, to(AX)

// MULTIPLES4 stores the four bytes of each dword times F.
#define MULTIPLES4(X, F, to) \
	MULTIPLE(X, F, 24, VPSRLD, to)      \
	MULTIPLE(X, F, 16, VPSRLD, (32+to)) \
	MULTIPLE(X, F, 8, VPSRLD, (64+to))  \
	MULTIPLE(X, F, 0, VPSRLD, (96+to))

// SIGNED4 is MULTIPLES4 for signed bytes, two for each sub-block.
#define SIGNED4(X, F, to) \
	MULTIPLE(X, F, 24, VPSRAD, to)      \
	MULTIPLE(X, F, 16, VPSRAD, (16+to)) \
	MULTIPLE(X, F, 8, VPSRAD, (32+to))  \
	MULTIPLE(X, F, 0, VPSRAD, (48+to))

// SUPERSCALES4 stores the scales of Q4_K or Q5_K and their minima negated.
#define SUPERSCALES4 \
	HEADERS(0)                    \
	VPSLLD    $16, X4, X10        \
	VPSRLD    $16, X10, X10       \
	VPACKUSDW X10, X10, X10       \
	VCVTPH2PS X10, X10            \
	VPSRLD    $16, X4, X11        \
	VPACKUSDW X11, X11, X11       \
	VCVTPH2PS X11, X11            \
	VPXOR     ·signs(SB), X11, X11 \
	VPAND     ·sixBits(SB), X5, X0 \
	VPAND     ·sixBits(SB), X6, X1 \
	VPSRLD    $2, X5, X5          \
	VPAND     ·highBits(SB), X5, X5 \
	VPSRLD    $2, X6, X6          \
	VPAND     ·highBits(SB), X6, X6 \
	VPAND     ·fifteens(SB), X7, X2 \
	VPOR      X5, X2, X2          \
	VPSRLD    $4, X7, X9          \
	VPAND     ·fifteens(SB), X9, X9 \
	VPOR      X6, X9, X9          \
	MULTIPLES4(X0, X10, 0)        \
	MULTIPLES4(X2, X10, 128)      \
	MULTIPLES4(X1, X11, 16)       \
	MULTIPLES4(X9, X11, 144)

#define KLOW(mem, Y) \
	VPAND mem, Y15, Y

#define KHIGH(mem, Y) \
	VMOVDQU mem, Y     \
	VPSRLW  $4, Y, Y   \
	VPAND   Y15, Y, Y

// KUPPER adds bits of bytes that a shift takes to where Y14 masks them.
#define KUPPER(mem, Y, SHIFT, by) \
	VMOVDQU mem, Y10       \
	SHIFT   $by, Y10, Y10  \
	VPAND   Y14, Y10, Y10  \
	VPOR    Y10, Y, Y

#define KLOW4(off) \
	KLOW(off(SI)(CX*1), Y0)  \
	KLOW(off(R11)(CX*1), Y1) \
	KLOW(off(R12)(CX*1), Y2) \
	KLOW(off(R13)(CX*1), Y9)

#define KHIGH4(off) \
	KHIGH(off(SI)(CX*1), Y0)  \
	KHIGH(off(R11)(CX*1), Y1) \
	KHIGH(off(R12)(CX*1), Y2) \
	KHIGH(off(R13)(CX*1), Y9)

#define KUPPER4(off, SHIFT, by) \
	KUPPER(off(SI)(CX*1), Y0, SHIFT, by)  \
	KUPPER(off(R11)(CX*1), Y1, SHIFT, by) \
	KUPPER(off(R12)(CX*1), Y2, SHIFT, by) \
	KUPPER(off(R13)(CX*1), Y9, SHIFT, by)

#define DOT4 \
	VMOVDQU (DX), Y8 \
	DOT(Y0, Y4)      \
	DOT(Y1, Y5)      \
	DOT(Y2, Y6)      \
	DOT(Y9, Y7)

// KCHAIN adds a sub-block of Q4_K or Q5_K to the sums.
#define KCHAIN(i) \
	DOT4                              \
	SUMS4(Y4, Y5, Y6, Y7, X4, X5)     \
	VPBROADCASTD 36(DX), X5           \
	VPADDD       X5, X4, X4           \
	VCVTDQ2PS    X4, X4               \
	VBROADCASTSS 32(DX), X7           \
	VMULPS       (32*i)(AX), X7, X6   \
	VFMADD231PS  X4, X6, X3           \
	VBROADCASTSS 40(DX), X7           \
	VFMADD231PS  (32*i+16)(AX), X7, X3 \
	ADDQ         $48, DX

// KHALVES adds a sub-block of Q6_K, whose halves have scales of their own.
#define KHALVES(i) \
	DOT4                               \
	VPHADDD      Y5, Y4, Y4            \
	VPHADDD      Y7, Y6, Y6            \
	VPHADDD      Y6, Y4, Y4            \
	VEXTRACTI128 $1, Y4, X5            \
	VPBROADCASTD 44(DX), X6            \
	VPADDD       X6, X4, X4            \
	VPBROADCASTD 36(DX), X7            \
	VPSUBD       X6, X7, X7            \
	VPADDD       X7, X5, X5            \
	VCVTDQ2PS    X4, X4                \
	VCVTDQ2PS    X5, X5                \
	VBROADCASTSS 32(DX), X7            \
	VMULPS       (32*i)(AX), X7, X6    \
	VFMADD231PS  X4, X6, X3            \
	VMULPS       (32*i+16)(AX), X7, X6 \
	VFMADD231PS  X5, X6, X3            \
	ADDQ         $48, DX

#define KPREFETCH \
	PREFETCHT0 (BX)    \
	PREFETCHT0 64(BX)  \
	PREFETCHT0 128(BX) \
	PREFETCHT0 192(BX) \
	PREFETCHT0 256(BX) \
	PREFETCHT0 320(BX) \
	PREFETCHT0 384(BX) \
	PREFETCHT0 448(BX) \
	PREFETCHT0 512(BX)

// KNEXT goes on to the next block of 256.
#define KNEXT(size, label) \
	ADDQ $(4*size), BX \
	ADDQ $size, CX     \
	SUBQ $8, R15       \
	JNZ  label

#define Q4KLOOP(LABEL) \
	KPREFETCH \
	SUPERSCALES4 \
	KLOW4(16) \
	KCHAIN(0) \
	KHIGH4(16) \
	KCHAIN(1) \
	KLOW4(48) \
	KCHAIN(2) \
	KHIGH4(48) \
	KCHAIN(3) \
	KLOW4(80) \
	KCHAIN(4) \
	KHIGH4(80) \
	KCHAIN(5) \
	KLOW4(112) \
	KCHAIN(6) \
	KHIGH4(112) \
	KCHAIN(7) \
	KNEXT(144, LABEL)

#define Q5KLOOP(LABEL) \
	KPREFETCH \
	PREFETCHT0 576(BX) \
	PREFETCHT0 640(BX) \
	SUPERSCALES4 \
	KLOW4(48) \
	KUPPER4(16, VPSLLW, 4) \
	KCHAIN(0) \
	KHIGH4(48) \
	KUPPER4(16, VPSLLW, 3) \
	KCHAIN(1) \
	KLOW4(80) \
	KUPPER4(16, VPSLLW, 2) \
	KCHAIN(2) \
	KHIGH4(80) \
	KUPPER4(16, VPSLLW, 1) \
	KCHAIN(3) \
	KLOW4(112) \
	KUPPER4(16, VPSRLW, 0) \
	KCHAIN(4) \
	KHIGH4(112) \
	KUPPER4(16, VPSRLW, 1) \
	KCHAIN(5) \
	KLOW4(144) \
	KUPPER4(16, VPSRLW, 2) \
	KCHAIN(6) \
	KHIGH4(144) \
	KUPPER4(16, VPSRLW, 3) \
	KCHAIN(7) \
	KNEXT(176, LABEL)

#define Q6KLOOP(LABEL) \
	KPREFETCH \
	PREFETCHT0 576(BX) \
	PREFETCHT0 640(BX) \
	PREFETCHT0 704(BX) \
	PREFETCHT0 768(BX) \
	HALVES4(208, X8) \
	LEAQ scales-256(SP), AX \
	HEADERS(192) \
	SIGNED4(X4, X8, 0) \
	SIGNED4(X5, X8, 64) \
	SIGNED4(X6, X8, 128) \
	SIGNED4(X7, X8, 192) \
	KLOW4(0) \
	KUPPER4(128, VPSLLW, 4) \
	KHALVES(0) \
	KLOW4(32) \
	KUPPER4(128, VPSLLW, 2) \
	KHALVES(1) \
	KHIGH4(0) \
	KUPPER4(128, VPSLLW, 0) \
	KHALVES(2) \
	KHIGH4(32) \
	KUPPER4(128, VPSRLW, 2) \
	KHALVES(3) \
	KLOW4(64) \
	KUPPER4(160, VPSLLW, 4) \
	KHALVES(4) \
	KLOW4(96) \
	KUPPER4(160, VPSLLW, 2) \
	KHALVES(5) \
	KHIGH4(64) \
	KUPPER4(160, VPSLLW, 0) \
	KHALVES(6) \
	KHIGH4(96) \
	KUPPER4(160, VPSRLW, 2) \
	KHALVES(7) \
	KNEXT(210, LABEL)
