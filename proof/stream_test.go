package proof_test

import (
	"testing"

	"targon"
	"targon/proof"
)

func TestUnanswered(t *testing.T) {
	for _, c := range []struct {
		status             targon.Status
		inFlight, capacity int
		want               targon.Reason
	}{
		{targon.StatusNone, 1, 4, targon.ReasonOurs},
		{targon.StatusIncomplete, 9, 4, targon.ReasonIncomplete},
		{targon.StatusBusy, 1, 4, targon.ReasonBusy},
		{targon.StatusBusy, 4, 4, targon.ReasonBusy},
		{targon.StatusBusy, 5, 4, targon.ReasonBusyNeutral},
		{targon.StatusBusy, 1, 0, targon.ReasonBusyNeutral},
		{targon.StatusTooEarly, 1, 4, targon.ReasonTooEarly},
		{targon.StatusRefused, 1, 4, targon.ReasonRefused},
		{targon.StatusGone, 1, 4, targon.ReasonGone},
		{targon.StatusAborted, 1, 4, targon.ReasonAborted},
		{targon.StatusOurs, 1, 4, targon.ReasonOurs},
	} {
		x := targon.Exchange{Status: c.status, Detail: "why", Transcript: targon.Transcript{
			Request: targon.Request{Prover: targon.Hotkey{5}, Salt: targon.Salt{1}}, Tokens: []targon.TokenID{1, 2},
		}}
		v := proof.Unanswered(x, c.inFlight, c.capacity)
		if v.Reason != c.want || v.Outcome != c.want.Outcome() || v.Mismatch() {
			t.Errorf("%v, %d of %d: got %v, want %v", c.status, c.inFlight, c.capacity, v.Reason, c.want)
		}
		if v.Prover != (targon.Hotkey{5}) || v.Request != x.Transcript.Request.Digest() || v.Receipt != (targon.Digest{}) || v.Tokens != 0 || v.Detail != "why" {
			t.Errorf("%v: %+v", c.status, v)
		}
	}
}

func TestUnansweredRefusesAnswers(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a complete exchange was judged as unanswered")
		}
	}()
	proof.Unanswered(targon.Exchange{Status: targon.StatusComplete}, 0, 1)
}

func TestBurst(t *testing.T) {
	stream := func(prover byte, tokens uint32, burst uint16, ended int64) targon.Arrived {
		return targon.Arrived{
			Prover: targon.Hotkey{prover}, Status: targon.StatusComplete, Receipt: targon.Receipt{Tokens: tokens},
			Timing: targon.Timing{Burst: burst, Ended: ended},
		}
	}
	incomplete := stream(2, 64, 50, 10_000)
	incomplete.Status = targon.StatusIncomplete
	broken := stream(1, 64, 1000, 10_000)
	broken.Status = targon.StatusIncomplete
	dump, normal := stream(1, 64, 1000, 10_000), stream(2, 64, 50, 10_000)
	none, lone, buffered := targon.ReasonNone, targon.ReasonBufferedLone, targon.ReasonBuffered
	for _, c := range []struct {
		name   string
		a      targon.Arrived
		others []targon.Arrived
		want   targon.Reason
	}{
		{"even stream", normal, []targon.Arrived{dump}, none},
		{"dumped", dump, []targon.Arrived{normal}, buffered},
		{"nobody else", dump, nil, lone},
		{"only itself", dump, []targon.Arrived{dump, stream(1, 64, 50, 10_000)}, lone},
		{"others dumped too", dump, []targon.Arrived{stream(2, 64, 1000, 10_000)}, lone},
		{"at the share", stream(1, 64, 900, 10_000), []targon.Arrived{normal}, buffered},
		{"under the share", stream(1, 64, 899, 10_000), []targon.Arrived{normal}, none},
		{"shortest", stream(1, 32, 1000, 10_000), []targon.Arrived{normal}, buffered},
		{"too short", stream(1, 31, 1000, 10_000), []targon.Arrived{normal}, none},
		{"other too short", dump, []targon.Arrived{stream(2, 31, 50, 10_000)}, lone},
		{"other just long enough", dump, []targon.Arrived{stream(2, 32, 50, 10_000)}, buffered},
		{"other at the share", dump, []targon.Arrived{stream(2, 64, 900, 10_000)}, lone},
		{"other under the share", dump, []targon.Arrived{stream(2, 64, 899, 10_000)}, buffered},
		{"a second later", dump, []targon.Arrived{stream(2, 64, 50, 11_000)}, buffered},
		{"a second earlier", dump, []targon.Arrived{stream(2, 64, 50, 9_000)}, buffered},
		{"later than that", dump, []targon.Arrived{stream(2, 64, 50, 11_001)}, lone},
		{"earlier than that", dump, []targon.Arrived{stream(2, 64, 50, 8_999)}, lone},
		{"other incomplete", dump, []targon.Arrived{incomplete}, lone},
		{"itself incomplete", broken, []targon.Arrived{normal}, none},
		{"among several", dump, []targon.Arrived{incomplete, stream(3, 64, 50, 1), normal}, buffered},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := proof.Burst(c.a, c.others); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestStreamed(t *testing.T) {
	verdict := func(r targon.Reason) targon.Verdict {
		return targon.Verdict{Prover: targon.Hotkey{1}, Tokens: 64, Reason: r, Outcome: r.Outcome()}
	}
	for _, c := range []struct{ ids, stream, want targon.Reason }{
		{targon.ReasonEqual, targon.ReasonNone, targon.ReasonEqual},
		{targon.ReasonEqual, targon.ReasonBuffered, targon.ReasonBuffered},
		{targon.ReasonEqual, targon.ReasonBufferedLone, targon.ReasonBufferedLone},
		{targon.ReasonMismatch, targon.ReasonBuffered, targon.ReasonMismatch},
		{targon.ReasonMismatch, targon.ReasonBufferedLone, targon.ReasonMismatch},
		{targon.ReasonStructure, targon.ReasonBuffered, targon.ReasonStructure},
		{targon.ReasonNotDrawn, targon.ReasonBuffered, targon.ReasonNotDrawn},
	} {
		v := proof.Streamed(verdict(c.ids), c.stream)
		if v.Reason != c.want || v.Outcome != c.want.Outcome() || v.Tokens != 64 {
			t.Errorf("%v with %v: got %v, want %v", c.ids, c.stream, v.Reason, c.want)
		}
	}
}

func TestBuffering(t *testing.T) {
	for _, c := range []struct {
		answers, buffered int
		want              bool
	}{{0, 0, false}, {1, 0, false}, {1, 1, true}, {10, 8, false}, {10, 9, true}, {19, 17, false}, {20, 18, true}, {20, 20, true}} {
		if got := proof.Buffering(c.answers, c.buffered); got != c.want {
			t.Errorf("%d of %d: %v", c.buffered, c.answers, got)
		}
	}
}
