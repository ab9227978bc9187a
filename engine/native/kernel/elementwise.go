package kernel

// Norm sets out to x times s, rounded, times w. All have a length that is a multiple of
// 16; out may be x.
func (k *Kernel) Norm(out, x, w []float32, s float32) {
	check(out)
	k.norm(out, x[:len(out)], w[:len(out)], s)
}

// Add adds y to x.
func (k *Kernel) Add(x, y []float32) { check(x); k.add(x, y[:len(x)]) }

// TurnPairs turns each pair of neighbours of x, 2i and 2i+1, by the angle whose cosine
// and sine have index i: every product is rounded, then their sum or difference.
func (k *Kernel) TurnPairs(x, cos, sin []float32) {
	x, sin = x[:2*len(cos)], sin[:len(cos)]
	for i := k.turnPairs(x, cos, sin); i < len(cos); i++ {
		x[2*i], x[2*i+1] = turned(x[2*i], x[2*i+1], cos[i], sin[i])
	}
}

// TurnHalves is TurnPairs for pairs i and i+len(cos).
func (k *Kernel) TurnHalves(x, cos, sin []float32) {
	a, b, sin := x[:len(cos)], x[len(cos):2*len(cos)], sin[:len(cos)]
	for i := k.turnHalves(a, b, cos, sin); i < len(cos); i++ {
		a[i], b[i] = turned(a[i], b[i], cos[i], sin[i])
	}
}

func turned(a, b, cos, sin float32) (float32, float32) {
	return float32(a*cos) - float32(b*sin), float32(a*sin) + float32(b*cos)
}

func portableNorm(out, x, w []float32, s float32) {
	for i, v := range x {
		out[i] = float32(v*s) * w[i]
	}
}

func portableAdd(x, y []float32) {
	for i := range x {
		x[i] += y[i]
	}
}

func portableTurnPairs(_, _, _ []float32) int     { return 0 }
func portableTurnHalves(_, _, _, _ []float32) int { return 0 }
