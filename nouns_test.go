package targon_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon"
)

func TestHotkeyText(t *testing.T) {
	const alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	for name, s := range map[string]string{
		"empty": "", "short": alice[:45], "one less": alice[:47], "one more": alice + "1", "leading one": "1" + alice,
		"mistyped": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ", "swapped": strings.Replace(alice, "wv", "vw", 1),
		"zero digit": strings.Replace(alice, "G", "0", 1), "blank": " " + alice[1:],
		"Polkadot's type": "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
		"Kusama's type":   "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F",
		"hex":             "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
	} {
		if h, err := targon.ParseHotkey(s); !errors.Is(err, targon.ErrHotkey) || h != (targon.Hotkey{}) {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		h := targon.Hotkey(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		got, err := targon.ParseHotkey(h.String())
		if err != nil || got != h {
			t.Fatalf("%s: %v", h, err)
		}
	})
}

func TestParseUID(t *testing.T) {
	for s, want := range map[string]targon.UID{"0": 0, "7": 7, "65535": 65535} {
		if got, err := targon.ParseUID(s); err != nil || got != want {
			t.Errorf("%q: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "-1", "65536", "x", "1.0", " 1", "0x1"} {
		if _, err := targon.ParseUID(s); err == nil {
			t.Errorf("%q is a uid", s)
		}
	}
}

func TestRequestValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*targon.Request)
		ok   bool
	}{
		{"good", func(*targon.Request) {}, true},
		{"no verifier", func(r *targon.Request) { r.Verifier = targon.Hotkey{} }, false},
		{"no prover", func(r *targon.Request) { r.Prover = targon.Hotkey{} }, false},
		{"no model", func(r *targon.Request) { r.Model = "" }, false},
		{"longest name", func(r *targon.Request) { r.Model = strings.Repeat("m", 256) }, true},
		{"longer name", func(r *targon.Request) { r.Model = strings.Repeat("m", 257) }, false},
		{"no prompt", func(r *targon.Request) { r.Prompt = nil }, false},
		{"longest prompt", func(r *targon.Request) { r.Prompt = make([]targon.TokenID, targon.MaxPromptTokens) }, true},
		{"longer prompt", func(r *targon.Request) { r.Prompt = make([]targon.TokenID, targon.MaxPromptTokens+1) }, false},
		{"negative id", func(r *targon.Request) { r.Prompt = []targon.TokenID{1, -1} }, false},
		{"id 0", func(r *targon.Request) { r.Prompt = []targon.TokenID{0} }, true},
		{"no output", func(r *targon.Request) { r.MaxTokens = 0 }, false},
		{"longest output", func(r *targon.Request) { r.MaxTokens = targon.MaxOutputTokens }, true},
		{"longer output", func(r *targon.Request) { r.MaxTokens = targon.MaxOutputTokens + 1 }, false},
		{"cold", func(r *targon.Request) { r.Sampling.Temperature = 0 }, true},
		{"hottest", func(r *targon.Request) { r.Sampling.Temperature = 2 }, true},
		{"hotter", func(r *targon.Request) { r.Sampling.Temperature = math.Nextafter(2, 3) }, false},
		{"negative temperature", func(r *targon.Request) { r.Sampling.Temperature = -0.1 }, false},
		{"negative zero", func(r *targon.Request) { r.Sampling.Temperature = math.Copysign(0, -1) }, false},
		{"no number", func(r *targon.Request) { r.Sampling.Temperature = math.NaN() }, false},
		{"infinite", func(r *targon.Request) { r.Sampling.Temperature = math.Inf(1) }, false},
		{"every filter", func(r *targon.Request) { r.Sampling.TopK, r.Sampling.TopP, r.Sampling.MinP = 1, 0.5, 0.5 }, true},
		{"filters that are cold", func(r *targon.Request) { r.Sampling.Temperature, r.Sampling.TopP = 0, 0.5 }, true},
		{"widest top-k", func(r *targon.Request) { r.Sampling.TopK = math.MaxUint32 }, true},
		{"widest top-p", func(r *targon.Request) { r.Sampling.TopP = math.Nextafter(1, 0) }, true},
		{"narrowest top-p", func(r *targon.Request) { r.Sampling.TopP = math.SmallestNonzeroFloat64 }, true},
		{"top-p of all", func(r *targon.Request) { r.Sampling.TopP = 1 }, false},
		{"negative top-p", func(r *targon.Request) { r.Sampling.TopP = -0.1 }, false},
		{"top-p of -0", func(r *targon.Request) { r.Sampling.TopP = math.Copysign(0, -1) }, false},
		{"top-p of no number", func(r *targon.Request) { r.Sampling.TopP = math.NaN() }, false},
		{"widest min-p", func(r *targon.Request) { r.Sampling.MinP = math.Nextafter(1, 0) }, true},
		{"min-p of one", func(r *targon.Request) { r.Sampling.MinP = 1 }, false},
		{"negative min-p", func(r *targon.Request) { r.Sampling.MinP = -0.1 }, false},
		{"min-p of -0", func(r *targon.Request) { r.Sampling.MinP = math.Copysign(0, -1) }, false},
		{"min-p of no number", func(r *targon.Request) { r.Sampling.MinP = math.NaN() }, false},
	} {
		r := aRequest()
		c.edit(&r)
		if err := r.Validate(); (err == nil) != c.ok || err != nil && !errors.Is(err, targon.ErrRequest) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := r.MarshalBinary(); (err == nil) != c.ok {
			t.Errorf("%s: encodes: %v", c.name, err)
		}
	}
}

// Filtered says whether the whole order is allowed.
func TestFiltered(t *testing.T) {
	for _, c := range []struct {
		by   targon.Sampling
		want bool
	}{
		{targon.Sampling{}, false},
		{targon.Sampling{Temperature: 1}, false},
		{targon.Sampling{Temperature: 1, TopK: 1}, true},
		{targon.Sampling{Temperature: 1, TopP: 0.9}, true},
		{targon.Sampling{Temperature: 1, MinP: 0.1}, true},
		{targon.Sampling{TopK: 1, TopP: 0.9, MinP: 0.1}, false},
	} {
		if got := c.by.Filtered(); got != c.want {
			t.Errorf("%+v: %v", c.by, got)
		}
	}
}

func TestRequestRoundTrips(t *testing.T) {
	fixed := func(t *rapid.T, dst []byte, name string) {
		copy(dst, rapid.SliceOfN(rapid.Byte(), len(dst), len(dst)).Draw(t, name))
	}
	rapid.Check(t, func(t *rapid.T) {
		r := targon.Request{
			Model:     rapid.StringMatching(`[a-z0-9/.-]{1,40}`).Draw(t, "model"),
			Prompt:    rapid.SliceOfN(rapid.Map(rapid.Int32Range(0, math.MaxInt32), func(v int32) targon.TokenID { return targon.TokenID(v) }), 1, 50).Draw(t, "prompt"),
			Sampling:  targon.Sampling{Temperature: rapid.Float64Range(0, 2).Draw(t, "temperature"), Seed: rapid.Uint64().Draw(t, "seed"), TopK: rapid.Uint32().Draw(t, "top-k")},
			MaxTokens: rapid.Uint32Range(1, targon.MaxOutputTokens).Draw(t, "max"),
		}
		r.Sampling.Temperature += 0 // -0 becomes 0
		r.Sampling.TopP = rapid.Float64Range(0, 0.999).Draw(t, "top-p") + 0
		r.Sampling.MinP = rapid.Float64Range(0, 0.999).Draw(t, "min-p") + 0
		fixed(t, r.ID[:], "id")
		fixed(t, r.Verifier[:], "verifier")
		fixed(t, r.Prover[:], "prover")
		fixed(t, r.Weights[:], "weights")
		fixed(t, r.Salt[:], "salt")
		r.Verifier[0], r.Prover[0] = 1, 1
		b, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var binary, text targon.Request
		if err := binary.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		j, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(j, &text); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, binary) + cmp.Diff(r, text); diff != "" {
			t.Fatal(diff)
		}
		if r.Digest() != text.Digest() {
			t.Fatal("digest depends on the way taken")
		}
	})
}

// Each field is committed to: change one, and the digest is another.
func TestRequestDigestCoversEverything(t *testing.T) {
	seen := map[targon.Digest]string{aRequest().Digest(): "unchanged"}
	for name, edit := range map[string]func(*targon.Request){
		"id": func(r *targon.Request) { r.ID[0]++ }, "verifier": func(r *targon.Request) { r.Verifier[0]++ },
		"prover": func(r *targon.Request) { r.Prover[0]++ }, "model": func(r *targon.Request) { r.Model += "x" },
		"weights": func(r *targon.Request) { r.Weights[0]++ }, "salt": func(r *targon.Request) { r.Salt[0]++ },
		"prompt": func(r *targon.Request) { r.Prompt[0]++ }, "prompt length": func(r *targon.Request) { r.Prompt = r.Prompt[:2] },
		"temperature": func(r *targon.Request) { r.Sampling.Temperature = 0.5 }, "seed": func(r *targon.Request) { r.Sampling.Seed++ },
		"top-k": func(r *targon.Request) { r.Sampling.TopK = 1 }, "top-p": func(r *targon.Request) { r.Sampling.TopP = 0.5 },
		"min-p":      func(r *targon.Request) { r.Sampling.MinP = 0.5 },
		"max tokens": func(r *targon.Request) { r.MaxTokens++ },
	} {
		r := aRequest()
		edit(&r)
		if other, ok := seen[r.Digest()]; ok {
			t.Errorf("%s and %s have one digest", name, other)
		}
		seen[r.Digest()] = name
	}
}

// The digest names the answer; the signature is not part of it.
func TestReceiptDigest(t *testing.T) {
	base := aReceipt()
	for name, edit := range map[string]func(*targon.Receipt){
		"request": func(r *targon.Receipt) { r.Request[0]++ }, "chain": func(r *targon.Receipt) { r.Chain[0]++ },
		"finish": func(r *targon.Receipt) { r.Finish = targon.FinishLength }, "prompt": func(r *targon.Receipt) { r.PromptTokens++ },
		"tokens": func(r *targon.Receipt) { r.Tokens++ },
	} {
		r := base
		if edit(&r); r.Digest() == base.Digest() {
			t.Errorf("%s is not covered", name)
		}
	}
	r := base
	if r.Signature[0]++; r.Digest() != base.Digest() {
		t.Error("the signature changes the digest")
	}
	if r.Finish = 3; true {
		if _, err := r.MarshalBinary(); !errors.Is(err, targon.ErrEncoding) {
			t.Errorf("unknown finish reason: %v", err)
		}
	}
}

func TestChainOrderMatters(t *testing.T) {
	head := func(ids ...targon.TokenID) targon.Digest {
		return targon.ReceiptFor(aRequest(), ids, targon.FinishLength).Chain
	}
	if head(1, 2) == head(2, 1) || head(1) == head(1, 1) || head() == head(0) {
		t.Error("different answers have one chain")
	}
}

// held is a verdict against a pack, changed.
func held(change func(*targon.Verdict)) targon.Judged {
	v := targon.Verdict{
		Outcome: targon.Passed, Reason: targon.ReasonWithin,
		Tally: targon.Tally{Undecided: 1}, Nulls: manyNulls(1), Bet: []int64{0},
	}
	change(&v)
	return targon.Judged{Verdict: v}
}

func manyPacks(n int) []targon.Digest {
	out := make([]targon.Digest, n)
	for i := range out {
		out[i][0] = byte(i)
	}
	return out
}

func manyNulls(n int) (out []targon.Null) {
	for _, d := range manyPacks(n) {
		out = append(out, targon.Null{Pack: d})
	}
	return out
}

// What DecodeEntry would refuse, MarshalBinary refuses.
func TestEntriesThatCannotBeRead(t *testing.T) {
	for name, e := range map[string]targon.Entry{
		"no verdict":    targon.Judged{},
		"contradiction": targon.Judged{Verdict: targon.Verdict{Outcome: targon.Passed, Reason: targon.ReasonMismatch}},
		"classes in disorder": targon.Judged{Verdict: targon.Verdict{
			Outcome: targon.Passed, Reason: targon.ReasonWithin,
			Tally: targon.Tally{Ids: []targon.GapCount{{Class: 2, Matches: 1}, {Class: 1, Matches: 1}}},
		}},
		"surprised by nothing": targon.Judged{Verdict: targon.Verdict{
			Outcome: targon.Passed, Reason: targon.ReasonWithin, Surprise: targon.Surprise{Variance: 1},
		}},
		"unknown status":                targon.Arrived{Status: targon.StatusOurs + 1},
		"unknown origin":                targon.Arrived{Origin: 3},
		"unknown finish":                targon.Arrived{Receipt: targon.Receipt{Finish: 3}},
		"negative score":                targon.ScoresMade{Scores: []targon.Score{{Value: -1}}},
		"no number":                     targon.ScoresMade{Scores: []targon.Score{{Value: math.NaN()}}},
		"infinite":                      targon.ScoresMade{Scores: []targon.Score{{Value: math.Inf(1)}}},
		"uid twice":                     targon.WeightsDecided{Weights: targon.Weights{{UID: 1, Value: 65535}, {UID: 1}}},
		"not max-upscaled":              targon.WeightsDecided{Weights: targon.Weights{{UID: 1, Value: 5}}},
		"bound by nothing":              targon.EpochClosed{Receipts: 1},
		"against nothing":               held(func(v *targon.Verdict) { v.Nulls = nil }),
		"nothing counted":               held(func(v *targon.Verdict) { v.Tally = targon.Tally{} }),
		"pack twice":                    held(func(v *targon.Verdict) { v.Nulls = []targon.Null{{Stratum: 1}, {Stratum: 2}} }),
		"many packs":                    held(func(v *targon.Verdict) { v.Nulls = manyNulls(targon.MaxNulls + 1) }),
		"many processes":                held(func(v *targon.Verdict) { v.Bet = make([]int64, 33) }),
		"bet without end":               held(func(v *targon.Verdict) { v.Bet = []int64{1<<60 + 1} }),
		"loss without end":              held(func(v *targon.Verdict) { v.Bet = []int64{-1<<60 - 1} }),
		"convicted for nothing":         targon.Convicted{Receipts: make([]targon.Digest, 1)},
		"convicted for no known reason": targon.Convicted{Reason: targon.ReasonMargin + 1, Receipts: make([]targon.Digest, 1)},
		"by no receipt":                 targon.Convicted{Reason: targon.ReasonMargin},
		"by too many":                   targon.Convicted{Reason: targon.ReasonMargin, Receipts: make([]targon.Digest, targon.MaxConvicting+1)},
		"against packs in disorder": targon.Convicted{
			Reason: targon.ReasonMargin, Receipts: make([]targon.Digest, 1), Packs: make([]targon.Digest, 2),
		},
		"against too many packs": targon.Convicted{
			Reason: targon.ReasonMargin, Receipts: make([]targon.Digest, 1), Packs: manyPacks(targon.MaxNulls + 1),
		},
	} {
		if _, err := e.MarshalBinary(); !errors.Is(err, targon.ErrEncoding) {
			t.Errorf("%s: %v, want ErrEncoding", name, err)
		}
	}
	for name, e := range map[string]targon.Entry{
		"as many packs": held(func(v *targon.Verdict) { v.Nulls = manyNulls(targon.MaxNulls) }),
		"as many processes, as large": held(func(v *targon.Verdict) {
			v.Bet = make([]int64, 32)
			v.Bet[0], v.Bet[1] = 1<<60, -1<<60
		}),
		"convicted": targon.Convicted{
			Reason: targon.ReasonMargin, Receipts: make([]targon.Digest, targon.MaxConvicting), Packs: manyPacks(targon.MaxNulls),
		},
	} {
		if b, err := e.MarshalBinary(); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got, err := targon.DecodeEntry(b); err != nil || !cmp.Equal(got, e) {
			t.Errorf("%s reads as %+v: %v", name, got, err)
		}
	}
	long := targon.Judged{Verdict: targon.Verdict{Outcome: targon.Passed, Reason: targon.ReasonEqual, Detail: strings.Repeat("x", 600)}}
	b, err := long.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	got, err := targon.DecodeEntry(b)
	if err != nil || len(got.(targon.Judged).Verdict.Detail) != 512 {
		t.Errorf("long detail: %v", err)
	}
}

func TestCapacityValidate(t *testing.T) {
	good := targon.Capacity{Prover: pattern(1), Concurrent: 1}
	for name, edit := range map[string]func(*targon.Capacity){
		"nobody": func(c *targon.Capacity) { c.Prover = targon.Hotkey{} }, "nothing": func(c *targon.Capacity) { c.Concurrent = 0 },
		"too much": func(c *targon.Capacity) { c.Concurrent = targon.MaxConcurrent + 1 }, "before time": func(c *targon.Capacity) { c.Issued = -1 },
	} {
		c := good
		edit(&c)
		if _, err := c.MarshalBinary(); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
	most := good
	most.Concurrent = targon.MaxConcurrent
	if good.Validate() != nil || most.Validate() != nil {
		t.Error("refuses what it should take")
	}
}

func TestBurstOf(t *testing.T) {
	even := make([]time.Duration, 100)
	for i := range even {
		even[i] = time.Duration(i+1) * time.Second
	}
	for _, c := range []struct {
		name    string
		offsets []time.Duration
		total   time.Duration
		want    uint16
	}{
		{"none", nil, time.Second, 0},
		{"one", []time.Duration{time.Second}, time.Second, 1000},
		{"all at once", []time.Duration{9, 9, 9, 9}, 9, 1000},
		{"all at zero", []time.Duration{0, 0}, 0, 1000},
		{"even", even, 100 * time.Second, 60}, // 6 of them lie 5 s apart at most
		{"window is closed", []time.Duration{0, 5, 100}, 100, 666},
		{"just outside", []time.Duration{0, 6, 100}, 100, 333},
		{"nine of ten at the end", []time.Duration{10, 96, 97, 97, 98, 98, 99, 99, 100, 100}, 100, 900},
		{"burst in the middle", []time.Duration{1, 50, 50, 50, 100}, 100, 600},
	} {
		if got := targon.BurstOf(c.offsets, c.total); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestTempo(t *testing.T) {
	// Recorded at spec 293: netuid 2, tempo 360 and its neighbours pay in different blocks.
	rapid.Check(t, func(t *rapid.T) {
		tempo := targon.Tempo{
			NetUID: targon.NetUID(rapid.Uint16().Draw(t, "netuid")), Length: targon.Blocks(rapid.Uint64Range(0, 1000).Draw(t, "length")),
		}
		b := targon.Block(rapid.Uint64Range(0, 1<<40).Draw(t, "block"))
		want := (uint64(b)+uint64(tempo.NetUID)+1)%(uint64(tempo.Length)+1) == uint64(tempo.Length)
		if tempo.Pays(b) != want {
			t.Fatalf("pays %t, want %t", !want, want)
		}
		next := tempo.Next(b)
		if next < b || next > b+targon.Block(tempo.Length) || !tempo.Pays(next) {
			t.Fatalf("next after %d is %d", b, next)
		}
		for x := b; x < next; x++ {
			if tempo.Pays(x) {
				t.Fatalf("pays at %d, before %d", x, next)
			}
		}
		if tempo.Next(next+1) != next+1+targon.Block(tempo.Length) {
			t.Fatal("does not pay once every length+1 blocks")
		}
		if tempo.Index(next+1) != tempo.Index(next)+1 || tempo.Index(next) != tempo.Index(b) {
			t.Fatal("the index does not change exactly after a payment")
		}
	})
	four := targon.Tempo{NetUID: 4, Length: 360}
	if !four.Pays(355) || four.Pays(354) || four.Pays(356) || four.Next(0) != 355 || four.Next(356) != 716 {
		t.Error("subnet 4 of tempo 360 pays in blocks 355, 716, ...")
	}
}

func TestMonth(t *testing.T) {
	const length = 216000 // 600 epochs of 360 blocks
	for b, want := range map[targon.Block]targon.Month{0: 0, length - 1: 0, length: 1, 10*length - 1: 9, 10 * length: 10} {
		if got := targon.MonthOf(b); got != want {
			t.Errorf("block %d is in month %d, want %d", b, got, want)
		}
	}
	for m := range targon.Month(5) {
		if targon.MonthOf(m.End()) != m+1 || targon.MonthOf(m.End()-1) != m {
			t.Errorf("month %d ends at %d", m, m.End())
		}
	}
}

func TestMetagraph(t *testing.T) {
	axon := netip.MustParseAddrPort("203.0.113.9:8091")
	m := targon.Metagraph{Neurons: []targon.Neuron{
		{UID: 0, Hotkey: pattern(0), Axon: axon}, {UID: 3, Hotkey: pattern(3)}, {UID: 9, Hotkey: pattern(9), Axon: axon},
	}}
	for u := range targon.UID(12) {
		n, ok := m.ByUID(u)
		if want := u == 0 || u == 3 || u == 9; ok != want || ok && n.UID != u {
			t.Errorf("uid %d: %v %t", u, n.UID, ok)
		}
	}
	if n, ok := m.ByHotkey(pattern(3)); !ok || n.UID != 3 {
		t.Errorf("by hotkey: %v %t", n.UID, ok)
	}
	if _, ok := m.ByHotkey(pattern(1)); ok {
		t.Error("found a stranger")
	}
	uids := func(ns []targon.Neuron) (out []targon.UID) {
		for _, n := range ns {
			out = append(out, n.UID)
		}
		return out
	}
	if diff := cmp.Diff([]targon.UID{0, 9}, uids(m.Provers(pattern(50)))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]targon.UID{9}, uids(m.Provers(pattern(0)))); diff != "" {
		t.Error(diff)
	}
}

func TestWeightsValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		w    targon.Weights
		ok   bool
	}{
		{"none", nil, true},
		{"all zero", targon.Weights{{UID: 1}, {UID: 2}}, true},
		{"upscaled", targon.Weights{{UID: 1, Value: 7}, {UID: 2, Value: 65535}}, true},
		{"not upscaled", targon.Weights{{UID: 1, Value: 65534}}, false},
		{"twice", targon.Weights{{UID: 1, Value: 65535}, {UID: 1}}, false},
		{"unsorted", targon.Weights{{UID: 2, Value: 65535}, {UID: 1}}, false},
	} {
		if err := c.w.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	w := targon.Weights{{UID: 1, Value: 7}, {UID: 2, Value: 65535}}
	if w.Of(1) != 7 || w.Of(2) != 65535 || w.Of(3) != 0 {
		t.Error("looks up wrong weights")
	}
}

// Every number below the last has a name of its own that reads back, and belongs
// to an outcome.
func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	last := targon.ReasonMargin
	for r := targon.ReasonNone; r <= last; r++ {
		var back targon.Reason
		if err := back.UnmarshalText([]byte(r.String())); err != nil || back != r || seen[r.String()] {
			t.Errorf("reason %d is called %q: %v", r, r, err)
		}
		seen[r.String()] = true
	}
	for r, want := range map[targon.Reason]targon.Outcome{
		targon.ReasonNone: targon.OutcomeNone, targon.ReasonEqual: targon.Passed, targon.ReasonMismatch: targon.Failed,
		targon.ReasonBusy: targon.Failed, targon.ReasonNotDrawn: targon.Undecided, targon.ReasonUncalibrated: targon.Undecided,
		targon.ReasonWithin: targon.Passed, targon.ReasonMargin: targon.Failed, last + 1: targon.OutcomeNone,
	} {
		if got := r.Outcome(); got != want {
			t.Errorf("%v is %v, want %v", r, got, want)
		}
	}
	var r targon.Reason
	if r.UnmarshalText([]byte("because")) == nil || (last+1).String() != fmt.Sprintf("reason(%d)", last+1) {
		t.Error("unknown reasons have names")
	}
}

// Only these two, and only as failures, are evidence of a cheat.
func TestMismatch(t *testing.T) {
	for o := targon.OutcomeNone; o <= targon.Undecided; o++ {
		for r := targon.ReasonNone; r <= targon.ReasonMargin; r++ {
			want := o == targon.Failed && (r == targon.ReasonMismatch || r == targon.ReasonTermination)
			if got := (targon.Verdict{Outcome: o, Reason: r}).Mismatch(); got != want {
				t.Errorf("%v, %v: %t", o, r, got)
			}
			if (targon.Verdict{Outcome: o, Reason: r, Tally: targon.Tally{Undecided: 1}}).Mismatch() {
				t.Errorf("%v, %v by margins: a mismatch", o, r)
			}
		}
	}
}

func TestTextForms(t *testing.T) {
	for got, want := range map[string]string{
		targon.StatusTooEarly.String(): "too_early", targon.StatusOurs.String(): "ours", targon.Status(99).String(): "status(99)",
		targon.OriginOrganic.String(): "organic", targon.FinishLength.String(): "length", targon.Finish(9).String(): "finish(9)",
		targon.Undecided.String(): "undecided", targon.Outcome(9).String(): "outcome(9)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	var d targon.Digest
	var f targon.Finish
	var o targon.Outcome
	var id targon.RequestID
	for _, err := range []error{
		d.UnmarshalText([]byte("ab")), d.UnmarshalText([]byte(strings.Repeat("x", 64))), f.UnmarshalText([]byte("eos")),
		o.UnmarshalText([]byte("maybe")), id.UnmarshalText([]byte("00")),
	} {
		if err == nil {
			t.Error("read nonsense")
		}
	}
}

func TestSecretHides(t *testing.T) {
	s := targon.Secret(pattern(0x61)) // "abc..."
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "pointer", &s)
	j, err := json.Marshal(map[string]any{"s": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{out.String(), string(j), fmt.Sprintf("%v %s %+v %#v %q %x %d", s, s, s, s, s, s, s), fmt.Sprint(struct{ S targon.Secret }{s})} {
		if strings.Contains(text, "abc") || strings.Contains(text, "97 98") || strings.Contains(text, "6162") || strings.Contains(text, "0x61") {
			t.Errorf("shown: %s", text)
		}
	}
}
