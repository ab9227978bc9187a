package targon

import (
	"bytes"
	"fmt"
)

// Null names what a check by margins was held against: one stratum of one calibration
// pack. Whoever has the pack can work out the bet again from the tally.
type Null struct {
	Pack    Digest `json:"pack"` // as package evidence makes it
	Stratum uint16 `json:"stratum"`
}

const (
	// MaxNulls is how many packs a verifier may admit for one model.
	MaxNulls = 16
	// maxProcesses bounds a bet; package evidence has fewer.
	maxProcesses = 32
	// maxLog bounds one logarithm of a bet, which 2^17 ids of at most 2^34 and 196
	// classes never reach.
	maxLog = 1 << 60
)

// validateBet reports the first thing that is wrong with what a verdict was held against
// and the bet that was made of it.
func (v Verdict) validateBet() error {
	switch {
	case len(v.Nulls) > MaxNulls:
		return fmt.Errorf("verdict: held against %d packs, at most %d", len(v.Nulls), MaxNulls)
	case len(v.Bet) > maxProcesses:
		return fmt.Errorf("verdict: bet on %d processes, at most %d", len(v.Bet), maxProcesses)
	case len(v.Bet) > 0 && len(v.Nulls) == 0:
		return fmt.Errorf("verdict: a bet against nothing")
	case len(v.Nulls) > 0 && !v.Weighed():
		return fmt.Errorf("verdict: held against %d packs, and nothing was counted", len(v.Nulls))
	}
	for i, n := range v.Nulls {
		if i > 0 && bytes.Compare(v.Nulls[i-1].Pack[:], n.Pack[:]) >= 0 {
			return fmt.Errorf("verdict: pack %s out of order", n.Pack)
		}
	}
	for _, l := range v.Bet {
		if l > maxLog || l < -maxLog {
			return fmt.Errorf("verdict: bet of %d", l)
		}
	}
	return nil
}

func (w *writer) nulls(v Verdict) {
	w.u32(uint32(len(v.Nulls)))
	for _, n := range v.Nulls {
		w.fixed(n.Pack[:])
		w.u16(n.Stratum)
	}
	w.u32(uint32(len(v.Bet)))
	for _, l := range v.Bet {
		w.u64(uint64(l))
	}
}

func (r *reader) nulls(v *Verdict) {
	n := r.u32()
	if n == 0 || n > MaxNulls {
		r.fail("held against %d packs", n)
		return
	}
	for range n {
		var one Null
		r.fixed(one.Pack[:])
		one.Stratum = r.u16()
		v.Nulls = append(v.Nulls, one)
	}
	if n = r.u32(); n > maxProcesses {
		r.fail("bet on %d processes", n)
		return
	}
	for range n {
		v.Bet = append(v.Bet, int64(r.u64()))
	}
}
