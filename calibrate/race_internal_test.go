package calibrate

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"targon"
)

// TestSorted: by falling logit, ties by rising id, both zeros being one number.
func TestSorted(t *testing.T) {
	values := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 1e-45, -1e-45, math.MaxFloat32, -math.MaxFloat32, 3.5, -3.5, float32(math.Inf(-1))}
	rng := rand.New(rand.NewPCG(1, 2))
	var r row
	for range 100 {
		logits := make([]float32, 64)
		want := make([]targon.Scored, len(logits))
		for id := range logits {
			logits[id] = values[rng.IntN(len(values))]
			want[id] = targon.Scored{ID: targon.TokenID(id), Logit: logits[id]}
		}
		slices.SortFunc(want, func(a, b targon.Scored) int {
			return cmp.Or(cmp.Compare(b.Logit, a.Logit), cmp.Compare(a.ID, b.ID))
		})
		if got := r.sorted(logits); !slices.Equal(got, want) {
			t.Fatalf("sorted: %s", gocmp.Diff(want, got))
		}
	}
}
