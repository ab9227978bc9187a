package targon

import "fmt"

// MarshalBinary returns the canonical encoding. Detail is cut to 512 bytes. A verdict by
// margins has an encoding of its own, of the same fields and what was counted, and a
// third one if it was held against packs; all others are written as they always were.
func (e Judged) MarshalBinary() ([]byte, error) {
	v := e.Verdict
	if v.Outcome == OutcomeNone || v.Reason.Outcome() != v.Outcome {
		return nil, fmt.Errorf("%w: outcome %v with reason %v", ErrEncoding, v.Outcome, v.Reason)
	}
	domain := domainJudged
	switch {
	case len(v.Nulls)+len(v.Bet) > 0:
		domain = domainBet
	case v.Weighed():
		domain = domainWeighed
	}
	for _, valid := range []func() error{v.Tally.Validate, v.Surprise.Validate, v.validateBet} {
		if err := valid(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
		}
	}
	w := newWriter(domain)
	w.u64(uint64(e.Epoch))
	w.u16(uint16(e.UID))
	w.fixed(v.Request[:])
	w.fixed(v.Receipt[:])
	w.fixed(v.Prover[:])
	w.u8(uint8(v.Outcome))
	w.u8(uint8(v.Reason))
	w.u32(v.Tokens)
	w.u32(v.Position)
	w.u32(uint32(v.Claimed))
	w.u32(uint32(v.Winner))
	w.f64(v.Gap)
	w.str(v.Detail[:min(len(v.Detail), maxDetail)])
	if domain != domainJudged {
		w.gapCounts(v.Tally.Ids)
		w.gapCounts(v.Tally.Endings)
		w.u32(v.Tally.Undecided)
		w.u32(v.Surprise.Tokens)
		w.u64(uint64(v.Surprise.Excess))
		w.u64(uint64(v.Surprise.Variance))
	}
	if domain == domainBet {
		w.nulls(v)
	}
	return w.b, nil
}

func (w *writer) gapCounts(counts []GapCount) {
	w.u32(uint32(len(counts)))
	for _, c := range counts {
		w.u8(uint8(c.Class))
		w.u32(c.Matches)
		w.u32(c.Flips)
	}
}

func (r *reader) gapCounts() []GapCount {
	n := r.u32()
	if n > GapClasses {
		r.fail("%d classes of gaps", n)
		return nil
	}
	var out []GapCount
	for range n {
		out = append(out, GapCount{Class: GapClass(r.u8()), Matches: r.u32(), Flips: r.u32()})
	}
	return out
}

func decodeJudged(r *reader) Judged {
	var e Judged
	e.Epoch, e.UID = Epoch(r.u64()), UID(r.u16())
	v := &e.Verdict
	r.fixed(v.Request[:])
	r.fixed(v.Receipt[:])
	r.fixed(v.Prover[:])
	v.Outcome, v.Reason = Outcome(r.u8()), Reason(r.u8())
	if v.Reason.Outcome() != v.Outcome || v.Outcome == OutcomeNone {
		r.fail("outcome %d with reason %d", v.Outcome, v.Reason)
	}
	v.Tokens, v.Position = r.u32(), r.u32()
	v.Claimed, v.Winner = TokenID(r.u32()), TokenID(r.u32())
	v.Gap = r.f64()
	v.Detail = r.str(maxDetail)
	return e
}

func decodeWeighed(r *reader) Judged {
	e := decodeJudged(r)
	v := &e.Verdict
	v.Tally = Tally{Ids: r.gapCounts(), Endings: r.gapCounts(), Undecided: r.u32()}
	v.Surprise = Surprise{Tokens: r.u32(), Excess: int64(r.u64()), Variance: int64(r.u64())}
	if r.err != nil {
		return e
	}
	if err := v.Tally.Validate(); err != nil {
		r.fail("%v", err)
	} else if err := v.Surprise.Validate(); err != nil {
		r.fail("%v", err)
	} else if !v.Weighed() { // which is encoded as it always was
		r.fail("nothing was counted")
	}
	return e
}

func decodeBet(r *reader) Judged {
	e := decodeWeighed(r)
	r.nulls(&e.Verdict)
	if r.err == nil {
		if err := e.Verdict.validateBet(); err != nil {
			r.fail("%v", err)
		}
	}
	return e
}
