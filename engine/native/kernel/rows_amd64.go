package kernel

// longRow is from how many columns on rows are multiplied one after the other: those of
// weights. Shorter ones are keys of an attention cache, which is warm.
const longRow = 192

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
