package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"targon"
)

// shape is what tells the two endpoints' answers apart.
type shape struct {
	prefix, object, chunk string
	chat                  bool
}

var (
	chatShape = shape{"chatcmpl-", "chat.completion", "chat.completion.chunk", true}
	textShape = shape{"cmpl-", "text_completion", "text_completion", false}
)

// writeTime bounds one write to a user who does not read.
const writeTime = 30 * time.Second

// Headers that carry provenance, and the answer's own name, which clients keep for who
// asks about it.
const (
	headerRequest = "X-Request-Id"
	headerReceipt = "X-Targon-Receipt"
	headerProver  = "X-Targon-Prover"
	headerUID     = "X-Targon-Uid"
)

// completion is OpenAI's answer or chunk, with one field of ours.
type completion struct {
	ID      string      `json:"id"`
	Object  string      `json:"object"`
	Created int64       `json:"created"`
	Model   string      `json:"model"`
	Choices []choice    `json:"choices"`
	Usage   *usage      `json:"usage,omitempty"`
	Targon  *provenance `json:"targon,omitempty"`
}

type choice struct {
	Index    int     `json:"index"`
	Message  *turn   `json:"message,omitempty"`
	Delta    *turn   `json:"delta,omitempty"`
	Text     *string `json:"text,omitempty"`
	Logprobs *string `json:"logprobs"` // always null
	Finish   *string `json:"finish_reason"`
}

type turn struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type usage struct {
	Prompt     uint32 `json:"prompt_tokens"`
	Completion uint32 `json:"completion_tokens"`
	Total      uint32 `json:"total_tokens"`
}

// provenance lets a user ask later what became of the answer.
type provenance struct {
	Receipt targon.Digest `json:"receipt"`
	Prover  targon.Hotkey `json:"prover"`
	UID     targon.UID    `json:"uid"`
}

// reply writes one answer, whole or as a stream. It is used by one goroutine at a
// time: the asker's while it asks, the handler's before and after.
type reply struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	shape   shape
	order   order
	model   string
	created int64

	id      string
	decoder Decoder
	stop    stopper
	text    strings.Builder // the whole answer, when it is not streamed
	ids     uint32          // of this answer so far, up to where the user's text ends
	drawn   uint32          // of this answer so far
	first   time.Time       // when its first id came
	sent    bool            // the user has seen part of the answer
	broken  bool            // a write failed
}

func newReply(w http.ResponseWriter, s shape, o order, model string) *reply {
	return &reply{w: w, rc: http.NewResponseController(w), shape: s, order: o, model: model, created: time.Now().Unix()}
}

// begin starts over with another prover's answer. It must not have sent anything.
func (p *reply) begin(id targon.RequestID, d Decoder) {
	p.id, p.decoder = p.shape.prefix+id.String(), d
	p.stop = stopper{at: p.order.stop}
	p.text.Reset()
	p.ids, p.drawn, p.first = 0, 0, time.Time{}
}

// add takes the next id, and leaves the prover's text alone. An error means that
// the user is gone.
func (p *reply) add(t targon.Token) error {
	if p.drawn++; p.drawn == 1 {
		p.first = time.Now()
	}
	if !p.stop.done {
		p.ids++
	}
	return p.say(p.stop.add(p.decoder.Add(t.ID)))
}

func (p *reply) say(text string) error {
	if text == "" {
		return nil
	}
	if !p.order.stream {
		p.text.WriteString(text)
		return nil
	}
	if !p.sent {
		if err := p.open(); err != nil {
			return err
		}
	}
	return p.event(p.piece(text))
}

// open sends a stream's headers and, in a chat, who speaks.
func (p *reply) open() error {
	h := p.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set(headerRequest, p.id)
	h.Set("Trailer", strings.Join([]string{headerReceipt, headerProver, headerUID}, ", "))
	p.w.WriteHeader(http.StatusOK)
	p.sent = true
	if !p.shape.chat {
		return nil
	}
	first := p.frame(p.shape.chunk, choice{Delta: &turn{Role: "assistant", Content: new(string)}})
	return p.event(first)
}

// piece is one chunk of text.
func (p *reply) piece(text string) completion {
	if p.shape.chat {
		return p.frame(p.shape.chunk, choice{Delta: &turn{Content: &text}})
	}
	return p.frame(p.shape.chunk, choice{Text: &text})
}

func (p *reply) frame(object string, c ...choice) completion {
	if c == nil {
		c = []choice{} // a list, not null
	}
	return completion{ID: p.id, Object: object, Created: p.created, Model: p.model, Choices: c}
}

// end sends what is left: of a stream the last chunks, otherwise everything.
func (p *reply) end(x targon.Exchange) error {
	rec := x.Transcript.Receipt
	rest := p.stop.add(p.decoder.Flush())
	rest += p.stop.rest()
	finish := rec.Finish.String()
	if p.stop.done {
		finish = targon.FinishStop.String()
	}
	prompt := uint32(len(x.Transcript.Request.Prompt))
	used := usage{prompt, p.ids, prompt + p.ids}
	from := provenance{rec.Digest(), x.Transcript.Request.Prover, x.UID}
	if p.order.stream {
		return p.endStream(rest, finish, used, from)
	}
	text := p.text.String() + rest
	c := choice{Finish: &finish, Text: &text}
	if p.shape.chat {
		c = choice{Finish: &finish, Message: &turn{Role: "assistant", Content: &text}}
	}
	all := p.frame(p.shape.object, c)
	all.Usage, all.Targon = &used, &from
	from.headers(p.w.Header())
	p.w.Header().Set(headerRequest, p.id)
	p.sent = true
	writeJSON(p.w, http.StatusOK, all)
	return nil
}

func (p *reply) endStream(rest, finish string, used usage, from provenance) error {
	if err := p.say(rest); err != nil {
		return err
	}
	if !p.sent { // an answer without any text
		if err := p.open(); err != nil {
			return err
		}
	}
	c := choice{Finish: &finish, Text: new(string)}
	if p.shape.chat {
		c = choice{Finish: &finish, Delta: &turn{}}
	}
	last := p.frame(p.shape.chunk, c)
	last.Targon = &from
	if err := p.event(last); err != nil {
		return err
	}
	if p.order.usage {
		u := p.frame(p.shape.chunk)
		u.Usage = &used
		if err := p.event(u); err != nil {
			return err
		}
	}
	from.headers(p.w.Header()) // as trailers
	return p.write(fmt.Appendf(nil, ": x-targon-receipt %s\n\ndata: [DONE]\n\n", from.Receipt))
}

func (f provenance) headers(h http.Header) {
	h.Set(headerReceipt, f.Receipt.String())
	h.Set(headerProver, f.Prover.String())
	h.Set(headerUID, strconv.Itoa(int(f.UID)))
}

// fail tells the user what went wrong: by status, or, in the middle of a stream, by
// an error event after which nothing comes.
func (p *reply) fail(err error) {
	switch {
	case !p.sent:
		writeError(p.w, err)
	case p.order.stream && !p.broken:
		_, problem := explain(err)
		b, err := json.Marshal(map[string]any{"error": problem})
		if err != nil {
			panic("internal error: marshal error: " + err.Error())
		}
		_ = p.write(fmt.Appendf(nil, "event: error\ndata: %s\n\n", b)) // the last word either way
	}
}

func (p *reply) event(c completion) error {
	b, err := json.Marshal(c)
	if err != nil {
		panic("internal error: marshal chunk: " + err.Error()) // our own types always marshal
	}
	out := make([]byte, 0, len(b)+8)
	out = append(out, "data: "...)
	out = append(out, b...)
	return p.write(append(out, "\n\n"...))
}

// write sends and flushes. Writers that know no deadline (tests) need none.
func (p *reply) write(b []byte) error {
	_ = p.rc.SetWriteDeadline(time.Now().Add(writeTime))
	_, err := p.w.Write(b)
	if err == nil {
		err = p.rc.Flush()
	}
	if err != nil {
		p.broken = true
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
