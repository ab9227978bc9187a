package evidence_test

import (
	"errors"
	"testing"

	"targon"
	"targon/evidence"
)

// stacks returns packs of one model for two provers: the second flips three times as often at
// near ties, and was measured better, so it is bounded lower where flips are rare.
func stacks() (quiet, loud evidence.Pack) {
	quiet, loud = pack(1e7, nil), pack(4e8, nil)
	loud.Prover = "c"
	for i := range loud.Strata[0].Counts {
		c := &loud.Strata[0].Counts[i]
		if c.Class < targon.GapClassOf(3*sigma) {
			c.Flips = min(3*c.Flips, c.Draws)
		}
	}
	return quiet, loud
}

func ofLength(prompt, most int, temperature float64) targon.Request {
	return targon.Request{
		Prompt: make([]targon.TokenID, prompt), MaxTokens: uint32(most), Sampling: targon.Sampling{Temperature: temperature},
	}
}

// TestWorst: against two stacks each class has the higher bound, whatever their order,
// and no bet pays more than against either alone where that matters: at the flips.
func TestWorst(t *testing.T) {
	quiet, loud := stacks()
	nulls, err := evidence.NewNulls(quiet, loud)
	if err != nil {
		t.Fatal(err)
	}
	other, err := evidence.NewNulls(loud, quiet)
	if err != nil {
		t.Fatal(err)
	}
	of, ok := nulls.Of(ofLength(20, 64, 1), 64)
	if !ok || len(of) != 2 {
		t.Fatalf("held against %v", of)
	}
	worst, ok := nulls.Bets(of)
	again, also := other.Bets(of)
	if !ok || !also || *worst != *again {
		t.Error("the order of packs matters")
	}
	a, b := quiet.Bets(0), loud.Bets(0)
	higher := [2]int{}
	for c := range targon.GapClass(targon.GapClasses) {
		if got, want := worst.Bound(c), max(a.Bound(c), b.Bound(c)); got != want {
			t.Errorf("class %d: bound %d, want %d", c, got, want)
		}
		if a.Bound(c) > b.Bound(c) {
			higher[0]++
		}
		if a.Bound(c) < b.Bound(c) {
			higher[1]++
		}
		flip := worst.Of(tally(c, false, 0, 1))
		for k := 6; k < 9; k++ { // the flat alternatives do not move
			if flip[k] > a.Of(tally(c, false, 0, 1))[k] || flip[k] > b.Of(tally(c, false, 0, 1))[k] {
				t.Errorf("class %d, process %d: pays more than against one stack", c, k)
			}
		}
	}
	if higher[0] == 0 || higher[1] == 0 {
		t.Errorf("the stacks do not differ both ways: %v", higher)
	}
	one, err := evidence.NewNulls(quiet)
	if err != nil {
		t.Fatal(err)
	}
	if of, _ = one.Of(ofLength(20, 64, 1), 64); len(of) != 1 {
		t.Fatalf("held against %v", of)
	}
	if alone, _ := one.Bets(of); *alone != *a {
		t.Error("one pack is not its own worst")
	}
	for name, of := range map[string][]targon.Null{
		"nothing": nil, "unknown pack": {{Pack: targon.Digest{1}}}, "unknown stratum": {{Pack: of[0].Pack, Stratum: 1}},
	} {
		if _, ok := one.Bets(of); ok {
			t.Errorf("bets against %s", name)
		}
	}
}

// TestNullsOf: what is held is told by the request; how long the answer came out only
// says whether it is longer than all that was measured.
func TestNullsOf(t *testing.T) {
	p := pack(1e7, nil)
	long := p.Strata[0]
	long.MaxLength = 1024
	p.Strata = append(p.Strata, long)
	nulls, err := evidence.NewNulls(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		prompt, most   int
		temperature    float64
		answered, want int // stratum; -1: none
	}{
		{"short", 56, 200, 1, 10, 0},
		{"an id longer", 57, 200, 1, 10, 1},
		{"ends early, chooses nothing", 56, 500, 1, 3, 1},
		{"may be longer than all", 56, 4000, 1, 900, 1},
		{"as long as all", 56, 4000, 1, 968, 1},
		{"is longer", 56, 4000, 1, 969, -1},
		{"colder", 56, 200, 0.89, 10, -1},
		{"greedy", 56, 200, 0, 10, -1},
		{"warmer", 56, 200, 1.1, 10, -1},
	} {
		of, ok := nulls.Of(ofLength(c.prompt, c.most, c.temperature), c.answered)
		if ok != (c.want >= 0) || ok && int(of[0].Stratum) != c.want {
			t.Errorf("%s: %v, %v, want stratum %d", c.name, of, ok, c.want)
		}
	}
	// One stack that was never measured on such requests leaves all of them uncalibrated.
	cold := pack(1e7, nil)
	cold.Prover, cold.Strata[0].MaxTemperature = "c", 0.95
	both, err := evidence.NewNulls(p, cold)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := both.Of(ofLength(20, 64, 1), 64); ok {
		t.Error("held against one of two stacks")
	}
	if of, ok := both.Of(ofLength(20, 64, 0.92), 64); !ok || len(of) != 2 {
		t.Errorf("held against %v, want both stacks", of)
	}
}

func TestNewNulls(t *testing.T) {
	quiet, loud := stacks()
	change := func(f func(*evidence.Pack)) evidence.Pack { p := loud; f(&p); return p }
	for name, packs := range map[string][]evidence.Pack{
		"none":             nil,
		"twice":            {quiet, quiet},
		"other weights":    {quiet, change(func(p *evidence.Pack) { p.Weights[0]++ })},
		"another sampler":  {quiet, change(func(p *evidence.Pack) { p.Sampler = "x" })},
		"another verifier": {quiet, change(func(p *evidence.Pack) { p.Verifier = "x" })},
		"useless":          {quiet, change(func(p *evidence.Pack) { p.Strata = nil })},
	} {
		if _, err := evidence.NewNulls(packs...); !errors.Is(err, evidence.ErrPack) {
			t.Errorf("%s: %v, want ErrPack", name, err)
		}
	}
	var many []evidence.Pack
	for i := range targon.MaxNulls + 1 {
		many = append(many, change(func(p *evidence.Pack) { p.Prover = string(rune('a' + i)) }))
	}
	if _, err := evidence.NewNulls(many[:targon.MaxNulls]...); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
	if _, err := evidence.NewNulls(many...); !errors.Is(err, evidence.ErrPack) {
		t.Errorf("one more: %v, want ErrPack", err)
	}
	n, err := evidence.NewNulls(quiet, loud)
	if err != nil || n.Weights() != quiet.Weights || n.Sampler() != "targon" || n.Verifier() != "b" {
		t.Errorf("%v, %v", n, err)
	}
}

func TestBetOf(t *testing.T) {
	b := evidence.Bet{1, -2, 13_815_510_557}
	if got, ok := evidence.BetOf(b[:]); !ok || got != b {
		t.Errorf("%v reads as %v", b, got)
	}
	over := b
	over[2]++
	for name, logs := range map[string][]int64{"nothing": nil, "too few": b[:10], "too many": append(b[:], 0), "above the cap": over[:]} {
		if _, ok := evidence.BetOf(logs); ok {
			t.Errorf("%s is a bet", name)
		}
	}
}

// TestMixedMonth: equality and margins in one month multiply.
func TestMixedMonth(t *testing.T) {
	table := pack(1e7, nil).Bets(0)
	bet := table.Of(tally(targon.GapClassOf(sigma), false, 0, 1))
	var s evidence.Stream
	e := evidence.New(prover, 3)
	e = evidence.Update(e, verdict(targon.ReasonEqual))
	exact := e.LogE
	e, _ = s.Update(e, verdict(targon.ReasonWithin), bet)
	e, _ = s.Update(e, verdict(targon.ReasonBuffered), bet)
	if e.LogE != exact+s.LogE() || e.Matches != 3 || e.Mismatches != 0 {
		t.Errorf("%+v, want %d + %d", e, exact, s.LogE())
	}
	e = evidence.Update(e, verdict(targon.ReasonEqual))
	if e.LogE != 2*exact+s.LogE() {
		t.Errorf("%+v, want %d + %d", e, 2*exact, s.LogE())
	}
	// Where it is one answer too many, none of which failed, the margins convict.
	for !e.Convicted {
		e, _ = s.Update(e, verdict(targon.ReasonWithin), table.Of(tally(targon.GapClassOf(1), false, 60, 1)))
	}
	if e.Reason != targon.ReasonMargin {
		t.Errorf("convicted for %v", e.Reason)
	}
}
