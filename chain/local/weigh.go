package local

import (
	"slices"

	"targon"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

const maxCommits = 10 // open at a time

type weightArgs struct {
	NetUID targon.NetUID `chain:"netuid"`
	UIDs   []uint16      `chain:"dests"`
	Values []uint16      `chain:"weights"`
	Key    uint64        `chain:"version_key"`
}

func weightsDeed(args substrate.Record) (deed, error) {
	var a weightArgs
	if err := substrate.Into(args, &a); err != nil {
		return deed{}, err
	}
	return deed{valid: validWeights, run: func(s *state, x call) error {
		if s.rules.CommitReveal {
			return CommitRevealEnabled
		}
		return s.weightsOf(a, x.signer, false)
	}}, nil
}

// validWeights is what the pool asks of whoever sets, commits or reveals weights.
func validWeights(s *state, signer targon.Hotkey) error {
	if s.rules.MinStake > 0 && (s.accounts[signer] == nil || s.accounts[signer].stake < s.rules.MinStake) {
		return custom(customStakeTooLow)
	}
	return nil
}

// weightsOf checks what comes before the subnet's own rules.
func (s *state) weightsOf(a weightArgs, signer targon.Hotkey, revealed bool) error {
	switch {
	case a.NetUID == 0:
		return CanNotSetRootNetworkWeights
	case len(a.UIDs) != len(a.Values):
		return WeightVecNotEqualSize
	case a.NetUID != s.netuid:
		return SubNetworkDoesNotExist
	}
	return s.weigh(call{signer: signer, uids: a.UIDs, values: a.Values, version: a.Key}, revealed)
}

func commitDeed(args substrate.Record) (deed, error) {
	var a struct {
		NetUID targon.NetUID `chain:"netuid"`
		Hash   [32]byte      `chain:"commit_hash"`
	}
	if err := substrate.Into(args, &a); err != nil {
		return deed{}, err
	}
	return deed{valid: validWeights, run: func(s *state, x call) error {
		uid, registered := s.uid(x.signer)
		switch {
		case a.NetUID != s.netuid:
			return SubNetworkDoesNotExist
		case !s.rules.CommitReveal:
			return CommitRevealDisabled
		case !registered:
			return HotKeyNotRegisteredInSubNet
		}
		n, acc := &s.neurons[uid], s.account(x.signer)
		if n.lastUpdate() != 0 && s.block-n.lastUpdate() < targon.Block(s.rules.RateLimit) {
			return CommittingWeightsTooFast
		}
		open := slices.DeleteFunc(slices.Clone(acc.commits), s.expired)
		if len(open) >= maxCommits {
			return TooManyUnrevealedCommits
		}
		acc.commits = slices.Concat(open, []commit{{targon.Digest(a.Hash), s.block}})
		n.updated = s.block
		s.emit(subtensorPallet, "WeightsCommitted", []any{x.signer, s.netuid, a.Hash[:]})
		return nil
	}}, nil
}

func (s *state) rhythm() targon.Tempo { return targon.Tempo{NetUID: s.netuid, Length: s.tempo} }

// due is the epoch in which a commit is revealed.
func (s *state) due(c commit) uint64 { return s.rhythm().Index(c.block) + s.rules.RevealPeriod }

func (s *state) expired(c commit) bool { return s.rhythm().Index(s.block) > s.due(c) }

// window returns the first and the last block in which a commit may be revealed.
func (s *state) window(c commit) (first, last targon.Block) {
	first = targon.Block(s.due(c)*(uint64(s.tempo)+1)) - targon.Block(s.netuid) - 1
	return first, first + targon.Block(s.tempo)
}

func revealDeed(args substrate.Record) (deed, error) {
	var a struct {
		NetUID targon.NetUID `chain:"netuid"`
		UIDs   []uint16      `chain:"uids"`
		Values []uint16      `chain:"values"`
		Salt   []uint16      `chain:"salt"`
		Key    uint64        `chain:"version_key"`
	}
	if err := substrate.Into(args, &a); err != nil {
		return deed{}, err
	}
	return deed{valid: validWeights, run: func(s *state, x call) error {
		switch {
		case a.NetUID != s.netuid:
			return SubNetworkDoesNotExist
		case !s.rules.CommitReveal:
			return CommitRevealDisabled
		}
		acc := s.account(x.signer)
		hash := subtensor.Commitment{Account: x.signer, NetUID: a.NetUID, UIDs: a.UIDs, Values: a.Values, Salt: a.Salt, VersionKey: a.Key}.Hash()
		at := slices.IndexFunc(acc.commits, func(c commit) bool { return c.hash == hash })
		switch {
		case len(acc.commits) == 0:
			return NoWeightsCommitFound
		case at >= 0 && s.expired(acc.commits[at]):
			return ExpiredWeightCommit
		case !slices.ContainsFunc(acc.commits, func(c commit) bool { return !s.expired(c) }):
			return NoWeightsCommitFound
		case at < 0:
			return InvalidRevealCommitHashNotMatch
		case s.rhythm().Index(s.block) != s.due(acc.commits[at]):
			return RevealTooEarly
		}
		if err := s.weightsOf(weightArgs{a.NetUID, a.UIDs, a.Values, a.Key}, x.signer, true); err != nil {
			return err
		}
		acc.commits = slices.Clone(acc.commits[at+1:]) // earlier ones are overtaken
		s.emit(subtensorPallet, "WeightsRevealed", []any{x.signer, s.netuid, hash[:]})
		return nil
	}}, nil
}
