package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"targon"
	"targon/engine/native/gguf"
)

// compared is after how many ids logits are compared: exact ones take long.
const compared = 32

// A truth is exact logits after some ids, and those by 8-bit activations, if any.
type truth struct{ exact, eight [][]float64 }

// exactly computes the truth.
func exactly(data []byte, ids []targon.TokenID, eight bool) (t truth, err error) {
	for _, of := range []struct {
		rounded bool
		to      *[][]float64
	}{{false, &t.exact}, {true, &t.eight}} {
		if of.rounded && !eight {
			continue
		}
		m, err := newExact(data, of.rounded)
		if err != nil {
			return t, err
		}
		if *of.to, err = m.logits(ids); err != nil {
			return t, err
		}
	}
	return t, nil
}

// vocabOf returns how many ids a model file has; newExact says what is wrong with one
// that has none.
func vocabOf(data []byte) int {
	f, err := gguf.Parse(data)
	if err != nil {
		return 1
	}
	if t, ok := f.Tensor("token_embd.weight"); ok && len(t.Dims) > 1 {
		return int(t.Dims[1])
	}
	return 1
}

// differ compares the logits after ids.
func (b *both) differ(ctx context.Context, ids []targon.TokenID, t truth) (difference, error) {
	rows, err := b.peer.run(ids, 0)
	if err != nil {
		return difference{}, err
	}
	theirs := make([][]float64, len(rows))
	for i, row := range rows {
		theirs[i] = widened(row)
	}
	var ours [][]float64
	err = b.engine.Logits(ctx, ids, func(at int, row []float32) error {
		if len(row) != len(rows[at]) || len(row) != len(t.exact[at]) {
			return fmt.Errorf("%d logits, llama.cpp has %d and the file %d", len(row), len(rows[at]), len(t.exact[at]))
		}
		ours = append(ours, widened(row))
		return nil
	})
	if err != nil {
		return difference{}, err
	}
	d := between(ours, theirs)
	d.ours, d.theirs = apart(ours, t.exact), apart(theirs, t.exact)
	if t.eight != nil {
		d.eight, d.oursFromEight = apart(t.eight, t.exact), apart(ours[:1], t.eight[:1])
	}
	return d, nil
}

// between compares two engines' logits.
func between(x, y [][]float64) difference {
	d := difference{of: len(x)}
	var all []float64
	for at := range x {
		first, second := 0, 0
		for i, l := range x[at] {
			all = append(all, math.Abs(l-y[at][i]))
			if l > x[at][first] {
				first = i
			}
			if y[at][i] > y[at][second] {
				second = i
			}
		}
		if first == second {
			d.same++
		}
	}
	slices.Sort(all)
	if len(all) > 0 {
		d.median, d.worst = all[len(all)/2], all[len(all)-1]
	}
	return d
}

// apart is the root of the mean square of differences.
func apart(x, y [][]float64) float64 {
	sum, n := 0.0, 0
	for at := range x {
		for i, v := range x[at] {
			sum += (v - y[at][i]) * (v - y[at][i])
			n++
		}
	}
	return math.Sqrt(sum / float64(max(n, 1)))
}
