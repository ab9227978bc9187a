package bundle_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/bundle"
	"targon/proof"
)

var update = flag.Bool("update", false, "write the golden files anew")

// cases are verdicts of each kind that is checked.
func (s *stand) cases() map[string]bundle.Bundle {
	unsigned := s.answer(s.engine, nil)
	unsigned.Receipt.Signature[5]++
	other := s.answer(s.engine, nil)
	other.Tokens[3]++
	return map[string]bundle.Bundle{
		"passed by equality":  s.judged(s.answer(s.engine, nil), nil),
		"failed by equality":  s.judged(s.answer(s.engine, another), nil),
		"within margins":      s.judged(s.answer(s.foreign, nil), s.nulls(0.01)),
		"beyond margins":      s.judged(s.answer(s.engine, another), s.nulls(0.01)),
		"cut short":           s.judged(s.cut(), s.nulls(0.01)),
		"no signature":        s.judged(unsigned, nil),
		"chain of other ids":  s.judged(other, nil),
		"structure":           s.judged(s.short(), nil),
		"margins, no packs":   s.unheld(),
		"no such id":          s.judged(s.outside(), nil),
		"a rate of one's own": s.rated(),
		"all at once":         s.buffered(),
	}
}

// short ends before its limit and says length.
func (s *stand) short() targon.Transcript {
	t := s.answer(s.engine, nil)
	t.Tokens = t.Tokens[:10]
	t.Receipt = targon.ReceiptFor(t.Request, t.Tokens, targon.FinishLength)
	t.Receipt.Signature, _ = s.prover.Sign(t.Receipt.Message())
	return t
}

// cut claims an end where another id had won.
func (s *stand) cut() targon.Transcript {
	t := s.answer(s.engine, nil)
	t.Tokens = append(t.Tokens[:20], s.model.EOS()[0])
	t.Receipt = targon.ReceiptFor(t.Request, t.Tokens, targon.FinishStop)
	t.Receipt.Signature, _ = s.prover.Sign(t.Receipt.Message())
	return t
}

// outside has an id that the model does not have.
func (s *stand) outside() targon.Transcript {
	return s.answer(s.engine, func(ids []targon.TokenID) { ids[3] = math.MaxInt32 })
}

// unheld was weighed and held against nothing.
func (s *stand) unheld() bundle.Bundle {
	b := s.judged(s.answer(s.foreign, nil), s.nulls(0.01))
	v := &b.Judged.Verdict
	v.Nulls, v.Bet, v.Outcome, v.Reason = nil, nil, targon.Undecided, targon.ReasonUncalibrated
	s.seal(&b)
	return b
}

// buffered is right and came at once.
func (s *stand) buffered() bundle.Bundle {
	b := s.judged(s.answer(s.engine, nil), nil)
	v := &b.Judged.Verdict
	v.Outcome, v.Reason, v.Detail = targon.ReasonBufferedLone.Outcome(), targon.ReasonBufferedLone, "ids came at once"
	b.Arrived.Timing.Burst = 1000
	leaf, _ := b.Leaf()
	b.Index, b.Path, b.Closed.Root, b.Closed.Receipts = 0, nil, leaf, 1
	s.seal(&b)
	return b
}

// rated was drawn at a rate that is the prover's own.
func (s *stand) rated() bundle.Bundle {
	b := s.judged(s.answer(s.engine, nil), nil)
	b.Opened.AuditPPM = 1
	b.Rate = &targon.RateSet{Epoch: 7, Prover: s.prover.Hotkey(), AuditPPM: 500_000}
	s.seal(&b)
	return b
}

// A sound bundle holds, whatever its verdict, before and after it was a file.
func TestSound(t *testing.T) {
	s := newStand(t)
	nulls := s.nulls(0.01)
	for name, b := range s.cases() {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			read, err := bundle.Decode(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(b, read); diff != "" {
				t.Fatal(diff)
			}
			report := bundle.Check(read, s.aids(read, nulls))
			for _, l := range report {
				if l.Result == bundle.NotOK {
					t.Errorf("%s: %s", l.Name, l.Detail)
				}
			}
			if b.Scores != nil && report.Of(bundle.LineLogits).Result != bundle.OK {
				t.Errorf("logits: %v", report.Of(bundle.LineLogits))
			}
			if held := len(b.Judged.Verdict.Nulls) > 0; held != (report.Of(bundle.LineBet).Result == bundle.OK) {
				t.Errorf("bet: %v", report.Of(bundle.LineBet))
			}
			bare := bundle.Check(read, bundle.Aids{Why: "no model at hand"})
			if !bare.Holds() || bare.Of(bundle.LineLogits).Result != bundle.NotChecked || bare.Of(bundle.LineLedger).Result != bundle.NotChecked {
				t.Errorf("without aids: %v", bare)
			}
		})
	}
}

// tampering is one change of each thing that a bundle says, and the lines that must tell
// of it when the verifier itself made it, and signed.
func (s *stand) tampering() map[string]struct {
	edit  func(*bundle.Bundle)
	lines string // names of lines that are not ok when the verifier signs the change
} {
	type c = struct {
		edit  func(*bundle.Bundle)
		lines string
	}
	return map[string]c{
		"prompt":             {func(b *bundle.Bundle) { b.Transcript.Request.Prompt[1]++ }, "request"},
		"seed":               {func(b *bundle.Bundle) { b.Transcript.Request.Sampling.Seed++ }, "request"},
		"id":                 {func(b *bundle.Bundle) { b.Transcript.Tokens[4]++ }, "hash chain"},
		"id left out":        {func(b *bundle.Bundle) { b.Transcript.Tokens = b.Transcript.Tokens[:35] }, "hash chain"},
		"receipt's chain":    {func(b *bundle.Bundle) { b.Transcript.Receipt.Chain[0]++ }, "signature"},
		"receipt's count":    {func(b *bundle.Bundle) { b.Transcript.Receipt.Tokens++ }, "signature"},
		"receipt's finish":   {func(b *bundle.Bundle) { b.Transcript.Receipt.Finish = targon.FinishStop }, "signature"},
		"signature":          {func(b *bundle.Bundle) { b.Transcript.Receipt.Signature[0]++ }, "signature"},
		"rate":               {func(b *bundle.Bundle) { b.Opened.AuditPPM = 0 }, "draw"},
		"commitment":         {func(b *bundle.Bundle) { b.Opened.SecretHash[0]++ }, "epoch secret"},
		"epoch's beginning":  {func(b *bundle.Bundle) { b.Opened.Block = 105 }, "arrival"},
		"epoch":              {func(b *bundle.Bundle) { b.Opened.Epoch++ }, "arrival"},
		"epoch's end":        {func(b *bundle.Bundle) { b.Closed.Block = 104 }, "arrival"},
		"secret":             {func(b *bundle.Bundle) { b.Closed.Secret[0]++ }, "epoch secret"},
		"root":               {func(b *bundle.Bundle) { b.Closed.Root[0]++ }, "merkle path"},
		"count of receipts":  {func(b *bundle.Bundle) { b.Closed.Receipts = 2 }, "merkle path"},
		"index":              {func(b *bundle.Bundle) { b.Index++ }, "merkle path"},
		"path":               {func(b *bundle.Bundle) { b.Path[1][0]++ }, "merkle path"},
		"height":             {func(b *bundle.Bundle) { b.Arrived.Block++ }, "merkle path"},
		"opted out":          {func(b *bundle.Bundle) { b.Arrived.OptedOut = true }, "arrival"},
		"another prover":     {func(b *bundle.Bundle) { b.Arrived.Prover[0]++ }, "request"},
		"another uid":        {func(b *bundle.Bundle) { b.Judged.UID++ }, "arrival"},
		"burst":              {func(b *bundle.Bundle) { b.Arrived.Timing.Burst = 1000 }, "merkle path"},
		"verdict's request":  {func(b *bundle.Bundle) { b.Judged.Verdict.Request[0]++ }, "request"},
		"verdict's receipt":  {func(b *bundle.Bundle) { b.Judged.Verdict.Receipt[0]++ }, "request"},
		"verdict's tokens":   {func(b *bundle.Bundle) { b.Judged.Verdict.Tokens++ }, "verdict"},
		"verdict's position": {func(b *bundle.Bundle) { b.Judged.Verdict.Position++ }, "verdict"},
		"verdict's winner":   {func(b *bundle.Bundle) { b.Judged.Verdict.Winner++ }, "verdict"},
		"verdict's claim":    {func(b *bundle.Bundle) { b.Judged.Verdict.Claimed++ }, "verdict"},
		"verdict's gap":      {func(b *bundle.Bundle) { b.Judged.Verdict.Gap *= 2; b.Judged.Verdict.Gap++ }, "verdict"},
		"verdict": {func(b *bundle.Bundle) {
			v := &b.Judged.Verdict
			v.Outcome, v.Reason = targon.Undecided, targon.ReasonAmbiguous
		}, "verdict"},
		"scores are left out": {func(b *bundle.Bundle) { b.Scores = nil }, "verdict"},
		"logit":               {func(b *bundle.Bundle) { b.Scores.Positions[2].Top[9].Logit -= 1e-6 }, "logits"},
		"claimed logit":       {func(b *bundle.Bundle) { b.Scores.Positions[2].Claimed.Logit += 1e-5 }, "logits"},
		"rank":                {func(b *bundle.Bundle) { b.Scores.Positions[2].Rank++ }, "logits"},
		"probability":         {func(b *bundle.Bundle) { b.Scores.Positions[2].LogProb -= 0.01 }, "logits"},
		"entropy":             {func(b *bundle.Bundle) { b.Scores.Positions[2].Drawn.Entropy += 0.01 }, "logits"},
		"highest left out":    {func(b *bundle.Bundle) { b.Scores.Positions[2].Top = b.Scores.Positions[2].Top[1:] }, "logits"},
		"vocabulary":          {func(b *bundle.Bundle) { b.Scores.Vocab++ }, "logits"},
		"weights":             {func(b *bundle.Bundle) { b.Scores.Weights[0]++ }, "verdict logits"},
	}
}

func clone(t *testing.T, b bundle.Bundle) bundle.Bundle {
	t.Helper()
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := bundle.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever is changed, the seal tells which part it is; and where the verifier itself
// signs the change, the arithmetic tells.
func TestTampered(t *testing.T) {
	s := newStand(t)
	nulls := s.nulls(0.01)
	whole := map[string]bundle.Bundle{
		"by equality": s.judged(s.answer(s.engine, nil), nil),
		"by margins":  s.judged(s.answer(s.engine, another), nulls),
	}
	for kind, sound := range whole {
		aids := s.aids(sound, nulls)
		for name, c := range s.tampering() {
			b := clone(t, sound)
			c.edit(&b)
			if l := bundle.Check(b, aids).Of(bundle.LineSeal); l.Result != bundle.NotOK || !strings.Contains(l.Detail, "changed") && !strings.Contains(l.Detail, "not there") && !strings.Contains(l.Detail, "not signed") {
				t.Errorf("%s, %s: seal is %s: %s", kind, name, l.Result, l.Detail)
			}
			s.seal(&b)
			report := bundle.Check(b, aids)
			for line := range strings.SplitSeq(c.lines, " ") {
				if !strings.Contains(broken(report), line) {
					t.Errorf("%s, %s: %q is not ok, want %q", kind, name, broken(report), c.lines)
				}
			}
		}
	}
	for name, edit := range map[string]func(*bundle.Bundle){
		"tally": func(b *bundle.Bundle) { b.Judged.Verdict.Tally.Ids[0].Matches++ },
		"bet":   func(b *bundle.Bundle) { b.Judged.Verdict.Bet[2]-- },
		"null":  func(b *bundle.Bundle) { b.Judged.Verdict.Nulls[0].Stratum++ },
		"pack":  func(b *bundle.Bundle) { b.Judged.Verdict.Nulls[0].Pack[0]++ },
	} {
		b := clone(t, whole["by margins"])
		edit(&b)
		s.seal(&b)
		if got := broken(bundle.Check(b, s.aids(b, nulls))); !strings.Contains(got, "bet") {
			t.Errorf("%s: %q is not ok, want bet", name, got)
		}
	}
	short := s.judged(s.cut(), nulls)
	if r := short.Judged.Verdict.Reason; r != targon.ReasonTermination {
		t.Errorf("an answer that is cut short: %v", r)
	}
	short.Judged.Verdict.Reason, short.Judged.Verdict.Outcome = targon.ReasonWithin, targon.Passed
	s.seal(&short)
	if got := broken(bundle.Check(short, s.aids(short, nulls))); !strings.Contains(got, "verdict") {
		t.Errorf("a false end that passes: %q is not ok, want verdict", got)
	}
	b := clone(t, whole["by equality"])
	b.Seal.Signature[3]++
	if l := bundle.Check(b, bundle.Aids{}).Of(bundle.LineSeal); l.Result != bundle.NotOK || !strings.Contains(l.Detail, "verifier") {
		t.Errorf("seal by nobody: %v", l)
	}
}

func broken(r bundle.Report) string {
	var out []string
	for _, l := range r {
		if l.Result == bundle.NotOK {
			out = append(out, l.Name)
		}
	}
	return strings.Join(out, ", ")
}

// A mismatch that only one computation found convicts nobody.
func TestUnconfirmed(t *testing.T) {
	s := newStand(t)
	b := s.judged(s.answer(s.engine, another), nil)
	b.Again = nil
	s.seal(&b)
	if got := broken(bundle.Check(b, s.aids(b, nil))); got != "verdict" {
		t.Errorf("%q is not ok, want verdict", got)
	}
}

// vast is scores over so many ids, as a field of a file.
func vast(t *testing.T, vocab int) string {
	t.Helper()
	raw, err := targon.Scores{Vocab: vocab}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNoBundle(t *testing.T) {
	s := newStand(t)
	text, err := json.Marshal(s.judged(s.answer(s.engine, nil), nil))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) string {
		changed := map[string]json.RawMessage{}
		maps.Copy(changed, fields)
		if changed[name] = json.RawMessage(value); value == "" {
			delete(changed, name)
		}
		out, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	for name, text := range map[string]string{
		"empty": "", "a list": "[]", "no format": "{}", "another format": with("format", `"targon/bundle/v9"`),
		"unknown field": with("more", "1"), "no transcript": with("transcript", ""), "no entry": with("opened", ""),
		"another entry": with("opened", string(fields["closed"])), "half a base64": with("judged", `"AAA"`),
		"scores of nothing": with("scores", `"AAAA"`), "path without end": with("path", "["+strings.Repeat(`"`+strings.Repeat("0", 64)+`",`, 40)+`"`+strings.Repeat("0", 64)+`"]`),
		"band": with("replay", `{"noise":"targon","band":-1}`), "noise": with("replay", `{"noise":"loud","band":0}`),
		"no model has so many ids": with("scores", vast(t, 1<<20+1)), "two of them": string(text) + "{}", "cut": string(text[:len(text)/2]),
		"twice": `{"index":1,` + string(text[1:]), "twice in capitals": `{"INDEX":1,` + string(text[1:]),
		"twice further in": strings.Replace(string(text), `"seal":{`, `"seal":{"\u017fignature":"x",`, 1),
	} {
		if _, err := bundle.Decode(strings.NewReader(text)); !errors.Is(err, bundle.ErrBundle) {
			t.Errorf("%s: %v, want ErrBundle", name, err)
		}
	}
}

// A file cannot ask for days of work.
func TestWorkIsBounded(t *testing.T) {
	s := newStand(t)
	b := s.judged(s.answer(s.engine, nil), nil)
	b.Scores.Vocab = 1 << 20
	for tokens, want := range map[int]error{2048: nil, 2049: bundle.ErrBundle} {
		b.Transcript.Tokens = make([]targon.TokenID, tokens)
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.Decode(bytes.NewReader(text)); !errors.Is(err, want) {
			t.Errorf("%d positions over 2^20 ids: %v, want %v", tokens, err, want)
		}
	}
}

// toys are bundles of two ids out of four, small enough to be mutated.
func toys(t testing.TB) []bundle.Bundle {
	s := &stand{t: t, verifier: signer(t, 1), prover: signer(t, 2)}
	all := []targon.Scored{{ID: 2, Logit: 9}, {ID: 0, Logit: 1}, {ID: 1, Logit: 1}, {ID: 3, Logit: -1}}
	sampling := targon.Draw{Norm: 0.1, Kept: 1, Entropy: 0.5, Varentropy: 0.25}
	position := targon.Position{Claimed: all[0], Top: all, Drawn: sampling}
	tr := targon.Transcript{Tokens: []targon.TokenID{2, 2}, Request: targon.Request{
		Verifier: s.verifier.Hotkey(), Prover: s.prover.Hotkey(), Model: "toy", Prompt: []targon.TokenID{1}, Sampling: targon.Sampling{Temperature: 0.5}, MaxTokens: 2,
	}}
	tr.Receipt = targon.ReceiptFor(tr.Request, tr.Tokens, targon.FinishLength)
	tr.Receipt.Signature, _ = s.prover.Sign(tr.Receipt.Message())
	var out []bundle.Bundle
	for _, margins := range []bool{false, true} {
		b := bundle.Bundle{Transcript: tr, Scores: &targon.Scores{Vocab: 4, EOS: []targon.TokenID{3}, Positions: []targon.Position{position, position}}}
		v, _ := proof.Judge(tr, *b.Scores, nil)
		if margins {
			b.Replay.Band = 0.5
			v, _ = proof.Weigh(tr, *b.Scores, proof.Replay{Band: 0.5})
		}
		b.Judged = targon.Judged{Epoch: 7, UID: 3, Verdict: v}
		s.record(&b)
		out = append(out, b)
	}
	return out
}

// The smallest bundles hold as well.
func TestToys(t *testing.T) {
	for _, b := range toys(t) {
		if r := bundle.Check(b, bundle.Aids{}); !r.Holds() {
			t.Errorf("%v: %s", b.Judged.Verdict.Reason, broken(r))
		}
	}
}

// Change any byte of a file: it is no bundle, or it does not hold, or it says the same.
func TestEveryByteCounts(t *testing.T) {
	for _, b := range toys(t) {
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			changed := bytes.Clone(text)
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			changed[at] = rapid.SampledFrom([]byte("0123456789abcdefABCDEF+/=,.-e \"{}[]")).Draw(t, "byte")
			got, err := bundle.Decode(bytes.NewReader(changed))
			if err == nil && !cmp.Equal(got, b) && bundle.Check(got, bundle.Aids{}).Holds() {
				t.Fatalf("byte %d: %s", at, cmp.Diff(b, got))
			}
		})
	}
}

// What is read is written as the same bundle.
func FuzzDecode(f *testing.F) {
	for _, b := range toys(f) {
		text, err := json.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"format":"targon/bundle/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := bundle.Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		_ = bundle.Check(b, bundle.Aids{})
		_ = bundle.Explain(b, nil)
		again, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		second, err := bundle.Decode(bytes.NewReader(again))
		if err != nil {
			t.Fatal(err)
		}
		if third, err := json.Marshal(second); err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%v: %s, then %s", err, again, third)
		}
	})
}

// The pictures and the words, as files that people can look at.
func TestGolden(t *testing.T) {
	s := newStand(t)
	for name, c := range map[string]struct {
		b     bundle.Bundle
		spell func(targon.TokenID) string
	}{
		"passed":  {s.judged(s.answer(s.engine, nil), nil), s.model.Spelling},
		"failed":  {s.judged(s.answer(s.engine, another), nil), nil},
		"margins": {s.judged(s.answer(s.engine, another), s.nulls(0.01)), s.model.Spelling},
	} {
		var out bytes.Buffer
		fmt.Fprintf(&out, "<!-- %s -->\n", strings.ReplaceAll(bundle.Explain(c.b, c.spell), "--", "- -"))
		if err := bundle.Plot(&out, c.b, s.nulls(0.01), c.spell); err != nil {
			t.Fatal(err)
		}
		path := "testdata/" + name + ".svg"
		if *update {
			if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Text of ids and names of models come from others: nothing of it becomes markup.
func TestPlotEscapes(t *testing.T) {
	s := newStand(t)
	b := s.judged(s.answer(s.engine, another), nil)
	b.Transcript.Request.Model = `<script>alert("x")</script>`
	b.Scores.Weights = b.Transcript.Request.Weights
	var out bytes.Buffer
	if err := bundle.Plot(&out, b, nil, func(targon.TokenID) string { return "</text><script>\x00&\xff" }); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "<script") || bytes.ContainsRune(out.Bytes(), 0) || !utf8.Valid(out.Bytes()) {
		t.Error("text becomes markup")
	}
	b.Scores = nil
	if bundle.Plot(&out, b, nil, nil) == nil {
		t.Error("a picture of nothing")
	}
}
