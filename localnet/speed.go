package localnet

import (
	"context"
	"fmt"
	"time"

	"targon"
	"targon/engine/native"
)

// measured is how long each of the two speeds is measured for, in CPU time.
const measured = 300 * time.Millisecond

// speed measures, on the quiet machine, how many ids a second one core generates
// and how many it scores: the second is what makes auditing cheap.
func speed(ctx context.Context, m *native.Model, r targon.Request) (generate, score float64, err error) {
	e, err := native.New(m, native.Options{Threads: 1})
	if err != nil {
		return 0, 0, err
	}
	var ids []targon.TokenID
	generate, err = perCPUSecond(func() (int, error) {
		n := 0
		for t, err := range e.Generate(ctx, r) {
			if err != nil {
				return 0, fmt.Errorf("measure generating: %w", err)
			}
			if n++; len(ids) < int(r.MaxTokens) {
				ids = append(ids, t.ID)
			}
		}
		return n, nil
	})
	if err != nil {
		return 0, 0, err
	}
	ids = ids[:min(len(ids), m.Context()-len(r.Prompt))]
	score, err = perCPUSecond(func() (int, error) {
		if _, err := e.Score(ctx, r, ids, targon.Need{Top: 32}); err != nil {
			return 0, fmt.Errorf("measure scoring: %w", err)
		}
		return len(ids), nil
	})
	return generate, score, err
}

// perCPUSecond repeats f, which returns how much it did, for the time measured.
func perCPUSecond(f func() (int, error)) (float64, error) {
	begun, done := cpuTime(), 0
	for {
		n, err := f()
		if err != nil {
			return 0, err
		}
		done += n
		if spent := cpuTime() - begun; spent >= measured {
			return float64(done) / spent.Seconds(), nil
		}
	}
}
