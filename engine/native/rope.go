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
