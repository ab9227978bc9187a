package targon

import (
	"fmt"
	"math"
	"time"
)

// Entry is one record of a verifier's ledger. The ledger only grows; scores,
// evidence and weights are a pure function of its entries in order.
type Entry interface {
	// MarshalBinary returns the canonical encoding, which begins with the entry's
	// domain label; DecodeEntry is its inverse.
	MarshalBinary() ([]byte, error)
	entry()
}

// EpochOpened binds the verifier before any receipt of the epoch arrives: to a
// secret it has not shown yet, and to the rate at which it will audit.
type EpochOpened struct {
	Epoch      Epoch
	Block      Block  // first block of the epoch
	SecretHash Digest // SHA-256 of the secret
	AuditPPM   uint32 // audits per million receipts
}

// Arrived records an exchange the moment it ended, before anything is judged.
type Arrived struct {
	Epoch    Epoch
	UID      UID
	Prover   Hotkey
	Origin   Origin
	Status   Status
	Block    Block // the verifier's finalised height when the last byte came
	OptedOut bool  // the user asked for no audit
	Request  Digest
	Receipt  Receipt // zero unless Status is complete
	Timing   Timing
}

// Judged records what became of an arrival: every arrival gets exactly one.
type Judged struct {
	Epoch   Epoch
	UID     UID
	Verdict Verdict
}

// EpochClosed reveals the secret, so that anyone can repeat the draws, and binds the
// epoch's receipts, so that each can be shown to have been one of them.
type EpochClosed struct {
	Epoch  Epoch
	Block  Block // first block after the epoch
	Secret Digest
	// Root is the Merkle root (package merkle) over the encodings of the epoch's arrivals
	// that carry a receipt, in the ledger's order; Receipts is how many they are. Both are
	// zero in ledgers that were written before they were kept.
	Root     Digest
	Receipts uint32
}

// ScoresMade records the scores that an epoch ended with, sorted by UID.
type ScoresMade struct {
	Epoch  Epoch
	Scores []Score
}

// WeightsDecided is written before weights are sent to the chain.
type WeightsDecided struct {
	Epoch   Epoch
	Block   Block
	Weights Weights
}

// WeightsSet is written after they were read back from the chain.
type WeightsSet struct {
	Epoch Epoch
	Block Block
}

const (
	domainOpened  = "targon/ledger/opened/v1"
	domainArrived = "targon/ledger/arrived/v1"
	domainJudged  = "targon/ledger/judged/v1"
	domainWeighed = "targon/ledger/judged/v2" // with what a check by margins counted
	domainBet     = "targon/ledger/judged/v3" // and what it was held against, and the bet made of it
	domainClosed  = "targon/ledger/closed/v1"
	domainBound   = "targon/ledger/closed/v2" // with the root over the epoch's receipts
	domainScores  = "targon/ledger/scores/v1"
	domainDecided = "targon/ledger/decided/v1"
	domainSet     = "targon/ledger/set/v1"
	maxDetail     = 512
	maxNeurons    = 1 << 16
)

func (EpochOpened) entry()    {}
func (Arrived) entry()        {}
func (Judged) entry()         {}
func (EpochClosed) entry()    {}
func (ScoresMade) entry()     {}
func (WeightsDecided) entry() {}
func (WeightsSet) entry()     {}

// MarshalBinary returns the canonical encoding.
func (e EpochOpened) MarshalBinary() ([]byte, error) {
	w := newWriter(domainOpened)
	w.u64(uint64(e.Epoch))
	w.u64(uint64(e.Block))
	w.fixed(e.SecretHash[:])
	w.u32(e.AuditPPM)
	return w.b, nil
}

// MarshalBinary returns the canonical encoding. Here and below, what DecodeEntry
// would refuse is refused: a ledger must be able to read what it has written.
func (e Arrived) MarshalBinary() ([]byte, error) {
	if e.Origin > OriginOrganic || e.Status > StatusOurs {
		return nil, fmt.Errorf("%w: arrival with origin %d and status %d", ErrEncoding, e.Origin, e.Status)
	}
	rec, err := e.Receipt.MarshalBinary()
	if err != nil {
		return nil, err
	}
	w := newWriter(domainArrived)
	w.u64(uint64(e.Epoch))
	w.u16(uint16(e.UID))
	w.fixed(e.Prover[:])
	w.u8(uint8(e.Origin))
	w.u8(uint8(e.Status))
	w.u64(uint64(e.Block))
	w.bool(e.OptedOut)
	w.fixed(e.Request[:])
	w.bytes(rec)
	w.u64(uint64(e.Timing.First))
	w.u64(uint64(e.Timing.Total))
	w.u16(e.Timing.Burst)
	w.u64(uint64(e.Timing.Ended))
	return w.b, nil
}

// MarshalBinary returns the canonical encoding. One without a root is written as it
// always was.
func (e EpochClosed) MarshalBinary() ([]byte, error) {
	domain := domainBound
	if e.Root == (Digest{}) {
		if domain = domainClosed; e.Receipts != 0 {
			return nil, fmt.Errorf("%w: %d receipts without a root", ErrEncoding, e.Receipts)
		}
	}
	w := newWriter(domain)
	w.u64(uint64(e.Epoch))
	w.u64(uint64(e.Block))
	w.fixed(e.Secret[:])
	if domain == domainBound {
		w.fixed(e.Root[:])
		w.u32(e.Receipts)
	}
	return w.b, nil
}

// MarshalBinary returns the canonical encoding.
func (e ScoresMade) MarshalBinary() ([]byte, error) {
	if len(e.Scores) > maxNeurons {
		return nil, fmt.Errorf("%w: %d scores", ErrEncoding, len(e.Scores))
	}
	w := newWriter(domainScores)
	w.u64(uint64(e.Epoch))
	w.u32(uint32(len(e.Scores)))
	for _, s := range e.Scores {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || s.Value < 0 {
			return nil, fmt.Errorf("%w: score %v of uid %d", ErrEncoding, s.Value, s.UID)
		}
		w.u16(uint16(s.UID))
		w.fixed(s.Hotkey[:])
		w.f64(s.Value)
	}
	return w.b, nil
}

// MarshalBinary returns the canonical encoding.
func (e WeightsDecided) MarshalBinary() ([]byte, error) {
	if err := e.Weights.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	w := newWriter(domainDecided)
	w.u64(uint64(e.Epoch))
	w.u64(uint64(e.Block))
	w.u32(uint32(len(e.Weights)))
	for _, v := range e.Weights {
		w.u16(uint16(v.UID))
		w.u16(v.Value)
	}
	return w.b, nil
}

// MarshalBinary returns the canonical encoding.
func (e WeightsSet) MarshalBinary() ([]byte, error) {
	w := newWriter(domainSet)
	w.u64(uint64(e.Epoch))
	w.u64(uint64(e.Block))
	return w.b, nil
}

// DecodeEntry reads any entry's canonical encoding.
func DecodeEntry(b []byte) (Entry, error) {
	probe := &reader{b: b}
	domain := probe.str(64)
	if probe.err != nil {
		return nil, probe.err
	}
	r := newReader(b, domain)
	var e Entry
	switch domain {
	case domainOpened:
		e = decodeOpened(r)
	case domainArrived:
		e = decodeArrived(r)
	case domainJudged:
		e = decodeJudged(r)
	case domainWeighed:
		e = decodeWeighed(r)
	case domainBet:
		e = decodeBet(r)
	case domainRate:
		e = decodeRate(r)
	case domainConvicted:
		e = decodeConvicted(r)
	case domainClosed:
		e = decodeClosed(r)
	case domainBound:
		e = decodeBound(r)
	case domainScores:
		e = decodeScores(r)
	case domainDecided:
		e = decodeDecided(r)
	case domainSet:
		e = WeightsSet{Epoch: Epoch(r.u64()), Block: Block(r.u64())}
	default:
		return nil, fmt.Errorf("%w: unknown entry %q", ErrEncoding, domain)
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	return e, nil
}

func decodeOpened(r *reader) Entry {
	var e EpochOpened
	e.Epoch, e.Block = Epoch(r.u64()), Block(r.u64())
	r.fixed(e.SecretHash[:])
	e.AuditPPM = r.u32()
	return e
}

func decodeArrived(r *reader) Entry {
	var e Arrived
	e.Epoch, e.UID = Epoch(r.u64()), UID(r.u16())
	r.fixed(e.Prover[:])
	if e.Origin = Origin(r.u8()); e.Origin > OriginOrganic {
		r.fail("origin %d", e.Origin)
	}
	if e.Status = Status(r.u8()); e.Status > StatusOurs {
		r.fail("status %d", e.Status)
	}
	e.Block, e.OptedOut = Block(r.u64()), r.bool()
	r.fixed(e.Request[:])
	rec := r.bytes(1024)
	if r.err == nil {
		if err := e.Receipt.UnmarshalBinary(rec); err != nil {
			r.err = err
		}
	}
	e.Timing.First, e.Timing.Total = time.Duration(r.u64()), time.Duration(r.u64())
	e.Timing.Burst = r.u16()
	e.Timing.Ended = int64(r.u64())
	return e
}

func decodeClosed(r *reader) EpochClosed {
	var e EpochClosed
	e.Epoch, e.Block = Epoch(r.u64()), Block(r.u64())
	r.fixed(e.Secret[:])
	return e
}

func decodeBound(r *reader) Entry {
	e := decodeClosed(r)
	r.fixed(e.Root[:])
	if e.Receipts = r.u32(); e.Root == (Digest{}) { // which is encoded as it always was
		r.fail("no root")
	}
	return e
}

func decodeScores(r *reader) Entry {
	e := ScoresMade{Epoch: Epoch(r.u64())}
	n := r.u32()
	if n > maxNeurons || int(n)*42 > len(r.b) {
		r.fail("%d scores", n)
		return e
	}
	for range n {
		s := Score{UID: UID(r.u16())}
		r.fixed(s.Hotkey[:])
		if s.Value = r.f64(); math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || s.Value < 0 {
			r.fail("score %v", s.Value)
		}
		e.Scores = append(e.Scores, s)
	}
	return e
}

func decodeDecided(r *reader) Entry {
	e := WeightsDecided{Epoch: Epoch(r.u64()), Block: Block(r.u64())}
	n := r.u32()
	if n > maxNeurons || int(n)*4 > len(r.b) {
		r.fail("%d weights", n)
		return e
	}
	for range n {
		e.Weights = append(e.Weights, Weight{UID: UID(r.u16()), Value: r.u16()})
	}
	if r.err == nil {
		if err := e.Weights.Validate(); err != nil {
			r.fail("%v", err)
		}
	}
	return e
}
