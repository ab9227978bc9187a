package targon

import (
	"net/netip"
	"sort"
)

// Rao is the chain's smallest unit of stake and pay: 1e-9 TAO.
type Rao uint64

// Neuron is one registered participant as the chain shows it.
type Neuron struct {
	UID        UID            `json:"uid"`
	Hotkey     Hotkey         `json:"hotkey"`
	Coldkey    Hotkey         `json:"coldkey"`
	Axon       netip.AddrPort `json:"axon"` // zero: serves nothing
	Stake      Rao            `json:"stake"`
	Permit     bool           `json:"permit"` // may set weights
	Incentive  uint16         `json:"incentive"`
	Emission   Rao            `json:"emission"`    // earned in the last epoch
	LastUpdate Block          `json:"last_update"` // when it last set weights
}

// Metagraph is a subnet at one finalised block. Neurons are sorted by UID and
// UIDs are distinct.
type Metagraph struct {
	Genesis Digest   `json:"genesis"`
	NetUID  NetUID   `json:"netuid"`
	Block   Block    `json:"block"`
	Neurons []Neuron `json:"neurons"`
}

// ByUID finds a neuron by its slot.
func (m Metagraph) ByUID(u UID) (Neuron, bool) {
	i := sort.Search(len(m.Neurons), func(i int) bool { return m.Neurons[i].UID >= u })
	if i < len(m.Neurons) && m.Neurons[i].UID == u {
		return m.Neurons[i], true
	}
	return Neuron{}, false
}

// ByHotkey finds a neuron by its key.
func (m Metagraph) ByHotkey(h Hotkey) (Neuron, bool) {
	for _, n := range m.Neurons {
		if n.Hotkey == h {
			return n, true
		}
	}
	return Neuron{}, false
}

// Provers returns the neurons that serve an axon, other than self.
func (m Metagraph) Provers(self Hotkey) []Neuron {
	var out []Neuron
	for _, n := range m.Neurons {
		if n.Axon.IsValid() && n.Hotkey != self {
			out = append(out, n)
		}
	}
	return out
}
