package verifier

import (
	"fmt"

	"targon"
)

// alarmed is by how much an alarm multiplies a prover's audit rate until the month ends
// (own). It convicts nobody: a prover that changed its ways may have changed for reasons
// of its own, and is looked at more closely.
const alarmed = 4

const million = 1_000_000

// raise takes in the rate of one prover in the newest epoch, before anything of it has
// arrived.
func (s *State) raise(r targon.RateSet) error {
	e := s.current()
	switch {
	case e == nil || e.opened.Epoch != r.Epoch || len(e.records) > 0:
		return fmt.Errorf("%w: a rate is set in epoch %d, which does not just open", ErrLedger, r.Epoch)
	case r.AuditPPM <= e.opened.AuditPPM || r.AuditPPM > million:
		return fmt.Errorf("%w: %s is to be audited at %d per million, the others at %d", ErrLedger, r.Prover, r.AuditPPM, e.opened.AuditPPM)
	case e.rates[r.Prover] != 0:
		return fmt.Errorf("%w: the rate of %s is set twice in epoch %d", ErrLedger, r.Prover, r.Epoch)
	}
	if e.rates == nil {
		e.rates = map[targon.Hotkey]uint32{}
	}
	e.rates[r.Prover] = r.AuditPPM
	return nil
}

// rate is the one in force for a prover's receipts of an epoch, in parts per million.
func (e *epoch) rate(h targon.Hotkey) uint32 {
	if r := e.rates[h]; r != 0 {
		return r
	}
	return e.opened.AuditPPM
}

// boost is by how much a prover's rate is multiplied in an epoch that opens in a month:
// because of an alarm, and by its repute if that is asked for.
func (s *State) boost(h targon.Hotkey, m targon.Month, byRepute bool) uint32 {
	f := uint32(1)
	if d := s.dossiers[account{h, m}]; d != nil && d.stream.Alarms() > 0 {
		f = alarmed
	}
	if byRepute {
		f = max(f, s.tallies[h].reputation().Boost())
	}
	return f
}

// boosted multiplies a rate.
func boosted(ppm, by uint32) uint32 {
	return uint32(min(uint64(ppm)*uint64(by), million))
}

// opening is what opens an epoch: the commitment and the rate for all, and then the
// provers that are audited more often.
func (v *Verifier) opening(o targon.EpochOpened) []targon.Entry {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := []targon.Entry{o}
	for _, n := range v.meta.Provers(v.cfg.Hotkey) {
		ppm := boosted(o.AuditPPM, v.state.boost(n.Hotkey, targon.MonthOf(o.Block), v.cfg.Repute))
		if ppm > o.AuditPPM {
			out = append(out, targon.RateSet{Epoch: o.Epoch, Prover: n.Hotkey, AuditPPM: ppm})
		}
	}
	return out
}
