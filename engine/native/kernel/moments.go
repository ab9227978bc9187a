package kernel

// totalLanes is how many float64 sums run side by side in Total and Moments: a chain of
// additions takes as long as they take one after the other.
const totalLanes = 8

// An octet is a sum in eight lanes that are not yet added up: lane j is that of elements 8i+j.
type octet [totalLanes]float64

// total adds the lanes as a tree: j + (j+4), then j + (j+2), 0 + 1.
func (l *octet) total() float64 {
	for n := totalLanes / 2; n > 0; n /= 2 {
		for j := range n {
			l[j] += l[j+n]
		}
	}
	return l[0]
}

// Exponents sets dst to logits less high, times inverse, in float32; lengths are the same.
func (k *Kernel) Exponents(dst, logits []float32, high, inverse float32) {
	logits = logits[:len(dst)]
	n := len(dst) / Lanes * Lanes
	if n > 0 {
		k.exponents(dst[:n], logits[:n], high, inverse)
	}
	portableExponents(dst[n:], logits[n:], high, inverse)
}

func portableExponents(dst, logits []float32, high, inverse float32) {
	for i, l := range logits {
		dst[i] = (l - high) * inverse
	}
}

// farthest is the exponent that Moments stops at, which is where ExpSub does.
const farthest = -87

// Sums are those of a row that comes in pieces. The length of
// each but the last is a multiple of 16; the outcome is that of the whole row. The zero value
// is the sum of nothing.
type Sums [3]octet

// Total returns the sum so far.
func (s Sums) Total() float64 { return s[0].total() }

// Moments returns the sums so far.
func (s Sums) Moments() (sum, first, second float64) {
	return s[0].total(), s[1].total(), s[2].total()
}

// AddTotal adds a piece's elements to s, in float64, by eight lanes and their tree.
func (k *Kernel) AddTotal(s *Sums, x []float32) {
	n := len(x) / Lanes * Lanes
	if n > 0 {
		k.total(x[:n], &s[0])
	}
	portableTotal(x[n:], &s[0])
}

// AddMoments adds a piece's weights w, and their products with exponents and with their
// squares, to s, in float64, by eight lanes and their tree. Exponents are logits less high,
// times inverse, in float32, and -87 at least; every product is rounded.
func (k *Kernel) AddMoments(s *Sums, w, logits []float32, high, inverse float32) {
	logits = logits[:len(w)]
	n := len(w) / Lanes * Lanes
	if n > 0 {
		k.moments(w[:n], logits[:n], high, inverse, (*[3]octet)(s))
	}
	portableMoments(w[n:], logits[n:], high, inverse, (*[3]octet)(s))
}

// portableTotal takes a length that is a multiple of 8, or the last elements.
func portableTotal(x []float32, sum *octet) {
	for ; len(x) >= totalLanes; x = x[totalLanes:] {
		for j, v := range (*[totalLanes]float32)(x) {
			sum[j] += float64(v)
		}
	}
	for j, v := range x {
		sum[j] += float64(v)
	}
}

// portableMoments takes a length that is a multiple of 8, or the last elements.
func portableMoments(w, logits []float32, high, inverse float32, sums *[3]octet) {
	sum, first, second := &sums[0], &sums[1], &sums[2]
	for i, v := range w {
		j := i % totalLanes
		x := float64(max((logits[i]-high)*inverse, farthest))
		weight := float64(v)
		wx := float64(weight * x)
		sum[j] += weight
		first[j] += wx
		second[j] += float64(wx * x)
	}
}
