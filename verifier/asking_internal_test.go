package verifier

import (
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/score"
)

// TestAsking: each reason not to challenge, at its bound.
func TestAsking(t *testing.T) {
	const backlog, every = 3, 12 * time.Second
	for _, c := range []struct {
		name   string
		change func(v *Verifier)
		want   bool
	}{
		{"nothing speaks against it", func(*Verifier) {}, true},
		{"one more may be audited", func(v *Verifier) { v.backlog.Store(backlog - 1) }, true},
		{"as many wait as may", func(v *Verifier) { v.backlog.Store(backlog) }, false},
		{"more wait than may", func(v *Verifier) { v.backlog.Store(backlog + 1) }, false},
		{"blocks are late", func(v *Verifier) { v.seen = v.seen.Add(-quietBlocks * every) }, true},
		{"blocks do not come", func(v *Verifier) { v.seen = v.seen.Add(-quietBlocks*every - 1) }, false},
		{"no private input", func(v *Verifier) { v.fed = false }, false},
		{"no epoch", func(v *Verifier) { v.state = NewState(score.Throughput{}) }, false},
		{"before the first epoch", func(v *Verifier) { v.height = 6 }, false},
		{"room for one text", func(v *Verifier) { v.spool.used, v.spool.largest = v.spool.limit-9, 9 }, true},
		{"no room for a text", func(v *Verifier) { v.spool.used, v.spool.largest = v.spool.limit-9, 10 }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			sp, err := openSpool("", 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			v := &Verifier{cfg: Config{Backlog: backlog, BlockTime: every}, spool: sp, state: NewState(score.Throughput{}), fed: true, height: 7, seen: time.Now()}
			if err := v.state.Apply(targon.EpochOpened{Epoch: 0, Block: 7, AuditPPM: 1}); err != nil {
				t.Fatal(err)
			}
			if c.change(v); v.asking() != c.want {
				t.Errorf("%s: asks: %v", c.name, !c.want)
			}
		})
	}
}
