package weights_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/weights"
)

func scores(values ...float64) (out []targon.Score) {
	for i, v := range values {
		out = append(out, targon.Score{UID: targon.UID(i), Value: v})
	}
	return out
}

func TestOf(t *testing.T) {
	bar := func(uids ...targon.UID) map[targon.UID]bool {
		m := map[targon.UID]bool{}
		for _, u := range uids {
			m[u] = true
		}
		return m
	}
	for _, c := range []struct {
		name   string
		scores []targon.Score
		barred map[targon.UID]bool
		want   []uint16
	}{
		{"nobody", nil, nil, []uint16{}},
		{"one", scores(0.001), nil, []uint16{65535}},
		{"all zero", scores(0, 0), nil, []uint16{0, 0}},
		{"shares", scores(4, 2, 1, 0), nil, []uint16{65535, 32768, 16384, 0}}, // 32767.5 and 16383.75
		{"half to even, down", scores(65535, 2.5), nil, []uint16{65535, 2}},
		{"half to even, up", scores(65535, 3.5), nil, []uint16{65535, 4}},
		{"above half", scores(65535, 2.51), nil, []uint16{65535, 3}},
		{"below half", scores(65535, 3.49), nil, []uint16{65535, 3}},
		{"positive never rounds to 0", scores(1, 1e-300, 5e-324), nil, []uint16{65535, 1, 1}},
		{"nearly the largest", scores(1, math.Nextafter(1, 0)), nil, []uint16{65535, 65535}},
		{"smallest numbers", scores(5e-324, 1e-323), nil, []uint16{32768, 65535}},
		{"largest numbers", scores(math.MaxFloat64, math.MaxFloat64/2), nil, []uint16{65535, 32768}},
		{"barred is 0 and not the largest", scores(100, 4, 2), bar(0), []uint16{0, 65535, 32768}},
		{"all barred", scores(1, 2), bar(0, 1), []uint16{0, 0}},
		{"barred explicitly not", scores(1, 2), map[targon.UID]bool{0: false}, []uint16{32768, 65535}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := weights.Of(c.scores, c.barred)
			values := []uint16{}
			for i, w := range got {
				if int(w.UID) != i {
					t.Errorf("entry %d is of uid %d", i, w.UID)
				}
				values = append(values, w.Value)
			}
			if diff := cmp.Diff(c.want, values); diff != "" {
				t.Error(diff)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBrokenInvariants(t *testing.T) {
	twice := scores(1, 2)
	twice[1].UID = 0
	for name, bad := range map[string][]targon.Score{
		"NaN": scores(1, math.NaN()), "Inf": scores(math.Inf(1)), "-Inf": scores(math.Inf(-1)),
		"negative": scores(1, -1e-300), "uid twice": twice,
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			weights.Of(bad, map[targon.UID]bool{0: true, 1: true}) // even of the barred
		})
	}
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		uids := rapid.Permutation(uidRange(60)).Draw(t, "uids")[:n]
		in := make([]targon.Score, n)
		value := map[targon.UID]float64{}
		barred := map[targon.UID]bool{}
		for i, u := range uids {
			v := rapid.OneOf(rapid.Float64Range(0, 1e6), rapid.Just(0.0), rapid.Float64Range(0, 1e-300)).Draw(t, "v")
			in[i], value[u] = targon.Score{UID: u, Value: v}, v
			barred[u] = rapid.Bool().Draw(t, "barred")
		}
		out := weights.Of(in, barred)
		if err := out.Validate(); err != nil || len(out) != n {
			t.Fatal(err, len(out))
		}
		seed := rapid.Uint64().Draw(t, "shuffle")
		rand.New(rand.NewPCG(seed, 0)).Shuffle(n, func(i, j int) { in[i], in[j] = in[j], in[i] })
		if diff := cmp.Diff(out, weights.Of(in, barred)); diff != "" {
			t.Fatal(diff)
		}
		for _, a := range out {
			if paid := a.Value > 0; paid != (value[a.UID] > 0 && !barred[a.UID]) {
				t.Fatalf("uid %d of score %v gets %d", a.UID, value[a.UID], a.Value)
			}
			for _, b := range out {
				if !barred[a.UID] && !barred[b.UID] && value[a.UID] < value[b.UID] && a.Value > b.Value {
					t.Fatalf("lower score %v has the higher weight", value[a.UID])
				}
			}
		}
	})
}

func uidRange(n int) (out []targon.UID) {
	for i := range n {
		out = append(out, targon.UID(i))
	}
	return out
}

// Two honest provers, one at half speed, and one that was convicted.
func Example() {
	scores := []targon.Score{{UID: 7, Value: 412.5}, {UID: 3, Value: 400}, {UID: 4, Value: 1.4}, {UID: 9, Value: 900}}
	for _, w := range weights.Of(scores, map[targon.UID]bool{9: true}) {
		fmt.Println(w.UID, w.Value)
	}
	// Output:
	// 3 63549
	// 4 222
	// 7 65535
	// 9 0
}
