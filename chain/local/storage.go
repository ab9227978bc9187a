package local

import (
	"bytes"
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"sort"

	"targon"
	"targon/chain/substrate"
	"targon/scale"
	"targon/yuma"
)

// page writes values into storage. What does not fit the metadata is a mistake here,
// which every test would show.
type page struct {
	m     *substrate.Metadata
	pairs map[string][]byte
	err   error
}

func (p *page) put(pallet, entry string, v any, keys ...any) {
	key, err := p.m.StorageKey(pallet, entry, keys...)
	if err == nil {
		var e *substrate.Entry
		if _, e, err = p.m.Entry(pallet, entry); err == nil {
			w := &scale.Writer{}
			err = p.m.Types.Encode(w, e.Value, v)
			p.pairs[string(key)] = w.Bytes()
		}
	}
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("store %s.%s: %w", pallet, entry, err)
	}
}

// storage is the whole of a snapshot, but for what each block has of its own.
func (s *snapshot) storage(m *substrate.Metadata) (map[string][]byte, []string) {
	s.once.Do(func() {
		p := &page{m: m, pairs: map[string][]byte{}}
		s.write(p)
		if p.err != nil {
			panic("internal error: " + p.err.Error())
		}
		s.pairs, s.keys = p.pairs, slices.Sorted(maps.Keys(p.pairs))
	})
	return s.pairs, s.keys
}

func (s *state) write(p *page) {
	total := map[string]targon.Rao{}
	for h, a := range s.accounts {
		s.writeAccount(p, h, a)
		total["balance"], total["stake"] = total["balance"]+a.balance, total["stake"]+a.stake
	}
	p.put("Balances", "TotalIssuance", total["balance"])
	p.put(subtensorPallet, "TotalIssuance", total["balance"]+total["stake"])
	p.put(subtensorPallet, "TotalStake", total["stake"])
	p.put(subtensorPallet, "TaoWeight", 0)
	p.put(subtensorPallet, "StakeThreshold", s.rules.MinStake)
	p.put(subtensorPallet, "TotalNetworks", 1)
	if s.sudo != (targon.Hotkey{}) {
		p.put("Sudo", "Key", s.sudo)
	}
	for name, v := range s.hyperparameters() {
		p.put(subtensorPallet, name, v, s.netuid)
	}
	s.writeColumns(p)
	for uid := range s.neurons {
		s.writeNeuron(p, uid)
	}
}

func (s *state) writeAccount(p *page, h targon.Hotkey, a *account) {
	p.put("System", "Account", record("nonce", a.nonce, "consumers", 0, "providers", 1, "sufficients", 0,
		"data", record("free", a.balance, "reserved", 0, "frozen", 0, "flags", new(big.Int).Lsh(big.NewInt(1), 127))), h)
	if len(a.commits) > 0 {
		var list []any
		for _, c := range a.commits {
			first, last := s.window(c)
			list = append(list, []any{c.hash[:], c.block, first, last})
		}
		p.put(subtensorPallet, "WeightCommits", list, s.netuid, h)
	}
	if !a.hot {
		return
	}
	shares := record("bits", new(big.Int).Lsh(new(big.Int).SetUint64(uint64(a.stake)), 64))
	p.put(subtensorPallet, "Owner", a.coldkey, h)
	p.put(subtensorPallet, "TotalHotkeyAlpha", a.stake, h, s.netuid)
	p.put(subtensorPallet, "TotalHotkeyShares", shares, h, s.netuid)
	p.put(subtensorPallet, "Alpha", shares, h, a.coldkey, s.netuid)
	p.put(subtensorPallet, "OwnedHotkeys", s.owned(a.coldkey), a.coldkey)
	p.put(subtensorPallet, "StakingHotkeys", s.owned(a.coldkey), a.coldkey)
}

// owned lists a coldkey's hotkeys.
func (s *state) owned(coldkey targon.Hotkey) []targon.Hotkey {
	var out []targon.Hotkey
	for h, a := range s.accounts {
		if a.hot && a.coldkey == coldkey {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b targon.Hotkey) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// hyperparameters are the rules under the names of the chain's storage.
func (s *state) hyperparameters() map[string]any {
	r := s.rules
	return map[string]any{
		"NetworksAdded": true, "NetworkRegistrationAllowed": true, "SubtokenEnabled": true, "NetworkRegisteredAt": 0,
		"SubnetworkN": len(s.neurons), "Tempo": clamp16(uint64(s.tempo)), "Rho": 10, "Kappa": r.Kappa,
		"ImmunityPeriod": clamp16(uint64(r.ImmunityPeriod)), "ActivityCutoff": clamp16(uint64(r.ActivityCutoff)),
		"MaxWeightsLimit": r.MaxWeight, "MinAllowedWeights": clamp16(uint64(r.MinAllowedWeights)),
		"MaxAllowedValidators": clamp16(uint64(r.MaxValidators)), "MaxAllowedUids": clamp16(uint64(r.MaxNeurons)),
		"WeightsVersionKey": r.VersionKey, "WeightsSetRateLimit": r.RateLimit,
		"CommitRevealWeightsEnabled": r.CommitReveal, "RevealPeriodEpochs": r.RevealPeriod, "ServingRateLimit": r.ServingRateLimit,
		"BondsMovingAverage": r.BondsMovingAverage, "BondsPenalty": r.BondsPenalty, "AlphaValues": []any{r.AlphaLow, r.AlphaHigh},
		"LiquidAlphaOn": r.LiquidAlpha, "Yuma3On": r.Yuma3, "Burn": r.Burn, "MinBurn": r.Burn, "MaxBurn": r.Burn,
	}
}

func clamp16(n uint64) uint16 { return uint16(min(n, 65535)) }

// column lists something of every neuron.
func column[T any](s *state, of func(*neuron) T) []T {
	out := make([]T, len(s.neurons))
	for i := range s.neurons {
		out[i] = of(&s.neurons[i])
	}
	return out
}

func (s *state) writeColumns(p *page) {
	for name, v := range map[string]any{
		"Active":          column(s, func(n *neuron) bool { return n.active }),
		"ValidatorPermit": column(s, func(n *neuron) bool { return n.permit }),
		"StakeWeight":     column(s, func(n *neuron) uint16 { return n.stakeWeight }),
		"Consensus":       column(s, func(n *neuron) uint16 { return n.consensus }),
		"Rank":            column(s, func(n *neuron) uint16 { return n.rank }),
		"Trust":           column(s, func(n *neuron) uint16 { return n.trust }),
		"ValidatorTrust":  column(s, func(n *neuron) uint16 { return n.verifierTrust }),
		"Incentive":       column(s, func(n *neuron) uint16 { return n.incentive }),
		"Dividends":       column(s, func(n *neuron) uint16 { return n.dividends }),
		"PruningScores":   column(s, func(n *neuron) uint16 { return n.pruningScore }),
		"Emission":        column(s, func(n *neuron) targon.Rao { return n.emission }),
		"LastUpdate":      column(s, (*neuron).lastUpdate),
	} {
		p.put(subtensorPallet, name, v, s.netuid)
	}
}

func (s *state) writeNeuron(p *page, uid int) {
	n := &s.neurons[uid]
	p.put(subtensorPallet, "Keys", n.hotkey, s.netuid, uid)
	p.put(subtensorPallet, "Uids", uid, s.netuid, n.hotkey)
	p.put(subtensorPallet, "IsNetworkMember", true, n.hotkey, s.netuid)
	p.put(subtensorPallet, "BlockAtRegistration", n.registered, s.netuid, uid)
	if n.axon.IsValid() {
		p.put(subtensorPallet, "Axons", n.axonInfo(), s.netuid, n.hotkey)
	}
	if n.prometheus.block != 0 {
		p.put(subtensorPallet, "Prometheus", n.prometheusInfo(), s.netuid, n.hotkey)
	}
	if len(n.certificate) > 0 {
		p.put(subtensorPallet, "NeuronCertificates", record("public_key", n.certificate[1:], "algorithm", n.certificate[0]), s.netuid, n.hotkey)
	}
	if n.weights != nil {
		p.put(subtensorPallet, "Weights", weightPairs(n.weights), s.netuid, uid)
	}
	if len(n.bonds) > 0 {
		p.put(subtensorPallet, "Bonds", bondPairs(n.bonds), s.netuid, uid)
	}
}

func weightPairs(w targon.Weights) []any {
	out := make([]any, len(w))
	for i, e := range w {
		out[i] = []any{e.UID, e.Value}
	}
	return out
}

func bondPairs(b []yuma.Entry) []any {
	out := make([]any, len(b))
	for i, e := range b {
		out[i] = []any{e.UID, e.Value}
	}
	return out
}

// axonInfo is the axon as the chain stores it; all zero where nothing is served.
func (n *neuron) axonInfo() substrate.Record {
	ip, kind := address(n.axon)
	return record("block", n.served.block, "version", n.served.version, "ip", ip, "port", n.axon.Port(), "ip_type", kind,
		"protocol", n.served.protocol, "placeholder1", n.served.placeholders[0], "placeholder2", n.served.placeholders[1])
}

func (n *neuron) prometheusInfo() substrate.Record {
	ip, kind := address(n.prometheus.where)
	return record("block", n.prometheus.block, "version", n.prometheus.version, "ip", ip, "port", n.prometheus.where.Port(), "ip_type", kind)
}

// address is one as the chain stores it: the number and whether it is of 4 or 6; 0 and
// 0 for none.
func address(a netip.AddrPort) (ip *big.Int, kind int) {
	switch ip = new(big.Int); {
	case !a.IsValid():
		return ip, 0
	case a.Addr().Is6():
		kind = 6
	default:
		kind = 4
	}
	return ip.SetBytes(a.Addr().AsSlice()), kind
}

// own is what a block has in storage beside its snapshot.
func (b *sealed) own(c *Chain, m *substrate.Metadata) map[string][]byte {
	p := &page{m: m, pairs: map[string][]byte{}}
	records := b.records(m)
	p.put("System", "Number", b.number)
	p.put("System", "ParentHash", b.parent[:])
	p.put("System", "Events", records)
	p.put("System", "EventCount", len(records))
	p.put("Timestamp", "Now", c.clock(b.number))
	p.put(subtensorPallet, "BlocksSinceLastStep", b.sinceStep(), c.netuid)
	if b.number > 0 {
		p.put("System", "BlockHash", b.parent[:], b.number-1)
	}
	if p.err != nil {
		panic("internal error: " + p.err.Error())
	}
	return p.pairs
}

// records are the block's events: first that of the time stamp.
func (b *sealed) records(m *substrate.Metadata) []any {
	at := func(extrinsic int, pallet, name string, value any) any {
		phase := any(substrate.Variant{Name: "ApplyExtrinsic", Value: extrinsic})
		return record("phase", phase, "event", substrate.Variant{Name: pallet, Value: substrate.Variant{Name: name, Value: value}}, "topics", []any{})
	}
	out := []any{at(0, "System", "ExtrinsicSuccess", succeeded())}
	for _, e := range b.events {
		value := e.value
		if err, ok := value.(error); ok {
			value = failed(m, err)
		}
		out = append(out, at(e.extrinsic, e.pallet, e.name, told(m, value)))
	}
	return out
}

// read returns what lies under a key after a block.
func (b *sealed) read(c *Chain, m *substrate.Metadata, key string) []byte {
	if v, ok := b.own(c, m)[key]; ok {
		return v
	}
	pairs, _ := b.snapshot.storage(m)
	return pairs[key]
}

// page returns keys under a prefix in order, after start, at most n.
func (b *sealed) page(c *Chain, m *substrate.Metadata, prefix, start string, n int) []string {
	_, keys := b.snapshot.storage(m)
	own := b.own(c, m)
	all := slices.Clone(keys)
	for k := range own {
		all = append(all, k)
	}
	sort.Strings(all)
	out := []string{}
	for _, k := range all {
		if len(k) >= len(prefix) && k[:len(prefix)] == prefix && k > start && len(out) < n {
			out = append(out, k)
		}
	}
	return out
}
