package local

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
