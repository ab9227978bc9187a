package verifier

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"targon"
	"targon/challenge"
)

// breath is the least time between an answer and the next question to the same
// prover, so that one which answers in no time does not fill ledger and spool by
// itself. Neither it nor Config.Pace is part of what is timed.
const breath = 10 * time.Millisecond

// child is the asking of one prover.
type child struct {
	neuron targon.Neuron
	stop   context.CancelFunc
}

// flight is what is known about the requests under way at one prover.
type flight struct {
	open     map[targon.Digest]time.Time // begun, by request
	capacity int                         // what it last signed; 0: nothing yet
}

// capacitor is what an Asker may also be.
type capacitor interface {
	Capacity(ctx context.Context, n targon.Neuron) (targon.Capacity, error)
}

// ask keeps one group of goroutines a prover, so that one which is slow or silent
// costs the others nothing.
func (v *Verifier) ask(ctx context.Context, g *errgroup.Group) {
	v.mu.Lock()
	defer v.mu.Unlock()
	here := map[targon.UID]bool{}
	for _, n := range v.meta.Provers(v.cfg.Hotkey) {
		here[n.UID] = true
		c := v.children[n.UID]
		if c != nil && c.neuron.Hotkey == n.Hotkey && c.neuron.Axon == n.Axon {
			continue
		}
		if c != nil {
			c.stop()
		}
		own, stop := context.WithCancel(ctx)
		v.children[n.UID] = &child{neuron: n, stop: stop}
		for range v.cfg.Concurrency {
			g.Go(func() error { return v.keepAsking(own, n) })
		}
	}
	for uid, c := range v.children {
		if !here[uid] {
			c.stop()
			delete(v.children, uid)
		}
	}
}

// keepAsking challenges one prover, one request after the other. After a failure it
// waits, longer each time and at most a block: what that prover could have earned
// meanwhile is its own loss, since speed is counted by the answer.
func (v *Verifier) keepAsking(ctx context.Context, n targon.Neuron) error {
	least := v.cfg.BlockTime / 16
	wait := least
	learned, knows := targon.Epoch(0), false
	for ctx.Err() == nil {
		nonce, epoch, ok := v.mayAsk()
		if !ok {
			pause(ctx, v.cfg.BlockTime/4)
			continue
		}
		if !knows || learned != epoch {
			v.learn(ctx, n)
			learned, knows = epoch, true
		}
		begun := time.Now()
		status, err := v.challenge(ctx, n, nonce)
		switch {
		case v.journal.broken() != nil:
			return v.journal.broken()
		case err != nil:
			v.log.WarnContext(ctx, "challenge is not on record", "uid", n.UID, "hotkey", n.Hotkey, "error", err)
			pause(ctx, wait)
		case status == targon.StatusComplete:
			wait = least
			pause(ctx, max(breath, v.cfg.Pace-time.Since(begun)))
		default:
			pause(ctx, wait)
			wait = min(2*wait, v.cfg.BlockTime)
		}
	}
	return nil
}

// mayAsk returns what a challenge is made of now, or false while none may be made.
func (v *Verifier) mayAsk() (challenge.Nonce, targon.Epoch, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.asking() {
		return challenge.Nonce{}, 0, false
	}
	return v.nonce(), v.state.at(v.height).opened.Epoch, true
}

// asking is false without an epoch, without a private input for this block, when no
// block came for too long, while there is no room for the answer, and while more
// answers are to be audited than we keep up with: asking on would only put off every
// verdict. The caller holds the lock.
func (v *Verifier) asking() bool {
	return v.state.at(v.height) != nil && v.fed && v.spool.room() && v.backlog.Load() < int64(v.cfg.Backlog) &&
		time.Since(v.seen) <= quietBlocks*v.cfg.BlockTime
}

// nonce is one that was never used; the caller holds the lock. Without a private
// input, which only a user's request may be, its secrecy rests on the root alone.
func (v *Verifier) nonce() challenge.Nonce {
	n := challenge.Nonce{Block: v.hashes[v.height], Index: v.asks.Add(1)}
	if v.fed {
		n.Input = v.input
	}
	return n
}

// challenge asks one question and takes in what comes of it.
func (v *Verifier) challenge(ctx context.Context, n targon.Neuron, nonce challenge.Nonce) (targon.Status, error) {
	d := v.cfg.Prompts(v.source(n.Hotkey, nonce))
	d.Model = v.cfg.Model
	r := challenge.Address(v.cfg.Root, d, v.cfg.Weights, v.cfg.Hotkey, n.Hotkey, nonce)
	v.takeOff(r)

	limited, cancel := context.WithTimeout(ctx, v.cfg.Deadline)
	defer cancel()
	x, err := v.cfg.Asker.Ask(limited, n, r, nil)
	x.UID, x.Origin, x.Transcript.Request = n.UID, targon.OriginChallenge, r
	switch {
	case x.Status == targon.StatusComplete && err == nil:
		if x.Timing.Total > v.cfg.Deadline {
			x.Status, x.Detail = targon.StatusIncomplete, "the last id came after the deadline"
		}
	case ctx.Err() != nil:
		x.Status = targon.StatusAborted // it is we who end
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		x.Status = targon.StatusIncomplete
	case err != nil:
		x.Status, x.Detail = targon.StatusOurs, err.Error()
	}
	return x.Status, v.arrive(ctx, x, false)
}

// source is where a challenge's prompt comes from: HMAC-SHA256 of all that the nonce
// and the prover are, so that no prover can know another's challenge, or its own
// next one.
func (v *Verifier) source(to targon.Hotkey, n challenge.Nonce) *rand.Rand {
	mac := hmac.New(sha256.New, v.cfg.Root[:])
	mac.Write([]byte("targon/verifier/prompt/v1"))
	for _, part := range [][]byte{n.Input[:], n.Block[:], to[:], binary.LittleEndian.AppendUint64(nil, n.Index)} {
		mac.Write(part) // all of fixed length
	}
	return rand.New(rand.NewChaCha8([32]byte(mac.Sum(nil))))
}

// learn asks a prover how much it can do at once, if the asker knows how to.
func (v *Verifier) learn(ctx context.Context, n targon.Neuron) {
	c, ok := v.cfg.Asker.(capacitor)
	if !ok {
		return
	}
	limited, cancel := context.WithTimeout(ctx, min(v.cfg.Deadline, v.cfg.BlockTime))
	defer cancel()
	got, err := c.Capacity(limited, n)
	if err != nil || got.Prover != n.Hotkey {
		v.log.DebugContext(ctx, "capacity is not known anew", "uid", n.UID, "hotkey", n.Hotkey, "error", err)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.flight(n.Hotkey).capacity = int(got.Concurrent)
}

// flight finds or makes a prover's; the caller holds the lock.
func (v *Verifier) flight(h targon.Hotkey) *flight {
	f := v.flights[h]
	if f == nil {
		f = &flight{open: map[targon.Digest]time.Time{}}
		v.flights[h] = f
	}
	return f
}

// takeOff counts a request as under way, until land.
func (v *Verifier) takeOff(r targon.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.flight(r.Prover).open[r.Digest()] = time.Now()
}

func (v *Verifier) land(r targon.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.flight(r.Prover).open, r.Digest())
}

// load returns how many requests a prover has open and how many it signed for. What
// was addressed long ago and never recorded is taken for gone.
func (v *Verifier) load(h targon.Hotkey) (inFlight, capacity int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.flight(h)
	for d, begun := range f.open {
		if time.Since(begun) > 2*v.cfg.Deadline {
			delete(f.open, d)
		}
	}
	return len(f.open), f.capacity
}
