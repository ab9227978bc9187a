package speed

import (
	"context"
	"errors"
	"sync"
	"time"

	"targon"
	"targon/engine/native"
)

const (
	// slice is how long one figure is measured for at least.
	slice    = 100 * time.Millisecond
	prompted = 4
)

// A load is how many ids one call has: of a score, of the answer to one sequence, and of
// each answer where there are several.
type load struct{ scored, decoded, each int }

// loadOf is small for the portable kernel, which is there for its bits.
func loadOf(kernel string) load {
	if kernel == "portable" {
		return load{24, 6, 2}
	}
	return load{96, 32, 12}
}

// A stopwatch is what something took.
type stopwatch struct{ cpu, wall time.Duration }

// watch starts one; the function that it returns reads it.
func watch() func() stopwatch {
	cpu, wall := CPUTime(), time.Now()
	return func() stopwatch { return stopwatch{max(CPUTime()-cpu, 1), max(time.Since(wall), 1)} }
}

// A meter gives settings their turns.
type meter struct {
	text *Text
	seed uint64
}

// turn measures each figure of a setting once.
func (m *meter) turn(ctx context.Context, s *setting) error {
	load := loadOf(s.engine.Kernel())
	read, tokens := watch(), 0
	for spent := read(); tokens == 0 || spent.wall < slice; spent = read() {
		ids := m.text.Next(1 + load.scored)
		if _, err := s.engine.Score(ctx, targon.Request{Prompt: ids[:1]}, ids[1:], targon.Need{Top: 16}); err != nil {
			return err
		}
		tokens += load.scored
	}
	s.score.add(tokens, read())
	for i, batch := range s.batches {
		read, tokens := watch(), 0
		for spent := read(); tokens == 0 || spent.wall < slice; spent = read() {
			n, err := m.decode(ctx, s.engine, batch, load)
			if err != nil {
				return err
			}
			tokens += n
		}
		s.decode[i].add(tokens, read())
	}
	return nil
}

// decode generates answers side by side and returns how many ids they have together.
func (m *meter) decode(ctx context.Context, e *native.Engine, batch int, load load) (int, error) {
	var group sync.WaitGroup
	counts, errs := make([]int, batch), make([]error, batch)
	for i := range batch {
		m.seed++
		r := targon.Request{Prompt: m.text.Next(prompted), MaxTokens: uint32(load.decoded), Sampling: targon.Sampling{Temperature: 1, Seed: m.seed}}
		if batch > 1 {
			r.MaxTokens = uint32(load.each)
		}
		group.Go(func() {
			for _, err := range e.Generate(ctx, r) {
				if err != nil {
					errs[i] = err
					return
				}
				counts[i]++
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return total, errors.Join(errs...)
}
