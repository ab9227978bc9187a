package native

import (
	"fmt"
	"math"
	"math/rand/v2"

	"targon/engine/native/kernel"
)

// Layers returns how many layers the model has.
func (m *Model) Layers() int { return len(m.w.layers) }

// tuneRank is the rank of the update that Finetuned makes, as low-rank adapters have it.
const tuneRank = 4

// Finetuned returns the model with every matrix of its layers moved by a random update
// of low rank, size times as large as the matrix (Frobenius norm): what a light
// fine-tune does to weights, though not what it teaches. Its digest is its own.
func (m *Model) Finetuned(size float64, seed uint64) (*Model, error) {
	w := *m.w
	w.layers = append([]layer(nil), m.w.layers...)
	rng := rand.New(rand.NewPCG(seed, tuneRank))
	for i := range w.layers {
		l := &w.layers[i]
		for _, x := range []**kernel.Matrix{&l.q, &l.k, &l.v, &l.out, &l.gate, &l.up, &l.down} {
			tuned, err := tune(*x, size, rng)
			if err != nil {
				return nil, fmt.Errorf("fine-tune layer %d: %w", i, err)
			}
			*x = tuned
		}
	}
	return m.derived(&w, fmt.Sprintf("fine-tuned by %v with seed %d", size, seed)), nil
}

// tune adds an update to a matrix, as float32.
func tune(x *kernel.Matrix, size float64, rng *rand.Rand) (*kernel.Matrix, error) {
	rows, cols := x.Rows(), x.Cols()
	data := make([]float32, rows*cols)
	norm := 0.0
	for r := range rows {
		row := data[r*cols : (r+1)*cols]
		x.Row(row, r)
		for _, v := range row {
			norm += float64(v) * float64(v)
		}
	}
	// Vectors of normal numbers: their outer product has a norm of about √(rows × cols).
	scale := size * math.Sqrt(norm) / math.Sqrt(float64(rows)*float64(cols)*tuneRank)
	for range tuneRank {
		across := make([]float64, cols)
		for c := range across {
			across[c] = rng.NormFloat64()
		}
		for r := range rows {
			down := rng.NormFloat64() * scale
			for c := range across {
				data[r*cols+c] += float32(down * across[c])
			}
		}
	}
	return kernel.NewF32(rows, cols, data)
}
