#include "textflag.h"
#include "neon_arm64.h"

// A record (quant_mul.go) is 48 bytes: 32 of integers, then d, fix, s and fix0. A tile is
// 640: integers, scales at 512, offsets at 576.

// func neonRecord(dst *record, x *float32, blocks int, bias int32)
TEXT ·neonRecord(SB), NOSPLIT, $0-28
	MOVD  dst+0(FP), R0
	MOVD  x+8(FP), R1
	MOVD  blocks+16(FP), R2
	MOVW  bias+24(FP), R3
	NEG   R3, R3
	MOVD  $0x7FFFFFFF, R4
	VDUP  R4, V30.S4
	MOVW  $0x42FE0000, R4 // 127
	FMOVS R4, F31
	MOVD  $0x7F800000, R5
	MOVD  $0x0D800000, R6 // 2^-100

recordloop:
	VLD1.P 64(R1), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R1), [V4.S4, V5.S4, V6.S4, V7.S4]
	VAND   V30.B16, V0.B16, V16.B16
	VAND   V30.B16, V1.B16, V17.B16
	VAND   V30.B16, V2.B16, V18.B16
	VAND   V30.B16, V3.B16, V19.B16
	VAND   V30.B16, V4.B16, V20.B16
	VAND   V30.B16, V5.B16, V21.B16
	VAND   V30.B16, V6.B16, V22.B16
	VAND   V30.B16, V7.B16, V23.B16
	VUMAX  V17.S4, V16.S4, V16.S4
	VUMAX  V19.S4, V18.S4, V18.S4
	VUMAX  V21.S4, V20.S4, V20.S4
	VUMAX  V23.S4, V22.S4, V22.S4
	VUMAX  V18.S4, V16.S4, V16.S4
	VUMAX  V22.S4, V20.S4, V20.S4
	VUMAX  V20.S4, V16.S4, V16.S4
	UMAXV4(16, 16)
	VMOV   V16.S[0], R7
	CMP    R5, R7
	BHS    recordnan
	CMP    R6, R7
	BLO    recordzero
	FDIVS  F31, F16, F17 // d
	FDIVS  F16, F31, F18
	VDUP   V18.S[0], V18.S4
	FMUL4(18, 0, 0)
	FMUL4(18, 1, 1)
	FMUL4(18, 2, 2)
	FMUL4(18, 3, 3)
	FMUL4(18, 4, 4)
	FMUL4(18, 5, 5)
	FMUL4(18, 6, 6)
	FMUL4(18, 7, 7)
	FCVTNS4(0, 0)
	FCVTNS4(1, 1)
	FCVTNS4(2, 2)
	FCVTNS4(3, 3)
	FCVTNS4(4, 4)
	FCVTNS4(5, 5)
	FCVTNS4(6, 6)
	FCVTNS4(7, 7)
	SQXTN4(0, 20)
	SQXTN42(1, 20)
	SQXTN4(2, 21)
	SQXTN42(3, 21)
	SQXTN4(4, 22)
	SQXTN42(5, 22)
	SQXTN4(6, 23)
	SQXTN42(7, 23)
	SQXTN8(20, 24)
	SQXTN82(21, 24)
	SQXTN8(22, 25)
	SQXTN82(23, 25)
	SADDLP16(24, 26)
	SADDLP8(26, 26)
	ADDV4(26, 26)
	SADDLP16(25, 27)
	SADDLP8(27, 27)
	ADDV4(27, 27)
	VST1.P [V24.B16, V25.B16], 32(R0)
	VMOV   V26.S[0], R8
	VMOV   V27.S[0], R9
	ADDW   R8, R9, R9
	SCVTFWS R9, F19
	FMULS  F17, F19, F19
	MULW   R3, R8, R8
	MULW   R3, R9, R9
	FMOVS  F17, (R0)
	MOVW   R9, 4(R0)
	FMOVS  F19, 8(R0)
	MOVW   R8, 12(R0)
	ADD    $16, R0

recordnext:
	SUBS $1, R2
	BNE  recordloop
	RET

recordnan:
	MOVD $0x7FC00000, R7
	B    recordempty

recordzero:
	MOVD ZR, R7

recordempty:
	STP.P (ZR, ZR), 16(R0)
	STP.P (ZR, ZR), 16(R0)
	MOVW  R7, (R0)
	MOVW  ZR, 4(R0)
	MOVW  R7, 8(R0)
	MOVW  ZR, 12(R0)
	ADD   $16, R0
	B     recordnext

// Four rows of blocks times one vector. R4 to R7 are the rows; V24 and V25 the vector's
// integers, V26 its scale, V27 what it is corrected by; V28 collects the rows' halves.
#define QUANTROWS \
	MOVD R1, R4               \
	ADD  R9, R4, R5           \
	ADD  R9, R5, R6           \
	ADD  R9, R6, R7           \
	MOVD R2, R10              \
	MOVD R8, R11              \
	VEOR V30.B16, V30.B16, V30.B16

#define RECORD \
	VLD1.P  32(R10), [V24.B16, V25.B16] \
	VLD1R.P 4(R10), [V26.S4]            \
	VLD1R.P 4(R10), [V27.S4]            \
	ADD     $8, R10

#define WHOLE(R, A, B, i, a, b, c, C) \
	VLD1.P 2(R), V28.H[i]            \
	VLD1.P 32(R), [A.B16, B.B16]     \
	VEOR   C.B16, C.B16, C.B16       \
	SDOT(24, a, c)                   \
	SDOT(25, b, c)

// NIBBLES spreads 16 bytes of nibbles to two registers: the low ones first.
#define NIBBLES(R, A, B, i, a, b, c, C) \
	VLD1.P 2(R), V28.H[i]            \
	VLD1.P 16(R), [A.B16]            \
	VUSHR  $4, A.B16, B.B16          \
	VAND   V31.B16, A.B16, A.B16     \
	VEOR   C.B16, C.B16, C.B16       \
	SDOT(24, a, c)                   \
	SDOT(25, b, c)

// LINK takes the dot products in V16 to V19 to the sums in V30.
#define LINK \
	VADDP V17.S4, V16.S4, V16.S4 \
	VADDP V19.S4, V18.S4, V18.S4 \
	VADDP V18.S4, V16.S4, V16.S4 \
	VADD  V27.S4, V16.S4, V16.S4 \
	SCVTF4(16, 16)               \
	FCVTL(28, 29)                \
	FMUL4(26, 29, 29)            \
	VFMLA V29.S4, V16.S4, V30.S4

// func neonGemvQ8_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·neonGemvQ8_0(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD w+8(FP), R1
	MOVD x+16(FP), R2
	MOVD panels+24(FP), R3
	MOVD blocks+32(FP), R8
	MOVD stride+40(FP), R9
	ADD  R9<<2, R1, R12

gemv8panel:
	QUANTROWS

gemv8loop:
	RECORD
	PRFM (R12), PLDL1KEEP
	PRFM 64(R12), PLDL1KEEP
	PRFM 128(R12), PLDL1KEEP
	ADD  $136, R12
	WHOLE(R4, V0, V1, 0, 0, 1, 16, V16)
	WHOLE(R5, V2, V3, 1, 2, 3, 17, V17)
	WHOLE(R6, V4, V5, 2, 4, 5, 18, V18)
	WHOLE(R7, V6, V7, 3, 6, 7, 19, V19)
	LINK
	SUBS $1, R11
	BNE  gemv8loop
	VST1.P [V30.S4], 16(R0)
	ADD  R9<<2, R1
	SUBS $1, R3
	BNE  gemv8panel
	RET

// func neonGemvQ4_0(dst *float32, w *byte, x *record, panels, blocks, stride int)
TEXT ·neonGemvQ4_0(SB), NOSPLIT, $0-48
	MOVD  dst+0(FP), R0
	MOVD  w+8(FP), R1
	MOVD  x+16(FP), R2
	MOVD  panels+24(FP), R3
	MOVD  blocks+32(FP), R8
	MOVD  stride+40(FP), R9
	ADD   R9<<2, R1, R12
	VMOVI $15, V31.B16

gemv4panel:
	QUANTROWS

gemv4loop:
	RECORD
	PRFM (R12), PLDL1KEEP
	PRFM 64(R12), PLDL1KEEP
	ADD  $72, R12
	NIBBLES(R4, V0, V1, 0, 0, 1, 16, V16)
	NIBBLES(R5, V2, V3, 1, 2, 3, 17, V17)
	NIBBLES(R6, V4, V5, 2, 4, 5, 18, V18)
	NIBBLES(R7, V6, V7, 3, 6, 7, 19, V19)
	LINK
	SUBS $1, R11
	BNE  gemv4loop
	VST1.P [V30.S4], 16(R0)
	ADD  R9<<2, R1
	SUBS $1, R3
	BNE  gemv4panel
	RET

// SQUARE stores four rows of four dwords as columns, 64 bytes apart from R13 on.
#define SQUARE(A, B, C, D) \
	VZIP1  B.S4, A.S4, V20.S4    \
	VZIP2  B.S4, A.S4, V21.S4    \
	VZIP1  D.S4, C.S4, V22.S4    \
	VZIP2  D.S4, C.S4, V23.S4    \
	VZIP1  V22.D2, V20.D2, V24.D2 \
	VZIP2  V22.D2, V20.D2, V25.D2 \
	VZIP1  V23.D2, V21.D2, V26.D2 \
	VZIP2  V23.D2, V21.D2, V27.D2 \
	VST1.P [V24.S4], (R13)(R14)  \
	VST1.P [V25.S4], (R13)(R14)  \
	VST1.P [V26.S4], (R13)(R14)  \
	VST1.P [V27.S4], (R13)(R14)

// TILE stores four rows of 32 bytes in V0 to V7 and their scales.
#define TILE \
	MOVD R12, R13          \
	SQUARE(V0, V2, V4, V6) \
	SQUARE(V1, V3, V5, V7) \
	FCVTL(28, 29)          \
	VST1 [V29.S4], (R13)   \
	ADD  $640, R12

#define UNPACKROWS \
	MOVD R1, R4     \
	ADD  R9, R4, R5 \
	ADD  R9, R5, R6 \
	ADD  R9, R6, R7 \
	MOVD R0, R12    \
	MOVD R8, R11

#define BYTES(R, A, B, i) \
	VLD1.P 2(R), V28.H[i]        \
	VLD1.P 32(R), [A.B16, B.B16]

// func neonUnpackQ8_0(dst *tile, w *byte, blocks, stride int)
TEXT ·neonUnpackQ8_0(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD w+8(FP), R1
	MOVD blocks+16(FP), R8
	MOVD stride+24(FP), R9
	MOVD $64, R14
	MOVD $4, R3

unpack8rows:
	UNPACKROWS

unpack8loop:
	BYTES(R4, V0, V1, 0)
	BYTES(R5, V2, V3, 1)
	BYTES(R6, V4, V5, 2)
	BYTES(R7, V6, V7, 3)
	TILE
	SUBS $1, R11
	BNE  unpack8loop
	ADD  R9<<2, R1
	ADD  $16, R0
	SUBS $1, R3
	BNE  unpack8rows
	RET

#define SPLIT(R, A, B, i) \
	VLD1.P 2(R), V28.H[i]        \
	VLD1.P 16(R), [A.B16]        \
	VUSHR  $4, A.B16, B.B16      \
	VAND   V31.B16, A.B16, A.B16

// func neonUnpackQ4_0(dst *tile, w *byte, blocks, stride int)
TEXT ·neonUnpackQ4_0(SB), NOSPLIT, $0-32
	MOVD  dst+0(FP), R0
	MOVD  w+8(FP), R1
	MOVD  blocks+16(FP), R8
	MOVD  stride+24(FP), R9
	MOVD  $64, R14
	MOVD  $4, R3
	VMOVI $15, V31.B16

unpack4rows:
	UNPACKROWS

unpack4loop:
	SPLIT(R4, V0, V1, 0)
	SPLIT(R5, V2, V3, 1)
	SPLIT(R6, V4, V5, 2)
	SPLIT(R7, V6, V7, 3)
	TILE
	SUBS $1, R11
	BNE  unpack4loop
	ADD  R9<<2, R1
	ADD  $16, R0
	SUBS $1, R3
	BNE  unpack4rows
	RET

// Eight rows of a tile times four vectors, whose integers are in V16 to V23, two
// registers each. V0 to V7 are the blocks' dot products, V8 to V15 the sums.
#define STEP(i, lane, a, b, c, d) \
	VLD1 (R12), [V24.B16, V25.B16] \
	ADD  $64, R12                  \
	SDOTLANE(lane, a, 24, 0)       \
	SDOTLANE(lane, a, 25, 1)       \
	SDOTLANE(lane, b, 24, 2)       \
	SDOTLANE(lane, b, 25, 3)       \
	SDOTLANE(lane, c, 24, 4)       \
	SDOTLANE(lane, c, 25, 5)       \
	SDOTLANE(lane, d, 24, 6)       \
	SDOTLANE(lane, d, 25, 7)

#define STEPS4(a, b, c, d) \
	STEP(0, 0, a, b, c, d) \
	STEP(1, 1, a, b, c, d) \
	STEP(2, 2, a, b, c, d) \
	STEP(3, 3, a, b, c, d)

// FIX starts the dot products with the corrections at an offset of the records.
#define FIX1(R, off, A, B) \
	ADD   $off, R, R17             \
	VLD1R (R17), [A.S4]            \
	VORR  A.B16, A.B16, B.B16

#define FIX(off) \
	FIX1(R4, off, V0, V1) \
	FIX1(R5, off, V2, V3) \
	FIX1(R6, off, V4, V5) \
	FIX1(R7, off, V6, V7)

#define LESS1(R, A, B) \
	ADD   $44, R, R17      \
	VLD1R (R17), [V28.S4]  \
	VSUB  V28.S4, A.S4, A.S4 \
	VSUB  V28.S4, B.S4, B.S4

// SCALED adds the dot products of one vector, times scales in V26 and V27.
#define SCALED(R, a, b, A, B, C, D) \
	ADD   $32, R, R17        \
	VLD1R (R17), [V28.S4]    \
	SCVTF4(a, a)             \
	SCVTF4(b, b)             \
	FMUL4(28, 26, 29)        \
	FMUL4(28, 27, 30)        \
	VFMLA V29.S4, A.S4, C.S4 \
	VFMLA V30.S4, B.S4, D.S4

#define SCALES(off) \
	ADD  $off, R15, R17           \
	VLD1 (R17), [V26.S4, V27.S4]  \
	SCALED(R4, 0, 1, V0, V1, V8, V9)   \
	SCALED(R5, 2, 3, V2, V3, V10, V11) \
	SCALED(R6, 4, 5, V4, V5, V12, V13) \
	SCALED(R7, 6, 7, V6, V7, V14, V15)

#define OFFSET1(R, C, D) \
	ADD   $40, R, R17          \
	VLD1R (R17), [V28.S4]      \
	VFMLA V28.S4, V26.S4, C.S4 \
	VFMLA V28.S4, V27.S4, D.S4

// func neonGemm4(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)
TEXT ·neonGemm4(SB), NOSPLIT, $0-48
	MOVD dst+0(FP), R0
	MOVD dstStride+8(FP), R16
	MOVD w+16(FP), R1
	MOVD blocks+32(FP), R8
	MOVD kind+40(FP), R3
	MOVD $48, R9
	MUL  R8, R9, R9 // from one vector to the next
	MOVD $2, R2

gemm4half:
	MOVD x+24(FP), R4
	ADD  R9, R4, R5
	ADD  R9, R5, R6
	ADD  R9, R6, R7
	MOVD R1, R15
	MOVD R8, R11
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16

gemm4loop:
	MOVD R15, R12
	VLD1 (R4), [V16.B16, V17.B16]
	VLD1 (R5), [V18.B16, V19.B16]
	VLD1 (R6), [V20.B16, V21.B16]
	VLD1 (R7), [V22.B16, V23.B16]
	CMP  $2, R3
	BEQ  gemm4sixteens
	FIX(36)
	STEPS4(16, 18, 20, 22)
	STEPS4(17, 19, 21, 23)
	SCALES(512)
	CBZ  R3, gemm4next
	ADD  $576, R15, R17
	VLD1 (R17), [V26.S4, V27.S4]
	OFFSET1(R4, V8, V9)
	OFFSET1(R5, V10, V11)
	OFFSET1(R6, V12, V13)
	OFFSET1(R7, V14, V15)

gemm4next:
	ADD  $640, R15
	ADD  $48, R4
	ADD  $48, R5
	ADD  $48, R6
	ADD  $48, R7
	SUBS $1, R11
	BNE  gemm4loop
	MOVD R0, R17
	VST1 [V8.S4, V9.S4], (R17)
	ADD  R16, R17
	VST1 [V10.S4, V11.S4], (R17)
	ADD  R16, R17
	VST1 [V12.S4, V13.S4], (R17)
	ADD  R16, R17
	VST1 [V14.S4, V15.S4], (R17)
	ADD  $32, R0
	ADD  $32, R1
	SUBS $1, R2
	BNE  gemm4half
	RET

gemm4sixteens:
	FIX(44)
	STEPS4(16, 18, 20, 22)
	SCALES(512)
	FIX(36)
	LESS1(R4, V0, V1)
	LESS1(R5, V2, V3)
	LESS1(R6, V4, V5)
	LESS1(R7, V6, V7)
	STEPS4(17, 19, 21, 23)
	SCALES(576)
	B gemm4next
