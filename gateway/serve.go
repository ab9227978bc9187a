package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"targon"
	"targon/sign"
)

const recordTime = 10 * time.Second

// complete serves one endpoint.
func (g *Gateway) complete(s shape, parse func(body) (order, error)) func(http.ResponseWriter, *http.Request, *pass) {
	return func(w http.ResponseWriter, r *http.Request, p *pass) {
		began := time.Now()
		if p.meter.left(p.PerDay, began) == 0 {
			p.meter.add(use{ending: limited}, began)
			writeError(w, &laterError{errQuota, untilTomorrow(began)})
			return
		}
		o, drafts, err := g.accept(w, r, parse)
		if err != nil {
			p.meter.add(use{ending: refused}, began)
			writeError(w, err)
			return
		}
		g.stats.requests.Add(1)
		g.door.charge(p, len(drafts)-1)
		p.allowance(w.Header(), began)
		// A cancellation, not a deadline: the asker would pass a deadline on, and the
		// prover could tell users from challenges by it.
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		defer time.AfterFunc(g.c.Timeout, func() { cancel(errTimeout) }).Stop()
		out := newReply(w, s, o, g.c.Model)
		used, err := g.answers(ctx, drafts, out, p.holder)
		switch {
		case err == nil:
			g.stats.answered.Add(1)
		case r.Context().Err() != nil || errors.Is(err, errGone):
			g.stats.aborted.Add(1)
			used.ending = aborted
			out.fail(errGone) // who only closed his own direction hears it
		default:
			g.stats.failed.Add(1)
			used.ending = failed
			g.c.Log.WarnContext(ctx, "request failed", "err", err)
			out.fail(err)
		}
		p.meter.add(used, time.Now())
	}
}

// answers has drafts answered one after the other, and says what that took.
func (g *Gateway) answers(ctx context.Context, drafts []targon.Draft, out *reply, h *holder) (use, error) {
	var used use
	for i, d := range drafts {
		began := time.Now()
		out.choose(i)
		x, err := g.answer(ctx, out.order, d, out)
		if err == nil {
			g.claim(h, out, x)
			err = out.end(x)
		}
		used.prompt += uint32(len(d.Prompt))
		used.completion += out.drawn
		if !out.first.IsZero() {
			g.first.observe(out.first.Sub(began))
		}
		if err != nil {
			return used, err
		}
	}
	return used, out.close()
}

// accept reads a request up to the draft that a prover could be asked.
func (g *Gateway) accept(w http.ResponseWriter, r *http.Request, parse func(body) (order, error)) (order, []targon.Draft, error) {
	optedOut, err := auditHeader(r.Header)
	if err != nil {
		return order{}, nil, err
	}
	raw, err := readBody(w, r)
	if err != nil {
		return order{}, nil, err
	}
	done, err := g.turn(r.Context(), raw)
	if err != nil {
		return order{}, nil, err
	}
	defer done()
	b, err := parseBody(raw)
	if err != nil {
		return order{}, nil, err
	}
	o, err := parse(b)
	if err != nil {
		return order{}, nil, err
	}
	o.optedOut = optedOut
	if o.model != g.c.Model {
		return order{}, nil, g.noModel(o.model)
	}
	var out []targon.Draft
	for i := range max(1, len(o.prompts)) {
		d, err := g.draft(o, i)
		if err != nil {
			return order{}, nil, err
		}
		for range o.n {
			out = append(out, d)
		}
	}
	return o, out, nil
}

// auditHeader reads the one header of a user's that means something to us. It ends
// here: no prover sees whether a request can be audited.
func auditHeader(h http.Header) (optedOut bool, err error) {
	for _, v := range h.Values("X-Targon-Audit") {
		switch strings.ToLower(v) {
		case "no":
			optedOut = true
		case "", "yes":
		default:
			return false, badField("x-targon-audit", "want yes or no")
		}
	}
	return optedOut, nil
}

// draft encodes a prompt, by its number, and fits the answer into what is left of the
// context.
func (g *Gateway) draft(o order, number int) (targon.Draft, error) {
	if err := g.sized(o, number); err != nil {
		return targon.Draft{}, err
	}
	ids, err := g.prompt(o, number)
	if err != nil {
		return targon.Draft{}, err
	}
	room := g.c.Context - len(ids)
	if room < 1 || len(ids) > targon.MaxPromptTokens {
		return targon.Draft{}, fmt.Errorf("%w: %d tokens, at most %d", errContext, len(ids), g.c.Context-1)
	}
	n := o.maxTokens
	if n == 0 {
		n = defaultTokens
	}
	n = min(n, g.c.MaxTokens, uint32(min(room, targon.MaxOutputTokens)))
	return targon.Draft{
		Model: g.c.Model, Prompt: ids, MaxTokens: n,
		Temperature: o.temperature, TopK: o.topK, TopP: o.topP, MinP: o.minP,
	}, nil
}

func (g *Gateway) prompt(o order, number int) ([]targon.TokenID, error) {
	var ids []targon.TokenID
	var text string
	if len(o.prompts) > 0 {
		text = o.prompts[number]
	}
	if len(o.messages) > 0 {
		var err error
		if ids, err = g.c.Codec.Render(o.messages); err != nil && !errors.Is(err, ErrNoTemplate) {
			return nil, badField("messages", "the model's template does not take them")
		}
		text = joined(o.messages)
	}
	if ids == nil {
		ids = g.c.Codec.Encode(text, true)
	}
	if len(ids) == 0 {
		return nil, badField("prompt", "is empty")
	}
	return ids, nil
}

// joined is a conversation as plain text, for models without a template.
func joined(messages []Message) string {
	var all strings.Builder
	for i, m := range messages {
		if i > 0 {
			all.WriteByte('\n')
		}
		all.WriteString(m.Content)
	}
	return all.String()
}

// answer tries provers until one answers in full, or the user has seen part of an
// answer, or nobody is left.
func (g *Gateway) answer(ctx context.Context, o order, d targon.Draft, out *reply) (targon.Exchange, error) {
	tried := map[targon.Hotkey]bool{}
	last := errNoProver
	for range g.c.Attempts {
		n, ok := g.router.pick(tried, time.Now())
		if !ok {
			return targon.Exchange{}, last
		}
		tried[n.Hotkey] = true
		x, err := g.attempt(ctx, o, d, n, out)
		if err == nil {
			return x, nil
		}
		again := errors.Is(err, errBusy) || errors.Is(err, errProver) || errors.Is(err, ErrNeuron)
		if !again || out.shown {
			return x, err
		}
		last = err
	}
	return targon.Exchange{}, last
}

// attempt is one exchange with one prover, from the address to the record.
func (g *Gateway) attempt(ctx context.Context, o order, d targon.Draft, n targon.Neuron, out *reply) (targon.Exchange, error) {
	s := neutral
	defer func() { g.router.settle(n.Hotkey, s, time.Now()) }()
	req, err := g.c.Desk.Address(ctx, d, n)
	if err != nil {
		return targon.Exchange{}, fmt.Errorf("address request to uid %d: %w", n.UID, err)
	}
	out.begin(req.ID, g.c.Codec.Decoder())
	x, err := g.c.Asker.Ask(ctx, n, req, out.add)
	x.UID, x.Origin = n.UID, targon.OriginOrganic
	if x.Transcript.Request.Prompt == nil {
		x.Transcript.Request = req
	}
	err = conclude(ctx, &x, err, out.broken)
	if s = standingOf(x.Status); errors.Is(err, errReceipt) {
		s = bad // recorded as it came: what it is worth, proof decides
	}
	g.record(ctx, x, o.optedOut)
	return x, err
}

// conclude settles how an exchange ended and what the user is to hear. If somebody
// on our side let go, the prover is not to blame, whatever the wire looked like.
func conclude(ctx context.Context, x *targon.Exchange, err error, broken bool) error {
	switch {
	case err == nil && x.Status == targon.StatusComplete:
		return covered(x.Transcript)
	case errors.Is(context.Cause(ctx), errTimeout):
		x.Status = targon.StatusAborted
		return errTimeout
	case broken || ctx.Err() != nil:
		x.Status = targon.StatusAborted
		return errGone
	case err != nil:
		x.Status = targon.StatusOurs
		return fmt.Errorf("ask uid %d: %w", x.UID, err)
	case x.Status == targon.StatusBusy || x.Status == targon.StatusTooEarly:
		return errBusy
	case x.Status == targon.StatusOurs || x.Status == targon.StatusNone:
		x.Status = targon.StatusOurs
		return fmt.Errorf("ask uid %d: no result", x.UID)
	default:
		return errProver
	}
}

// covered checks that the prover signed what the user was given, before the user is
// given the receipt's name to rely on.
func covered(t targon.Transcript) error {
	want := targon.ReceiptFor(t.Request, t.Tokens, t.Receipt.Finish)
	want.Signature = t.Receipt.Signature
	if t.Receipt != want || sign.Verify(t.Request.Prover, want.Message(), want.Signature) != nil {
		return errReceipt
	}
	return nil
}

// record hands an exchange to the verifier, also when the user has gone. If that
// fails it is our loss: the user keeps the answer.
func (g *Gateway) record(ctx context.Context, x targon.Exchange, optedOut bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := g.c.Desk.Record(ctx, x, optedOut); err != nil {
		g.c.Log.ErrorContext(ctx, "record exchange", "uid", x.UID, "status", x.Status.String(), "err", err)
	}
}
