package score_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/score"
)

const organic = targon.OriginOrganic

func key(uid targon.UID) targon.Hotkey { return targon.Hotkey{byte(uid), 1} }

func provers(n int) (out []targon.Neuron) {
	for i := range n {
		out = append(out, targon.Neuron{UID: targon.UID(i), Hotkey: key(targon.UID(i))})
	}
	return out
}

// passed is an audited challenge that passed.
func passed(uid targon.UID, tokens uint32, total time.Duration) score.Sample {
	return score.Sample{UID: uid, Hotkey: key(uid), Origin: targon.OriginChallenge, Tokens: tokens, Total: total, Passed: true}
}

func with(s score.Sample, edit func(*score.Sample)) score.Sample {
	edit(&s)
	return s
}

// wrong is an audited answer that failed; silent a request without an answer.
func wrong(uid targon.UID) score.Sample {
	return with(passed(uid, 64, time.Second), func(s *score.Sample) { s.Passed, s.Failed = false, true })
}

func silent(uid targon.UID) score.Sample {
	return score.Sample{UID: uid, Hotkey: key(uid), Origin: targon.OriginChallenge, Failed: true}
}

func undrawn(uid targon.UID) score.Sample {
	return with(passed(uid, 64, time.Second), func(s *score.Sample) { s.Passed = false })
}

func byOrganic(s score.Sample) score.Sample {
	s.Origin = organic
	return s
}

func buffered(s score.Sample) score.Sample {
	s.Passed, s.Failed, s.Buffered = false, true, true
	return s
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Max(math.Abs(want), 1e-12) }

// TestFirstEpoch: one epoch from an empty book, against numbers by hand.
func TestFirstEpoch(t *testing.T) {
	second := time.Second
	e := math.Exp
	// The yardstick in each case is prover 0 with 100 tokens a second and prover 1 with
	// 50: average 75, maximum 100.
	fast, slow := 0.1*100*e(2.5), 0.1*50*e(-2.5)
	for _, c := range []struct {
		name    string
		samples []score.Sample
		want    []float64
	}{
		{"two speeds", []score.Sample{passed(0, 100, second), passed(1, 50, second)}, []float64{fast, slow}},
		{"sums of tokens over sums of time", []score.Sample{
			passed(0, 150, second), passed(0, 50, second), passed(1, 100, 2*second),
		}, []float64{fast, slow}},
		{"half a second", []score.Sample{passed(0, 50, second/2), passed(1, 1, 20*time.Millisecond)}, []float64{fast, slow}},
		{"one alone", []score.Sample{passed(0, 100, second)}, []float64{10, 0}},
		{"equals", []score.Sample{passed(0, 80, second), passed(1, 80, second)}, []float64{8, 8}},
		{"one wrong answer of four", []score.Sample{
			passed(0, 100, second), passed(0, 100, second), passed(0, 100, second), wrong(0), passed(1, 50, second),
		}, []float64{0.75*fast + 0.25*0.1*1e-7*e(10*(1e-7-75)/100), slow}},
		{"a wrong answer is rewarded as 1e-7 tokens a second", []score.Sample{
			passed(0, 1, 1_000_000*second), wrong(0), // average and maximum 1e-6
		}, []float64{0.5*0.1*1e-6 + 0.5*0.1*1e-7*e(-9), 0}},
		{"one silence of four", []score.Sample{
			passed(0, 100, second), passed(0, 100, second), passed(0, 100, second), silent(0), passed(1, 50, second),
		}, []float64{0.75*fast + 0.25*0.1*1e-7*e(10*(1e-7-75)/100), slow}},
		{"half of the answers audited, half of the audited wrong", []score.Sample{
			passed(0, 100, second), wrong(0), undrawn(0), undrawn(0), passed(1, 50, second),
		}, []float64{0.5*fast + 0.5*0.1*1e-7*e(10*(1e-7-75)/100), slow}},
		{"silences weigh against all answers, not the audited ones", []score.Sample{
			passed(0, 100, second), undrawn(0), undrawn(0), silent(0), passed(1, 50, second),
		}, []float64{0.75*fast + 0.25*0.1*1e-7*e(10*(1e-7-75)/100), slow}},
		{"undrawn is neither speed nor failure", []score.Sample{
			passed(0, 100, second), passed(1, 50, second), with(undrawn(1), func(s *score.Sample) { s.Tokens = 9000 }),
		}, []float64{fast, slow}},
		{"no time at all is a fault of ours", []score.Sample{
			passed(0, 100, second), passed(1, 50, second), passed(1, 64, 0), passed(1, 64, -second),
		}, []float64{fast, slow}},
		{"only faults of ours", []score.Sample{passed(0, 100, second), passed(1, 64, 0)}, []float64{10, 0}},
		{"all wrong", []score.Sample{passed(0, 100, second), wrong(1), wrong(1)}, []float64{10, 0}},
		{"all silent", []score.Sample{passed(0, 100, second), silent(1)}, []float64{10, 0}},
		{"not asked", []score.Sample{passed(0, 100, second)}, []float64{10, 0}},
		{"failed wins over passed", []score.Sample{
			passed(0, 100, second), with(passed(1, 64, second), func(s *score.Sample) { s.Failed = true }),
		}, []float64{10, 0}},
		{"organic alone earns nothing", []score.Sample{passed(0, 100, second), byOrganic(passed(1, 50, second))}, []float64{10, 0}},
		{"organic within its half", []score.Sample{
			passed(0, 100, second), passed(1, 50, second), byOrganic(passed(1, 20, second*4/10)),
		}, []float64{fast, slow}},
		{"organic beyond its half is cut with its time", []score.Sample{ // 100 of 400 count, in 1 of 4 s
			passed(0, 100, second), passed(1, 100, 3*second), byOrganic(passed(1, 400, 4*second)),
		}, []float64{fast, slow}},
		{"organic at its half", []score.Sample{
			passed(0, 100, second), passed(1, 100, 3*second), byOrganic(passed(1, 100, second)),
		}, []float64{fast, slow}},
		{"organic passes thin failures out only as far as challenges do", []score.Sample{
			passed(0, 100, second), wrong(0), byOrganic(passed(0, 10, second/10)), byOrganic(passed(0, 10, second/10)),
			byOrganic(passed(0, 10, second/10)), passed(1, 50, second),
		}, []float64{2./3*fast + 1./3*0.1*1e-7*e(10*(1e-7-75)/100), slow}},
		{"unknown hotkeys change nothing", []score.Sample{
			passed(0, 100, second), passed(1, 50, second), passed(77, 9000, second),
		}, []float64{fast, slow}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got := score.Throughput{}.Close(score.Book{}, provers(2), c.samples)
			for i, s := range got {
				if !near(s.Value, c.want[i]) || s.UID != targon.UID(i) || s.Hotkey != key(s.UID) {
					t.Errorf("uid %d: %v, want %v", s.UID, s.Value, c.want[i])
				}
			}
		})
	}
}

// TestBuffered: a buffered answer is a failure; nine in ten of them leave nothing.
func TestBuffered(t *testing.T) {
	run := func(long, short, dumped int) float64 {
		samples := []score.Sample{passed(1, 100, time.Second)}
		for range long {
			samples = append(samples, passed(0, 100, time.Second))
		}
		for range short {
			samples = append(samples, passed(0, 31, 310*time.Millisecond))
		}
		for range dumped {
			samples = append(samples, buffered(passed(0, 100, time.Second)))
		}
		_, out := score.Throughput{}.Close(score.Book{}, provers(2), samples)
		return out[0].Value
	}
	for _, c := range []struct {
		long, short, dumped int
		want                float64
	}{
		{10, 0, 0, 10},
		{9, 0, 1, 9},
		{5, 0, 5, 5},
		{2, 0, 8, 2},
		{1, 0, 9, 0},
		{0, 0, 10, 0},
		{0, 90, 10, 0}, // short answers do not show whether it streams
		{2, 0, 17, 10 * 2.0 / 19},
	} {
		if got := run(c.long, c.short, c.dumped); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%d long, %d short, %d dumped: %v, want %v", c.long, c.short, c.dumped, got, c.want)
		}
	}
	exact := passed(0, 32, time.Second)
	_, out := score.Throughput{}.Close(score.Book{}, provers(1), []score.Sample{passed(0, 31, time.Second), buffered(exact)})
	if out[0].Value != 0 {
		t.Errorf("32 ids are enough to tell: %v", out[0].Value)
	}
	// Answers that were not audited say nothing about how many of those that were came at
	// once: a prover that dumps everything passes only on its short answers.
	dumps := []score.Sample{passed(0, 31, 100*time.Millisecond), buffered(exact)}
	for range 50 {
		dumps = append(dumps, with(exact, func(s *score.Sample) { s.Passed = false }))
	}
	if _, out := (score.Throughput{}).Close(score.Book{}, provers(1), dumps); out[0].Value != 0 {
		t.Errorf("answers that were not drawn hide the buffered ones: %v", out[0].Value)
	}
	// Marked as buffered is failed even if the caller calls it passed.
	both := with(passed(0, 100, time.Second), func(s *score.Sample) { s.Buffered = true })
	b, _ := score.Throughput{}.Close(score.Book{}, provers(1), []score.Sample{both})
	if b.Max != 0 {
		t.Error("buffered tokens counted as speed")
	}
}

// TestSecondEpoch: average, maximum and standings move by a tenth.
func TestSecondEpoch(t *testing.T) {
	b, _ := score.Throughput{}.Close(score.Book{}, provers(2), []score.Sample{passed(0, 100, time.Second), passed(1, 50, time.Second)})
	before0, before1 := b.Of(key(0)), b.Of(key(1))
	if b.Average != 75 || b.Max != 100 {
		t.Fatalf("average %v, maximum %v", b.Average, b.Max)
	}
	slower := []score.Sample{passed(0, 60, time.Second), passed(1, 40, time.Second)}
	b2, out := score.Throughput{}.Close(b, provers(2), slower)
	avg, top := 0.1*50+0.9*75, 0.1*60+0.9*100 // the maximum falls towards the present
	if !near(b2.Average, avg) || !near(b2.Max, top) {
		t.Errorf("average %v, maximum %v, want %v, %v", b2.Average, b2.Max, avg, top)
	}
	want0 := 0.1*60*math.Exp(10*(60-avg)/top) + 0.9*before0
	want1 := 0.1*40*math.Exp(10*(40-avg)/top) + 0.9*before1
	if !near(out[0].Value, want0) || !near(out[1].Value, want1) {
		t.Errorf("scores %v, %v, want %v, %v", out[0].Value, out[1].Value, want0, want1)
	}
	faster := []score.Sample{passed(0, 400, time.Second), passed(1, 40, time.Second)}
	if b3, _ := (score.Throughput{}).Close(b, provers(2), faster); b3.Max != 400 {
		t.Errorf("the maximum rises at once: %v", b3.Max)
	}
	if b.Of(key(0)) != before0 || b.Average != 75 {
		t.Error("Close changed the book that it was given")
	}
	half := score.Throughput{Alpha: 0.5, Factor: 1}
	_, out = half.Close(score.Book{}, provers(2), slower)
	if !near(out[0].Value, 0.5*60*math.Exp(10./60)) {
		t.Errorf("constants of one's own: %v", out[0].Value)
	}
}

func TestDecay(t *testing.T) {
	p := score.Throughput{}
	b, _ := p.Close(score.Book{}, provers(2), []score.Sample{passed(0, 100, time.Second), passed(1, 100, time.Second)})
	start := b.Of(key(1))
	alive := passed(0, 100, time.Second)
	for _, c := range []struct {
		name     string
		samples  []score.Sample
		standing float64 // of what it was
		scored   bool
	}{
		{"not asked", []score.Sample{alive}, 0.9, true},
		{"nothing drawn", []score.Sample{alive, undrawn(1)}, 0.9, true},
		{"all wrong", []score.Sample{alive, wrong(1)}, 0.9, false},
		{"wrong and silent", []score.Sample{alive, wrong(1), silent(1)}, 0.9, false},
		{"wrong but once", []score.Sample{alive, wrong(1), undrawn(1)}, 0.9, true},
		{"silent", []score.Sample{alive, silent(1), silent(1)}, 0.9, false},
		{"silent but once", []score.Sample{alive, silent(1), undrawn(1)}, 0.9, true},
		{"buffers", []score.Sample{alive, buffered(passed(1, 64, time.Second))}, 0.9, false},
		{"nobody passed: no measurement", []score.Sample{undrawn(0), wrong(1)}, 1, false},
		{"silent while nobody passed", []score.Sample{undrawn(0), silent(1)}, 1, false},
		{"undrawn while nobody passed", []score.Sample{undrawn(0), undrawn(1)}, 1, true},
		{"no samples", nil, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			next, out := p.Close(b, provers(2), c.samples)
			if !near(next.Of(key(1)), c.standing*start) {
				t.Errorf("standing %v, want %v of %v", next.Of(key(1)), c.standing, start)
			}
			want := 0.0
			if c.scored {
				want = next.Of(key(1))
			}
			if out[1].Value != want {
				t.Errorf("score %v, want %v", out[1].Value, want)
			}
		})
	}
}

// TestNewHotkey: a UID that changes hands starts fresh, the old hotkey fades away.
func TestNewHotkey(t *testing.T) {
	p, all := score.Throughput{}, provers(2)
	b, _ := p.Close(score.Book{}, all, []score.Sample{passed(0, 100, time.Second), passed(1, 100, time.Second)})
	old := b.Of(key(1))
	all[1].Hotkey = targon.Hotkey{200}
	b, out := p.Close(b, all, []score.Sample{passed(0, 100, time.Second), passed(1, 9000, time.Second)})
	if out[1].Value != 0 || out[1].Hotkey != all[1].Hotkey {
		t.Errorf("the newcomer inherits %v", out[1].Value)
	}
	if b.Max != 100 || !near(b.Of(key(1)), 0.9*old) {
		t.Errorf("maximum %v, old hotkey %v of %v", b.Max, b.Of(key(1)), old)
	}
	for range 300 {
		b, _ = p.Close(b, all, []score.Sample{passed(0, 100, time.Second)})
	}
	if len(b.Standings) != 1 || b.Of(key(0)) == 0 {
		t.Errorf("hotkeys that left are kept: %v", b.Standings)
	}
}

// TestForgotten: a standing is kept down to 1e-9, and dropped below.
func TestForgotten(t *testing.T) {
	p, all := score.Throughput{Alpha: 0.5}, provers(1)
	for _, c := range []struct{ before, after float64 }{
		{2e-9, 1e-9}, // half of it, to the last bit
		{math.Nextafter(2e-9, 0), 0},
	} {
		b := score.Book{Average: 100, Max: 100, Standings: []score.Standing{{Hotkey: key(9), Value: c.before}}}
		if b, _ = p.Close(b, all, []score.Sample{passed(0, 100, time.Second)}); b.Of(key(9)) != c.after {
			t.Errorf("%v becomes %v, want %v", c.before, b.Of(key(9)), c.after)
		}
	}
}

// TestFewProvers: with three in the network, timing noise does not let one of two equals
// take all, and half speed keeps a positive score well below full speed.
func TestFewProvers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var b score.Book
	var out []targon.Score
	for range 30 {
		var samples []score.Sample
		for range 20 {
			for uid, speed := range []float64{100, 100, 50} {
				noise := 1 + 0.1*(rng.Float64()-0.5)
				samples = append(samples, passed(targon.UID(uid), 64, time.Duration(64/speed*noise*1e9)))
			}
		}
		b, out = score.Throughput{}.Close(b, provers(3), samples)
	}
	if r := out[0].Value / out[1].Value; r < 0.8 || r > 1.25 {
		t.Errorf("equals have %v and %v", out[0].Value, out[1].Value)
	}
	if r := out[2].Value / out[0].Value; r < 1e-3 || r > 0.05 {
		t.Errorf("half speed has %v of full", r)
	}
}

// TestStaleMaximum: one epoch of great speed does not flatten the curve for ever.
func TestStaleMaximum(t *testing.T) {
	p := score.Throughput{}
	two := []score.Sample{passed(0, 100, time.Second), passed(1, 50, time.Second)}
	b, _ := p.Close(score.Book{}, provers(3), append(two[:2:2], passed(2, 100_000, time.Second)))
	for range 200 {
		b, _ = p.Close(b, provers(2), two)
	}
	if b.Max > 101 || b.Average > 76 {
		t.Errorf("maximum %v, average %v", b.Max, b.Average)
	}
}

func draw(t *rapid.T, n int) []score.Sample {
	gen := rapid.Custom(func(t *rapid.T) score.Sample {
		uid := targon.UID(rapid.IntRange(0, n-1).Draw(t, "uid"))
		s := passed(uid, rapid.Uint32Range(0, 200).Draw(t, "tokens"), time.Duration(rapid.Int64Range(-5, 5e9).Draw(t, "total")))
		if rapid.Bool().Draw(t, "organic") {
			s.Origin = organic
		}
		switch rapid.IntRange(0, 5).Draw(t, "verdict") {
		case 0:
			s.Passed, s.Failed = false, true
		case 1:
			s.Passed = false
		case 2:
			s = buffered(s)
		}
		return s
	})
	return rapid.SliceOfN(gen, 0, 40).Draw(t, "samples")
}

// TestProperties: finite, not negative, sorted, the same for every order of samples and
// provers, and no failure of one lifts another by a bit.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 5
		p := score.Throughput{}
		var b score.Book
		for range rapid.IntRange(1, 4).Draw(t, "epochs") {
			samples, all := draw(t, n), provers(n)
			next, out := p.Close(b, all, samples)

			rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 0))
			rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
			rng.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
			next2, out2 := p.Close(b, all, samples)
			if diff := cmp.Diff(out, out2) + cmp.Diff(next, next2); diff != "" {
				t.Fatal("order matters", diff)
			}
			if next.Average > next.Max*(1+1e-12) {
				t.Fatalf("average %v over maximum %v", next.Average, next.Max)
			}
			for i, s := range out {
				if s.UID != targon.UID(i) || math.IsNaN(s.Value) || math.IsInf(s.Value, 0) || s.Value < 0 {
					t.Fatalf("%+v", s)
				}
			}
			who := targon.UID(rapid.IntRange(0, n-1).Draw(t, "who"))
			for _, failure := range []score.Sample{wrong(who), silent(who), buffered(passed(who, 64, time.Second))} {
				_, worse := p.Close(b, all, append(slices.Clip(samples), failure))
				for i := range out {
					if targon.UID(i) != who && worse[i] != out[i] {
						t.Fatalf("a failure of %d moves %d from %v to %v", who, i, out[i].Value, worse[i].Value)
					}
				}
				if worse[who].Value > out[who].Value {
					t.Fatalf("a failure lifts oneself from %v to %v", out[who].Value, worse[who].Value)
				}
			}
			b = next
		}
	})
}

// TestFasterIsBetter: the same answers in less time never score lower against the same
// others, and much less scores higher.
func TestFasterIsBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.IntRange(100, 5000).Draw(t, "ms")
		less := rapid.IntRange(10, ms).Draw(t, "less")
		other := rapid.IntRange(100, 5000).Draw(t, "other")
		relative := func(ms int) float64 {
			_, out := score.Throughput{}.Close(score.Book{}, provers(2), []score.Sample{
				passed(0, 100, time.Duration(ms)*time.Millisecond), passed(1, 100, time.Duration(other)*time.Millisecond),
			})
			return out[0].Value / out[1].Value
		}
		slow, fast := relative(ms), relative(less)
		if fast < slow*(1-1e-12) || less*10 < ms*9 && fast <= slow {
			t.Fatalf("%d ms has %v of the other, %d ms %v", ms, slow, less, fast)
		}
	})
}

// Two honest provers, one at half speed, one that cheats and one that is silent.
func Example() {
	all := []targon.Neuron{
		{UID: 0, Hotkey: targon.Hotkey{1}},
		{UID: 1, Hotkey: targon.Hotkey{2}},
		{UID: 2, Hotkey: targon.Hotkey{3}},
		{UID: 3, Hotkey: targon.Hotkey{4}},
		{UID: 4, Hotkey: targon.Hotkey{5}},
	}
	sample := func(uid int, tokens uint32, total time.Duration, ok bool) score.Sample {
		return score.Sample{
			UID: all[uid].UID, Hotkey: all[uid].Hotkey, Origin: targon.OriginChallenge,
			Tokens: tokens, Total: total, Passed: ok, Failed: !ok,
		}
	}
	_, scores := score.Throughput{}.Close(score.Book{}, all, []score.Sample{
		sample(0, 64, 640*time.Millisecond, true), // 100 tokens a second
		sample(1, 64, 653*time.Millisecond, true), // 98
		sample(2, 64, 1280*time.Millisecond, true),
		sample(3, 64, 100*time.Millisecond, false), // fast, and not the claimed model
		sample(4, 0, 0, false),
	})
	for _, s := range scores {
		fmt.Printf("%d %.3f\n", s.UID, s.Value)
	}
	// Output:
	// 0 56.578
	// 1 45.441
	// 2 0.191
	// 3 0.000
	// 4 0.000
}
