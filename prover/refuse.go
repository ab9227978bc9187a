package prover

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"targon"
	"targon/wire/ask"
	"targon/wire/epistula"
)

// Why a request is refused or an answer cut, besides what epistula and the engine say.
var (
	errBody     = errors.New("request is not as described")
	errProver   = errors.New("request names another prover")
	errVerifier = errors.New("request names another verifier than signed it")
	errWeights  = errors.New("weights not served here")
	errDeadline = errors.New("deadline passed")
	errEmpty    = errors.New("engine drew no id")
	errShort    = errors.New("engine stopped before the end")
	errPanic    = errors.New("engine panicked")
	errGone     = errors.New("asker does not read")
)

// outcome is what a caller is told of an error. Messages are constant and short,
// so that an answer is never longer than what provoked it, and tells nothing of
// this machine.
type outcome struct {
	status              int
	message, kind, code string
	ours                bool // worth an operator's look
}

// outcomeOf is the only place that maps errors to statuses.
func outcomeOf(err error) outcome {
	const invalid, server = "invalid_request_error", "server_error"
	if status, message, ok := epistula.Status(err); ok {
		return outcome{status, message, "authentication_error", "envelope", false}
	}
	switch {
	case errors.Is(err, targon.ErrBusy):
		return outcome{http.StatusTooManyRequests, "over capacity", "rate_limit_error", "busy", false}
	case errors.Is(err, targon.ErrRequest), errors.Is(err, errBody):
		return outcome{http.StatusBadRequest, "invalid request", invalid, "request", false}
	case errors.Is(err, errProver), errors.Is(err, errVerifier):
		return outcome{http.StatusForbidden, "not for these parties", invalid, "parties", false}
	case errors.Is(err, errWeights):
		return outcome{http.StatusNotFound, "weights not served here", invalid, "weights", false}
	case errors.Is(err, errDeadline):
		return outcome{http.StatusGatewayTimeout, "deadline passed", server, "deadline", false}
	case errors.Is(err, errGone), errors.Is(err, context.Canceled):
		return outcome{http.StatusInternalServerError, "asker went away", server, "gone", false}
	default:
		return outcome{http.StatusInternalServerError, "engine failed", server, "engine", true}
	}
}

func failure(o outcome) ask.Failure {
	var f ask.Failure
	f.Error.Message, f.Error.Type, f.Error.Code = o.message, o.kind, o.code
	return f
}

// refuse answers a request that has no answer.
func (p *Prover) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p.report(r, err)
	o := outcomeOf(err)
	switch o.status {
	case http.StatusTooEarly:
		w.Header().Set("Retry-After", strconv.Itoa(p.guard.RetryAfter()))
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	body, err := json.Marshal(failure(o))
	if err != nil {
		panic("internal error: constant failure does not encode")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(o.status)
	_, _ = w.Write(body) // a caller that has gone cannot be told so
}

// report logs what became of a request: here and nowhere else. It never logs what
// was asked or answered.
func (p *Prover) report(r *http.Request, err error) {
	o, hint := outcomeOf(err), hintOf(err)
	switch {
	case o.ours:
		p.c.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	case hint != "" && p.mayHint():
		p.c.Log.WarnContext(r.Context(), "request refused", "path", r.URL.Path, "status", o.status, "error", err, "hint", hint)
	default:
		p.c.Log.DebugContext(r.Context(), "request refused", "path", r.URL.Path, "status", o.status, "error", err)
	}
}

// hintOf is for refusals that may well be this machine's fault: a prover that refuses
// everybody is ready, earns nothing, and its operator should hear why.
func hintOf(err error) string {
	switch {
	case errors.Is(err, epistula.ErrStale):
		return "if this goes on, set this machine's clock: it must be right within two seconds"
	case errors.Is(err, errWeights):
		return "if this goes on, serve the model that verifiers ask for: --model"
	}
	return ""
}

// hintAgain is the least time between two hints, since strangers can provoke them.
const hintAgain = time.Minute

func (p *Prover) mayHint() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.c.Now()
	if !p.hinted.IsZero() && now.Sub(p.hinted).Abs() < hintAgain {
		return false
	}
	p.hinted = now
	return true
}
