package kernel

import "math"

// Finite reports whether there is neither infinity nor NaN among x, of any length.
func (k *Kernel) Finite(x []float32) bool {
	n := len(x) / Lanes * Lanes
	if n > 0 && !k.finite(x[:n]) {
		return false
	}
	return portableFinite(x[n:])
}

// Above counts the elements of x, of any length, that are greater than a limit.
func (k *Kernel) Above(x []float32, limit float32) int {
	n, count := len(x)/Lanes*Lanes, 0
	if n > 0 {
		count = k.above(x[:n], limit)
	}
	return count + portableAbove(x[n:], limit)
}

// FirstAbove returns the index of the first element of x that is greater than a limit,
// len(x) if there is none.
func (k *Kernel) FirstAbove(x []float32, limit float32) int {
	i := 0
	if n := len(x) / Lanes * Lanes; n > 0 {
		i = k.firstAbove(x[:n], limit)
	}
	return i + portableFirstAbove(x[i:], limit)
}

func portableFinite(x []float32) bool {
	bad := uint32(0)
	for _, v := range x {
		// An all-ones exponent plus one carries into the sign's place.
		bad |= (math.Float32bits(v)&^(1<<31) + 1<<23) & (1 << 31)
	}
	return bad == 0
}

func portableAbove(x []float32, limit float32) (n int) {
	for _, v := range x {
		if v > limit {
			n++
		}
	}
	return n
}

func portableFirstAbove(x []float32, limit float32) int {
	for i, v := range x {
		if v > limit {
			return i
		}
	}
	return len(x)
}
