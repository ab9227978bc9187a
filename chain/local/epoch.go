package local

import (
	"cmp"
	"math/bits"
	"slices"

	"targon"
)

// The epoch is the incentive part of Subtensor's (pallets/subtensor/src/epoch): weights of
// active permit holders, rows normalised, each column cut to what holders of more
// than kappa of the stake agree on, summed by stake. Shares are integers in units
// of 2^-30: products of two stay below 2^60, and so do sums over shares of a whole.
//
// Left out are bonds: half of the emission goes to provers by incentive, half to
// validators by stake times how much of their weights survived the cut.
const one = 1 << 30

// epoch pays for the blocks since the last one.
func (s *state) epoch(blocks uint64) {
	for i := range s.neurons {
		s.neurons[i].incentive, s.neurons[i].emission = 0, 0
	}
	stakes := s.activeStakes()
	rows := s.rows(stakes)
	ranks, trust := clip(rows, consensus(rows, stakes, s.rules.Kappa), stakes)
	total := sumOf(ranks)
	if total == 0 {
		return // nobody is ranked: nothing is paid
	}
	emission := uint64(s.rules.Emission) * blocks
	for i := range s.neurons {
		s.neurons[i].incentive = uint16(share(ranks[i], 65535, total))
		s.pay(i, share(ranks[i], emission/2, total))
	}
	for i, t := range trust {
		s.pay(i, share(t, emission/2, sumOf(trust)))
	}
}

func (s *state) pay(uid int, amount uint64) {
	n := &s.neurons[uid]
	n.emission += targon.Rao(amount)
	s.account(n.hotkey).balance += targon.Rao(amount)
	s.minted += targon.Rao(amount)
}

// activeStakes returns each neuron's share of the stake that votes. Who holds a
// permit and has not set weights yet votes for nobody.
func (s *state) activeStakes() []uint64 {
	out := make([]uint64, len(s.neurons))
	for i := range s.neurons {
		n := &s.neurons[i]
		active := max(n.updated, n.registered)+targon.Block(s.rules.ActivityCutoff) >= s.block
		if n.permit && active {
			out[i] = uint64(s.stake(n))
		}
	}
	return shares(out)
}

// rows returns the normalised weights of those who vote. A neuron's weight for
// itself does not count, nor one for a slot that was taken over since.
func (s *state) rows(stakes []uint64) [][]uint64 {
	rows := make([][]uint64, len(s.neurons))
	for i := range s.neurons {
		if stakes[i] == 0 {
			continue
		}
		row := make([]uint64, len(s.neurons))
		for _, w := range s.neurons[i].weights {
			if int(w.UID) != i && s.neurons[i].updated > s.neurons[w.UID].registered {
				row[w.UID] = uint64(w.Value)
			}
		}
		rows[i] = shares(row)
	}
	return rows
}

// consensus returns each column's stake-weighted median: the least weight w such
// that those who give at most w hold more than 1-kappa of the stake.
func consensus(rows [][]uint64, stakes []uint64, kappa uint16) []uint64 {
	total := sumOf(stakes)
	minority := total - share(total, uint64(kappa), 65535)
	var voters []int
	for i, s := range stakes {
		if s > 0 {
			voters = append(voters, i)
		}
	}
	out := make([]uint64, len(stakes))
	for j := range out {
		slices.SortStableFunc(voters, func(a, b int) int { return cmp.Compare(rows[a][j], rows[b][j]) })
		below := uint64(0)
		for _, i := range voters {
			if below += stakes[i]; below > minority {
				out[j] = rows[i][j]
				break
			}
		}
	}
	return out
}

// clip cuts weights to the consensus. It returns what each neuron is ranked by
// others, and what each voter's surviving weights amount to, both times stake.
func clip(rows [][]uint64, limit, stakes []uint64) (ranks, trust []uint64) {
	ranks, trust = make([]uint64, len(stakes)), make([]uint64, len(stakes))
	for i, row := range rows {
		for j, w := range row {
			w = min(w, limit[j])
			ranks[j] += stakes[i] * w
			trust[i] += stakes[i] * w
		}
	}
	return ranks, trust
}

// shares scales values so that they sum to at most one, rounding down.
func shares(v []uint64) []uint64 {
	total := sumOf(v)
	out := make([]uint64, len(v))
	for i, x := range v {
		if total > 0 {
			out[i] = share(x, one, total)
		}
	}
	return out
}

// share is floor(part × whole / total) without overflow; part must not exceed total.
func share(part, whole, total uint64) uint64 {
	if total == 0 {
		return 0
	}
	hi, lo := bits.Mul64(part, whole)
	q, _ := bits.Div64(hi, lo, total)
	return q
}

func sumOf(v []uint64) (total uint64) {
	for _, x := range v {
		total += x
	}
	return total
}
