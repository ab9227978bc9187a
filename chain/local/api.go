package local

import (
	"errors"
	"slices"
	"strings"

	"targon"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

// errNoFunction is what a node says of a runtime API that it does not have.
var errNoFunction = errors.New("Execution failed: Other: Exported method is not found") //nolint:staticcheck // a node's words

// callAPI answers a runtime API after a block.
func (c *Chain) callAPI(api *subtensor.API, b *sealed, function string, raw []byte) ([]byte, error) {
	args, err := api.DecodeArgs(function, raw)
	if err != nil {
		if errors.Is(err, substrate.ErrUnknown) {
			return nil, errNoFunction
		}
		return nil, err
	}
	ours := args.Get("netuid") == uint64(c.netuid)
	v := any(nil)
	switch _, name, _ := strings.Cut(function, "_"); name {
	case "get_neurons_lite", "get_neurons":
		list := []any{}
		if ours {
			for uid := range b.snapshot.neurons {
				list = append(list, b.snapshot.neuronInfo(uid, name == "get_neurons"))
			}
		}
		v = list
	case "get_neuron_lite", "get_neuron":
		if uid, _ := args.Get("uid").(uint64); ours && uid < uint64(len(b.snapshot.neurons)) {
			v = b.snapshot.neuronInfo(int(uid), name == "get_neuron")
		}
	case "get_metagraph":
		if ours {
			v = c.metagraph(b)
		}
	case "get_selective_metagraph":
		if indexes, ok := args.Get("indexes").([]any); ok && ours {
			v = selected(api, c.metagraph(b), indexes)
		}
	case "get_subnet_hyperparams":
		if ours {
			v = b.snapshot.hyperparams()
		}
	case "get_subnet_hyperparams_v2":
		if ours {
			v = b.snapshot.hyperparamsV2()
		}
	case "current_alpha_price":
		v = uint64(1e9)
	case "account_nonce":
		who, _ := args.Get("account").(targon.Hotkey)
		v = uint64(0)
		if a := b.snapshot.accounts[who]; a != nil {
			v = a.nonce
		}
	default:
		return nil, errNoFunction
	}
	return api.EncodeResult(function, v)
}

func (s *state) coldkey(h targon.Hotkey) targon.Hotkey {
	if a := s.accounts[h]; a != nil {
		return a.coldkey
	}
	return h
}

// held is what stands behind a hotkey, whether or not it counts.
func (s *state) held(h targon.Hotkey) targon.Rao {
	if a := s.accounts[h]; a != nil {
		return a.stake
	}
	return 0
}

func (s *state) neuronInfo(uid int, whole bool) substrate.Record {
	n := &s.neurons[uid]
	out := record("hotkey", n.hotkey, "coldkey", s.coldkey(n.hotkey), "uid", uid, "netuid", s.netuid, "active", n.active,
		"axon_info", n.axonInfo(), "prometheus_info", n.prometheusInfo(), "stake", []any{[]any{s.coldkey(n.hotkey), s.held(n.hotkey)}},
		"rank", n.rank, "emission", n.emission, "incentive", n.incentive, "consensus", n.consensus, "trust", n.trust,
		"validator_trust", n.verifierTrust, "dividends", n.dividends, "last_update", n.lastUpdate(), "validator_permit", n.permit)
	if whole {
		out = append(out, record("weights", weightPairs(n.weights), "bonds", bondPairs(n.bonds))...)
	}
	return append(out, record("pruning_score", n.pruningScore)...)
}

// hyperparams are the rules as get_subnet_hyperparams has them; what this chain does
// not know, such as proof of work, is zero.
func (s *state) hyperparams() substrate.Record {
	h := s.hyperparameters()
	return record("rho", h["Rho"], "kappa", h["Kappa"], "immunity_period", h["ImmunityPeriod"], "min_allowed_weights", h["MinAllowedWeights"],
		"max_weights_limit", h["MaxWeightsLimit"], "tempo", h["Tempo"], "min_difficulty", 0, "max_difficulty", 0,
		"weights_version", h["WeightsVersionKey"], "weights_rate_limit", h["WeightsSetRateLimit"], "adjustment_interval", 0,
		"activity_cutoff", h["ActivityCutoff"], "registration_allowed", true, "target_regs_per_interval", 0, "min_burn", h["MinBurn"],
		"max_burn", h["MaxBurn"], "bonds_moving_avg", h["BondsMovingAverage"], "max_regs_per_block", 0,
		"serving_rate_limit", h["ServingRateLimit"], "max_validators", h["MaxAllowedValidators"], "adjustment_alpha", 0, "difficulty", 0,
		"commit_reveal_period", h["RevealPeriodEpochs"], "commit_reveal_weights_enabled", h["CommitRevealWeightsEnabled"],
		"alpha_high", s.rules.AlphaHigh, "alpha_low", s.rules.AlphaLow, "liquid_alpha_enabled", h["LiquidAlphaOn"])
}

// hyperparamsV2 are the rules as get_subnet_hyperparams_v2 has them; the steepness is in
// I32F32.
func (s *state) hyperparamsV2() substrate.Record {
	yuma := 2
	if s.rules.Yuma3 {
		yuma = 3
	}
	return append(s.hyperparams(), record("alpha_sigmoid_steepness", record("bits", int64(s.rules.AlphaSteepness)<<32), "yuma_version", yuma,
		"subnet_is_active", true, "transfers_enabled", true, "bonds_reset_enabled", false, "user_liquidity_enabled", false)...)
}

// metagraph is the subnet as get_metagraph has it.
func (c *Chain) metagraph(b *sealed) substrate.Record {
	s := b.snapshot.state
	h := s.hyperparameters()
	since := b.sinceStep()
	zero := targon.Hotkey{}
	out := record("netuid", s.netuid, "name", []byte("targon"), "symbol", []byte{}, "identity", nil, "network_registered_at", 0,
		"owner_hotkey", zero, "owner_coldkey", zero, "block", b.number, "tempo", h["Tempo"],
		"last_step", uint64(b.number)-min(since, uint64(b.number)), "blocks_since_last_step", since, "subnet_emission", s.rules.Emission,
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
