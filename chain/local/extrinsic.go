package local

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"targon"
	"targon/chain/substrate"
	"targon/chain/subtensor"
)

const (
	existentialDeposit targon.Rao = 500       // less is no account
	minStake           targon.Rao = 2_000_000 // DefaultMinStake of the pallet
	maxCommits                    = 10        // open at a time
)

// Errors that belong to no pallet, with their group.
const (
	underflow     Refusal = "Arithmetic.Underflow"
	notExpendable Refusal = "Token.NotExpendable"
)

// invalid is why the pool does not take an extrinsic, as a node says it.
type invalid struct {
	code          int
	message, data string
}

func (e *invalid) Error() string { return e.message + ": " + e.data }

func invalidTransaction(data string) error { return &invalid{1010, "Invalid Transaction", data} }

// custom is a refusal by the runtime's number. Source: common/src/transaction_error.rs
// of opentensor/subtensor.
func custom(n uint8) error { return invalidTransaction(fmt.Sprintf("Custom error: %d", n)) }

// Numbers of refusals by the pool.
const (
	customStakeTooLow    = 1
	customBalanceTooLow  = 2
	customNoSubnet       = 3
	customNoHotkey       = 4
	customStakeMissing   = 5
	customNotRegistered  = 10
	customAddress        = 11
	customServingTooFast = 12
	customPort           = 13
	customOther          = 255
)

// A deed is what a decoded call does: what the pool looks at before it takes the call,
// nil for nothing, and what happens in the block.
type deed struct {
	valid func(s *state, signer targon.Hotkey) error
	run   func(s *state, x call) error
}

// deedOf reads a call into what it does.
func deedOf(c substrate.Call) (deed, error) {
	switch c.Pallet + "." + c.Name {
	case "System.remark":
		return deed{run: func(*state, call) error { return nil }}, nil
	case "Balances.transfer_keep_alive", "Balances.transfer_allow_death":
		return transferDeed(c)
	case "SubtensorModule.set_weights":
		return weightsDeed(c.Args)
	case "SubtensorModule.commit_weights":
		return commitDeed(c.Args)
	case "SubtensorModule.reveal_weights":
		return revealDeed(c.Args)
	case "SubtensorModule.burned_register":
		return registerDeed(c.Args)
	case "SubtensorModule.serve_axon":
		return serveDeed(c.Args)
	case "SubtensorModule.add_stake", "SubtensorModule.remove_stake":
		return stakeDeed(c)
	}
	return deed{}, errors.New("call is not for extrinsics")
}

func transferDeed(c substrate.Call) (deed, error) {
	var a struct {
		Dest  substrate.Variant `chain:"dest"`
		Value targon.Rao        `chain:"value"`
	}
	if err := substrate.Into(c.Args, &a); err != nil {
		return deed{}, err
	}
	to, ok := a.Dest.Value.(targon.Hotkey)
	keep := c.Name == "transfer_keep_alive"
	return deed{run: func(s *state, x call) error {
		if !ok {
			return Refusal("CannotLookup")
		}
		from := s.account(x.signer)
		switch {
		case from.balance < a.Value:
			return underflow
		case keep && from.balance-a.Value < existentialDeposit:
			return notExpendable
		}
		from.balance -= a.Value
		s.account(to).balance += a.Value
		s.emit("Balances", "Transfer", record("from", x.signer, "to", to, "amount", a.Value))
		return nil
	}}, nil
}

func record(pairs ...any) substrate.Record {
	var out substrate.Record
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, substrate.Named{Name: pairs[i].(string), Value: pairs[i+1]})
	}
	return out
}

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

func registerDeed(args substrate.Record) (deed, error) {
	var a struct {
		NetUID targon.NetUID `chain:"netuid"`
		Hotkey targon.Hotkey `chain:"hotkey"`
	}
	if err := substrate.Into(args, &a); err != nil {
		return deed{}, err
	}
	return deed{run: func(s *state, x call) error {
		if a.NetUID != s.netuid {
			return SubNetworkDoesNotExist
		}
		return s.register(x.signer, a.Hotkey)
	}}, nil
}

type serveArgs struct {
	NetUID   targon.NetUID `chain:"netuid"`
	Version  uint32        `chain:"version"`
	IP       *big.Int      `chain:"ip"`
	Port     uint16        `chain:"port"`
	Type     uint8         `chain:"ip_type"`
	Protocol uint8         `chain:"protocol"`
	One      uint8         `chain:"placeholder1"`
	Two      uint8         `chain:"placeholder2"`
}

// addr is the axon's address, invalid where the chain would not take it.
func (a serveArgs) addr(public bool) netip.Addr {
	var ip netip.Addr
	switch raw := make([]byte, 16); {
	case a.IP.Sign() <= 0 || a.Type == 4 && a.IP.BitLen() > 32:
		return ip
	case a.Type == 4:
		ip = netip.AddrFrom4([4]byte(a.IP.FillBytes(raw)[12:]))
	default:
		ip = netip.AddrFrom16([16]byte(a.IP.FillBytes(raw)))
	}
	here := ip == netip.IPv6Loopback() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if public && here || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}
	}
	return ip
}

// serveDeed is checked by the pool, in the pallet's order (validate_serve_axon), and
// again in the block, where the state may be another.
func serveDeed(args substrate.Record) (deed, error) {
	var a serveArgs
	if err := substrate.Into(args, &a); err != nil {
		return deed{}, err
	}
	numbers := map[error]uint8{
		HotKeyNotRegisteredInNetwork: customNotRegistered, InvalidIpAddress: customAddress,
		ServingRateLimitExceeded: customServingTooFast, InvalidPort: customPort,
	}
	return deed{
		valid: func(s *state, signer targon.Hotkey) error {
			err := s.checkServe(a, signer, s.block+1)
			if err == nil {
				return nil
			}
			if n, ok := numbers[err]; ok {
				return custom(n)
			}
			return custom(customOther)
		},
		run: func(s *state, x call) error {
			if err := s.checkServe(a, x.signer, s.block); err != nil {
				return err
			}
			uid, _ := s.uid(x.signer)
			n := &s.neurons[uid]
			n.axon = netip.AddrPortFrom(a.addr(s.rules.PublicAxons), a.Port)
			n.served = served{s.block, a.Version, a.Protocol, [2]uint8{a.One, a.Two}}
			s.emit(subtensorPallet, "AxonServed", []any{s.netuid, x.signer})
			return nil
		},
	}, nil
}

// What only serve_axon says.
const (
	HotKeyNotRegisteredInNetwork Refusal = "HotKeyNotRegisteredInNetwork"
	InvalidIpType                Refusal = "InvalidIpType"
	ServingRateLimitExceeded     Refusal = "ServingRateLimitExceeded"
)

func (s *state) checkServe(a serveArgs, signer targon.Hotkey, block targon.Block) error {
	uid, ok := s.uid(signer)
	switch {
	case !ok || a.NetUID != s.netuid:
		return HotKeyNotRegisteredInNetwork
	case a.Type != 4 && a.Type != 6:
		return InvalidIpType
	case !a.addr(s.rules.PublicAxons).IsValid():
		return InvalidIpAddress
	case s.neurons[uid].served.block != 0 && block-s.neurons[uid].served.block < targon.Block(s.rules.ServingRateLimit):
		return ServingRateLimitExceeded
	case a.Port == 0:
		return InvalidPort
	}
	return nil
}

// stakeDeed adds or removes stake, at one TAO for one alpha. Only the hotkey's own
// coldkey stakes on it here.
func stakeDeed(c substrate.Call) (deed, error) {
	add := c.Name == "add_stake"
	var a struct {
		Hotkey targon.Hotkey `chain:"hotkey"`
		NetUID targon.NetUID `chain:"netuid"`
		In     targon.Rao    `chain:"amount_staked,maybe"`
		Out    targon.Rao    `chain:"amount_unstaked,maybe"`
	}
	if err := substrate.Into(c.Args, &a); err != nil {
		return deed{}, err
	}
	amount := a.In + a.Out
	check := func(s *state, signer targon.Hotkey) (Refusal, uint8) {
		from, to := s.accounts[signer], s.accounts[a.Hotkey]
		switch {
		case a.NetUID != s.netuid:
			return "SubnetNotExists", customNoSubnet
		case add && amount < minStake || amount == 0:
			return "AmountTooLow", customStakeTooLow
		case add && (from == nil || from.balance < amount):
			return NotEnoughBalanceToStake, customBalanceTooLow
		case to == nil || !to.hot:
			return HotKeyAccountNotExists, customNoHotkey
		case add && to.coldkey != signer:
			return NonAssociatedColdKey, customOther
		case !add && (to.coldkey != signer || to.stake < amount):
			return NotEnoughStakeToWithdraw, customStakeMissing
		}
		return "", 0
	}
	return deed{
		valid: func(s *state, signer targon.Hotkey) error {
			if name, n := check(s, signer); name != "" {
				return custom(n)
			}
			return nil
		},
		run: func(s *state, x call) error {
			if name, _ := check(s, x.signer); name != "" {
				return name
			}
			from, to, name := s.account(x.signer), s.account(a.Hotkey), "StakeAdded"
			if add {
				from.balance, to.stake = from.balance-amount, to.stake+amount
			} else {
				from.balance, to.stake, name = from.balance+amount, to.stake-amount, "StakeRemoved"
			}
			s.permits()
			s.emit(subtensorPallet, name, []any{x.signer, a.Hotkey, amount, amount, s.netuid, 0})
			return nil
		},
	}, nil
}

// succeeded is what System.ExtrinsicSuccess says. Calls weigh and cost nothing here.
func succeeded() any { return record("dispatch_info", dispatchInfo()) }

func dispatchInfo() any {
	return record("weight", record("ref_time", 0, "proof_size", 0), "class", "Normal", "pays_fee", "No")
}

// failed is what System.ExtrinsicFailed says; the metadata knows the error's number.
func failed(m *substrate.Metadata, err error) any {
	return record("dispatch_error", dispatchError(m, err), "dispatch_info", dispatchInfo())
}

func dispatchError(m *substrate.Metadata, err error) any {
	name, ok := errors.AsType[Refusal](err)
	if !ok {
		return substrate.Variant{Name: "Other"}
	}
	if group, reason, ok := strings.Cut(string(name), "."); ok {
		return substrate.Variant{Name: group, Value: substrate.Variant{Name: reason}}
	}
	p, perr := m.Pallet(subtensorPallet)
	if perr != nil || p.Errors == nil {
		return substrate.Variant{Name: "Other"}
	}
	list, _ := m.Types.Type(*p.Errors).Def.(substrate.Variants)
	for _, v := range list.List {
		if v.Name == string(name) {
			return substrate.Variant{Name: "Module", Value: record("index", p.Index, "error", []byte{v.Index, 0, 0, 0})}
		}
	}
	return substrate.Variant{Name: string(name)}
}
