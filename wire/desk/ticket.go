package desk

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"time"

	"targon"
)

const (
	labelTicket = "targon/desk/ticket/v1"
	labelKey    = "targon/desk/key/v1"
)

// Secret derives the secret of a desk's tickets from its verifier's root.
func Secret(root targon.Secret) targon.Secret {
	mac := hmac.New(sha256.New, root[:])
	mac.Write(newWriter(labelKey).b)
	return targon.Secret(mac.Sum(nil))
}

// Ticket shows the desk that it addressed a request, for which gateway and neuron, and
// when. The desk keeps none of it, so that a restart forgets no request under way.
type Ticket struct {
	Issued uint64 // Unix milliseconds, by the desk's clock
	MAC    targon.Digest
}

func (t Ticket) write(w *writer) {
	w.u64(t.Issued)
	w.fixed(t.MAC[:])
}

func (t *Ticket) read(r *reader) {
	t.Issued = r.u64()
	r.fixed(t.MAC[:])
}

// errand is what a ticket is for.
type errand struct {
	request targon.Digest
	gateway targon.Hotkey
	uid     targon.UID
}

// issue makes a ticket: HMAC-SHA256 under a secret of the desk's own.
func issue(secret targon.Secret, e errand, at uint64) Ticket {
	w := newWriter(labelTicket)
	w.fixed(e.request[:])
	w.fixed(e.gateway[:])
	w.u16(uint16(e.uid))
	w.u64(at)
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(w.b)
	return Ticket{Issued: at, MAC: targon.Digest(mac.Sum(nil))}
}

// is reports whether t was issued for e, whenever that was.
func (t Ticket) is(secret targon.Secret, e errand) bool {
	want := issue(secret, e, t.Issued)
	return hmac.Equal(want.MAC[:], t.MAC[:])
}

// check returns ErrTicket unless t was issued for e at most TicketAge ago, and at least
// as long ago as took it took to be answered.
func (t Ticket) check(secret targon.Secret, e errand, took time.Duration, now time.Time) error {
	if !t.is(secret, e) {
		return fmt.Errorf("%w: ticket of another request", ErrTicket)
	}
	age := now.Sub(time.UnixMilli(int64(t.Issued)))
	switch {
	case age > TicketAge:
		return fmt.Errorf("%w: addressed %s ago", ErrTicket, age.Round(time.Second))
	case took > age+clockStep:
		return fmt.Errorf("%w: answered in %s, %s after it was addressed", ErrMalformed, took, age)
	}
	return nil
}

// clockStep is how far the desk's clock may be set back under a request under way.
const clockStep = 2 * time.Second
