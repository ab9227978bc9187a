package substrate

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// DispatchError is why a call failed inside a block. Pallet is empty for errors that
// belong to none, such as BadOrigin.
type DispatchError struct {
	Pallet, Name       string
	PalletIndex, Index uint8
}

// Error names the error as the chain's source does.
func (e *DispatchError) Error() string {
	if e.Pallet == "" {
		return e.Name
	}
	return e.Pallet + "." + e.Name
}

// ErrorName returns the name of a pallet's error.
func (m *Metadata) ErrorName(pallet, index uint8) (*DispatchError, error) {
	p, err := m.PalletAt(pallet)
	if err != nil {
		return nil, fmt.Errorf("error: %w", err)
	}
	v, ok := m.Types.variants(p.Errors).at(index)
	if !ok {
		return nil, fmt.Errorf("error %d of %s: %w", index, p.Name, ErrUnknown)
	}
	return &DispatchError{p.Name, v.Name, pallet, index}, nil
}

// DispatchError reads a decoded sp_runtime::DispatchError, which events such as
// System.ExtrinsicFailed and Utility.BatchInterrupted carry.
func (m *Metadata) DispatchError(v any) (*DispatchError, error) {
	e, ok := v.(Variant)
	if !ok {
		return nil, fmt.Errorf("dispatch error: %w", misfit("%T", v))
	}
	if e.Name != "Module" {
		name := e.Name
		if part, ok := e.Value.(Variant); ok { // Token, Arithmetic, Transactional
			name += "." + part.Name
		}
		return &DispatchError{Name: name}, nil
	}
	rec, _ := e.Value.(Record)
	pallet, ok1 := rec.Get("index").(uint64)
	code, ok2 := rec.Get("error").([]byte)
	if !ok1 || !ok2 || len(code) == 0 || pallet > 255 {
		return nil, fmt.Errorf("dispatch error: %w", misfit("%v", e.Value))
	}
	return m.ErrorName(uint8(pallet), code[0])
}

// Outcome returns how the extrinsic at that place of its block ended: nil for
// success, a *DispatchError for failure, another error when the events do not say. A
// batch that was interrupted succeeded in the chain's eyes and is a failure here.
func (m *Metadata) Outcome(events []Event, extrinsic int) error {
	said := false
	for _, e := range events {
		if n, ok := e.Extrinsic(); !ok || n != extrinsic {
			continue
		}
		switch {
		case e.Is("System", "ExtrinsicSuccess"):
			said = true
		case e.Is("System", "ExtrinsicFailed"):
			return m.failure(e.Get("dispatch_error"))
		case e.Is("Utility", "BatchInterrupted"):
			return m.failure(e.Get("error"))
		}
	}
	if !said {
		return fmt.Errorf("events of extrinsic %d: %w: neither success nor failure", extrinsic, ErrUnknown)
	}
	return nil
}

func (m *Metadata) failure(v any) error {
	e, err := m.DispatchError(v)
	if err != nil {
		return err
	}
	return e
}

// PoolError is why a node's transaction pool refused an extrinsic. Name is the
// variant of Substrate's InvalidTransaction or UnknownTransaction, or the pool's own
// reason; Custom is the runtime's number where Name is "Custom".
type PoolError struct {
	Name   string
	Custom uint8
}

// Error says the reason as the node's source names it.
func (e *PoolError) Error() string {
	if e.Name == "Custom" {
		return fmt.Sprintf("refused by the pool: custom error %d", e.Custom)
	}
	return "refused by the pool: " + e.Name
}

// ParsePoolError reads the error of author_submitExtrinsic: code, message and data
// as text. It returns nil if the error is not the pool's. Real nodes put the reason
// into data ("Custom error: 11"), the simulator JSON into the message.
// Source: substrate client/rpc-api/src/author/error.rs.
func ParsePoolError(code int, message, data string) *PoolError {
	switch code {
	case 1010, 1011:
		if e := simulated(message); e != nil {
			return e
		}
		text := strings.Trim(data, `"`)
		if m := customError.FindStringSubmatch(text + " " + message); m != nil {
			if n, err := strconv.ParseUint(m[1], 10, 8); err == nil {
				return &PoolError{"Custom", uint8(n)}
			}
		}
		for _, s := range sentences() {
			if strings.Contains(text, s.text) || strings.Contains(message, s.text) {
				return &PoolError{Name: s.name}
			}
		}
		return &PoolError{Name: "Invalid"}
	case 1012:
		return &PoolError{Name: "TemporarilyBanned"}
	case 1013:
		return &PoolError{Name: "AlreadyImported"}
	case 1014:
		return &PoolError{Name: "TooLowPriority"}
	case 1015:
		return &PoolError{Name: "CycleDetected"}
	case 1016:
		return &PoolError{Name: "ImmediatelyDropped"}
	case 1018:
		return &PoolError{Name: "Unactionable"}
	}
	return nil
}

var customError = regexp.MustCompile(`Custom error: (\d+)`)

// sentences are those with which sp_runtime describes an invalid transaction.
func sentences() []struct{ text, name string } {
	return []struct{ text, name string }{
		{"Transaction call is not expected", "Call"},
		{"Inability to pay some fees", "Payment"},
		{"Transaction will be valid in the future", "Future"},
		{"Transaction is outdated", "Stale"},
		{"Transaction has a bad signature", "BadProof"},
		{"Transaction has an ancient birth block", "AncientBirthBlock"},
		{"Transaction would exhaust the block limits", "ExhaustsResources"},
		{"A call was labelled as mandatory", "BadMandatory"},
		{"Transaction dispatch is mandatory", "MandatoryValidation"},
		{"Invalid signing address", "BadSigner"},
		{"The implicit data was unable to be calculated", "IndeterminateImplicit"},
		{"Could not lookup information", "CannotLookup"},
		{"Could not find an unsigned validator", "NoUnsignedValidator"},
	}
}

// simulated reads {"invalid":{"custom":11}} and {"invalid":{"badProof":null}}.
func simulated(message string) *PoolError {
	var body map[string]map[string]any
	if json.Unmarshal([]byte(message), &body) != nil || len(body) != 1 {
		return nil
	}
	for _, reason := range body {
		for name, v := range reason {
			if len(reason) != 1 || name == "" {
				return nil
			}
			n, _ := v.(float64)
			return &PoolError{strings.ToUpper(name[:1]) + name[1:], uint8(n)}
		}
	}
	return nil
}
