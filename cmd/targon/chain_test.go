package main

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/chain/subtensor"
)

func TestParseTAO(t *testing.T) {
	for _, c := range []struct {
		text string
		want targon.Rao
	}{
		{"1", 1e9}, {"1.5", 15e8}, {"0.000000001", 1}, {"21000000", 21e15}, {"007", 7e9}, {"18446744073.709551615", math.MaxUint64},
	} {
		got, err := parseTAO(c.text)
		if err != nil || got != c.want {
			t.Errorf("%q is %d, %v, want %d", c.text, got, err, c.want)
		}
	}
	for _, bad := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "0", "0.0", "0.0000000001", "1,5", " 1", "1 ", "0x1", "18446744073.709551616", "99999999999", "1.-5"} {
		if got, err := parseTAO(bad); err == nil {
			t.Errorf("%q is %d, want an error", bad, got)
		}
	}
	if got := formatTAO(1_000_000_007); got != "1.000000007" {
		t.Errorf("formatTAO gives %q", got)
	}
}

func TestParseWeights(t *testing.T) {
	for _, c := range []struct {
		text string
		want targon.Weights
	}{
		{"1:0.3,2:0.7", targon.Weights{{UID: 1, Value: 28086}, {UID: 2, Value: 65535}}}, // 0.3/0.7 of 65535 is 28086.4
		{" 9:1, 0:1", targon.Weights{{UID: 0, Value: 65535}, {UID: 9, Value: 65535}}},
		{"3:5,4:0", targon.Weights{{UID: 3, Value: 65535}, {UID: 4, Value: 0}}},
		{"65535:1e-300", targon.Weights{{UID: 65535, Value: 65535}}},
	} {
		got, err := parseWeights(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" || got.Validate() != nil {
			t.Errorf("%q: %v (-want +got):\n%s", c.text, got.Validate(), diff)
		}
	}
	for _, bad := range []string{"", "1", "1:", ":1", "1:-1", "1:NaN", "1:Inf", "1:1e999", "65536:1", "-1:1", "1:1,1:2", "1:0", "1:0,2:0", "1:1,", "1=1"} {
		if got, err := parseWeights(bad); err == nil {
			t.Errorf("%q is %v, want an error", bad, got)
		}
	}
}

func TestShownSubnet(t *testing.T) {
	alice, err := targon.ParseHotkey("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
	if err != nil {
		t.Fatal(err)
	}
	s := subtensor.Subnet{Tempo: 99, Dividends: []uint16{65535, 0}}
	s.NetUID, s.Block = 4, 1234
	s.Neurons = []targon.Neuron{
		{UID: 0, Hotkey: alice, Coldkey: alice, Stake: 1_500_000_000, Permit: true, LastUpdate: 1200},
		{UID: 1, Hotkey: alice, Coldkey: alice, Axon: netip.MustParseAddrPort("203.0.113.7:8091"), Incentive: 32768, Emission: 7},
	}
	var b strings.Builder
	if err := printJSON(&b, shown(s)); err != nil {
		t.Fatal(err)
	}
	const a = `"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"`
	want := `{"block":1234,"netuid":4,"tempo":99,"neurons":[` +
		`{"uid":0,"hotkey":` + a + `,"coldkey":` + a + `,"axon":"","stake":1500000000,"validator_permit":true,"last_update":1200,"incentive":0,"dividends":65535,"emission":0},` +
		`{"uid":1,"hotkey":` + a + `,"coldkey":` + a + `,"axon":"203.0.113.7:8091","stake":0,"validator_permit":false,"last_update":0,"incentive":32768,"dividends":0,"emission":7}]}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	table := shown(s).table()
	for _, part := range []string{"subnet 4 at block 1234, tempo 99, 2 neurons\n", "1.500000000", "yes", "203.0.113.7:8091", "0.5000", "1.0000", "0.000000007"} {
		if !strings.Contains(table, part) {
			t.Errorf("table lacks %q:\n%s", part, table)
		}
	}
	if got := shown(subtensor.Subnet{}).table(); strings.Contains(got, "UID") || !strings.Contains(got, "0 neurons") {
		t.Errorf("an empty subnet is\n%s", got)
	}
}

func TestHyperTable(t *testing.T) {
	text, err := hyperTable(subtensor.Hyperparameters{Tempo: 360, Yuma3On: true, AlphaValues: subtensor.AlphaValues{Low: 1, High: 2}})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text, "\n")
	if strings.Join(strings.Fields(lines[0]), " ") != "tempo 360" || !strings.Contains(text, `{"low":1,"high":2}`) || !strings.Contains(text, "yuma3_on") {
		t.Errorf("settings are\n%s", text)
	}
}

// TestChainHelp: every command says what it does and how long it may take.
func TestChainHelp(t *testing.T) {
	for _, sub := range newChainCommandWith(walletOutside{}).Commands() {
		if sub.Short == "" || sub.Example == "" {
			t.Errorf("%s: no example", sub.Name())
		}
	}
}
