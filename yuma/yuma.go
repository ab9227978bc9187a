// Package yuma is the epoch of a Bittensor subnet: stakes and weights go in,
// consensus, incentive, bonds, dividends and emission come out, to the last unit as
// Subtensor's runtime computes them.
//
// It follows pallets/subtensor/src/epoch (run_epoch.rs, math.rs) of
// opentensor/subtensor at runtime spec 293, whose recorded epochs are its test; the
// names of the steps are those of the source. Arithmetic is package fixed's. Where
// the source has a sparse form it is kept, because the order of additions and what
// is left out of a row are visible in the last unit.
//
// Divide then says which hotkey, its owner and its parents get what of the dividends.
//
// It does not decide when an epoch runs (targon.Tempo does), does not work out what
// stake a key inherits, and does not book what is paid: shares of those who stake on
// one hotkey and the owner's cut are the chain's. Later runtimes force the
// owner's permit, mask columns for open commits and take the age of bonds from the
// block of the last step; none of that is here.
//
// Invariant: Epoch and Divide are functions of their arguments, change none, and
// answer every input without a panic. UIDs that name no neuron are left out.
package yuma

import (
	"targon"
	"targon/yuma/fixed"
)

// Params is what a subnet's hyperparameters and the chain give to an epoch. A u16
// proportion is n/65535.
type Params struct {
	Block              targon.Block  // the block that runs the epoch
	Tempo              targon.Blocks // bonds to a neuron registered at Block-Tempo or later are dropped
	ActivityCutoff     targon.Blocks // who has not set weights for longer is inactive
	MaxPermits         uint16        // how many permits there are
	StakeThreshold     targon.Rao    // less stake counts as none
	TaoWeight          uint64        // what root stake counts for, of 2^64-1
	Kappa              uint16        // proportion: the majority that makes consensus
	BondsMovingAverage uint64        // how much of the old bonds stays, of 1,000,000
	BondsPenalty       uint16        // proportion: how far bonds follow clipped weights
	Yuma3              bool          // bonds as absolute proportions; else each column is shared out
	LiquidAlpha        bool          // with Yuma3: a rate for each pair instead of BondsMovingAverage
	AlphaLow           uint16        // proportion: the least liquid rate
	AlphaHigh          uint16        // proportion: the greatest liquid rate
	AlphaSteepness     int16         // of the liquid rate's sigmoid, in hundredths
	Emission           targon.Rao    // what the epoch divides
}

// Entry is one cell of a sparse row as the chain stores it.
type Entry struct {
	UID   targon.UID
	Value uint16
}

// Neuron is what the chain stores about one slot before an epoch.
type Neuron struct {
	AlphaStake targon.Rao   // on the subnet, after parents and children
	TaoStake   targon.Rao   // on root, after parents and children, not yet weighed
	LastUpdate targon.Block // when it last set weights
	Registered targon.Block
	Permit     bool    // whether its weights count in this epoch
	Weights    []Entry // in stored order, which shows in the result
	Bonds      []Entry
}

// State is a subnet before an epoch; a neuron's index is its UID.
type State struct {
	Owner    targon.UID // of the owner's hotkey, whose weight on itself counts
	HasOwner bool       // whether that hotkey has a slot
	Neurons  []Neuron
}

// Result is what an epoch stores, by UID, and what it pays.
type Result struct {
	Active        []bool
	Permit        []bool // for the next epoch
	StakeWeight   []uint16
	Consensus     []uint16
	Rank          []uint16
	Trust         []uint16
	VerifierTrust []uint16
	Incentive     []uint16
	Dividends     []uint16
	PruningScore  []uint16
	Bonds         [][]Entry
	Emission      []targon.Rao // as stored: of incentive and dividends together

	// What is paid: for work by incentive, for judging by dividends.
	IncentiveEmission, DividendEmission []targon.Rao
}

// Epoch runs one epoch.
func Epoch(p Params, s State) Result {
	active := s.active(p)
	stake := s.stake(p)
	permit := topNonZero(stake, int(p.MaxPermits))
	activeStake := s.activeStake(stake, active)

	weights := s.weights()
	preranks := weights.weighColumns(activeStake)
	consensus := weights.medians(activeStake, fixed.Proportion(p.Kappa))
	clipped := weights.clip(consensus)
	ranks := clipped.weighColumns(activeStake)
	trust := ratios(ranks, preranks)
	normalise(ranks)

	b := bonding{
		params:      p,
		weights:     weights.interpolate(clipped, fixed.Proportion(p.BondsPenalty)),
		old:         s.bonds(p),
		consensus:   consensus,
		incentive:   ranks, // ranks, normalised, are the incentive
		activeStake: activeStake,
	}
	bonds, dividends := b.settle()
	pay := share(ranks, dividends, activeStake, stake)

	return Result{
		Active:            active,
		Permit:            permit,
		StakeWeight:       proportions(stake),
		Consensus:         proportions(consensus),
		Rank:              proportions(ranks),
		Trust:             proportions(trust),
		VerifierTrust:     proportions(clipped.sums()),
		Incentive:         proportions(ranks),
		Dividends:         proportions(dividends),
		PruningScore:      maxUpscale(pay.combined),
		Bonds:             s.storedBonds(permit, bonds),
		Emission:          amounts(pay.combined, p.Emission),
		IncentiveEmission: amounts(pay.incentive, p.Emission),
		DividendEmission:  amounts(pay.dividends, p.Emission),
	}
}

// After is the state with the permits and bonds that an epoch left.
func (s State) After(r Result) State {
	neurons := make([]Neuron, len(s.Neurons))
	for i, n := range s.Neurons {
		n.Permit, n.Bonds = r.Permit[i], r.Bonds[i]
		neurons[i] = n
	}
	s.Neurons = neurons
	return s
}
