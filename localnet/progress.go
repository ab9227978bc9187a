package localnet

import (
	"context"
	"fmt"
	"io"
	"time"

	"targon"
	"targon/verifier"
)

// progress tells people what happens while it happens.
type progress struct {
	out     io.Writer
	started time.Time
	names   map[targon.Hotkey]string
	view    func() verifier.View

	first     bool // a verified answer has been reported
	convicted map[targon.Hotkey]bool
	epochs    uint64
	beat      time.Time
}

// run reports until ctx ends.
func (p *progress) run(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			p.report(p.view(), now)
		}
	}
}

// report prints what is new since the last view.
func (p *progress) report(v verifier.View, now time.Time) {
	if !p.first && v.Total.Passed > 0 {
		p.first = true
		p.say("first verified answer %.1f s after the start", now.Sub(p.started).Seconds())
	}
	for _, r := range v.Provers {
		if r.Convicted && !p.convicted[r.Hotkey] {
			p.convicted[r.Hotkey] = true
			p.say("convicted uid %d (%s): %s after %d audited tokens", r.UID, p.names[r.Hotkey], r.Reason, r.TokensToConviction)
		}
	}
	if v.Set > p.epochs {
		p.epochs = v.Set
		p.say("weights of epoch %d are on the chain", v.LastSet)
	}
	if now.Sub(p.beat) >= 2*time.Second {
		p.beat = now
		p.say("block %d, epoch %d: %d answers, %d tokens audited, %d passed, %d failed, %d waiting",
			v.Height, v.Epoch, v.Total.Requests, v.Total.AuditedTokens, v.Total.Passed, v.Total.Failed, v.Waiting)
	}
}

func (p *progress) say(format string, args ...any) {
	fmt.Fprintf(p.out, "targon: "+format+"\n", args...)
}
