package desk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"targon"
	"targon/wire/desk"
)

// shelf holds one file, for one request.
type shelf struct {
	request targon.Digest
	file    []byte
	err     error
	hold    chan struct{} // nil: answers at once
	began   chan struct{}
}

func (s *shelf) Bundle(ctx context.Context, request targon.Digest) (targon.Fate, []byte, error) {
	if s.hold != nil {
		s.began <- struct{}{}
		select {
		case <-s.hold:
		case <-ctx.Done():
		}
	}
	if s.err != nil || request != s.request {
		return targon.FateUnknown, nil, s.err
	}
	return targon.FateReady, s.file, nil
}

// TestBundles: a gateway fetches what it had addressed, however long ago that was, and
// nothing else.
func TestBundles(t *testing.T) {
	s := &shelf{file: make([]byte, 3<<20)} // longer than any other answer
	w := newWorld(t, func(c *desk.ServerConfig) { c.Shelf = s })
	c := w.meet(t)
	a, err := c.Address(t.Context(), draft(), w.provers[0])
	if err != nil {
		t.Fatal(err)
	}
	s.request = a.Request.Digest()
	mine := desk.Wanted{Ticket: a.Ticket, UID: 5, Request: s.request}
	if got, err := c.Bundle(t.Context(), mine); err != nil || got.Fate != targon.FateReady || len(got.File) != len(s.file) {
		t.Errorf("fate %s, %d bytes, %v", got.Fate, len(got.File), err)
	}
	for name, other := range map[string]desk.Wanted{
		"other request": {Ticket: a.Ticket, UID: 5, Request: targon.Digest{1}},
		"other uid":     {Ticket: a.Ticket, UID: 6, Request: s.request},
		"no ticket":     {UID: 5, Request: s.request},
	} {
		if _, err := c.Bundle(t.Context(), other); !errors.Is(err, desk.ErrTicket) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stranger := w.config
	stranger.Key = key(t, 9)
	if _, err := desk.Meet(t.Context(), stranger); !errors.Is(err, desk.ErrAway) {
		t.Errorf("a hotkey that is not admitted: %v", err)
	}

	late := time.Now().Add(2 * time.Hour)
	w.now = late
	w.config.Now = func() time.Time { return late }
	if got, err := w.meet(t).Bundle(t.Context(), mine); err != nil || got.Fate != targon.FateReady {
		t.Errorf("after two hours: fate %s, %v", got.Fate, err)
	}
	s.err = errors.New("disk on fire")
	if _, err := w.meet(t).Bundle(t.Context(), mine); !errors.Is(err, desk.ErrAway) {
		t.Errorf("a fault of the verifier's: %v", err)
	}
}

// TestOtherGatewaysBundles: a ticket is the gateway's that it was issued for, and a desk
// without a shelf says that nothing is kept.
func TestOtherGatewaysBundles(t *testing.T) {
	s := &shelf{file: []byte("{}")}
	w := newWorld(t, func(c *desk.ServerConfig) {
		c.Shelf, c.Allow = s, append(c.Allow, key(t, 9).Hotkey())
	})
	a, err := w.meet(t).Address(t.Context(), draft(), w.provers[0])
	if err != nil {
		t.Fatal(err)
	}
	s.request = a.Request.Digest()
	wanted := desk.Wanted{Ticket: a.Ticket, UID: 5, Request: s.request}
	w.config.Key = key(t, 9)
	if _, err := w.meet(t).Bundle(t.Context(), wanted); !errors.Is(err, desk.ErrTicket) {
		t.Errorf("another gateway of the same verifier's: %v", err)
	}

	bare := newWorld(t)
	c := bare.meet(t)
	if a, err = c.Address(t.Context(), draft(), bare.provers[0]); err != nil {
		t.Fatal(err)
	}
	got, err := c.Bundle(t.Context(), desk.Wanted{Ticket: a.Ticket, UID: 5, Request: a.Request.Digest()})
	if err != nil || got.Fate != targon.FateGone {
		t.Errorf("without a shelf: fate %s, %v", got.Fate, err)
	}
}

// TestFewBundlesAtOnce: large answers do not pile up in memory.
func TestFewBundlesAtOnce(t *testing.T) {
	s := &shelf{file: []byte("{}"), hold: make(chan struct{}), began: make(chan struct{}, 8)}
	w := newWorld(t, func(c *desk.ServerConfig) { c.Shelf = s })
	c := w.meet(t)
	a, err := c.Address(t.Context(), draft(), w.provers[0])
	if err != nil {
		t.Fatal(err)
	}
	s.request = a.Request.Digest()
	wanted := desk.Wanted{Ticket: a.Ticket, UID: 5, Request: s.request}
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := c.Bundle(t.Context(), wanted)
			done <- err
		}()
	}
	<-s.began
	<-s.began
	if _, err := c.Bundle(t.Context(), wanted); !errors.Is(err, desk.ErrNotReady) {
		t.Errorf("a third at a time: %v", err)
	}
	close(s.hold)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
