package local

import (
	"fmt"
	"strings"

	"targon"
	"targon/chain/substrate"
)

// Refusals of whoever is not root, or names a subnet that is not there.
const (
	badOrigin          Refusal = "BadOrigin"
	requireSudo        Refusal = "Sudo.RequireSudo"
	subnetDoesNotExist Refusal = "AdminUtils.SubnetDoesNotExist"
	tooManyPermits     Refusal = "AdminUtils.MaxValidatorsLargerThanMaxUIds"
	tooFewSlots        Refusal = "AdminUtils.MaxAllowedUIdsLessThanCurrentUIds"
	averageTooLong     Refusal = "AdminUtils.BondsMovingAverageMaxReached"
	outOfRange         Refusal = "AdminUtils.ValueNotInBounds"
)

// sudoDeed runs a call as root, for the one account that may.
func sudoDeed(c substrate.Call) (deed, error) {
	d, err := inner(c.Args.Get("call"))
	if err != nil {
		return deed{}, err
	}
	return deed{run: func(s *state, x call) error {
		if s.sudo == (targon.Hotkey{}) || x.signer != s.sudo {
			return requireSudo
		}
		x.root = true
		s.emit("Sudo", "Sudid", record("sudo_result", result{s.attempt(d, x)}))
		return nil
	}}, nil
}

// A setting is a hyperparameter that root may change while the chain runs: its call
// in AdminUtils, its argument, and the event of Subtensor's that says so, if there is
// one. The value is a number, 0 or 1 for a bool.
type setting struct {
	call, arg, kind string
	index           uint8
	event           string
	number          uint8 // of the event
	set             func(s *state, v uint64) error
}

// settings are those of this chain's rules. Names, numbers and arguments are those of
// spec 293's metadata.
func settings() []setting {
	return append(numbers(), switches()...)
}

func numbers() []setting {
	return []setting{
		{"sudo_set_serving_rate_limit", "serving_rate_limit", "u64", 3, "ServingRateLimitSet", 35, func(s *state, v uint64) error { s.rules.ServingRateLimit = targon.Blocks(v); return nil }},
		{"sudo_set_weights_version_key", "weights_version_key", "u64", 6, "WeightsVersionKeySet", 32, func(s *state, v uint64) error { s.rules.VersionKey = v; return nil }},
		{"sudo_set_weights_set_rate_limit", "weights_set_rate_limit", "u64", 7, "WeightsSetRateLimitSet", 22, func(s *state, v uint64) error { s.rules.RateLimit = targon.Blocks(v); return nil }},
		{"sudo_set_max_weight_limit", "max_weight_limit", "u16", 12, "MaxWeightLimitSet", 10, func(s *state, v uint64) error { s.rules.MaxWeight = uint16(v); return nil }},
		{"sudo_set_immunity_period", "immunity_period", "u16", 13, "ImmunityPeriodSet", 23, func(s *state, v uint64) error { s.rules.ImmunityPeriod = targon.Blocks(v); return nil }},
		{"sudo_set_min_allowed_weights", "min_allowed_weights", "u16", 14, "MinAllowedWeightSet", 19, func(s *state, v uint64) error { s.rules.MinAllowedWeights = int(v); return nil }},
		{"sudo_set_max_allowed_uids", "max_allowed_uids", "u16", 15, "MaxAllowedUidsSet", 9, setMaxNeurons},
		{"sudo_set_kappa", "kappa", "u16", 16, "KappaSet", 18, func(s *state, v uint64) error { s.rules.Kappa = uint16(v); return nil }},
		{"sudo_set_activity_cutoff", "activity_cutoff", "u16", 18, "ActivityCutoffSet", 15, func(s *state, v uint64) error { s.rules.ActivityCutoff = targon.Blocks(v); return nil }},
		{"sudo_set_max_allowed_validators", "max_allowed_validators", "u16", 25, "MaxAllowedValidatorsSet", 27, setMaxPermits},
		{"sudo_set_bonds_moving_average", "bonds_moving_average", "u64", 26, "BondsMovingAverageSet", 24, setBondsMovingAverage},
		{"sudo_set_tempo", "tempo", "u16", 30, "TempoSet", 48, setTempo},
		{"sudo_set_commit_reveal_weights_interval", "interval", "u64", 57, "CommitRevealPeriodsSet", 93, setRevealPeriod},
		{"sudo_set_bonds_penalty", "bonds_penalty", "u16", 60, "BondsPenaltySet", 25, func(s *state, v uint64) error { s.rules.BondsPenalty = uint16(v); return nil }},
	}
}

func switches() []setting {
	return []setting{
		{"sudo_set_commit_reveal_weights_enabled", "enabled", "bool", 49, "CommitRevealEnabled", 94, func(s *state, v uint64) error { s.rules.CommitReveal = v == 1; return nil }},
		{"sudo_set_liquid_alpha_enabled", "enabled", "bool", 50, "", 0, func(s *state, v uint64) error { s.rules.LiquidAlpha = v == 1; return nil }},
		{"sudo_set_yuma3_enabled", "enabled", "bool", 69, "", 0, func(s *state, v uint64) error { s.rules.Yuma3 = v == 1; return nil }},
	}
}

func setMaxNeurons(s *state, v uint64) error {
	if v < uint64(len(s.neurons)) || v == 0 {
		return tooFewSlots
	}
	s.rules.MaxNeurons = int(v)
	return nil
}

func setMaxPermits(s *state, v uint64) error {
	switch {
	case v > uint64(s.rules.MaxNeurons):
		return tooManyPermits
	case v == 0:
		return outOfRange
	}
	s.rules.MaxValidators = int(v)
	s.permits()
	return nil
}

func setBondsMovingAverage(s *state, v uint64) error {
	if v > 1_000_000 {
		return averageTooLong
	}
	s.rules.BondsMovingAverage = v
	return nil
}

// setTempo changes from the next block on in which blocks an epoch runs. A tempo of 0
// would be none: this chain has to pay.
func setTempo(s *state, v uint64) error {
	if v == 0 {
		return outOfRange
	}
	s.tempo = targon.Blocks(v)
	return nil
}

func setRevealPeriod(s *state, v uint64) error {
	if v == 0 || v > 100 {
		return outOfRange
	}
	s.rules.RevealPeriod = v
	return nil
}

// settingCalls and settingEvents are the settings as the metadata spells them.
func settingCalls() string {
	var out []string
	for _, t := range settings() {
		out = append(out, fmt.Sprintf("%s{netuid: u16, %s: %s} = %d", t.call, t.arg, t.kind, t.index))
	}
	return strings.Join(out, ", ")
}

func settingEvents() string {
	var out strings.Builder
	for _, t := range settings() {
		if t.event != "" {
			fmt.Fprintf(&out, ", %s(u16, %s) = %d", t.event, t.kind, t.number)
		}
	}
	return out.String()
}

func settingReaders() map[string]reader {
	out := map[string]reader{}
	for _, t := range settings() {
		out["AdminUtils."+t.call] = t.deed
	}
	return out
}

// deed changes one setting of the one subnet, for root.
func (t setting) deed(c substrate.Call) (deed, error) {
	netuid, _ := c.Args.Get("netuid").(uint64)
	v := c.Args.Get(t.arg)
	n, ok := v.(uint64)
	if on, is := v.(bool); is {
		ok = true
		if on {
			n = 1
		}
	}
	if !ok {
		return deed{}, fmt.Errorf("%s is %T", t.arg, v)
	}
	return deed{origin: rooted, free: true, run: func(s *state, _ call) error {
		if netuid != uint64(s.netuid) {
			return subnetDoesNotExist
		}
		if err := t.set(s, n); err != nil {
			return err
		}
		if t.event != "" {
			s.emit(subtensorPallet, t.event, []any{s.netuid, v})
		}
		return nil
	}}, nil
}
