// Instructions that Go's assembler has no names for (Arm ARM, C7.2), operands in Go's
// order: the destination comes last.
#define FADD4(m, n, d) WORD $(0x4E20D400 | (m)<<16 | (n)<<5 | (d))
#define FSUB4(m, n, d) WORD $(0x4EA0D400 | (m)<<16 | (n)<<5 | (d)) // d = n - m
#define FMUL4(m, n, d) WORD $(0x6E20DC00 | (m)<<16 | (n)<<5 | (d))
#define FDIV4(m, n, d) WORD $(0x6E20FC00 | (m)<<16 | (n)<<5 | (d)) // d = n / m
#define FMIN4(m, n, d) WORD $(0x4EA0F400 | (m)<<16 | (n)<<5 | (d))
#define FMAX4(m, n, d) WORD $(0x4E20F400 | (m)<<16 | (n)<<5 | (d))
#define FRINTN4(n, d) WORD $(0x4E218800 | (n)<<5 | (d)) // to nearest, ties to even
#define FCVTNS4(n, d) WORD $(0x4E21A800 | (n)<<5 | (d)) // the same, to integers
#define SCVTF4(n, d) WORD $(0x4E21D800 | (n)<<5 | (d))
#define FCVTL(n, d) WORD $(0x0E217800 | (n)<<5 | (d)) // float16 to float32, the lower half
#define FCVTL2(n, d) WORD $(0x4E217800 | (n)<<5 | (d))
#define UMAXV4(n, d) WORD $(0x6EB0A800 | (n)<<5 | (d))
#define ADDV4(n, d) WORD $(0x4EB1B800 | (n)<<5 | (d))
#define SQXTN4(n, d) WORD $(0x0E614800 | (n)<<5 | (d)) // int32 to int16, saturating
#define SQXTN42(n, d) WORD $(0x4E614800 | (n)<<5 | (d))
#define SQXTN8(n, d) WORD $(0x0E214800 | (n)<<5 | (d)) // int16 to int8
#define SQXTN82(n, d) WORD $(0x4E214800 | (n)<<5 | (d))
#define SADDLP16(n, d) WORD $(0x4E202800 | (n)<<5 | (d)) // pairs of int8 to int16
#define SADDLP8(n, d) WORD $(0x4E602800 | (n)<<5 | (d))  // pairs of int16 to int32
#define SDOT(m, n, d) WORD $(0x4E809400 | (m)<<16 | (n)<<5 | (d)) // four int8 products each
#define SDOTLANE(i, m, n, d) WORD $(0x4F80E000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))
