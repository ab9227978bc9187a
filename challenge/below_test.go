package challenge

import (
	"math"
	"math/big"
	"testing"
)

// TestBelow pins the comparison at its exact edges: for each rate, the first value that
// is not drawn is ceil(ppm × 2^64 / 10^6).
func TestBelow(t *testing.T) {
	for _, ppm := range []uint32{1, 2, 3, 64, 1000, 100_000, 333_333, 500_000, 999_999} {
		edge := new(big.Int).Lsh(big.NewInt(int64(ppm)), 64)
		edge.Add(edge, big.NewInt(million-1)).Div(edge, big.NewInt(million))
		u := edge.Uint64()
		if !below(u-1, ppm) || below(u, ppm) {
			t.Errorf("ppm %d: the edge is not at %d", ppm, u)
		}
	}
	for _, u := range []uint64{0, 1, math.MaxUint64} {
		if below(u, 0) {
			t.Errorf("rate 0 draws %d", u)
		}
		if !below(u, million) || !below(u, math.MaxUint32) {
			t.Errorf("rate 1 does not draw %d", u)
		}
	}
}
