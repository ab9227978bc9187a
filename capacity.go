package targon

import (
	"errors"
	"fmt"
)

// ErrBusy is what an engine answers that has no room for another request. It is
// the asker's business to come back later: busy above the signed [Capacity] is
// neutral, below it a failure.
var ErrBusy = errors.New("over capacity")

// MaxConcurrent bounds what a prover can commit to.
const MaxConcurrent = 1 << 16

// Capacity is a prover's signed word on what it serves and how many requests it
// answers at once. The latest one that a verifier holds is the one that counts.
type Capacity struct {
	Prover     Hotkey    `json:"prover"`
	Weights    Digest    `json:"weights"`    // ModelDigest of what it serves
	Concurrent uint32    `json:"concurrent"` // requests that it answers at once
	Issued     int64     `json:"issued"`     // the prover's clock, Unix milliseconds
	Signature  Signature `json:"signature"`
}

const capacityDomain = "targon/capacity/v1"

// Validate reports the first thing that makes the statement meaningless.
func (c Capacity) Validate() error {
	switch {
	case c.Prover == Hotkey{}:
		return fmt.Errorf("%w: capacity of nobody", ErrEncoding)
	case c.Concurrent == 0 || c.Concurrent > MaxConcurrent:
		return fmt.Errorf("%w: %d concurrent requests, want 1 to %d", ErrEncoding, c.Concurrent, MaxConcurrent)
	case c.Issued < 0:
		return fmt.Errorf("%w: issued at %d", ErrEncoding, c.Issued)
	}
	return nil
}

// Message returns the bytes that a prover signs: everything but the signature.
func (c Capacity) Message() []byte { return c.message().b }

func (c Capacity) message() *writer {
	w := newWriter(capacityDomain)
	w.fixed(c.Prover[:])
	w.fixed(c.Weights[:])
	w.u32(c.Concurrent)
	w.u64(uint64(c.Issued))
	return w
}

// MarshalBinary returns Message followed by the 64 signature bytes.
func (c Capacity) MarshalBinary() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	w := c.message()
	w.fixed(c.Signature[:])
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding and validates it.
func (c *Capacity) UnmarshalBinary(b []byte) error {
	var v Capacity
	d := newReader(b, capacityDomain)
	d.fixed(v.Prover[:])
	d.fixed(v.Weights[:])
	v.Concurrent = d.u32()
	v.Issued = int64(d.u64())
	d.fixed(v.Signature[:])
	if err := d.done(); err != nil {
		return err
	}
	if err := v.Validate(); err != nil {
		return err
	}
	*c = v
	return nil
}
