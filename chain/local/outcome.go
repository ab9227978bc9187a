package local

import (
	"errors"
	"strings"

	"targon/chain/substrate"
)

// succeeded is what System.ExtrinsicSuccess says. Calls weigh and cost nothing here.
func succeeded() any { return record("dispatch_info", dispatchInfo()) }

func dispatchInfo() any {
	return record("weight", record("ref_time", 0, "proof_size", 0), "class", "Normal", "pays_fee", "No")
}

// failed is what System.ExtrinsicFailed says; the metadata knows the error's number.
func failed(m *substrate.Metadata, err error) any {
	return record("dispatch_error", dispatchError(m, err), "dispatch_info", dispatchInfo())
}

// dispatchError is an error as sp_runtime::DispatchError. A Refusal is of Subtensor's
// pallet unless it names another pallet, or a group of errors that belong to none.
func dispatchError(m *substrate.Metadata, err error) any {
	full, ok := errors.AsType[Refusal](err)
	if !ok {
		return substrate.Variant{Name: "Other"}
	}
	pallet, name := subtensorPallet, string(full)
	if group, reason, ok := strings.Cut(name, "."); ok {
		pallet, name = group, reason
	}
	p, perr := m.Pallet(pallet)
	if perr != nil || p.Errors == nil {
		return substrate.Variant{Name: pallet, Value: substrate.Variant{Name: name}}
	}
	list, _ := m.Types.Type(*p.Errors).Def.(substrate.Variants)
	for _, v := range list.List {
		if v.Name == name {
			return substrate.Variant{Name: "Module", Value: record("index", p.Index, "error", []byte{v.Index, 0, 0, 0})}
		}
	}
	return substrate.Variant{Name: name} // one without parts, such as BadOrigin
}

// A result is what came of a call inside a call, for the events that say so.
type result struct{ err error }

// told puts the numbers of the metadata in the place of errors in an event's value.
func told(m *substrate.Metadata, v any) any {
	switch v := v.(type) {
	case result:
		if v.err == nil {
			return substrate.Variant{Name: "Ok"}
		}
		return substrate.Variant{Name: "Err", Value: dispatchError(m, v.err)}
	case error:
		return dispatchError(m, v)
	case substrate.Record:
		out := make(substrate.Record, len(v))
		for i, f := range v {
			out[i] = substrate.Named{Name: f.Name, Value: told(m, f.Value)}
		}
		return out
	}
	return v
}
