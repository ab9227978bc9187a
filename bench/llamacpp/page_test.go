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
	r := result{model: "m", typ: "f16", kernel: "k", params: 3_500_000, logits: difference{
		median: 0.001, worst: 0.25, same: 95, of: 96, ours: 0.5, theirs: 0.75, eight: 0.25, oursFromEight: 3e-7,
	}, memory: footprint{Peak: 110e6, Before: 8e6, needed: 100e6}, read: 12e9, plain: 16e9}
	r.decode = summarise([]turn{{100, 50}})
	r.score = summarise([]turn{{300, 400}})
	text := page([]result{r}, "Somewhere.\n")
	for _, want := range []string{
		"| m | 3.5 M | f16 | k | 100 | 50 | **2.00** (2.00 to 2.00) | 300 | 400 | **0.75** (0.75 to 0.75) | 3.0 | 1 |",
		"| m | f16 | 0.001 | 0.25 | 95 of 96 | 0.5 | 0.75 | 0.25 | 3e-07 |", "| m | f16 | 12.0 | 16.0 | 0.75 |", "| m | f16 | 100.0 | 110.0 | 8.0 | +10 % |", "\nSomewhere.\n",
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
