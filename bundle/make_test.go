package bundle_test

import (
	"math"
	"testing"

	"targon"
	"targon/bundle"
	"targon/challenge"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/evidence"
	"targon/merkle"
	"targon/model"
	"targon/proof"
	"targon/sign"
)

func signer(t testing.TB, seed byte) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{seed})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// stand is the built-in model, a verifier, and a prover.
type stand struct {
	t                testing.TB
	model            *native.Model
	engine, foreign  *native.Engine
	verifier, prover *sign.Key
}

func newStand(t testing.TB) *stand {
	t.Helper()
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{t: t, model: m, verifier: signer(t, 1), prover: signer(t, 2)}
	if s.engine, err = native.New(m, native.Options{}); err != nil {
		t.Fatal(err)
	}
	if s.foreign, err = native.New(m, native.Options{Foreign: native.LikeGPU(gguf.BF16)}); err != nil {
		t.Fatal(err)
	}
	return s
}

// answer is what an engine answers to a request, signed by the prover; edit changes ids
// before they are signed.
func (s *stand) answer(by *native.Engine, edit func([]targon.TokenID)) targon.Transcript {
	s.t.Helper()
	r := targon.Request{
		ID: targon.RequestID{1}, Verifier: s.verifier.Hotkey(), Prover: s.prover.Hotkey(), Model: s.model.Name(), Weights: s.model.Digest(),
		Salt: targon.Salt{2}, Prompt: s.model.Encode("Once upon a time", true), Sampling: targon.Sampling{Temperature: 1, Seed: 5}, MaxTokens: 36,
	}
	t := targon.Transcript{Request: r}
	for tok, err := range by.Generate(s.t.Context(), r) {
		if err != nil {
			s.t.Fatal(err)
		}
		t.Tokens = append(t.Tokens, tok.ID)
	}
	if edit != nil {
		edit(t.Tokens)
	}
	t.Receipt = targon.ReceiptFor(r, t.Tokens, targon.FinishLength)
	var err error
	if t.Receipt.Signature, err = s.prover.Sign(t.Receipt.Message()); err != nil {
		s.t.Fatal(err)
	}
	return t
}

func (s *stand) score(t targon.Transcript, need targon.Need) *targon.Scores {
	s.t.Helper()
	out, err := s.engine.Score(s.t.Context(), t.Request, t.Tokens, need)
	if err != nil {
		s.t.Fatal(err)
	}
	out.Kernel = "first" // the bits are the same on every machine, the kernel is not
	return &out
}

// judged judges a transcript as a verifier does: by equality, or by margins with packs.
func (s *stand) judged(t targon.Transcript, nulls *evidence.Nulls) bundle.Bundle {
	s.t.Helper()
	b := bundle.Bundle{Transcript: t}
	v, need, more := proof.Precheck(t, proof.Model{Vocab: s.model.Vocab()})
	switch {
	case !more:
	case nulls != nil:
		b.Scores = s.score(t, need)
		v, _ = proof.Weigh(t, *b.Scores, proof.Replay{})
		v.Nulls, _ = nulls.Of(t.Request, len(t.Tokens))
		bets, ok := nulls.Bets(v.Nulls)
		if !ok {
			s.t.Fatal("no null")
		}
		bet := bets.Of(v.Tally)
		v.Bet = bet[:]
		v = proof.Ended(proof.Settle(v, bet.Surprising()), t, *b.Scores, proof.Replay{}, bets.FalseEnd)
	default:
		b.Scores = s.score(t, need)
		var ask proof.Ask
		if v, ask = proof.Judge(t, *b.Scores, nil); ask.Confirm {
			b.Again = s.score(t, ask.Need)
			b.Again.Kernel = "second"
			v, _ = proof.Judge(t, *b.Scores, b.Again)
		}
	}
	b.Judged = targon.Judged{Epoch: 7, UID: 3, Verdict: v}
	s.record(&b)
	return b
}

// record draws up what the ledger says about a judged answer, and seals it.
func (s *stand) record(b *bundle.Bundle) {
	s.t.Helper()
	secret := targon.Secret{3}
	t := b.Transcript
	b.Opened = targon.EpochOpened{Epoch: 7, Block: 100, SecretHash: challenge.Commitment(secret), AuditPPM: 500_000}
	b.Arrived = targon.Arrived{
		Epoch: 7, UID: 3, Prover: t.Request.Prover, Origin: targon.OriginChallenge, Status: targon.StatusComplete, Block: 104,
		Request: t.Request.Digest(), Receipt: t.Receipt, Timing: targon.Timing{First: 1, Total: 1000, Burst: 50, Ended: 1},
	}
	for b.Block = (targon.Digest{1}); !challenge.Drawn(secret, t.Receipt.Digest(), b.Block, b.Opened.AuditPPM); b.Block[0]++ {
	}
	leaf, err := b.Leaf()
	if err != nil {
		s.t.Fatal(err)
	}
	leaves := []targon.Digest{merkle.Leaf([]byte("a")), merkle.Leaf([]byte("b")), leaf, merkle.Leaf([]byte("c")), merkle.Leaf([]byte("d"))}
	b.Index, b.Path = 2, merkle.Path(leaves, 2)
	b.Closed = targon.EpochClosed{Epoch: 7, Block: 112, Secret: targon.Digest(secret), Root: merkle.Root(leaves), Receipts: uint32(len(leaves))}
	s.seal(b)
}

func (s *stand) seal(b *bundle.Bundle) {
	s.t.Helper()
	if err := b.Sign(s.verifier); err != nil {
		s.t.Fatal(err)
	}
}

// aids are everything that can be at hand.
func (s *stand) aids(b bundle.Bundle, nulls *evidence.Nulls) bundle.Aids {
	if b.Scores == nil {
		return bundle.Aids{Nulls: nulls, Why: "no model", Vocab: s.model.Vocab()}
	}
	return bundle.Aids{Nulls: nulls, Scores: s.score(b.Transcript, b.Need())}
}

// nulls is a made-up pack: honest logits differ by Gaussian noise of width sigma.
func (s *stand) nulls(sigma float64) *evidence.Nulls {
	s.t.Helper()
	p := evidence.NewPack()
	p.Model, p.Prover, p.Verifier, p.Sampler, p.Weights = s.model.Name(), "a", "b", "targon", s.model.Digest()
	stratum := evidence.Stratum{MinTemperature: 0.9, MaxTemperature: 1.1, MaxLength: 256, Positions: 1, Seeds: 16}
	for c := range targon.GapClass(targon.GapClasses) {
		const draws = 1_000_000
		gap := math.Exp2(-20 + (float64(c)-0.5)/4)
		stratum.Counts = append(stratum.Counts, evidence.Draws{Class: c, Draws: draws, Flips: uint64(draws * 0.5 * math.Erfc(gap/sigma/math.Sqrt2))})
	}
	p.Strata = []evidence.Stratum{stratum}
	n, err := evidence.NewNulls(p)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func another(ids []targon.TokenID) { ids[9]++ }
