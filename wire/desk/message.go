package desk

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"targon"
	"targon/wire/ask"
	"targon/wire/epistula"
)

const (
	labelHello     = "targon/desk/hello/v1"
	labelDraft     = "targon/desk/draft/v1"
	labelAddressed = "targon/desk/addressed/v1"
	labelRecord    = "targon/desk/record/v1"
	labelBook      = "targon/desk/book/v1"
)

// Bounds of the messages.
const (
	maxRequest    = 8*targon.MaxPromptTokens + 1024
	maxTranscript = maxRequest + 8*targon.MaxOutputTokens + 1024
	maxMessage    = max(maxTranscript, ask.MaxRequestBody) + 4096
	maxNeurons    = 4096 // in a book; a subnet has 256
	maxDetail     = 256  // what package ask keeps of a prover's words
	maxTime       = epistula.MaxAhead
)

// Hello is what a verifier says of itself to a gateway that knows only its address and
// its hotkey.
type Hello struct {
	Genesis targon.Digest
	NetUID  targon.NetUID
	Weights targon.Digest // of the model that is served
	Model   string
	// How long an answer is waited for, until its first id, between two, and in all: a
	// gateway that were more patient than its verifier, or less, could be told by it.
	First, Next, Total time.Duration
}

// MarshalBinary returns the canonical encoding.
func (h Hello) MarshalBinary() ([]byte, error) {
	w := newWriter(labelHello)
	w.fixed(h.Genesis[:])
	w.u16(uint16(h.NetUID))
	w.fixed(h.Weights[:])
	w.bytes([]byte(h.Model))
	for _, d := range []time.Duration{h.First, h.Next, h.Total} {
		w.u64(uint64(d))
	}
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (h *Hello) UnmarshalBinary(b []byte) error {
	var v Hello
	r := newReader(b, labelHello)
	r.fixed(v.Genesis[:])
	v.NetUID = targon.NetUID(r.u16())
	r.fixed(v.Weights[:])
	v.Model = string(r.bytes(256))
	for _, d := range []*time.Duration{&v.First, &v.Next, &v.Total} {
		if *d = time.Duration(r.u64()); *d <= 0 || *d > maxTime {
			r.fail("patience of %s", *d)
		}
	}
	if err := r.done(); err != nil {
		return err
	}
	*h = v
	return nil
}

// Draft asks for a draft to be addressed to a neuron.
type Draft struct {
	targon.Draft
	UID    targon.UID
	Prover targon.Hotkey
	Desk   targon.Hotkey // the verifier's
}

// MarshalBinary returns the canonical encoding. The draft travels as a request whose
// id, weights, salt and seed are zero, so that there is one encoding of what is asked.
func (d Draft) MarshalBinary() ([]byte, error) {
	b, err := targon.Request{
		Verifier: d.Desk, Prover: d.Prover, Model: d.Model, Prompt: d.Prompt, MaxTokens: d.MaxTokens,
		Sampling: targon.Sampling{Temperature: d.Temperature, TopK: d.TopK, TopP: d.TopP, MinP: d.MinP},
	}.MarshalBinary()
	if err != nil {
		return nil, err
	}
	w := newWriter(labelDraft)
	w.u16(uint16(d.UID))
	w.bytes(b)
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (d *Draft) UnmarshalBinary(b []byte) error {
	r := newReader(b, labelDraft)
	uid, raw := targon.UID(r.u16()), r.bytes(maxRequest)
	if err := r.done(); err != nil {
		return err
	}
	var q targon.Request
	if err := q.UnmarshalBinary(raw); err != nil {
		return fmt.Errorf("draft: %w", err)
	}
	if q.ID != (targon.RequestID{}) || q.Weights != (targon.Digest{}) || q.Salt != (targon.Salt{}) || q.Sampling.Seed != 0 {
		return fmt.Errorf("%w: draft is addressed already", ErrMalformed)
	}
	*d = Draft{
		Draft: targon.Draft{
			Model: q.Model, Prompt: q.Prompt, Temperature: q.Sampling.Temperature, TopK: q.Sampling.TopK,
			TopP: q.Sampling.TopP, MinP: q.Sampling.MinP, MaxTokens: q.MaxTokens,
		},
		UID: uid, Prover: q.Prover, Desk: q.Verifier,
	}
	return nil
}

// sent is what is in a sealed request besides what both sides know.
type sent struct {
	ticket    Ticket
	nonce     epistula.Nonce
	stamp     uint64
	deadline  uint64
	signature targon.Signature
	body      []byte
}

func (s sent) encode() []byte {
	w := newWriter(labelAddressed)
	s.ticket.write(w)
	w.fixed(s.nonce[:])
	w.u64(s.stamp)
	w.u64(s.deadline)
	w.fixed(s.signature[:])
	w.bytes(s.body)
	return w.b
}

func (s *sent) decode(b []byte) error {
	var v sent
	r := newReader(b, labelAddressed)
	v.ticket.read(r)
	r.fixed(v.nonce[:])
	v.stamp, v.deadline = r.u64(), r.u64()
	if v.stamp > math.MaxInt64 || v.deadline > math.MaxInt64 {
		r.fail("time beyond all times")
	}
	r.fixed(v.signature[:])
	v.body = r.bytes(ask.MaxRequestBody)
	if err := r.done(); err != nil {
		return err
	}
	*s = v
	return nil
}

// Record brings back what came of an addressed request.
type Record struct {
	Ticket   Ticket
	Exchange targon.Exchange // its Origin does not travel: it is a user's
	OptedOut bool
}

// MarshalBinary returns the canonical encoding.
func (m Record) MarshalBinary() ([]byte, error) {
	x := m.Exchange
	t, err := x.Transcript.MarshalBinary()
	if err != nil {
		return nil, err
	}
	w := newWriter(labelRecord)
	m.Ticket.write(w)
	w.bool(m.OptedOut)
	w.u16(uint16(x.UID))
	w.u8(uint8(x.Status))
	w.u64(uint64(x.Timing.First))
	w.u64(uint64(x.Timing.Total))
	w.u16(x.Timing.Burst)
	w.u64(uint64(x.Timing.Ended))
	w.bytes([]byte(x.Detail[:min(len(x.Detail), maxDetail)]))
	w.bytes(t)
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding of something that can have happened.
func (m *Record) UnmarshalBinary(b []byte) error {
	var v Record
	r := newReader(b, labelRecord)
	v.Ticket.read(r)
	v.OptedOut = r.bool()
	x := &v.Exchange
	x.Origin = targon.OriginOrganic
	x.UID, x.Status = targon.UID(r.u16()), targon.Status(r.u8())
	first, total := r.u64(), r.u64()
	x.Timing.Burst = r.u16()
	ended := r.u64()
	x.Detail = string(r.bytes(maxDetail))
	raw := r.bytes(maxTranscript)
	switch {
	case r.err != nil:
	case x.Status == targon.StatusNone || x.Status > targon.StatusOurs:
		r.fail("status %d", x.Status)
	case first > total || total > uint64(maxTime) || x.Timing.Burst > 1000 || ended > math.MaxInt64:
		r.fail("impossible times")
	}
	if err := r.done(); err != nil {
		return err
	}
	x.Timing.First, x.Timing.Total, x.Timing.Ended = time.Duration(first), time.Duration(total), int64(ended)
	if err := x.Transcript.UnmarshalBinary(raw); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	*m = v
	return nil
}

// Page is a book as it stood at one moment. Of a neuron only UID, hotkey and axon travel.
type Page struct {
	Provers []targon.Neuron
	Scores  []targon.Score
}

// MarshalBinary returns the canonical encoding.
func (p Page) MarshalBinary() ([]byte, error) {
	if len(p.Provers) > maxNeurons || len(p.Scores) > maxNeurons {
		return nil, fmt.Errorf("%w: book of %d provers and %d scores", ErrMalformed, len(p.Provers), len(p.Scores))
	}
	w := newWriter(labelBook)
	w.u32(uint32(len(p.Provers)))
	for _, n := range p.Provers {
		w.u16(uint16(n.UID))
		w.fixed(n.Hotkey[:])
		w.bytes(n.Axon.Addr().Unmap().AsSlice())
		w.u16(n.Axon.Port())
	}
	w.u32(uint32(len(p.Scores)))
	for _, s := range p.Scores {
		w.u16(uint16(s.UID))
		w.fixed(s.Hotkey[:])
		w.f64(s.Value)
	}
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (p *Page) UnmarshalBinary(b []byte) error {
	var v Page
	r := newReader(b, labelBook)
	for range r.count(maxNeurons, 2+32+4+2) {
		v.Provers = append(v.Provers, readNeuron(r))
	}
	for range r.count(maxNeurons, 2+32+8) {
		s := targon.Score{UID: targon.UID(r.u16())}
		r.fixed(s.Hotkey[:])
		if s.Value = r.f64(); !(s.Value >= 0) || math.IsInf(s.Value, 0) {
			r.fail("score %v", s.Value)
		}
		v.Scores = append(v.Scores, s)
	}
	if err := r.done(); err != nil {
		return err
	}
	*p = v
	return nil
}

func readNeuron(r *reader) targon.Neuron {
	n := targon.Neuron{UID: targon.UID(r.u16())}
	r.fixed(n.Hotkey[:])
	raw, port := r.bytes(16), r.u16()
	switch ip, ok := netip.AddrFromSlice(raw); {
	case r.err != nil || len(raw) == 0 && port == 0: // it serves nowhere
	case !ok || ip.Is4In6():
		r.fail("address of %d bytes", len(raw))
	default:
		n.Axon = netip.AddrPortFrom(ip, port)
	}
	return n
}
