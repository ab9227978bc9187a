package verifier

import (
	"fmt"
	"sync"

	"targon"
	"targon/bundle"
	"targon/merkle"
)

// exhibits are the challenges that were looked at in epochs which are not closed yet, with
// the scores that decided: what becomes a bundle once the secret is shown. Only challenges
// are kept, for their text is our own; a user's is gone with its verdict.
//
// They are in memory and bounded. Where there is no room, a passed one gives way to one
// that is not. A restart loses them.
type exhibits struct {
	limit int64

	mu   sync.Mutex
	used int64
	held []exhibit // in the order of their verdicts
}

type exhibit struct {
	bundle.Bundle
	size int64
}

// sizeOf is about what an exhibit takes in memory.
func sizeOf(b bundle.Bundle) int64 {
	n := int64(2048 + 4*len(b.Transcript.Request.Prompt) + 4*len(b.Transcript.Tokens))
	for _, s := range []*targon.Scores{b.Scores, b.Again} {
		if s == nil || s == b.Scores && b.Again == b.Scores {
			continue
		}
		for _, p := range s.Positions {
			n += 128 + 8*int64(len(p.Top)+len(p.Also))
		}
	}
	return n
}

// keep takes in what was looked at, if there is room.
func (x *exhibits) keep(b bundle.Bundle) {
	e := exhibit{b, sizeOf(b)}
	passed := func(i int) bool { return x.held[i].Judged.Verdict.Outcome == targon.Passed }
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := len(x.held) - 1; i >= 0 && x.used+e.size > x.limit && b.Judged.Verdict.Outcome != targon.Passed; i-- {
		if passed(i) {
			x.used -= x.held[i].size
			x.held = append(x.held[:i], x.held[i+1:]...)
		}
	}
	if x.used+e.size > x.limit {
		return
	}
	x.used += e.size
	x.held = append(x.held, e)
}

// take removes and returns what was kept of an epoch: failed ones first, passed ones last.
func (x *exhibits) take(n targon.Epoch) []bundle.Bundle {
	x.mu.Lock()
	defer x.mu.Unlock()
	var failed, undecided, passed []bundle.Bundle
	rest := x.held[:0]
	for _, e := range x.held {
		switch {
		case e.Judged.Epoch != n:
			rest = append(rest, e)
			continue
		case e.Judged.Verdict.Outcome == targon.Failed:
			failed = append(failed, e.Bundle)
		case e.Judged.Verdict.Outcome == targon.Passed:
			passed = append(passed, e.Bundle)
		default:
			undecided = append(undecided, e.Bundle)
		}
		x.used -= e.size
	}
	clear(x.held[len(rest):])
	x.held = rest
	return append(append(failed, undecided...), passed...)
}

// exhibit keeps a challenge that was judged on its merits. A fault of ours proves nothing.
func (v *Verifier) exhibit(p *pending, j targon.Judged) {
	r := j.Verdict.Reason
	if v.cfg.Bundles == nil || p.Origin != targon.OriginChallenge || r == targon.ReasonOurs || r == targon.ReasonReference {
		return
	}
	b := p.shown
	b.Arrived, b.Judged = p.Arrived, j
	v.exhibits.keep(b)
}

// show completes the exhibits of an epoch that has just been closed and hands them on.
func (v *Verifier) show(c targon.EpochClosed) error {
	if v.cfg.Bundles == nil {
		return nil
	}
	kept := v.exhibits.take(c.Epoch)
	v.mu.Lock()
	e := v.state.find(c.Epoch)
	leaves, err := e.leaves()
	opened, index := e.opened, map[targon.Digest]int{}
	for _, r := range e.records {
		if r.arrived.Status == targon.StatusComplete {
			index[r.arrived.Request] = len(index)
		}
	}
	rates := map[targon.Hotkey]uint32{}
	for _, b := range kept {
		rates[b.Arrived.Prover] = e.rates[b.Arrived.Prover]
	}
	v.mu.Unlock()
	if err != nil {
		return fmt.Errorf("bundles of epoch %d: %w", c.Epoch, err)
	}
	for _, b := range kept {
		i := index[b.Arrived.Request]
		b.Opened, b.Closed, b.Index, b.Path = opened, c, uint32(i), merkle.Path(leaves, i)
		if ppm := rates[b.Arrived.Prover]; ppm != 0 {
			b.Rate = &targon.RateSet{Epoch: c.Epoch, Prover: b.Arrived.Prover, AuditPPM: ppm}
		}
		v.cfg.Bundles(b)
	}
	return nil
}
