package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Recorder takes records; *Client is one.
type Recorder interface {
	Record(ctx context.Context, m Record) error
}

// OutboxConfig bounds an Outbox. Zero means the default named.
type OutboxConfig struct {
	Records int           // that may wait; 4096
	Bytes   int64         // of their texts; 64 MiB
	Age     time.Duration // how long one may wait; TicketAge less a minute
	Log     *slog.Logger  // nowhere
}

// OutboxStats counts records since the start.
type OutboxStats struct {
	Recorded uint64 `json:"recorded"`
	Late     uint64 `json:"late"` // of those: not at the first attempt
	Lost     uint64 `json:"lost"` // the verifier never got them
	Waiting  int    `json:"waiting"`
}

// ErrOutboxFull says that there is no room for one more record.
var ErrOutboxFull = errors.New("too many records wait for the verifier")

// Outbox brings records to the desk and keeps those that it cannot bring until it can,
// or until they are too old to be taken. It keeps them in memory only: they hold
// users' texts.
type Outbox struct {
	to  Recorder
	c   OutboxConfig
	new chan struct{} // holds a value when something began to wait

	mu      sync.Mutex
	waiting []waiting // oldest first
	bytes   int64
	stats   OutboxStats
	empty   chan struct{} // closed while nothing waits
}

type waiting struct {
	Record
	size  int64
	until time.Time
}

// Pauses between attempts while the desk is away.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
	tryTime    = 3 * time.Second // the first attempt, for which a user waits
)

// NewOutbox returns an empty outbox. Run must run for anything to be tried twice.
func NewOutbox(to Recorder, c OutboxConfig) *Outbox {
	if c.Records <= 0 {
		c.Records = 4096
	}
	if c.Bytes <= 0 {
		c.Bytes = 64 << 20
	}
	if c.Age <= 0 {
		c.Age = TicketAge - time.Minute
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	o := &Outbox{to: to, c: c, new: make(chan struct{}, 1), empty: make(chan struct{})}
	close(o.empty)
	return o
}

// Post records m, or keeps it to be recorded. An error means that it is lost.
func (o *Outbox) Post(ctx context.Context, m Record) error {
	if !o.behind() {
		limited, cancel := context.WithTimeout(ctx, tryTime)
		err := o.to.Record(limited, m)
		cancel()
		if err == nil {
			o.count(func(s *OutboxStats) { s.Recorded++ })
			return nil
		}
		if !passing(err) {
			o.count(func(s *OutboxStats) { s.Lost++ })
			return err
		}
		o.c.Log.WarnContext(ctx, "record waits for the verifier", "uid", m.Exchange.UID, "error", err)
	}
	return o.keep(m)
}

// passing reports whether an error may be gone at the next attempt.
func passing(err error) bool {
	return errors.Is(err, ErrAway) || errors.Is(err, ErrNotReady) || errors.Is(err, context.DeadlineExceeded)
}

func (o *Outbox) behind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting) > 0
}

func (o *Outbox) count(f func(*OutboxStats)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.stats)
}

func (o *Outbox) keep(m Record) error {
	t := m.Exchange.Transcript
	w := waiting{m, int64(4*len(t.Request.Prompt) + 4*len(t.Tokens) + 1024), time.Now().Add(o.c.Age)}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) >= o.c.Records || o.bytes+w.size > o.c.Bytes {
		o.stats.Lost++
		return fmt.Errorf("keep record of uid %d: %w", m.Exchange.UID, ErrOutboxFull)
	}
	if len(o.waiting) == 0 {
		o.empty = make(chan struct{})
	}
	o.waiting = append(o.waiting, w)
	o.bytes += w.size
	select {
	case o.new <- struct{}{}:
	default:
	}
	return nil
}

// Run brings what waits, oldest first, until ctx ends.
func (o *Outbox) Run(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		w, ok := o.oldest()
		if !ok {
			select {
			case <-ctx.Done():
			case <-o.new:
			}
			continue
		}
		if o.try(ctx, w) {
			pause = firstPause
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
	return nil
}

func (o *Outbox) oldest() (waiting, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return waiting{}, false
	}
	return o.waiting[0], true
}

// try settles the oldest record, or returns false if it has to wait longer.
func (o *Outbox) try(ctx context.Context, w waiting) bool {
	x := w.Exchange
	if time.Now().After(w.until) {
		o.settle(func(s *OutboxStats) { s.Lost++ })
		o.c.Log.ErrorContext(ctx, "record lost: the verifier was away for too long", "uid", x.UID, "request", x.Transcript.Request.Digest())
		return true
	}
	switch err := o.to.Record(ctx, w.Record); {
	case err == nil:
		o.settle(func(s *OutboxStats) { s.Recorded++; s.Late++ })
		o.c.Log.InfoContext(ctx, "record taken late", "uid", x.UID, "request", x.Transcript.Request.Digest())
		return true
	case passing(err) || ctx.Err() != nil:
		return false
	default:
		o.settle(func(s *OutboxStats) { s.Lost++ })
		o.c.Log.ErrorContext(ctx, "record lost", "uid", x.UID, "request", x.Transcript.Request.Digest(), "error", err)
		return true
	}
}

// settle takes the oldest record out.
func (o *Outbox) settle(f func(*OutboxStats)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.stats)
	o.bytes -= o.waiting[0].size
	o.waiting[0] = waiting{}
	o.waiting = o.waiting[1:]
	if len(o.waiting) == 0 {
		o.waiting = nil
		close(o.empty)
	}
}

// Wait returns when nothing waits any more, or when ctx ends: then with how many are
// left.
func (o *Outbox) Wait(ctx context.Context) (left int) {
	for {
		o.mu.Lock()
		left, empty := len(o.waiting), o.empty
		o.mu.Unlock()
		if left == 0 {
			return 0
		}
		select {
		case <-empty:
		case <-ctx.Done():
			return left
		}
	}
}

// Stats returns the counters.
func (o *Outbox) Stats() OutboxStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.stats
	s.Waiting = len(o.waiting)
	return s
}
