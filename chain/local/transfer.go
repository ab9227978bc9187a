package local

import (
	"targon"
	"targon/chain/substrate"
)

const existentialDeposit targon.Rao = 500 // less is no account

// Errors that belong to no pallet, with their group.
const (
	underflow     Refusal = "Arithmetic.Underflow"
	notExpendable Refusal = "Token.NotExpendable"
)

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
		if s.accounts[to] == nil {
			s.emit("System", "NewAccount", record("account", to))
			s.emit("Balances", "Endowed", record("account", to, "free_balance", a.Value))
		}
		s.account(to).balance += a.Value
		s.emit("Balances", "Transfer", record("from", x.signer, "to", to, "amount", a.Value))
		return nil
	}}, nil
}
