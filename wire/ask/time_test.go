package ask_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/wire/ask"
)

// A step is what a scripted prover does next: wait, then write.
type step struct {
	after time.Duration
	text  string
}

// script is a transport whose responses come in virtual time. It ends the body
// with EOF after the last step, unless hang is set.
type script struct {
	header time.Duration
	steps  []step
	hang   bool
}

func (s script) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	select {
	case <-time.After(s.header):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	body, w := io.Pipe()
	go func() {
		for _, st := range s.steps {
			select {
			case <-time.After(st.after):
			case <-ctx.Done():
				w.CloseWithError(ctx.Err())
				return
			}
			if _, err := io.WriteString(w, st.text); err != nil {
				return
			}
		}
		if s.hang {
			<-ctx.Done()
			w.CloseWithError(ctx.Err())
			return
		}
		w.Close()
	}()
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body}, nil
}

var limits = ask.Limits{Header: 4 * time.Second, First: 5 * time.Second, Next: 2 * time.Second, Total: 20 * time.Second}

func TestDeadlines(t *testing.T) {
	const ms = time.Millisecond
	three := []step{{1000 * ms, token(1)}, {500 * ms, token(2)}, {500 * ms, token(3)}}
	rec := receipt(t)
	for _, c := range []struct {
		name   string
		script script
		life   time.Duration // of the caller's context, 0: for ever
		max    uint32
		status targon.Status
		ids    int
		took   time.Duration
		detail string
	}{
		{"even", script{steps: append(three[:3:3], step{0, rec})}, 0, 3, targon.StatusComplete, 3, 2 * time.Second, ""},
		{"no header", script{header: time.Hour}, 0, 3, targon.StatusIncomplete, 0, 4 * time.Second, "no response"},
		{"late header", script{header: 4100 * ms, steps: three}, 0, 3, targon.StatusIncomplete, 0, 4 * time.Second, "no response"},
		{"no id", script{hang: true}, 0, 3, targon.StatusIncomplete, 0, 5 * time.Second, "no id"},
		{"header late, then no id", script{header: 3 * time.Second, hang: true}, 0, 3, targon.StatusIncomplete, 0, 5 * time.Second, "no id"},
		{"comments are no ids", script{steps: []step{{3 * time.Second, ": a\n"}, {1500 * ms, ": b\n"}}, hang: true}, 0, 3, targon.StatusIncomplete, 0, 5 * time.Second, "no id"},
		{"stalls", script{steps: three[:2], hang: true}, 0, 3, targon.StatusIncomplete, 2, 3500 * ms, "stalled"},
		{"slow drip within an event", script{steps: []step{{0, token(1)}, {1900 * ms, "data: {"}, {1900 * ms, "}"}}, hang: true}, 0, 3, targon.StatusIncomplete, 1, 2 * time.Second, "stalled"},
		{"no end after the receipt", script{steps: append(three[:3:3], step{0, rec}), hang: true}, 0, 3, targon.StatusIncomplete, 3, 4 * time.Second, "stalled"},
		{"slow but steady over the deadline", script{steps: steady(100, 1900*ms)}, 0, 100, targon.StatusIncomplete, 10, 20 * time.Second, "deadline"},
		{"caller's deadline", script{steps: steady(100, 1900*ms)}, 5 * time.Second, 100, targon.StatusIncomplete, 2, 5 * time.Second, "deadline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.life > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.life)
					defer cancel()
				}
				client := ask.New(ask.Config{
					Key: key(t, 1), AllowPrivate: true, Limits: limits, HTTP: &http.Client{Transport: c.script},
				})
				r := request(t)
				r.MaxTokens = c.max
				start := time.Now()
				x, err := client.Ask(ctx, neuron(t), r, nil)
				if err != nil || x.Status != c.status || len(x.Transcript.Tokens) != c.ids || !strings.Contains(x.Detail, c.detail) {
					t.Errorf("%v: %v, %d ids, %q; want %v, %d ids, %q", err, x.Status, len(x.Transcript.Tokens), x.Detail, c.status, c.ids, c.detail)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
			})
		})
	}
}

func steady(n int, pace time.Duration) []step {
	out := make([]step, n)
	for i := range out {
		out[i] = step{pace, token(i)}
	}
	return out
}

func neuron(t testing.TB) targon.Neuron {
	return targon.Neuron{UID: 5, Hotkey: key(t, 2).Hotkey(), Axon: netip.MustParseAddrPort("127.0.0.1:9")}
}

// Times are those of the network, to the nanosecond, however slow the caller is.
func TestTiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{header: 300 * time.Millisecond, steps: []step{
			{700 * time.Millisecond, token(1)}, {time.Second, token(2)}, {0, token(3)}, {time.Second, receipt(t)},
		}}
		client := ask.New(ask.Config{Key: key(t, 1), AllowPrivate: true, Limits: limits, HTTP: &http.Client{Transport: s}})
		start := time.Now()
		var handed []time.Duration
		x, err := client.Ask(t.Context(), neuron(t), request(t), func(targon.Token) error {
			handed = append(handed, time.Since(start))
			time.Sleep(10 * time.Second) // longer than any pause that a prover may make
			return nil
		})
		if err != nil || x.Status != targon.StatusComplete {
			t.Fatalf("%v: %v %s", err, x.Status, x.Detail)
		}
		want := targon.Timing{First: time.Second, Total: 2 * time.Second, Burst: 666, Ended: start.Add(2 * time.Second).UnixMilli()}
		if x.Timing != want {
			t.Errorf("timing %+v, want %+v", x.Timing, want)
		}
		if len(handed) != 3 || handed[0] != time.Second || handed[2] != 21*time.Second {
			t.Errorf("handed on at %v", handed)
		}
	})
}

// A caller that goes away while the answer is complete already costs nothing.
func TestAwayAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := script{steps: []step{{0, token(1) + token(2) + token(3) + receipt(t)}}}
		client := ask.New(ask.Config{Key: key(t, 1), AllowPrivate: true, Limits: limits, HTTP: &http.Client{Transport: s}})
		x, err := client.Ask(t.Context(), neuron(t), request(t), func(targon.Token) error {
			time.Sleep(time.Second)
			return errors.New("too slow")
		})
		if err != nil || x.Status != targon.StatusComplete {
			t.Errorf("%v: %v %s", err, x.Status, x.Detail)
		}
	})
}
