// Package gguf reads and writes GGUF model files: metadata and tensors, and the
// number formats the tensors are stored in.
//
// It does not know any model architecture, and it does not open files: it takes
// the bytes, so that a caller may map them. It reads versions 2 and 3,
// little-endian, with tensors of type F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1,
// Q4_K, Q5_K and Q6_K; every other type is refused by name. It writes F32, F16, Q8_0,
// Q4_0 and Q4_K.
//
// The invariant: a [File] that [Parse] returns is consistent. Every tensor lies
// inside the input, overlaps no other, and has exactly the bytes that its type and
// dimensions call for; [Tensor].Data and the elements of a [List] stay where they are in
// the input. A file that lies about a count or a length costs an error, and never memory
// beyond a small multiple of its own size.
//
// The layout is that of the GGUF specification in ggml's docs/gguf.md; the block
// formats are ggml's (ggml-common.h, block_q4_0 to block_q6_K). Q8_0 and Q4_0 are
// rounded as in ggml-quants.c (quantize_row_q8_0_ref, quantize_row_q4_0_ref); how Q4_K
// is rounded is our own, see [Quantize].
package gguf
