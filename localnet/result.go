package localnet

import (
	"fmt"
	"io"
	"text/tabwriter"

	"targon"
)

// Result is what a finished network prints: its field names are an interface
// that scripts rely on.
type Result struct {
	Epochs   uint64         `json:"epochs"`
	Blocks   targon.Block   `json:"blocks"`
	Model    string         `json:"model"`
	Provers  []ProverResult `json:"provers"`
	Gateway  GatewayResult  `json:"gateway"`
	Generate float64        `json:"generate_tokens_per_cpu_second"`
	Score    float64        `json:"score_tokens_per_cpu_second"`
}

// ProverResult is one prover's line. Reason names the verdict that convicted it,
// or else the most frequent failure.
type ProverResult struct {
	UID                targon.UID    `json:"uid"`
	Hotkey             targon.Hotkey `json:"hotkey"`
	Cheat              string        `json:"cheat"`
	Requests           uint64        `json:"requests"`
	Tokens             uint64        `json:"tokens"`
	AuditedTokens      uint64        `json:"audited_tokens"`
	TokensPerSecond    float64       `json:"tokens_per_second"`
	Passed             uint64        `json:"passed"`
	Failed             uint64        `json:"failed"`
	Undecided          uint64        `json:"undecided"`
	Convicted          bool          `json:"convicted"`
	Reason             string        `json:"reason"`
	TokensToConviction uint64        `json:"tokens_to_conviction"`
	Score              float64       `json:"score"`
	Weight             uint16        `json:"weight"`
	Incentive          uint16        `json:"incentive"`

	note string // for people: half speed, or the cheat
}

// GatewayResult counts the users' requests and those among them that were
// audited and passed.
type GatewayResult struct {
	Requests uint64 `json:"requests"`
	Verified uint64 `json:"verified"`
}

// Caught reports whether a cheat earns nothing.
func (p ProverResult) Caught() bool { return p.Convicted || p.Weight == 0 }

// Table prints the result for people.
func (r Result) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "uid\tprover\tverdict\ttokens\taudited\ttok/s\tpassed\tfailed\tscore\tweight\tincentive")
	for _, p := range r.Provers {
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%d\t%.0f\t%d\t%d\t%.1f\t%d\t%d\n", p.UID, p.note, p.verdict(), p.Tokens,
			p.AuditedTokens, p.TokensPerSecond, p.Passed, p.Failed, p.Score, p.Weight, p.Incentive)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	_, err := fmt.Fprintf(w, "\n%d epochs, %d blocks, model %s; users sent %d requests, %d of them audited and proven.\n",
		r.Epochs, r.Blocks, r.Model, r.Gateway.Requests, r.Gateway.Verified)
	return err
}

func (p ProverResult) verdict() string {
	switch {
	case p.Convicted:
		return fmt.Sprintf("convicted: %s after %d tokens", p.Reason, p.TokensToConviction)
	case p.Weight == 0 && p.Reason != "":
		return "earns nothing: " + p.Reason
	case p.Weight == 0:
		return "earns nothing"
	default:
		return "honest"
	}
}
