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

// farthest is the exponent that Moments stops at, which is where ExpSub does.
const farthest = -87

// Total adds up x, of any length, in float64, by eight lanes and their tree.
func (k *Kernel) Total(x []float32) float64 {
	var sum octet
	n := len(x) / Lanes * Lanes
	if n > 0 {
		k.total(x[:n], &sum)
	}
	portableTotal(x[n:], &sum)
	return sum.total()
}

// Moments adds up weights w, of any length, and their products with exponents and with
// their squares, in float64, by eight lanes and their tree. Exponents are logits less
// high, times inverse, in float32, and -87 at least; every product is rounded.
func (k *Kernel) Moments(w, logits []float32, high, inverse float32) (sum, first, second float64) {
	var s [3]octet
	logits = logits[:len(w)]
	n := len(w) / Lanes * Lanes
	if n > 0 {
		k.moments(w[:n], logits[:n], high, inverse, &s)
	}
	portableMoments(w[n:], logits[n:], high, inverse, &s)
	return s[0].total(), s[1].total(), s[2].total()
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
