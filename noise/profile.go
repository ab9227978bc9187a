package noise

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Form is how one family of engines makes noise of a seed, a position and a column.
type Form uint8

// Forms. Sources: facts gathered from the engines' code in 2026; none was run against
// a live engine here, which is what detection on seeded answers is for.
const (
	// Targon is ours: [Gumbel], in float64.
	Targon Form = iota
	// VLLM is vLLM's model runner V2 after pull request 51367: the same hash, u
	// rounded to float32, and both logarithms rounded to float32. vLLM works the inner
	// one out with a polynomial of degree 8 below 0.25, so that its noise is within
	// a few units in the last place of this one, not always the same bits.
	VLLM
	// VLLMPhilox is that runner before it (pull request 45996 on, June to August 2026):
	// Triton's Philox4x32-10 twice, tl.rand(tl.randint(seed, position), column).
	VLLMPhilox
	// VLLMPhiloxLog is the runner's first form: the same u, and -ln(-ln(u + 1e-20) + 1e-20)
	// in float64, rounded to float32.
	VLLMPhiloxLog
	// SGLang is SGLang from 0.5.9 on with --enable-deterministic-inference: the hash over
	// 2^32-1, logarithms in float64, ln u held to [-MaxFloat64, -2^-32].
	SGLang
	// SGLang053 is SGLang 0.5.3 to 0.5.7: two products and exclusive-ors, 24 bits,
	// float32, 1e-9 added under both logarithms.
	SGLang053
	forms
)

var formNames = [forms]string{"targon", "vllm", "vllm-philox", "vllm-philox-log", "sglang", "sglang-0.5.3"}

// Count is what an engine calls the position of the id it draws.
type Count uint8

// Counts.
const (
	CountBefore Count = iota // how many ids come before it, the prompt included: ours
	CountLast                // index of the id that was fed last: one less
	CountOutput              // how many output ids come before it
	counts
)

var countNames = [counts]string{"before", "last", "output"}

// Profile is one engine's noise: a form, and what it counts. The zero Profile is ours.
type Profile struct {
	Form  Form
	Count Count
}

// Usual returns the profile of a form as its engine is known to count. vLLM's runner
// passes the position of the row whose logits it samples, SGLang seq_len - 1.
func (f Form) Usual() Profile {
	if f == Targon {
		return Profile{Form: f}
	}
	return Profile{Form: f, Count: CountLast}
}

// Profiles lists every form as it usually counts, ours first.
func Profiles() []Profile {
	var out []Profile
	for f := range forms {
		out = append(out, f.Usual())
	}
	return out
}

// Candidates lists every form with every count, the usual ones first: what a detection
// tries.
func Candidates() []Profile {
	out := Profiles()
	for f := range forms {
		for c := range counts {
			if p := (Profile{f, c}); p != f.Usual() {
				out = append(out, p)
			}
		}
	}
	return out
}

// String returns the form's name, followed by what it counts where that is unusual:
// "vllm", "vllm/output".
func (p Profile) String() string {
	if p.Form >= forms || p.Count >= counts {
		return fmt.Sprintf("profile(%d,%d)", p.Form, p.Count)
	}
	if p == p.Form.Usual() {
		return formNames[p.Form]
	}
	return formNames[p.Form] + "/" + countNames[p.Count]
}

// ParseProfile reads what String writes.
func ParseProfile(s string) (Profile, error) {
	name, count, counted := strings.Cut(s, "/")
	for f := range forms {
		if formNames[f] != name {
			continue
		}
		if !counted {
			return f.Usual(), nil
		}
		for c := range counts {
			if p := (Profile{f, c}); countNames[c] == count && p != f.Usual() {
				return p, nil
			}
		}
	}
	return Profile{}, fmt.Errorf("noise profile %q is not known", s)
}

// MarshalText returns the name.
func (p Profile) MarshalText() ([]byte, error) {
	if p.Form >= forms || p.Count >= counts {
		return nil, fmt.Errorf("no such noise profile: %v", p)
	}
	return []byte(p.String()), nil
}

// UnmarshalText reads the name.
func (p *Profile) UnmarshalText(b []byte) error {
	v, err := ParseProfile(string(b))
	if err != nil {
		return err
	}
	*p = v
	return nil
}

// ByRank reports whether the column of an id is its rank by falling logit, and not the
// id itself, when the request filters ids: SGLang sorts before it draws then. Two ids
// of nearly the same logit swap their noise with their ranks, so honest answers differ
// more often there.
func (p Profile) ByRank() bool { return p.Form == SGLang || p.Form == SGLang053 }

// Keys is how many keys a form has: they are below it.
func (p Profile) Keys() uint64 {
	switch p.Form {
	case VLLMPhilox, VLLMPhiloxLog:
		return 1 << 31
	case SGLang053:
		return 1 << 24
	default:
		return 1 << 32
	}
}

// Field is the noise of all columns at one place of one answer.
type Field struct {
	form  Form
	place Place  // of the hashed forms
	word  uint64 // of the others: the inner draw, or the product of seed and position
}

// Field returns the noise at the place of the output-th id after a prompt of so many
// ids, both counted from 0.
func (p Profile) Field(seed uint64, prompt, output int) Field {
	position := uint64(prompt + output)
	switch p.Count {
	case CountLast:
		position--
	case CountOutput:
		position = uint64(output)
	case CountBefore, counts:
	}
	f := Field{form: p.Form}
	switch p.Form {
	case VLLMPhilox, VLLMPhiloxLog:
		f.word = uint64(philox(seed, position))
	case SGLang053:
		f.word = ((seed * 19349663) ^ (position * 73856093)) * 8589934591
	default:
		f.place = At(seed, uint32(position))
	}
	return f
}

// Key returns a number that noise falls with, or stays: the column of the lowest key has
// the highest noise. It costs no logarithm.
func (f Field) Key(column uint32) uint32 {
	switch f.form {
	case SGLang:
		return ^f.place.Hash(column)
	case VLLMPhilox:
		return fold(philox(f.word, uint64(column)))
	case VLLMPhiloxLog:
		return math.MaxInt32 - fold(philox(f.word, uint64(column)))
	case SGLang053:
		return 1<<24 - 1 - uint32(f.word^uint64(column)*479001599)&(1<<24-1)
	default:
		return f.place.Hash(column)
	}
}

// Under appends to out the columns below n whose key is below a limit: those of the
// highest noise.
func (f Field) Under(limit uint64, n int, out []uint32) []uint32 {
	switch f.form {
	case Targon, VLLM: // the same as below, without a call a column
		for c := range uint32(n) {
			if uint64(f.place.Hash(c)) < limit {
				out = append(out, c)
			}
		}
	case SGLang:
		for c := range uint32(n) {
			if uint64(^f.place.Hash(c)) < limit {
				out = append(out, c)
			}
		}
	default:
		for c := range uint32(n) {
			if uint64(f.Key(c)) < limit {
				out = append(out, c)
			}
		}
	}
	return out
}

// Bounds are the highest noise of a form for each length of keys: a key of b bits has no
// more than Bounds[b].
type Bounds [33]float64

// Bounds returns those of a profile.
func (p Profile) Bounds() (b Bounds) {
	f := Field{form: p.Form}
	for i := range b {
		key := uint64(1) << i >> 1
		if key >= p.Keys() { // no key is so long
			b[i] = math.Inf(-1)
			continue
		}
		b[i] = f.OfKey(uint32(key)) + slack(f.OfKey(uint32(key)))
	}
	return b
}

// slack covers that noise may rise with the key by the rounding of a logarithm.
func slack(x float64) float64 { return float64(1e-12 * (1 + math.Abs(x))) }

// Of returns a bound of the noise of a key.
func (b *Bounds) Of(key uint32) float64 { return b[bits.Len32(key)] }

// Limit returns a key from which on noise is below x.
func (b *Bounds) Limit(x float64) uint64 {
	for i, most := range b {
		if most < x {
			return 1 << i >> 1
		}
	}
	return 1 << 32
}

// Noise returns the noise of a column.
func (f Field) Noise(column uint32) float64 { return f.OfKey(f.Key(column)) }

// OfKey returns the noise of all columns of a key.
func (f Field) OfKey(key uint32) float64 {
	switch f.form {
	case VLLM:
		return outer32(single(-Log1p(-single((float64(key) + 0.5) * 0x1p-32))))
	case VLLMPhilox:
		return outer32(single(-Log1p(-max(uniform(key), randMin))))
	case VLLMPhiloxLog:
		u := uniform(math.MaxInt32 - key)
		return single(-Log(-Log(u+1e-20) + 1e-20))
	case SGLang:
		lnU := Log(float64(^key) / math.MaxUint32)
		return -Log(-min(max(lnU, -math.MaxFloat64), -0x1p-32))
	case SGLang053:
		u := float64(float64(1<<24-1-key) * 0x1p-24)
		inner := single(-Log(single(u + epsilon)))
		return outer32(single(inner + epsilon))
	default:
		return FromHash(key)
	}
}

const (
	// randMin is the lowest value but 0 of Triton's tl.rand: its scale, as a float32
	// (vLLM, v1/worker/gpu/sample/gumbel.py).
	randMin = float64(float32(4.6566127342e-10))
	// epsilon is SGLang 0.5.3's, as a float32.
	epsilon = float64(float32(1e-9))
)

// single rounds to float32.
func single(x float64) float64 { return float64(float32(x)) }

// outer32 is the outer logarithm, rounded to float32.
func outer32(x float64) float64 { return single(-Log(x)) }

// uniform is what Triton's tl.rand makes of a folded draw: a float32 below 1.
func uniform(x uint32) float64 { return single(single(float64(x)) * randMin) }

// fold maps a draw to 31 bits as Triton's tl.rand does: as a signed number, x below 0
// becomes -x-1.
func fold(x uint32) uint32 {
	if int32(x) < 0 {
		return ^x
	}
	return x
}

// philox is Triton's tl.randint: the first word of Philox4x32-10 with the seed as key and
// the offset as counter, low words first.
func philox(seed, offset uint64) uint32 {
	return philox4x32([2]uint32{uint32(seed), uint32(seed >> 32)}, [4]uint32{uint32(offset), uint32(offset >> 32)})[0]
}

// philox4x32 is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: As
// Easy as 1, 2, 3, 2011).
func philox4x32(key [2]uint32, c [4]uint32) [4]uint32 {
	for range 10 {
		a, b := uint64(c[0])*0xD2511F53, uint64(c[2])*0xCD9E8D57
		c = [4]uint32{uint32(b>>32) ^ c[1] ^ key[0], uint32(b), uint32(a>>32) ^ c[3] ^ key[1], uint32(a)}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return c
}
