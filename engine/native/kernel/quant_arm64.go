package kernel

import (
	"runtime"

	"golang.org/x/sys/cpu"
)

// neonQuant multiplies blocks by SDOT, where the processor has it: all since about 2018.
func neonQuant() quantKernel {
	if !cpu.ARM64.HasASIMDDP && runtime.GOOS != "darwin" {
		return quantKernel{record: portableRecord}
	}
	return quantKernel{
		record: func(dst []record, x []float32, bias int32) {
			neonRecord(&dst[0], &x[:len(dst)*quantLen][0], len(dst), bias)
		},
		gemv:   neonGemvBlocks,
		unpack: neonUnpack,
		gemm8: func(dst []float32, stride int, w []tile, x []record, l *layout) {
			neonTiles(dst, stride, w, x, l)
			neonTiles(dst[4*stride:], stride, w, x[4*len(w):], l)
		},
		gemm4: neonTiles,
	}
}

func neonGemvBlocks(dst []float32, w []byte, q *quantized, x []record) bool {
	_ = w[(len(dst)-1)*q.rowBytes+len(x)/(q.elements/quantLen)*q.bytes-1]
	switch q.format {
	case Q8_0:
		neonGemvQ8_0(&dst[0], &w[0], &x[0], len(dst)/panelRows, len(x), q.rowBytes)
	case Q4_0:
		neonGemvQ4_0(&dst[0], &w[0], &x[0], len(dst)/panelRows, len(x), q.rowBytes)
	default:
		return false
	}
	return true
}

func neonUnpack(dst []tile, w []byte, q *quantized) bool {
	_ = w[(tileRows-1)*q.rowBytes+len(dst)/(q.elements/quantLen)*q.bytes-1]
	switch q.format {
	case Q8_0:
		neonUnpackQ8_0(&dst[0], &w[0], len(dst), q.rowBytes)
	case Q4_0:
		neonUnpackQ4_0(&dst[0], &w[0], len(dst), q.rowBytes)
	default:
		return false
	}
	return true
}

func neonTiles(dst []float32, stride int, w []tile, x []record, l *layout) {
	_, _ = dst[3*stride+tileRows-1], x[4*len(w)-1]
	neonGemm4(&dst[0], stride*4, &w[0], &x[0], len(w), l.kind())
}

// Strides are in bytes, panels are groups of 4 rows.

//go:noescape
func neonRecord(dst *record, x *float32, blocks int, bias int32)

//go:noescape
func neonGemvQ8_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func neonGemvQ4_0(dst *float32, w *byte, x *record, panels, blocks, stride int)

//go:noescape
func neonUnpackQ8_0(dst *tile, w *byte, blocks, stride int)

//go:noescape
func neonUnpackQ4_0(dst *tile, w *byte, blocks, stride int)

//go:noescape
func neonGemm4(dst *float32, dstStride int, w *tile, x *record, blocks, kind int)
