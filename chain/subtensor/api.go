package subtensor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"targon/chain/substrate"
	"targon/scale"
)

// types are those of Subtensor's runtime APIs, which metadata of version 14 leaves
// out. The order of fields is the encoding. Source: pallets/subtensor/src/rpc_info of
// opentensor/subtensor at spec 293, checked byte for byte against recordings.
const types = `
	AxonInfo = {block: u64, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8}
	PrometheusInfo = {block: u64, version: u32, ip: u128, port: u16, ip_type: u8}
	NeuronInfoLite = {hotkey: AccountId32, coldkey: AccountId32, uid: Compact<u16>, netuid: Compact<u16>, active: bool,
		axon_info: AxonInfo, prometheus_info: PrometheusInfo, stake: Vec<(AccountId32, Compact<u64>)>, rank: Compact<u16>,
		emission: Compact<u64>, incentive: Compact<u16>, consensus: Compact<u16>, trust: Compact<u16>,
		validator_trust: Compact<u16>, dividends: Compact<u16>, last_update: Compact<u64>, validator_permit: bool,
		pruning_score: Compact<u16>}
	NeuronInfo = {hotkey: AccountId32, coldkey: AccountId32, uid: Compact<u16>, netuid: Compact<u16>, active: bool,
		axon_info: AxonInfo, prometheus_info: PrometheusInfo, stake: Vec<(AccountId32, Compact<u64>)>, rank: Compact<u16>,
		emission: Compact<u64>, incentive: Compact<u16>, consensus: Compact<u16>, trust: Compact<u16>,
		validator_trust: Compact<u16>, dividends: Compact<u16>, last_update: Compact<u64>, validator_permit: bool,
		weights: Vec<(Compact<u16>, Compact<u16>)>, bonds: Vec<(Compact<u16>, Compact<u16>)>, pruning_score: Compact<u16>}
	I96F32 = {bits: i128}
	I32F32 = {bits: i64}
	SubnetIdentity = {subnet_name: Vec<u8>, github_repo: Vec<u8>, subnet_contact: Vec<u8>, subnet_url: Vec<u8>,
		discord: Vec<u8>, description: Vec<u8>, logo_url: Vec<u8>, additional: Vec<u8>}
	ChainIdentity = {name: Vec<u8>, url: Vec<u8>, github_repo: Vec<u8>, image: Vec<u8>, discord: Vec<u8>,
		description: Vec<u8>, additional: Vec<u8>}
	SubnetHyperparams = {` + hyperparams + `}
	SubnetHyperparamsV2 = {` + hyperparams + `, alpha_sigmoid_steepness: I32F32, yuma_version: Compact<u16>,
		subnet_is_active: bool, transfers_enabled: bool, bonds_reset_enabled: bool, user_liquidity_enabled: bool}
	DynamicInfo = {netuid: Compact<u16>, owner_hotkey: AccountId32, owner_coldkey: AccountId32,
		subnet_name: Vec<Compact<u8>>, token_symbol: Vec<Compact<u8>>, tempo: Compact<u16>, last_step: Compact<u64>,
		blocks_since_last_step: Compact<u64>, emission: Compact<u64>, alpha_in: Compact<u64>, alpha_out: Compact<u64>,
		tao_in: Compact<u64>, alpha_out_emission: Compact<u64>, alpha_in_emission: Compact<u64>,
		tao_in_emission: Compact<u64>, pending_alpha_emission: Compact<u64>, pending_root_emission: Compact<u64>,
		subnet_volume: Compact<u128>, network_registered_at: Compact<u64>, subnet_identity: Option<SubnetIdentity>,
		moving_price: I96F32}
	SubnetState = {netuid: Compact<u16>, hotkeys: Vec<AccountId32>, coldkeys: Vec<AccountId32>, active: Vec<bool>,
		validator_permit: Vec<bool>, pruning_score: Vec<Compact<u16>>, last_update: Vec<Compact<u64>>,
		emission: Vec<Compact<u64>>, dividends: Vec<Compact<u16>>, incentives: Vec<Compact<u16>>,
		consensus: Vec<Compact<u16>>, trust: Vec<Compact<u16>>, rank: Vec<Compact<u16>>,
		block_at_registration: Vec<Compact<u64>>, alpha_stake: Vec<Compact<u64>>, tao_stake: Vec<Compact<u64>>,
		total_stake: Vec<Compact<u64>>, emission_history: Vec<Vec<Compact<u64>>>}
	SubnetInfoV2 = {netuid: Compact<u16>, rho: Compact<u16>, kappa: Compact<u16>, difficulty: Compact<u64>,
		immunity_period: Compact<u16>, max_allowed_validators: Compact<u16>, min_allowed_weights: Compact<u16>,
		max_weights_limit: Compact<u16>, scaling_law_power: Compact<u16>, subnetwork_n: Compact<u16>,
		max_allowed_uids: Compact<u16>, blocks_since_last_step: Compact<u64>, tempo: Compact<u16>,
		network_modality: Compact<u16>, network_connect: Vec<[u16; 2]>, emission_value: Compact<u64>,
		burn: Compact<u64>, owner: AccountId32, identity: Option<SubnetIdentity>}
	StakeInfo = {hotkey: AccountId32, coldkey: AccountId32, netuid: Compact<u16>, stake: Compact<u64>,
		locked: Compact<u64>, emission: Compact<u64>, tao_emission: Compact<u64>, drain: Compact<u64>, is_registered: bool}
`

const hyperparams = `rho: Compact<u16>, kappa: Compact<u16>, immunity_period: Compact<u16>,
	min_allowed_weights: Compact<u16>, max_weights_limit: Compact<u16>, tempo: Compact<u16>, min_difficulty: Compact<u64>,
	max_difficulty: Compact<u64>, weights_version: Compact<u64>, weights_rate_limit: Compact<u64>,
	adjustment_interval: Compact<u16>, activity_cutoff: Compact<u16>, registration_allowed: bool,
	target_regs_per_interval: Compact<u16>, min_burn: Compact<u64>, max_burn: Compact<u64>, bonds_moving_avg: Compact<u64>,
	max_regs_per_block: Compact<u16>, serving_rate_limit: Compact<u64>, max_validators: Compact<u16>,
	adjustment_alpha: Compact<u64>, difficulty: Compact<u64>, commit_reveal_period: Compact<u64>,
	commit_reveal_weights_enabled: bool, alpha_high: Compact<u16>, alpha_low: Compact<u16>, liquid_alpha_enabled: bool`

// metagraphFields are those of Metagraph and, each as an Option, of SelectiveMetagraph;
// an index of get_selective_metagraph is a place in this list.
const metagraphFields = `netuid: Compact<u16>; name: Vec<Compact<u8>>; symbol: Vec<Compact<u8>>;
	identity: Option<SubnetIdentity>; network_registered_at: Compact<u64>; owner_hotkey: AccountId32;
	owner_coldkey: AccountId32; block: Compact<u64>; tempo: Compact<u16>; last_step: Compact<u64>;
	blocks_since_last_step: Compact<u64>; subnet_emission: Compact<u64>; alpha_in: Compact<u64>; alpha_out: Compact<u64>;
	tao_in: Compact<u64>; alpha_out_emission: Compact<u64>; alpha_in_emission: Compact<u64>; tao_in_emission: Compact<u64>;
	pending_alpha_emission: Compact<u64>; pending_root_emission: Compact<u64>; subnet_volume: Compact<u128>;
	moving_price: I96F32; rho: Compact<u16>; kappa: Compact<u16>; min_allowed_weights: Compact<u16>;
	max_weights_limit: Compact<u16>; weights_version: Compact<u64>; weights_rate_limit: Compact<u64>;
	activity_cutoff: Compact<u16>; max_validators: Compact<u16>; num_uids: Compact<u16>; max_uids: Compact<u16>;
	burn: Compact<u64>; difficulty: Compact<u64>; registration_allowed: bool; pow_registration_allowed: bool;
	immunity_period: Compact<u16>; min_difficulty: Compact<u64>; max_difficulty: Compact<u64>; min_burn: Compact<u64>;
	max_burn: Compact<u64>; adjustment_alpha: Compact<u64>; adjustment_interval: Compact<u16>;
	target_regs_per_interval: Compact<u16>; max_regs_per_block: Compact<u16>; serving_rate_limit: Compact<u64>;
	commit_reveal_weights_enabled: bool; commit_reveal_period: Compact<u64>; liquid_alpha_enabled: bool;
	alpha_high: Compact<u16>; alpha_low: Compact<u16>; bonds_moving_avg: Compact<u64>; hotkeys: Vec<AccountId32>;
	coldkeys: Vec<AccountId32>; identities: Vec<Option<ChainIdentity>>; axons: Vec<AxonInfo>; active: Vec<bool>;
	validator_permit: Vec<bool>; pruning_score: Vec<Compact<u16>>; last_update: Vec<Compact<u64>>;
	emission: Vec<Compact<u64>>; dividends: Vec<Compact<u16>>; incentives: Vec<Compact<u16>>;
	consensus: Vec<Compact<u16>>; trust: Vec<Compact<u16>>; rank: Vec<Compact<u16>>;
	block_at_registration: Vec<Compact<u64>>; alpha_stake: Vec<Compact<u64>>; tao_stake: Vec<Compact<u64>>;
	total_stake: Vec<Compact<u64>>; tao_dividends_per_hotkey: Vec<(AccountId32, Compact<u64>)>;
	alpha_dividends_per_hotkey: Vec<(AccountId32, Compact<u64>)>`

// functions are the runtime APIs that are known: name, arguments, result.
const functions = `
	NeuronInfoRuntimeApi_get_neurons_lite | {netuid: u16} | Vec<NeuronInfoLite>
	NeuronInfoRuntimeApi_get_neurons | {netuid: u16} | Vec<NeuronInfo>
	NeuronInfoRuntimeApi_get_neuron_lite | {netuid: u16, uid: u16} | Option<NeuronInfoLite>
	NeuronInfoRuntimeApi_get_neuron | {netuid: u16, uid: u16} | Option<NeuronInfo>
	SubnetInfoRuntimeApi_get_metagraph | {netuid: u16} | Option<Metagraph>
	SubnetInfoRuntimeApi_get_selective_metagraph | {netuid: u16, indexes: Vec<u16>} | Option<SelectiveMetagraph>
	SubnetInfoRuntimeApi_get_subnet_hyperparams | {netuid: u16} | Option<SubnetHyperparams>
	SubnetInfoRuntimeApi_get_subnet_hyperparams_v2 | {netuid: u16} | Option<SubnetHyperparamsV2>
	SubnetInfoRuntimeApi_get_dynamic_info | {netuid: u16} | Option<DynamicInfo>
	SubnetInfoRuntimeApi_get_subnet_state | {netuid: u16} | Option<SubnetState>
	SubnetInfoRuntimeApi_get_subnet_info_v2 | {netuid: u16} | Option<SubnetInfoV2>
	SwapRuntimeApi_current_alpha_price | {netuid: u16} | u64
	SubnetRegistrationRuntimeApi_get_network_registration_cost | {} | u64
	AccountNonceApi_account_nonce | {account: AccountId32} | u32
	StakeInfoRuntimeApi_get_stake_info_for_coldkey | {coldkey: AccountId32} | Vec<StakeInfo>
`

// API encodes and decodes the arguments and results of Subtensor's runtime APIs. The
// client uses one direction of it and a development chain the other. It is built
// once and not changed after.
type API struct {
	schema *substrate.Schema
	calls  map[string]signature
	index  map[string]uint16 // of a metagraph's field
}

type signature struct{ args, result substrate.TypeID }

// NewAPI builds the table of runtime APIs.
func NewAPI() *API {
	a := &API{schema: substrate.NewSchema(), calls: map[string]signature{}, index: map[string]uint16{}}
	a.define()
	return a
}

// Functions defines the runtime APIs and their types in a schema, for a chain that says in
// its metadata what it has. A schema is not to define these names before or after.
func Functions(s *substrate.Schema) []substrate.Function {
	a := &API{schema: s, calls: map[string]signature{}, index: map[string]uint16{}}
	a.define()
	out := make([]substrate.Function, 0, len(a.calls))
	for _, name := range slices.Sorted(maps.Keys(a.calls)) {
		api, method, _ := strings.Cut(name, "_")
		f := substrate.Function{API: api, Method: method, Result: a.calls[name].result}
		args, _ := s.Types.Type(a.calls[name].args).Def.(substrate.Composite)
		for _, field := range args.Fields {
			f.Args = append(f.Args, substrate.Argument{Name: *field.Name, Type: field.Type})
		}
		out = append(out, f)
	}
	return out
}

func (a *API) define() {
	must(a.schema.Define(types))
	var whole, chosen strings.Builder
	for i, f := range strings.Split(metagraphFields, ";") {
		name, kind, _ := strings.Cut(strings.TrimSpace(f), ":")
		a.index[name] = uint16(i)
		fmt.Fprintf(&whole, "%s: %s,", name, kind)
		if name == "netuid" { // always there, 0 unless it is asked for
			fmt.Fprintf(&chosen, "%s: %s,", name, kind)
			continue
		}
		fmt.Fprintf(&chosen, "%s: Option<%s>,", name, kind)
	}
	must(a.schema.Define("Metagraph = {" + whole.String() + "}"))
	must(a.schema.Define("SelectiveMetagraph = {" + chosen.String() + " validators: Option<Vec<Compact<u16>>>}"))
	a.index["validators"] = uint16(len(a.index))
	for line := range strings.Lines(strings.TrimSpace(functions)) {
		part := strings.Split(line, "|")
		args, err := a.schema.Type(part[1])
		must(err)
		result, err := a.schema.Type(part[2])
		must(err)
		a.calls[strings.TrimSpace(part[0])] = signature{args, result}
	}
}

// must is for the texts above, which are either right or fail every test.
func must(err error) {
	if err != nil {
		panic("internal error: " + err.Error())
	}
}

// Index returns the index of a field for get_selective_metagraph.
func (a *API) Index(field string) (uint16, bool) {
	i, ok := a.index[field]
	return i, ok
}

func (a *API) find(function string) (signature, error) {
	s, ok := a.calls[function]
	if !ok {
		return s, fmt.Errorf("runtime API %s: %w", function, substrate.ErrUnknown)
	}
	return s, nil
}

// EncodeArgs returns the arguments of a function as state_call takes them.
func (a *API) EncodeArgs(function string, args substrate.Record) ([]byte, error) {
	s, err := a.find(function)
	if err != nil {
		return nil, err
	}
	return a.encode(function, s.args, args)
}

// DecodeArgs reads the arguments of a function.
func (a *API) DecodeArgs(function string, raw []byte) (substrate.Record, error) {
	s, err := a.find(function)
	if err != nil {
		return nil, err
	}
	v, err := a.schema.Types.Decode(s.args, raw)
	if err != nil {
		return nil, fmt.Errorf("arguments of %s: %w", function, err)
	}
	rec, _ := v.(substrate.Record)
	return rec, nil
}

// EncodeResult returns the result of a function.
func (a *API) EncodeResult(function string, v any) ([]byte, error) {
	s, err := a.find(function)
	if err != nil {
		return nil, err
	}
	return a.encode(function, s.result, v)
}

// DecodeResult reads the result of a function. A selective metagraph may go on with
// fields that a newer runtime added and nobody asked for: each is one zero byte.
func (a *API) DecodeResult(function string, raw []byte) (any, error) {
	s, err := a.find(function)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(function, "get_selective_metagraph") {
		raw = a.withoutTail(s.result, raw)
	}
	v, err := a.schema.Types.Decode(s.result, raw)
	if err != nil {
		return nil, fmt.Errorf("result of %s: %w", function, err)
	}
	return v, nil
}

// withoutTail cuts the zero bytes that follow a whole value.
func (a *API) withoutTail(id substrate.TypeID, raw []byte) []byte {
	n := a.schema.Types.Size(id, raw)
	for i := n; i < len(raw); i++ {
		if raw[i] != 0 {
			return raw // left over, and Decode will say so
		}
	}
	return raw[:n]
}

func (a *API) encode(function string, id substrate.TypeID, v any) ([]byte, error) {
	if r, ok := v.(substrate.Record); ok && len(r) == 0 {
		v = nil
	}
	w := &scale.Writer{}
	if err := a.schema.Types.Encode(w, id, v); err != nil {
		return nil, fmt.Errorf("encode for %s: %w", function, err)
	}
	return w.Bytes(), nil
}
