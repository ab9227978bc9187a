package verifier_test

import (
	"encoding/binary"
	"testing"
	"time"

	"targon"
	"targon/score"
	"targon/verifier"
)

// BenchmarkTempo folds a tempo of verdicts on 256 provers into weights: the part of
// an epoch's end that grows with the number of provers.
func BenchmarkTempo(b *testing.B) {
	const provers, answers = 256, 40
	var entries []targon.Entry
	scores := make([]targon.Score, provers)
	entries = append(entries, targon.EpochOpened{Block: 10, AuditPPM: 100_000})
	for p := range provers {
		h := targon.Hotkey{byte(p), byte(p >> 8), 1}
		scores[p] = targon.Score{UID: targon.UID(p), Hotkey: h}
		for n := range answers {
			var d targon.Digest
			binary.LittleEndian.PutUint32(d[:], uint32(p*answers+n))
			a := targon.Arrived{
				UID: targon.UID(p), Prover: h, Origin: targon.OriginChallenge, Status: targon.StatusComplete, Block: 20, Request: d,
				Receipt: targon.Receipt{Request: d, Tokens: 80}, Timing: targon.Timing{Total: time.Second + time.Duration(p)},
			}
			reason := targon.ReasonNotDrawn
			if n%10 == 0 {
				reason = targon.ReasonEqual
			}
			entries = append(entries, a, targon.Judged{UID: a.UID, Verdict: targon.Verdict{
				Request: d, Receipt: a.Receipt.Digest(), Prover: h, Reason: reason, Outcome: reason.Outcome(), Tokens: 80,
			}})
		}
	}
	entries = append(entries, targon.EpochOpened{Epoch: 1, Block: 370}, targon.EpochClosed{Block: 370}, targon.ScoresMade{Scores: scores})
	for b.Loop() {
		s := verifier.NewState(score.Throughput{})
		for _, e := range entries {
			if err := s.Apply(e); err != nil {
				b.Fatal(err)
			}
		}
	}
}
