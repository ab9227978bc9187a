package local

import (
	"slices"

	"targon"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

const subnetName = "targon"

// metagraph is the subnet as get_metagraph has it.
func (b *sealed) metagraph() substrate.Record {
	s := b.snapshot.state
	h := s.hyperparameters()
	since := b.sinceStep()
	out := record("netuid", s.netuid, "name", []byte(subnetName), "symbol", []byte{}, "identity", nil, "network_registered_at", 0,
		"owner_hotkey", targon.Hotkey{}, "owner_coldkey", targon.Hotkey{}, "block", b.number, "tempo", h["Tempo"],
		"last_step", b.lastStep(), "blocks_since_last_step", since, "subnet_emission", s.rules.Emission,
		"alpha_in", 0, "alpha_out", 0, "tao_in", 0, "alpha_out_emission", s.rules.Emission, "alpha_in_emission", 0, "tao_in_emission", 0,
		"pending_alpha_emission", uint64(s.rules.Emission)*since, "pending_root_emission", 0, "subnet_volume", 0,
		"moving_price", record("bits", int64(1)<<32))
	out = append(out, record("rho", h["Rho"], "kappa", h["Kappa"], "min_allowed_weights", h["MinAllowedWeights"],
		"max_weights_limit", h["MaxWeightsLimit"], "weights_version", h["WeightsVersionKey"], "weights_rate_limit", h["WeightsSetRateLimit"],
		"activity_cutoff", h["ActivityCutoff"], "max_validators", h["MaxAllowedValidators"], "num_uids", len(s.neurons),
		"max_uids", h["MaxAllowedUids"], "burn", h["Burn"], "difficulty", 0, "registration_allowed", true, "pow_registration_allowed", false,
		"immunity_period", h["ImmunityPeriod"], "min_difficulty", 0, "max_difficulty", 0, "min_burn", h["MinBurn"], "max_burn", h["MaxBurn"],
		"adjustment_alpha", 0, "adjustment_interval", 0, "target_regs_per_interval", 0, "max_regs_per_block", 0,
		"serving_rate_limit", h["ServingRateLimit"], "commit_reveal_weights_enabled", h["CommitRevealWeightsEnabled"],
		"commit_reveal_period", h["RevealPeriodEpochs"], "liquid_alpha_enabled", h["LiquidAlphaOn"], "alpha_high", s.rules.AlphaHigh,
		"alpha_low", s.rules.AlphaLow, "bonds_moving_avg", h["BondsMovingAverage"])...)
	return append(out, s.columns()...)
}

// columns are the lists by uid of a metagraph.
func (s *state) columns() substrate.Record {
	stake := column(s, func(n *neuron) targon.Rao { return s.held(n.hotkey) })
	return record("hotkeys", column(s, func(n *neuron) targon.Hotkey { return n.hotkey }),
		"coldkeys", column(s, func(n *neuron) targon.Hotkey { return s.coldkey(n.hotkey) }),
		"identities", make([]any, len(s.neurons)), "axons", column(s, (*neuron).axonInfo),
		"active", column(s, func(n *neuron) bool { return n.active }), "validator_permit", column(s, func(n *neuron) bool { return n.permit }),
		"pruning_score", column(s, func(n *neuron) uint16 { return n.pruningScore }), "last_update", column(s, (*neuron).lastUpdate),
		"emission", column(s, func(n *neuron) targon.Rao { return n.emission }), "dividends", column(s, func(n *neuron) uint16 { return n.dividends }),
		"incentives", column(s, func(n *neuron) uint16 { return n.incentive }), "consensus", column(s, func(n *neuron) uint16 { return n.consensus }),
		"trust", column(s, func(n *neuron) uint16 { return n.trust }), "rank", column(s, func(n *neuron) uint16 { return n.rank }),
		"block_at_registration", column(s, func(n *neuron) targon.Block { return n.registered }), "alpha_stake", stake,
		"tao_stake", make([]uint64, len(s.neurons)), "total_stake", stake, "tao_dividends_per_hotkey", []any{}, "alpha_dividends_per_hotkey", []any{})
}

// selected is a metagraph with the fields of the indexes; netuid is 0 unless index 0 is
// asked for, and unknown indexes are passed over, as recorded.
func selected(api *subtensor.API, whole substrate.Record, indexes []any) substrate.Record {
	out := make(substrate.Record, 0, len(whole)+1)
	for _, f := range append(whole, record("validators", []uint16{})...) {
		if i, ok := api.Index(f.Name); !ok || !slices.Contains(indexes, any(uint64(i))) {
			f.Value = nil
			if f.Name == "netuid" {
				f.Value = 0
			}
		}
		if f.Name == "identity" { // an Option inside an Option
			f.Value = substrate.Variant{Name: "None"}
		}
		out = append(out, f)
	}
	return out
}

// dynamicInfo is the subnet's economy as get_dynamic_info has it. There are no pools
// here: an alpha is a TAO.
func (b *sealed) dynamicInfo() substrate.Record {
	s, since := b.snapshot.state, b.sinceStep()
	return record("netuid", s.netuid, "owner_hotkey", targon.Hotkey{}, "owner_coldkey", targon.Hotkey{}, "subnet_name", []byte(subnetName),
		"token_symbol", []byte{}, "tempo", clamp16(uint64(s.tempo)), "last_step", b.lastStep(), "blocks_since_last_step", since,
		"emission", 0, "alpha_in", 0, "alpha_out", 0, "tao_in", 0, "alpha_out_emission", s.rules.Emission, "alpha_in_emission", 0,
		"tao_in_emission", 0, "pending_alpha_emission", uint64(s.rules.Emission)*since, "pending_root_emission", 0, "subnet_volume", 0,
		"network_registered_at", 0, "subnet_identity", nil, "moving_price", record("bits", int64(1)<<32))
}

func (b *sealed) lastStep() uint64 { return uint64(b.number) - min(b.sinceStep(), uint64(b.number)) }

// subnetState is the subnet by uid as get_subnet_state has it: the metagraph's lists
// under the same names, and no history.
func (s *state) subnetState() substrate.Record {
	out := record("netuid", s.netuid)
	for _, f := range s.columns() {
		switch f.Name {
		case "identities", "axons", "tao_dividends_per_hotkey", "alpha_dividends_per_hotkey":
		default:
			out = append(out, f)
		}
	}
	return append(out, record("emission_history", [][]uint64{make([]uint64, len(s.neurons))})...)
}

// subnetInfo is the subnet as get_subnet_info_v2 has it.
func (b *sealed) subnetInfo() substrate.Record {
	h := b.snapshot.hyperparameters()
	return record("netuid", b.snapshot.netuid, "rho", h["Rho"], "kappa", h["Kappa"], "difficulty", 0, "immunity_period", h["ImmunityPeriod"],
		"max_allowed_validators", h["MaxAllowedValidators"], "min_allowed_weights", h["MinAllowedWeights"], "max_weights_limit", h["MaxWeightsLimit"],
		"scaling_law_power", 0, "subnetwork_n", h["SubnetworkN"], "max_allowed_uids", h["MaxAllowedUids"], "blocks_since_last_step", b.sinceStep(),
		"tempo", h["Tempo"], "network_modality", 0, "network_connect", []any{}, "emission_value", 0, "burn", h["Burn"], "owner", targon.Hotkey{},
		"identity", nil)
}
