package local

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"targon"
	"targon/sign"
	"targon/yuma/fixed"
)

// Refusal is why the chain did not do what a call asked. Names are Subtensor's.
type Refusal string

// Error returns the name with its source.
func (r Refusal) Error() string { return "chain refuses: " + string(r) }

// Refusals; those of set_weights are in the order in which it is checked. the
// last four come from the pool, before any block.
const (
	WeightVecNotEqualSize           Refusal = "WeightVecNotEqualSize"
	UidsLengthExceedUidsInSubNet    Refusal = "UidsLengthExceedUidsInSubNet"
	HotKeyNotRegisteredInSubNet     Refusal = "HotKeyNotRegisteredInSubNet"
	NotEnoughStakeToSetWeights      Refusal = "NotEnoughStakeToSetWeights"
	IncorrectWeightVersionKey       Refusal = "IncorrectWeightVersionKey"
	SettingWeightsTooFast           Refusal = "SettingWeightsTooFast"
	NeuronNoValidatorPermit         Refusal = "NeuronNoValidatorPermit"
	DuplicateUids                   Refusal = "DuplicateUids"
	UidVecContainInvalidOne         Refusal = "UidVecContainInvalidOne"
	WeightVecLengthIsLow            Refusal = "WeightVecLengthIsLow"
	MaxWeightExceeded               Refusal = "MaxWeightExceeded"
	HotKeyAlreadyRegisteredInSubNet Refusal = "HotKeyAlreadyRegisteredInSubNet"
	NotEnoughBalanceToStake         Refusal = "NotEnoughBalanceToStake"
	NoNeuronIdAvailable             Refusal = "NoNeuronIdAvailable"
	InvalidIpAddress                Refusal = "InvalidIpAddress"
	InvalidPort                     Refusal = "InvalidPort"
	BadSignature                    Refusal = "BadSignature"
	Stale                           Refusal = "Stale"
	AlreadyPending                  Refusal = "AlreadyPending"
	PoolFull                        Refusal = "PoolFull"

	SubNetworkDoesNotExist          Refusal = "SubNetworkDoesNotExist"
	CanNotSetRootNetworkWeights     Refusal = "CanNotSetRootNetworkWeights"
	CommitRevealEnabled             Refusal = "CommitRevealEnabled"
	CommitRevealDisabled            Refusal = "CommitRevealDisabled"
	CommittingWeightsTooFast        Refusal = "CommittingWeightsTooFast"
	TooManyUnrevealedCommits        Refusal = "TooManyUnrevealedCommits"
	NoWeightsCommitFound            Refusal = "NoWeightsCommitFound"
	ExpiredWeightCommit             Refusal = "ExpiredWeightCommit"
	RevealTooEarly                  Refusal = "RevealTooEarly"
	InvalidRevealCommitHashNotMatch Refusal = "InvalidRevealCommitHashNotMatch"
	NonAssociatedColdKey            Refusal = "NonAssociatedColdKey"
	NotEnoughStakeToWithdraw        Refusal = "NotEnoughStakeToWithdraw"
	HotKeyAccountNotExists          Refusal = "HotKeyAccountNotExists"
)

// maxPool bounds the calls that wait for a block.
const maxPool = 8192

type kind uint8

const (
	kindSetWeights kind = iota + 1
	kindRegister
	kindServeAxon
	kindAddStake
	kindExtrinsic // a call that came as an extrinsic: deed holds what it does
)

// A call is what one account asks of the chain. Only the fields of its kind are set.
type call struct {
	signer targon.Hotkey
	nonce  uint64
	kind   kind

	uids, values []uint16
	version      uint64
	axon         netip.AddrPort
	amount       targon.Rao

	raw  []byte // the extrinsic
	deed deed   // what it does
	root bool   // it is root that asks, through Sudo
}

// args encodes what the call asks, without who asks it and when.
func (c call) args() []byte {
	b := []byte{byte(c.kind)}
	for _, list := range [][]uint16{c.uids, c.values} {
		b = u64(b, uint64(len(list)))
		for _, v := range list {
			b = binary.LittleEndian.AppendUint16(b, v)
		}
	}
	axon := c.axon.String()
	b = append(u64(u64(b, c.version), uint64(len(axon))), axon...)
	return u64(b, uint64(c.amount))
}

// message is what the signer signs: it names the chain and the call's place in the
// signer's life, so that it is good once and here.
func (c call) message(genesis targon.Digest, netuid targon.NetUID) []byte {
	b := append(label("targon/local/call/v1"), genesis[:]...)
	b = append(u64(b, uint64(netuid)), c.signer[:]...)
	return append(u64(b, c.nonce), c.args()...)
}

// A ticket is a call that waits for its block.
type ticket struct {
	call  call
	done  chan struct{}
	err   error        // set before done is closed
	block targon.Block // likewise
}

// nonce returns what the next call of h must bear.
func (c *Chain) nonce(h targon.Hotkey) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nextNonce(h)
}

func (c *Chain) nextNonce(h targon.Hotkey) uint64 {
	n := uint64(0)
	if a := c.state.accounts[h]; a != nil {
		n = a.nonce
	}
	for _, t := range c.pool {
		if t.call.signer == h {
			n++
		}
	}
	return n
}

// pending finds the waiting call of the same signer and kind. A block holds at most
// one: whoever asks again for the same gets the same ticket, and whoever asks for
// something else must wait for the block.
func (c *Chain) pending(x call) (*ticket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pendingLocked(x)
}

func (c *Chain) pendingLocked(x call) (*ticket, error) {
	for _, t := range c.pool {
		if t.call.signer == x.signer && t.call.kind == x.kind && x.raw == nil {
			if slices.Equal(t.call.args(), x.args()) {
				return t, nil
			}
			return nil, AlreadyPending
		}
	}
	return nil, nil
}

// submit puts a signed call into the pool.
func (c *Chain) submit(x call, sig targon.Signature) (*ticket, error) {
	if err := sign.Verify(x.signer, x.message(c.genesis, c.netuid), sig); err != nil {
		return nil, fmt.Errorf("%w: %w", BadSignature, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal != nil {
		return nil, errRecorded
	}
	if x.nonce != c.nextNonce(x.signer) {
		return nil, Stale
	}
	if t, err := c.pendingLocked(x); t != nil || err != nil {
		return t, err
	}
	if len(c.pool) >= maxPool {
		return nil, PoolFull
	}
	t := &ticket{call: x, done: make(chan struct{})}
	c.pool = append(c.pool, t)
	return t, nil
}

// apply runs a call in the present block.
func (s *state) apply(x call) error {
	switch x.kind {
	case kindSetWeights:
		return s.setWeights(x)
	case kindRegister:
		return s.register(x.signer, x.signer)
	case kindServeAxon:
		return s.serveAxon(x.signer, x.axon)
	case kindAddStake:
		return s.addStake(x.signer, x.amount)
	case kindExtrinsic:
		return x.deed.do(s, x)
	}
	return fmt.Errorf("call of unknown kind %d", x.kind)
}

// setWeights checks as subnets/weights.rs of opentensor/subtensor does, in its order.
func (s *state) setWeights(x call) error { return s.weigh(x, false) }

// weigh is setWeights; of revealed weights the commit was what had to wait and what
// counts as the update.
func (s *state) weigh(x call, revealed bool) error {
	if len(x.uids) != len(x.values) {
		return WeightVecNotEqualSize
	}
	if len(x.uids) > len(s.neurons) {
		return UidsLengthExceedUidsInSubNet
	}
	own, ok := s.uid(x.signer)
	if !ok {
		return HotKeyNotRegisteredInSubNet
	}
	n := &s.neurons[own]
	alone := len(x.uids) == 1 && int(x.uids[0]) == own
	switch {
	case s.account(x.signer).stake < s.rules.MinStake:
		return NotEnoughStakeToSetWeights
	case s.rules.VersionKey != 0 && x.version < s.rules.VersionKey:
		return IncorrectWeightVersionKey
	case !revealed && n.lastUpdate() != 0 && s.block-n.lastUpdate() < targon.Block(s.rules.RateLimit):
		return SettingWeightsTooFast
	case !n.permit && !alone:
		return NeuronNoValidatorPermit
	}
	sorted := make(targon.Weights, len(x.uids))
	for i, u := range x.uids {
		sorted[i] = targon.Weight{UID: targon.UID(u), Value: x.values[i]}
	}
	slices.SortFunc(sorted, func(a, b targon.Weight) int { return int(a.UID) - int(b.UID) })
	for i := range sorted[:max(1, len(sorted))-1] {
		if sorted[i].UID == sorted[i+1].UID {
			return DuplicateUids
		}
	}
	switch {
	case len(sorted) > 0 && int(sorted[len(sorted)-1].UID) >= len(s.neurons):
		return UidVecContainInvalidOne
	case len(sorted) < min(len(s.neurons), s.rules.MinAllowedWeights) && !alone:
		return WeightVecLengthIsLow
	case exceeds(sorted, s.rules.MaxWeight) && !alone:
		return MaxWeightExceeded
	}
	n.weights = upscale(sorted)
	if !revealed {
		n.updated = s.block
	}
	s.emit(subtensorPallet, "WeightsSet", []any{s.netuid, own})
	return nil
}

// exceeds reports whether the largest weight is more than limit/65535 of their sum.
func exceeds(w targon.Weights, limit uint16) bool {
	if limit == 65535 {
		return false
	}
	var top, total uint64
	for _, e := range w {
		top, total = max(top, uint64(e.Value)), total+uint64(e.Value)
	}
	return top*65535 > total*uint64(limit)
}

// upscale returns a vector scaled so that its largest value is 65535, rounded to the
// nearest as math.rs of opentensor/subtensor does it: vec_max_upscale_to_u16, which
// divides first where the product would not fit.
func upscale(w targon.Weights) targon.Weights {
	var top fixed.I32F32
	for _, e := range w {
		top = max(top, fixed.FromUint16(e.Value))
	}
	out := slices.Clone(w)
	if top == 0 {
		return out
	}
	whole := fixed.FromUint16(65535)
	for i := range out {
		v := fixed.FromUint16(out[i].Value)
		if top > fixed.FromUint16(32768) {
			out[i].Value = v.Mul(whole.DivOrZero(top)).RoundUint16()
		} else {
			out[i].Value = v.Mul(whole).DivOrZero(top).RoundUint16()
		}
	}
	return out
}
