package fixed_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"targon/yuma/fixed"
)

func Example() {
	third := fixed.One.DivOrZero(3 * fixed.One)
	fmt.Println(third.Scale65535(), third.Of(1_000_000_000))
	fmt.Println(fixed.One.DivOrZero(0), fixed.Max.Add(fixed.One) == fixed.Max)
	// Output:
	// 21844 333333333
	// 0 true
}

var (
	edges32 = []int64{
		math.MinInt64, math.MinInt64 + 1, -1 << 33, -1 << 32, -1<<32 + 1, -1 << 31, -1, 0, 1,
		1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 33, 65535 << 32, 1 << 62, math.MaxInt64 - 1, math.MaxInt64,
	}
	words = []uint64{0, 1, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64 - 1, math.MaxUint64}
)

func number32() *rapid.Generator[fixed.I32F32] {
	return rapid.Map(rapid.OneOf(rapid.SampledFrom(edges32), rapid.Int64(), rapid.Int64Range(-1<<34, 1<<34)),
		func(n int64) fixed.I32F32 { return fixed.I32F32(n) })
}

func number64() *rapid.Generator[fixed.I64F64] {
	word := rapid.OneOf(rapid.SampledFrom(words), rapid.Uint64(), rapid.Uint64Range(0, 1<<40))
	return rapid.Custom(func(t *rapid.T) fixed.I64F64 {
		return fixed.I64F64{Hi: int64(word.Draw(t, "hi")), Lo: word.Draw(t, "lo")}
	})
}

func int32F(x fixed.I32F32) *big.Int { return big.NewInt(int64(x)) }

func int64F(x fixed.I64F64) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
	return n.Add(n, new(big.Int).SetUint64(x.Lo))
}

// within limits n to what a signed number of so many bits holds; fits says whether
// it had to.
func within(n *big.Int, bits uint) (limited *big.Int, fits bool) {
	top := new(big.Int).Lsh(big.NewInt(1), bits-1)
	switch low := new(big.Int).Neg(top); {
	case n.Cmp(low) < 0:
		return low, false
	case n.Cmp(top) >= 0:
		return top.Sub(top, big.NewInt(1)), false
	}
	return n, true
}

func floorShift(n *big.Int, by uint) *big.Int { return new(big.Int).Rsh(n, by) } // Rsh floors

func check(t *rapid.T, what string, got, want *big.Int) {
	t.Helper()
	if got.Cmp(want) != 0 {
		t.Fatalf("%s is %d, want %d", what, got, want)
	}
}

// TestI32F32 holds every operation to exact integers.
func TestI32F32(t *testing.T) {
	zero := new(big.Int)
	rapid.Check(t, func(t *rapid.T) {
		x, y := number32().Draw(t, "x"), number32().Draw(t, "y")
		a, b := int32F(x), int32F(y)
		want, _ := within(new(big.Int).Add(a, b), 64)
		check(t, "sum", int32F(x.Add(y)), want)
		want, _ = within(new(big.Int).Sub(a, b), 64)
		check(t, "difference", int32F(x.Sub(y)), want)

		want, fits := within(floorShift(new(big.Int).Mul(a, b), 32), 64)
		check(t, "product", int32F(x.Mul(y)), want)
		if !fits {
			want = zero
		}
		check(t, "product or zero", int32F(x.MulOrZero(y)), want)

		if y == 0 {
			check(t, "quotient by zero", int32F(x.DivOrZero(y)), zero)
			return
		}
		want, fits = within(new(big.Int).Quo(new(big.Int).Lsh(a, 32), b), 64)
		check(t, "limited quotient", int32F(x.DivSat(y)), want)
		if !fits {
			want = zero
		}
		check(t, "quotient", int32F(x.DivOrZero(y)), want)
	})
}

func TestI32F32ToIntegers(t *testing.T) {
	top := big.NewInt(math.MaxUint16)
	u16 := func(n *big.Int) *big.Int {
		if n.Sign() < 0 {
			return new(big.Int)
		}
		if n.Cmp(top) > 0 {
			return top
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		x, amount := number32().Draw(t, "x"), rapid.OneOf(rapid.SampledFrom(words), rapid.Uint64()).Draw(t, "amount")
		n := int32F(x)
		check(t, "integer", big.NewInt(int64(x.Uint16())), u16(floorShift(n, 32)))
		check(t, "rounded", big.NewInt(int64(x.RoundUint16())), u16(floorShift(new(big.Int).Add(n, big.NewInt(1<<31)), 32)))
		check(t, "proportion", big.NewInt(int64(x.Scale65535())), u16(floorShift(new(big.Int).Mul(n, top), 32)))

		want := floorShift(new(big.Int).Mul(n, new(big.Int).SetUint64(amount)), 32)
		switch most := new(big.Int).SetUint64(math.MaxUint64); {
		case want.Sign() < 0:
			want = new(big.Int)
		case want.Cmp(most) > 0:
			want = most
		}
		check(t, "part", new(big.Int).SetUint64(x.Of(amount)), want)
	})
}

func TestI64F64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := number64().Draw(t, "x"), number64().Draw(t, "y")
		a, b := int64F(x), int64F(y)
		want, fits := within(new(big.Int).Add(a, b), 128)
		check(t, "sum", int64F(x.Add(y)), want)
		if fits {
			check(t, "wrapping sum", int64F(x.Plus(y)), want)
		} else if p := x.Plus(y); (p.Hi < 0) == (x.Hi < 0) {
			t.Fatalf("%v + %v does not wrap: %v", x, y, p)
		}
		want, _ = within(floorShift(new(big.Int).Mul(a, b), 64), 128)
		check(t, "product", int64F(x.Mul(y)), want)

		want = new(big.Int)
		if b.Sign() != 0 {
			q, fits := within(new(big.Int).Quo(new(big.Int).Lsh(a, 64), b), 128)
			if fits {
				want = q
			}
		}
		check(t, "quotient", int64F(x.DivOrZero(y)), want)

		want, _ = within(floorShift(a, 32), 64)
		check(t, "narrowed", int32F(x.I32F32()), want)
		if got := x.Uint64(); got != uint64(max(x.Hi, 0)) {
			t.Fatalf("integer of %v is %d", x, got)
		}
		if x.IsZero() != (a.Sign() == 0) {
			t.Fatalf("%v: zero is %v", x, x.IsZero())
		}
	})
}

func TestU96F32(t *testing.T) {
	word := rapid.OneOf(rapid.SampledFrom(words), rapid.Uint64(), rapid.Uint64Range(0, 1<<40))
	number := rapid.Custom(func(t *rapid.T) fixed.U96F32 {
		return fixed.U96F32{Hi: word.Draw(t, "hi"), Lo: word.Draw(t, "lo")}
	})
	exact := func(x fixed.U96F32) *big.Int {
		n := new(big.Int).Lsh(new(big.Int).SetUint64(x.Hi), 64)
		return n.Add(n, new(big.Int).SetUint64(x.Lo))
	}
	limited := func(n *big.Int, bits uint) *big.Int {
		top := new(big.Int).Lsh(big.NewInt(1), bits)
		switch top.Sub(top, big.NewInt(1)); {
		case n.Sign() < 0:
			return new(big.Int)
		case n.Cmp(top) > 0:
			return top
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		x, y := number.Draw(t, "x"), number.Draw(t, "y")
		a, b := exact(x), exact(y)
		check(t, "sum", exact(x.Add(y)), limited(new(big.Int).Add(a, b), 128))
		check(t, "difference", exact(x.Sub(y)), limited(new(big.Int).Sub(a, b), 128))
		check(t, "product", exact(x.Mul(y)), limited(floorShift(new(big.Int).Mul(a, b), 32), 128))
		want := new(big.Int)
		if b.Sign() != 0 {
			if q := new(big.Int).Quo(new(big.Int).Lsh(a, 32), b); q.BitLen() <= 128 {
				want = q
			}
		}
		check(t, "quotient", exact(x.DivOrZero(y)), want)
		check(t, "integer", new(big.Int).SetUint64(x.Uint64()), limited(floorShift(a, 32), 64))
		check(t, "amount", exact(fixed.Amount(x.Lo)), new(big.Int).Lsh(new(big.Int).SetUint64(x.Lo), 32))
	})
}

func TestConversions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.SampledFrom(words), rapid.Uint64()).Draw(t, "n")
		whole := new(big.Int).SetUint64(n)
		want, _ := within(new(big.Int).Lsh(whole, 64), 128)
		check(t, "integer", int64F(fixed.FromUint64(n)), want)

		q := new(big.Int).Lsh(whole, 32)
		q.Quo(q, new(big.Int).SetUint64(math.MaxUint64))
		check(t, "64-bit proportion", int64F(fixed.Proportion64(n)), q.Lsh(q, 32))

		s := uint16(n)
		p := new(big.Int).Lsh(big.NewInt(int64(s)), 32)
		check(t, "16-bit integer", int32F(fixed.FromUint16(s)), p)
		check(t, "16-bit proportion", int32F(fixed.Proportion(s)), new(big.Int).Quo(p, big.NewInt(65535)))
		check(t, "signed integer", int32F(fixed.FromInt16(int16(n))), new(big.Int).Lsh(big.NewInt(int64(int16(n))), 32))
	})
}

// TestExpSteps is the series done with exact integers, one crate operation a line.
func TestExpSteps(t *testing.T) {
	series := func(x fixed.I32F32) *big.Int {
		n := new(big.Int).Abs(int32F(x))
		sum := new(big.Int).Add(n, big.NewInt(1<<32))
		term := new(big.Int).Set(n)
		ok := true
		fit := func(v *big.Int) *big.Int {
			if _, fits := within(v, 64); !fits {
				ok = false
			}
			return v
		}
		for i := int64(2); i < 32 && ok; i++ {
			term = fit(floorShift(new(big.Int).Mul(term, n), 32))
			term = fit(term.Quo(new(big.Int).Lsh(term, 32), big.NewInt(i<<32)))
			sum = fit(sum.Add(sum, term))
		}
		if !ok {
			return new(big.Int)
		}
		if x < 0 {
			sum.Quo(new(big.Int).Lsh(big.NewInt(1), 64), sum)
		}
		return sum
	}
	near := rapid.Map(rapid.Int64Range(-25<<32, 25<<32), func(n int64) fixed.I32F32 { return fixed.I32F32(n) })
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.OneOf(near, number32()).Draw(t, "x")
		if x == 0 || x == fixed.One {
			return
		}
		check(t, "exp", int32F(fixed.ExpOrZero(x)), series(x))
	})
}

func TestExpPoints(t *testing.T) {
	for _, c := range []struct{ x, want fixed.I32F32 }{
		{0, fixed.One},
		{fixed.One, 0x2b7e15000}, // e to 23 fractional bits, not the series' 0x2b7e15162 or so
		{-fixed.One, 0x5e2d58d9}, // 1/e by the series, one unit above the nearest
		{fixed.Max, 0},
		{fixed.Min, 0},
		{-100 * fixed.One, 0},
		{100 * fixed.One, 0},
	} {
		if got := fixed.ExpOrZero(c.x); got != c.want {
			t.Errorf("exp(%d) is %#x, want %#x", c.x, int64(got), int64(c.want))
		}
	}
	for x := -10 * fixed.One; x < 10*fixed.One; x += fixed.One / 7 {
		got, want := float64(fixed.ExpOrZero(x))/(1<<32), math.Exp(float64(x)/(1<<32))
		if math.Abs(got-want) > 1e-6*want+1e-8 {
			t.Errorf("exp(%v) is %v, want about %v", float64(x)/(1<<32), got, want)
		}
	}
}

func BenchmarkExp(b *testing.B) {
	for b.Loop() {
		fixed.ExpOrZero(-4 * fixed.One)
	}
}
