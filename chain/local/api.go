package local

import (
	"errors"
	"math"
	"strings"

	"targon"
	"targon/chain/substrate"
	"targon/chain/subtensor"
	"targon/scale"
)

// errNoFunction is what a node says of a runtime API that it does not have.
var errNoFunction = errors.New("Execution failed: Other: Exported method is not found") //nolint:staticcheck // a node's words

// An answer is what a runtime API says after a block, as its type wants it.
type answer func(c *Chain, b *sealed, args substrate.Record) any

// answers are the runtime APIs that this chain has. Those about a subnet say nothing of
// any but the one that there is.
func answers(api *subtensor.API) map[string]answer {
	out := map[string]answer{
		"SwapRuntimeApi_current_alpha_price": func(*Chain, *sealed, substrate.Record) any { return alphaPrice },
		// No network can be registered, at any price.
		"SubnetRegistrationRuntimeApi_get_network_registration_cost": func(*Chain, *sealed, substrate.Record) any { return uint64(math.MaxUint64) },
		"AccountNonceApi_account_nonce":                              accountNonce,
		"StakeInfoRuntimeApi_get_stake_info_for_coldkey":             stakeOfColdkey,
	}
	for name, list := range map[string]bool{"get_neurons_lite": false, "get_neurons": true} {
		out["NeuronInfoRuntimeApi_"+name] = func(c *Chain, b *sealed, args substrate.Record) any {
			all := []any{}
			for uid := range b.snapshot.neurons {
				if ours(c, args) {
					all = append(all, b.snapshot.neuronInfo(uid, list))
				}
			}
			return all
		}
	}
	for name, whole := range map[string]bool{"get_neuron_lite": false, "get_neuron": true} {
		out["NeuronInfoRuntimeApi_"+name] = func(c *Chain, b *sealed, args substrate.Record) any {
			if uid, _ := args.Get("uid").(uint64); ours(c, args) && uid < uint64(len(b.snapshot.neurons)) {
				return b.snapshot.neuronInfo(int(uid), whole)
			}
			return nil
		}
	}
	for name, say := range map[string]answer{
		"get_metagraph": func(_ *Chain, b *sealed, _ substrate.Record) any { return b.metagraph() },
		"get_selective_metagraph": func(_ *Chain, b *sealed, args substrate.Record) any {
			indexes, _ := args.Get("indexes").([]any)
			return selected(api, b.metagraph(), indexes)
		},
		"get_subnet_hyperparams":    func(_ *Chain, b *sealed, _ substrate.Record) any { return b.snapshot.hyperparams() },
		"get_subnet_hyperparams_v2": func(_ *Chain, b *sealed, _ substrate.Record) any { return b.snapshot.hyperparamsV2() },
		"get_dynamic_info":          func(_ *Chain, b *sealed, _ substrate.Record) any { return b.dynamicInfo() },
		"get_subnet_state":          func(_ *Chain, b *sealed, _ substrate.Record) any { return b.snapshot.subnetState() },
		"get_subnet_info_v2":        func(_ *Chain, b *sealed, _ substrate.Record) any { return b.subnetInfo() },
	} {
		out["SubnetInfoRuntimeApi_"+name] = func(c *Chain, b *sealed, args substrate.Record) any {
			if !ours(c, args) {
				return nil
			}
			return say(c, b, args)
		}
	}
	return out
}

func ours(c *Chain, args substrate.Record) bool { return args.Get("netuid") == uint64(c.netuid) }

// stateOf answers a runtime API after a block.
func (n *Node) stateOf(b *sealed, function string, raw []byte) ([]byte, error) {
	if strings.HasPrefix(function, "Metadata_") {
		return n.metadataOf(function, raw)
	}
	say, ok := n.answers[function]
	if !ok {
		return nil, errNoFunction
	}
	args, err := n.api.DecodeArgs(function, raw)
	if err != nil {
		return nil, err
	}
	return n.api.EncodeResult(function, say(n.chain, b, args))
}

// metadataOf answers the runtime's questions about itself, in the versions that there are.
func (n *Node) metadataOf(function string, raw []byte) ([]byte, error) {
	old, w, r := n.meta.Bytes(), &scale.Writer{}, scale.NewReader(raw)
	switch function {
	case "Metadata_metadata":
		w.ByteVec(old)
	case "Metadata_metadata_versions":
		scale.WriteVec(w, []uint32{14, 15}, (*scale.Writer).U32)
	case "Metadata_metadata_at_version":
		found := map[uint32][]byte{14: old, 15: n.newer}[r.U32()]
		if w.Bool(found != nil); found != nil {
			w.ByteVec(found)
		}
	default:
		return nil, errNoFunction
	}
	return w.Bytes(), r.Done()
}

func accountNonce(_ *Chain, b *sealed, args substrate.Record) any {
	who, _ := args.Get("account").(targon.Hotkey)
	if a := b.snapshot.accounts[who]; a != nil {
		return a.nonce
	}
	return uint64(0)
}

// stakeOfColdkey lists a coldkey's hotkeys and what it holds on them.
func stakeOfColdkey(_ *Chain, b *sealed, args substrate.Record) any {
	coldkey, _ := args.Get("coldkey").(targon.Hotkey)
	out := []any{}
	for _, h := range b.snapshot.owned(coldkey) {
		uid, registered := b.snapshot.uid(h)
		emission := targon.Rao(0)
		if registered {
			emission = b.snapshot.neurons[uid].emission
		}
		out = append(out, record("hotkey", h, "coldkey", coldkey, "netuid", b.snapshot.netuid, "stake", b.snapshot.held(h), "locked", 0,
			"emission", emission, "tao_emission", 0, "drain", 0, "is_registered", registered))
	}
	return out
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
