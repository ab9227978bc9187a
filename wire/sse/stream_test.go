package sse_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"targon/wire/sse"
)

// slowly is a response whose every write takes a while, or fails.
type slowly struct {
	header http.Header
	takes  time.Duration
	fails  int // the write that fails; 0: none
	writes []string
}

var errWrite = errors.New("fault of the test's making")

func (s *slowly) Header() http.Header { return s.header }
func (s *slowly) WriteHeader(int)     {}
func (s *slowly) Flush()              {}

func (s *slowly) Write(b []byte) (int, error) {
	time.Sleep(s.takes)
	s.writes = append(s.writes, string(b))
	if len(s.writes) == s.fails {
		return 0, errWrite
	}
	return len(b), nil
}

// TestStreamGathers: what is made while a write is under way goes out together, in
// order, and the maker does not wait for it.
func TestStreamGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowly{header: http.Header{}, takes: time.Second}
		s := sse.NewStream(sse.NewWriter(w, 0))
		begun := time.Now()
		for _, data := range []string{"a", "b", "c"} {
			if err := s.Event("", []byte(data)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if d := time.Since(begun); d != 0 {
			t.Errorf("the maker waited %v", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(w.writes, "|"); got != "data: a\n\n|data: b\n\ndata: c\n\n" {
			t.Errorf("writes: %q", got)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	})
}

// TestStreamSlowReader: a reader that is far behind holds the maker up, and bounds
// what is kept for it.
func TestStreamSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowly{header: http.Header{}, takes: time.Second}
		s := sse.NewStream(sse.NewWriter(w, 0))
		begun, big := time.Now(), []byte(strings.Repeat("x", 1<<19))
		for range 8 {
			if err := s.Event("", big); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(begun); d < time.Second {
			t.Errorf("four mebibytes were taken in %v from a reader of one write a second", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(strings.Join(w.writes, "")); n != 8*(len(big)+len("data: \n\n")) {
			t.Errorf("%d bytes are written", n)
		}
	})
}

// TestStreamBound: a mebibyte may wait for a slow reader, and no byte more.
func TestStreamBound(t *testing.T) {
	const frame = len("data: \n\n")
	for _, c := range []struct {
		waits int
		held  bool
	}{{1<<20 - 1, false}, {1 << 20, false}, {1<<20 + 1, true}} {
		synctest.Test(t, func(t *testing.T) {
			s := sse.NewStream(sse.NewWriter(&slowly{header: http.Header{}, takes: time.Second}, 0))
			event := func(n int) {
				t.Helper()
				if err := s.Event("", []byte(strings.Repeat("x", n-frame))); err != nil {
					t.Fatal(err)
				}
			}
			event(frame)
			synctest.Wait() // it is being written
			begun := time.Now()
			event(c.waits)
			event(frame)
			if held := time.Since(begun) > 0; held != c.held {
				t.Errorf("with %d bytes waiting the maker is held up: %v", c.waits, held)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestStreamFails(t *testing.T) {
	w := &slowly{header: http.Header{}, fails: 1}
	s := sse.NewStream(sse.NewWriter(w, 0))
	if err := s.Event("a\nb", nil); !errors.Is(err, sse.ErrUnwritable) {
		t.Errorf("an event that no stream can carry: %v", err)
	}
	if err := s.Event("", []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); !errors.Is(err, errWrite) {
		t.Errorf("Close returns %v", err)
	}
	if err := s.Event("", []byte("b")); !errors.Is(err, errWrite) {
		t.Errorf("Event after the failure returns %v", err)
	}
	if len(w.writes) != 1 {
		t.Errorf("writes after the failure: %q", w.writes[1:])
	}
}

func ExampleStream() {
	w := httptest.NewRecorder()
	s := sse.NewStream(sse.NewWriter(w, 0))
	if err := s.Event("token", []byte("7")); err != nil {
		fmt.Println(err)
	}
	if err := s.Close(); err != nil {
		fmt.Println(err)
	}
	fmt.Print(w.Body)
	// Output:
	// event: token
	// data: 7
}
