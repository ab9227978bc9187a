package targon_test

import (
	"encoding"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
)

var updateVectors = flag.Bool("update-vectors", false, "write testdata/vectors.json anew")

// vector pins one value's bytes, for other implementations. Value is for people.
type vector struct {
	Noun     string          `json:"noun"`
	Note     string          `json:"note"`
	Value    json.RawMessage `json:"value"`
	Encoding string          `json:"encoding"`
	Digest   string          `json:"digest,omitempty"` // Digest() of the nouns that have one
}

// noun is what every encoded value can do.
type noun interface{ MarshalBinary() ([]byte, error) }

type sample struct {
	note  string
	value noun
}

func pattern(from byte) (d [32]byte) {
	for i := range d {
		d[i] = from + byte(i)
	}
	return d
}

func aRequest() targon.Request {
	r := targon.Request{
		Verifier: pattern(0x10), Prover: pattern(0x40), Model: "fable", Weights: pattern(0x70), Salt: pattern(0xa0),
		Prompt: []targon.TokenID{1, 300, 2147483647}, Sampling: targon.Sampling{Temperature: 1, Seed: 1<<64 - 2}, MaxTokens: 64,
	}
	copy(r.ID[:], "request-id-16byt")
	return r
}

func aReceipt() targon.Receipt {
	r := targon.ReceiptFor(aRequest(), []targon.TokenID{5, 0, 70000}, targon.FinishStop)
	for i := range r.Signature {
		r.Signature[i] = byte(i)
	}
	return r
}

func samples() []sample {
	named := aRequest()
	named.Sampling = targon.Sampling{Temperature: 0.7}
	named.Model = "ünïcode/7b"
	filtered := aRequest()
	filtered.Sampling = targon.Sampling{Temperature: 0.7, Seed: 3, TopK: 40, TopP: 0.9, MinP: 0.05}
	rec := aReceipt()
	cap := targon.Capacity{Prover: pattern(1), Weights: pattern(2), Concurrent: 8, Issued: 1790000000123, Signature: rec.Signature}
	verdict := targon.Verdict{
		Request: pattern(3), Receipt: pattern(4), Prover: pattern(5), Outcome: targon.Failed, Reason: targon.ReasonMismatch,
		Tokens: 64, Position: 17, Claimed: 5, Winner: 70000, Gap: 0.125, Detail: "id 5 is not the winner",
	}
	weighed := targon.Verdict{
		Request: pattern(3), Receipt: pattern(4), Prover: pattern(5), Outcome: targon.Passed, Reason: targon.ReasonWithin,
		Tokens: 64, Position: 17, Claimed: 5, Winner: 70000, Gap: 0.125,
		Tally: targon.Tally{
			Ids:     []targon.GapCount{{Class: 0, Matches: 1, Flips: 1}, {Class: 97, Matches: 60}},
			Endings: []targon.GapCount{{Class: 80, Matches: 1}}, Undecided: 1,
		},
		Surprise: targon.Surprise{Tokens: 64, Excess: -1500000, Variance: 88250000},
	}
	bet := weighed
	bet.Nulls = []targon.Null{{Pack: pattern(1), Stratum: 258}, {Pack: pattern(2)}}
	bet.Bet = []int64{-100006, 0, 13815510557}
	greedy := weighed
	greedy.Nulls = bet.Nulls
	return []sample{
		{"three prompt ids, the largest among them", aRequest()},
		{"a name that is not ASCII, temperature 0.7", named},
		{"top-k 40, top-p 0.9, min-p 0.05", filtered},
		{"three ids, stopped", rec},
		{"nothing answered", targon.Receipt{}},
		{"request, ids, receipt", targon.Transcript{Request: aRequest(), Tokens: []targon.TokenID{5, 0, 70000}, Receipt: rec}},
		{"eight at once", cap},
		{"rate of one half", targon.EpochOpened{Epoch: 7, Block: 2520, SecretHash: pattern(6), AuditPPM: 500000}},
		{"complete challenge", targon.Arrived{
			Epoch: 7, UID: 513, Prover: pattern(5), Origin: targon.OriginChallenge, Status: targon.StatusComplete, Block: 2600,
			Request: rec.Request, Receipt: rec,
			Timing: targon.Timing{First: 120 * time.Millisecond, Total: 2 * time.Second, Burst: 94, Ended: 1790000000123},
		}},
		{"opted out, busy", targon.Arrived{Epoch: 7, UID: 1, Origin: targon.OriginOrganic, Status: targon.StatusBusy, OptedOut: true}},
		{"mismatch", targon.Judged{Epoch: 7, UID: 513, Verdict: verdict}},
		{"passed", targon.Judged{Verdict: targon.Verdict{Outcome: targon.Passed, Reason: targon.ReasonEqual, Tokens: 64}}},
		{"by margins, with what was counted", targon.Judged{Epoch: 7, UID: 513, Verdict: weighed}},
		{"held against two packs, with the bet", targon.Judged{Epoch: 7, UID: 513, Verdict: bet}},
		{"held against two packs, no evidence", targon.Judged{Epoch: 7, UID: 513, Verdict: greedy}},
		{"rate of one prover", targon.RateSet{Epoch: 7, Prover: pattern(5), AuditPPM: 1_000_000}},
		{"by margins", targon.Convicted{
			UID: 513, Prover: pattern(5), Month: 3, Reason: targon.ReasonMargin, Tokens: 640, LogE: 7_200_000_000,
			Packs: []targon.Digest{pattern(1), pattern(2)}, Receipts: []targon.Digest{pattern(4), pattern(3)},
		}},
		{"by equality", targon.Convicted{Prover: pattern(5), Reason: targon.ReasonMismatch, LogE: -1, Receipts: []targon.Digest{pattern(4)}}},
		{"secret shown", targon.EpochClosed{Epoch: 7, Block: 2880, Secret: pattern(7)}},
		{"secret shown, receipts bound", targon.EpochClosed{Epoch: 7, Block: 2880, Secret: pattern(7), Root: pattern(10), Receipts: 300}},
		{"two scores", targon.ScoresMade{Epoch: 7, Scores: []targon.Score{
			{UID: 1, Hotkey: pattern(8), Value: 0}, {UID: 513, Hotkey: pattern(9), Value: 1.5},
		}}},
		{"two weights", targon.WeightsDecided{Epoch: 7, Block: 2882, Weights: targon.Weights{{UID: 1, Value: 0}, {UID: 513, Value: 65535}}}},
		{"no weights", targon.WeightsDecided{Epoch: 8, Block: 3242}},
		{"read back", targon.WeightsSet{Epoch: 7, Block: 2883}},
		{"of two positions", targon.Scores{
			Weights: pattern(0x70), Kernel: "portable", Vocab: 70001, EOS: []targon.TokenID{0, 2},
			Positions: []targon.Position{
				{
					Claimed: targon.Scored{ID: 5, Logit: 1.5}, LogProb: -0.75, Rank: 1,
					Top: []targon.Scored{{ID: 9, Logit: 2}, {ID: 5, Logit: 1.5}}, Also: []targon.Scored{{ID: 70000, Logit: -3.25}},
					Drawn: targon.Draw{Norm: 0.25, Allowed: 2, Last: targon.Scored{ID: 5, Logit: 1.5}, Kept: 0.9, Entropy: 0.5, Varentropy: 0.125},
				},
				{Claimed: targon.Scored{ID: 0, Logit: -1}, Top: []targon.Scored{{ID: 0, Logit: -1}}},
			},
		}},
	}
}

func nameOf(v any) string { return strings.ToLower(reflect.TypeOf(v).Name()) }

func TestVectors(t *testing.T) {
	var got []vector
	for _, s := range samples() {
		b, err := s.value.MarshalBinary()
		if err != nil {
			t.Fatalf("%s, %s: %v", nameOf(s.value), s.note, err)
		}
		v := vector{Noun: nameOf(s.value), Note: s.note, Encoding: hex.EncodeToString(b)}
		if d, ok := s.value.(interface{ Digest() targon.Digest }); ok {
			v.Digest = d.Digest().String()
		}
		if v.Value, err = json.Marshal(s.value); err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if *updateVectors {
		raw, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("testdata/vectors.json", append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		var v any
		if err := json.Unmarshal(want[i].Value, &v); err != nil {
			t.Fatal(err)
		}
		want[i].Value, got[i].Value = nil, nil // for people; the bytes decide
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("encodings changed; old ledgers and other implementations read these (-want +got):\n%s", diff)
	}
}

// decode reads any encoding into a fresh value like v.
func decode(v noun, b []byte) (noun, error) {
	if _, ok := v.(targon.Entry); ok {
		return targon.DecodeEntry(b)
	}
	p := reflect.New(reflect.TypeOf(v))
	err := p.Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(b)
	return p.Elem().Interface().(noun), err
}

// Every encoding reads back to its value, and no change of length is read at all.
func TestVectorsReadBack(t *testing.T) {
	for _, s := range samples() {
		t.Run(nameOf(s.value)+" "+s.note, func(t *testing.T) {
			b, err := s.value.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			got, err := decode(s.value, b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.value, got); diff != "" {
				t.Error(diff)
			}
			for n := range b {
				if _, err := decode(s.value, b[:n]); err == nil {
					t.Fatalf("read %d of %d bytes", n, len(b))
				}
			}
			if _, err := decode(s.value, append(slices.Clip(b), 0)); err == nil {
				t.Error("read a byte too many")
			}
			other := append([]byte(nil), b...)
			other[4] ^= 1 // in the domain label
			if _, err := decode(s.value, other); err == nil {
				t.Error("read under another label")
			}
			// What is read has one encoding: flip any bit, and either it is refused or
			// it is another value whose encoding is exactly what was read.
			for i := range b {
				other := append([]byte(nil), b...)
				other[i] ^= 0x80
				v, err := decode(s.value, other)
				if err != nil {
					continue
				}
				again, err := v.MarshalBinary()
				if err != nil || !cmp.Equal(again, other) {
					t.Fatalf("byte %d: %v, %x read as %x", i, err, other, again)
				}
			}
		})
	}
}

// The heads of a chain over known ids, computed by hand from the definition.
func TestChainVector(t *testing.T) {
	c := targon.NewChain(pattern(0))
	heads := []string{c.Head().String()}
	for _, id := range []targon.TokenID{5, 0, 70000} {
		heads = append(heads, c.Extend(id).String())
	}
	want := []string{
		"fe65c50c899448b03eba2e81b2251b3b4809c62b7e002bba2dbf1a8c2cd38a31",
		"073a5a4b40515dcf32a525592d5ce33e3eae497608fb1ff01b9c500864c0f8b1",
		"7f2f9208e5c2d9edd659d6ba765574e61a7cc066506b8ea831f045d62324d3dc",
		"8c30e8c28f3ccd2759cadec117ea75ec9bb794e6b413f403cfd11a616c6cf7e1",
	}
	if diff := cmp.Diff(want, heads); diff != "" || c.Len() != 3 {
		t.Errorf("heads of %d ids (-want +got):\n%s", c.Len(), diff)
	}
}

func TestModelDigestVector(t *testing.T) {
	const want = "7d158485c7338cc47fe304dd9707c9d0b8a179a50a278ddf247fea6e033a9336"
	if got := targon.ModelDigest(pattern(0), 1).String(); got != want {
		t.Errorf("model digest %s, want %s", got, want)
	}
}

func TestAliceAddress(t *testing.T) {
	const address = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	const public = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
	h, err := targon.ParseHotkey(address)
	if err != nil || hex.EncodeToString(h[:]) != public || h.String() != address {
		t.Errorf("%x %s, %v", h, h, err)
	}
}
