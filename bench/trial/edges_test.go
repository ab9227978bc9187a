package trial

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"targon"
	"targon/calibrate"
	"targon/engine/native"
	"targon/model"
)

func TestLead(t *testing.T) {
	for _, c := range []struct {
		logits []float32
		want   float64
	}{
		{[]float32{1, 3, 2.5}, 0.5},
		{[]float32{3, 1, 2.5}, 0.5},
		{[]float32{2.5, 1, 3}, 0.5},
		{[]float32{3, 3, 1}, 0},
		{[]float32{-2, -1}, 1},
	} {
		if got := lead(c.logits); got != c.want {
			t.Errorf("of %v: %v, want %v", c.logits, got, c.want)
		}
	}
}

// TestWhoCounts: cheats are compared with answers to challenges alone; an answer is taken
// for the honest one where no id differs and nothing else speaks against it; and shares
// are of what is so.
func TestWhoCounts(t *testing.T) {
	b := table(t)
	calm, flipped, denied, undecided, asked := answer(b, 60, 0, 4, 0), answer(b, 60, 0, 4, 1), answer(b, 60, 0, 4, 0), answer(b, 60, 0, 4, 0), answer(b, 10, 0, 0, 0)
	denied.Denied, undecided.Undecided, asked.challenge = true, true, true
	for name, c := range map[string]struct {
		a    Answer
		want bool
	}{"calm": {calm, true}, "flipped": {flipped, false}, "denied": {denied, false}, "undecided": {undecided, true}} {
		if got := unchanged(c.a); got != c.want {
			t.Errorf("%s: the honest answer %v, want %v", name, got, c.want)
		}
	}
	p := Pool{calm, asked, denied, undecided, calm}
	if got := p.challenges(); len(got) != 1 || got[0].Tokens != 10 {
		t.Errorf("answers to challenges: %d, want the one of 10 ids", len(got))
	}
	h := p.honest(5, Options{Months: 3, WorstMonths: 2})
	if h.UndecidedShare != 0.2 || h.RefusedShare != 0.2 || h.Requests != 5 {
		t.Errorf("of 5 answers %v undecided and %v refused, want a fifth each", h.UndecidedShare, h.RefusedShare)
	}
	if n := (Pool{}).WorstMonths(4, 10, 1); n != 0 {
		t.Errorf("%d months of nothing end in a conviction", n)
	}
}

// flat is a stack that gives the first two ids these logits at each position, or fails.
type flat struct {
	logits []float32
	err    error
	calls  *atomic.Int64
}

func (f flat) Logits(_ context.Context, ids []targon.TokenID, each func(int, []float32) error) error {
	if f.calls.Add(1); f.err != nil {
		return f.err
	}
	for at, id := range ids {
		row := slices.Clone(f.logits)
		row[0] += float32(id)
		if err := each(at, row); err != nil {
			return err
		}
	}
	return nil
}

// TestRank: texts stand by what their positions are worth on average, those of equal
// worth as they came, one without an answer last; a stack is asked only if it is looked at.
func TestRank(t *testing.T) {
	text := func(ids ...targon.TokenID) written {
		return written{text: calibrate.Text{Prompt: ids[:1], Answer: ids[1:]}}
	}
	texts := []written{text(1), text(1, 1, 1), text(5, 5), text(1, 1), text(9, 0, 0, 0)}
	first := func(ours, _ []float32) float64 { return float64(ours[0]) }
	broken := errors.New("broken")
	for _, c := range []struct {
		name         string
		both         bool
		ours, theirs error
		asked        bool // the prover's stack is
	}{
		{"one stack", false, nil, broken, false},
		{"both", true, nil, nil, true},
		{"ours fails", false, broken, nil, false},
		{"theirs fails", true, nil, broken, true},
	} {
		var ours, theirs atomic.Int64
		s := stacks{ours: flat{make([]float32, 2), c.ours, &ours}, theirs: flat{make([]float32, 2), c.theirs, &theirs}}
		got, err := s.rank(t.Context(), want{value: first, both: c.both}, texts)
		fails := c.ours != nil || c.both && c.theirs != nil
		if errors.Is(err, broken) != fails || (theirs.Load() > 0) != c.asked {
			t.Errorf("%s: %v, the prover's stack asked %d times", c.name, err, theirs.Load())
		}
		if order := []int{2, 4, 1, 3, 0}; !fails && !slices.Equal(got, order) {
			t.Errorf("%s: %v, want %v", c.name, got, order)
		}
	}
}

// TestTraffic: every other draft is a challenge's; the others fit the context, and some
// have a long prompt, some a question to an assistant.
func TestTraffic(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	next, rng := (&Desk{Model: m}).traffic(), rand.New(rand.NewPCG(1, 2))
	long, warm := 0, 0
	for i := range 400 {
		d := next(rng)
		if i%2 == 0 && (d.Temperature != 1 || d.TopK != 0 || d.TopP != 0 || d.MinP != 0) {
			t.Fatalf("draft %d is no challenge: %+v", i, d)
		}
		if d.Temperature != 1 {
			warm++
		}
		n := len(d.Prompt)
		if n == 0 || n+int(d.MaxTokens) > m.Context() || n > 512 {
			t.Errorf("draft %d: %d ids and %d to be answered", i, n, d.MaxTokens)
		}
		if n >= 256 {
			long++
		}
	}
	if long < 5 || long > 60 || warm < 150 {
		t.Errorf("%d of 400 drafts are long, %d of another temperature", long, warm)
	}
}

// TestPrompts: cheats that are to be convicted at once are asked little, those that are
// about the end of an answer what has an end.
func TestPrompts(t *testing.T) {
	m, err := native.Load(model.GGUF())
	if err != nil {
		t.Fatal(err)
	}
	d, rng := &Desk{Model: m}, rand.New(rand.NewPCG(1, 2))
	open := d.prompts(regime{})(rng)
	for name, c := range map[string]struct {
		g    regime
		most uint32
	}{
		"usual":   {regime{}, open.MaxTokens},
		"at once": {regime{bar: atOnce}, few},
		"chats":   {regime{chats: true}, mostChat},
	} {
		got := d.prompts(c.g)(rng)
		if len(got.Prompt) == 0 || name != "usual" && got.MaxTokens != c.most || name == "usual" && got.MaxTokens == few {
			t.Errorf("%s: %d ids, %d to be answered, want %d", name, len(got.Prompt), got.MaxTokens, c.most)
		}
	}
	for range 20 {
		if d := d.candidate(rng, true); !cycles(d.Prompt) {
			t.Errorf("%v says more than a few things over and over", d.Prompt)
		}
		if d := d.candidate(rng, false); cycles(d.Prompt) {
			t.Errorf("%v says few things over and over", d.Prompt)
		}
	}
}

// cycles reports whether a prompt is one, two or three ids over and over.
func cycles(ids []targon.TokenID) bool {
	for n := 1; n <= 3; n++ {
		ok := len(ids) > n
		for i := n; i < len(ids); i++ {
			ok = ok && ids[i] == ids[i-n]
		}
		if ok {
			return true
		}
	}
	return false
}

// TestMissed: each bar at its edge; what has none, or too few ids to tell, misses nothing.
func TestMissed(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name string
		edit func(*Report)
		want string
	}{
		{"all that is wanted, and no more", func(*Report) {}, ""},
		{"a cheat comes up to its bar", func(r *Report) { r.Cheats = []Row{{Name: "a", Met: &yes}} }, ""},
		{"a cheat has no bar", func(r *Report) { r.Cheats = []Row{{Name: "a"}} }, ""},
		{"a cheat does not", func(r *Report) { r.Cheats = []Row{{Name: "a", Met: &yes}, {Name: "b", Bar: "c", Met: &no}} }, "b: c"},
		{"an honest month too many", func(r *Report) { r.Honest.Upper95 = 1.001e-3 }, "honest: upper bound of convicted months ≤ 1e-3"},
		{"the worst null too often", func(r *Report) { r.Honest.WorstNull = 1.001e-3 }, "worst null: share of convicted months above 0 and ≤ 1e-3"},
		{"the worst null never", func(r *Report) { r.Honest.WorstNull = 0 }, "worst null: share of convicted months above 0 and ≤ 1e-3"},
		{"the worst null hardly ever", func(r *Report) { r.Honest.WorstNull = 1e-5 }, ""},
		{"one in a hundred undecided", func(r *Report) { r.Honest.UndecidedShare = 0.01 }, "honest: undecided < 1 %"},
		{"a user who has somebody convicted", func(r *Report) { r.Honest.AdversarialConvictions = 1 }, "adversarial user: no conviction"},
		{"dear", func(r *Report) { r.Cost.At10 = 0.0701 }, "cost: ≤ 7 % of generation at an audit rate of 10 %"},
	} {
		r := Report{Honest: Honest{Upper95: 1e-3, WorstNull: 1e-3, UndecidedShare: 0.0099}}
		r.Cost.At10 = 0.07
		c.edit(&r)
		if got := strings.Join(r.Missed(), "; "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestUsual: only the long trial is as long as that.
func TestUsual(t *testing.T) {
	for tokens, texts := range map[uint64]int{12_000: 720, 99_999: 720, 100_000: 3600} {
		if o := Usual(tokens); o.Texts != texts || o.Tokens != tokens {
			t.Errorf("%d ids: %d texts, want %d", tokens, o.Texts, texts)
		}
	}
}

// TestPowerOfOne: an answer is told from the honest if it is further off than they are,
// and not if it is just as far.
func TestPowerOfOne(t *testing.T) {
	b := table(t)
	calm, near, loud := answer(b, 60, 0, 4, 0), answer(b, 60, 0, 4, 1), answer(b, 60, 3, 4, 0)
	honest := slices.Repeat(Pool{calm, near}, 600)
	for name, c := range map[string]struct {
		a    Answer
		want float64
	}{"as the calmest": {calm, 0}, "as the others": {near, 0}, "further": {loud, 1}} {
		if got := Power(honest, Pool{c.a}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
