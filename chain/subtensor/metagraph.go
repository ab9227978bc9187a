package subtensor

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/netip"

	"targon"
	"targon/chain/substrate"
)

// Subnet is a subnet at one finalised block: what roles read, and what tables show
// beside it. The lists are by place in Neurons.
type Subnet struct {
	targon.Metagraph
	Tempo     uint16
	Dividends []uint16
}

// Metagraph returns the subnet at the newest finalised block.
func (c *Client) Metagraph(ctx context.Context) (targon.Metagraph, error) {
	s, err := c.Subnet(ctx)
	return s.Metagraph, err
}

// Subnet returns the subnet at the newest finalised block. It asks for the fields that
// it needs; where the runtime answers in another form it asks for whole neurons, and
// where that fails too it reads the storage maps, whose stake is the hotkey's own and
// not what parents lend it.
func (c *Client) Subnet(ctx context.Context) (Subnet, error) {
	genesis, err := c.node.Genesis(ctx)
	if err != nil {
		return Subnet{}, fmt.Errorf("read metagraph: %w", err)
	}
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return Subnet{}, fmt.Errorf("read metagraph: %w", err)
	}
	s, err := c.selective(ctx, head.Hash)
	if form(err) {
		s, err = c.lite(ctx, head.Hash)
	}
	if form(err) {
		s, err = c.maps(ctx, head.Hash)
	}
	if err != nil {
		return Subnet{}, fmt.Errorf("read metagraph of subnet %d at block %d: %w", c.netuid, head.Number, err)
	}
	s.Genesis, s.NetUID, s.Block = genesis, c.netuid, head.Number
	return s, nil
}

// axonInfo is an axon as the chain stores it.
type axonInfo struct {
	IP   *big.Int `chain:"ip"`
	Port uint16   `chain:"port"`
	Type uint8    `chain:"ip_type"`
}

// addr returns the address that an axon serves; zero if it serves nothing or the
// chain holds no address.
func (a axonInfo) addr() netip.AddrPort {
	if a.Port == 0 || a.IP == nil || a.IP.Sign() <= 0 {
		return netip.AddrPort{}
	}
	switch {
	case a.Type == 4 && a.IP.BitLen() <= 32:
		var b [4]byte
		a.IP.FillBytes(b[:])
		return netip.AddrPortFrom(netip.AddrFrom4(b), a.Port)
	case a.Type == 6 && a.IP.BitLen() <= 128:
		var b [16]byte
		a.IP.FillBytes(b[:])
		return netip.AddrPortFrom(netip.AddrFrom16(b), a.Port)
	}
	return netip.AddrPort{}
}

// columns are a subnet's lists by uid.
type columns struct {
	NetUID     uint16          `chain:"netuid"`
	Tempo      *uint16         `chain:"tempo"`
	Hotkeys    []targon.Hotkey `chain:"hotkeys"`
	Coldkeys   []targon.Hotkey `chain:"coldkeys"`
	Axons      []axonInfo      `chain:"axons"`
	Permits    []bool          `chain:"validator_permit"`
	LastUpdate []targon.Block  `chain:"last_update"`
	Emission   []targon.Rao    `chain:"emission"`
	Dividends  []uint16        `chain:"dividends"`
	Incentives []uint16        `chain:"incentives"`
	TotalStake []targon.Rao    `chain:"total_stake"`
}

// wanted are the fields of columns as get_selective_metagraph knows them.
func wanted() []string {
	return []string{"netuid", "tempo", "hotkeys", "coldkeys", "axons", "validator_permit", "last_update", "emission", "dividends", "incentives", "total_stake"}
}

// errForm says that the runtime has no such function or answers in another form.
var errForm = errors.New("runtime's answer has another form")

func (c *Client) selective(ctx context.Context, at targon.Digest) (Subnet, error) {
	indexes := []uint16{}
	for _, f := range wanted() {
		i, _ := c.api.Index(f)
		indexes = append(indexes, i)
	}
	v, err := c.call(ctx, at, "SubnetInfoRuntimeApi_get_selective_metagraph", substrate.Record{{Name: "netuid", Value: c.netuid}, {Name: "indexes", Value: indexes}})
	if err != nil {
		return Subnet{}, err
	}
	if v == nil {
		return Subnet{}, ErrNetwork
	}
	var col columns
	if err := substrate.Into(v, &col); err != nil {
		return Subnet{}, err
	}
	return col.subnet(c.netuid)
}

// subnet turns lists into neurons. Lists of different lengths mean that the fields are
// not where they were.
func (c columns) subnet(netuid targon.NetUID) (Subnet, error) {
	n := len(c.Hotkeys)
	if n > 1<<16 {
		return Subnet{}, fmt.Errorf("%w: %d neurons", errForm, n)
	}
	if c.Tempo == nil || c.NetUID != uint16(netuid) {
		return Subnet{}, fmt.Errorf("%w: subnet %d where %d was asked for", errForm, c.NetUID, netuid)
	}
	for _, m := range []int{len(c.Coldkeys), len(c.Axons), len(c.Permits), len(c.LastUpdate), len(c.Emission), len(c.Dividends), len(c.Incentives), len(c.TotalStake)} {
		if m != n {
			return Subnet{}, fmt.Errorf("%w: a list of %d for %d neurons", errForm, m, n)
		}
	}
	s := Subnet{Tempo: *c.Tempo, Dividends: c.Dividends}
	s.Neurons = make([]targon.Neuron, n)
	for i := range n {
		s.Neurons[i] = targon.Neuron{
			UID: targon.UID(i), Hotkey: c.Hotkeys[i], Coldkey: c.Coldkeys[i], Axon: c.Axons[i].addr(), Stake: c.TotalStake[i],
			Permit: c.Permits[i], Incentive: c.Incentives[i], Emission: c.Emission[i], LastUpdate: c.LastUpdate[i],
		}
	}
	return s, nil
}

// neuronLite is what get_neurons_lite says of one.
type neuronLite struct {
	Hotkey     targon.Hotkey `chain:"hotkey"`
	Coldkey    targon.Hotkey `chain:"coldkey"`
	UID        targon.UID    `chain:"uid"`
	Axon       axonInfo      `chain:"axon_info"`
	Stake      []staked      `chain:"stake"`
	Emission   targon.Rao    `chain:"emission"`
	Incentive  uint16        `chain:"incentive"`
	Dividends  uint16        `chain:"dividends"`
	LastUpdate targon.Block  `chain:"last_update"`
	Permit     bool          `chain:"validator_permit"`
}

type staked struct {
	Account targon.Hotkey
	Amount  targon.Rao
}

func (c *Client) lite(ctx context.Context, at targon.Digest) (Subnet, error) {
	v, err := c.call(ctx, at, "NeuronInfoRuntimeApi_get_neurons_lite", substrate.Record{{Name: "netuid", Value: c.netuid}})
	if err != nil {
		return Subnet{}, err
	}
	var list []neuronLite
	if err := substrate.Into(v, &list); err != nil {
		return Subnet{}, err
	}
	tempo, err := c.tempo(ctx, at)
	if err != nil {
		return Subnet{}, err
	}
	s := Subnet{Tempo: tempo, Dividends: make([]uint16, len(list))}
	s.Neurons = make([]targon.Neuron, len(list))
	for i, n := range list {
		if int(n.UID) != i {
			return Subnet{}, fmt.Errorf("%w: uid %d in place %d", errForm, n.UID, i)
		}
		stake := targon.Rao(0)
		for _, e := range n.Stake {
			stake += e.Amount
		}
		s.Dividends[i] = n.Dividends
		s.Neurons[i] = targon.Neuron{
			UID: n.UID, Hotkey: n.Hotkey, Coldkey: n.Coldkey, Axon: n.Axon.addr(), Stake: stake,
			Permit: n.Permit, Incentive: n.Incentive, Emission: n.Emission, LastUpdate: n.LastUpdate,
		}
	}
	return s, nil
}

// tempo returns the subnet's tempo, or ErrNetwork.
func (c *Client) tempo(ctx context.Context, at targon.Digest) (uint16, error) {
	v, err := c.read(ctx, at, item{"NetworksAdded", []any{c.netuid}}, item{"Tempo", []any{c.netuid}})
	if err != nil {
		return 0, err
	}
	if v[0] != true {
		return 0, ErrNetwork
	}
	var tempo uint16
	return tempo, substrate.Into(v[1], &tempo)
}

// maps reads the subnet out of storage.
func (c *Client) maps(ctx context.Context, at targon.Digest) (Subnet, error) {
	tempo, err := c.tempo(ctx, at)
	if err != nil {
		return Subnet{}, err
	}
	col := columns{NetUID: uint16(c.netuid), Tempo: &tempo}
	var n uint16
	whole := []struct {
		entry string
		dst   any
	}{
		{"SubnetworkN", &n},
		{"ValidatorPermit", &col.Permits},
		{"LastUpdate", &col.LastUpdate},
		{"Emission", &col.Emission},
		{"Dividends", &col.Dividends},
		{"Incentive", &col.Incentives},
	}
	items := make([]item, len(whole))
	for i, w := range whole {
		items[i] = item{w.entry, []any{c.netuid}}
	}
	values, err := c.read(ctx, at, items...)
	if err != nil {
		return Subnet{}, err
	}
	for i, w := range whole {
		if err := substrate.Into(values[i], w.dst); err != nil {
			return Subnet{}, fmt.Errorf("%s: %w", w.entry, err)
		}
	}
	if err := c.neurons(ctx, at, int(n), &col); err != nil {
		return Subnet{}, err
	}
	return col.subnet(c.netuid)
}

// neurons reads who sits in each slot, and then each one's coldkey, axon and stake.
func (c *Client) neurons(ctx context.Context, at targon.Digest, n int, col *columns) error {
	const entry = "Keys"
	slots := make([]item, n)
	for uid := range slots {
		slots[uid] = item{entry, []any{c.netuid, uid}}
	}
	keys, err := c.read(ctx, at, slots...)
	if err != nil {
		return err
	}
	if err := substrate.Into(keys, &col.Hotkeys); err != nil {
		return fmt.Errorf("%s: %w", entry, err)
	}
	var about []item
	for _, h := range col.Hotkeys {
		about = append(about, item{"Owner", []any{h}}, item{"Axons", []any{c.netuid, h}}, item{"TotalHotkeyAlpha", []any{h, c.netuid}})
	}
	values, err := c.read(ctx, at, about...)
	if err != nil {
		return err
	}
	col.Coldkeys, col.Axons, col.TotalStake = make([]targon.Hotkey, n), make([]axonInfo, n), make([]targon.Rao, n)
	for i := range n {
		for j, dst := range []any{&col.Coldkeys[i], &col.Axons[i], &col.TotalStake[i]} {
			v := values[3*i+j]
			if v == nil { // serves nothing, or the runtime keeps stake elsewhere
				continue
			}
			if err := substrate.Into(v, dst); err != nil {
				return fmt.Errorf("neuron %d: %w", i, err)
			}
		}
	}
	return nil
}
