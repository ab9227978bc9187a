package local

import (
	"fmt"
	"strings"

	"targon/chain/substrate"
	"targon/chain/subtensor"
	"targon/scale"
)

// The runtime says of itself what Subtensor's does, under the same names and numbers,
// as far as this chain has it. Source: the metadata of spec 293.
const (
	specVersion        = 293
	transactionVersion = 1
)

// commonTypes are those that several pallets share. Era is made apart.
const commonTypes = `
	sp_runtime::multiaddress::MultiAddress = enum{Id(AccountId32), Index(Compact<()>), Raw(Vec<u8>), Address32([u8; 32]), Address20([u8; 20])}
	sp_runtime::MultiSignature = enum{Ed25519([u8; 64]), Sr25519([u8; 64]), Ecdsa([u8; 65])}
	sp_weights::weight_v2::Weight = {ref_time: Compact<u64>, proof_size: Compact<u64>}
	frame_support::dispatch::DispatchClass = enum{Normal, Operational, Mandatory}
	frame_support::dispatch::Pays = enum{Yes, No}
	frame_system::DispatchEventInfo = {weight: Weight, class: DispatchClass, pays_fee: Pays}
	sp_runtime::ModuleError = {index: u8, error: [u8; 4]}
	sp_runtime::TokenError = enum{FundsUnavailable, OnlyProvider, BelowMinimum, CannotCreate, UnknownAsset, Frozen, Unsupported, CannotCreateHold, NotExpendable, Blocked}
	sp_arithmetic::ArithmeticError = enum{Underflow, Overflow, DivisionByZero}
	sp_runtime::TransactionalError = enum{LimitReached, NoLayer}
	sp_runtime::proving_trie::TrieError = enum{InvalidStateRoot, IncompleteDatabase, ValueAtIncompleteKey, DecoderError, InvalidHash, DuplicateKey,
		ExtraneousNode, ExtraneousValue, ExtraneousHashReference, InvalidChildReference, ValueMismatch, IncompleteProof, RootMismatch, DecodeError}
	sp_runtime::DispatchError = enum{Other, CannotLookup, BadOrigin, Module(ModuleError), ConsumerRemaining, NoProviders, TooManyConsumers,
		Token(TokenError), Arithmetic(ArithmeticError), Transactional(TransactionalError), Exhausted, Corruption, Unavailable, RootNotAllowed, Trie(TrieError)}
	frame_system::Phase = enum{ApplyExtrinsic(u32), Finalization, Initialization}
	pallet_balances::types::ExtraFlags = {u128}
	pallet_balances::types::AccountData = {free: u64, reserved: u64, frozen: u64, flags: ExtraFlags}
	frame_system::AccountInfo = {nonce: u32, consumers: u32, providers: u32, sufficients: u32, data: AccountData}
	substrate_fixed::FixedU128 = {bits: u128}
	pallet_subtensor::pallet::AxonInfo = {block: u64, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8}
	Result = enum{Ok(()), Err(DispatchError)}
	pallet_subtensor::pallet::NeuronCertificate = {public_key: Vec<u8>, algorithm: u8}
	pallet_subtensor::pallet::PrometheusInfo = {block: u64, version: u32, ip: u128, port: u16, ip_type: u8}
`

// palletText is one pallet: types as Schema reads them, and storage as lines of name,
// hashers (I, B, T as in Identity, Blake2_128Concat, Twox64Concat), key type, value
// type, with ? where an absent value reads as nothing.
type palletText struct {
	name, path              string
	index                   uint8
	calls, events, failures string
	storage                 string
	constants               []constantText
}

type constantText struct {
	name, kind string
	value      any
}

func pallets() []palletText {
	return []palletText{
		{
			name: "System", path: "frame_system", index: 0,
			calls:    `remark{remark: Vec<u8>} = 0`,
			events:   `ExtrinsicSuccess{dispatch_info: DispatchEventInfo}, ExtrinsicFailed{dispatch_error: DispatchError, dispatch_info: DispatchEventInfo}, NewAccount{account: AccountId32} = 3`,
			failures: `InvalidSpecName, SpecVersionNeedsToIncrease, FailedToExtractRuntimeVersion, NonDefaultComposite, NonZeroRefCount, CallFiltered`,
			storage: `
				Account B AccountId32 AccountInfo
				BlockHash T u32 H256
				Number - - u32
				ParentHash - - H256
				Events - - Vec<EventRecord>
				EventCount - - u32`,
			constants: []constantText{{"BlockHashCount", "u32", keptStates}, {"SS58Prefix", "u16", 42}},
		},
		{
			name: "Timestamp", path: "pallet_timestamp", index: 2, calls: `set{now: Compact<u64>} = 0`, storage: `Now - - u64`,
			constants: []constantText{{"MinimumPeriod", "u64", 500}},
		},
		{
			name: "Balances", path: "pallet_balances", index: 5,
			calls:     `transfer_allow_death{dest: MultiAddress, value: Compact<u64>} = 0, transfer_keep_alive{dest: MultiAddress, value: Compact<u64>} = 3`,
			events:    `Endowed{account: AccountId32, free_balance: u64} = 0, Transfer{from: AccountId32, to: AccountId32, amount: u64} = 2`,
			failures:  `VestingBalance, LiquidityRestrictions, InsufficientBalance, ExistentialDeposit, Expendability, ExistingVestingSchedule, DeadAccount`,
			storage:   `TotalIssuance - - u64`,
			constants: []constantText{{"ExistentialDeposit", "u64", existentialDeposit}},
		},
		{
			name: subtensorPallet, path: "pallet_subtensor", index: 7,
			calls: `set_weights{netuid: u16, dests: Vec<u16>, weights: Vec<u16>, version_key: u64} = 0,
				add_stake{hotkey: AccountId32, netuid: u16, amount_staked: u64} = 2, remove_stake{hotkey: AccountId32, netuid: u16, amount_unstaked: u64} = 3,
				serve_axon{netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8} = 4,
				serve_axon_tls{netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8, protocol: u8, placeholder1: u8, placeholder2: u8, certificate: Vec<u8>} = 40,
				serve_prometheus{netuid: u16, version: u32, ip: u128, port: u16, ip_type: u8} = 5,
				add_stake_limit{hotkey: AccountId32, netuid: u16, amount_staked: u64, limit_price: u64, allow_partial: bool} = 88,
				remove_stake_limit{hotkey: AccountId32, netuid: u16, amount_unstaked: u64, limit_price: u64, allow_partial: bool} = 89,
				burned_register{netuid: u16, hotkey: AccountId32} = 7, commit_weights{netuid: u16, commit_hash: H256} = 96,
				reveal_weights{netuid: u16, uids: Vec<u16>, values: Vec<u16>, salt: Vec<u16>, version_key: u64} = 97`,
			events: `StakeAdded(AccountId32, AccountId32, u64, u64, u16, u64) = 2, StakeRemoved(AccountId32, AccountId32, u64, u64, u16, u64) = 3,
				WeightsSet(u16, u16) = 5, NeuronRegistered(u16, u16, AccountId32) = 6, AxonServed(u16, AccountId32) = 28, PrometheusServed(u16, AccountId32) = 29,
				WeightsCommitted(AccountId32, u16, H256) = 78, WeightsRevealed(AccountId32, u16, H256) = 79` + settingEvents(),
			failures: subtensorErrors, storage: subtensorStorage,
		},
		{
			name: "Utility", path: "pallet_utility", index: 11,
			calls:    `batch{calls: Vec<RuntimeCall>} = 0, batch_all{calls: Vec<RuntimeCall>} = 2, force_batch{calls: Vec<RuntimeCall>} = 4`,
			events:   `BatchInterrupted{index: u32, error: DispatchError}, BatchCompleted, BatchCompletedWithErrors, ItemCompleted, ItemFailed{error: DispatchError}`,
			failures: `TooManyCalls`,
		},
		{
			name: "Sudo", path: "pallet_sudo", index: 12,
			calls: `sudo{call: RuntimeCall} = 0`, events: `Sudid{sudo_result: Result} = 0`, failures: `RequireSudo`, storage: `Key - - AccountId32?`,
		},
		{
			name: "AdminUtils", path: "pallet_admin_utils", index: 19, calls: settingCalls(),
			failures: `SubnetDoesNotExist, MaxValidatorsLargerThanMaxUIds, MaxAllowedUIdsLessThanCurrentUIds, BondsMovingAverageMaxReached`,
		},
	}
}

const subtensorErrors = `SubNetworkDoesNotExist, InvalidIpType = 2, InvalidIpAddress, InvalidPort, HotKeyNotRegisteredInSubNet, HotKeyAccountNotExists,
	HotKeyNotRegisteredInNetwork, NonAssociatedColdKey, NotEnoughStake, NotEnoughStakeToWithdraw, NotEnoughStakeToSetWeights,
	NotEnoughBalanceToStake = 13, NeuronNoValidatorPermit = 16, WeightVecNotEqualSize, DuplicateUids, UidVecContainInvalidOne, WeightVecLengthIsLow,
	HotKeyAlreadyRegisteredInSubNet = 22, MaxWeightExceeded = 27, SettingWeightsTooFast = 29, IncorrectWeightVersionKey, ServingRateLimitExceeded,
	UidsLengthExceedUidsInSubNet, CanNotSetRootNetworkWeights = 48, NoNeuronIdAvailable, NoWeightsCommitFound = 52, InvalidRevealCommitHashNotMatch,
	CommitRevealEnabled, CommitRevealDisabled, SubnetNotExists = 76, TooManyUnrevealedCommits, ExpiredWeightCommit, RevealTooEarly, InputLengthsUnequal,
	CommittingWeightsTooFast, AmountTooLow, SlippageTooHigh = 84`

const subtensorStorage = `
	Owner B AccountId32 AccountId32
	TotalIssuance - - u64
	TotalStake - - u64
	TaoWeight - - u64
	StakeThreshold - - u64
	TotalHotkeyAlpha BI (AccountId32,u16) u64
	Alpha BBI (AccountId32,AccountId32,u16) FixedU128
	TotalHotkeyShares BI (AccountId32,u16) FixedU128
	StakingHotkeys B AccountId32 Vec<AccountId32>
	OwnedHotkeys B AccountId32 Vec<AccountId32>
	TotalNetworks - - u16
	NetworksAdded I u16 bool
	IsNetworkMember BI (AccountId32,u16) bool
	SubnetworkN I u16 u16
	Keys II (u16,u16) AccountId32
	Uids IB (u16,AccountId32) u16?
	Axons IB (u16,AccountId32) AxonInfo?
	Prometheus IB (u16,AccountId32) PrometheusInfo?
	NeuronCertificates IB (u16,AccountId32) NeuronCertificate?
	BlockAtRegistration II (u16,u16) u64
	Weights II (u16,u16) Vec<(u16,u16)>
	Bonds II (u16,u16) Vec<(u16,u16)>
	WeightCommits TT (u16,AccountId32) Vec<(H256,u64,u64,u64)>?
	Active I u16 Vec<bool>
	ValidatorPermit I u16 Vec<bool>
	StakeWeight I u16 Vec<u16>
	Consensus I u16 Vec<u16>
	Rank I u16 Vec<u16>
	Trust I u16 Vec<u16>
	ValidatorTrust I u16 Vec<u16>
	Incentive I u16 Vec<u16>
	Dividends I u16 Vec<u16>
	PruningScores I u16 Vec<u16>
	Emission I u16 Vec<u64>
	LastUpdate I u16 Vec<u64>
	Tempo I u16 u16
	BlocksSinceLastStep I u16 u64
	Kappa I u16 u16
	Rho I u16 u16
	ImmunityPeriod I u16 u16
	ActivityCutoff I u16 u16
	MaxWeightsLimit I u16 u16
	MinAllowedWeights I u16 u16
	MaxAllowedValidators I u16 u16
	MaxAllowedUids I u16 u16
	WeightsVersionKey I u16 u64
	WeightsSetRateLimit I u16 u64
	CommitRevealWeightsEnabled I u16 bool
	RevealPeriodEpochs T u16 u64
	ServingRateLimit I u16 u64
	BondsMovingAverage I u16 u64
	BondsPenalty I u16 u16
	AlphaValues I u16 (u16,u16)
	LiquidAlphaOn B u16 bool
	Yuma3On B u16 bool
	Burn I u16 u64
	MinBurn I u16 u64
	MaxBurn I u16 u64
	NetworkRegistrationAllowed I u16 bool
	NetworkRegisteredAt I u16 u64
	SubtokenEnabled I u16 bool`

// extensions are those of spec 293: name, path and type, what is signed beside it.
func extensions() [][4]string {
	return [][4]string{
		{"CheckNonZeroSender", "frame_system::extensions::check_non_zero_sender", "{}", "()"},
		{"CheckSpecVersion", "frame_system::extensions::check_spec_version", "{}", "u32"},
		{"CheckTxVersion", "frame_system::extensions::check_tx_version", "{}", "u32"},
		{"CheckGenesis", "frame_system::extensions::check_genesis", "{}", "H256"},
		{"CheckMortality", "frame_system::extensions::check_mortality", "{Era}", "H256"},
		{"CheckNonce", "node_subtensor_runtime::check_nonce", "{Compact<u32>}", "()"},
		{"CheckWeight", "frame_system::extensions::check_weight", "{}", "()"},
		{"ChargeTransactionPayment", "pallet_transaction_payment", "{Compact<u64>}", "()"},
		{"SubtensorTransactionExtension", "pallet_subtensor", "{}", "()"},
		{"CheckMetadataHash", "frame_metadata_hash_extension", "{mode: Mode}", "Option<[u8; 32]>"},
	}
}

// builder makes metadata. The texts above are either right or fail every test, so that
// its first error is kept and panics at the end.
type builder struct {
	*substrate.Schema
	m   substrate.Metadata
	err error

	extra substrate.TypeID // of what the signed extensions add, together
}

func (b *builder) define(text string) {
	if err := b.Define(text); err != nil && b.err == nil {
		b.err = err
	}
}

func (b *builder) id(text string) substrate.TypeID {
	id, err := b.Type(text)
	if err != nil && b.err == nil {
		b.err = err
	}
	return id
}

// Metadata returns what this chain's runtime says of itself.
func Metadata() *substrate.Metadata {
	m, _ := describe()
	return m
}

// describe returns the metadata, and its bytes as version 15.
func describe() (*substrate.Metadata, []byte) {
	b := &builder{Schema: substrate.NewSchema()}
	b.define(commonTypes)
	b.define("sp_runtime::generic::era::Era = enum{Immortal" + eras() + "}")
	b.define("frame_metadata_hash_extension::Mode = enum{Disabled, Enabled}")
	b.define("node_subtensor_runtime::RuntimeCall = enum{}") // some calls take calls
	list := pallets()
	for _, p := range list {
		b.variants(p, "Call", p.calls)
		b.variants(p, "Event", p.events)
		b.variants(p, "Error", p.failures)
	}
	for _, kind := range []string{"Call", "Event", "Error"} {
		b.runtime(list, kind)
	}
	b.define("frame_system::EventRecord = {phase: Phase, event: RuntimeEvent, topics: Vec<H256>}")
	b.params("MultiAddress", [2]string{"AccountId", "AccountId32"}, [2]string{"AccountIndex", "()"})
	b.params("Result", [2]string{"T", "()"}, [2]string{"E", "DispatchError"})
	b.params("EventRecord", [2]string{"E", "RuntimeEvent"}, [2]string{"T", "H256"})
	for _, p := range list {
		b.m.Pallets = append(b.m.Pallets, b.pallet(p))
	}
	b.extrinsic()
	b.define("node_subtensor_runtime::Runtime = {}")
	b.m.Runtime = b.id("Runtime")
	if b.err != nil {
		panic("internal error: " + b.err.Error())
	}
	b.m.Types = b.Types
	m, err := substrate.ParseMetadata(b.m.Bytes()) // what clients will read
	if err != nil {
		panic("internal error: " + err.Error())
	}
	return m, b.version15()
}

// version15 adds the runtime APIs, whose types version 14 does not have.
func (b *builder) version15() []byte {
	extra := substrate.Extra{
		Address: b.id("MultiAddress"), Call: b.id("RuntimeCall"), Signature: b.id("MultiSignature"), Extensions: b.extra,
		Event: b.id("RuntimeEvent"), Error: b.id("RuntimeError"), Functions: subtensor.Functions(b.Schema),
	}
	b.m.Types = b.Types
	return b.m.Bytes15(extra)
}

// runtime gathers the calls, events or errors of all pallets.
func (b *builder) runtime(list []palletText, kind string) {
	var parts []string
	var all substrate.Variants
	for _, p := range list {
		if !p.has(kind) {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s(%s%s) = %d", p.name, p.name, kind, p.index))
		all.List = append(all.List, substrate.VariantType{Name: p.name, Index: p.index, Fields: []substrate.Field{{Type: b.id(p.name + kind)}}})
	}
	if kind == "Call" { // was there before its parts
		b.Types.Type(b.id("RuntimeCall")).Def = all
		return
	}
	b.define("node_subtensor_runtime::Runtime" + kind + " = enum{" + strings.Join(parts, ", ") + "}")
}

// eras are the mortal eras: their first byte is the variant, a second one follows.
func eras() string {
	var out strings.Builder
	for i := 1; i < 256; i++ {
		fmt.Fprintf(&out, ", Mortal%d(u8)", i)
	}
	return out.String()
}

func (p palletText) has(kind string) bool {
	switch kind {
	case "Call":
		return p.calls != ""
	case "Event":
		return p.events != ""
	default:
		return p.failures != ""
	}
}

// variants defines a pallet's calls, events or errors. All pallets name them alike, so
// that they are found under the pallet's name here and get their path after.
func (b *builder) variants(p palletText, kind, text string) {
	if text == "" {
		return
	}
	b.define(p.name + kind + " = enum{" + text + "}")
	b.Types.Type(b.id(p.name + kind)).Path = []string{p.path, "pallet", kind}
}

func (b *builder) pallet(p palletText) substrate.Pallet {
	out := substrate.Pallet{Name: p.name, Index: p.index}
	for _, kind := range []struct {
		name string
		dst  **substrate.TypeID
	}{{"Call", &out.Calls}, {"Event", &out.Events}, {"Error", &out.Errors}} {
		if p.has(kind.name) {
			id := b.id(p.name + kind.name)
			*kind.dst = &id
		}
	}
	out.Storage = &substrate.Storage{Prefix: p.name}
	for line := range strings.Lines(p.storage) {
		if f := strings.Fields(line); len(f) == 4 {
			out.Storage.Entries = append(out.Storage.Entries, b.entry(f))
		}
	}
	for _, c := range p.constants {
		w := &scale.Writer{}
		id := b.id(c.kind)
		if err := b.Types.Encode(w, id, c.value); err != nil && b.err == nil {
			b.err = err
		}
		out.Constants = append(out.Constants, substrate.Constant{Name: c.name, Type: id, Value: w.Bytes()})
	}
	return out
}

func (b *builder) entry(f []string) substrate.Entry {
	value, maybe := strings.CutSuffix(f[3], "?")
	e := substrate.Entry{Name: f[0], HasDefault: !maybe, Value: b.id(value)}
	if f[1] != "-" {
		e.Key = b.id(f[2])
		for _, h := range f[1] {
			e.Hashers = append(e.Hashers, map[rune]substrate.Hasher{
				'I': substrate.Identity, 'B': substrate.Blake2x128Concat, 'T': substrate.Twox64Concat,
			}[h])
		}
	}
	if e.Default = []byte{0}; !maybe {
		e.Default = b.zero(e.Value)
	}
	return e
}

// zero is the encoding of a type's least value, which is what an absent one reads as.
func (b *builder) zero(id substrate.TypeID) []byte {
	var out []byte
	switch d := b.Types.Type(id).Def.(type) {
	case substrate.Primitive:
		out = make([]byte, map[substrate.Primitive]int{substrate.Bool: 1, substrate.U8: 1, substrate.U16: 2, substrate.U32: 4, substrate.U64: 8, substrate.U128: 16}[d])
	case substrate.Composite:
		for _, f := range d.Fields {
			out = append(out, b.zero(f.Type)...)
		}
	case substrate.Tuple:
		for _, e := range d.Elems {
			out = append(out, b.zero(e)...)
		}
	case substrate.Array:
		for range d.Len {
			out = append(out, b.zero(d.Elem)...)
		}
	default:
		out = []byte{0} // an empty list, or None
	}
	return out
}

func (b *builder) extrinsic() {
	form := substrate.ExtrinsicForm{Version: 4}
	var types []string
	for _, e := range extensions() {
		b.define(e[1] + "::" + e[0] + " = " + e[2])
		form.Extensions = append(form.Extensions, substrate.Extension{Name: e[0], Type: b.id(e[0]), Additional: b.id(e[3])})
		types = append(types, e[0])
	}
	b.define("sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic = {Vec<u8>}")
	form.Type = b.id("UncheckedExtrinsic")
	b.params("UncheckedExtrinsic", [2]string{"Address", "MultiAddress"}, [2]string{"Call", "RuntimeCall"},
		[2]string{"Signature", "MultiSignature"}, [2]string{"Extra", "(" + strings.Join(types, ",") + ")"})
	b.extra = b.id("(" + strings.Join(types, ",") + ")")
	b.m.Extrinsic = form
}

// params says what a type is generic over. Polkadot's tools find some types only there.
func (b *builder) params(name string, list ...[2]string) {
	var params []substrate.Param
	for _, p := range list {
		id := b.id(p[1])
		params = append(params, substrate.Param{Name: p[0], Type: &id})
	}
	b.Types.Type(b.id(name)).Params = params
}
