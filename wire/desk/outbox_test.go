package desk_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/wire/desk"
)

// recorder fails with err while it is set, and remembers what it took.
type recorder struct {
	mu  sync.Mutex
	err error
	got []targon.UID
}

func (r *recorder) set(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *recorder) Record(_ context.Context, m desk.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.got = append(r.got, m.Exchange.UID)
	}
	return r.err
}

func (r *recorder) taken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.got)
}

func of(u targon.UID) desk.Record { return desk.Record{Exchange: targon.Exchange{UID: u}} }

// outbox runs one until the test ends.
func outbox(t *testing.T, r *recorder, c desk.OutboxConfig) *desk.Outbox {
	t.Helper()
	o := desk.NewOutbox(r, c)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- o.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return o
}

// TestOutboxKeeps: while the desk is away nothing is lost, and afterwards all is there
// in order.
func TestOutboxKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		o := outbox(t, r, desk.OutboxConfig{})
		post := func(u targon.UID) {
			t.Helper()
			if err := o.Post(t.Context(), of(u)); err != nil {
				t.Error(err)
			}
		}
		post(1)
		for i, away := range []error{desk.ErrAway, desk.ErrNotReady, context.DeadlineExceeded} {
			r.set(fmt.Errorf("wrapped: %w", away))
			post(targon.UID(2 + i))
			time.Sleep(time.Minute)
		}
		if got := r.taken(); got != "[1]" {
			t.Errorf("taken while away: %s", got)
		}
		if s := o.Stats(); s != (desk.OutboxStats{Recorded: 1, Waiting: 3}) {
			t.Errorf("%+v", s)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if left := o.Wait(short); left != 3 {
			t.Errorf("%d are left, want 3", left)
		}
		r.set(nil)
		if left := o.Wait(t.Context()); left != 0 || r.taken() != "[1 2 3 4]" {
			t.Errorf("%d are left, taken %s", left, r.taken())
		}
		post(5)
		if s := o.Stats(); s != (desk.OutboxStats{Recorded: 5, Late: 3}) || r.taken() != "[1 2 3 4 5]" {
			t.Errorf("%+v, taken %s", s, r.taken())
		}
	})
}

// TestOutboxLoses only what nobody would take, what is too old, and what has no room,
// and counts it.
func TestOutboxLoses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{}
		o := outbox(t, r, desk.OutboxConfig{Records: 2, Age: time.Hour})
		r.set(desk.ErrTicket)
		if err := o.Post(t.Context(), of(1)); !errors.Is(err, desk.ErrTicket) {
			t.Errorf("what is refused for good: %v", err)
		}
		r.set(desk.ErrAway)
		for u := range targon.UID(3) {
			if err := o.Post(t.Context(), of(2+u)); (err == nil) != (u < 2) || err != nil && !errors.Is(err, desk.ErrOutboxFull) {
				t.Errorf("record %d: %v", u, err)
			}
		}
		r.set(desk.ErrMalformed) // the first is refused when its turn comes; so is the second
		time.Sleep(time.Minute)
		if s := o.Stats(); s != (desk.OutboxStats{Lost: 4}) {
			t.Errorf("%+v", s)
		}
		r.set(desk.ErrAway)
		if err := o.Post(t.Context(), of(9)); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour + 10*time.Second)
		if s := o.Stats(); s != (desk.OutboxStats{Lost: 5}) {
			t.Errorf("%+v", s)
		}
		big := of(10)
		big.Exchange.Transcript.Tokens = make([]targon.TokenID, 1<<24)
		if err := o.Post(t.Context(), big); !errors.Is(err, desk.ErrOutboxFull) {
			t.Errorf("a text beyond the bound: %v", err)
		}
	})
}
