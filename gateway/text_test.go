package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"targon"
	"targon/gateway"
)

// heavy is a codec that notes how many bytes of text are being encoded at a time.
type heavy struct {
	codec
	mu        sync.Mutex
	now, most int
	texts     int
	hold      chan struct{} // closed to let encoding end
	ids       []targon.TokenID
}

func (h *heavy) Encode(text string, _ bool) []targon.TokenID {
	h.mu.Lock()
	h.texts++
	h.now += len(text)
	h.most = max(h.most, h.now)
	h.mu.Unlock()
	<-h.hold
	h.mu.Lock()
	h.now -= len(text)
	h.mu.Unlock()
	return h.ids
}

func (h *heavy) encoded() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.texts
}

func (h *heavy) Render(turns []gateway.Message) ([]targon.TokenID, error) {
	return h.Encode(turns[0].Content, true), nil
}

// TestLongTexts: of many long texts that come at once, one body's worth is encoded at a
// time; short ones wait for nobody, and who waits too long is told to come again.
func TestLongTexts(t *testing.T) {
	const size = 400_000
	synctest.Test(t, func(t *testing.T) {
		f := newNet(script{text: "ok"})
		c := f.config()
		h := &heavy{hold: make(chan struct{}), ids: ids("x")}
		c.Codec = h
		door := gateway.New(c).Handler()
		codes := make(chan int, 16)
		ask := func(body string) {
			codes <- serve(door, post("/v1/completions", body).WithContext(context.WithoutCancel(t.Context()))).Code
		}
		long := `{"model":"tiny","prompt":"` + strings.Repeat("a", size) + `"}`
		for range 5 {
			go ask(long)
		}
		synctest.Wait()
		go ask(`{"model":"tiny","prompt":"short"}`)
		synctest.Wait()
		if h.encoded() != 3 || h.most != 2*size+len("short") {
			t.Errorf("%d texts of %d bytes are encoded together, want two long ones and a short one", h.texts, h.most)
		}
		for range 3 { // those that waited, by synctest's clock
			if got := <-codes; got != http.StatusServiceUnavailable {
				t.Errorf("who waits is answered %d", got)
			}
		}
		close(h.hold)
		for range 3 {
			if got := <-codes; got != http.StatusOK {
				t.Errorf("who was encoded is answered %d", got)
			}
		}
	})
}

// TestManyFields: a body whose fields take more memory than its text waits as well.
func TestManyFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newNet(script{text: "ok"}).config()
		h := &heavy{hold: make(chan struct{}), ids: ids("x")}
		c.Codec = h
		door := gateway.New(c).Handler()
		body := chat + strings.Repeat(`,"a":1`, 100_000) + `}`
		codes := make(chan int, 2)
		for range 2 {
			go func() {
				codes <- serve(door, post("/v1/chat/completions", body).WithContext(context.WithoutCancel(t.Context()))).Code
			}()
		}
		synctest.Wait() // one is encoded, the other waits
		if got := <-codes; got != http.StatusServiceUnavailable || h.encoded() != 1 {
			t.Errorf("the second of two is answered %d, %d were encoded", got, h.encoded())
		}
		close(h.hold)
		if got := <-codes; got != http.StatusOK {
			t.Errorf("the first of two is answered %d", got)
		}
	})
}

// TestTooLongIsNotEncoded: a text that cannot fit is refused by its size alone.
func TestTooLongIsNotEncoded(t *testing.T) {
	const most = 4 * 511 // 4 bytes an id; the answer needs one of 512
	closed := make(chan struct{})
	close(closed)
	for _, c := range []struct {
		name, path, body string
		encoded          int
	}{
		{"prompt that may fit", "completions", `"prompt":"` + strings.Repeat("a", most+3) + `"`, 1},
		{"prompt", "completions", `"prompt":"` + strings.Repeat("a", most+4) + `"`, 0},
		{"turn that may fit", "chat/completions", `"messages":[{"role":"user","content":"` + strings.Repeat("a", most+3) + `"}]`, 1},
		{"turn", "chat/completions", `"messages":[{"role":"user","content":"` + strings.Repeat("a", most+4) + `"}]`, 0},
		{"spaces that a template drops", "chat/completions", `"messages":[{"role":"user","content":"a` + strings.Repeat(" ", 2*most) + `"}]`, 1},
		{"reasoning that a template drops", "chat/completions", `"messages":[{"role":"assistant","content":"` + strings.Repeat("a", 2*most) + `"}]`, 1},
	} {
		f := newNet(script{text: "ok"})
		conf := f.config()
		h := &heavy{hold: closed, ids: ids("x")}
		conf.Codec, conf.Longest = h, 4
		w := serve(gateway.New(conf).Handler(), post("/v1/"+c.path, `{"model":"tiny",`+c.body+`}`))
		want := http.StatusBadRequest
		if c.encoded > 0 {
			want = http.StatusOK
		}
		if h.texts != c.encoded || w.Code != want {
			t.Errorf("%s: encoded %d times, answered %d: %s", c.name, h.texts, w.Code, w.Body)
		}
		if want != http.StatusOK && !strings.Contains(w.Body.String(), "context_length_exceeded") {
			t.Errorf("%s: %s", c.name, w.Body)
		}
	}
}

// TestWhatIsWrong: a refusal says what was wanted.
func TestWhatIsWrong(t *testing.T) {
	for body, want := range map[string]string{
		chat + `,"temperature":NaN}`:                                 `invalid character 'N' looking for beginning of value, after`,
		chat + `,"temperature":"1"}`:                                 `want a number`,
		chat + `,"stream":"yes"}`:                                    `want true or false`,
		chat + `,"max_tokens":1.5}`:                                  `want an integer`,
		`{"model":"big","messages":[]}`:                              `messages`,
		`{"model":"a/b","messages":[{"role":"user","content":"x"}]}`: `\"a/b\" is not served here, only \"tiny\" is`,
		"{\"a\":\"\xff\"}":                                           `not UTF-8`,
		`{"a":"\udc00"}`:                                             `surrogate`,
	} {
		w := serve(newNet(script{text: "ok"}).handler(), post("/v1/chat/completions", body))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %s, want %q", body, w.Body, want)
		}
	}
}
