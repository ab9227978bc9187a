package subtensor

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"targon"
	"targon/chain/substrate"
)

// Hyperparameters are a subnet's settings, under the names of the chain's storage.
// One that the runtime no longer has is zero if its tag says maybe. Shares are of
// 65535, BondsMovingAverage is of a million, TaoWeight is of 2^64-1.
type Hyperparameters struct {
	Tempo                      uint16        `chain:"Tempo" json:"tempo"`
	SubnetworkN                uint16        `chain:"SubnetworkN" json:"neurons"`
	MaxAllowedUids             uint16        `chain:"MaxAllowedUids" json:"max_allowed_uids"`
	Kappa                      uint16        `chain:"Kappa" json:"kappa"`
	Rho                        uint16        `chain:"Rho,maybe" json:"rho"`
	ImmunityPeriod             uint16        `chain:"ImmunityPeriod" json:"immunity_period"`
	ActivityCutoff             uint16        `chain:"ActivityCutoff,maybe" json:"activity_cutoff"`
	MaxWeightsLimit            uint16        `chain:"MaxWeightsLimit,maybe" json:"max_weights_limit"`
	MinAllowedWeights          uint16        `chain:"MinAllowedWeights" json:"min_allowed_weights"`
	MaxAllowedValidators       uint16        `chain:"MaxAllowedValidators" json:"max_allowed_validators"`
	WeightsVersionKey          uint64        `chain:"WeightsVersionKey" json:"weights_version_key"`
	WeightsSetRateLimit        targon.Blocks `chain:"WeightsSetRateLimit" json:"weights_set_rate_limit"`
	CommitRevealWeightsEnabled bool          `chain:"CommitRevealWeightsEnabled" json:"commit_reveal_weights_enabled"`
	RevealPeriodEpochs         uint64        `chain:"RevealPeriodEpochs" json:"reveal_period_epochs"`
	ServingRateLimit           targon.Blocks `chain:"ServingRateLimit" json:"serving_rate_limit"`
	BondsMovingAverage         uint64        `chain:"BondsMovingAverage" json:"bonds_moving_average"`
	BondsPenalty               uint16        `chain:"BondsPenalty,maybe" json:"bonds_penalty"`
	AlphaValues                AlphaValues   `chain:"AlphaValues" json:"alpha_values"`
	LiquidAlphaOn              bool          `chain:"LiquidAlphaOn" json:"liquid_alpha_on"`
	Yuma3On                    bool          `chain:"Yuma3On,maybe" json:"yuma3_on"`
	Burn                       targon.Rao    `chain:"Burn" json:"burn"`
	MinBurn                    targon.Rao    `chain:"MinBurn,maybe" json:"min_burn"`
	MaxBurn                    targon.Rao    `chain:"MaxBurn,maybe" json:"max_burn"`
	NetworkRegistrationAllowed bool          `chain:"NetworkRegistrationAllowed,maybe" json:"registration_allowed"`
	SubtokenEnabled            bool          `chain:"SubtokenEnabled,maybe" json:"subtoken_enabled"`
}

// AlphaValues are the bounds of liquid alpha.
type AlphaValues struct {
	Low  uint16 `json:"low"`
	High uint16 `json:"high"`
}

// Hyperparameters reads the subnet's settings at the newest finalised block.
func (c *Client) Hyperparameters(ctx context.Context) (Hyperparameters, error) {
	head, err := c.node.Finalised(ctx)
	if err != nil {
		return Hyperparameters{}, fmt.Errorf("read hyperparameters: %w", err)
	}
	return c.hyperparameters(ctx, head.Hash)
}

func (c *Client) hyperparameters(ctx context.Context, at targon.Digest) (Hyperparameters, error) {
	var h Hyperparameters
	dst := reflect.ValueOf(&h).Elem()
	items := []item{{"NetworksAdded", []any{c.netuid}}}
	for i := range dst.NumField() {
		name, _ := tag(dst, i)
		items = append(items, item{name, []any{c.netuid}})
	}
	values, err := c.read(ctx, at, items...)
	if err != nil {
		return h, fmt.Errorf("read hyperparameters: %w", err)
	}
	if values[0] != true {
		return h, fmt.Errorf("read hyperparameters of %d: %w", c.netuid, ErrNetwork)
	}
	for i, v := range values[1:] {
		name, maybe := tag(dst, i)
		if v == nil && maybe {
			continue
		}
		if err := substrate.Into(v, dst.Field(i).Addr().Interface()); err != nil {
			return h, fmt.Errorf("read hyperparameter %s: %w", name, err)
		}
	}
	return h, nil
}

func tag(v reflect.Value, i int) (name string, maybe bool) {
	return strings.CutSuffix(v.Type().Field(i).Tag.Get("chain"), ",maybe")
}
