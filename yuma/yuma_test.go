package yuma_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"targon"
	"targon/yuma"
)

// usual are the hyperparameters that subnets start with.
func usual() yuma.Params {
	return yuma.Params{
		Block: 1000, Tempo: 99, ActivityCutoff: 5000, MaxPermits: 64, Kappa: 32767,
		BondsMovingAverage: 900_000, BondsPenalty: 65535,
		AlphaLow: 45875, AlphaHigh: 58982, AlphaSteepness: 1000, Emission: 1_000_000_000,
	}
}

// judges is a verifier with stake whose weights count.
func judges(stake targon.Rao, weights ...yuma.Entry) yuma.Neuron {
	return yuma.Neuron{AlphaStake: stake, LastUpdate: 900, Registered: 10, Permit: true, Weights: weights}
}

// serves is a prover without stake.
func serves() yuma.Neuron { return yuma.Neuron{LastUpdate: 20, Registered: 20} }

func on(uid targon.UID, weight uint16) yuma.Entry { return yuma.Entry{UID: uid, Value: weight} }

func Example() {
	s := yuma.State{Neurons: []yuma.Neuron{
		judges(600, on(2, 40000), on(3, 20000)),
		judges(400, on(2, 65535)),
		serves(),
		serves(),
	}}
	r := yuma.Epoch(usual(), s)
	fmt.Println("consensus", r.Consensus)
	fmt.Println("incentive", r.Incentive)
	fmt.Println("trust    ", r.VerifierTrust)
	fmt.Println("dividends", r.Dividends)
	fmt.Println("emission ", r.Emission)
	s = s.After(r) // its bonds and permits count in the next epoch
	fmt.Println("bonds    ", s.Neurons[0].Bonds)
	// Output:
	// consensus [0 0 43689 21844]
	// incentive [0 0 50411 15123]
	// trust     [65534 43689 0 0]
	// dividends [45370 20164 0 0]
	// emission  [346153846 153846153 384615384 115384615]
	// bonds     [{2 65535} {3 65535}]
}

// TestEdges has, for each comparison that decides money, a case on either side.
func TestEdges(t *testing.T) {
	two := func(change func(p *yuma.Params, s *yuma.State)) yuma.Result {
		p := usual()
		s := yuma.State{Neurons: []yuma.Neuron{
			judges(500, on(2, 65535)), judges(500, on(3, 65535)), serves(), serves(),
		}}
		change(&p, &s)
		return yuma.Epoch(p, s)
	}
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"active until the cutoff, inclusive", two(func(p *yuma.Params, s *yuma.State) {
			p.ActivityCutoff = 100
			s.Neurons[1].LastUpdate = 899
		}).Active, []bool{true, false, false, false}},
		{"the inactive do not vote", two(func(p *yuma.Params, s *yuma.State) {
			p.ActivityCutoff = 100
			s.Neurons[1].LastUpdate = 899
		}).Consensus, []uint16{0, 0, 65535, 0}},
		{"activity does not overflow", two(func(p *yuma.Params, s *yuma.State) {
			p.ActivityCutoff = math.MaxUint64
		}).Active, []bool{true, true, true, true}},
		{"stake at the threshold counts", two(func(p *yuma.Params, s *yuma.State) {
			p.StakeThreshold = 500
		}).StakeWeight, []uint16{32767, 32767, 0, 0}},
		{"stake below the threshold does not", two(func(p *yuma.Params, s *yuma.State) {
			p.StakeThreshold = 500
			s.Neurons[0].AlphaStake = 499
		}).StakeWeight, []uint16{0, 65535, 0, 0}},
		{"root stake counts by its weight", two(func(p *yuma.Params, s *yuma.State) {
			p.TaoWeight = math.MaxUint64 / 2
			s.Neurons[0].AlphaStake, s.Neurons[0].TaoStake = 0, 3000
		}).StakeWeight, []uint16{49151, 16383, 0, 0}},
		{"of equal stakes the later uid gets the permit", two(func(p *yuma.Params, s *yuma.State) {
			p.MaxPermits = 1
		}).Permit, []bool{false, true, false, false}},
		{"more stake gets the permit", two(func(p *yuma.Params, s *yuma.State) {
			p.MaxPermits = 1
			s.Neurons[0].AlphaStake = 501
		}).Permit, []bool{true, false, false, false}},
		{"no permit without stake", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[1].AlphaStake = 0
		}).Permit, []bool{true, false, false, false}},
		{"as many permits as neurons", two(func(p *yuma.Params, s *yuma.State) {
			p.MaxPermits = 4
		}).Permit, []bool{true, true, false, false}},
		{"no permits at all", two(func(p *yuma.Params, s *yuma.State) {
			p.MaxPermits = 0
		}).Permit, []bool{false, false, false, false}},
		{"weights without a permit do not count", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[1].Permit = false
		}).Incentive, []uint16{0, 0, 65535, 0}},
		{"weights set in the block of a registration are outdated", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[2].Registered = 900
		}).VerifierTrust, []uint16{0, 65535, 0, 0}},
		{"weights set after a registration count", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[2].Registered = 899
			s.Neurons[0].AlphaStake = 501
		}).Incentive, []uint16{0, 0, 65535, 0}},
		{"half the stake is more than kappa: the tie goes up", two(func(p *yuma.Params, s *yuma.State) {}).
			Consensus, []uint16{0, 0, 65535, 65535}},
		{"half the stake is not more than kappa 0.6", two(func(p *yuma.Params, s *yuma.State) {
			p.Kappa = 39321
		}).Consensus, []uint16{0, 0, 0, 0}},
		{"kappa 0 takes the highest weight", two(func(p *yuma.Params, s *yuma.State) {
			p.Kappa = 0
			s.Neurons[0].AlphaStake = 1
		}).Consensus, []uint16{0, 0, 65535, 65535}},
		{"kappa 1 takes the lowest", two(func(p *yuma.Params, s *yuma.State) {
			p.Kappa = 65535
			s.Neurons[1].Weights = []yuma.Entry{on(2, 1), on(3, 3)}
		}).Consensus, []uint16{0, 0, 16383, 0}},
		{"a weight on oneself does not count", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].Weights = []yuma.Entry{on(0, 65535)}
			s.Neurons[1].Permit = false
		}).Consensus, []uint16{0, 0, 0, 0}},
		{"the owner's on itself does", two(func(p *yuma.Params, s *yuma.State) {
			s.HasOwner = true
			s.Neurons[0].Weights = []yuma.Entry{on(0, 65535)}
			s.Neurons[1].Permit = false
		}).Consensus, []uint16{65535, 0, 0, 0}},
		{"another's does not", two(func(p *yuma.Params, s *yuma.State) {
			s.HasOwner, s.Owner = true, 1
			s.Neurons[0].Weights = []yuma.Entry{on(0, 65535)}
			s.Neurons[1].Permit = false
		}).Consensus, []uint16{0, 0, 0, 0}},
		{"weights on nobody are left out", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].Weights = []yuma.Entry{on(2, 1), on(4, 65535)}
		}).VerifierTrust, []uint16{65535, 65535, 0, 0}},
		{"without incentive the active are paid by stake", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].Weights, s.Neurons[1].Weights = nil, nil
			s.Neurons[1].Permit = false
		}).Emission, []targon.Rao{1_000_000_000, 0, 0, 0}},
		{"without anybody active, all by stake", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].Permit, s.Neurons[1].Permit = false, false
		}).DividendEmission, []targon.Rao{500_000_000, 500_000_000, 0, 0}},
		{"half goes to those who served", two(func(p *yuma.Params, s *yuma.State) {}).
			IncentiveEmission, []targon.Rao{0, 0, 250_000_000, 250_000_000}},
		{"half to those who judged", two(func(p *yuma.Params, s *yuma.State) {}).
			DividendEmission, []targon.Rao{250_000_000, 250_000_000, 0, 0}},
		{"the greatest share prunes last", two(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].AlphaStake = 1000
		}).PruningScore, []uint16{65535, 0, 65535, 0}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// TestBondEdges does the same for bonds, in both forms.
func TestBondEdges(t *testing.T) {
	one := func(change func(p *yuma.Params, s *yuma.State)) []yuma.Entry {
		p := usual()
		p.Yuma3 = true
		s := yuma.State{Neurons: []yuma.Neuron{judges(600, on(1, 65535), on(2, 65535)), serves(), serves()}}
		s.Neurons[0].Bonds = []yuma.Entry{on(1, 65535)}
		change(&p, &s)
		return yuma.Epoch(p, s).Bonds[0]
	}
	liquid := func(p *yuma.Params) { p.LiquidAlpha, p.AlphaLow, p.AlphaHigh = true, 6553, 58982 }
	for _, c := range []struct {
		name      string
		got, want []yuma.Entry
	}{
		{
			"Yuma 3 moves a tenth of the way", one(func(p *yuma.Params, s *yuma.State) {}),
			[]yuma.Entry{on(1, 62258), on(2, 3276)},
		},
		{"bonds to whom registered a tempo ago are dropped", one(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[1].Registered = 901
			s.Neurons[0].LastUpdate = 902
		}), []yuma.Entry{on(1, 3276), on(2, 3276)}},
		{"bonds to whom registered before are kept", one(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[1].Registered = 900
			s.Neurons[0].LastUpdate = 902
		}), []yuma.Entry{on(1, 62258), on(2, 3276)}},
		{"a tempo longer than the chain drops all", one(func(p *yuma.Params, s *yuma.State) {
			p.Tempo = 2000
			s.Neurons[1].Registered = 0
		}), []yuma.Entry{on(1, 3276), on(2, 3276)}},
		{"without the penalty bonds follow the weights", one(func(p *yuma.Params, s *yuma.State) {
			p.BondsPenalty, p.Kappa = 0, 65535
			s.Neurons = append(s.Neurons, judges(400, on(1, 65535)))
		}), []yuma.Entry{on(1, 62258), on(2, 3276)}},
		{"with it they follow consensus", one(func(p *yuma.Params, s *yuma.State) {
			p.Kappa = 65535
			s.Neurons = append(s.Neurons, judges(400, on(1, 65535)))
		}), []yuma.Entry{on(1, 62258)}},
		{"half of it, half of the way", one(func(p *yuma.Params, s *yuma.State) {
			p.BondsPenalty, p.Kappa = 32768, 65535
			s.Neurons = append(s.Neurons, judges(400, on(1, 65535)))
		}), []yuma.Entry{on(1, 62258), on(2, 1638)}},
		{"liquid: selling far goes fast, agreeing goes slowly", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			s.Neurons[0].Weights = []yuma.Entry{on(1, 1), on(2, 65535)}
		}), []yuma.Entry{on(1, 6904), on(2, 6903)}},
		{"liquid: no weight, no bond", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			s.Neurons[0].Weights = []yuma.Entry{on(2, 65535)}
		}), []yuma.Entry{on(2, 6903)}},
		{"liquid: a stored weight of 0 keeps what is left of the bond", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			s.Neurons[0].Weights = []yuma.Entry{on(1, 0), on(2, 65535)}
		}), []yuma.Entry{on(1, 6903), on(2, 6903)}},
		{"liquid: and starts none", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			s.Neurons[0].Weights = []yuma.Entry{on(1, 65535), on(2, 0)}
		}), []yuma.Entry{on(1, 65535)}},
		{"liquid: a weight that consensus cuts to 0 is no weight", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			p.Kappa = 65535
			s.Neurons[0].Bonds = []yuma.Entry{on(2, 65535)}
			s.Neurons = append(s.Neurons, judges(400, on(1, 65535)))
		}), []yuma.Entry{on(1, 3451)}},
		{"liquid: of two weights on one neuron the first sets the rate", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			s.Neurons[0].Weights = []yuma.Entry{on(1, 0), on(1, 65535)}
		}), []yuma.Entry{on(1, 6903), on(1, 65535)}},
		{"liquid: without any consensus the rate is the constant one", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			p.BondsPenalty, p.Kappa, p.BondsMovingAverage = 0, 65535, 500_000
			s.Neurons = append(s.Neurons, judges(400, on(0, 65535)))
		}), []yuma.Entry{on(1, 49151), on(2, 16383)}},
		{"liquid needs Yuma 3", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			p.Yuma3 = false
		}), []yuma.Entry{on(1, 65535), on(2, 65535)}},
		// The weight on 1 stands after that on 2, so its rate is that of weight 0; the
		// bond on 1 is then sold in full, at the fastest rate.
		{"liquid: a cell out of order is not seen", one(func(p *yuma.Params, s *yuma.State) {
			liquid(p)
			s.Neurons[0].Weights = []yuma.Entry{on(2, 65535), on(1, 65535)}
		}), []yuma.Entry{on(2, 3451), on(1, 36219)}},
		{"a lost permit clears the bonds", one(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].AlphaStake = 0
		}), nil},
		{"without a permit before or after they stay", one(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].AlphaStake, s.Neurons[0].Permit = 0, false
		}), []yuma.Entry{on(1, 65535)}},
		{"a new permit starts a row", one(func(p *yuma.Params, s *yuma.State) {
			s.Neurons[0].Permit = false
		}), []yuma.Entry{on(1, 58981)}},
	} {
		if d := cmp.Diff(c.want, c.got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// subnet draws a plausible subnet: any hyperparameters, rows in order of UIDs,
// distinct stakes.
func subnet(t *rapid.T) (yuma.Params, yuma.State) {
	n := rapid.IntRange(0, 9).Draw(t, "n")
	u16 := rapid.OneOf(rapid.SampledFrom([]uint16{0, 1, 32767, 32768, 65534, 65535}), rapid.Uint16())
	p := yuma.Params{
		Block: 1000, Tempo: targon.Blocks(rapid.IntRange(0, 1200).Draw(t, "tempo")),
		ActivityCutoff: targon.Blocks(rapid.IntRange(0, 1200).Draw(t, "cutoff")),
		MaxPermits:     uint16(rapid.IntRange(0, 10).Draw(t, "permits")),
		StakeThreshold: targon.Rao(rapid.IntRange(0, 100).Draw(t, "threshold")),
		TaoWeight:      rapid.Uint64().Draw(t, "tao weight"),
		Kappa:          u16.Draw(t, "kappa"), BondsPenalty: u16.Draw(t, "penalty"),
		BondsMovingAverage: uint64(rapid.IntRange(0, 1_000_000).Draw(t, "average")),
		Yuma3:              rapid.Bool().Draw(t, "yuma 3"), LiquidAlpha: rapid.Bool().Draw(t, "liquid"),
		AlphaSteepness: rapid.Int16().Draw(t, "steepness"), Emission: targon.Rao(rapid.Uint64().Draw(t, "emission")),
	}
	p.AlphaLow = u16.Draw(t, "low")
	p.AlphaHigh = max(p.AlphaLow, u16.Draw(t, "high"))
	s := yuma.State{HasOwner: n > 0 && rapid.Bool().Draw(t, "has owner")}
	if s.HasOwner {
		s.Owner = targon.UID(rapid.IntRange(0, n-1).Draw(t, "owner"))
	}
	block := rapid.Map(rapid.IntRange(0, 1000), func(b int) targon.Block { return targon.Block(b) })
	row := func(name string) []yuma.Entry {
		var out []yuma.Entry
		for j := range n {
			if rapid.Bool().Draw(t, name) {
				out = append(out, on(targon.UID(j), u16.Draw(t, name)))
			}
		}
		return out
	}
	// Few enough digits that stakes stay distinct when they are cut to 32 bits.
	stakes := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 1<<20), n, n, rapid.ID).Draw(t, "stakes")
	for i := range n {
		s.Neurons = append(s.Neurons, yuma.Neuron{
			AlphaStake: targon.Rao(stakes[i] * 1e9), LastUpdate: block.Draw(t, "update"), Registered: block.Draw(t, "registered"),
			Permit: rapid.Bool().Draw(t, "permit"), Weights: row("weights"), Bonds: row("bonds"),
		})
	}
	return p, s
}

func total[T ~uint16 | ~uint64](x []T) (sum float64) {
	for _, v := range x {
		sum += float64(v)
	}
	return sum
}

func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := subnet(t)
		r := yuma.Epoch(p, s)
		if again := yuma.Epoch(p, s); !cmp.Equal(r, again) {
			t.Fatalf("a second run differs:\n%s", cmp.Diff(r, again))
		}
		for name, x := range map[string][]uint16{
			"stake": r.StakeWeight, "incentive": r.Incentive, "dividends": r.Dividends,
		} {
			if total(x) > 65535 {
				t.Errorf("%s sums to %v", name, total(x))
			}
		}
		if !slices.Equal(r.Rank, r.Incentive) {
			t.Errorf("rank %v, incentive %v", r.Rank, r.Incentive)
		}
		limit := float64(p.Emission) * (1 + 1e-12)
		if total(r.Emission) > limit || total(r.IncentiveEmission)+total(r.DividendEmission) > limit {
			t.Errorf("pays %v and %v of %d", r.IncentiveEmission, r.DividendEmission, p.Emission)
		}
		permits := 0
		for i, ok := range r.Permit {
			if !ok {
				continue
			}
			permits++
			if s.Neurons[i].AlphaStake == 0 || s.Neurons[i].AlphaStake < p.StakeThreshold {
				t.Errorf("neuron %d has a permit for stake %d", i, s.Neurons[i].AlphaStake)
			}
		}
		if permits > int(p.MaxPermits) {
			t.Errorf("%d permits of %d", permits, p.MaxPermits)
		}
		if top := slices.Max(append(r.PruningScore, 0)); top != 65535 && top != 0 {
			t.Errorf("the greatest pruning score is %d", top)
		}
		for i, row := range r.Bonds {
			if !r.Permit[i] && s.Neurons[i].Permit && len(row) > 0 {
				t.Errorf("neuron %d lost its permit and kept bonds", i)
			}
		}
	})
}

// TestOrderOfUIDs: who is in which slot changes nothing but the slot, as long as no
// two parts of the stake are equal.
func TestOrderOfUIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := subnet(t)
		order := rapid.Permutation(indices(len(s.Neurons))).Draw(t, "order")
		moved := yuma.State{Neurons: make([]yuma.Neuron, len(order)), HasOwner: s.HasOwner}
		if s.HasOwner {
			moved.Owner = targon.UID(order[s.Owner])
		}
		for i, n := range s.Neurons {
			n.Weights, n.Bonds = renamed(n.Weights, order), renamed(n.Bonds, order)
			moved.Neurons[order[i]] = n
		}
		want, got := yuma.Epoch(p, s), yuma.Epoch(p, moved)
		for i, j := range order {
			a := []any{
				want.Active[i], want.Permit[i], want.StakeWeight[i], want.Consensus[i], want.Trust[i], want.VerifierTrust[i],
				want.Incentive[i], want.Dividends[i], want.PruningScore[i], want.Emission[i], renamed(want.Bonds[i], order),
			}
			b := []any{
				got.Active[j], got.Permit[j], got.StakeWeight[j], got.Consensus[j], got.Trust[j], got.VerifierTrust[j],
				got.Incentive[j], got.Dividends[j], got.PruningScore[j], got.Emission[j], renamed(got.Bonds[j], indices(len(order))),
			}
			if d := cmp.Diff(a, b); d != "" {
				t.Fatalf("neuron %d as %d:\n%s", i, j, d)
			}
		}
	})
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// renamed gives each entry its new UID and sorts.
func renamed(row []yuma.Entry, order []int) []yuma.Entry {
	out := make([]yuma.Entry, len(row))
	for k, e := range row {
		out[k] = on(targon.UID(order[e.UID]), e.Value)
	}
	slices.SortFunc(out, func(a, b yuma.Entry) int { return int(a.UID) - int(b.UID) })
	return out
}

// TestAnyInput: no numbers, however wild, stop an epoch or change its input.
func TestAnyInput(t *testing.T) {
	rao := rapid.Map(rapid.Uint64(), func(n uint64) targon.Rao { return targon.Rao(n) })
	block := rapid.Map(rapid.Uint64(), func(n uint64) targon.Block { return targon.Block(n) })
	entry := rapid.Custom(func(t *rapid.T) yuma.Entry {
		return on(targon.UID(rapid.OneOf(rapid.Uint16Range(0, 5), rapid.Uint16()).Draw(t, "uid")), rapid.Uint16().Draw(t, "value"))
	})
	neuron := rapid.Custom(func(t *rapid.T) yuma.Neuron {
		return yuma.Neuron{
			AlphaStake: rao.Draw(t, "alpha"), TaoStake: rao.Draw(t, "tao"), LastUpdate: block.Draw(t, "update"),
			Registered: block.Draw(t, "registered"), Permit: rapid.Bool().Draw(t, "permit"),
			Weights: rapid.SliceOfN(entry, 0, 8).Draw(t, "weights"), Bonds: rapid.SliceOfN(entry, 0, 8).Draw(t, "bonds"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		p := yuma.Params{
			Block: block.Draw(t, "block"), Tempo: targon.Blocks(rapid.Uint64().Draw(t, "tempo")),
			ActivityCutoff: targon.Blocks(rapid.Uint64().Draw(t, "cutoff")), MaxPermits: rapid.Uint16().Draw(t, "permits"),
			StakeThreshold: rao.Draw(t, "threshold"), TaoWeight: rapid.Uint64().Draw(t, "weight"), Kappa: rapid.Uint16().Draw(t, "kappa"),
			BondsMovingAverage: rapid.Uint64().Draw(t, "average"), BondsPenalty: rapid.Uint16().Draw(t, "penalty"),
			Yuma3: rapid.Bool().Draw(t, "yuma 3"), LiquidAlpha: rapid.Bool().Draw(t, "liquid"),
			AlphaLow: rapid.Uint16().Draw(t, "low"), AlphaHigh: rapid.Uint16().Draw(t, "high"),
			AlphaSteepness: rapid.Int16().Draw(t, "steepness"), Emission: rao.Draw(t, "emission"),
		}
		s := yuma.State{
			Owner: targon.UID(rapid.Uint16().Draw(t, "owner")), HasOwner: rapid.Bool().Draw(t, "has owner"),
			Neurons: rapid.SliceOfN(neuron, 0, 5).Draw(t, "neurons"),
		}
		before := copied(s)
		r := yuma.Epoch(p, s)
		s.After(r)
		if d := cmp.Diff(before, s); d != "" {
			t.Fatalf("the input changed:\n%s", d)
		}
	})
}

func copied(s yuma.State) yuma.State {
	s.Neurons = slices.Clone(s.Neurons)
	for i := range s.Neurons {
		s.Neurons[i].Weights = slices.Clone(s.Neurons[i].Weights)
		s.Neurons[i].Bonds = slices.Clone(s.Neurons[i].Bonds)
	}
	return s
}

// large is 256 neurons of which 64 judge the other 192, every weight different.
func large() yuma.State {
	var s yuma.State
	for i := range 256 {
		n := serves()
		if i < 64 {
			n = judges(targon.Rao(1000 + 17*i))
			for j := range 256 {
				if j != i {
					n.Weights = append(n.Weights, on(targon.UID(j), uint16((i*7919+j*104729)%65536)))
				}
				n.Bonds = append(n.Bonds, on(targon.UID(j), uint16((i*31+j*977)%65536)))
			}
		}
		s.Neurons = append(s.Neurons, n)
	}
	return s
}

func BenchmarkEpoch(b *testing.B) {
	for _, c := range []struct {
		name   string
		change func(*yuma.Params)
	}{
		{"yuma2", func(*yuma.Params) {}},
		{"yuma3", func(p *yuma.Params) { p.Yuma3 = true }},
		{"liquid", func(p *yuma.Params) { p.Yuma3, p.LiquidAlpha = true, true }},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, s := usual(), large()
			p.BondsPenalty = 32768
			c.change(&p)
			b.ReportAllocs()
			for b.Loop() {
				yuma.Epoch(p, s)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/epoch")
		})
	}
}
