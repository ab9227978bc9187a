package kernel

import "math"

// portable is the arithmetic in plain Go: what the others are held against.
func portable() *Kernel {
	return &Kernel{
		quant:      quantKernel{record: portableRecord},
		name:       "portable",
		gemv32:     portableGemv32,
		gemv16:     portableGemv16,
		gemm32:     portableGemm32,
		gemm16:     each16(portableGemv16),
		direct:     2,
		widen:      portableWiden,
		values:     portableValues,
		norm:       portableNorm,
		add:        portableAdd,
		turnPairs:  portableTurnPairs,
		turnHalves: portableTurnHalves,
		finite:     portableFinite,
		above:      portableAbove,
		firstAbove: portableFirstAbove,
		contend:    portableContend,
		exponents:  portableExponents,
		total:      portableTotal,
		moments:    portableMoments,
		exp:        portableExp,
		single:     true,
		swiglu:     portableSwiGLU,
		sum:        portableSum,
		max:        portableMax,
		scale:      portableScale,
	}
}

func portableGemv32(dst, w, x []float32, rows, cols, stride int) {
	for r := range rows {
		dst[r] = dot(w[r*stride:r*stride+cols], x)
	}
}

func portableGemv16(dst []float32, w []uint16, x []float32, rows, cols, stride int) {
	row := make([]float32, cols)
	for r := range rows {
		portableWiden(row, w[r*stride:r*stride+cols])
		dst[r] = dot(row, x)
	}
}

func portableGemm32(dst, x Vectors, w []float32, n int, s shape) {
	for b := range n {
		portableGemv32(dst.Data[b*dst.Stride:], w, x.Data[b*x.Stride:][:s.cols], s.rows, s.cols, s.stride)
	}
}

func dot(w, x []float32) float32 {
	var acc [Lanes]float32
	x = x[:len(w)]
	for j := 0; j < Lanes; j += 4 {
		quick(w, x, j, (*[4]float32)(acc[j:]))
	}
	return tree(&acc)
}

// quick sums lanes j to j+3, whose four chains stay in registers. A sum that needs
// rounding to odd is rare (one in 2^29, and zeros), so it is all done again with fma.
func quick(w, x []float32, j int, acc *[4]float32) {
	var a, b, c, d float64
	var p, q, r, s bool
	ok := true
	for i := j; i+4 <= len(w); i += Lanes {
		u, v := w[i:i+4:i+4], x[i:i+4:i+4]
		a, p = step(u[0], v[0], a)
		b, q = step(u[1], v[1], b)
		c, r = step(u[2], v[2], c)
		d, s = step(u[3], v[3], d)
		if ok = p && q && r && s; !ok {
			break
		}
	}
	if ok {
		*acc = [4]float32{float32(a), float32(b), float32(c), float32(d)}
		return
	}
	*acc = [4]float32{}
	for i := j; i < len(w); i += Lanes {
		for k := range acc {
			acc[k] = fma(w[i+k], x[i+k], acc[k])
		}
	}
}

// tree adds up lanes, halving their number: j and j+8 first.
func tree(acc *[Lanes]float32) float32 {
	for half := Lanes / 2; half > 0; half /= 2 {
		for j := range half {
			acc[j] += acc[j+half]
		}
	}
	return acc[0]
}

func portableWiden(dst []float32, src []uint16) {
	for i, h := range src {
		dst[i] = widen(h)
	}
}

func portableValues(out, p, v []float32, n, stride int) {
	for t := range n {
		row := v[t*stride : t*stride+len(out)]
		for d := range out {
			out[d] = fma(p[t], row[d], out[d])
		}
	}
}

// The constants of exp: ln 2 as the nearest float32 and what that lacks, and the
// reciprocals of factorials, each rounded to float32.
const (
	expHigh  = float32(88)
	expLow   = float32(-87)
	expLog2E = float32(0x1.715476p+0)
	expLn2Hi = float32(0x1.62e43p-1)
	expLn2Lo = float32(-0x1.05c61p-29)
)

var expSeries = [...]float32{1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1}

func exp(x float32) float32 {
	switch {
	case x != x:
		return x
	case x > expHigh:
		x = expHigh
	case x < expLow:
		x = expLow
	}
	n := float32(math.RoundToEven(float64(float32(x * expLog2E))))
	r := fma(n, -expLn2Hi, x)
	r = fma(n, -expLn2Lo, r)
	p := expSeries[0]
	for _, c := range expSeries[1:] {
		p = fma(p, r, c)
	}
	return p * math.Float32frombits(uint32(int32(n)+127)<<23)
}

func portableExp(x []float32, m float32) {
	for i, v := range x {
		x[i] = exp(v - m)
	}
}

func portableSwiGLU(g, u []float32) {
	for i, v := range g {
		s := float32(v / float32(1+exp(0-v)))
		g[i] = float32(s * u[i])
	}
}

func portableSum(x []float32) float32 {
	var acc [Lanes]float32
	for i, v := range x {
		acc[i%Lanes] += v
	}
	return tree(&acc)
}

func portableMax(x []float32) float32 {
	best := x[0]
	for _, v := range x {
		if v > best {
			best = v
		}
	}
	return best
}

func portableScale(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}
