package local

import (
	"targon"
	"targon/yuma"
)

// earned is what an epoch left for a neuron, under the names of the chain's storage.
type earned struct {
	active        bool
	stakeWeight   uint16
	consensus     uint16
	rank          uint16
	trust         uint16
	verifierTrust uint16
	incentive     uint16
	dividends     uint16
	pruningScore  uint16
	emission      targon.Rao
	bonds         []yuma.Entry
}

// epoch pays for the blocks since the last one, as package yuma divides it: by
// incentive for work and by dividends for judging. There are no root stake, parents,
// takes or owner's cut here, so that a hotkey gets the whole of what is divided to it.
func (s *state) epoch(blocks uint64) {
	p := s.params(targon.Rao(uint64(s.rules.Emission) * blocks))
	keys := make([]yuma.Key, len(s.neurons))
	for i := range s.neurons {
		keys[i].AlphaStake = s.stake(&s.neurons[i])
	}
	r := yuma.Epoch(p, s.before())
	judging, _ := yuma.Divide(yuma.Pending{}, p.Emission, r, keys)
	for i := range s.neurons {
		n := &s.neurons[i]
		n.permit = r.Permit[i]
		n.earned = earned{
			active: r.Active[i], stakeWeight: r.StakeWeight[i], consensus: r.Consensus[i], rank: r.Rank[i], trust: r.Trust[i],
			verifierTrust: r.VerifierTrust[i], incentive: r.Incentive[i], dividends: r.Dividends[i], pruningScore: r.PruningScore[i],
			emission: r.Emission[i], bonds: r.Bonds[i],
		}
		s.pay(n.hotkey, r.IncentiveEmission[i]+judging[i].Take+judging[i].Rest)
	}
}

// params are the subnet's rules as an epoch takes them.
func (s *state) params(emission targon.Rao) yuma.Params {
	r := s.rules
	return yuma.Params{
		Block: s.block, Tempo: s.tempo, ActivityCutoff: r.ActivityCutoff, MaxPermits: uint16(min(r.MaxValidators, 65535)),
		StakeThreshold: r.MinStake, Kappa: r.Kappa, BondsMovingAverage: r.BondsMovingAverage, BondsPenalty: r.BondsPenalty,
		Yuma3: r.Yuma3, LiquidAlpha: r.LiquidAlpha, AlphaLow: r.AlphaLow, AlphaHigh: r.AlphaHigh, AlphaSteepness: r.AlphaSteepness,
		Emission: emission,
	}
}

// before is the subnet as an epoch takes it.
func (s *state) before() yuma.State {
	out := yuma.State{Neurons: make([]yuma.Neuron, len(s.neurons))}
	for i := range s.neurons {
		n := &s.neurons[i]
		weights := make([]yuma.Entry, len(n.weights))
		for j, w := range n.weights {
			weights[j] = yuma.Entry{UID: w.UID, Value: w.Value}
		}
		out.Neurons[i] = yuma.Neuron{
			AlphaStake: s.stake(n), LastUpdate: n.lastUpdate(), Registered: n.registered,
			Permit: n.permit, Weights: weights, Bonds: n.bonds,
		}
	}
	return out
}

// lastUpdate is when a neuron set weights or, before it did, when it registered.
func (n *neuron) lastUpdate() targon.Block { return max(n.updated, n.registered) }

func (s *state) pay(h targon.Hotkey, amount targon.Rao) {
	if amount == 0 {
		return
	}
	a := s.account(h)
	if s.rules.PayStake {
		a.stake += amount
	} else {
		a.balance += amount
	}
	s.minted += amount
}
