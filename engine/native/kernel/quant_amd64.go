package kernel

import "golang.org/x/sys/cpu"

// avx2Quant multiplies blocks by VPMADDUBSW and VPMADDWD.
func avx2Quant() quantKernel {
	return quantKernel{
		record: avx2Records,
		gemv: func(dst []float32, w []byte, q *quantized, x []record) bool {
			return gemvOf(avx2Gemv, dst, w, q, x)
		},
		unpack: func(dst []tile, w []byte, q *quantized) bool { return avx2Unpack(dst, w, q, 0) },
		gemm8: func(dst []float32, stride int, w []tile, x []record, l *layout) {
			gemmOf(avx2Gemm4, 4, dst, stride, w, x, l)
			gemmOf(avx2Gemm4, 4, dst[4*stride:], stride, w, x[4*len(w):], l)
		},
		gemm4: func(dst []float32, stride int, w []tile, x []record, l *layout) {
			gemmOf(avx2Gemm4, 4, dst, stride, w, x, l)
		},
	}
}

// vnniQuant multiplies blocks by VPDPBUSD, where the processor has it.
func vnniQuant() quantKernel {
	if !cpu.X86.HasAVX512VNNI {
		return avx2Quant()
	}
	const flip = 128
	return quantKernel{
		flip:   flip,
		record: avx2Records,
		gemv: func(dst []float32, w []byte, q *quantized, x []record) bool {
			return gemvOf(vnniGemv, dst, w, q, x)
		},
		unpack: func(dst []tile, w []byte, q *quantized) bool { return avx2Unpack(dst, w, q, flip) },
		gemm8: func(dst []float32, stride int, w []tile, x []record, l *layout) {
			gemmOf(vnniGemm8, 8, dst, stride, w, x, l)
		},
		gemm4: func(dst []float32, stride int, w []tile, x []record, l *layout) {
			gemmOf(vnniGemm4, 4, dst, stride, w, x, l)
		},
	}
}

func avx2Records(dst []record, x []float32, bias int32) {
	avx2Record(&dst[0], &x[:len(dst)*quantLen][0], len(dst), bias)
}

type gemvFunc = func(dst *float32, w *byte, x *record, panels, blocks, stride int)

func avx2Gemv(f Blocks) gemvFunc {
	switch f {
	case Q8_0:
		return avx2GemvQ8_0
	case Q4_0:
		return avx2GemvQ4_0
	case Q4_1:
		return avx2GemvQ4_1
	case Q5_0:
		return avx2GemvQ5_0
	case Q5_1:
		return avx2GemvQ5_1
	case Q4_K:
		return avx2GemvQ4_K
	case Q5_K:
		return avx2GemvQ5_K
	case Q6_K:
		return avx2GemvQ6_K
	default:
		return nil
	}
}

func vnniGemv(f Blocks) gemvFunc {
	switch f {
	case Q8_0:
		return vnniGemvQ8_0
	case Q4_0:
		return vnniGemvQ4_0
	case Q4_1:
		return vnniGemvQ4_1
	case Q5_0:
		return vnniGemvQ5_0
	case Q5_1:
		return vnniGemvQ5_1
	case Q4_K:
		return vnniGemvQ4_K
	case Q5_K:
		return vnniGemvQ5_K
	case Q6_K:
		return vnniGemvQ6_K
	default:
		return nil
	}
}

func gemvOf(of func(Blocks) gemvFunc, dst []float32, w []byte, q *quantized, x []record) bool {
	f := of(q.format)
	if f == nil {
		return false
	}
	_ = w[(len(dst)-1)*q.rowBytes+len(x)/(q.elements/quantLen)*q.bytes-1]
	f(&dst[0], &w[0], &x[0], len(dst)/panelRows, len(x), q.rowBytes)
	return true
}

func gemmOf(f func(dst *float32, stride int, w *tile, x *record, blocks, kind int), n int, dst []float32, stride int, w []tile, x []record, l *layout) {
	_, _ = dst[(n-1)*stride+tileRows-1], x[n*len(w)-1]
	f(&dst[0], stride*4, &w[0], &x[0], len(w), l.kind())
}

func avx2Unpack(dst []tile, w []byte, q *quantized, flip uint8) bool {
	_ = w[(tileRows-1)*q.rowBytes+len(dst)/(q.elements/quantLen)*q.bytes-1]
	switch q.format {
	case Q8_0:
		avx2UnpackQ8_0(&dst[0], &w[0], len(dst), q.rowBytes, flip)
	case Q4_0:
		avx2UnpackQ4_0(&dst[0], &w[0], len(dst), q.rowBytes)
	case Q4_1:
		avx2UnpackQ4_1(&dst[0], &w[0], len(dst), q.rowBytes)
	case Q5_0:
		avx2UnpackQ5_0(&dst[0], &w[0], len(dst), q.rowBytes)
	case Q5_1:
		avx2UnpackQ5_1(&dst[0], &w[0], len(dst), q.rowBytes)
	case Q4_K:
		avx2UnpackQ4_K(&dst[0], &w[0], len(dst), q.rowBytes)
	case Q5_K:
		avx2UnpackQ5_K(&dst[0], &w[0], len(dst), q.rowBytes)
	case Q6_K:
		avx2UnpackQ6_K(&dst[0], &w[0], len(dst), q.rowBytes)
	default:
		return false
	}
	return true
}

// Strides are in bytes, panels are groups of 4 rows.

//go:noescape
func avx2Record(dst *record, x *float32, blocks int, bias int32)

//go:noescape
func avx2GemvQ8_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func avx2GemvQ4_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func avx2GemvQ4_1(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func avx2GemvQ5_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func avx2GemvQ5_1(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ8_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ4_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ4_1(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ5_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ5_1(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func avx2Gemm4(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)

//go:noescape
func vnniGemm4(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)

//go:noescape
func vnniGemm8(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)

//go:noescape
func avx2UnpackQ8_0(dst *tile, w *byte, blocks, stride int, flip uint8)

//go:noescape
func avx2UnpackQ4_0(dst *tile, w *byte, blocks, stride int)

//go:noescape
func avx2UnpackQ4_1(dst *tile, w *byte, blocks, stride int)

//go:noescape
func avx2UnpackQ5_0(dst *tile, w *byte, blocks, stride int)

//go:noescape
func avx2UnpackQ5_1(dst *tile, w *byte, blocks, stride int)

//go:noescape
func avx2UnpackQ4_K(dst *tile, w *byte, blocks, stride int)

//go:noescape
func avx2UnpackQ5_K(dst *tile, w *byte, blocks, stride int)

//go:noescape
func avx2UnpackQ6_K(dst *tile, w *byte, blocks, stride int)

//go:noescape
func avx2GemvQ4_K(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func avx2GemvQ5_K(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func avx2GemvQ6_K(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ4_K(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ5_K(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func vnniGemvQ6_K(dst *float32, w *byte, x *record, panels, blocks, stride int)
