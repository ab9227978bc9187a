package proof_test

import (
	"encoding/binary"
	"math"
	"testing"

	"targon"
	"targon/noise"
	"targon/proof"
)

// FuzzScores holds the checks to their promise: whatever a reference answers, right or
// not, they end in a verdict that a ledger can keep, and the same one twice.
func FuzzScores(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"))
	f.Add(binary.LittleEndian.AppendUint32([]byte{2, 0, 1, 9, 3, 0, 1, 2}, math.Float32bits(float32(math.NaN()))))
	f.Fuzz(func(t *testing.T, b []byte) {
		next := func() byte {
			if len(b) == 0 {
				return 0
			}
			v := b[0]
			b = b[1:]
			return v
		}
		logit := func() float32 {
			v := next()
			if v == 255 && len(b) >= 4 {
				l := math.Float32frombits(binary.LittleEndian.Uint32(b))
				b = b[4:]
				return l
			}
			return float32(v) / 16
		}
		const size = 12
		id := func() targon.TokenID { return targon.TokenID(next()%(size+2)) - 1 }
		n := 1 + int(next()%3)
		r := ask(proverKey(t), uint64(next()), float64(next()%3), uint32(n))
		r.Sampling.TopK, r.Sampling.TopP, r.Sampling.MinP = uint32(next()%5), float64(next()%8)/8, float64(next()%8)/8
		by := proof.Replay{Noise: noise.Candidates()[int(next())%18]}
		x := targon.Transcript{Request: r}
		s := targon.Scores{Weights: r.Weights, Vocab: size, EOS: []targon.TokenID{eosLow}}
		for range n {
			p := targon.Position{Claimed: targon.Scored{ID: targon.TokenID(next() % size), Logit: logit()}}
			for range 1 + next()%8 {
				p.Top = append(p.Top, targon.Scored{ID: id(), Logit: logit()})
			}
			for range next() % 4 {
				p.Also = append(p.Also, targon.Scored{ID: id(), Logit: logit()})
			}
			p.Drawn = targon.Draw{
				Norm: float64(logit()), Allowed: uint32(next() % 14), Last: targon.Scored{ID: id(), Logit: logit()},
				Kept: float64(next()) / 128, Entropy: float64(logit()), Varentropy: float64(logit()),
			}
			x.Tokens = append(x.Tokens, p.Claimed.ID)
			s.Positions = append(s.Positions, p)
		}
		x.Receipt = targon.ReceiptFor(r, x.Tokens, targon.Finish(next()%3))
		equality, _ := proof.Judge(x, s, &s)
		weighed, _ := proof.Weigh(x, s, by)
		again, _ := proof.Weigh(x, s, by)
		for _, v := range []targon.Verdict{equality, weighed, again, proof.Settle(weighed, true)} {
			one, err := targon.Judged{Verdict: v}.MarshalBinary()
			if err != nil {
				t.Fatalf("%+v: %v", v, err)
			}
			if back, err := targon.DecodeEntry(one); err != nil {
				t.Fatalf("%+v: %v", back, err)
			}
		}
		if matches, flips := weighed.Tally.Total(); weighed.Tally.Undecided > 0 && int(matches+flips)+int(weighed.Tally.Undecided) != n {
			t.Fatalf("%d ids, tally %+v", n, weighed.Tally)
		}
		if one, two := proof.Settle(weighed, false), proof.Settle(again, false); one.Detail != two.Detail || one.Reason != two.Reason {
			t.Fatalf("%+v, then %+v", one, two)
		}
	})
}
