package local_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"targon"
	"targon/chain/local"
	"targon/chain/substrate"
	"targon/wallet"
)

// A scene is a state in which a recorded call must end as it did. Everybody may do
// everything, but for the one thing that the recorded outcome names.
type scene struct {
	config local.Config
	signer *wallet.Key
	before [][]byte // calls of the signer, a block each
	spoil  func(*substrate.Terms, *[]byte)
}

// asked is what matters of a call's arguments, whatever they are called in it.
type asked struct {
	netuid  targon.NetUID
	uids    []uint16
	hotkey  *targon.Hotkey
	amount  targon.Rao
	version uint64
	call    substrate.Call
}

// innermost returns the call that a batch or Sudo holds.
func innermost(c substrate.Call) substrate.Call {
	v := c.Args.Get("call")
	if list, ok := c.Args.Get("calls").([]any); ok && len(list) > 0 {
		v = list[0]
	}
	outer, _ := v.(substrate.Variant)
	inner, ok := outer.Value.(substrate.Variant)
	if !ok {
		return c
	}
	args, _ := inner.Value.(substrate.Record)
	return innermost(substrate.Call{Pallet: outer.Name, Name: inner.Name, Args: args})
}

func read(c substrate.Call) asked {
	a := asked{netuid: 4, call: c}
	number := func(names ...string) (n uint64, ok bool) {
		for _, name := range names {
			if n, ok = c.Args.Get(name).(uint64); ok {
				return n, true
			}
		}
		return 0, false
	}
	if n, ok := number("netuid"); ok {
		a.netuid = targon.NetUID(n)
	}
	amount, _ := number("value", "amount_staked", "amount_unstaked")
	a.amount = targon.Rao(amount)
	a.version, _ = number("version_key")
	for _, name := range []string{"dests", "uids"} {
		list, _ := c.Args.Get(name).([]any)
		for _, u := range list {
			a.uids = append(a.uids, uint16(u.(uint64)))
		}
	}
	if h, ok := c.Args.Get("hotkey").(targon.Hotkey); ok {
		a.hotkey = &h
	}
	return a
}

// places is how many neurons a scene has: enough for the call, unless it is said to name
// more than there are.
func (a asked) places(reason string, signer int) int {
	n := len(a.uids)
	top := 0
	for _, u := range a.uids {
		top = max(top, int(u))
	}
	switch reason {
	case "UidsLengthExceedUidsInSubNet":
		return n - 1
	case "UidVecContainInvalidOne":
		return max(top, n)
	}
	return max(n+1, top+1, signer+1, 2) // one more than are named
}

const rich targon.Rao = 1e15

// spec is the runtime that this chain speaks like.
const spec = 293

// beyond says why a recorded call cannot be played alone on this chain, if so.
func beyond(r *recorded, c substrate.Call) string {
	list, _ := c.Args.Get("calls").([]any)
	switch done := r.reason() == "" && r.refusal() == nil; {
	case r.Spec != 0 && r.Spec != spec:
		return fmt.Sprintf("it is of spec %d", r.Spec)
	case len(list) > 1:
		return "which of its calls did what is not recorded"
	case c.Name == "force_batch":
		return "it succeeds whatever becomes of its calls"
	case done && c.Name == "reveal_weights":
		return "it needs a commit before it"
	case done && c.Pallet == "AdminUtils":
		return "only a subnet's owner could, and this chain's subnet has none"
	}
	return ""
}

// arrange makes the scene of a call.
func arrange(m *substrate.Metadata, r *recorded, raw []byte) (*scene, error) {
	decoded, err := m.DecodeCall(raw)
	if err != nil {
		return nil, fmt.Errorf("this chain has no such call: %w", err)
	}
	signer, err := wallet.Dev(r.URI)
	if err != nil {
		return nil, err
	}
	if why := beyond(r, decoded); why != "" {
		return nil, errors.New(why)
	}
	sc := &scene{signer: signer}
	a := read(innermost(decoded))
	reason := r.reason()
	if p := r.refusal(); p != nil {
		reason = p.Error()
	}
	uid, ok := slot(r.URI)
	if !ok {
		uid = 0
	}
	me := signer.Address()
	sc.config = local.Config{
		NetUID: max(a.netuid, 1), Tempo: 5000, Sudo: me,
		Rules: local.Rules{PublicAxons: true, PayStake: true, Burn: 1e8, CommitReveal: a.call.Name == "commit_weights" || a.call.Name == "reveal_weights"},
	}
	n := a.places(reason, uid)
	uid = min(uid, n-1)
	for i := range n {
		h := targon.Hotkey{0xee, byte(i), byte(i >> 8)}
		if i == uid {
			h = me
		}
		sc.config.Accounts = append(sc.config.Accounts, local.Account{Hotkey: h, Register: true})
	}
	own := &sc.config.Accounts[uid]
	own.Balance, own.Stake = max(rich, 2*a.amount), rich
	if a.hotkey != nil && *a.hotkey != me && a.call.Name != "burned_register" {
		sc.config.Accounts = append(sc.config.Accounts, local.Account{Hotkey: *a.hotkey, Coldkey: me, Stake: max(rich, 2*a.amount)})
	}
	return sc, sc.breach(reason, a, uid, raw)
}

// breach makes the one thing so that the outcome names. What lies in the call itself, such
// as a uid that is named twice, needs nothing.
func (sc *scene) breach(reason string, a asked, uid int, raw []byte) error {
	own, rules := &sc.config.Accounts[uid], &sc.config.Rules
	const long = 1000 // blocks
	switch reason {
	case "", "WeightVecNotEqualSize", "DuplicateUids", "UidVecContainInvalidOne", "UidsLengthExceedUidsInSubNet", "InvalidIpAddress", "InvalidIpType",
		"InvalidPort", "NoWeightsCommitFound", "CanNotSetRootNetworkWeights", pool("Custom", 11), pool("Custom", 13):
	case "AmountTooLow", pool("Custom", 1):
		if !strings.Contains(a.call.Name, "_stake") || a.amount >= 2e6 {
			return errors.New("the least stake of that subnet is not recorded")
		}
	case pool("Custom", 255):
		if kind := a.call.Args.Get("ip_type"); kind == nil || kind == uint64(4) || kind == uint64(6) {
			return errors.New("any refusal may have that number")
		}
	case "SubNetworkDoesNotExist", "SubnetNotExists", pool("Custom", 3):
		sc.config.NetUID++
	case "HotKeyNotRegisteredInSubNet", "HotKeyNotRegisteredInNetwork", pool("Custom", 10):
		own.Register = false
	case "NeuronNoValidatorPermit":
		own.Stake = 0
	case "IncorrectWeightVersionKey":
		rules.VersionKey = a.version + 1
	case "WeightVecLengthIsLow":
		rules.MinAllowedWeights = len(a.uids) + 1
	case "MaxWeightExceeded":
		rules.MaxWeight = 1
	case "CommitRevealEnabled":
		rules.CommitReveal = true
	case "CommitRevealDisabled":
		rules.CommitReveal = false
	case "SettingWeightsTooFast", "CommittingWeightsTooFast":
		rules.RateLimit, sc.before = long, [][]byte{raw}
	case "ServingRateLimitExceeded", pool("Custom", 12):
		rules.ServingRateLimit, sc.before = long, [][]byte{raw}
	case "HotKeyAlreadyRegisteredInSubNet":
		if a.hotkey != nil && *a.hotkey != own.Hotkey {
			sc.config.Accounts = append(sc.config.Accounts, local.Account{Hotkey: *a.hotkey, Register: true})
		}
	case "NotEnoughBalanceToStake", pool("Custom", 2):
		own.Balance, rules.Burn = 1, 2
	case "HotKeyAccountNotExists", pool("Custom", 4):
		sc.config.Accounts = slices.DeleteFunc(sc.config.Accounts, func(x local.Account) bool { return a.hotkey != nil && x.Hotkey == *a.hotkey })
	case "RequireSudo", "BadOrigin":
		sc.config.Sudo = targon.Hotkey{1}
	case "Arithmetic.Underflow":
		own.Balance = a.amount - 1
	case "Token.NotExpendable":
		own.Balance = a.amount
	case pool("Stale", 0):
		remark := []byte{0, 0, 0} // System.remark of nothing
		sc.before = [][]byte{remark}
		sc.spoil = func(terms *substrate.Terms, raw *[]byte) {
			if *raw == nil {
				terms.Nonce--
			}
		}
	case pool("Future", 0):
		sc.spoil = func(terms *substrate.Terms, raw *[]byte) {
			if *raw == nil {
				terms.Nonce++
			}
		}
	case pool("BadProof", 0):
		sc.spoil = func(_ *substrate.Terms, raw *[]byte) {
			if *raw != nil {
				(*raw)[60] ^= 1 // of the signature
			}
		}
	case pool("Payment", 0):
		own.Balance = 0
	default:
		return fmt.Errorf("no scene is known for %q", reason)
	}
	return nil
}

// pool is a refusal by the pool as breach takes it.
func pool(name string, custom uint8) string {
	e := substrate.PoolError{Name: name, Custom: custom}
	return e.Error()
}
