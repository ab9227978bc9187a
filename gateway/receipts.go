package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"targon"
)

// Shelf gives out bundles of users' audited answers: files that `targon check` checks
// again. What it returns with any other fate than targon.FateReady is empty. It is asked
// only for requests that this gateway had recorded.
type Shelf interface {
	Bundle(ctx context.Context, request targon.Digest) (targon.Fate, []byte, error)
}

// mostClaims is how many of a key's last answers are remembered, so that whoever holds
// the key can fetch their bundles (own: about 300 bytes each).
const mostClaims = 4096

// claims remember which answers a key was given. A restart forgets them.
type claims struct {
	mu   sync.Mutex
	by   map[string]targon.Digest // request by the receipt's digest, and by the answer's id
	ring []claim                  // the oldest is at next, once it is full
	next int
}

type claim struct{ receipt, answer string }

// add notes that an answer is this key's.
func (c *claims) add(one claim, request targon.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]targon.Digest{}
	}
	if len(c.ring) < mostClaims {
		c.ring = append(c.ring, one)
	} else {
		delete(c.by, c.ring[c.next].receipt)
		delete(c.by, c.ring[c.next].answer)
		c.ring[c.next] = one
		c.next = (c.next + 1) % mostClaims
	}
	c.by[one.receipt], c.by[one.answer] = request, request
}

func (c *claims) find(id string) (targon.Digest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.by[id]
	return d, ok
}

// claim notes whose an answer is, before the user hears its receipt's name. Who could not
// get a bundle anyway is not remembered.
func (g *Gateway) claim(h *holder, out *reply, x targon.Exchange) {
	if g.c.Shelf != nil {
		t := x.Transcript
		h.claims.add(claim{t.Receipt.Digest().String(), out.answer}, t.Request.Digest())
	}
}

// What can be in the way of a bundle. The texts are for users.
var (
	errReceiptUnknown = errors.New("no such receipt of this key's: it was never given, or too long ago, or before a restart")
	errReceiptWaits   = errors.New("the answer is not judged yet: whether it is audited is drawn two blocks after it arrived")
	errReceiptOpen    = errors.New("the answer is audited: its bundle is made when its epoch closes and shows the secret it was drawn with")
	errReceiptSpared  = errors.New("the answer was not drawn for audit, so there is nothing to check again")
	errReceiptOptOut  = errors.New("the answer was kept out of audit by its own request (x-targon-audit: no)")
	errReceiptFault   = errors.New("the verifier could not judge the answer, by no fault of the prover's")
	errReceiptGone    = errors.New("the answer was audited, and its bundle is not kept, or not any more")
)

// receiptOf is what a fate other than ready is to the user who asked.
func receiptOf(f targon.Fate) error {
	switch f {
	case targon.FateWaiting:
		return &laterError{errReceiptWaits, 5 * time.Second}
	case targon.FateJudged:
		return &laterError{errReceiptOpen, 30 * time.Second}
	case targon.FateNotDrawn:
		return errReceiptSpared
	case targon.FateOptedOut:
		return errReceiptOptOut
	case targon.FateUndecided:
		return errReceiptFault
	case targon.FateGone:
		return errReceiptGone
	default:
		return errReceiptUnknown
	}
}

// laterError says when to ask again.
type laterError struct {
	err   error
	after time.Duration
}

func (e *laterError) Error() string { return e.err.Error() }
func (e *laterError) Unwrap() error { return e.err }

// fetchTime bounds the way of a bundle from the verifier.
const fetchTime = 30 * time.Second

// receipt answers with the bundle of an answer that the same key was given.
func (g *Gateway) receipt(w http.ResponseWriter, r *http.Request, h *pass) {
	id := r.PathValue("id")
	request, ok := h.claims.find(id)
	if !ok {
		writeError(w, errReceiptUnknown)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), fetchTime)
	defer cancel()
	fate, file, err := g.c.Shelf.Bundle(ctx, request)
	if err == nil && fate != targon.FateReady {
		err = receiptOf(fate)
	} else if err != nil {
		err = fmt.Errorf("fetch bundle: %w", err)
		g.c.Log.WarnContext(ctx, "bundle not fetched", "request", request.String(), "err", err)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(file) // a user who has gone asks again
}
