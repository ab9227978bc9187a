package targon

import (
	"fmt"
	"time"
)

// Transcript is what a prover claims that it produced.
type Transcript struct {
	Request Request   `json:"request"`
	Tokens  []TokenID `json:"tokens"`
	Receipt Receipt   `json:"receipt"`
}

const transcriptDomain = "targon/transcript/v1"

// MarshalBinary returns the canonical encoding: request, ids, receipt.
func (t Transcript) MarshalBinary() ([]byte, error) {
	req, err := t.Request.MarshalBinary()
	if err != nil {
		return nil, err
	}
	if len(t.Tokens) > MaxOutputTokens {
		return nil, fmt.Errorf("%w: %d output ids, limit %d", ErrEncoding, len(t.Tokens), MaxOutputTokens)
	}
	rec, err := t.Receipt.MarshalBinary()
	if err != nil {
		return nil, err
	}
	w := newWriter(transcriptDomain)
	w.bytes(req)
	w.ids(t.Tokens)
	w.bytes(rec)
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (t *Transcript) UnmarshalBinary(b []byte) error {
	var v Transcript
	d := newReader(b, transcriptDomain)
	req := d.bytes(8*MaxPromptTokens + 1024)
	v.Tokens = d.ids(MaxOutputTokens)
	rec := d.bytes(1024)
	if err := d.done(); err != nil {
		return err
	}
	if err := v.Request.UnmarshalBinary(req); err != nil {
		return fmt.Errorf("transcript: %w", err)
	}
	if err := v.Receipt.UnmarshalBinary(rec); err != nil {
		return fmt.Errorf("transcript: %w", err)
	}
	*t = v
	return nil
}

// Status says how an exchange ended, from the asker's side.
type Status uint8

// Only StatusComplete carries a receipt. Busy and TooEarly are answers that a
// prover may give; the last two are our own doing and never count against it.
const (
	StatusNone       Status = iota
	StatusComplete          // ids and a receipt came before the deadline
	StatusIncomplete        // the stream broke, stalled, overran, or came after the deadline
	StatusBusy              // 429 or 503 before the first id
	StatusTooEarly          // 425: the prover has just restarted
	StatusRefused           // any other refusal
	StatusGone              // no connection
	StatusAborted           // the asker went away
	StatusOurs              // the asker failed
)

var statusNames = [...]string{"none", "complete", "incomplete", "busy", "too_early", "refused", "gone", "aborted", "ours"}

// String returns the word used in logs, metrics and JSON.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// MarshalText returns the word used in logs, metrics and JSON.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Timing is what the asker's own clock saw. No prover reports a time.
type Timing struct {
	First time.Duration // from sending the request to the first id
	Total time.Duration // from sending the request to the last id
	// Burst is the largest share of the ids, in thousandths, that arrived within
	// one window of 5 % of Total. An even stream of many ids has about 50.
	Burst uint16
	// Ended is when the last id came, in Unix milliseconds.
	Ended int64
}

// BurstOf computes Timing.Burst from arrival offsets, which must not decrease.
func BurstOf(offsets []time.Duration, total time.Duration) uint16 {
	window, best, lo := total/20, 0, 0
	for hi := range offsets {
		for offsets[hi]-offsets[lo] > window {
			lo++
		}
		best = max(best, hi-lo+1)
	}
	if len(offsets) == 0 {
		return 0
	}
	return uint16(best * 1000 / len(offsets))
}

// Origin says where a request came from. Provers never see it.
type Origin uint8

// Origins of a request.
const (
	OriginNone      Origin = iota
	OriginChallenge        // made up by the verifier
	OriginOrganic          // from a user, through the gateway
)

// String returns challenge or organic.
func (o Origin) String() string {
	return [...]string{"none", "challenge", "organic"}[min(int(o), 2)]
}

// Exchange is one finished conversation with a prover, as the asker saw it.
type Exchange struct {
	UID        UID
	Origin     Origin
	Status     Status
	Transcript Transcript // Receipt and ids may be partial unless Status is complete
	Timing     Timing
	Detail     string // for people: what the prover or the network said
}

// Token is one id as it is streamed. Text is for people and may be empty (half a
// character, a control token); only the id is committed to, so whoever relies on
// the text decodes the ids itself.
type Token struct {
	ID   TokenID `json:"id"`
	Text string  `json:"text"`
}
