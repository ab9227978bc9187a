package noise_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/big"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"targon/noise"
)

var update = flag.Bool("update", false, "rewrite testdata")

func Example() {
	// Two candidates at position 7 under seed 42: the noise decides.
	a := noise.Perturb(1.50, 1, noise.Gumbel(42, 7, 0))
	b := noise.Perturb(1.25, 1, noise.Gumbel(42, 7, 1))
	fmt.Printf("%.6f %.6f\n", a, b)
	// Output: 2.175300 1.548965
}

// TestGumbelPublished holds the hash and the noise to vectors worked out from the
// description of vLLM's sampler, with an independent program.
func TestGumbelPublished(t *testing.T) {
	for _, c := range []struct {
		seed     uint64
		pos, col uint32
		hash     uint32
		want     float64
	}{
		{42, 0, 0, 0x6f610fe4, 0.560258},
		{42, 0, 1, 0x6ac7e06f, 0.616629},
		{42, 1, 0, 0xadb93a5d, -0.126714},
		{42, 7, 128000, 0xba569a1e, -0.263538},
		{1<<40 + 3, 100, 5, 0xe73a3689, -0.848200},
	} {
		if got := noise.At(c.seed, c.pos).Hash(c.col); got != c.hash {
			t.Errorf("hash(%d, %d, %d) = %#x, want %#x", c.seed, c.pos, c.col, got, c.hash)
		}
		if got := noise.Gumbel(c.seed, c.pos, c.col); math.Abs(got-c.want) > 6e-7 {
			t.Errorf("Gumbel(%d, %d, %d) = %.7f, want %.6f", c.seed, c.pos, c.col, got, c.want)
		}
	}
}

func TestGumbelEnds(t *testing.T) {
	if got := noise.FromHash(0); math.Abs(got-22.87385) > 1e-4 {
		t.Errorf("largest noise %v", got)
	}
	if got := noise.FromHash(math.MaxUint32); math.Abs(got+3.12999) > 1e-4 {
		t.Errorf("smallest noise %v", got)
	}
	var sum, squares float64
	const n = 1 << 17
	for i := range uint32(n) {
		g := noise.Gumbel(7, i>>8, i&255)
		sum += g
		squares += g * g
	}
	mean := sum / n
	variance := squares/n - mean*mean
	if math.Abs(mean-0.57722) > 0.02 || math.Abs(variance-math.Pi*math.Pi/6) > 0.04 {
		t.Errorf("mean %v variance %v are not those of a Gumbel variable", mean, variance)
	}
}

func TestGumbelFallsWithHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint32().Draw(t, "a"), rapid.Uint32().Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		if noise.FromHash(a) < noise.FromHash(b)-1e-14 {
			t.Fatalf("noise rises from hash %d to %d", a, b)
		}
	})
}

// A vector is one published value: numbers are the hexadecimal bits of float64s.
type vector struct {
	Func string `json:"func"`
	X    string `json:"x"`
	Y    string `json:"y"`
}

type gumbelVector struct {
	Seed     uint64 `json:"seed"`
	Position uint32 `json:"position"`
	Column   uint32 `json:"column"`
	Hash     uint32 `json:"hash"`
	Noise    string `json:"noise"`
}

func TestVectors(t *testing.T) {
	var math []vector
	for _, f := range functions {
		for _, x := range f.points {
			math = append(math, vector{f.name, hex(x), hex(f.ours(x))})
		}
	}
	golden(t, "testdata/math.json", math)
	var gumbel []gumbelVector
	for i := range uint64(64) {
		seed, pos, col := i*i*0x9E3779B97F4A7C15, uint32(i*37), uint32(i*i*31)
		gumbel = append(gumbel, gumbelVector{seed, pos, col, noise.At(seed, pos).Hash(col), hex(noise.Gumbel(seed, pos, col))})
	}
	golden(t, "testdata/gumbel.json", gumbel)
}

func golden[T comparable](t *testing.T, path string, got []T) {
	t.Helper()
	if *update {
		b, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []T
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) != len(got) {
		t.Fatalf("%s has %d vectors, want %d", path, len(want), len(got))
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("%s[%d] = %+v, want %+v", path, i, got[i], want[i])
		}
	}
}

func hex(x float64) string { return strconv.FormatUint(math.Float64bits(x), 16) }

var functions = []struct {
	name      string
	ours, std func(float64) float64
	lo, hi    float64 // of random arguments
	points    []float64
}{
	{"exp", noise.Exp, math.Exp, -745, 709, []float64{0, 1, -1, 0.5, 1e-300, -708.5, -740, -745.2, 709.7, 710, 88.7, math.Inf(1), math.Inf(-1)}},
	{"log", noise.Log, math.Log, 0x1p-1022, 1e3, []float64{1, 2, 0.5, 10, 5e-324, math.MaxFloat64, 0.9999999, 1.0000001, 0, math.Inf(1)}},
	{"log1p", noise.Log1p, math.Log1p, -1, 10, []float64{0, 1e-20, -1e-20, 1e-10, -0.5, -0.999999, 1, 1e300, -1, math.Inf(1)}},
	{"sin", noise.Sin, math.Sin, -131072, 131072, []float64{0, 1, -1, 3.141592653589793, 1.5707963267948966, 1e5, 131071, 22, 355, 1 << 20}},
	{"cos", noise.Cos, math.Cos, -131072, 131072, []float64{0, 1, -1, 3.141592653589793, 1.5707963267948966, 1e5, 131071, 22, 355, 1 << 20}},
}

// TestAgainstMath compares with the standard library, which is itself within 1 ulp.
func TestAgainstMath(t *testing.T) {
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) {
			for _, x := range f.points {
				if x != 709.7 && x != 5e-324 { // where package math is wrong on amd64: TestEdges
					near(t, f.name, x, f.ours(x), f.std(x))
				}
			}
			rapid.Check(t, func(t *rapid.T) {
				for range 50 {
					x := rapid.Float64Range(f.lo, f.hi).Draw(t, "x")
					near(t, f.name, x, f.ours(x), f.std(x))
				}
			})
			for i := range 200000 {
				x := f.lo + (f.hi-f.lo)*float64(i)/200000
				near(t, f.name, x, f.ours(x), f.std(x))
			}
		})
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func near(t fataler, name string, x, got, want float64) {
	t.Helper()
	if got == want || got != got && want != want {
		return
	}
	ulp := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want)
	if d := math.Abs(got - want); !(d <= 2*ulp) && !(d < 1e-19) { // sines of multiples of pi: math's own error
		t.Fatalf("%s(%v) = %v, want %v (%v ulp)", name, x, got, want, d/ulp)
	}
}

// TestEdges holds values worked out to 50 digits, where package math's assembler differs.
func TestEdges(t *testing.T) {
	near(t, "exp", 709.7, noise.Exp(709.7), 1.6549840276802644e+308)
	near(t, "exp", -745, noise.Exp(-745), 5e-324)
	near(t, "log", 5e-324, noise.Log(5e-324), -744.4400719213812)
	near(t, "log", 1e-310, noise.Log(1e-310), -713.8013788281542)
	near(t, "sin", 355, noise.Sin(355), -3.014435335948845e-05)
}

func TestSpecialValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name string
		got  float64
		want float64
	}{
		{"exp nan", noise.Exp(nan), nan},
		{"exp inf", noise.Exp(inf), inf},
		{"exp -inf", noise.Exp(-inf), 0},
		{"log nan", noise.Log(nan), nan},
		{"log -1", noise.Log(-1), nan},
		{"log -inf", noise.Log(-inf), nan},
		{"log -0", noise.Log(math.Copysign(0, -1)), -inf},
		{"log1p -2", noise.Log1p(-2), nan},
		{"log1p nan", noise.Log1p(nan), nan},
		{"sin inf", noise.Sin(inf), nan},
		{"cos -inf", noise.Cos(-inf), nan},
		{"sin nan", noise.Sin(nan), nan},
		{"cos far", noise.Cos(1 << 21), nan},
	} {
		if c.got != c.want && !(c.got != c.got && c.want != c.want) {
			t.Errorf("%s = %v, want %v", c.name, c.got, c.want)
		}
	}
	if !math.Signbit(noise.Sin(math.Copysign(0, -1))) || !math.Signbit(noise.Log1p(math.Copysign(0, -1))) {
		t.Error("the sign of zero is lost")
	}
}

// TestPerturbRounds pins the order of rounding: the product first, then the sum.
func TestPerturbRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.Float32Range(-50, 50).Draw(t, "logit")
		temp := rapid.Float64Range(0.01, 2).Draw(t, "temperature")
		g := rapid.Float64Range(-4, 23).Draw(t, "gumbel")
		prod := new(big.Float).SetPrec(53).Mul(big.NewFloat(temp), big.NewFloat(g))
		sum := new(big.Float).SetPrec(53).Add(big.NewFloat(float64(l)), prod)
		if want, _ := sum.Float64(); noise.Perturb(l, temp, g) != want {
			t.Fatalf("Perturb(%v, %v, %v) = %v, want %v", l, temp, g, noise.Perturb(l, temp, g), want)
		}
	})
}

func BenchmarkGumbel(b *testing.B) {
	for b.Loop() {
		noise.Gumbel(42, 7, 3)
	}
}

func BenchmarkExp(b *testing.B) {
	for b.Loop() {
		noise.Exp(-3.7)
	}
}
