package proof

import (
	"fmt"

	"targon"
)

// Unanswered judges an exchange that brought no receipt: every status but complete,
// which is Precheck's and panics here.
//
// inFlight is how many requests of ours the prover had open, this one included;
// capacity is what it last signed. Busy is neutral above that and a failure up to it.
// What we did, and a prover that has just restarted, is neutral too; that such a
// prover earns nothing either is the policy's business.
func Unanswered(x targon.Exchange, inFlight, capacity int) targon.Verdict {
	v := targon.Verdict{Request: x.Transcript.Request.Digest(), Prover: x.Transcript.Request.Prover}
	switch x.Status {
	case targon.StatusIncomplete:
		return end(v, targon.ReasonIncomplete, x.Detail)
	case targon.StatusRefused:
		return end(v, targon.ReasonRefused, x.Detail)
	case targon.StatusGone:
		return end(v, targon.ReasonGone, x.Detail)
	case targon.StatusBusy:
		if inFlight > capacity {
			return end(v, targon.ReasonBusyNeutral, x.Detail)
		}
		return end(v, targon.ReasonBusy, x.Detail)
	case targon.StatusTooEarly:
		return end(v, targon.ReasonTooEarly, x.Detail)
	case targon.StatusAborted:
		return end(v, targon.ReasonAborted, x.Detail)
	case targon.StatusNone, targon.StatusOurs:
		return end(v, targon.ReasonOurs, x.Detail)
	case targon.StatusComplete:
	}
	panic(fmt.Sprintf("internal error: exchange with status %v judged as unanswered", x.Status))
}

// A stream counts as buffered if at least BurstTokens ids came and at least BurstShare
// thousandths of them within one window of 5 % of the time, while another prover's did
// not. Without that other, the network or the verifier may have held the ids back.
const (
	BurstTokens = 32
	BurstShare  = 900
	// sameSecond is how far apart, in milliseconds, two streams may end and still
	// have run through the same state of our network.
	sameSecond = 1000
)

// Burst says whether all ids of an answer came at once: ReasonBuffered when another
// prover streamed normally in the same second, ReasonBufferedLone when none did, else
// ReasonNone. Others may hold anything, the answer itself included.
func Burst(a targon.Arrived, others []targon.Arrived) targon.Reason {
	if !streamed(a) || a.Timing.Burst < BurstShare {
		return targon.ReasonNone
	}
	for _, o := range others {
		apart := max(a.Timing.Ended-o.Timing.Ended, o.Timing.Ended-a.Timing.Ended)
		if o.Prover != a.Prover && streamed(o) && o.Timing.Burst < BurstShare && apart <= sameSecond {
			return targon.ReasonBuffered
		}
	}
	return targon.ReasonBufferedLone
}

func streamed(a targon.Arrived) bool {
	return a.Status == targon.StatusComplete && a.Receipt.Tokens >= BurstTokens
}

// Streamed joins a verdict on the ids with what Burst said about their arrival. Only a
// passed verdict changes: no timing excuses a mismatch, and none adds to a failure.
func Streamed(v targon.Verdict, r targon.Reason) targon.Verdict {
	if v.Outcome != targon.Passed || r == targon.ReasonNone {
		return v
	}
	return end(v, r, "ids came at once")
}

// Buffering reports whether a prover with so many answers of at least BurstTokens ids, so
// many of them buffered, does not stream: at least nine in ten. Such a prover
// scores 0 for the epoch.
func Buffering(answers, buffered int) bool {
	return answers > 0 && 10*buffered >= 9*answers
}
