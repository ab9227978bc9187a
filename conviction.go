package targon

import (
	"bytes"
	"fmt"
)

// RateSet raises the rate at which one prover is audited, for one epoch. It is written
// before any receipt of the epoch arrives, like the rate of all others.
type RateSet struct {
	Epoch    Epoch
	Prover   Hotkey
	AuditPPM uint32 // audits per million receipts of this prover
}

// Convicted records a conviction, which follows from the verdicts before it: against
// what it was found, by which receipts, and how strong the evidence was then.
type Convicted struct {
	UID    UID
	Prover Hotkey
	Month  Month
	Reason Reason // of the verdict that convicted
	Tokens uint64 // ids that had been covered
	LogE   int64  // logarithm of the evidence, in units of 1e-9
	// Packs are those that the prover was held against in the month, sorted; none where
	// ids were compared for equality.
	Packs []Digest
	// Receipts are the last that raised the evidence, in the ledger's order; the last of
	// them convicted.
	Receipts []Digest
}

// MaxConvicting is how many receipts a conviction names.
const MaxConvicting = 16

const (
	domainRate      = "targon/ledger/rate/v1"
	domainConvicted = "targon/ledger/convicted/v1"
)

func (RateSet) entry()   {}
func (Convicted) entry() {}

// MarshalBinary returns the canonical encoding.
func (e RateSet) MarshalBinary() ([]byte, error) {
	w := newWriter(domainRate)
	w.u64(uint64(e.Epoch))
	w.fixed(e.Prover[:])
	w.u32(e.AuditPPM)
	return w.b, nil
}

// MarshalBinary returns the canonical encoding.
func (e Convicted) MarshalBinary() ([]byte, error) {
	if err := e.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	w := newWriter(domainConvicted)
	w.u16(uint16(e.UID))
	w.fixed(e.Prover[:])
	w.u64(uint64(e.Month))
	w.u8(uint8(e.Reason))
	w.u64(e.Tokens)
	w.u64(uint64(e.LogE))
	w.digests(e.Packs)
	w.digests(e.Receipts)
	return w.b, nil
}

func (e Convicted) validate() error {
	switch {
	case e.Reason == ReasonNone || e.Reason >= reasonEnd:
		return fmt.Errorf("conviction for reason %d", e.Reason)
	case len(e.Packs) > MaxNulls:
		return fmt.Errorf("conviction against %d packs, at most %d", len(e.Packs), MaxNulls)
	case len(e.Receipts) == 0 || len(e.Receipts) > MaxConvicting:
		return fmt.Errorf("conviction by %d receipts, want 1 to %d", len(e.Receipts), MaxConvicting)
	}
	for i := 1; i < len(e.Packs); i++ {
		if bytes.Compare(e.Packs[i-1][:], e.Packs[i][:]) >= 0 {
			return fmt.Errorf("conviction: pack %s out of order", e.Packs[i])
		}
	}
	return nil
}

func (w *writer) digests(v []Digest) {
	w.u32(uint32(len(v)))
	for _, d := range v {
		w.fixed(d[:])
	}
}

func (r *reader) digests(limit int) []Digest {
	n := r.u32()
	if n > uint32(limit) {
		r.fail("list of %d digests, limit %d", n, limit)
		return nil
	}
	var out []Digest
	for range n {
		var d Digest
		r.fixed(d[:])
		out = append(out, d)
	}
	return out
}

func decodeRate(r *reader) Entry {
	e := RateSet{Epoch: Epoch(r.u64())}
	r.fixed(e.Prover[:])
	e.AuditPPM = r.u32()
	return e
}

func decodeConvicted(r *reader) Entry {
	e := Convicted{UID: UID(r.u16())}
	r.fixed(e.Prover[:])
	e.Month, e.Reason = Month(r.u64()), Reason(r.u8())
	e.Tokens, e.LogE = r.u64(), int64(r.u64())
	e.Packs, e.Receipts = r.digests(MaxNulls), r.digests(MaxConvicting)
	if r.err == nil {
		if err := e.validate(); err != nil {
			r.fail("%v", err)
		}
	}
	return e
}
