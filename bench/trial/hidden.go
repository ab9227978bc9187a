package trial

import (
	"context"
	"fmt"
	"strings"

	"targon/engine/redteam"
)

// A HiddenRow says how an instruction of some length fared: an engine that heeds it
// little gives nearly the honest answer, and nothing but the answer is looked at.
type HiddenRow struct {
	IDs      int     `json:"ids"`   // of the instruction
	Plain    bool    `json:"plain"` // mere text before the prompt, not a system's message
	FlipRate float64 `json:"flip_rate"`
	Share    float64 `json:"convicted_by_one_answer"`
	Refused  float64 `json:"refused_share"`
}

// hidden tries beginnings of the red team's instruction, each in both forms.
func (d *Desk) hidden(ctx context.Context, o Options) (out []HiddenRow, err error) {
	sentences := strings.SplitAfter(redteam.Instruction, ". ")
	g := regimeOf("hidden-prompt")
	for _, plain := range []bool{true, false} {
		for _, n := range []int{1, 3, len(sentences)} {
			instruction := strings.TrimSpace(strings.Join(sentences[:min(n, len(sentences))], ""))
			e, err := redteam.Hidden(d.honest, instruction, plain)
			if err != nil {
				return nil, fmt.Errorf("hide an instruction: %w", err)
			}
			pool, err := d.answers(ctx, e, g, o.Tokens/4, o.Seed)
			if err != nil {
				return nil, fmt.Errorf("hide an instruction: %w", err)
			}
			out = append(out, HiddenRow{
				IDs: len(d.Model.Encode(instruction, false)), Plain: plain, FlipRate: pool.FlipRate(),
				Share: pool.Caught(g.within, few, o.Seed).Share, Refused: pool.Refused(),
			})
		}
	}
	return out, nil
}
