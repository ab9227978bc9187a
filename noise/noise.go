// Package noise makes the seeded sampler noise that the engine draws tokens with
// and the proof replays, and the elementary functions that both need.
//
// It does not sample: it draws nothing from a generator and keeps no state, so
// noise at any position can be had without the noise before it. It does not
// reproduce another engine's bits: a [Profile] is another engine's noise to within the
// rounding of its logarithms, which margins absorb and equality does not.
//
// Invariant: every function is made of single IEEE 754 float64 operations in one
// fixed order, so that its result has the same bits on every machine. Go may fuse
// x*y + z into one rounding on arm64, ppc64, riscv64 and s390x; an explicit
// conversion of the product forbids it (Go specification, "Floating-point
// operators"), hence the float64(x*y) throughout.
package noise

import "math/bits"

// Gumbel returns standard Gumbel noise for one candidate id (column) at one
// position, which is the number of ids before it, the prompt included.
//
// It is the Murmur3 form of vLLM after pull request 51367: the 32-bit Murmur3 hash
// of the words seed low, seed high, position, column becomes u = (h + 0.5) / 2^32
// and the noise -ln(-ln(1 - u)). vLLM evaluates it in float32 with a polynomial;
// this is the float64 evaluation, so the two agree to about 1e-6, not bit for bit.
func Gumbel(seed uint64, position, column uint32) float64 {
	return At(seed, position).Gumbel(column)
}

// Perturb returns what the sampler compares: the id with the largest value wins,
// the lower id on equality. At temperature 0 there is no noise and no Perturb: the
// logits themselves are compared.
func Perturb(logit float32, temperature, gumbel float64) float64 {
	return float64(logit) + float64(temperature*gumbel)
}

// Place is one position under one seed: the part of the hash that all candidates
// share.
type Place struct{ state uint32 }

// At returns the place of a position under a seed.
func At(seed uint64, position uint32) Place {
	h := mix(0, uint32(seed))
	h = mix(h, uint32(seed>>32))
	return Place{state: mix(h, position)}
}

// State returns the hash's state before a column, for code that hashes many columns at a
// time.
func (p Place) State() uint32 { return p.state }

// Hash returns the Murmur3 hash of the place and a column.
func (p Place) Hash(column uint32) uint32 {
	h := mix(p.state, column)
	h ^= 16 // length in bytes
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	return h ^ h>>16
}

// Gumbel returns the noise of a column at the place.
func (p Place) Gumbel(column uint32) float64 { return FromHash(p.Hash(column)) }

// FromHash turns a hash into noise, from 22.87 at 0 falling to -3.13 at the top.
// u needs 33 bits, so it is exact.
func FromHash(h uint32) float64 {
	u := (float64(h) + 0.5) * 0x1p-32
	return -Log(-Log1p(-u))
}

// mix folds one word into a Murmur3-x86-32 state (Appleby, MurmurHash3, public domain).
func mix(h, k uint32) uint32 {
	k *= 0xCC9E2D51
	k = bits.RotateLeft32(k, 15)
	k *= 0x1B873593
	h ^= k
	h = bits.RotateLeft32(h, 13)
	return h*5 + 0xE6546B64
}
