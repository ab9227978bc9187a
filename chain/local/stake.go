package local

import (
	"strings"

	"targon"
	"targon/chain/substrate"
)

const minStake targon.Rao = 2_000_000 // DefaultMinStake of the pallet

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

// alphaPrice is what an alpha costs here, in rao: one TAO, always.
const alphaPrice targon.Rao = 1e9

// stakeDeed adds or removes stake, at one TAO for one alpha. Only the hotkey's own
// coldkey stakes on it here. A limit is a price beyond which the caller does not go.
func stakeDeed(c substrate.Call) (deed, error) {
	add := strings.HasPrefix(c.Name, "add_stake")
	var a struct {
		Hotkey targon.Hotkey `chain:"hotkey"`
		NetUID targon.NetUID `chain:"netuid"`
		In     targon.Rao    `chain:"amount_staked,maybe"`
		Out    targon.Rao    `chain:"amount_unstaked,maybe"`
		Limit  *targon.Rao   `chain:"limit_price,maybe"`
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
		case a.Limit != nil && (add && *a.Limit < alphaPrice || !add && *a.Limit > alphaPrice):
			return "SlippageTooHigh", customSlippage
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
