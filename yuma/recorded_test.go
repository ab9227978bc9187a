package yuma_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/chain/chainvectors"
	"targon/yuma"
	"targon/yuma/fixed"
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
			PendingAlphaSwapped  big       `json:"pending_alpha_swapped"`
			SubnetOwnerCut       uint16    `json:"subnet_owner_cut"`
			RootSubnetTao        big       `json:"root_subnet_tao"`
			PendingRootDivs      big       `json:"pending_root_divs"`
			SubnetAlphaIn        big       `json:"subnet_alpha_in"`
			SubnetAlphaOut       big       `json:"subnet_alpha_out"`
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
			Hotkey, Coldkey     string
			TotalHotkeyAlpha    big            `json:"total_hotkey_alpha"`
			RootStake           big            `json:"root_stake"`
			DelegateTake        uint16         `json:"delegate_take"`
			ChildkeyTake        uint16         `json:"childkey_take"`
			Parents             []relationship `json:"parents"`
			Children            []relationship `json:"children"`
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
		AlphaDividends  []big `json:"alpha_dividends"`
		TaoDividends    []big `json:"tao_dividends"`
	}
	ParamsAfter struct {
		SubnetAlphaOutPay big `json:"subnet_alpha_out_emission"`
		SubnetAlphaInPay  big `json:"subnet_alpha_in_emission"`
	} `json:"params_after"`
}

// relationship is [proportion of 2^64-1, account].
type relationship struct {
	proportion uint64
	account    string
}

func (r *relationship) UnmarshalJSON(raw []byte) error {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil {
		return err
	}
	if err := json.Unmarshal(pair[1], &r.account); err != nil {
		return err
	}
	var err error
	r.proportion, err = strconv.ParseUint(strings.Trim(string(pair[0]), `"`), 0, 64) // 0x… or decimal
	return err
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
				r := yuma.Epoch(p, s)
				e.compare(t, r)
				e.compareDividends(t, p, r)
			}
			t.Logf("%d epochs", len(r.Epochs))
		})
	}
}

// keys are the neurons' hotkeys, false if a parent has no slot: the recording then
// does not say what stake it has.
func (e recordedEpoch) keys() ([]yuma.Key, bool) {
	index, coldkeys := map[string]int{}, map[string]targon.Hotkey{}
	for i, n := range e.Inputs.Neurons {
		index[n.Hotkey] = i
		coldkeys[n.Coldkey] = targon.Hotkey{byte(len(coldkeys) >> 8), byte(len(coldkeys)), 1}
	}
	var out []yuma.Key
	for _, n := range e.Inputs.Neurons {
		k := yuma.Key{
			Coldkey: coldkeys[n.Coldkey], AlphaStake: targon.Rao(n.TotalHotkeyAlpha), RootStake: targon.Rao(n.RootStake),
			Take: n.DelegateTake, ChildTake: n.ChildkeyTake,
		}
		for _, p := range n.Parents {
			i, ok := index[p.account]
			if !ok {
				return nil, false
			}
			k.Parents = append(k.Parents, yuma.Parent{Key: i, Proportion: p.proportion})
		}
		for _, c := range n.Children {
			k.Children = append(k.Children, c.proportion)
		}
		out = append(out, k)
	}
	return out, true
}

// swapped is the alpha sold for Tao since the last epoch. The recording has it up to
// the block before; what the epoch's own block adds is worked out as the runtime
// does (run_coinbase.rs): the part of root in half of what is left of alpha_out.
func (e recordedEpoch) swapped() targon.Rao {
	in, after := e.Inputs.Params, e.ParamsAfter
	out := fixed.Amount(uint64(after.SubnetAlphaOutPay))
	cut := fixed.Amount(uint64(in.SubnetOwnerCut)).DivOrZero(fixed.Amount(65535))
	out = out.Sub(out.Mul(cut))
	weight := fixed.Amount(uint64(in.TaoWeight)).DivOrZero(fixed.Amount(1<<64 - 1))
	root := fixed.Amount(uint64(in.RootSubnetTao)).Mul(weight)
	alpha := fixed.Amount(uint64(in.SubnetAlphaIn + after.SubnetAlphaInPay + in.SubnetAlphaOut + after.SubnetAlphaOutPay))
	sold := root.DivOrZero(root.Add(alpha)).Mul(out).Mul(fixed.U96F32{Lo: 1 << 31})
	return targon.Rao(uint64(in.PendingAlphaSwapped) + sold.Uint64())
}

// compareDividends holds alpha_dividends and tao_dividends to the recording. How much
// Tao the epoch divided is not recorded: what the swap in its own block brought is
// missing. So the amount is taken from the largest dividend, and every other one must
// follow from one and the same amount; the amount itself is not checked.
func (e recordedEpoch) compareDividends(t *testing.T, p yuma.Params, r yuma.Result) {
	t.Helper()
	keys, ok := e.keys()
	if !ok {
		t.Logf("block %d: dividends not compared: a parent's stake is not recorded", e.EpochBlock)
		return
	}
	if len(keys) == 0 {
		return
	}
	pending := yuma.Pending{TaoWeight: p.TaoWeight, Swapped: e.swapped()}
	divide := func(tao uint64) (alpha, fromRoot []big) {
		pending.Tao = targon.Rao(tao)
		a, b := yuma.Divide(pending, p.Emission, r, keys)
		for i := range a {
			alpha, fromRoot = append(alpha, big(a[i].Rest)), append(fromRoot, big(b[i].Rest))
		}
		return alpha, fromRoot
	}
	want := e.Outputs.TaoDividends
	top := slices.Index(want, slices.Max(want))
	least := uint64(e.Inputs.Params.PendingRootDivs)
	tao := least + uint64(sort.Search(1<<60, func(more int) bool {
		_, got := divide(least + uint64(more))
		return got[top] >= want[top]
	}))
	alpha, fromRoot := divide(tao)
	if d := cmp.Diff(e.Outputs.AlphaDividends, alpha); d != "" {
		t.Errorf("block %d (%s): alpha_dividends differ (-recorded +computed):\n%s", e.EpochBlock, e.Note, d)
	}
	first := cmp.Diff(want, fromRoot)
	for d := first; d != ""; tao++ {
		if fromRoot[top] != want[top] {
			t.Errorf("block %d (%s): tao_dividends differ (-recorded +computed):\n%s", e.EpochBlock, e.Note, first)
			return
		}
		_, fromRoot = divide(tao + 1)
		d = cmp.Diff(want, fromRoot)
	}
}
