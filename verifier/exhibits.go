package verifier

import (
	"fmt"
	"slices"
	"sync"

	"targon"
	"targon/bundle"
	"targon/merkle"
)

// exhibits are answers that were looked at in epochs which are not closed yet, with the
// scores that decided: what becomes a bundle once the secret is shown. Challenges, whose
// text is our own, and users' answers, which are for the user alone, are kept apart.
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

// keep takes in what was looked at, if there is room.
func (x *exhibits) keep(b bundle.Bundle) {
	e := exhibit{b, b.Memory()}
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

// of returns what was kept of an epoch: failed ones first, passed ones last.
func (x *exhibits) of(n targon.Epoch) []bundle.Bundle {
	x.mu.Lock()
	defer x.mu.Unlock()
	var failed, undecided, passed []bundle.Bundle
	for _, e := range x.held {
		switch {
		case e.Judged.Epoch != n:
		case e.Judged.Verdict.Outcome == targon.Failed:
			failed = append(failed, e.Bundle)
		case e.Judged.Verdict.Outcome == targon.Passed:
			passed = append(passed, e.Bundle)
		default:
			undecided = append(undecided, e.Bundle)
		}
	}
	return append(append(failed, undecided...), passed...)
}

// drop lets go of what was kept of an epoch.
func (x *exhibits) drop(n targon.Epoch) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.held = slices.DeleteFunc(x.held, func(e exhibit) bool {
		if e.Judged.Epoch == n {
			x.used -= e.size
		}
		return e.Judged.Epoch == n
	})
}

func (x *exhibits) has(request targon.Digest) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.ContainsFunc(x.held, func(e exhibit) bool { return e.Arrived.Request == request })
}

// exhibitsOf returns where answers of an origin are kept, and who is handed their bundles.
func (v *Verifier) exhibitsOf(o targon.Origin) (*exhibits, func(bundle.Bundle)) {
	if o == targon.OriginOrganic {
		return &v.favours, v.cfg.UserBundles
	}
	return &v.exhibits, v.cfg.Bundles
}

// exhibit keeps an answer that was judged on its merits. A fault of ours proves nothing.
func (v *Verifier) exhibit(p *pending, j targon.Judged) {
	kept, wanted := v.exhibitsOf(p.Origin)
	if wanted == nil || targon.FateOf(j.Verdict.Reason) != targon.FateJudged {
		return
	}
	b := p.shown
	b.Arrived, b.Judged = p.Arrived, j
	kept.keep(b)
}

// show completes the exhibits of an epoch that has just been closed and hands them on.
func (v *Verifier) show(c targon.EpochClosed) error {
	for _, o := range []targon.Origin{targon.OriginChallenge, targon.OriginOrganic} {
		held, hand := v.exhibitsOf(o)
		kept := held.of(c.Epoch)
		if len(kept) == 0 {
			continue
		}
		if err := v.complete(c, kept); err != nil {
			return err
		}
		for _, b := range kept {
			hand(b)
		}
		held.drop(c.Epoch) // not before: whoever asks for one meanwhile finds it here or there
	}
	return nil
}

// complete adds to bundles what is known since their epoch has closed.
func (v *Verifier) complete(c targon.EpochClosed, kept []bundle.Bundle) error {
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
	for n := range kept {
		b := &kept[n]
		i := index[b.Arrived.Request]
		b.Opened, b.Closed, b.Index, b.Path = opened, c, uint32(i), merkle.Path(leaves, i)
		if ppm := rates[b.Arrived.Prover]; ppm != 0 {
			b.Rate = &targon.RateSet{Epoch: c.Epoch, Prover: b.Arrived.Prover, AuditPPM: ppm}
		}
	}
	return nil
}

// Fate says what became of a user's request that was recorded here, up to the moment at
// which its bundle was handed to Config.UserBundles: then it is gone, for the verifier.
func (v *Verifier) Fate(request targon.Digest) targon.Fate {
	v.mu.Lock()
	reason, recorded := v.state.users.seen[request]
	_, stamped := v.stamped[request]
	v.mu.Unlock()
	fate := targon.FateOf(reason)
	switch {
	case stamped && !recorded:
		return targon.FateWaiting
	case !recorded:
		return targon.FateUnknown
	case fate == targon.FateJudged && !v.favours.has(request):
		return targon.FateGone
	}
	return fate
}
