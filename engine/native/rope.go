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

// rotate turns neighbouring components of a head (2i and 2i+1, the layout of Llama
// files) and leaves those beyond the rotary length alone.
func rotate(head, cos, sin []float32) {
	for i := range cos {
		a, b := head[2*i], head[2*i+1]
		head[2*i] = float32(a*cos[i]) - float32(b*sin[i])
		head[2*i+1] = float32(a*sin[i]) + float32(b*cos[i])
	}
}
