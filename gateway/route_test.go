package gateway

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
)

type fixedBook struct {
	provers []targon.Neuron
	scores  []targon.Score
}

func (b *fixedBook) Provers() []targon.Neuron { return b.provers }
func (b *fixedBook) Scores() []targon.Score   { return b.scores }

func bookOf(scores ...float64) *fixedBook {
	b := &fixedBook{}
	for i, v := range scores {
		h := targon.Hotkey{byte(i + 1)}
		b.provers = append(b.provers, targon.Neuron{UID: targon.UID(i), Hotkey: h, Axon: netip.MustParseAddrPort("127.0.0.1:1")})
		b.scores = append(b.scores, targon.Score{UID: targon.UID(i), Hotkey: h, Value: v})
	}
	return b
}

func at(seconds int) time.Time { return time.Unix(int64(seconds), 0) }

// TestShares: idle provers are picked in proportion to score, those without score never.
func TestShares(t *testing.T) {
	b := bookOf(1, 0, 3)
	r := newRouter(b, Breaker{}, rand.New(rand.NewPCG(1, 2)).Float64)
	count := map[targon.UID]int{}
	const n = 40000
	for range n {
		got, ok := r.pick(nil, at(0))
		if !ok {
			t.Fatal("nobody picked")
		}
		count[got.UID]++
		r.settle(got.Hotkey, good, at(0))
	}
	if share := float64(count[2]) / n; share < 0.73 || share > 0.77 || count[1] != 0 {
		t.Errorf("picked %v, want 1:0:3", count)
	}
}

// TestTwoChoices: of two draws the less loaded one wins.
func TestTwoChoices(t *testing.T) {
	r := newRouter(bookOf(1, 1), Breaker{}, func() float64 { return 0 })
	var got []targon.UID
	for range 4 {
		n, _ := r.pick(nil, at(0))
		got = append(got, n.UID)
	}
	if d := cmp.Diff([]targon.UID{0, 1, 0, 1}, got); d != "" {
		t.Error(d)
	}
}

func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fixedBook)
		tried  map[targon.Hotkey]bool
		want   int
	}{
		{"all", func(*fixedBook) {}, nil, 2},
		{"no scores yet", func(b *fixedBook) { b.scores = nil }, nil, 3},
		{"all zero", func(b *fixedBook) { b.scores = bookOf(0, 0, 0).scores }, nil, 0},
		{"one tried", func(*fixedBook) {}, map[targon.Hotkey]bool{{1}: true}, 1},
		{"one serves nothing", func(b *fixedBook) { b.provers[0].Axon = netip.AddrPort{} }, nil, 1},
		{"uid taken over by another key", func(b *fixedBook) { b.provers[0].Hotkey = targon.Hotkey{77} }, nil, 1},
	} {
		b := bookOf(1, 0, 3)
		c.change(b)
		r := newRouter(b, Breaker{}, func() float64 { return 0.999999 })
		if got := len(r.candidates(c.tried, at(0))); got != c.want {
			t.Errorf("%s: %d candidates, want %d", c.name, got, c.want)
		}
	}
}

// TestBreaker plays outcomes of one prover and asks after each whether it would be
// picked.
func TestBreaker(t *testing.T) {
	type step struct {
		second int
		s      standing
		open   bool // whether it is left alone afterwards
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"third failure opens", []step{{0, bad, false}, {1, bad, false}, {2, bad, true}}},
		{"busy never does", []step{{0, neutral, false}, {0, neutral, false}, {0, neutral, false}, {0, neutral, false}}},
		{"old failures do not count", []step{{0, bad, false}, {1, bad, false}, {61, bad, false}}},
		{"at the window's end still not", []step{{0, bad, false}, {1, bad, false}, {60, bad, false}}},
		{"just inside they do", []step{{0, bad, false}, {1, bad, false}, {59, bad, true}}},
		{"good ones push failures out", []step{
			{0, bad, false},
			{0, bad, false},
			{0, good, false},
			{0, good, false},
			{0, good, false},
			{0, good, false},
			{0, good, false},
			{0, good, false},
			{0, good, false},
			{0, good, false},
			{0, good, false},
			{1, bad, false},
		}},
	} {
		r := newRouter(bookOf(1), Breaker{}, func() float64 { return 0 })
		for i, s := range c.steps {
			if _, ok := r.pick(nil, at(s.second)); !ok {
				t.Fatalf("%s: step %d: left alone too early", c.name, i)
			}
			r.settle(targon.Hotkey{1}, s.s, at(s.second))
			if open := len(r.candidates(nil, at(s.second))) == 0; open != s.open {
				t.Errorf("%s: step %d: left alone %v, want %v", c.name, i, open, s.open)
			}
		}
	}
}

// TestTrial: after its rest, a prover gets one request; that one decides.
func TestTrial(t *testing.T) {
	h := targon.Hotkey{1}
	open := func() *router {
		r := newRouter(bookOf(1), Breaker{}, func() float64 { return 0 })
		for range 3 {
			r.pick(nil, at(0))
			r.settle(h, bad, at(0))
		}
		return r
	}
	r := open()
	if _, ok := r.pick(nil, at(14)); ok {
		t.Error("picked during its rest")
	}
	if _, ok := r.pick(nil, at(15)); !ok {
		t.Fatal("not tried again after its rest")
	}
	if _, ok := r.pick(nil, at(15)); ok {
		t.Error("a second request before the first one's end")
	}
	r.settle(h, bad, at(16))
	if _, ok := r.pick(nil, at(30)); ok {
		t.Error("a failed trial gives no rest")
	}
	if _, ok := r.pick(nil, at(31)); !ok {
		t.Fatal("not tried a second time")
	}
	r.settle(h, good, at(31))
	r.pick(nil, at(31))
	if _, ok := r.pick(nil, at(31)); !ok {
		t.Error("not fully back after a good trial")
	}
	r.settle(h, bad, at(31))
	if len(r.candidates(nil, at(31))) != 1 {
		t.Error("old failures count after a good trial")
	}
}

func TestStandings(t *testing.T) {
	want := map[targon.Status]standing{
		targon.StatusComplete: good, targon.StatusIncomplete: bad, targon.StatusRefused: bad, targon.StatusGone: bad,
	}
	for s := targon.StatusNone; s <= targon.StatusOurs; s++ {
		if got := standingOf(s); got != want[s] {
			t.Errorf("%v: %v, want %v", s, got, want[s])
		}
	}
}

func TestForget(t *testing.T) {
	b := bookOf(1)
	r := newRouter(b, Breaker{}, func() float64 { return 0 })
	for i := range 100 {
		b.provers[0].Hotkey = targon.Hotkey{2, byte(i)}
		b.scores = nil
		n, _ := r.pick(nil, at(0))
		r.settle(n.Hotkey, good, at(0))
	}
	if len(r.known) > 20 {
		t.Errorf("remembers %d provers of 1", len(r.known))
	}
}
