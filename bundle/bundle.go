// Package bundle holds all that it takes to check one audited answer again, by anyone,
// offline: what was asked and answered, the receipt, the ledger's entries about it, the
// draw, the path to the epoch's Merkle root, and what the reference said.
//
// [Decode] and [Bundle.MarshalJSON] are the file, [Check] repeats every step from the
// receipt's signature to the verdict, [Explain] says the verdict in words and [Plot]
// draws it. The package runs no model: who has one scores the answer again and hands the
// scores to Check. It does not reach the chain and the ledger either: who can look there
// hands over what they say ([Find], [Chain]).
//
// Invariant: a line of a report is ok only if it was computed from the bundle's own
// bytes. The verifier's signature covers each part, so a part that was changed since
// is named.
package bundle

import (
	"errors"
	"fmt"

	"targon"
	"targon/merkle"
	"targon/noise"
)

// ErrBundle is the root of every reason why a file is no bundle.
var ErrBundle = errors.New("not a bundle")

const (
	// Format is the version that this package reads and writes.
	Format = "targon/bundle/v1"
	// MaxBytes limits a file. 512 positions of 2 × 1,000 candidates fit twice.
	MaxBytes = 32 << 20
	// A file of little more than its limit could ask for days of work: so many ids has no
	// model, and so many values, positions times ids, are looked at in some seconds (own).
	maxVocab = 1 << 20
	mostWork = 1 << 31
	// DrawDistance lies between the height of an arrival and that of the block that
	// decides whether it is audited.
	DrawDistance = 2
)

// A Bundle is one audited answer with all that decided about it.
type Bundle struct {
	Transcript targon.Transcript
	Opened     targon.EpochOpened
	Arrived    targon.Arrived
	Judged     targon.Judged
	Closed     targon.EpochClosed
	// Rate is set where the ledger gave this prover a rate of its own.
	Rate *targon.RateSet
	// Block is the hash of the block at Arrived.Block + DrawDistance.
	Block targon.Digest
	// Index and Path lead from Arrived to Closed.Root.
	Index uint32
	Path  []targon.Digest
	// Scores are what the verdict was made of; nil if it needed none. Again is the
	// second computation that confirmed a mismatch.
	Scores, Again *targon.Scores
	// Replay is how a check by margins replayed the draws; the zero value for one by
	// equality.
	Replay Replay
	// Seal is the verifier's signature over all of these.
	Seal Seal
}

// Replay says with which noise draws were replayed, and how sharp a filter's edge is.
type Replay struct {
	Noise noise.Profile `json:"noise"`
	Band  float64       `json:"band"`
}

// Seal is a signature over the digests of a bundle's parts, in the order of parts.
type Seal struct {
	Parts     []Part           `json:"parts"`
	Signature targon.Signature `json:"signature"`
}

// Part is the digest of one part.
type Part struct {
	Name   string        `json:"name"`
	SHA256 targon.Digest `json:"sha256"`
}

// Signer signs with the verifier's hotkey.
type Signer interface {
	Sign(message []byte) (targon.Signature, error)
}

// Leaf is the hashed leaf of the epoch's Merkle tree that a bundle's arrival is.
func (b Bundle) Leaf() (targon.Digest, error) {
	raw, err := b.Arrived.MarshalBinary()
	if err != nil {
		return targon.Digest{}, fmt.Errorf("encode arrival: %w", err)
	}
	return merkle.Leaf(raw), nil
}

// Memory is about how many bytes a bundle takes where it is kept.
func (b Bundle) Memory() int64 {
	n := int64(2048 + 4*len(b.Transcript.Request.Prompt) + 4*len(b.Transcript.Tokens))
	for i, s := range []*targon.Scores{b.Scores, b.Again} {
		if s == nil || i > 0 && s == b.Scores { // scored once, kept once
			continue
		}
		for _, p := range s.Positions {
			n += 128 + 8*int64(len(p.Top)+len(p.Also))
		}
	}
	return n
}

// Sign seals a bundle. The signer must be the verifier that the request names.
func (b *Bundle) Sign(by Signer) error {
	parts, err := b.parts()
	if err != nil {
		return err
	}
	s := Seal{Parts: parts}
	if s.Signature, err = by.Sign(s.message()); err != nil {
		return fmt.Errorf("sign bundle: %w", err)
	}
	b.Seal = s
	return nil
}
