package local

import (
	"errors"
	"fmt"
	"maps"

	"targon"
	"targon/chain/substrate"
)

// A deed is what a decoded call does: what the pool looks at before it takes the call,
// nil for nothing, and what happens in the block.
type deed struct {
	valid  func(s *state, signer targon.Hotkey) error
	run    func(s *state, x call) error
	origin origin
	free   bool // of fees, so that an account without balance may ask for it
}

// origin is in whose name a call may run.
type origin uint8

const (
	signed origin = iota // an account's
	rooted               // root's: by Sudo only
	either
)

// do runs a deed in the present block, for an account or for root.
func (d deed) do(s *state, x call) error {
	if x.root && d.origin == signed || !x.root && d.origin == rooted {
		return badOrigin
	}
	return d.run(s, x)
}

// reader reads one call's arguments into what it does.
type reader func(c substrate.Call) (deed, error)

// readers are all calls that this chain takes, by pallet and name. Subtensor asks no
// fee for those of its own pallet (wire-extrinsics.json shows pays_fee of each).
func readers() map[string]reader {
	out := map[string]reader{
		"System.remark":                 func(substrate.Call) (deed, error) { return deed{run: func(*state, call) error { return nil }}, nil },
		"Balances.transfer_keep_alive":  transferDeed,
		"Balances.transfer_allow_death": transferDeed,
		"Utility.batch":                 batchDeed,
		"Utility.batch_all":             batchDeed,
		"Utility.force_batch":           batchDeed,
		"Sudo.sudo":                     sudoDeed,
	}
	for name, read := range map[string]reader{
		"set_weights":        func(c substrate.Call) (deed, error) { return weightsDeed(c.Args) },
		"commit_weights":     func(c substrate.Call) (deed, error) { return commitDeed(c.Args) },
		"reveal_weights":     func(c substrate.Call) (deed, error) { return revealDeed(c.Args) },
		"burned_register":    func(c substrate.Call) (deed, error) { return registerDeed(c.Args) },
		"serve_axon":         func(c substrate.Call) (deed, error) { return serveDeed(c.Args) },
		"serve_axon_tls":     func(c substrate.Call) (deed, error) { return serveDeed(c.Args) },
		"serve_prometheus":   func(c substrate.Call) (deed, error) { return prometheusDeed(c.Args) },
		"add_stake":          stakeDeed,
		"remove_stake":       stakeDeed,
		"add_stake_limit":    stakeDeed,
		"remove_stake_limit": stakeDeed,
	} {
		out[subtensorPallet+"."+name] = free(read)
	}
	maps.Copy(out, settingReaders())
	return out
}

func free(read reader) reader {
	return func(c substrate.Call) (deed, error) {
		d, err := read(c)
		d.free = true
		return d, err
	}
}

// deedOf reads a call into what it does.
func deedOf(c substrate.Call) (deed, error) {
	read, ok := readers()[c.Pallet+"."+c.Name]
	if !ok {
		return deed{}, errors.New("call is not for extrinsics")
	}
	return read(c)
}

// inner reads a call that is an argument of another.
func inner(v any) (deed, error) {
	pallet, _ := v.(substrate.Variant)
	c, ok := pallet.Value.(substrate.Variant)
	if !ok {
		return deed{}, fmt.Errorf("%T is no call", v)
	}
	args, _ := c.Value.(substrate.Record)
	return deedOf(substrate.Call{Pallet: pallet.Name, Name: c.Name, Args: args})
}

func record(pairs ...any) substrate.Record {
	var out substrate.Record
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, substrate.Named{Name: pairs[i].(string), Value: pairs[i+1]})
	}
	return out
}
