package desk

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"targon"
	"targon/wire/epistula"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

func sampleRequest() targon.Request {
	return targon.Request{
		ID: targon.RequestID{1}, Verifier: targon.Hotkey{2}, Prover: targon.Hotkey{3}, Model: "m", Weights: targon.Digest{4},
		Salt: targon.Salt{5}, Prompt: []targon.TokenID{6, 7}, Sampling: targon.Sampling{Temperature: 1, Seed: 8, TopK: 9}, MaxTokens: 10,
	}
}

func sampleTicket() Ticket {
	return issue(targon.Secret{11}, errand{sampleRequest().Digest(), targon.Hotkey{12}, 13}, 1_790_000_000_000)
}

func sampleRecord() Record {
	r := sampleRequest()
	ids := []targon.TokenID{14, 15}
	return Record{
		Ticket: sampleTicket(), OptedOut: true,
		Exchange: targon.Exchange{
			UID: 13, Origin: targon.OriginOrganic, Status: targon.StatusComplete, Detail: "fine",
			Transcript: targon.Transcript{Request: r, Tokens: ids, Receipt: targon.ReceiptFor(r, ids, targon.FinishLength)},
			Timing:     targon.Timing{First: time.Second, Total: 2 * time.Second, Burst: 50, Ended: 1_790_000_002_000},
		},
	}
}

func sampleDraft() Draft {
	return Draft{
		Draft: targon.Draft{Model: "m", Prompt: []targon.TokenID{6, 7}, Temperature: 1, TopK: 9, MaxTokens: 10},
		UID:   13, Prover: targon.Hotkey{3}, Desk: targon.Hotkey{2},
	}
}

func sampleWanted() Wanted {
	return Wanted{Ticket: sampleTicket(), UID: 13, Request: sampleRequest().Digest()}
}

func samplePage() Page {
	return Page{
		Provers: []targon.Neuron{
			{UID: 1, Hotkey: targon.Hotkey{3}, Axon: netip.MustParseAddrPort("192.0.2.1:8091")},
			{UID: 2, Hotkey: targon.Hotkey{4}, Axon: netip.MustParseAddrPort("[2001:db8::1]:8091")},
			{UID: 3, Hotkey: targon.Hotkey{5}},
		},
		Scores: []targon.Score{{UID: 1, Hotkey: targon.Hotkey{3}, Value: 0.5}},
	}
}

func sampleSent() sent {
	return sent{
		ticket: sampleTicket(), nonce: epistula.Nonce{16}, stamp: 1_790_000_000_000, deadline: 1_790_000_060_000,
		signature: targon.Signature{17}, body: []byte("{}"),
	}
}

// coded is sent as a noun, for tables.
type coded struct{ sent }

func (c coded) MarshalBinary() ([]byte, error)  { return c.encode(), nil }
func (c *coded) UnmarshalBinary(b []byte) error { return c.decode(b) }

func samples() map[string]encoding.BinaryMarshaler {
	return map[string]encoding.BinaryMarshaler{
		"hello":     Hello{Genesis: targon.Digest{18}, NetUID: 4, Weights: targon.Digest{4}, Model: "m", First: 1, Next: 2, Total: 3},
		"draft":     sampleDraft(),
		"addressed": coded{sampleSent()},
		"record":    sampleRecord(),
		"book":      samplePage(),
		"wanted":    sampleWanted(),
		"shown":     Shown{Fate: targon.FateReady, File: []byte("{}")},
		"ticket":    raw(func() []byte { w := &writer{}; sampleTicket().write(w); return w.b }()),
		"secret":    raw(func() []byte { s := Secret(targon.Secret{1}); return s[:] }()),
		"reply":     raw(replyMessage(BookPath, epistula.Nonce{16}, 200, []byte("body"))),
	}
}

// TestVectors holds the encodings to their published bytes, and reads them back.
func TestVectors(t *testing.T) {
	const path = "testdata/vectors.json"
	got := map[string]string{}
	for name, v := range samples() {
		b, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(name, err)
		}
		got[name] = hex.EncodeToString(b)
	}
	if *update {
		text, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, kind := range []string{"hello", "draft", "addressed", "record", "book", "wanted", "shown"} {
		b, err := hex.DecodeString(want[kind])
		if err != nil {
			t.Fatal(err)
		}
		v, err := read(kind, b)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if again, err := v.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s comes back as %x, %v", kind, again, err)
		}
		for i := range b { // no prefix is a message, and nothing may follow one
			if _, err := read(kind, b[:i]); err == nil {
				t.Errorf("%s: %d of %d bytes are read", kind, i, len(b))
			}
		}
		if _, err := read(kind, append(b, 0)); err == nil {
			t.Errorf("%s: a byte too many is read", kind)
		}
	}
}

// read decodes a message of a kind.
func read(kind string, b []byte) (encoding.BinaryMarshaler, error) {
	switch kind {
	case "hello":
		var v Hello
		err := v.UnmarshalBinary(b)
		return v, err
	case "draft":
		var v Draft
		err := v.UnmarshalBinary(b)
		return v, err
	case "addressed":
		var v coded
		err := v.UnmarshalBinary(b)
		return v, err
	case "record":
		var v Record
		err := v.UnmarshalBinary(b)
		return v, err
	case "wanted":
		var v Wanted
		err := v.UnmarshalBinary(b)
		return v, err
	case "shown":
		var v Shown
		err := v.UnmarshalBinary(b)
		return v, err
	default:
		var v Page
		err := v.UnmarshalBinary(b)
		return v, err
	}
}

// TestReadsWhatItWrote: values survive, so that no field is forgotten.
func TestReadsWhatItWrote(t *testing.T) {
	for kind, want := range map[string]encoding.BinaryMarshaler{
		"hello": samples()["hello"], "draft": sampleDraft(), "record": sampleRecord(), "book": samplePage(),
		"wanted": sampleWanted(), "shown": samples()["shown"],
	} {
		b, err := want.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(kind, b)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", kind, err, diff)
		}
	}
	var s sent
	if err := s.decode(sampleSent().encode()); err != nil || !bytes.Equal(s.encode(), sampleSent().encode()) {
		t.Errorf("addressed: %+v, %v", s, err)
	}
}

// TestRefusesWhatCannotBe: what never happened is not recorded.
func TestRefusesWhatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Record){
		"no status":          func(m *Record) { m.Exchange.Status = targon.StatusNone },
		"unknown status":     func(m *Record) { m.Exchange.Status = targon.StatusOurs + 1 },
		"first after last":   func(m *Record) { m.Exchange.Timing.First = m.Exchange.Timing.Total + 1 },
		"negative time":      func(m *Record) { m.Exchange.Timing.Total = -1 },
		"longer than may be": func(m *Record) { m.Exchange.Timing.Total = maxTime + 1 },
		"burst of more":      func(m *Record) { m.Exchange.Timing.Burst = 1001 },
		"ended before 1970":  func(m *Record) { m.Exchange.Timing.Ended = -1 },
		"no request":         func(m *Record) { m.Exchange.Transcript.Request.Prompt = nil },
	} {
		m := sampleRecord()
		change(&m)
		b, err := m.MarshalBinary()
		if err == nil {
			err = new(Record).UnmarshalBinary(b)
		}
		if !errors.Is(err, ErrMalformed) && !errors.Is(err, targon.ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, value := range map[string]float64{"negative": -0.5, "NaN": math.NaN(), "infinite": math.Inf(1)} {
		p := samplePage()
		p.Scores[0].Value = value
		b, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := new(Page).UnmarshalBinary(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("score that is %s: %v", name, err)
		}
	}
	for name, m := range map[string]Shown{
		"unknown fate": {Fate: targon.FateGone + 1}, "ready without a file": {Fate: targon.FateReady},
		"a file that is not ready": {Fate: targon.FateJudged, File: []byte("{}")},
	} {
		b, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := new(Shown).UnmarshalBinary(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Shown{Fate: targon.FateReady, File: make([]byte, maxFile+1)}).MarshalBinary(); err == nil {
		t.Error("a file beyond the limit is sent")
	}
	d := sampleDraft()
	b, err := sampleRequest().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(labelDraft)
	w.u16(1)
	w.bytes(b)
	if err := d.UnmarshalBinary(w.b); !errors.Is(err, ErrMalformed) {
		t.Errorf("a draft with id, salt and seed: %v", err)
	}
}

// TestTicket: a ticket is for one errand, for a while.
func TestTicket(t *testing.T) {
	secret, e := targon.Secret{11}, errand{sampleRequest().Digest(), targon.Hotkey{12}, 13}
	issued := time.UnixMilli(int64(sampleTicket().Issued))
	for name, c := range map[string]struct {
		secret targon.Secret
		errand errand
		took   time.Duration
		age    time.Duration
		want   error
	}{
		"at once":         {secret, e, 0, 0, nil},
		"at the end":      {secret, e, 0, TicketAge, nil},
		"too late":        {secret, e, 0, TicketAge + 1, ErrTicket},
		"other secret":    {targon.Secret{1}, e, 0, 0, ErrTicket},
		"other request":   {secret, errand{targon.Digest{}, e.gateway, e.uid}, 0, 0, ErrTicket},
		"other gateway":   {secret, errand{e.request, targon.Hotkey{}, e.uid}, 0, 0, ErrTicket},
		"other uid":       {secret, errand{e.request, e.gateway, 14}, 0, 0, ErrTicket},
		"took as long":    {secret, e, time.Minute, time.Minute, nil},
		"clock set back":  {secret, e, time.Minute, time.Minute - clockStep, nil},
		"took longer":     {secret, e, time.Minute, time.Minute - clockStep - 1, ErrMalformed},
		"from the future": {secret, e, 0, -time.Hour, ErrMalformed},
	} {
		err := sampleTicket().check(c.secret, c.errand, c.took, issued.Add(c.age))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	other := sampleTicket()
	other.Issued++
	if err := other.check(secret, e, 0, issued); !errors.Is(err, ErrTicket) {
		t.Errorf("another time on it: %v", err)
	}
}

// FuzzMessages: whatever is read is written again with the same bytes.
func FuzzMessages(f *testing.F) {
	kinds := []string{"hello", "draft", "addressed", "record", "book", "wanted", "shown"}
	for i, kind := range kinds {
		b, err := samples()[kind].MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b)
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		v, err := read(kinds[int(kind)%len(kinds)], b)
		if err != nil {
			return
		}
		if again, err := v.MarshalBinary(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x is written as %x, %v", b, again, err)
		}
	})
}
