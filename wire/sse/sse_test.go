package sse_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"targon/wire/sse"
)

type event struct{ Name, Data string }

func readAll(r io.Reader, l sse.Limits) ([]event, error) {
	var out []event
	reader := sse.NewReader(r, l)
	for {
		e, err := reader.Next()
		if err != nil {
			if _, again := reader.Next(); !errors.Is(again, err) {
				return out, fmt.Errorf("error does not stick: %w", again)
			}
			return out, err
		}
		out = append(out, event{e.Name, string(e.Data)})
	}
}

func TestReader(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []event
		err      error
	}{
		{"empty", "", nil, io.EOF},
		{"one", "data: a\n\n", []event{{"", "a"}}, io.EOF},
		{"crlf", "event: e\r\ndata: a\r\n\r\ndata: b\r\n\r\n", []event{{"e", "a"}, {"", "b"}}, io.EOF},
		{"cr", "event: e\rdata: a\r\rdata: b\r\r", []event{{"e", "a"}, {"", "b"}}, io.EOF},
		{"mixed", "data: a\r\n\ndata: b\n\r\n", []event{{"", "a"}, {"", "b"}}, io.EOF},
		{"comments", ": hello\n\n:\ndata: a\n: more\n\n", []event{{"", "a"}}, io.EOF},
		{"byte order mark", "\xef\xbb\xbfdata: a\n\n", []event{{"", "a"}}, io.EOF},
		{"mark only at the start", "data: a\n\n\xef\xbb\xbfdata: b\n\n", []event{{"", "a"}}, io.EOF},
		{"lines", "data: a\ndata:\ndata: b\n\n", []event{{"", "a\n\nb"}}, io.EOF},
		{"one space is eaten", "data:  a\ndata:b\n\n", []event{{"", " a\nb"}}, io.EOF},
		{"empty data", "data\n\n", []event{{"", ""}}, io.EOF},
		{"name without data", "event: e\n\ndata: a\n\n", []event{{"", "a"}}, io.EOF},
		{"last name holds", "event: e\nevent: f\ndata: a\n\n", []event{{"f", "a"}}, io.EOF},
		{"other fields", "id: 1\nretry: 5\nfoo: bar\ndata: a\n\n", []event{{"", "a"}}, io.EOF},
		{"colons", "data: a:b\n\n", []event{{"", "a:b"}}, io.EOF},
		{"cut in a line", "data: a\n\ndata: b", []event{{"", "a"}}, io.ErrUnexpectedEOF},
		{"cut in an event", "data: a\n\ndata: b\n", []event{{"", "a"}}, io.ErrUnexpectedEOF},
		{"cut after a name", "event: a\n", nil, io.ErrUnexpectedEOF},
		{"comment at the end", "data: a\n\n: bye\n", []event{{"", "a"}}, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in))} {
				got, err := readAll(r, sse.Limits{})
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				if !errors.Is(err, c.err) {
					t.Errorf("ends with %v, want %v", err, c.err)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	l := sse.Limits{Line: 10, Event: 12, Stream: 100}
	for _, c := range []struct {
		name, in string
		err      error
	}{
		{"line at the limit", "data: 1234\n\n", io.EOF},
		{"line over it", "data: 12345\n\n", sse.ErrLine},
		{"endless line", strings.Repeat("x", 1000), sse.ErrLine},
		{"second line over it", "data:12345\ndata:123456\n\n", sse.ErrLine},
		{"event within it", "data:12345\ndata:12345\n\n", io.EOF},
		{"event over it", "data:12345\ndata:12345\ndata:1\n\n", sse.ErrEvent},
		{"endless comments", strings.Repeat(":\n", 1000), sse.ErrStream},
		{"stream at the limit", strings.Repeat(":\n", 50), io.EOF},
		{"stream over it", strings.Repeat(":\n", 50) + "\n", sse.ErrStream},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readAll(strings.NewReader(c.in), l)
			if !errors.Is(err, c.err) {
				t.Errorf("ends with %v, want %v", err, c.err)
			}
			if !errors.Is(c.err, io.EOF) && !errors.Is(err, sse.ErrLimit) {
				t.Errorf("%v is not ErrLimit", err)
			}
		})
	}
}

// An event is complete at its blank line: the reader must not wait for more.
func TestNoWaitAfterCR(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = w.Write([]byte("data: a\r\r")) }()
	if e, err := sse.NewReader(r, sse.Limits{}).Next(); err != nil || string(e.Data) != "a" {
		t.Errorf("got %q, %v", e.Data, err)
	}
}

func TestUnwritable(t *testing.T) {
	for _, e := range []event{{"a\nb", ""}, {"a\rb", ""}, {"", "a\rb"}} {
		if _, err := sse.Append(nil, e.Name, []byte(e.Data)); !errors.Is(err, sse.ErrUnwritable) {
			t.Errorf("%q: %v, want ErrUnwritable", e, err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("ab :\n\xef\u00e9")))
		name := rapid.StringOf(rapid.RuneFrom([]rune("ab: ")))
		var want []event
		var wire []byte
		for range rapid.IntRange(0, 5).Draw(t, "events") {
			e := event{name.Draw(t, "name"), text.Draw(t, "data")}
			want = append(want, e)
			var err error
			if wire, err = sse.Append(wire, e.Name, []byte(e.Data)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := readAll(iotest.HalfReader(bytes.NewReader(wire)), sse.Limits{})
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\nwire %q", diff, wire)
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("event: a\r\ndata: b\r\n\r\n: c\ndata\n\n"))
	f.Add([]byte("\xef\xbb\xbfdata:x\rdata:y\r\r"))
	f.Fuzz(func(t *testing.T, in []byte) {
		l := sse.Limits{Line: 64, Event: 100, Stream: 1000}
		whole, err := readAll(bytes.NewReader(in), l)
		bytewise, err2 := readAll(iotest.OneByteReader(bytes.NewReader(in)), l)
		if diff := cmp.Diff(whole, bytewise); diff != "" || !errors.Is(err, err2) {
			t.Fatalf("depends on how the bytes are cut: %v, %v\n%s", err, err2, diff)
		}
		var wire []byte
		for _, e := range whole {
			if len(e.Data) > l.Event || len(e.Name) > l.Line {
				t.Fatalf("event over the limit: %q", e)
			}
			if wire, err = sse.Append(wire, e.Name, []byte(e.Data)); err != nil {
				t.Fatalf("read what cannot be written: %q", e)
			}
		}
		again, _ := readAll(bytes.NewReader(wire), sse.Limits{})
		if diff := cmp.Diff(whole, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestWriterFlushesEachEvent(t *testing.T) {
	next := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		out := sse.NewWriter(w, 0)
		for i := range 3 {
			if err := out.Event("tick", fmt.Append(nil, i)); err != nil {
				t.Error(err)
			}
			<-next // the handler goes on only when the reader has seen the event
		}
	}))
	defer s.Close()
	resp, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != sse.ContentType {
		t.Errorf("content type %q", got)
	}
	r := sse.NewReader(resp.Body, sse.Limits{})
	for i := range 3 {
		e, err := r.Next()
		if err != nil || e.Name != "tick" || string(e.Data) != fmt.Sprint(i) {
			t.Fatalf("event %d: %q %q, %v", i, e.Name, e.Data, err)
		}
		next <- struct{}{}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("ends with %v", err)
	}
}

// A client that stops reading is let go once the write deadline has passed.
func TestWriterGivesUp(t *testing.T) {
	done := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		out := sse.NewWriter(w, 20*time.Millisecond)
		big := bytes.Repeat([]byte("x"), 1<<20)
		var err error
		for err == nil {
			err = out.Event("", big)
		}
		done <- err
	}))
	defer s.Close()
	resp, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := <-done; err == nil {
		t.Error("writes to nobody went on")
	}
}

func BenchmarkReader(b *testing.B) {
	one, _ := sse.Append(nil, "", []byte(`{"id":1234,"text":" river"}`))
	all := bytes.Repeat(one, 1000)
	for b.Loop() {
		r := sse.NewReader(bytes.NewReader(all), sse.Limits{})
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
}

func Example() {
	var wire []byte
	wire, _ = sse.Append(wire, "", []byte(`{"id":17}`))
	wire, _ = sse.Append(wire, "receipt", []byte("two\nlines"))
	r := sse.NewReader(bytes.NewReader(wire), sse.Limits{})
	for {
		e, err := r.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q %q\n", e.Name, e.Data)
	}
	// Output:
	// "" "{\"id\":17}"
	// "receipt" "two\nlines"
	// EOF
}
