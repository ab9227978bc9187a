package evidence

import (
	"targon"
)

// A Stream is the evidence of one prover in one month against a calibrated null: the
// fixed-weight average of the processes of all alternatives, and of those that an alarm
// began anew. The zero value is the start of a month.
//
// Each process multiplies [Bet] by Bet. Under the null each factor has a conditional
// mean of at most 1, whatever came before and whoever chose the prompts, so each process
// is a supermartingale from 1, and so is their average: P(it ever reaches 1250) ≤ 8e-4
// (Ville). What an alternative did not foresee costs its own process only.
//
// The memory of a product is endless, so a prover that was honest for long could cheat
// for as long. An e-CUSUM beside each process (Shin, Ramdas and Rinaldo 2022,
// "E-detectors") forgets what speaks for the prover; when their average reaches 1000,
// which under the null takes 1000 answers or more on average, it raises an alarm: the
// processes are begun once more from 1, with a share of the stake that was set aside for
// it at the start of the month. An alarm convicts nobody.
type Stream struct {
	logs   [1 + MaxRestarts]Bet // logs[0] is the month's; those not begun are 0, a factor of 1
	begun  int                  // restarts
	alarms uint64
	cusum  Bet
	told   int64 // what Update has added to the evidence so far
}

// MaxRestarts is how many alarms begin the processes anew. Later ones only count.
const MaxRestarts = 8

// logAlarm is ceil(1e9 × ln 1000).
const logAlarm = logSurprising

// stakes are the shares of the first processes and of each restart: ½, then 2^-(k+1)
// for the k-th (own).
var stakes = [1 + MaxRestarts]float64{0x1p-1, 0x1p-2, 0x1p-3, 0x1p-4, 0x1p-5, 0x1p-6, 0x1p-7, 0x1p-8, 0x1p-9}

// unstaked is what is left over: a factor of 1 for ever.
const unstaked = 0x1p-9

// Add takes one answer into account and reports whether it raised an alarm. The bet
// must be one whose seed was not known when the prompt was chosen.
func (s *Stream) Add(b Bet) (alarm bool) {
	for k := range s.begun + 1 {
		for a := range b {
			s.logs[k][a] = addLog(s.logs[k][a], b[a])
		}
	}
	for a := range b {
		s.cusum[a] = addLog(max(s.cusum[a], 0), b[a])
	}
	if !b.Rises() { // as nearly always: no average has risen, and an alarm was due before
		return false
	}
	if average([]Bet{s.cusum}, []float64{1}, 0) < logAlarm {
		return false
	}
	s.cusum = Bet{}
	s.alarms = addCount(s.alarms, 1)
	s.begun = min(s.begun+1, MaxRestarts)
	return true
}

// LogE is the logarithm of the evidence in units of 1e-9, rounded down.
func (s *Stream) LogE() int64 { return average(s.logs[:], stakes[:], unstaked) }

// Alarms is how often the prover changed its ways.
func (s *Stream) Alarms() uint64 { return s.alarms }

// Update is the calibrated form of the function of that name: it adds a verdict and the
// bet that its tally made to the stream, and returns the evidence after it. Where a month
// has answers of both kinds, since the verifier changed its policy, the evidence is the
// product of the two: each answer bets once, so it is a supermartingale still.
func (s *Stream) Update(e targon.Evidence, v targon.Verdict, b Bet) (after targon.Evidence, alarm bool) {
	if v.Prover != e.Prover {
		return e, false
	}
	alarm = s.Add(b)
	switch v.Reason {
	case targon.ReasonMargin, targon.ReasonMismatch, targon.ReasonTermination:
		e.Mismatches = addCount(e.Mismatches, 1)
	default: // an answer that failed by its timing agreed all the same
		e.Matches = addCount(e.Matches, 1)
	}
	e.Tokens = addCount(e.Tokens, uint64(v.Tokens))
	now := s.LogE()
	e.LogE = addLog(e.LogE, addLog(now, -s.told))
	s.told = now
	if !e.Convicted && e.LogE >= logConvict {
		e.Convicted, e.ConvictedAt, e.Reason = true, e.Tokens, v.Reason
		if v.Outcome != targon.Failed { // many answers together did what this one did not
			e.Reason = targon.ReasonMargin
		}
	}
	return e, alarm
}
