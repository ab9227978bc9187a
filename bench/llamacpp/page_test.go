package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestSummarise: a ratio is the median of ratios of pairs, not the ratio of medians.
func TestSummarise(t *testing.T) {
	p := summarise([]turn{{100, 50}, {10, 20}, {30, 10}, {12, 10}, {80, 100}})
	if p.ratio != (spread{0.8, 1.2, 2}) || p.ours != 30 || p.theirs != 20 || p.turns != 5 {
		t.Errorf("%+v", p)
	}
}

func TestPage(t *testing.T) {
	r := result{model: "m", typ: "f16", kernel: "k", params: 3_500_000, logits: difference{0.001, 0.25, 95, 96}}
	r.decode = summarise([]turn{{100, 50}})
	r.score = summarise([]turn{{300, 400}})
	text := page([]result{r}, "Somewhere.\n")
	for _, want := range []string{
		"| m | 3.5 M | f16 | k | 100 | 50 | **2.00** (2.00 to 2.00) | 300 | 400 | **0.75** (0.75 to 0.75) | 3.0 | 1 |",
		"| m | f16 | 0.001 | 0.25 | 95 of 96 |", "\nSomewhere.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("page lacks %q:\n%s", want, text)
		}
	}
	var svg bytes.Buffer
	if err := plot([]result{r}).WriteSVG(&svg); err != nil || !strings.Contains(svg.String(), "0.75") {
		t.Errorf("plot: %v", err)
	}
}
