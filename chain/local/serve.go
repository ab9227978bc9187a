package local

import (
	"math/big"
	"net/netip"

	"targon"
	"targon/chain/substrate"
)

// maxCertificate bounds what serve_axon_tls stores: a byte for the algorithm and a key.
const maxCertificate = 65

type serveArgs struct {
	NetUID   targon.NetUID `chain:"netuid"`
	Version  uint32        `chain:"version"`
	IP       *big.Int      `chain:"ip"`
	Port     uint16        `chain:"port"`
	Type     uint8         `chain:"ip_type"`
	Protocol uint8         `chain:"protocol"`
	One      uint8         `chain:"placeholder1"`
	Two      uint8         `chain:"placeholder2"`
	Proof    []byte        `chain:"certificate,maybe"` // serve_axon_tls
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
			if len(a.Proof) > 1 && len(a.Proof) <= maxCertificate {
				n.certificate = a.Proof
			}
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
	if !ok || a.NetUID != s.netuid {
		return HotKeyNotRegisteredInNetwork
	}
	return s.checkAddress(a, s.neurons[uid].served.block, block)
}

// checkAddress checks what a neuron wants to serve next, having served in block last, 0
// for never.
func (s *state) checkAddress(a serveArgs, last, block targon.Block) error {
	switch {
	case a.Type != 4 && a.Type != 6:
		return InvalidIpType
	case !a.addr(s.rules.PublicAxons).IsValid():
		return InvalidIpAddress
	case last != 0 && block-last < targon.Block(s.rules.ServingRateLimit):
		return ServingRateLimitExceeded
	case a.Port == 0:
		return InvalidPort
	}
	return nil
}

// prometheusDeed says where a neuron's metrics are.
func prometheusDeed(args substrate.Record) (deed, error) {
	var a struct {
		NetUID  targon.NetUID `chain:"netuid"`
		Version uint32        `chain:"version"`
		IP      *big.Int      `chain:"ip"`
		Port    uint16        `chain:"port"`
		Type    uint8         `chain:"ip_type"`
	}
	if err := substrate.Into(args, &a); err != nil {
		return deed{}, err
	}
	where := serveArgs{NetUID: a.NetUID, IP: a.IP, Port: a.Port, Type: a.Type}
	return deed{run: func(s *state, x call) error {
		uid, ok := s.uid(x.signer)
		if !ok || a.NetUID != s.netuid {
			return HotKeyNotRegisteredInNetwork
		}
		if err := s.checkAddress(where, s.neurons[uid].prometheus.block, s.block); err != nil {
			return err
		}
		s.neurons[uid].prometheus = metrics{s.block, a.Version, netip.AddrPortFrom(where.addr(s.rules.PublicAxons), a.Port)}
		s.emit(subtensorPallet, "PrometheusServed", []any{s.netuid, x.signer})
		return nil
	}}, nil
}
