package ask

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"targon"
	"targon/wire/sse"
)

// exchange is one conversation under way.
type exchange struct {
	c       *Client
	x       *targon.Exchange
	aborted func() bool // whoever asked has gone

	sent      time.Time
	read      time.Time           // when bytes last came from the socket
	ids       chan<- targon.Token // to the caller; holds all that may come, so that it never blocks
	watch     *watch
	connected atomic.Bool
	offsets   []time.Duration
}

// A watch ends a context with a cause unless it is set again in time.
type watch struct {
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func (w *watch) set(d time.Duration, cause error) {
	w.stop()
	w.timer = time.AfterFunc(d, func() { w.cancel(cause) })
}

func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// errAway wraps what the caller's own callback returned.
var errAway = errors.New("asker went away")

// errMalformed is the root of every breach of the stream's grammar.
var errMalformed = errors.New("malformed stream")

// run sends, reads, and fills in the exchange. It returns faults of ours only.
func (e *exchange) run(parent context.Context, n targon.Neuron, o outgoing, each func(targon.Token) error) error {
	if err := e.c.reachable(n); err != nil {
		e.end(targon.StatusGone, err)
		return nil
	}
	limits := e.c.config.Limits
	total := limits.Total
	if d, ok := parent.Deadline(); ok {
		total = min(total, time.Until(d))
	}
	if total <= 0 { // nothing was sent, so nobody else is late
		return context.DeadlineExceeded
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	e.aborted = func() bool { return errors.Is(parent.Err(), context.Canceled) }
	overall := time.AfterFunc(total, func() { cancel(errTotal) })
	defer overall.Stop()
	e.watch = &watch{cancel: cancel}
	defer e.watch.stop()

	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { e.connected.Store(true) },
	})
	req, err := request(traced, n, http.MethodPost, Path)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", sse.ContentType)
	req.Header.Set("Content-Type", "application/json")
	if err := o.envelop(req, o, e.c.config.Now().Add(total)); err != nil {
		return err
	}
	defer e.deliver(each, cancel)()
	e.sent = time.Now()
	e.watch.set(limits.Header, errHeader)
	resp, err := e.c.http.Do(req)
	if err != nil {
		return e.unanswered(ctx, err)
	}
	defer resp.Body.Close()
	e.watch.set(limits.First-time.Since(e.sent), errFirst)
	if resp.StatusCode != http.StatusOK {
		e.refused(ctx, resp)
		return nil
	}
	err = e.stream(resp)
	// A receipt that came after its deadline is none, even if the timer that says
	// so has not fired yet.
	if err == nil && time.Since(e.sent) > total {
		err = errTotal
	}
	e.timing()
	e.conclude(ctx, err)
	return nil
}

// deliver starts handing ids to the caller, beside the reading: a slow caller must
// not make a prover look slow. The function that it returns waits for the last.
func (e *exchange) deliver(each func(targon.Token) error, cancel context.CancelCauseFunc) func() {
	if each == nil {
		return func() {}
	}
	ids, done := make(chan targon.Token, e.x.Transcript.Request.MaxTokens), make(chan struct{})
	e.ids = ids
	go func() {
		defer close(done)
		for t := range ids {
			if err := each(t); err != nil {
				cancel(fmt.Errorf("%w: %w", errAway, err))
				return
			}
		}
	}()
	return func() {
		close(ids)
		<-done
	}
}

// conclude maps how the stream ended to a status.
func (e *exchange) conclude(ctx context.Context, err error) {
	switch {
	case err == nil:
		e.end(targon.StatusComplete, nil)
	case e.aborted() || errors.Is(context.Cause(ctx), errAway):
		e.end(targon.StatusAborted, errAway)
	case ctx.Err() != nil:
		e.end(targon.StatusIncomplete, context.Cause(ctx))
	default:
		e.end(targon.StatusIncomplete, err)
	}
}

// unanswered maps the absence of a response to a status. A prover that took the
// connection and stays silent until a deadline is incomplete; one that cannot be
// reached, or hangs up before it says anything, is gone.
func (e *exchange) unanswered(ctx context.Context, err error) error {
	switch {
	case ours(err):
		return err
	case e.aborted():
		e.end(targon.StatusAborted, errAway)
	case ctx.Err() != nil && e.connected.Load():
		e.end(targon.StatusIncomplete, context.Cause(ctx))
	case ctx.Err() != nil:
		e.end(targon.StatusGone, context.Cause(ctx))
	default:
		e.end(targon.StatusGone, err)
	}
	return nil
}

// ours tells what this machine lacks from what the other one does.
func ours(err error) bool {
	for _, n := range [...]syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EADDRNOTAVAIL, syscall.ENETDOWN, syscall.ENETUNREACH,
	} {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}

// refused maps a response's status code to ours.
func (e *exchange) refused(ctx context.Context, resp *http.Response) {
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxDetail))
	if e.aborted() {
		e.end(targon.StatusAborted, errAway)
		return
	}
	status := targon.StatusRefused
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		status = targon.StatusBusy
	case http.StatusTooEarly:
		status = targon.StatusTooEarly
	}
	err := fmt.Errorf("http %d: %s", resp.StatusCode, said)
	if ctx.Err() != nil {
		err = fmt.Errorf("http %d, then %w", resp.StatusCode, context.Cause(ctx))
	}
	e.end(status, err)
}

// stamped notes when bytes came.
type stamped struct {
	r  io.Reader
	at *time.Time
}

func (s stamped) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	*s.at = time.Now()
	return n, err
}

// stream reads ids until the receipt and the end of the body.
func (e *exchange) stream(resp *http.Response) error {
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || media != sse.ContentType {
		return fmt.Errorf("%w: content type %q", errMalformed, resp.Header.Get("Content-Type"))
	}
	events := sse.NewReader(stamped{resp.Body, &e.read}, sse.Limits{Stream: e.c.config.Limits.Bytes})
	for {
		ev, err := events.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return fmt.Errorf("%w: no receipt", errMalformed)
			}
			return fmt.Errorf("read stream: %w", err)
		}
		switch ev.Name {
		case EventToken:
			if err := e.token(ev.Data); err != nil {
				return err
			}
		case EventReceipt:
			return e.receipt(ev.Data, events)
		case EventError:
			return fmt.Errorf("prover gave up: %s", ev.Data)
		default:
			return fmt.Errorf("%w: event %q", errMalformed, ev.Name)
		}
	}
}

func (e *exchange) token(data []byte) error {
	at := e.read.Sub(e.sent) // not now: how long we took to get here is not the prover's
	var t struct {
		ID   *targon.TokenID `json:"id"`
		Text *string         `json:"text"`
	}
	if err := json.Unmarshal(data, &t); err != nil || t.ID == nil || t.Text == nil {
		return fmt.Errorf("%w: token event", errMalformed)
	}
	r := e.x.Transcript.Request
	if uint32(len(e.x.Transcript.Tokens)) == r.MaxTokens {
		return fmt.Errorf("%w: more than %d ids", errMalformed, r.MaxTokens)
	}
	e.x.Transcript.Tokens = append(e.x.Transcript.Tokens, *t.ID)
	e.offsets = append(e.offsets, at)
	e.x.Timing.Ended = e.c.config.Now().UnixMilli()
	e.watch.set(e.c.config.Limits.Next, errStall)
	if e.ids != nil {
		e.ids <- targon.Token{ID: *t.ID, Text: *t.Text}
	}
	return nil
}

// receipt takes the last event; nothing may follow it.
func (e *exchange) receipt(data []byte, events *sse.Reader) error {
	var r targon.Receipt
	if err := strict(data, &r); err != nil {
		return fmt.Errorf("%w: receipt: %w", errMalformed, err)
	}
	e.watch.set(e.c.config.Limits.Next, errStall)
	if _, err := events.Next(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errMalformed
		}
		return fmt.Errorf("after the receipt: %w", err)
	}
	e.x.Transcript.Receipt = r
	return nil
}

// timing sums up the arrivals.
func (e *exchange) timing() {
	if len(e.offsets) == 0 {
		return
	}
	t := &e.x.Timing
	t.First, t.Total = e.offsets[0], e.offsets[len(e.offsets)-1]
	t.Burst = targon.BurstOf(e.offsets, t.Total)
}

// maxDetail is what of a prover's words is kept; a ledger keeps no more.
const maxDetail = 256

func (e *exchange) end(s targon.Status, why error) {
	e.x.Status = s
	if why != nil {
		e.x.Detail = printable(why.Error())
	}
}

// printable makes a stranger's text safe for logs and terminals.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	for len(s) > maxDetail {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimSpace(s)
}

// strict decodes one JSON value whose fields are all known.
func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the value")
	}
	return nil
}
