package yuma_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/chain/chainvectors"
	"targon/yuma"
)

// recording is one file epoch-*.json of shared/data/chain; its README explains it.
type recording struct {
	Name   string
	Epochs []recordedEpoch
}

type recordedEpoch struct {
	Note       string
	N          int
	EpochBlock uint64 `json:"epoch_block"`
	Inputs     struct {
		Params struct {
			Tempo                uint64
			Kappa                uint16
			BondsMovingAverage   uint64    `json:"bonds_moving_average"`
			BondsPenalty         uint16    `json:"bonds_penalty"`
			ActivityCutoff       uint64    `json:"activity_cutoff"`
			MaxAllowedValidators uint16    `json:"max_allowed_validators"`
			LiquidAlphaOn        bool      `json:"liquid_alpha_on"`
			Yuma3On              bool      `json:"yuma3_on"`
			AlphaValues          [2]uint16 `json:"alpha_values"`
			AlphaSteepness       int16     `json:"alpha_sigmoid_steepness"`
			StakeThreshold       big       `json:"stake_threshold"`
			TaoWeight            big       `json:"tao_weight"`
		}
		EpochEmission big     `json:"epoch_emission"`
		OwnerUID      *uint16 `json:"owner_uid"`
		Neurons       []struct {
			BlockAtRegistration uint64      `json:"block_at_registration"`
			LastUpdate          uint64      `json:"last_update"`
			ValidatorPermit     bool        `json:"validator_permit"`
			AlphaStake          big         `json:"alpha_stake"`
			TaoStake            big         `json:"tao_stake"`
			Weights             [][2]uint16 `json:"weights"`
			Bonds               [][2]uint16 `json:"bonds"`
		}
	}
	Outputs struct {
		Consensus       []uint16
		Incentive       []uint16
		Dividends       []uint16
		ValidatorTrust  []uint16 `json:"validator_trust"`
		Rank            []uint16
		Trust           []uint16
		ValidatorPermit []bool `json:"validator_permit"`
		Active          []bool
		Bonds           [][][2]uint16
		StakeWeight     []uint16 `json:"stake_weight"`
		PruningScore    []uint16 `json:"pruning_score"`
		Emission        []big
	}
}

// big is an integer that stands as a decimal string where it exceeds 2^53.
type big uint64

func (b *big) UnmarshalJSON(raw []byte) error {
	if len(raw) > 1 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	return json.Unmarshal(raw, (*uint64)(b))
}

func entries(row [][2]uint16) []yuma.Entry {
	out := []yuma.Entry{}
	for _, e := range row {
		out = append(out, yuma.Entry{UID: targon.UID(e[0]), Value: e[1]})
	}
	return out
}

func (e recordedEpoch) input() (yuma.Params, yuma.State) {
	in := e.Inputs.Params
	p := yuma.Params{
		Block: targon.Block(e.EpochBlock), Tempo: targon.Blocks(in.Tempo), ActivityCutoff: targon.Blocks(in.ActivityCutoff),
		MaxPermits: in.MaxAllowedValidators, StakeThreshold: targon.Rao(in.StakeThreshold), TaoWeight: uint64(in.TaoWeight),
		Kappa: in.Kappa, BondsMovingAverage: in.BondsMovingAverage, BondsPenalty: in.BondsPenalty,
		Yuma3: in.Yuma3On, LiquidAlpha: in.LiquidAlphaOn,
		AlphaLow: in.AlphaValues[0], AlphaHigh: in.AlphaValues[1], AlphaSteepness: in.AlphaSteepness,
		Emission: targon.Rao(e.Inputs.EpochEmission),
	}
	s := yuma.State{HasOwner: e.Inputs.OwnerUID != nil}
	if s.HasOwner {
		s.Owner = targon.UID(*e.Inputs.OwnerUID)
	}
	for _, n := range e.Inputs.Neurons {
		s.Neurons = append(s.Neurons, yuma.Neuron{
			AlphaStake: targon.Rao(n.AlphaStake), TaoStake: targon.Rao(n.TaoStake),
			LastUpdate: targon.Block(n.LastUpdate), Registered: targon.Block(n.BlockAtRegistration),
			Permit: n.ValidatorPermit, Weights: entries(n.Weights), Bonds: entries(n.Bonds),
		})
	}
	return p, s
}

// compare names each output that differs from the recording.
func (e recordedEpoch) compare(t *testing.T, got yuma.Result) {
	t.Helper()
	want := e.Outputs
	emission := []targon.Rao{}
	for _, x := range want.Emission {
		emission = append(emission, targon.Rao(x))
	}
	bonds := [][]yuma.Entry{}
	for _, row := range want.Bonds {
		bonds = append(bonds, entries(row))
	}
	gotBonds := [][]yuma.Entry{}
	for _, row := range got.Bonds {
		gotBonds = append(gotBonds, append([]yuma.Entry{}, row...))
	}
	for _, f := range []struct {
		name      string
		got, want any
	}{
		{"active", got.Active, want.Active},
		{"validator_permit", got.Permit, want.ValidatorPermit},
		{"stake_weight", got.StakeWeight, want.StakeWeight},
		{"consensus", got.Consensus, want.Consensus},
		{"rank", got.Rank, want.Rank},
		{"trust", got.Trust, want.Trust},
		{"validator_trust", got.VerifierTrust, want.ValidatorTrust},
		{"incentive", got.Incentive, want.Incentive},
		{"dividends", got.Dividends, want.Dividends},
		{"pruning_score", got.PruningScore, want.PruningScore},
		{"emission", got.Emission, emission},
		{"bonds", gotBonds, bonds},
	} {
		if d := cmp.Diff(f.want, f.got); d != "" {
			t.Errorf("block %d (%s): %s differs (-recorded +computed):\n%s", e.EpochBlock, e.Note, f.name, d)
		}
	}
}

// TestRecorded holds every recorded epoch of the real runtime to the last unit.
func TestRecorded(t *testing.T) {
	for _, file := range chainvectors.Files(t, "epoch-*.json") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var r recording
			if err := json.Unmarshal(raw, &r); err != nil {
				t.Fatal(err)
			}
			if len(r.Epochs) == 0 {
				t.Fatal("no epoch in this file")
			}
			for _, e := range r.Epochs {
				p, s := e.input()
				if len(s.Neurons) != e.N {
					t.Fatalf("block %d: %d neurons, n is %d", e.EpochBlock, len(s.Neurons), e.N)
				}
				e.compare(t, yuma.Epoch(p, s))
			}
			t.Logf("%d epochs", len(r.Epochs))
		})
	}
}
