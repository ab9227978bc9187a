package targon_test

import (
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"targon"
)

func TestSurprise(t *testing.T) {
	var sum targon.Surprise
	if sum.Z() != 0 {
		t.Errorf("nothing surprises by %v", sum.Z())
	}
	a := targon.Surprise{Tokens: 60, Excess: 5_000_000, Variance: 90_000_000}
	b := targon.Surprise{Tokens: 4, Excess: -1_000_000, Variance: 10_000_000}
	if sum = a.Add(b); sum != b.Add(a) || sum != (targon.Surprise{Tokens: 64, Excess: 4_000_000, Variance: 100_000_000}) {
		t.Errorf("sum %+v", sum)
	}
	if z := sum.Z(); math.Abs(z-0.4) > 1e-12 {
		t.Errorf("4 nats in deviations of 10 are %v", z)
	}
	if z := (targon.Surprise{Tokens: 1, Excess: -3_000_000, Variance: 4_000_000}).Z(); z != -1.5 {
		t.Errorf("-3 nats in deviations of 2 are %v", z)
	}
}

// TestSurpriseEnds: sums stop at their bounds, and what is past them is refused.
func TestSurpriseEnds(t *testing.T) {
	const bound = 1 << 60
	most := targon.Surprise{Tokens: math.MaxUint32, Excess: bound, Variance: bound}
	least := targon.Surprise{Tokens: 1, Excess: -bound}
	for _, s := range []targon.Surprise{most, least, {}, {Tokens: 1}} {
		if err := s.Validate(); err != nil {
			t.Error(err)
		}
	}
	if got := most.Add(most); got != most {
		t.Errorf("%+v", got)
	}
	if got := least.Add(least); got.Excess != -bound {
		t.Errorf("%+v", got)
	}
	for name, s := range map[string]targon.Surprise{
		"excess": {Tokens: 1, Excess: bound + 1}, "lack": {Tokens: 1, Excess: -bound - 1},
		"variance": {Tokens: 1, Variance: bound + 1}, "less than none": {Tokens: 1, Variance: -1},
		"of no ids": {Excess: 1}, "spread of no ids": {Variance: 1},
	} {
		if s.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestJudgedVersions: a verdict has the second encoding if and only if something was
// counted, and no bytes but its own read as it.
func TestJudgedVersions(t *testing.T) {
	plain := targon.Verdict{Outcome: targon.Passed, Reason: targon.ReasonWithin, Tokens: 3}
	encode := func(v targon.Verdict) []byte {
		b, err := targon.Judged{Verdict: v}.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	version := func(b []byte) byte { return b[4+len("targon/ledger/judged/v")] }
	if got := version(encode(plain)); got != '1' {
		t.Errorf("without counts: version %c", got)
	}
	for name, edit := range map[string]func(*targon.Verdict){
		"ids":       func(v *targon.Verdict) { v.Tally.Ids = []targon.GapCount{{Class: 4, Matches: 2}} },
		"endings":   func(v *targon.Verdict) { v.Tally.Endings = []targon.GapCount{{Class: 4, Flips: 2}} },
		"undecided": func(v *targon.Verdict) { v.Tally.Undecided = 1 },
		"surprise":  func(v *targon.Verdict) { v.Surprise.Tokens = 1 },
	} {
		v := plain
		edit(&v)
		b := encode(v)
		if got := version(b); got != '2' {
			t.Errorf("%s: version %c", name, got)
		}
		for n := range len(b) {
			if _, err := targon.DecodeEntry(b[:n]); !errors.Is(err, targon.ErrEncoding) {
				t.Fatalf("%s: %d of %d bytes are read: %v", name, n, len(b), err)
			}
		}
	}
	empty := encode(plain)
	empty[4+len("targon/ledger/judged/v")] = '2'
	empty = append(empty, make([]byte, 4+4+4+4+8+8)...)
	if e, err := targon.DecodeEntry(empty); err == nil {
		t.Errorf("a second encoding of nothing counted is read: %+v from %s", e, hex.EncodeToString(empty))
	}
}
