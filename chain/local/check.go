package local

import (
	"sync"

	"targon/sign"
)

// A checker checks signatures, those that wait at the same time together, which costs
// about half of checking each. Whoever finds nobody at work checks all that wait, and
// then leaves the work to the first of those who came meanwhile. One bad signature among
// many makes each be checked again by itself: a group with one costs half as much
// more than without groups, never a multiple.
type checker struct {
	mu      sync.Mutex
	waiting []*check
	busy    bool
}

// A check is one signature that waits. Its channel says once whether its owner is to do
// the work (true) or somebody did it, who has set err before.
type check struct {
	claim sign.Signed
	turn  chan bool
	err   error
}

// verify returns nil if a claim's signature is good.
func (c *checker) verify(claim sign.Signed) error {
	mine := &check{claim: claim, turn: make(chan bool, 1)}
	c.mu.Lock()
	c.waiting = append(c.waiting, mine)
	free := !c.busy
	c.busy = true
	c.mu.Unlock()
	if free || <-mine.turn {
		c.work()
	}
	return mine.err
}

// work checks all that wait, of whom one is the caller.
func (c *checker) work() {
	c.mu.Lock()
	group := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	claims := make([]sign.Signed, len(group))
	for i, w := range group {
		claims[i] = w.claim
	}
	errs := sign.VerifyAll(claims)
	for i, w := range group {
		if errs != nil {
			w.err = errs[i]
		}
		w.turn <- false // room for one; the caller's own is not read any more
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy = len(c.waiting) > 0; c.busy {
		c.waiting[0].turn <- true
	}
}
