package evidence_test

import (
	"math/rand/v2"
	"testing"

	"targon"
)

// TestFalseEndOfTheHonest: under the worst null, where an end is claimed falsely exactly as
// often as the bounds allow, at whatever lags the prompts make, one answer in a thousand
// is refused at most; and not much fewer, so that this test could fail.
func TestFalseEndOfTheHonest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	bets := pack(1e8, nil).Bets(0)
	edge := targon.GapClass(0)
	for bets.Bound(edge) > 200_000 {
		edge++
	}
	for _, user := range []struct {
		name   string
		next   func(before []targon.GapClass) targon.GapClass
		answer int
	}{
		{"all far", func([]targon.GapClass) targon.GapClass { return targon.GapClasses - 1 }, 100},
		{"any", func([]targon.GapClass) targon.GapClass {
			return edge + targon.GapClass(rng.IntN(int(targon.GapClasses-edge)))
		}, 512},
		{"first near, then far", func(before []targon.GapClass) targon.GapClass {
			return edge + targon.GapClass(min(len(before), int(targon.GapClasses-edge)-1))
		}, 512},
	} {
		const answers = 30_000
		refused := 0
		for range answers {
			var seen []targon.GapClass
			for range user.answer {
				c := user.next(seen)
				seen = append(seen, c)
				if rng.Float64() < float64(bets.Bound(c))/1e9 { // the honest prover claims an end
					if bets.FalseEnd(seen) {
						refused++
					}
					break
				}
			}
		}
		// Three deviations of a count of 30.
		if share := float64(refused) / answers; share > 1e-3*1.6 || share < 1e-4 {
			t.Errorf("%s: %d of %d honest answers are refused", user.name, refused, answers)
		}
	}
}
