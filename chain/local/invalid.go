package local

import "fmt"

// invalid is why the pool does not take an extrinsic, as a node says it.
type invalid struct {
	code          int
	message, data string
}

func (e *invalid) Error() string { return e.message + ": " + e.data }

func invalidTransaction(data string) error { return &invalid{1010, "Invalid Transaction", data} }

// custom is a refusal by the runtime's number. Source: common/src/transaction_error.rs
// of opentensor/subtensor.
func custom(n uint8) error { return invalidTransaction(fmt.Sprintf("Custom error: %d", n)) }

// Numbers of refusals by the pool.
const (
	customStakeTooLow    = 1
	customBalanceTooLow  = 2
	customNoSubnet       = 3
	customNoHotkey       = 4
	customStakeMissing   = 5
	customSlippage       = 8
	customNotRegistered  = 10
	customAddress        = 11
	customServingTooFast = 12
	customPort           = 13
	customOther          = 255
)
