// Package sse reads and writes server-sent events as the WHATWG HTML standard
// defines them (section 9.2), with a bound on everything that a peer can make
// grow.
//
// It knows names and data. Ids, retry times and reconnection are left out: nothing
// here resumes a stream. Its invariant: what [Writer] writes, [Reader] reads back
// unchanged, however the bytes are cut on the way.
package sse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrLimit is the root of every refusal for size.
var (
	ErrLimit  = errors.New("event stream over its limit")
	ErrLine   = fmt.Errorf("%w: line", ErrLimit)
	ErrEvent  = fmt.Errorf("%w: event", ErrLimit)
	ErrStream = fmt.Errorf("%w: stream", ErrLimit)
)

// Limits bound a stream. Zero means the default named.
type Limits struct {
	Line   int   // bytes of one line: 64 KiB
	Event  int   // bytes of one event's data: 64 KiB
	Stream int64 // bytes of the whole stream: 16 MiB
}

// Event is one dispatched event.
type Event struct {
	Name string // empty when the stream names none
	Data []byte // lines joined by LF; the reader's until its next call
}

// Reader takes a stream apart. It is not safe for concurrent use.
type Reader struct {
	b      *bufio.Reader
	limits Limits
	read   int64
	line   []byte
	data   []byte
	begun  bool // the byte order mark, if any, is behind us
	skipLF bool // the last line ended in CR, so that an LF still belongs to it
	err    error
}

// NewReader returns a reader of r.
func NewReader(r io.Reader, l Limits) *Reader {
	if l.Line == 0 {
		l.Line = 64 << 10
	}
	if l.Event == 0 {
		l.Event = 64 << 10
	}
	if l.Stream == 0 {
		l.Stream = 16 << 20
	}
	return &Reader{b: bufio.NewReader(r), limits: l}
}

// Next returns the next event. At the end it returns io.EOF; when the stream ends
// within a line or an event, io.ErrUnexpectedEOF. Errors stick.
func (r *Reader) Next() (Event, error) {
	if r.err != nil {
		return Event{}, r.err
	}
	e, err := r.next()
	r.err = err
	return e, err
}

func (r *Reader) next() (Event, error) {
	var e Event
	r.data = r.data[:0]
	hasData, pending := false, false
	for {
		line, err := r.readLine()
		if err != nil {
			if errors.Is(err, io.EOF) && pending {
				err = io.ErrUnexpectedEOF
			}
			return Event{}, err
		}
		if len(line) == 0 {
			if hasData {
				e.Data = r.data
				return e, nil
			}
			e, pending = Event{}, false // without data, nothing is dispatched
			continue
		}
		field, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch string(field) {
		case "": // a comment
		case "event":
			e.Name, pending = string(value), true
		case "data":
			if hasData {
				r.data = append(r.data, '\n')
			}
			if len(r.data)+len(value) > r.limits.Event {
				return Event{}, ErrEvent
			}
			r.data = append(r.data, value...)
			hasData, pending = true, true
		}
	}
}

// readLine returns one line without its end, which is CR, LF or CRLF. It never
// waits for a byte after CR, so that an event is seen the moment it is complete.
func (r *Reader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		c, err := r.b.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) && len(r.line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if r.read++; r.read > r.limits.Stream {
			return nil, ErrStream
		}
		skip := r.skipLF
		r.skipLF = false
		switch {
		case c == '\n' && skip:
			continue
		case c == '\r':
			r.skipLF = true
			return r.endLine(), nil
		case c == '\n':
			return r.endLine(), nil
		case len(r.line) == r.limits.Line:
			return nil, ErrLine
		}
		r.line = append(r.line, c)
	}
}

func (r *Reader) endLine() []byte {
	if !r.begun {
		r.begun = true
		r.line = bytes.TrimPrefix(r.line, []byte("\xef\xbb\xbf"))
	}
	return r.line
}
