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
	slice = 100 * time.Millisecond
	// prompted is how many ids come before an answer. Reading them is paid for and not
	// counted, so it is as few as can be.
	prompted = 1
)

// A load is how many ids one call has: of a score, and of an answer, whether it is alone
// or one of several.
type load struct{ scored, decoded int }

// portable is the kernel that is there for its bits and not for its speed.
const portable = "portable"

// loadOf is small for the portable kernel.
func loadOf(kernel string) load {
	if kernel == portable {
		return load{24, 6}
	}
	return load{192, 24}
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

// warm has an engine take the memory that it needs and touch its weights.
func (m *meter) warm(ctx context.Context, s *setting) error {
	load := loadOf(s.engine.Kernel())
	if _, err := m.score(ctx, s.engine, load); err != nil {
		return err
	}
	for _, batch := range s.batches {
		if _, err := m.decode(ctx, s.engine, batch, load); err != nil {
			return err
		}
	}
	return nil
}

// turn measures each figure of a setting once.
func (m *meter) turn(ctx context.Context, s *setting) error {
	load := loadOf(s.engine.Kernel())
	if err := s.score.measure(func() (int, error) { return m.score(ctx, s.engine, load) }); err != nil {
		return err
	}
	for i, batch := range s.batches {
		if err := s.decode[i].measure(func() (int, error) { return m.decode(ctx, s.engine, batch, load) }); err != nil {
			return err
		}
	}
	return nil
}

// measure adds the figure of some calls, each of which says how many ids it had.
func (t *turns) measure(call func() (int, error)) error {
	read, tokens := watch(), 0
	for spent := read(); tokens == 0 || spent.wall < slice; spent = read() {
		n, err := call()
		if err != nil {
			return err
		}
		tokens += n
	}
	t.add(tokens, read())
	return nil
}

// score scores ids and returns how many.
func (m *meter) score(ctx context.Context, e *native.Engine, load load) (int, error) {
	ids := m.text.Next(1 + load.scored)
	_, err := e.Score(ctx, targon.Request{Prompt: ids[:1]}, ids[1:], targon.Need{Top: 16})
	return load.scored, err
}

// decode generates answers side by side and returns how many ids they have together.
func (m *meter) decode(ctx context.Context, e *native.Engine, batch int, load load) (int, error) {
	var group sync.WaitGroup
	counts, errs := make([]int, batch), make([]error, batch)
	for i := range batch {
		m.seed++
		r := targon.Request{Prompt: m.text.Next(prompted), MaxTokens: uint32(load.decoded), Sampling: targon.Sampling{Temperature: 1, Seed: m.seed}}
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
