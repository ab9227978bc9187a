package local

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"targon"
)

// A neuron is a slot of the subnet; its UID is its index.
type neuron struct {
	hotkey     targon.Hotkey
	axon       netip.AddrPort
	served     served // what else the axon says of itself
	prometheus metrics
	// certificate is that of serve_axon_tls: a byte for the algorithm, and a key.
	certificate []byte
	registered  targon.Block
	updated     targon.Block // when it last set weights; 0: never
	permit      bool
	weights     targon.Weights // as stored: max-upscaled
	earned                     // in the last epoch
}

// served is the rest of Subtensor's AxonInfo.
type served struct {
	block        targon.Block
	version      uint32
	protocol     uint8
	placeholders [2]uint8
}

// metrics are where a neuron shows its own, as Subtensor's PrometheusInfo.
type metrics struct {
	block   targon.Block
	version uint32
	where   netip.AddrPort
}

// An account belongs to a key. One that registered or holds stake is a hotkey, and
// belongs to its coldkey.
type account struct {
	coldkey targon.Hotkey
	hot     bool
	balance targon.Rao
	stake   targon.Rao
	nonce   uint64 // of its next call
	commits []commit
}

// A commit hides weights until they are revealed.
type commit struct {
	hash  targon.Digest
	block targon.Block
}

// state is all that a block hash commits to.
type state struct {
	secret   targon.Secret
	sudo     targon.Hotkey // whose Sudo.sudo is root's; nobody's when zero
	rules    Rules
	netuid   targon.NetUID
	tempo    targon.Blocks
	block    targon.Block
	neurons  []neuron
	accounts map[targon.Hotkey]*account
	// minted and burned close the books: balances + stakes = genesis + minted − burned.
	minted, burned targon.Rao
	events         []event // of the present block; no hash commits to them
}

func newState(c Config) (*state, error) {
	s := &state{
		secret: c.Seed, sudo: c.Sudo, rules: c.Rules, netuid: c.NetUID, tempo: c.Tempo,
		accounts: map[targon.Hotkey]*account{},
	}
	if c.Rules.MaxNeurons < 1 || c.Rules.MaxNeurons > 1<<16 || c.Rules.MaxValidators < 1 || c.Rules.MinAllowedWeights < 0 {
		return nil, errors.New("rules: a limit is out of range")
	}
	var total targon.Rao
	for i, a := range c.Accounts {
		if a.Hotkey == (targon.Hotkey{}) {
			return nil, fmt.Errorf("account %d has no hotkey", i)
		}
		if s.accounts[a.Hotkey] != nil {
			return nil, fmt.Errorf("account %s is listed twice", a.Hotkey)
		}
		for _, v := range []targon.Rao{a.Balance, a.Stake} {
			if total += v; total < v || total > 1<<62 {
				return nil, errors.New("accounts own more than 2^62 rao")
			}
		}
		coldkey := a.Coldkey
		if coldkey == (targon.Hotkey{}) {
			coldkey = a.Hotkey
		}
		s.accounts[a.Hotkey] = &account{coldkey: coldkey, hot: a.Register || a.Stake > 0, balance: a.Balance, stake: a.Stake}
		if a.Register {
			if len(s.neurons) == c.Rules.MaxNeurons {
				return nil, fmt.Errorf("more than %d neurons", c.Rules.MaxNeurons)
			}
			s.neurons = append(s.neurons, neuron{hotkey: a.Hotkey})
		}
	}
	s.permits()
	return s, nil
}

// account returns the account of a hotkey, which everybody has, if only an empty one.
func (s *state) account(h targon.Hotkey) *account {
	a := s.accounts[h]
	if a == nil {
		a = &account{coldkey: h}
		s.accounts[h] = a
	}
	return a
}

func (s *state) stake(n *neuron) targon.Rao {
	if a := s.accounts[n.hotkey]; a != nil && a.stake >= s.rules.MinStake {
		return a.stake
	}
	return 0
}

func (s *state) uid(h targon.Hotkey) (int, bool) {
	i := slices.IndexFunc(s.neurons, func(n neuron) bool { return n.hotkey == h })
	return i, i >= 0
}

// permits gives the right to set weights to those with most stake. Of equal stakes
// the later uid comes first, as recorded from the real runtime.
func (s *state) permits() {
	order := make([]int, len(s.neurons))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.stake(&s.neurons[b]), s.stake(&s.neurons[a])), cmp.Compare(b, a))
	})
	for rank, i := range order {
		n := &s.neurons[i]
		n.permit = rank < s.rules.MaxValidators && s.stake(n) > 0
	}
}

// register gives a hotkey a slot, for which its coldkey pays: the next free one, or
// that of the neuron that earns least, is not immune and has no permit.
func (s *state) register(payer, h targon.Hotkey) error {
	if _, ok := s.uid(h); ok {
		return HotKeyAlreadyRegisteredInSubNet
	}
	from, to := s.account(payer), s.account(h)
	switch {
	case from.balance < s.rules.Burn:
		return NotEnoughBalanceToStake
	case to.hot && to.coldkey != payer && h != payer:
		return NonAssociatedColdKey
	}
	fresh, uid := neuron{hotkey: h, registered: s.block}, len(s.neurons)
	if uid < s.rules.MaxNeurons {
		s.neurons = append(s.neurons, fresh)
	} else {
		if uid = s.weakest(); uid < 0 {
			return NoNeuronIdAvailable
		}
		s.neurons[uid] = fresh
	}
	if !to.hot && payer != h {
		to.coldkey = payer
	}
	to.hot = true
	from.balance -= s.rules.Burn
	s.burned += s.rules.Burn
	s.permits()
	s.emit(subtensorPallet, "NeuronRegistered", []any{s.netuid, uid, h})
	return nil
}

// weakest returns the neuron to replace: of least incentive, then longest there,
// then of lowest uid; -1 when all are immune or hold permits.
func (s *state) weakest() int {
	best := -1
	for i, n := range s.neurons {
		immune := s.block-n.registered < targon.Block(s.rules.ImmunityPeriod)
		if immune || n.permit {
			continue
		}
		if best < 0 || cmp.Or(cmp.Compare(n.incentive, s.neurons[best].incentive),
			cmp.Compare(n.registered, s.neurons[best].registered)) < 0 {
			best = i
		}
	}
	return best
}

func (s *state) addStake(h targon.Hotkey, amount targon.Rao) error {
	a := s.account(h)
	if a.balance < amount {
		return NotEnoughBalanceToStake
	}
	a.balance -= amount
	a.stake += amount
	a.hot = true
	s.permits()
	return nil
}

// clone copies what calls change. Lists of weights and bonds are replaced whole and
// never written to, so that both may hold them.
func (s *state) clone() *state {
	out := *s
	out.events = nil
	out.neurons = slices.Clone(s.neurons)
	out.accounts = make(map[targon.Hotkey]*account, len(s.accounts))
	for h, a := range s.accounts {
		copied := *a
		copied.commits = slices.Clone(a.commits)
		out.accounts[h] = &copied
	}
	return &out
}

func (s *state) serveAxon(h targon.Hotkey, axon netip.AddrPort) error {
	i, ok := s.uid(h)
	switch {
	case !ok:
		return HotKeyNotRegisteredInSubNet
	case !axon.Addr().IsValid() || axon.Addr().IsUnspecified() || axon.Addr().IsMulticast() || axon.Addr().Zone() != "":
		return InvalidIpAddress
	case axon.Port() == 0:
		return InvalidPort
	}
	s.neurons[i].axon = netip.AddrPortFrom(axon.Addr().Unmap(), axon.Port())
	return nil
}

// digest commits to the whole state, and hides it behind the secret.
func (s *state) digest() targon.Digest {
	b := label("targon/local/state/v2")
	b = append(b, s.secret[:]...)
	b = append(b, s.sudo[:]...)
	b = u64(b, uint64(s.netuid))
	b = u64(b, uint64(s.tempo))
	b = append(b, fmt.Sprintf("%+v", s.rules)...)
	b = u64(b, uint64(s.minted))
	b = u64(b, uint64(s.burned))
	b = u64(b, uint64(len(s.neurons)))
	for i := range s.neurons {
		b = s.neurons[i].append(b)
	}
	keys := make([]targon.Hotkey, 0, len(s.accounts))
	for h := range s.accounts {
		keys = append(keys, h)
	}
	slices.SortFunc(keys, func(x, y targon.Hotkey) int { return slices.Compare(x[:], y[:]) })
	for _, h := range keys {
		a := s.accounts[h]
		b = append(append(b, h[:]...), a.coldkey[:]...)
		b = u64(u64(u64(b, uint64(a.balance)), uint64(a.stake)), a.nonce)
		b = append(b, fmt.Sprintf("%t%+v", a.hot, a.commits)...)
	}
	return sum(b)
}

// append adds a neuron to what a hash commits to, each part of a fixed length or after
// its length.
func (n *neuron) append(b []byte) []byte {
	b = append(b, n.hotkey[:]...)
	axon := n.axon.String()
	b = append(u64(b, uint64(len(axon))), axon...)
	b = append(b, fmt.Sprintf("%+v%+v%x", n.served, n.prometheus, n.certificate)...)
	b = u64(u64(b, uint64(n.registered)), uint64(n.updated))
	b = n.earned.append(append(b, flag(n.permit)))
	b = u64(b, uint64(len(n.weights)))
	for _, w := range n.weights {
		b = u16(u16(b, uint16(w.UID)), w.Value)
	}
	return b
}

func (e *earned) append(b []byte) []byte {
	b = append(b, flag(e.active))
	for _, v := range [...]uint16{e.stakeWeight, e.consensus, e.rank, e.trust, e.verifierTrust, e.incentive, e.dividends, e.pruningScore} {
		b = u16(b, v)
	}
	b = u64(u64(b, uint64(e.emission)), uint64(len(e.bonds)))
	for _, bond := range e.bonds {
		b = u16(u16(b, uint16(bond.UID)), bond.Value)
	}
	return b
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

func label(s string) []byte         { return append(u64(nil, uint64(len(s))), s...) }
func u16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }
func u64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }
func sum(b []byte) targon.Digest    { return sha256.Sum256(b) }
