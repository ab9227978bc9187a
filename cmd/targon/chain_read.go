package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"targon"
	"targon/chain/subtensor"
)

// shownNeuron is one line of the metagraph. Amounts are in rao, shares of 65535.
type shownNeuron struct {
	UID        targon.UID    `json:"uid"`
	Hotkey     targon.Hotkey `json:"hotkey"`
	Coldkey    targon.Hotkey `json:"coldkey"`
	Axon       string        `json:"axon"` // empty: serves nothing
	Stake      targon.Rao    `json:"stake"`
	Permit     bool          `json:"validator_permit"`
	LastUpdate targon.Block  `json:"last_update"`
	Incentive  uint16        `json:"incentive"`
	Dividends  uint16        `json:"dividends"`
	Emission   targon.Rao    `json:"emission"`
}

// shownSubnet is a metagraph as it is printed.
type shownSubnet struct {
	Block   targon.Block  `json:"block"`
	NetUID  targon.NetUID `json:"netuid"`
	Tempo   uint16        `json:"tempo"`
	Neurons []shownNeuron `json:"neurons"`
}

func shown(s subtensor.Subnet) shownSubnet {
	out := shownSubnet{Block: s.Block, NetUID: s.NetUID, Tempo: s.Tempo, Neurons: make([]shownNeuron, len(s.Neurons))}
	for i, n := range s.Neurons {
		out.Neurons[i] = shownNeuron{
			UID: n.UID, Hotkey: n.Hotkey, Coldkey: n.Coldkey, Stake: n.Stake, Permit: n.Permit, LastUpdate: n.LastUpdate,
			Incentive: n.Incentive, Dividends: s.Dividends[i], Emission: n.Emission,
		}
		if n.Axon.IsValid() {
			out.Neurons[i].Axon = n.Axon.String()
		}
	}
	return out
}

// table renders the metagraph for people.
func (s shownSubnet) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "subnet %d at block %d, tempo %d, %d neurons\n", s.NetUID, s.Block, s.Tempo, len(s.Neurons))
	if len(s.Neurons) == 0 {
		return b.String()
	}
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "UID\tHOTKEY\tSTAKE\tPERMIT\tINCENTIVE\tDIVIDENDS\tEMISSION\tUPDATED\tAXON\t")
	for _, n := range s.Neurons {
		permit, axon := "-", "-"
		if n.Permit {
			permit = "yes"
		}
		if n.Axon != "" {
			axon = n.Axon
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t\n", n.UID, n.Hotkey, formatTAO(n.Stake), permit,
			shareOf(n.Incentive), shareOf(n.Dividends), formatTAO(n.Emission), n.LastUpdate, axon)
	}
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

// shareOf writes a share of 65535.
func shareOf(v uint16) string { return fmt.Sprintf("%.4f", float64(v)/65535) }

func newChainMetagraphCommand(walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "metagraph",
		Short:   "show who is on a subnet",
		Long:    "Metagraph shows the neurons of a subnet at the newest final block. In JSON amounts are in rao, 10⁻⁹ TAO,\nand incentive and dividends are shares of 65535.",
		Example: "targon chain metagraph --subtensor.network finney --netuid 4 --json",
		Args:    cobra.NoArgs,
	}
	c := bindChain(cmd, readTime)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, nil, func(ctx context.Context, s *chainSession) error {
			subnet, err := s.Subnet(ctx)
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd.OutOrStdout(), shown(subnet))
			}
			return printText(cmd.OutOrStdout(), shown(subnet).table())
		})
	}
	return cmd
}

func newChainHyperparamsCommand(walletOutside) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "hyperparams",
		Short:   "show a subnet's settings",
		Example: "targon chain hyperparams --subtensor.network test --netuid 4",
		Args:    cobra.NoArgs,
	}
	c := bindChain(cmd, readTime)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return c.with(cmd, nil, func(ctx context.Context, s *chainSession) error {
			h, err := s.Hyperparameters(ctx)
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(cmd.OutOrStdout(), h)
			}
			text, err := hyperTable(h)
			if err != nil {
				return err
			}
			return printText(cmd.OutOrStdout(), text)
		})
	}
	return cmd
}

// hyperTable renders settings in the order and under the names of the JSON.
func hyperTable(h subtensor.Hyperparameters) (string, error) {
	data, err := json.Marshal(h)
	if err != nil {
		return "", fmt.Errorf("print hyperparameters: %w", err)
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return "", fmt.Errorf("print hyperparameters: %w", err)
	}
	var b strings.Builder
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", fmt.Errorf("print hyperparameters: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return "", fmt.Errorf("print hyperparameters: %w", err)
		}
		fmt.Fprintf(&b, "%-30s %s\n", name, value)
	}
	return b.String(), nil
}
