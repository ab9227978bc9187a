package fixed

// e23 is e to 23 fractional bits: what exp answers for exactly 1, where the crate
// takes its I9F23 constant instead of the series.
const e23 I32F32 = 0x15BF0A8 << 9

// terms is where the series stops: the crate runs i from 2 to the number of
// fractional bits, exclusively.
const terms = 32

// ExpOrZero is e^x by the power series of substrate-fixed's exp (transcendental.rs),
// inverted for negative x, and 0 where that series leaves the range, as the
// runtime's safe_exp answers. So a large x gives 0, and so does a very negative one.
func ExpOrZero(x I32F32) I32F32 {
	if x == 0 {
		return One
	}
	if x == One {
		return e23
	}
	negative := x < 0
	if negative {
		if x == Min { // negation wraps; the first product then leaves the range
			return 0
		}
		x = -x
	}
	sum, term := x.Add(One), x
	for i := I32F32(2); i < terms && term != 0; i++ {
		p, ok := term.mul(x)
		if !ok {
			return 0
		}
		term = p / i // both are whole multiples of 2^-32, so this is the fixed quotient
		if sum > Max-term {
			return 0
		}
		sum += term
	}
	if negative {
		return One.DivOrZero(sum)
	}
	return sum
}
