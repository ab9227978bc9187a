package gateway_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"targon"
	"targon/gateway"
)

// metricsOf returns the lines of a gateway's metrics that are not comments.
func metricsOf(t *testing.T, g *gateway.Gateway) map[string]string {
	t.Helper()
	var b bytes.Buffer
	if err := g.WriteMetrics(&b); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(b.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			out[name+"}"] = value
		} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			out[name] = value
		}
	}
	return out
}

// TestMetrics: every ending is counted once, with its key; what failed costs no ids, and
// what the user left does.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newNet(script{text: "abcd", pause: 300 * time.Millisecond})
		c := f.config()
		c.Keys[1].Concurrent = 1
		g := gateway.New(c)
		h := g.Handler()
		serve(h, post("/v1/chat/completions", chat+`}`))       // answered: 8 ids read, 4 drawn
		serve(h, post("/v1/chat/completions", chat+`,"n":9}`)) // refused
		serve(h, post("/v1/chat/completions", chat+`}`, "Authorization", "Bearer nobody's"))
		w := newStopwatch() // goes away at the third write, after two ids
		w.breakAt = 3
		h.ServeHTTP(w, post("/v1/chat/completions", streamed))
		f.mu.Lock()
		f.scripts[1] = script{text: "ab", status: targon.StatusIncomplete}
		f.mu.Unlock()
		serve(h, post("/v1/chat/completions", chat+`}`)) // failed
		held := make(chan struct{})
		f.mu.Lock()
		f.scripts[1] = script{text: "a", hold: held}
		f.mu.Unlock()
		go serve(h, post("/v1/chat/completions", chat+`}`))
		synctest.Wait()
		serve(h, post("/v1/chat/completions", chat+`}`)) // limited: one at a time
		if got := metricsOf(t, g)[`targon_gateway_inside{key="test"}`]; got != "1" {
			t.Errorf("inside: %s", got)
		}
		close(held)
		synctest.Wait()
		got := metricsOf(t, g)
		for name, want := range map[string]string{
			`targon_gateway_requests_total{key="test",ended="answered"}`: "2",
			`targon_gateway_requests_total{key="test",ended="refused"}`:  "1",
			`targon_gateway_requests_total{key="test",ended="aborted"}`:  "1",
			`targon_gateway_requests_total{key="test",ended="failed"}`:   "1",
			`targon_gateway_requests_total{key="test",ended="limited"}`:  "1",
			`targon_gateway_requests_total{key="other",ended="refused"}`: "0",
			`targon_gateway_tokens_total{key="test",kind="prompt"}`:      "24",
			`targon_gateway_tokens_total{key="test",kind="completion"}`:  "7",
			`targon_gateway_unknown_keys_total`:                          "1",
			`targon_gateway_provers`:                                     "1",
			`targon_gateway_first_token_seconds_bucket{le="0.25"}`:       "2",
			`targon_gateway_first_token_seconds_bucket{le="0.5"}`:        "4",
			`targon_gateway_first_token_seconds_bucket{le="+Inf"}`:       "4",
			`targon_gateway_first_token_seconds_count`:                   "4",
		} {
			if got[name] != want {
				t.Errorf("%s is %q, want %s", name, got[name], want)
			}
		}
	})
}

// TestTokensOfADay: a key that has used up its day is told so, and when it is over; the
// day is UTC's.
func TestTokensOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it begins at midnight UTC, 2000-01-01
		f := newNet(script{text: "abcd"})
		c := f.config()
		c.Keys[1].PerDay = 20
		h := gateway.New(c).Handler()
		for i, left := range []string{"20", "8"} { // 8 ids read and 4 drawn each; the last is answered in full
			w := serve(h, post("/v1/chat/completions", chat+`}`))
			if w.Code != 200 || w.Header().Get("X-Ratelimit-Remaining-Tokens") != left || w.Header().Get("X-Ratelimit-Limit-Tokens") != "20" {
				t.Errorf("request %d: %d %v", i, w.Code, w.Header())
			}
		}
		time.Sleep(23*time.Hour + 59*time.Minute)
		w := serve(h, post("/v1/chat/completions", chat+`}`))
		if w.Code != 429 || code(t, w) != "insufficient_quota" || w.Header().Get("Retry-After") != "60" || w.Header().Get("X-Ratelimit-Reset-Tokens") != "1m0s" {
			t.Errorf("used up: %d %v %s", w.Code, w.Header(), w.Body)
		}
		r := post("/v1/models", "")
		r.Method = "GET"
		if w := serve(h, r); w.Code != 200 {
			t.Errorf("what costs no ids: %d", w.Code)
		}
		r = post("/v1/chat/completions", chat+`}`)
		r.Header.Set("Authorization", "Bearer sk-other")
		if w := serve(h, r); w.Code != 200 || w.Header().Get("X-Ratelimit-Limit-Tokens") != "" {
			t.Errorf("another key: %d %v", w.Code, w.Header())
		}
		time.Sleep(time.Minute)
		if w := serve(h, post("/v1/chat/completions", chat+`}`)); w.Code != 200 {
			t.Errorf("the next day: %d %s", w.Code, w.Body)
		}
	})
}

// TestAllowance: who has a limit of requests sees what is left of it.
func TestAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newNet(script{text: "a"})
		c := f.config()
		c.Keys[1].PerMinute = 3
		h := gateway.New(c).Handler()
		for _, left := range []string{"2", "1", "0"} {
			w := serve(h, post("/v1/chat/completions", chat+`}`))
			if w.Header().Get("X-Ratelimit-Limit-Requests") != "3" || w.Header().Get("X-Ratelimit-Remaining-Requests") != left {
				t.Errorf("%v, want %s left", w.Header(), left)
			}
		}
		if w := serve(h, post("/v1/chat/completions", chat+`}`)); w.Code != 429 || code(t, w) != "rate_limit_exceeded" || w.Header().Get("X-Ratelimit-Remaining-Requests") != "0" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
