package kernel

// longRow is from how many columns on rows are multiplied one after the other: those of
// weights. Shorter ones are keys of an attention cache, which is warm.
const longRow = 192

// lines tells whether n vectors are multiplied by rows one after the other: where these
// are long and come from memory, each used once.
func (s shape) lines(n int) bool { return s.once && s.cols >= longRow && n <= 6 }

// Sizes and strides are in bytes, cols is that of float32 columns, panels are groups of
// 4 rows.

//go:noescape
func avx512Rows32(dst, w, x *float32, panels, cols, stride int)

//go:noescape
func avx512Rows16(dst *float32, w *uint16, x *float32, panels, cols, stride int)

//go:noescape
func avx2Rows32(dst, w, x *float32, panels, cols, stride int)

//go:noescape
func avx2Rows16(dst *float32, w *uint16, x *float32, panels, cols, stride int)

//go:noescape
func avx512Lines32x2(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Lines16x2(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Lines32x3(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Lines16x3(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Lines32x4(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Lines16x4(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Lines32x6(dst *float32, dstStride int, w, x *float32, xStride, panels, cols, stride int)

//go:noescape
func avx512Lines16x6(dst *float32, dstStride int, w *uint16, x *float32, xStride, panels, cols, stride int)
