package bundle_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/bundle"
	"targon/evidence"
	"targon/noise"
	"targon/proof"
)

// TestSealedParts: the verifier signs all that is there, in one order, and nothing else.
func TestSealedParts(t *testing.T) {
	s := newStand(t)
	toy := toys(t)
	for name, c := range map[string]struct {
		b    bundle.Bundle
		want string
	}{
		"passed":   {s.judged(s.answer(s.engine, nil), nil), "transcript opened arrived judged closed block path scores"},
		"failed":   {s.judged(s.answer(s.engine, another), nil), "transcript opened arrived judged closed block path scores again"},
		"rated":    {s.rated(), "transcript opened rate arrived judged closed block path scores"},
		"replayed": {toy[1], "transcript opened arrived judged closed block path scores replay"},
		"unscored": {s.judged(s.short(), nil), "transcript opened arrived judged closed block path"},
	} {
		var got []string
		for _, p := range c.b.Seal.Parts {
			got = append(got, p.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: signed are %v, want %s", name, got, c.want)
		}
		c.b.Seal.Parts = c.b.Seal.Parts[:len(got)-1]
		if l := bundle.Check(c.b, bundle.Aids{}).Of(bundle.LineSeal); l.Detail != got[len(got)-1]+" is there and not signed" {
			t.Errorf("%s, the last part not signed: %v", name, l)
		}
	}
}

// TestToyFiles: how draws were replayed is in the file where it is not the usual way.
func TestToyFiles(t *testing.T) {
	for i, b := range toys(t) {
		if diff := cmp.Diff(b, clone(t, b)); diff != "" {
			t.Error(diff)
		}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := bytes.Contains(text, []byte(`"replay"`)), i == 1; got != want {
			t.Errorf("toy %d: the file says how it was replayed: %v, want %v", i, got, want)
		}
	}
}

// TestFileLimits: what is just allowed in a file is read, what is just not is refused.
func TestFileLimits(t *testing.T) {
	named := func(n int) []bundle.Part { return []bundle.Part{{Name: strings.Repeat("x", n)}} }
	for _, c := range []struct {
		name string
		edit func(*bundle.Bundle)
		ok   bool
	}{
		{"the longest path", func(b *bundle.Bundle) { b.Path = make([]targon.Digest, 32) }, true},
		{"a longer one", func(b *bundle.Bundle) { b.Path = make([]targon.Digest, 33) }, false},
		{"a seal over all parts", func(b *bundle.Bundle) { b.Seal.Parts = make([]bundle.Part, 11) }, true},
		{"over one more", func(b *bundle.Bundle) { b.Seal.Parts = make([]bundle.Part, 12) }, false},
		{"the longest name of a part", func(b *bundle.Bundle) { b.Seal.Parts = named(16) }, true},
		{"a longer one", func(b *bundle.Bundle) { b.Seal.Parts = named(17) }, false},
		{"the usual band", func(b *bundle.Bundle) { b.Replay = bundle.Replay{Noise: noise.SGLang.Usual()} }, true},
		{"the widest band", func(b *bundle.Bundle) { b.Replay.Band = math.MaxFloat32 }, true},
		{"a wider one", func(b *bundle.Bundle) { b.Replay.Band = 2 * math.MaxFloat32 }, false},
		{"a band below nothing", func(b *bundle.Bundle) { b.Replay.Band = -math.SmallestNonzeroFloat64 }, false},
	} {
		b := toys(t)[0]
		c.edit(&b)
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.Decode(bytes.NewReader(text)); (err == nil) != c.ok {
			t.Errorf("%s: %v, want read: %v", c.name, err, c.ok)
		}
	}
}

// TestFileSize: a file of MaxBytes is read, one of a byte more is not.
func TestFileSize(t *testing.T) {
	text, err := json.Marshal(toys(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, bytes.Repeat([]byte{' '}, bundle.MaxBytes-len(text))...)
	if _, err := bundle.Decode(bytes.NewReader(text)); err != nil {
		t.Errorf("%d bytes: %v", len(text), err)
	}
	if _, err := bundle.Decode(bytes.NewReader(append(text, ' '))); err == nil {
		t.Error("a byte more is read")
	}
}

// TestFirstIDBeyond: whether an id is one of the model's is told by the scores, else by
// who has the model, else by nobody.
func TestFirstIDBeyond(t *testing.T) {
	s := newStand(t)
	x := s.answer(s.engine, func(ids []targon.TokenID) { ids[3] = targon.TokenID(s.model.Vocab()) })
	b := s.judged(x, nil)
	if r := b.Judged.Verdict.Reason; r != targon.ReasonStructure {
		t.Fatalf("judged as %v", r)
	}
	for name, c := range map[string]struct {
		scores *targon.Scores
		vocab  int
		want   bundle.Result
	}{
		"nobody knows":     {nil, 0, bundle.NotChecked},
		"who checks knows": {nil, s.model.Vocab(), bundle.OK},
		"the scores know":  {&targon.Scores{Vocab: s.model.Vocab()}, 0, bundle.OK},
		"scores of no ids": {&targon.Scores{}, s.model.Vocab(), bundle.OK},
	} {
		b.Scores = c.scores
		report := bundle.Check(b, bundle.Aids{Vocab: c.vocab})
		structure, verdict := report.Of(bundle.LineStructure), report.Of(bundle.LineVerdict)
		if structure.Result != c.want || verdict.Result != c.want {
			t.Errorf("%s: structure %v, verdict %v; want %v", name, structure, verdict, c.want)
		}
	}
}

// TestWhoIsBad: a receipt that the verdict calls bad must be, and then its structure was
// never looked at.
func TestWhoIsBad(t *testing.T) {
	s := newStand(t)
	all := s.cases()
	for name, want := range map[string]bundle.Result{
		"passed by equality": bundle.OK, "failed by equality": bundle.OK, "structure": bundle.OK,
		"no signature": bundle.NotChecked, "chain of other ids": bundle.NotChecked,
	} {
		b := all[name]
		if l := bundle.Check(b, s.aids(b, nil)).Of(bundle.LineStructure); l.Result != want {
			t.Errorf("%s: structure %v, want %v", name, l, want)
		}
	}
	for reason, line := range map[targon.Reason]string{targon.ReasonSignature: bundle.LineSignature, targon.ReasonChain: bundle.LineChain} {
		b := clone(t, all["passed by equality"])
		b.Judged.Verdict.Reason, b.Judged.Verdict.Outcome = reason, targon.Failed
		s.seal(&b)
		if got := broken(bundle.Check(b, s.aids(b, nil))); !strings.Contains(got, line) {
			t.Errorf("a good receipt that is called bad by %v: %q is not ok, want %s", reason, got, line)
		}
	}
}

// TestFirstHeight: an answer may arrive at the height at which its epoch was opened.
func TestFirstHeight(t *testing.T) {
	b := toys(t)[0]
	for opened, want := range map[targon.Block]bundle.Result{104: bundle.OK, 105: bundle.NotOK} {
		b.Opened.Block = opened
		if l := bundle.Check(b, bundle.Aids{}).Of(bundle.LineArrival); l.Result != want {
			t.Errorf("opened at %d: %v, want %v", opened, l, want)
		}
	}
}

// TestBurst: ids that came at once spoil an answer that passes, and change none that fails.
func TestBurst(t *testing.T) {
	s := newStand(t)
	for name, c := range map[string]struct {
		edit func([]targon.TokenID)
		want bundle.Result
	}{"passes": {nil, bundle.NotOK}, "fails": {another, bundle.OK}} {
		b := s.judged(s.answer(s.engine, c.edit), nil)
		b.Arrived.Timing.Burst = 1000
		if l := bundle.Check(b, s.aids(b, nil)).Of(bundle.LineVerdict); l.Result != c.want {
			t.Errorf("%s: %v, want %v", name, l, c.want)
		}
	}
}

// TestAwaitsConfirmation: a mismatch that nothing confirmed may be recorded as undecided.
func TestAwaitsConfirmation(t *testing.T) {
	s := newStand(t)
	b := s.judged(s.answer(s.engine, another), nil)
	b.Again = nil
	b.Judged.Verdict, _ = proof.Judge(b.Transcript, *b.Scores, nil)
	if l := bundle.Check(b, s.aids(b, nil)).Of(bundle.LineVerdict); l.Result != bundle.OK || b.Judged.Verdict.Outcome != targon.Undecided {
		t.Errorf("%v: %v", b.Judged.Verdict.Outcome, l)
	}
}

// TestUnlistedBet: an answer too cold to be evidence was held against packs and lists no
// bet; who has the packs makes it again, who has none cannot tell.
func TestUnlistedBet(t *testing.T) {
	s := newStand(t)
	nulls := s.nulls(0.01)
	listed := s.judged(s.answer(s.foreign, nil), nulls)
	cold := clone(t, listed)
	cold.Judged.Verdict.Bet = nil
	s.seal(&cold)
	for _, c := range []struct {
		name         string
		b            bundle.Bundle
		aids         bundle.Aids
		verdict, bet bundle.Result
	}{
		{"listed", listed, bundle.Aids{Nulls: nulls}, bundle.OK, bundle.OK},
		{"listed, no packs", listed, bundle.Aids{}, bundle.OK, bundle.NotChecked},
		{"unlisted", cold, bundle.Aids{Nulls: nulls}, bundle.OK, bundle.OK},
		{"unlisted, no packs", cold, bundle.Aids{}, bundle.NotChecked, bundle.NotChecked},
		{"unlisted, other packs", cold, bundle.Aids{Nulls: s.nulls(0.02)}, bundle.NotOK, bundle.NotOK},
	} {
		report := bundle.Check(c.b, c.aids)
		if v, bet := report.Of(bundle.LineVerdict), report.Of(bundle.LineBet); v.Result != c.verdict || bet.Result != c.bet {
			t.Errorf("%s: verdict %v, bet %v; want %v, %v", c.name, v, bet, c.verdict, c.bet)
		}
	}
}

// TestNearlyAlike: what is measured in float32 may differ by 1e-5, and no more.
func TestNearlyAlike(t *testing.T) {
	b := toys(t)[0]
	own := clone(t, b).Scores
	for by, want := range map[float64]bundle.Result{0: bundle.OK, 1e-5: bundle.OK, math.Nextafter(1e-5, 1): bundle.NotOK} {
		b.Scores.Positions[0].LogProb = by
		if l := bundle.Check(b, bundle.Aids{Scores: own}).Of(bundle.LineLogits); l.Result != want {
			t.Errorf("a log-probability that differs by %v: %v, want %v", by, l, want)
		}
	}
}

// TestWordsAtTheEdge: no position is named that is not there, and nothing is called worst
// where nothing is wrong.
func TestWordsAtTheEdge(t *testing.T) {
	b := toys(t)[1]
	b.Judged.Verdict.Reason = targon.ReasonWithin
	if got := bundle.Explain(b, nil); strings.Contains(got, "Worst") {
		t.Errorf("all match: %s", got)
	}
	b.Judged.Verdict.Bet = slices.Repeat([]int64{1}, evidence.Alternatives) // a factor of 1, rounded down
	if got := bundle.Explain(b, nil); !strings.Contains(got, "multiplied by 1: this is what honest ones look like") {
		t.Errorf("a factor of 1: %s", got)
	}
	b.Judged.Verdict.Gap, b.Judged.Verdict.Position = 0.25, uint32(len(b.Scores.Positions))
	if got := bundle.Explain(b, nil); !strings.Contains(got, "Worst: position 2 ") || strings.Contains(got, "probability") {
		t.Errorf("no such position: %s", got)
	}
}

// TestMemory: scores are counted where they are, once.
func TestMemory(t *testing.T) {
	b := toys(t)[0]
	bare := b
	bare.Scores = nil
	one, same, two := b, b, b
	same.Again = b.Scores
	two.Again = clone(t, b).Scores
	if scores := one.Memory() - bare.Memory(); scores <= 0 || same.Memory() != one.Memory() || two.Memory() != one.Memory()+scores {
		t.Errorf("without scores %d, with %d, twice the same %d, two of them %d", bare.Memory(), one.Memory(), same.Memory(), two.Memory())
	}
}

// TestLabels: from 160 ids on every tenth is named, and each that differs; names of more
// than 12 letters are cut.
func TestLabels(t *testing.T) {
	for ids, want := range map[int]int{159: 159, 160: 17} { // every tenth, and the one that differs
		b := toys(t)[0]
		flipped := b.Scores.Positions[0]
		flipped.Claimed = flipped.Top[1]
		b.Scores.Positions = slices.Repeat(b.Scores.Positions[:1], ids)
		b.Transcript.Tokens = slices.Repeat(b.Transcript.Tokens[:1], ids)
		b.Scores.Positions[11], b.Transcript.Tokens[11] = flipped, flipped.Claimed.ID
		var out bytes.Buffer
		if err := bundle.Plot(&out, b, nil, func(id targon.TokenID) string {
			if id == 0 {
				return "twelve_runes"
			}
			return "thirteen_rune"
		}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), ` font-size="10" `); got != want {
			t.Errorf("%d ids: %d names, want %d", ids, got, want)
		}
		if !strings.Contains(out.String(), ">twelve_runes<") || !strings.Contains(out.String(), ">thirteen_ru…<") {
			t.Errorf("%d ids: names are not cut at 12 letters", ids)
		}
	}
}

// TestBoundLine: a line is drawn at the gap from which on an honest flip has a bound of
// one in a thousand, which 12 flips of 89,560 draws just give.
func TestBoundLine(t *testing.T) {
	s := newStand(t)
	b := s.judged(s.answer(s.engine, nil), nil)
	for draws, want := range map[uint64]bool{89_559: false, 89_560: true} {
		p := evidence.NewPack()
		p.Model, p.Prover, p.Verifier, p.Sampler, p.Weights = s.model.Name(), "a", "b", "targon", s.model.Digest()
		p.Strata = []evidence.Stratum{{
			MinTemperature: 0.9, MaxTemperature: 1.1, MaxLength: 256, Positions: 1, Seeds: 16,
			Counts: []evidence.Draws{{Class: 20, Draws: draws, Flips: 12}, {Class: targon.GapClasses - 1, Draws: evidence.MinDraws}},
		}}
		nulls, err := evidence.NewNulls(p)
		if err != nil {
			t.Fatal(err)
		}
		b.Judged.Verdict.Nulls, _ = nulls.Of(b.Transcript.Request, len(b.Transcript.Tokens))
		var out bytes.Buffer
		if err := bundle.Plot(&out, b, nulls, nil); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), `class="bound"`); got != want {
			t.Errorf("12 flips of %d: a line %v, want %v", draws, got, want)
		}
	}
}

// TestEmptyLedger: one that has no epoch says nothing about the first.
func TestEmptyLedger(t *testing.T) {
	b := toys(t)[0]
	b.Opened.Epoch, b.Arrived.Epoch, b.Judged.Epoch, b.Closed.Epoch = 0, 0, 0, 0
	l, err := bundle.Find(entries(nil), b)
	if err != nil {
		t.Fatal(err)
	}
	if got := bundle.Check(b, bundle.Aids{Ledger: l}).Of(bundle.LineLedger); got.Result != bundle.NotChecked {
		t.Errorf("%v", got)
	}
}
