package noise

import "math"

// Series coefficients are reciprocals of factorials and odd numbers (Taylor), long
// enough that what is cut off lies below 2^-55 of the result. The splits of ln 2 and
// pi/2 were computed here from 115 decimal digits: each leading part has few enough
// bits that its product with the multiple is exact.
const (
	ln2Hi = 0x1.62e42fee00000p-1  // 32 bits
	ln2Lo = 0x1.a39ef35793c76p-33 // 53 bits
	log2E = 0x1.71547652b82fep+0
	sqrt2 = 0x1.6a09e667f3bcdp+0
)

// Exp returns e^x to within 1 ulp, subnormal results and special values as in package math.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384: // ln of the largest float64
		return math.Inf(1)
	case x < -745.1332191019412: // ln of half the smallest
		return 0
	}
	k := math.RoundToEven(float64(x * log2E))
	hi := x - float64(k*ln2Hi) // exact
	lo := float64(k * ln2Lo)
	r := hi - lo
	c := (hi - r) - lo // what r lost
	p := 1.0 / 6227020800
	p = float64(p*r) + 1.0/479001600
	p = float64(p*r) + 1.0/39916800
	p = float64(p*r) + 1.0/3628800
	p = float64(p*r) + 1.0/362880
	p = float64(p*r) + 1.0/40320
	p = float64(p*r) + 1.0/5040
	p = float64(p*r) + 1.0/720
	p = float64(p*r) + 1.0/120
	p = float64(p*r) + 1.0/24
	p = float64(p*r) + 1.0/6
	p = float64(p*r) + 0.5
	tail := float64(float64(r*r)*p) + c
	y := 1 + (r + tail)
	if k >= -1021 && k <= 1023 { // 2^k is a normal number, and so is the result
		return y * math.Float64frombits(uint64(int64(k)+1023)<<52)
	}
	return math.Ldexp(y, int(k))
}

// Log returns the natural logarithm of x to within 1 ulp, special values as in package math.
//
// With x = 2^k (1+f) and s = f/(2+f), ln(1+f) = f - (f²/2 - s(f²/2 + R)), where R is
// the atanh series from its second term on: the arrangement of fdlibm's e_log.c,
// which keeps f exact.
func Log(x float64) float64 {
	switch {
	case x != x || x > math.MaxFloat64:
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	m, e := math.Frexp(x) // m in [1/2, 1)
	if m < sqrt2/2 {
		m, e = m+m, e-1
	}
	f, k := m-1, float64(e)
	half := float64(0.5 * float64(f*f))
	s := f / (2 + f)
	z := float64(s * s)
	p := 2.0 / 25
	p = float64(p*z) + 2.0/23
	p = float64(p*z) + 2.0/21
	p = float64(p*z) + 2.0/19
	p = float64(p*z) + 2.0/17
	p = float64(p*z) + 2.0/15
	p = float64(p*z) + 2.0/13
	p = float64(p*z) + 2.0/11
	p = float64(p*z) + 2.0/9
	p = float64(p*z) + 2.0/7
	p = float64(p*z) + 2.0/5
	p = float64(p*z) + 2.0/3
	r := float64(p * z)
	inner := float64(s*(half+r)) + float64(k*ln2Lo)
	return float64(k*ln2Hi) - ((half - inner) - f)
}

// Log1p returns ln(1+x) to within 1.5 ulp, special values as in package math.
// The logarithm of the rounded sum is corrected by what the sum lost (Kahan).
func Log1p(x float64) float64 {
	switch {
	case x != x || x > math.MaxFloat64 || x == 0:
		return x
	case x < -1:
		return math.NaN()
	case x == -1:
		return math.Inf(-1)
	case math.Abs(x) < 0x1p-54:
		return x
	}
	u := 1 + x
	lost := 1 - (u - x)
	if x < 1 {
		lost = x - (u - 1)
	}
	return Log(u) + lost/u
}

// Trigonometric reduces below this; rotary positions stay far under it.
const trigLimit = 1 << 20

// Sin returns the sine of x to within 1 ulp for |x| ≤ 2^20 and NaN beyond.
func Sin(x float64) float64 {
	if x == 0 {
		return x // keeps the sign of zero
	}
	n, r, lo := reduce(x)
	switch n & 3 {
	case 0:
		return sinPart(r, lo)
	case 1:
		return cosPart(r, lo)
	case 2:
		return -sinPart(r, lo)
	default:
		return -cosPart(r, lo)
	}
}

// Cos returns the cosine of x to within 1 ulp for |x| ≤ 2^20 and NaN beyond.
func Cos(x float64) float64 {
	n, r, lo := reduce(x)
	switch n & 3 {
	case 0:
		return cosPart(r, lo)
	case 1:
		return -sinPart(r, lo)
	case 2:
		return -cosPart(r, lo)
	default:
		return sinPart(r, lo)
	}
}

// reduce returns n and r + lo = x - n pi/2, |r| ≤ about pi/4 (Cody and Waite, Software
// Manual for the Elementary Functions, 1980, with four parts and exact sums).
func reduce(x float64) (n int64, r, lo float64) {
	const (
		twoOverPi = 0x1.45f306dc9c883p-1
		p1        = 0x1.921fb54400000p+0  // 33 bits each, so that n*p is exact
		p2        = 0x1.0b4611a600000p-34 //
		p3        = 0x1.3198a2e000000p-69
		p4        = 0x1.b839a252049c1p-104
	)
	if !(x <= trigLimit && x >= -trigLimit) {
		return 0, math.NaN(), 0
	}
	k := math.RoundToEven(float64(x * twoOverPi))
	a := x - float64(k*p1) // exact: the two are within a factor of 2
	b, e1 := twoSum(a, -float64(k*p2))
	c, e2 := twoSum(b, -float64(k*p3))
	rest := e1 + (e2 - float64(k*p4))
	r = c + rest
	return int64(k), r, (c - r) + rest
}

// twoSum returns the rounded sum and what it lost (Knuth).
func twoSum(a, b float64) (sum, lost float64) {
	sum = a + b
	t := sum - a
	return sum, (a - (sum - t)) + (b - t)
}

func sinPart(r, lo float64) float64 {
	z := float64(r * r)
	p := 1.0 / 355687428096000
	p = float64(p*z) - 1.0/1307674368000
	p = float64(p*z) + 1.0/6227020800
	p = float64(p*z) - 1.0/39916800
	p = float64(p*z) + 1.0/362880
	p = float64(p*z) - 1.0/5040
	p = float64(p*z) + 1.0/120
	p = float64(p*z) - 1.0/6
	tail := float64(lo * (1 - float64(0.5*z)))
	return r + (float64(float64(r*z)*p) + tail)
}

func cosPart(r, lo float64) float64 {
	z := float64(r * r)
	p := 1.0 / 20922789888000
	p = float64(p*z) - 1.0/87178291200
	p = float64(p*z) + 1.0/479001600
	p = float64(p*z) - 1.0/3628800
	p = float64(p*z) + 1.0/40320
	p = float64(p*z) - 1.0/720
	p = float64(p*z) + 1.0/24
	half := float64(0.5 * z)
	w := 1 - half
	lost := (1 - w) - half
	return w + (lost + (float64(float64(z*z)*p) - float64(r*lo)))
}
