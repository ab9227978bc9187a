package node

import (
	"bytes"
	"testing"
	"time"

	"targon"
	"targon/bundle"
	"targon/sign"
)

// sampleUserBundle is one of a request, with scores that take about so many bytes.
func sampleUserBundle(t *testing.T, key *sign.Key, n byte, bytes int) bundle.Bundle {
	t.Helper()
	r := targon.Request{
		ID: targon.RequestID{n}, Verifier: key.Hotkey(), Prover: key.Hotkey(), Model: "m", Prompt: []targon.TokenID{1}, MaxTokens: 1,
	}
	x := targon.Transcript{Request: r, Tokens: []targon.TokenID{2}, Receipt: targon.ReceiptFor(r, []targon.TokenID{2}, targon.FinishLength)}
	b := bundle.Bundle{Transcript: x, Arrived: targon.Arrived{
		Prover: r.Prover, Origin: targon.OriginOrganic, Status: targon.StatusComplete, Request: r.Digest(), Receipt: x.Receipt,
	}}
	b.Judged.Verdict = targon.Verdict{Request: r.Digest(), Receipt: x.Receipt.Digest(), Prover: r.Prover, Outcome: targon.Passed, Reason: targon.ReasonEqual}
	if bytes > 0 {
		b.Scores = &targon.Scores{Vocab: 8, Positions: make([]targon.Position, bytes/128)}
	}
	return b
}

func TestUserShelf(t *testing.T) {
	key, err := sign.FromSeed(targon.Secret{1})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_790_000_000, 0)
	s := newUserShelf(key, time.Hour)
	s.now = func() time.Time { return now }
	s.most, s.bytes = 3, 20_000
	s.fate = func(targon.Digest) targon.Fate { return targon.FateGone }
	of := func(n byte) targon.Digest { return sampleUserBundle(t, key, n, 0).Arrived.Request }
	want := func(when string, fates ...targon.Fate) {
		t.Helper()
		for n, f := range fates {
			fate, file, err := s.Bundle(t.Context(), of(byte(n)))
			if err != nil || fate != f || (len(file) > 0) != (f == targon.FateReady) {
				t.Errorf("%s, request %d: %s with %d bytes, %v, want %s", when, n, fate, len(file), err, f)
			}
		}
	}
	const ready, gone = targon.FateReady, targon.FateGone
	put := s.taker()
	put(sampleUserBundle(t, key, 0, 0))
	put(sampleUserBundle(t, key, 0, 0))
	now = now.Add(time.Minute)
	put(sampleUserBundle(t, key, 1, 0))
	put(sampleUserBundle(t, key, 2, 0))
	want("all fit", ready, ready, ready)
	put(sampleUserBundle(t, key, 3, 0))
	want("the oldest gives way to a fourth", gone, ready, ready, ready)
	put(sampleUserBundle(t, key, 4, 14_000))
	want("and as many as it takes to one that is large", gone, gone, gone, ready, ready)
	put(sampleUserBundle(t, key, 5, 30_000))
	want("one that never fits drives nobody out", gone, gone, gone, ready, ready, gone)
	now = now.Add(time.Hour)
	want("an hour later", gone, gone, gone, gone, gone)
	if s.used != 0 || len(s.held) != 0 || len(s.line) != 0 {
		t.Errorf("an empty shelf holds %d bytes, %d, %d", s.used, len(s.held), len(s.line))
	}
	put(sampleUserBundle(t, key, 6, 0))
	now = now.Add(time.Hour - 1)
	want("up to its time", gone, gone, gone, gone, gone, gone, ready)
	now = now.Add(1)
	want("and no longer", gone, gone, gone, gone, gone, gone, gone)

	if newUserShelf(key, 0).taker() != nil {
		t.Error("a shelf that keeps nothing takes something")
	}
}

// TestUserShelfSeals: what is fetched is a bundle that the verifier has sealed.
func TestUserShelfSeals(t *testing.T) {
	key, err := sign.FromSeed(targon.Secret{1})
	if err != nil {
		t.Fatal(err)
	}
	s := newUserShelf(key, time.Hour)
	b := sampleUserBundle(t, key, 1, 0)
	asked := 0
	s.fate = func(targon.Digest) targon.Fate { // handed over just while it is looked for
		if asked++; asked == 1 {
			s.put(b)
		}
		return targon.FateGone
	}
	fate, file, err := s.Bundle(t.Context(), b.Arrived.Request)
	if err != nil || fate != targon.FateReady {
		t.Fatalf("%s, %v", fate, err)
	}
	got, err := bundle.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if l := bundle.Check(got, bundle.Aids{}).Of(bundle.LineSeal); l.Result != bundle.OK {
		t.Errorf("seal: %s %s", l.Result, l.Detail)
	}
}
