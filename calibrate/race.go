package calibrate

import (
	"math"
	"math/rand/v2"
	"slices"

	"targon"
	"targon/proof"
)

// A row is one position as two stacks see it, under one temperature and one filter, made
// ready for drawing many seeds.
//
// Seeded Gumbel sampling is a race: with arrival times y = e^(-z/T), z being logit plus
// noise, id v arrives at rate e^(logit/T), the first to arrive wins, and the gap between
// winner and runner-up is T × ln(y2/y1) (Gumbel 1954; Maddison, Tarlow and Minka, "A*
// Sampling", 2014). So the leaders can be drawn in order without looking at the others:
// exact, and fifty times as fast as noise for every id. The other stack has the same
// noise and logits that differ by delta, so its winner is the leader of the largest
// z + delta, and once z has fallen by more than the largest delta nobody else can be.
type row struct {
	temperature float64
	ids         []targon.TokenID // candidates
	ours        []bool           // may be allowed by the verifier's own filter
	sure        []bool           // and surely is
	theirs      []bool           // and by the prover's
	rates       []float64        // cumulated
	delta       []float64        // prover's logit minus the verifier's
	most        float64          // largest delta
	keys        []uint64         // of logits, to sort by
}

// A pass is what one seed made of a row.
type pass struct {
	winner  targon.TokenID // the verifier's
	claimed targon.TokenID // the prover's
	gap     float64        // by which the verifier's winner leads its runner-up
	edge    bool           // whether the winner is allowed depends on the last digits of logits
}

// set makes a row of two rows of logits. The candidates are what either filter allows.
func (r *row) set(ours, theirs []float32, by targon.Sampling, allowed Allowed) {
	r.temperature = by.Temperature
	r.ids, r.ours, r.sure, r.theirs = r.ids[:0], r.ours[:0], r.sure[:0], r.theirs[:0]
	if !by.Filtered() {
		for id := range ours {
			r.enter(targon.TokenID(id), true, true, true)
		}
	} else {
		r.filter(ours, allowed(theirs, by), by)
	}
	high := math.Inf(-1)
	for _, id := range r.ids {
		high = max(high, float64(ours[id]))
	}
	r.rates, r.delta, r.most = r.rates[:0], r.delta[:0], math.Inf(-1)
	total := 0.0
	for _, id := range r.ids {
		total += math.Exp((float64(ours[id]) - high) / r.temperature)
		d := float64(theirs[id]) - float64(ours[id])
		r.rates, r.delta, r.most = append(r.rates, total), append(r.delta, d), max(r.most, d)
	}
}

func (r *row) enter(id targon.TokenID, ours, sure, theirs bool) {
	r.ids = append(r.ids, id)
	r.ours, r.sure, r.theirs = append(r.ours, ours), append(r.sure, sure), append(r.theirs, theirs)
}

// filter enters what the verifier's filters may allow, as package proof sees them, and
// what the prover's do.
func (r *row) filter(ours []float32, theirs []targon.TokenID, by targon.Sampling) {
	order := r.sorted(ours)
	total := 0.0
	for _, s := range order {
		total += math.Exp((float64(s.Logit) - float64(order[0].Logit)) / by.Temperature)
	}
	core, outer := proof.Replay{}.Edges(by, targon.Position{Top: order, Drawn: targon.Draw{Norm: math.Log(total)}})
	claims := map[targon.TokenID]bool{}
	for _, id := range theirs {
		claims[id] = true
	}
	for i, s := range order {
		if i < outer || claims[s.ID] {
			r.enter(s.ID, i < outer, i < core, claims[s.ID])
		}
	}
}

// sorted returns all ids by falling logit, ties by rising id. A quarter of a calibration
// went into comparing pairs; bits of a float without its sign compare as it does.
func (r *row) sorted(logits []float32) []targon.Scored {
	r.keys = r.keys[:0]
	for id, l := range logits {
		bits := math.Float32bits(l + 0) // -0 is 0
		if bits>>31 == 0 {
			bits = ^bits &^ (1 << 31)
		}
		r.keys = append(r.keys, uint64(bits)<<32|uint64(id))
	}
	slices.Sort(r.keys)
	order := make([]targon.Scored, len(logits))
	for i, k := range r.keys {
		id := targon.TokenID(uint32(k))
		order[i] = targon.Scored{ID: id, Logit: logits[id]}
	}
	return order
}

// draw runs the race under one seed; rng is the seed.
func (r *row) draw(rng *rand.Rand) pass {
	var out pass
	total := r.rates[len(r.rates)-1]
	var took [maxLeaders]int // candidates that have arrived, by rising index
	n := 0
	now, left := 0.0, total
	first, best, found := 0.0, math.Inf(-1), 0 // found: 1 with the winner, 2 with the runner-up
	for n < min(maxLeaders, len(r.ids)) && left > total*1e-15 {
		now += rng.ExpFloat64() / left
		i := r.pick(rng.Float64()*left, took[:n])
		z := -r.temperature * math.Log(now)
		if r.ours[i] {
			switch found {
			case 0:
				out.winner, out.edge, first = r.ids[i], !r.sure[i], z
			case 1:
				out.gap = first - z
			}
			found++
		}
		if v := z + r.delta[i]; r.theirs[i] && v > best {
			best = v
			out.claimed = r.ids[i]
		}
		if found >= 2 && z+r.most < best {
			return out
		}
		at, _ := slices.BinarySearch(took[:n], i)
		copy(took[at+1:n+1], took[at:n])
		took[at] = i
		n++
		left -= r.rate(i)
	}
	if found < 2 {
		out.gap = math.Inf(1) // nobody else is allowed
	}
	return out
}

// maxLeaders is more than a race ever follows, as long as the two rows are of one model.
const maxLeaders = 64

func (r *row) rate(i int) float64 {
	if i == 0 {
		return r.rates[0]
	}
	return r.rates[i] - r.rates[i-1]
}

// pick returns the candidate at a point of the cumulated rates, those that took left out.
func (r *row) pick(point float64, took []int) int {
	for _, i := range took {
		start := r.rates[i] - r.rate(i)
		if point >= start {
			point += r.rate(i)
		}
	}
	i, _ := slices.BinarySearch(r.rates, point)
	i = min(i, len(r.rates)-1)
	for slices.Contains(took, i) || r.rate(i) == 0 { // the point was rounded onto an edge
		i = (i + 1) % len(r.rates)
	}
	return i
}
