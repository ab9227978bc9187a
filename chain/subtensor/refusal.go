package subtensor

import (
	"errors"
	"fmt"

	"targon/chain/substrate"
)

// Refusal is a refusal of Subtensor's own by its name, wherever it was made: by the
// transaction pool under a number, or by a pallet inside a block. Compare with
// errors.Is and the names below, or any other of the chain's source.
type Refusal string

// Error names the refusal as the chain's source does.
func (r Refusal) Error() string { return "chain refuses: " + string(r) }

// Refusals that callers act on.
const (
	RateLimitExceeded            Refusal = "RateLimitExceeded"
	SettingWeightsTooFast        Refusal = "SettingWeightsTooFast"
	NeuronNoValidatorPermit      Refusal = "NeuronNoValidatorPermit"
	CommitRevealEnabled          Refusal = "CommitRevealEnabled"
	HotKeyNotRegisteredInNetwork Refusal = "HotKeyNotRegisteredInNetwork"
	ServingRateLimitExceeded     Refusal = "ServingRateLimitExceeded"
	InvalidIPAddress             Refusal = "InvalidIpAddress"
	InvalidPort                  Refusal = "InvalidPort"
	RevealTooEarly               Refusal = "RevealTooEarly"
	CommitBlockNotInRevealRange  Refusal = "CommitBlockNotInRevealRange"
)

// custom returns the name of a pool's number. Source: common/src/transaction_error.rs
// of opentensor/subtensor at spec 425.
func custom(n uint8) Refusal {
	names := [...]Refusal{
		"ColdkeyInSwapSchedule", "StakeAmountTooLow", "BalanceTooLow", "SubnetNotExists", "HotkeyAccountDoesntExist",
		"NotEnoughStakeToWithdraw", RateLimitExceeded, "InsufficientLiquidity", "SlippageTooHigh", "TransferDisallowed",
		HotKeyNotRegisteredInNetwork, InvalidIPAddress, ServingRateLimitExceeded, InvalidPort, "ZeroMaxAmount",
		"InvalidRevealRound", "CommitNotFound", "CommitBlockNotInRevealRange", "InputLengthsUnequal", "UidNotFound",
		"EvmKeyAssociateRateLimitExceeded", "ColdkeySwapDisputed", "InvalidRealAccount", "FailedShieldedTxParsing",
		"InvalidShieldedTxPubKeyHash",
	}
	switch {
	case int(n) < len(names):
		return names[n]
	case n == 255:
		return "BadRequest"
	default:
		return Refusal(fmt.Sprintf("Custom(%d)", n))
	}
}

// named adds the Refusal to an error that holds one of Subtensor's, so that both can
// be found in it.
func named(err error) error {
	if e, ok := errors.AsType[*substrate.PoolError](err); ok && e.Name == "Custom" {
		return fmt.Errorf("%w: %w", custom(e.Custom), err)
	}
	if e, ok := errors.AsType[*substrate.DispatchError](err); ok && e.Pallet != "" {
		return fmt.Errorf("%w: %w", Refusal(e.Name), err)
	}
	return err
}
