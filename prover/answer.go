package prover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"targon"
	"targon/wire/ask"
	"targon/wire/epistula"
	"targon/wire/sse"
)

// ask answers one request whose envelope was checked.
func (p *Prover) ask(w http.ResponseWriter, r *http.Request, who epistula.Principal, body []byte) {
	req, err := p.accept(who, body)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	release, ok := p.slots.take(who.Caller)
	if !ok {
		p.refuse(w, r, targon.ErrBusy)
		return
	}
	defer release()
	ctx, cancel := context.WithTimeoutCause(r.Context(), who.Deadline.Sub(p.c.Now()), errDeadline)
	defer cancel()
	a := &answer{p: p, w: w, req: req, release: release, chain: targon.NewChain(req.Digest())}
	err = a.stream(ctx)
	if err != nil {
		a.fail(r, err)
	}
	// The response may be used until here and no longer.
	if gone := a.close(); gone != nil && err == nil {
		p.report(r, gone)
	}
}

// accept reads a request and holds it against what this prover is.
func (p *Prover) accept(who epistula.Principal, body []byte) (targon.Request, error) {
	var req targon.Request
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return req, fmt.Errorf("%w: %w", errBody, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return req, fmt.Errorf("%w: data after the request", errBody)
	}
	if err := req.Validate(); err != nil {
		return req, err
	}
	switch {
	case req.Prover != p.c.Key.Hotkey():
		return req, errProver
	case req.Verifier != who.Caller:
		return req, errVerifier
	case req.Weights != p.c.Weights:
		return req, errWeights
	}
	return req, nil
}

// answer is one stream under way.
type answer struct {
	p       *Prover
	w       http.ResponseWriter
	req     targon.Request
	release func()

	out   *sse.Stream // nil until the first id: until then we can still refuse
	buf   bytes.Buffer
	chain targon.Chain
	last  targon.TokenID
}

// stream runs the engine and sends what it draws. Whatever happens, a panic of the
// engine included, ends this request only.
func (a *answer) stream(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, v, debug.Stack())
		}
	}()
	for t, err := range a.p.c.Engine.Generate(ctx, a.req) {
		// The end of the request explains every error that follows from it.
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("generate: %w", err)
		}
		if err := a.token(t); err != nil {
			return err
		}
		if a.chain.Len() == a.req.MaxTokens {
			break
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if a.chain.Len() == 0 {
		return errEmpty
	}
	// An engine that stops for want of memory or context has not finished. To sign
	// that as an end would be a false word of ours, and evidence against us.
	if a.chain.Len() < a.req.MaxTokens && len(a.p.c.EOS) > 0 && !a.ended() {
		return errShort
	}
	// From here the engine is free: whoever reads the receipt may ask again at once.
	a.release()
	return a.receipt()
}

func (a *answer) token(t targon.Token) error {
	if a.out == nil {
		a.out = sse.NewStream(sse.NewWriter(a.w, writeTime))
	}
	a.chain.Extend(t.ID)
	a.last = t.ID
	return a.send(ask.EventToken, t)
}

// close waits until what was sent is on its way.
func (a *answer) close() error {
	if a.out == nil {
		return nil
	}
	if err := a.out.Close(); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// ended reports whether the last id ends an answer.
func (a *answer) ended() bool { return slices.Contains(a.p.c.EOS, a.last) }

func (a *answer) receipt() error {
	finish := targon.FinishStop
	if a.chain.Len() == a.req.MaxTokens && !a.ended() {
		finish = targon.FinishLength
	}
	rec := targon.Receipt{
		Request: a.req.Digest(), Chain: a.chain.Head(), Finish: finish,
		PromptTokens: uint32(len(a.req.Prompt)), Tokens: a.chain.Len(),
	}
	var err error
	if rec.Signature, err = a.p.c.Key.Sign(rec.Message()); err != nil {
		return fmt.Errorf("sign receipt: %w", err)
	}
	return a.send(ask.EventReceipt, rec)
}

// send writes one event. HTML escaping is off: it would only make text longer.
func (a *answer) send(name string, v any) error {
	a.buf.Reset()
	e := json.NewEncoder(&a.buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	if err := a.out.Event(name, bytes.TrimSuffix(a.buf.Bytes(), []byte{'\n'})); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// fail tells the asker, if it can still hear, in constant words.
func (a *answer) fail(r *http.Request, err error) {
	a.release()
	if a.out == nil {
		a.p.refuse(a.w, r, err)
		return
	}
	a.p.report(r, err)
	if errors.Is(err, errGone) {
		return
	}
	_ = a.send(ask.EventError, failure(outcomeOf(err))) // nothing more can be done for it
}

const writeTime = 10 * time.Second
