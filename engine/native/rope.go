package native

import "targon/noise"

// frequencies returns base^(-2i/d) for each pair of components that turn together.
func frequencies(base float64, d int) []float64 {
	f, ln := make([]float64, d/2), noise.Log(base)
	for i := range f {
		f[i] = noise.Exp(-float64(float64(2*i) / float64(d) * ln))
	}
	return f
}

// angles writes the cosines and sines of one position.
func angles(cos, sin []float32, freqs []float64, position int) {
	for i, f := range freqs {
		a := float64(float64(position) * f)
		cos[i], sin[i] = float32(noise.Cos(a)), float32(noise.Sin(a))
	}
}

// rotate turns the pairs of a head and leaves components beyond the rotary length
// alone. Pairs are neighbours (2i and 2i+1, the layout of Llama files) or, with halves,
// i and the one half the rotary length further.
func rotate(head, cos, sin []float32, halves bool) {
	next, other := 2, 1
	if halves {
		next, other = 1, len(cos)
	}
	for i := range cos {
		a, b := head[next*i], head[next*i+other]
		head[next*i] = float32(a*cos[i]) - float32(b*sin[i])
		head[next*i+other] = float32(a*sin[i]) + float32(b*cos[i])
	}
}
