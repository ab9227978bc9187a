// Package challenge decides who is asked next, how a request is addressed, and
// which receipts are audited.
//
// It does not choose prompts and it does not ask: a caller brings a draft and a
// nonce, and sends what comes back. That a challenge is open-ended, at temperature 1
// and of at least 64 ids is the caller's doing too; without such room a seed would
// bind nothing. Challenges and a user's requests take the same path, so that a
// prover cannot tell them apart.
//
// Invariant: every answer is a function of its arguments. Whoever is shown the
// secret of an epoch can repeat its draws; whoever is not can predict none.
package challenge

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"

	"targon"
)

// million is the whole that audit rates are parts of.
const million = 1_000_000

// Labels keep the uses of one secret apart.
const (
	labelEpoch = "targon/challenge/epoch/v1"
	labelDraw  = "targon/challenge/draw/v1"
	labelID    = "targon/challenge/id/v1"
	labelSalt  = "targon/challenge/salt/v1"
	labelSeed  = "targon/challenge/seed/v1"
	labelTurn  = "targon/challenge/turn/v1"
)

// prf is HMAC-SHA256 (RFC 2104) keyed by secret over the label and the fields, each
// prefixed by its length as u32 little-endian, so that no two lists of fields give
// the same bytes.
func prf(secret targon.Secret, label string, fields ...[]byte) targon.Digest {
	mac := hmac.New(sha256.New, secret[:])
	put := func(b []byte) {
		var n [4]byte
		binary.LittleEndian.PutUint32(n[:], uint32(len(b)))
		mac.Write(n[:])
		mac.Write(b)
	}
	put([]byte(label))
	for _, f := range fields {
		put(f)
	}
	var out targon.Digest
	mac.Sum(out[:0])
	return out
}

func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// EpochSecret derives the secret of one epoch. Showing it tells nothing about the
// root or about another epoch.
func EpochSecret(root targon.Secret, e targon.Epoch) targon.Secret {
	return targon.Secret(prf(root, labelEpoch, u64(uint64(e))))
}

// Commitment is what the ledger shows before the epoch: plain SHA-256 of the 32
// bytes, so that anyone can compare it with the secret that is shown afterwards.
func Commitment(s targon.Secret) targon.Digest { return sha256.Sum256(s[:]) }

// Drawn reports whether a receipt is audited. secret is that of the epoch in which
// the receipt arrived; block is the hash of the first finalised block at or above
// the arrival height plus 2, which did not exist when the prover signed.
//
// auditPPM is the rate in parts per million: 0 draws nothing, 1,000,000 or more
// draws everything.
func Drawn(secret targon.Secret, receipt, block targon.Digest, auditPPM uint32) bool {
	p := prf(secret, labelDraw, receipt[:], block[:])
	return below(binary.BigEndian.Uint64(p[:8]), auditPPM)
}

// below reports whether u / 2^64 < ppm / 10^6, exactly: since ppm is whole, that is
// floor(u × 10^6 / 2^64) < ppm, and the floor is the high word of the product. Of the
// 2^64 values of u, ceil(ppm × 2^64 / 10^6) are below.
func below(u uint64, ppm uint32) bool {
	hi, _ := bits.Mul64(u, million)
	return hi < uint64(ppm)
}

// Nonce makes each request of a verifier unlike every other. It is used once: the
// same nonce for the same prover gives the same id, salt and seed.
type Nonce struct {
	Input targon.Digest // the private input of the block, unknown to provers
	Block targon.Digest // hash of a block that is finalised when the request is made
	Index uint64        // numbers the requests made from one input and block
}

// Address turns a draft into a request to one prover. Id, salt and seed are PRFs of
// root, for challenges and users' requests alike, so none can be guessed, and their
// shape tells nothing.
//
// The seed has 63 bits: other engines take it as a signed 64-bit number. All
// else about sampling, length and prompt are the draft's.
func Address(root targon.Secret, d targon.Draft, weights targon.Digest, from, to targon.Hotkey, n Nonce) targon.Request {
	fields := [][]byte{n.Input[:], n.Block[:], to[:], u64(n.Index)}
	var id targon.RequestID
	whole := prf(root, labelID, fields...)
	copy(id[:], whole[:])
	seed := prf(root, labelSeed, fields...)
	return targon.Request{
		ID: id, Verifier: from, Prover: to,
		Model: d.Model, Weights: weights, Salt: targon.Salt(prf(root, labelSalt, id[:])),
		Prompt: slices.Clone(d.Prompt),
		Sampling: targon.Sampling{
			Temperature: d.Temperature, Seed: binary.BigEndian.Uint64(seed[:8]) >> 1,
			TopK: d.TopK, TopP: d.TopP, MinP: d.MinP,
		},
		MaxTokens: d.MaxTokens,
	}
}

// Count says how often a prover has been asked.
type Count struct {
	Prover targon.Hotkey
	Asked  uint64
}

// Due returns the prover to ask next: of those asked least, the one whose PRF is
// lowest. If the caller then raises its count, no two provers are ever more than one
// request apart, and who comes when within a round is unknown without the secret.
// The order of counts does not matter. ok is false when there is nobody.
//
// A newcomer should start at the lowest count of the others; from 0 it would be asked
// alone until it has caught up.
func Due(secret targon.Secret, counts []Count) (next targon.Hotkey, ok bool) {
	var least uint64
	var lowest targon.Digest
	for _, c := range counts {
		p := prf(secret, labelTurn, c.Prover[:], u64(c.Asked))
		if !ok || c.Asked < least || c.Asked == least && bytes.Compare(p[:], lowest[:]) < 0 {
			next, least, lowest, ok = c.Prover, c.Asked, p, true
		}
	}
	return next, ok
}
