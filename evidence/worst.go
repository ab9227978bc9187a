package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"targon"
)

// Nulls are the stacks that a verifier admits for one model, each by its pack. An honest
// prover is on one of them and nobody knows which, so it is held against the worst: at
// each class of gaps the highest bound. Which stacks are admitted is the verifier's
// policy; a prover has no say.
type Nulls struct {
	packs   []Pack // sorted by digest
	digests []targon.Digest
}

// Digest names a pack: SHA-256 of its JSON as package encoding/json writes it, without
// indentation, so that spaces and newlines of a file change nothing.
func (p Pack) Digest() (targon.Digest, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return targon.Digest{}, fmt.Errorf("encode pack: %w", err)
	}
	return sha256.Sum256(b), nil
}

// NewNulls checks the packs and that they can be used together: of the same weights, for
// the same verifier, drawn by the same sampler. Each may be given once.
func NewNulls(packs ...Pack) (*Nulls, error) {
	if len(packs) == 0 || len(packs) > targon.MaxNulls {
		return nil, fmt.Errorf("%w: %d of them, want 1 to %d", ErrPack, len(packs), targon.MaxNulls)
	}
	n := &Nulls{}
	for _, p := range packs {
		if err := p.Validate(); err != nil {
			return nil, err
		}
		first := packs[0]
		if p.Weights != first.Weights || p.Verifier != first.Verifier || p.Sampler != first.Sampler {
			return nil, fmt.Errorf("%w: for weights %s, verifier %s and sampler %s, another is for %s, %s and %s", ErrPack,
				p.Weights, p.Verifier, p.Sampler, first.Weights, first.Verifier, first.Sampler)
		}
		d, err := p.Digest()
		if err != nil {
			return nil, err
		}
		i, twice := n.index(d)
		if twice {
			return nil, fmt.Errorf("%w: %s is given twice", ErrPack, d)
		}
		n.packs, n.digests = slices.Insert(n.packs, i, p), slices.Insert(n.digests, i, d)
	}
	return n, nil
}

func (n *Nulls) index(d targon.Digest) (int, bool) {
	return slices.BinarySearchFunc(n.digests, d, func(a, b targon.Digest) int { return bytes.Compare(a[:], b[:]) })
}

// Weights is the digest of the model that all packs are about.
func (n *Nulls) Weights() targon.Digest { return n.packs[0].Weights }

// Sampler names the noise that provers draw with.
func (n *Nulls) Sampler() string { return n.packs[0].Sampler }

// Verifier names the stack that must score.
func (n *Nulls) Verifier() string { return n.packs[0].Verifier }

// Of returns what an answer of so many ids is held against: the stratum of every pack.
// It is false if one of the packs holds no such request: an honest prover on that stack
// would have no null, and the answer is uncalibrated.
//
// The strata are chosen by the longest answer that the request allows, which was fixed
// before there was one: a prover that ends early shall not choose its own bounds.
func (n *Nulls) Of(r targon.Request, answered int) ([]targon.Null, bool) {
	out := make([]targon.Null, len(n.packs))
	for i, p := range n.packs {
		stratum, ok := p.null(r, answered)
		if !ok {
			return nil, false
		}
		out[i] = targon.Null{Pack: n.digests[i], Stratum: uint16(stratum)}
	}
	return out, true
}

func (p Pack) null(r targon.Request, answered int) (int, bool) {
	longest := 0
	for _, s := range p.Strata {
		if s.holds(r.Sampling, 0) {
			longest = max(longest, int(s.MaxLength))
		}
	}
	if len(r.Prompt)+answered > longest {
		return 0, false
	}
	return p.Find(r.Sampling, min(len(r.Prompt)+int(r.MaxTokens), longest))
}

// Bets works out the table of the worst of some nulls, which takes some milliseconds for
// each. It is false if they are not all of these packs.
func (n *Nulls) Bets(of []targon.Null) (*Bets, bool) {
	if len(of) == 0 {
		return nil, false
	}
	var bounds, usual [targon.GapClasses]uint32
	for _, one := range of {
		i, known := n.index(one.Pack)
		if !known || int(one.Stratum) >= len(n.packs[i].Strata) {
			return nil, false
		}
		b, u := n.packs[i].bounds(int(one.Stratum)), n.packs[i].usual(int(one.Stratum))
		for c := range bounds {
			bounds[c], usual[c] = max(bounds[c], b[c]), max(usual[c], u[c])
		}
	}
	return newBets(bounds, usual), true
}

// BetOf reads what a ledger holds of a bet; false if it is none of this version's.
func BetOf(logs []int64) (Bet, bool) {
	var b Bet
	if len(logs) != len(b) {
		return Bet{}, false
	}
	copy(b[:], logs)
	for _, v := range b {
		if v > logCap {
			return Bet{}, false
		}
	}
	return b, true
}
