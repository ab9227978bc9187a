package yuma_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
	"targon/yuma"
)

// TestDivide pins who gets what, by hand.
func TestDivide(t *testing.T) {
	owner, other := targon.Hotkey{1}, targon.Hotkey{2}
	const half = math.MaxUint64/2 + 1 // a little more than half, so that nothing is lost to rounding
	run := func(change func(p *yuma.Pending, r *yuma.Result, k []yuma.Key)) []yuma.Dividend {
		p := yuma.Pending{TaoWeight: math.MaxUint64, Tao: 1000}
		r := yuma.Result{IncentiveEmission: []targon.Rao{0, 0}, DividendEmission: []targon.Rao{750, 250}}
		k := []yuma.Key{{Coldkey: owner, AlphaStake: 1000}, {Coldkey: other, AlphaStake: 1000}}
		change(&p, &r, k)
		alpha, tao := yuma.Divide(p, 1000, r, k)
		return append(alpha, tao...)
	}
	lend := func(k []yuma.Key) {
		k[0].Parents = []yuma.Parent{{Key: 1, Proportion: half}}
		k[1].Children = []uint64{half}
		k[0].AlphaStake = 500
	}
	d := func(take, rest targon.Rao) yuma.Dividend { return yuma.Dividend{Take: take, Rest: rest} }
	for _, c := range []struct {
		name string
		got  []yuma.Dividend
		want []yuma.Dividend // two of alpha, two of Tao
	}{
		{
			"all of it where nobody served", run(func(*yuma.Pending, *yuma.Result, []yuma.Key) {}),
			[]yuma.Dividend{d(0, 750), d(0, 250), {}, {}},
		},
		{
			"half where somebody did", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) { r.IncentiveEmission[1] = 1 }),
			[]yuma.Dividend{d(0, 375), d(0, 125), {}, {}},
		},
		{
			"less what was sold", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) { p.Swapped = 200 }),
			[]yuma.Dividend{d(0, 600), d(0, 200), {}, {}},
		},
		{
			"nothing where more was sold", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) { p.Swapped = 1001 }),
			[]yuma.Dividend{{}, {}, {}, {}},
		},
		{"root stake earns Tao, alpha stake alpha", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) {
			k[1].AlphaStake, k[1].RootStake = 0, 1000
		}), []yuma.Dividend{d(0, 1000), {}, {}, d(0, 1000)}},
		{"root stake by its weight", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) {
			p.TaoWeight = half
			k[0].RootStake = 2000
		}), []yuma.Dividend{d(0, 599), d(0, 399), d(0, 1000), {}}},
		{
			"the owner takes its part", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) { k[0].Take = 13107 }),
			[]yuma.Dividend{d(149, 600), d(0, 250), {}, {}},
		},
		{
			"a parent is paid for what it lends", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) { lend(k) }),
			[]yuma.Dividend{d(0, 375), d(0, 625), {}, {}},
		},
		{"a child takes from another's parent", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) {
			lend(k)
			k[0].ChildTake = 65535
		}), []yuma.Dividend{d(0, 750), d(0, 250), {}, {}}},
		{"but not from its own owner's", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) {
			lend(k)
			k[0].ChildTake, k[1].Coldkey = 65535, owner
		}), []yuma.Dividend{d(0, 375), d(0, 625), {}, {}}},
		{"who has lent all earns by its parents alone", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) {
			lend(k)
			k[0].Children = []uint64{math.MaxUint64}
		}), []yuma.Dividend{{}, d(0, 1000), {}, {}}},
		{"parents who are no keys get nothing", run(func(p *yuma.Pending, r *yuma.Result, k []yuma.Key) {
			k[0].Parents = []yuma.Parent{{Key: -1, Proportion: half}, {Key: 2, Proportion: half}}
		}), []yuma.Dividend{d(0, 750), d(0, 250), {}, {}}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestDivideAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rao := rapid.Map(rapid.Uint64(), func(n uint64) targon.Rao { return targon.Rao(n) })
		modest := rapid.Map(rapid.Uint64Range(0, 21e15), func(n uint64) targon.Rao { return targon.Rao(n) })
		if rapid.Bool().Draw(t, "modest") {
			rao = modest
		}
		parent := rapid.Custom(func(t *rapid.T) yuma.Parent {
			return yuma.Parent{Key: rapid.IntRange(-1, 5).Draw(t, "key"), Proportion: rapid.Uint64().Draw(t, "lent")}
		})
		key := rapid.Custom(func(t *rapid.T) yuma.Key {
			return yuma.Key{
				Coldkey: targon.Hotkey{rapid.ByteRange(0, 2).Draw(t, "owner")}, AlphaStake: rao.Draw(t, "alpha"), RootStake: rao.Draw(t, "root"),
				Take: rapid.Uint16().Draw(t, "take"), ChildTake: rapid.Uint16().Draw(t, "child take"),
				Parents:  rapid.SliceOfN(parent, 0, 3).Draw(t, "parents"),
				Children: rapid.SliceOfN(rapid.Uint64(), 0, 3).Draw(t, "children"),
			}
		})
		p := yuma.Pending{TaoWeight: rapid.Uint64().Draw(t, "weight"), Swapped: rao.Draw(t, "swapped"), Tao: rao.Draw(t, "tao")}
		emission := rao.Draw(t, "emission")
		r := yuma.Result{
			IncentiveEmission: rapid.SliceOfN(rao, 0, 5).Draw(t, "incentive"),
			DividendEmission:  rapid.SliceOfN(rao, 0, 5).Draw(t, "dividends"),
		}
		alpha, tao := yuma.Divide(p, emission, r, rapid.SliceOfN(key, 0, 5).Draw(t, "keys"))
		for _, c := range []struct {
			name  string
			paid  []yuma.Dividend
			limit targon.Rao
		}{{"alpha", alpha, emission}, {"tao", tao, p.Tao}} {
			left := c.limit
			for _, d := range c.paid {
				if d.Take > left || d.Rest > left-d.Take {
					t.Fatalf("more %s is paid than the %d there are: %v", c.name, c.limit, c.paid)
				}
				left -= d.Take + d.Rest
			}
		}
	})
}
