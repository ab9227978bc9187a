package desk

import (
	"context"
	"encoding"
	"fmt"

	"targon"
)

const (
	labelWanted = "targon/desk/wanted/v1"
	labelShown  = "targon/desk/shown/v1"
)

// maxFile bounds a bundle on its way, which is the bound of a bundle's file.
const maxFile = 32 << 20

// mostFetches is how many bundles are on their way at once.
const mostFetches = 2

// Shelf gives out bundles of users' answers. What it returns with any other fate than
// targon.FateReady is empty.
type Shelf interface {
	Bundle(ctx context.Context, request targon.Digest) (targon.Fate, []byte, error)
}

// Wanted asks for the bundle of a request. Its ticket shows that this gateway had it
// addressed: nobody fetches what another gateway's user asked.
type Wanted struct {
	Ticket  Ticket
	UID     targon.UID
	Request targon.Digest
}

// MarshalBinary returns the canonical encoding.
func (m Wanted) MarshalBinary() ([]byte, error) {
	w := newWriter(labelWanted)
	m.Ticket.write(w)
	w.u16(uint16(m.UID))
	w.fixed(m.Request[:])
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (m *Wanted) UnmarshalBinary(b []byte) error {
	var v Wanted
	r := newReader(b, labelWanted)
	v.Ticket.read(r)
	v.UID = targon.UID(r.u16())
	r.fixed(v.Request[:])
	if err := r.done(); err != nil {
		return err
	}
	*m = v
	return nil
}

// Shown is what became of a request, and its bundle if there is one.
type Shown struct {
	Fate targon.Fate
	File []byte
}

// MarshalBinary returns the canonical encoding.
func (m Shown) MarshalBinary() ([]byte, error) {
	if len(m.File) > maxFile {
		return nil, fmt.Errorf("encode bundle: %d bytes, limit %d", len(m.File), maxFile)
	}
	w := newWriter(labelShown)
	w.u8(uint8(m.Fate))
	w.bytes(m.File)
	return w.b, nil
}

// UnmarshalBinary reads a canonical encoding.
func (m *Shown) UnmarshalBinary(b []byte) error {
	r := newReader(b, labelShown)
	v := Shown{Fate: targon.Fate(r.u8()), File: r.bytes(maxFile)}
	if !v.Fate.Valid() || (v.Fate == targon.FateReady) != (len(v.File) > 0) {
		r.fail("fate %d with %d bytes", v.Fate, len(v.File))
	}
	if err := r.done(); err != nil {
		return err
	}
	*m = v
	return nil
}

// bundle answers with a bundle, for the gateway that the request was addressed for. Its
// ticket is good for as long as there is a bundle: it records nothing.
func (s *Server) bundle(ctx context.Context, c call) (encoding.BinaryMarshaler, error) {
	var m Wanted
	if err := m.UnmarshalBinary(c.body); err != nil {
		return nil, err
	}
	if !m.Ticket.is(s.c.Secret, errand{m.Request, c.gateway, m.UID}) {
		return nil, fmt.Errorf("%w: ticket of another request", ErrTicket)
	}
	select {
	case s.fetches <- struct{}{}:
		defer func() { <-s.fetches }()
	default:
		return nil, fmt.Errorf("%w: %d bundles are on their way", ErrNotReady, mostFetches)
	}
	if s.c.Shelf == nil {
		return Shown{Fate: targon.FateGone}, nil
	}
	fate, file, err := s.c.Shelf.Bundle(ctx, m.Request)
	if err != nil {
		return nil, fmt.Errorf("bundle of request %s: %w", m.Request, err)
	}
	return Shown{Fate: fate, File: file}, nil
}

// Bundle fetches the bundle of a request that was addressed for this gateway, or learns
// what became of it instead.
func (d *Client) Bundle(ctx context.Context, m Wanted) (Shown, error) {
	var s Shown
	body, err := m.MarshalBinary()
	if err == nil {
		body, err = d.call(ctx, BundlePath, body, bundleTime)
	}
	if err == nil {
		err = s.UnmarshalBinary(body)
	}
	if err != nil {
		return Shown{}, fmt.Errorf("fetch bundle: %w", err)
	}
	return s, nil
}
