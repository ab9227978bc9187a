package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An ending is how a request of a key ended, for the metrics.
type ending int

const (
	answered ending = iota // to the last byte
	failed                 // the user got an error, or half an answer
	aborted                // the user went away
	refused                // the request could not be honoured
	limited                // the key's limits were reached
	endings
)

var endingNames = [endings]string{"answered", "failed", "aborted", "refused", "limited"}

// A meter counts what one key has used. A restart sets it back.
type meter struct {
	mu                 sync.Mutex
	ended              [endings]uint64
	prompt, completion uint64 // ids, since the start
	day                int64  // since 1970, UTC, of today
	today              uint64 // ids
}

// A use is what a request came to: how it ended, and the ids that were read and drawn for
// it. What failed costs the user nothing.
type use struct {
	ending             ending
	prompt, completion uint32
}

func (m *meter) add(u use, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended[u.ending]++
	if u.ending != answered && u.ending != aborted {
		return
	}
	m.turn(now)
	m.prompt += uint64(u.prompt)
	m.completion += uint64(u.completion)
	m.today += uint64(u.prompt) + uint64(u.completion)
}

// turn begins a new day; mu is held.
func (m *meter) turn(now time.Time) {
	if day := now.Unix() / secondsOfDay; day != m.day {
		m.day, m.today = day, 0
	}
}

const secondsOfDay = 24 * 60 * 60

// left is how many ids a key may still use today, -1 for any number. A request that begins
// with some left is answered in full.
func (m *meter) left(perDay int, now time.Time) int64 {
	if perDay <= 0 {
		return -1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	return max(0, int64(perDay)-int64(m.today))
}

// untilTomorrow is how long a key whose day is used up has to wait.
func untilTomorrow(now time.Time) time.Duration {
	return time.Duration(secondsOfDay-now.Unix()%secondsOfDay) * time.Second
}

// allowance tells the user of the key's limits, in the headers that OpenAI has for that.
func (p *pass) allowance(h http.Header, now time.Time) {
	if p.PerMinute > 0 {
		h.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(p.PerMinute))
		h.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(p.left))
	}
	if left := p.meter.left(p.PerDay, now); left >= 0 {
		h.Set("X-Ratelimit-Limit-Tokens", strconv.Itoa(p.PerDay))
		h.Set("X-Ratelimit-Remaining-Tokens", strconv.FormatInt(left, 10))
		h.Set("X-Ratelimit-Reset-Tokens", untilTomorrow(now).String())
	}
}

// firstBounds are the upper bounds of the histogram of the time to the first id, seconds.
var firstBounds = [...]float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20}

// A histogram counts times by bound.
type histogram struct {
	mu    sync.Mutex
	below [len(firstBounds)]uint64 // of each bound, those of smaller bounds left out
	count uint64
	sum   float64
}

func (h *histogram) observe(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count++
	h.sum += d.Seconds()
	for i, most := range firstBounds {
		if d.Seconds() <= most {
			h.below[i]++
			return
		}
	}
}

// WriteMetrics writes the counters in the text format of Prometheus (0.0.4). Keys go by
// their names; who may read those is for whoever serves this to say: users may not.
func (g *Gateway) WriteMetrics(w io.Writer) error {
	var b bytes.Buffer
	head := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	head("targon_gateway_requests_total", "counter", "Requests by key and by how they ended.")
	for _, h := range g.door.holders {
		h.meter.mu.Lock()
		for e, n := range h.meter.ended {
			fmt.Fprintf(&b, "targon_gateway_requests_total{key=%q,ended=%q} %d\n", label(h.Name), endingNames[e], n)
		}
		h.meter.mu.Unlock()
	}
	head("targon_gateway_tokens_total", "counter", "Token ids of answers, by key.")
	for _, h := range g.door.holders {
		h.meter.mu.Lock()
		fmt.Fprintf(&b, "targon_gateway_tokens_total{key=%q,kind=\"prompt\"} %d\n", label(h.Name), h.meter.prompt)
		fmt.Fprintf(&b, "targon_gateway_tokens_total{key=%q,kind=\"completion\"} %d\n", label(h.Name), h.meter.completion)
		h.meter.mu.Unlock()
	}
	head("targon_gateway_inside", "gauge", "Requests under way, by key.")
	g.door.mu.Lock()
	for _, h := range g.door.holders {
		fmt.Fprintf(&b, "targon_gateway_inside{key=%q} %d\n", label(h.Name), h.inside)
	}
	g.door.mu.Unlock()
	head("targon_gateway_unknown_keys_total", "counter", "Requests without a known key.")
	fmt.Fprintf(&b, "targon_gateway_unknown_keys_total %d\n", g.door.strangers.Load())
	head("targon_gateway_provers", "gauge", "Provers that a request could go to now.")
	fmt.Fprintf(&b, "targon_gateway_provers %d\n", len(g.router.candidates(nil, time.Now())))
	g.first.write(&b, head)
	_, err := w.Write(b.Bytes())
	return err
}

func (h *histogram) write(b *bytes.Buffer, head func(name, kind, help string)) {
	const name = "targon_gateway_first_token_seconds"
	head(name, "histogram", "From a request to the first id of its answer, attempts that failed included.")
	h.mu.Lock()
	defer h.mu.Unlock()
	total := uint64(0)
	for i, most := range firstBounds {
		total += h.below[i]
		fmt.Fprintf(b, "%s_bucket{le=\"%g\"} %d\n", name, most, total)
	}
	fmt.Fprintf(b, "%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n", name, h.count, name, h.sum, name, h.count)
}

// label keeps to what %q and Prometheus write alike.
func label(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, name)
}
