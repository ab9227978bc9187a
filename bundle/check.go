package bundle

import (
	"errors"
	"fmt"
	"slices"

	"targon"
	"targon/challenge"
	"targon/evidence"
	"targon/merkle"
	"targon/proof"
	"targon/sign"
)

// Result is what one line of a report says.
type Result uint8

// Results.
const (
	NotChecked Result = iota // what it takes is not at hand: the line says what
	OK                       // computed again, and the same
	NotOK                    // computed again, and something else
)

var resultNames = [...]string{"not checked", "ok", "not ok"}

// String returns the words for people.
func (r Result) String() string { return resultNames[min(int(r), len(resultNames)-1)] }

// MarshalText returns the words for people.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Line is what became of one check.
type Line struct {
	Name   string `json:"name"`
	Result Result `json:"result"`
	Detail string `json:"detail,omitempty"`
}

// Report is what became of all checks.
type Report []Line

// Holds reports whether all that could be checked is as the bundle says.
func (r Report) Holds() bool {
	return !slices.ContainsFunc(r, func(l Line) bool { return l.Result == NotOK })
}

// Of returns the line of a name.
func (r Report) Of(name string) Line {
	for _, l := range r {
		if l.Name == name {
			return l
		}
	}
	return Line{Name: name, Detail: "no such check"}
}

// Aids are what the one who checks has beside the bundle.
type Aids struct {
	Nulls  *evidence.Nulls // the packs that a verdict by margins names; nil: not at hand
	Scores *targon.Scores  // the answer scored again, for [Bundle.Need]; nil: no model at hand
	Why    string          // why there are no Scores
	Vocab  int             // how many ids the model has; 0: no model at hand
	Ledger *Ledger         // the verifier's; nil: not at hand
	Chain  *Chain          // nil: nobody has asked it
}

// Names of the lines of a report, in their order.
const (
	LineSeal      = "seal"
	LineRequest   = "request"
	LineSignature = "signature"
	LineChain     = "hash chain"
	LineStructure = "structure"
	LineArrival   = "arrival"
	LineSecret    = "epoch secret"
	LineDraw      = "draw"
	LinePath      = "merkle path"
	LineVerdict   = "verdict"
	LineBet       = "bet"
	LineLogits    = "logits"
	LineLedger    = "ledger"
	LineBlock     = "chain block"
	LineSlots     = "registration"
)

// Check repeats all that a bundle shows.
func Check(b Bundle, a Aids) Report {
	c := checker{b: b, a: a}
	c.say(LineSeal, c.seal())
	c.say(LineRequest, c.request())
	c.receipt()
	c.say(LineArrival, c.arrival())
	c.say(LineSecret, c.secret())
	c.say(LineDraw, c.draw())
	c.say(LinePath, c.tree())
	c.say(LineVerdict, c.verdict())
	c.say(LineBet, c.bet())
	c.say(LineLogits, c.logits())
	c.say(LineLedger, c.ledger())
	c.say(LineBlock, c.block())
	c.say(LineSlots, c.slots())
	return c.report
}

// unchecked is an error that says why something was not checked.
type unchecked string

func (u unchecked) Error() string { return string(u) }

// holds is an error that says what was found to be right.
type holds string

func (h holds) Error() string { return string(h) }

type checker struct {
	b      Bundle
	a      Aids
	report Report
}

// say adds a line: ok for nil.
func (c *checker) say(name string, err error) {
	l := Line{Name: name, Result: OK}
	if err != nil {
		l.Detail = err.Error()
	}
	switch err.(type) { //nolint:errorlint // these two are made here and never wrapped
	case nil, holds:
	case unchecked:
		l.Result = NotChecked
	default:
		l.Result = NotOK
	}
	c.report = append(c.report, l)
}

// seal compares each part with what the verifier signed.
func (c *checker) seal() error {
	have, err := c.b.parts()
	if err != nil {
		return err
	}
	signed := c.b.Seal.Parts
	for i, p := range have {
		if i >= len(signed) || signed[i].Name != p.Name {
			return fmt.Errorf("%s is there and not signed", p.Name)
		}
		if signed[i].SHA256 != p.SHA256 {
			return fmt.Errorf("%s was changed after the verifier signed it", p.Name)
		}
	}
	if len(signed) > len(have) {
		return fmt.Errorf("%.16s is signed and not there", signed[len(have)].Name)
	}
	verifier := c.b.Transcript.Request.Verifier
	if err := sign.Verify(verifier, c.b.Seal.message(), c.b.Seal.Signature); err != nil {
		return fmt.Errorf("verifier %s: %w", verifier, err)
	}
	return holds(fmt.Sprintf("%d parts signed by verifier %s", len(have), verifier))
}

// request holds the ledger's entries to what was asked and answered.
func (c *checker) request() error {
	t, a, v := c.b.Transcript, c.b.Arrived, c.b.Judged.Verdict
	digest := t.Request.Digest()
	switch {
	case a.Request != digest:
		return fmt.Errorf("digest %s, the arrival is of request %s", digest, a.Request)
	case v.Request != digest:
		return fmt.Errorf("digest %s, the verdict is on request %s", digest, v.Request)
	case a.Prover != t.Request.Prover || v.Prover != a.Prover:
		return fmt.Errorf("asked of prover %s, recorded of %s, judged of %s", t.Request.Prover, a.Prover, v.Prover)
	case a.Receipt != t.Receipt:
		return errors.New("another receipt than the answer's is recorded")
	case v.Receipt != t.Receipt.Digest():
		return fmt.Errorf("receipt %s, the verdict is on receipt %s", t.Receipt.Digest(), v.Receipt)
	}
	return holds(fmt.Sprintf("digest %s, of %d prompt ids, answered with %d", digest, len(t.Request.Prompt), len(t.Tokens)))
}

// model is what proof must know of the model. Where nothing says how many ids it has, it
// has all that occur, as far as a model can.
func (c *checker) model() (m proof.Model, known bool) {
	m.Noise = c.b.Replay.Noise
	switch {
	case c.b.Scores != nil && c.b.Scores.Vocab > 0:
		m.Vocab, known = c.b.Scores.Vocab, true
	case c.a.Vocab > 0:
		m.Vocab, known = c.a.Vocab, true
	default:
		t := c.b.Transcript
		for _, id := range slices.Concat(t.Request.Prompt, t.Tokens) {
			m.Vocab = max(m.Vocab, min(int(id), maxVocab-1)+1)
		}
		m.Vocab = min(max(m.Vocab, 1), mostWork/max(len(t.Tokens), 1))
	}
	return m, known
}

// receipt adds the lines of all that needs no model. What the verdict says is wrong is
// as it should be.
func (c *checker) receipt() {
	t, reason := c.b.Transcript, c.b.Judged.Verdict.Reason
	line := func(name string, err error, as targon.Reason) {
		switch {
		case err != nil && reason == as:
			err = holds(fmt.Sprintf("is bad, as the verdict says: %v", err))
		case err == nil && reason == as:
			err = errors.New("is good, and the verdict says that it is not")
		}
		c.say(name, err)
	}
	if err := sign.Verify(t.Request.Prover, t.Receipt.Message(), t.Receipt.Signature); err == nil && reason != targon.ReasonSignature {
		c.say(LineSignature, holds(fmt.Sprintf("prover %s signed receipt %s", t.Request.Prover, t.Receipt.Digest())))
	} else {
		line(LineSignature, err, targon.ReasonSignature)
	}
	want := targon.ReceiptFor(t.Request, t.Tokens, t.Receipt.Finish)
	var chain error
	if t.Receipt.Request != want.Request {
		chain = errors.New("the receipt is for another request")
	} else if t.Receipt.Chain != want.Chain {
		chain = fmt.Errorf("the receipt commits to %s, these ids give %s", t.Receipt.Chain, want.Chain)
	}
	line(LineChain, chain, targon.ReasonChain)
	if reason == targon.ReasonSignature || reason == targon.ReasonChain {
		c.say(LineStructure, unchecked("the verdict was decided before"))
		return
	}
	m, known := c.model()
	v, _, _ := proof.Precheck(t, m)
	switch {
	case !known && v.Reason != targon.ReasonStructure && reason == targon.ReasonStructure:
		c.say(LineStructure, unchecked("how many ids the model has is not known: name its file with --model"))
	case v.Reason != targon.ReasonStructure && v.Reason != targon.ReasonOurs:
		c.say(LineStructure, nil) // also when the ids' finish contradicts them, which scores tell
	case reason == v.Reason:
		c.say(LineStructure, holds("contradicts itself, as the verdict says: "+v.Detail))
	default:
		c.say(LineStructure, errors.New(v.Detail))
	}
}

func (c *checker) arrival() error {
	o, a, j, e := c.b.Opened, c.b.Arrived, c.b.Judged, c.b.Closed
	switch {
	case a.Status != targon.StatusComplete || a.OptedOut:
		return fmt.Errorf("an answer that ended %s, opted out %v, is not audited", a.Status, a.OptedOut)
	case a.Epoch != o.Epoch || j.Epoch != o.Epoch || e.Epoch != o.Epoch:
		return fmt.Errorf("opened, arrived, judged and closed in epochs %d, %d, %d, %d", o.Epoch, a.Epoch, j.Epoch, e.Epoch)
	case a.Block < o.Block || a.Block >= e.Block:
		return fmt.Errorf("arrived at height %d, the epoch is from %d to %d", a.Block, o.Block, e.Block)
	case j.UID != a.UID:
		return fmt.Errorf("arrived from uid %d, judged of uid %d", a.UID, j.UID)
	case c.b.Rate != nil && (c.b.Rate.Epoch != o.Epoch || c.b.Rate.Prover != a.Prover):
		return fmt.Errorf("the rate is of epoch %d and prover %s", c.b.Rate.Epoch, c.b.Rate.Prover)
	}
	return holds(fmt.Sprintf("at height %d, in epoch %d (%d to %d)", a.Block, a.Epoch, o.Block, e.Block-1))
}

func (c *checker) secret() error {
	if got := challenge.Commitment(targon.Secret(c.b.Closed.Secret)); got != c.b.Opened.SecretHash {
		return fmt.Errorf("its hash is %s, committed to was %s", got, c.b.Opened.SecretHash)
	}
	return holds("as committed to before the epoch")
}

// rate is at how many per million the prover's receipts were audited.
func (b Bundle) rate() uint32 {
	if b.Rate != nil {
		return b.Rate.AuditPPM
	}
	return b.Opened.AuditPPM
}

func (c *checker) draw() error {
	ppm := c.b.rate()
	if !challenge.Drawn(targon.Secret(c.b.Closed.Secret), c.b.Transcript.Receipt.Digest(), c.b.Block, ppm) {
		return fmt.Errorf("at %d per million this receipt was not to be audited", ppm)
	}
	return holds(fmt.Sprintf("to be audited, at %d per million", ppm))
}

func (c *checker) tree() error {
	leaf, err := c.b.Leaf()
	switch {
	case err != nil:
		return err
	case c.b.Closed.Root == targon.Digest{}:
		return unchecked("the epoch was closed without a root")
	case !merkle.Verify(c.b.Closed.Root, leaf, c.b.Index, c.b.Closed.Receipts, c.b.Path):
		return fmt.Errorf("does not lead from receipt %d of %d to root %s", c.b.Index, c.b.Closed.Receipts, c.b.Closed.Root)
	}
	return holds(fmt.Sprintf("receipt %d of %d under root %s", c.b.Index, c.b.Closed.Receipts, c.b.Closed.Root))
}
