package sse

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ContentType is the media type of an event stream.
const ContentType = "text/event-stream"

// ErrUnwritable is returned for an event that no stream can carry.
var ErrUnwritable = errors.New("event holds a line end where none can be")

// Writer writes events to an HTTP response and flushes each of them. It is not
// safe for concurrent use.
type Writer struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	limit time.Duration
	buf   []byte
}

// NewWriter sets the response's headers, which are sent with the first event. A
// write that takes longer than limit fails, so that a reader who stops reading
// holds nothing for ever; 0 means 10 s.
func NewWriter(w http.ResponseWriter, limit time.Duration) *Writer {
	if limit == 0 {
		limit = 10 * time.Second
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	return &Writer{w: w, rc: http.NewResponseController(w), limit: limit}
}

// Event writes one event and flushes it. An empty name is left out.
func (w *Writer) Event(name string, data []byte) error {
	var err error
	if w.buf, err = Append(w.buf[:0], name, data); err != nil {
		return err
	}
	return w.send(w.buf)
}

// send writes whole events and flushes them.
func (w *Writer) send(events []byte) error {
	// Recorders in tests know no deadlines.
	if err := w.rc.SetWriteDeadline(time.Now().Add(w.limit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if _, err := w.w.Write(events); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if err := w.rc.Flush(); err != nil {
		return fmt.Errorf("flush event: %w", err)
	}
	return nil
}

// Append appends an event's bytes to dst. LF in data begins a new data line; CR
// cannot be carried, because a reader takes it for a line end.
func Append(dst []byte, name string, data []byte) ([]byte, error) {
	if strings.ContainsAny(name, "\r\n") || bytes.IndexByte(data, '\r') >= 0 {
		return dst, ErrUnwritable
	}
	if name != "" {
		dst = append(append(append(dst, "event: "...), name...), '\n')
	}
	for {
		line, rest, more := bytes.Cut(data, []byte{'\n'})
		dst = append(append(append(dst, "data: "...), line...), '\n')
		if !more {
			return append(dst, '\n'), nil
		}
		data = rest
	}
}
