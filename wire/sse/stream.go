package sse

import "sync"

// maxPending bounds what a Stream holds for a reader that is slower than its writer.
const maxPending = 1 << 20

// Stream writes events beside whoever makes them: what is made while a write is under
// way goes out with the next one. So the maker does not wait for the network, and
// events that are made together arrive together. It is not safe for concurrent use.
type Stream struct {
	w    *Writer
	done chan struct{} // closed when the writing goroutine has ended

	mu      sync.Mutex
	changed *sync.Cond // pending, closing or err
	pending []byte
	closing bool
	err     error
}

// NewStream starts a stream over w, which it uses until Close has returned.
func NewStream(w *Writer) *Stream {
	s := &Stream{w: w, done: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	go s.run()
	return s
}

// Event queues one event. It waits while the reader is a mebibyte behind, and returns
// the error of an earlier write, after which nothing is sent any more.
func (s *Stream) Event(name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) > maxPending && s.err == nil {
		s.changed.Wait()
	}
	if s.err != nil {
		return s.err
	}
	var err error
	if s.pending, err = Append(s.pending, name, data); err != nil {
		return err
	}
	s.changed.Broadcast()
	return nil
}

// Close waits until everything is written and returns the first error. Closing again
// does nothing more.
func (s *Stream) Close() error {
	s.mu.Lock()
	s.closing = true
	s.changed.Broadcast()
	s.mu.Unlock()
	<-s.done
	return s.err // the writing goroutine has ended
}

func (s *Stream) run() {
	defer close(s.done)
	var out []byte
	for {
		s.mu.Lock()
		for len(s.pending) == 0 && !s.closing {
			s.changed.Wait()
		}
		if len(s.pending) == 0 {
			s.mu.Unlock()
			return
		}
		out, s.pending = s.pending, out[:0]
		s.changed.Broadcast()
		s.mu.Unlock()
		if err := s.w.send(out); err != nil {
			s.mu.Lock()
			s.err = err
			s.changed.Broadcast()
			s.mu.Unlock()
			return
		}
	}
}
