package local

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"targon"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

// TestServeChecks breaks each rule of serve_axon alone, and each with all that come
// later: the earlier one is named, by the pool's number and by the block's name.
func TestServeChecks(t *testing.T) {
	own := targon.Hotkey{1}
	breaches := []struct {
		number int
		name   Refusal
		apply  func(s *state, a *substrate.Record, signer *targon.Hotkey)
	}{
		{10, HotKeyNotRegisteredInNetwork, func(_ *state, _ *substrate.Record, signer *targon.Hotkey) { signer[0] = 9 }},
		{255, InvalidIpType, func(_ *state, a *substrate.Record, _ *targon.Hotkey) { set(a, "ip_type", uint64(5)) }},
		{11, InvalidIpAddress, func(_ *state, a *substrate.Record, _ *targon.Hotkey) { set(a, "ip", big.NewInt(127<<24+1)) }},
		{12, ServingRateLimitExceeded, func(s *state, _ *substrate.Record, _ *targon.Hotkey) { s.rules.ServingRateLimit = 11 }},
		{13, InvalidPort, func(_ *state, a *substrate.Record, _ *targon.Hotkey) { set(a, "port", uint64(0)) }},
	}
	for i := 0; i <= len(breaches); i++ {
		for all := range 2 {
			c := newChain(t, Config{NetUID: 4, Accounts: []Account{{Hotkey: own, Register: true}}, Rules: Rules{PublicAxons: true, ServingRateLimit: 10}})
			s, signer := c.state, own
			s.block, s.neurons[0].served.block = 49, 40 // the next block is at the limit
			args := record("netuid", uint64(4), "version", uint64(1), "ip", big.NewInt(10<<24+1), "port", uint64(80), "ip_type", uint64(4),
				"protocol", uint64(4), "placeholder1", uint64(0), "placeholder2", uint64(0))
			for j := i; j < len(breaches) && (j == i || all == 1); j++ {
				breaches[j].apply(s, &args, &signer)
			}
			d, err := serveDeed(args)
			if err != nil {
				t.Fatal(err)
			}
			pool := d.valid(s, signer)
			s.block++
			block := d.run(s, call{signer: signer})
			if i == len(breaches) {
				if pool != nil || block != nil || s.neurons[0].axon.String() != "10.0.0.1:80" {
					t.Errorf("at every limit: %v, %v, %s", pool, block, s.neurons[0].axon)
				}
				continue
			}
			if want := custom(uint8(breaches[i].number)); pool == nil || pool.Error() != want.Error() || !errors.Is(block, breaches[i].name) {
				t.Errorf("%s: pool says %v, block %v", breaches[i].name, pool, block)
			}
		}
	}
}

func set(a *substrate.Record, name string, v any) {
	for i := range *a {
		if (*a)[i].Name == name {
			(*a)[i].Value = v
		}
	}
}

// TestCommitChecks holds commit and reveal to their windows, as recorded: a commit of
// block 31 on subnet 2 with a tempo of 10 is revealed in blocks 41 to 51.
func TestCommitChecks(t *testing.T) {
	own := targon.Hotkey{1}
	s := newChain(t, Config{NetUID: 2, Tempo: 10, Accounts: []Account{{Hotkey: own, Stake: 9, Register: true}}, Rules: Rules{CommitReveal: true}}).state
	if first, last := s.window(commit{block: 31}); first != 41 || last != 51 {
		t.Errorf("revealed in %d to %d", first, last)
	}
	reveal := func(block targon.Block, value uint64) error {
		d, err := revealDeed(record("netuid", uint64(2), "uids", []any{uint64(0)}, "values", []any{value}, "salt", []any{}, "version_key", uint64(0)))
		if err != nil {
			t.Fatal(err)
		}
		s.block = block
		return d.run(s, call{signer: own})
	}
	if err := reveal(31, 5); !errors.Is(err, NoWeightsCommitFound) {
		t.Error(err)
	}
	hash := subtensor.Commitment{Account: own, NetUID: 2, UIDs: []uint16{0}, Values: []uint16{5}}.Hash()
	d, err := commitDeed(record("netuid", uint64(2), "commit_hash", hash[:]))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.run(s, call{signer: own}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		block targon.Block
		value uint64
		want  error
	}{{40, 5, RevealTooEarly}, {41, 6, InvalidRevealCommitHashNotMatch}, {52, 5, ExpiredWeightCommit}, {52, 6, NoWeightsCommitFound}, {51, 5, nil}, {51, 5, NoWeightsCommitFound}} {
		if err := reveal(c.block, c.value); !errors.Is(err, c.want) {
			t.Errorf("block %d: %v, want %v", c.block, err, c.want)
		}
	}
	if s.neurons[0].updated != 31 {
		t.Errorf("updated at %d: a commit counts and a reveal does not", s.neurons[0].updated)
	}
	d, err = weightsDeed(record("netuid", uint64(2), "dests", []any{}, "weights", []any{}, "version_key", uint64(0)))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.run(s, call{signer: own}); !errors.Is(err, CommitRevealEnabled) {
		t.Error(err)
	}
}

// TestErrorsHaveNumbers: each refusal that a block can hold is in the metadata.
func TestErrorsHaveNumbers(t *testing.T) {
	m := Metadata()
	for _, r := range []Refusal{
		WeightVecNotEqualSize, UidsLengthExceedUidsInSubNet, HotKeyNotRegisteredInSubNet, NotEnoughStakeToSetWeights, IncorrectWeightVersionKey,
		SettingWeightsTooFast, NeuronNoValidatorPermit, DuplicateUids, UidVecContainInvalidOne, WeightVecLengthIsLow, MaxWeightExceeded,
		HotKeyAlreadyRegisteredInSubNet, NotEnoughBalanceToStake, NoNeuronIdAvailable, InvalidIpAddress, InvalidPort, SubNetworkDoesNotExist,
		CanNotSetRootNetworkWeights, CommitRevealEnabled, CommitRevealDisabled, CommittingWeightsTooFast, TooManyUnrevealedCommits,
		NoWeightsCommitFound, ExpiredWeightCommit, RevealTooEarly, InvalidRevealCommitHashNotMatch, NonAssociatedColdKey,
		NotEnoughStakeToWithdraw, HotKeyAccountNotExists, HotKeyNotRegisteredInNetwork, InvalidIpType, ServingRateLimitExceeded, "SubnetNotExists", "AmountTooLow",
	} {
		if v, _ := dispatchError(m, r).(substrate.Variant); v.Name != "Module" {
			t.Errorf("%s has no number", r)
		}
	}
	for _, r := range []Refusal{underflow, notExpendable} {
		if v, _ := dispatchError(m, r).(substrate.Variant); !strings.HasPrefix(string(r), v.Name+".") {
			t.Errorf("%s becomes %v", r, v)
		}
	}
}
