package targon

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Finish says why an answer ended.
type Finish uint8

// The zero Finish means that the answer did not end.
const (
	FinishNone   Finish = iota
	FinishStop          // the model's end-of-sequence id won; it is the last id
	FinishLength        // MaxTokens ids were produced
)

var finishNames = [...]string{"none", "stop", "length"}

// String returns the OpenAI word: none, stop or length.
func (f Finish) String() string {
	if int(f) < len(finishNames) {
		return finishNames[f]
	}
	return fmt.Sprintf("finish(%d)", uint8(f))
}

// MarshalText returns the OpenAI word.
func (f Finish) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the OpenAI word.
func (f *Finish) UnmarshalText(b []byte) error {
	for i, n := range finishNames {
		if n == string(b) {
			*f = Finish(i)
			return nil
		}
	}
	return fmt.Errorf("finish reason %q, want none, stop or length", b)
}

// A Chain commits to token ids one by one, so that a prover that has streamed an
// id cannot change it later: h0 is the request digest under a label, and
// h(i) = SHA-256(h(i-1) ‖ u32 i ‖ u32 id), i counting from 0.
type Chain struct {
	head Digest
	n    uint32
}

const chainDomain = "targon/chain/v1"

// NewChain starts the chain of the answer to a request.
func NewChain(request Digest) Chain {
	w := newWriter(chainDomain)
	w.fixed(request[:])
	return Chain{head: w.digest()}
}

// Extend adds one id and returns the new head.
func (c *Chain) Extend(id TokenID) Digest {
	var b [40]byte
	copy(b[:], c.head[:])
	binary.LittleEndian.PutUint32(b[32:], c.n)
	binary.LittleEndian.PutUint32(b[36:], uint32(id))
	c.head = sha256.Sum256(b[:])
	c.n++
	return c.head
}

// Head returns the commitment to all ids so far.
func (c Chain) Head() Digest { return c.head }

// Len returns how many ids the chain holds.
func (c Chain) Len() uint32 { return c.n }

// Signature is a raw sr25519 signature.
type Signature [64]byte

// Receipt is a prover's signed commitment to one answer. Its digest covers what
// was asked and what was answered, and no clock: the same answer has one digest.
type Receipt struct {
	Request      Digest    `json:"request"` // Request.Digest
	Chain        Digest    `json:"chain"`   // head over all output ids
	Finish       Finish    `json:"finish"`
	PromptTokens uint32    `json:"prompt_tokens"`
	Tokens       uint32    `json:"tokens"` // output ids, the end-of-sequence id included
	Signature    Signature `json:"signature"`
}

const receiptDomain = "targon/receipt/v1"

// ReceiptFor commits to an answer; the signature is still to come.
func ReceiptFor(r Request, ids []TokenID, f Finish) Receipt {
	d := r.Digest()
	c := NewChain(d)
	for _, id := range ids {
		c.Extend(id)
	}
	return Receipt{Request: d, Chain: c.Head(), Finish: f, PromptTokens: uint32(len(r.Prompt)), Tokens: c.Len()}
}

// Message returns the bytes that a prover signs: everything but the signature.
func (r Receipt) Message() []byte { return r.message().b }

func (r Receipt) message() *writer {
	w := newWriter(receiptDomain)
	w.fixed(r.Request[:])
	w.fixed(r.Chain[:])
	w.u8(uint8(r.Finish))
	w.u32(r.PromptTokens)
	w.u32(r.Tokens)
	return w
}

// Digest names the receipt: SHA-256 of Message. The audit draw is made from it.
func (r Receipt) Digest() Digest { return r.message().digest() }

// MarshalBinary returns Message followed by the 64 signature bytes.
func (r Receipt) MarshalBinary() ([]byte, error) {
	if r.Finish > FinishLength {
		return nil, fmt.Errorf("%w: finish reason %d", ErrEncoding, r.Finish)
	}
	w := r.message()
	w.fixed(r.Signature[:])
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (r *Receipt) UnmarshalBinary(b []byte) error {
	var v Receipt
	d := newReader(b, receiptDomain)
	d.fixed(v.Request[:])
	d.fixed(v.Chain[:])
	v.Finish = Finish(d.u8())
	if v.Finish > FinishLength {
		d.fail("finish reason %d", v.Finish)
	}
	v.PromptTokens = d.u32()
	v.Tokens = d.u32()
	d.fixed(v.Signature[:])
	if err := d.done(); err != nil {
		return err
	}
	*r = v
	return nil
}

// MarshalText returns 128 hex digits.
func (s Signature) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(s[:])), nil }

// UnmarshalText reads 128 hex digits.
func (s *Signature) UnmarshalText(b []byte) error { return unhex(s[:], b, "signature") }
