package kernel

//go:noescape
func avxContend(x *float32, from, n int, first, state uint32, slope, limit float32) (group int, which uint32)

// avx2Contend hashes eight ids at a time.
func avx2Contend(x []float32, first, from int, c *Contest) (group int, which uint32) {
	return avxContend(&x[0], from, len(x), uint32(first), c.place.State(), c.slope, c.limit)
}

//go:noescape
func avx512Contend(x *float32, from, n int, first, state uint32, slope, limit float32) (group int, which uint32)

// wideContend hashes sixteen ids at a time.
func wideContend(x []float32, first, from int, c *Contest) (group int, which uint32) {
	return avx512Contend(&x[0], from, len(x), uint32(first), c.place.State(), c.slope, c.limit)
}
