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
	// Where it came from, if there are several answers.
	Targon *provenance `json:"targon,omitempty"`
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

// reply writes the answers to one request, whole or as a stream: one answer after the
// other, each a choice. It is used by one goroutine at a time: the asker's while it asks,
// the handler's before and after.
type reply struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	shape   shape
	order   order
	model   string
	created int64

	id      string // of the first answer, and so of the reply
	sent    bool   // a stream has begun
	broken  bool   // a write failed
	several bool
	choices []choice // that are done, when it is not streamed
	from    []provenance
	used    usage
	part
}

// part is the answer under way.
type part struct {
	index   int    // of its choice
	answer  string // its own id
	decoder Decoder
	stop    stopper
	text    strings.Builder // the whole answer, when it is not streamed
	ids     uint32          // of this answer so far, up to where the user's text ends
	drawn   uint32          // of this answer so far
	first   time.Time       // when its first id came
	shown   bool            // the user has seen some of it
}

func newReply(w http.ResponseWriter, s shape, o order, model string) *reply {
	return &reply{w: w, rc: http.NewResponseController(w), shape: s, order: o, model: model, created: time.Now().Unix(), several: o.answers() > 1}
}

// choose begins another answer.
func (p *reply) choose(index int) { p.part = part{index: index} }

// begin starts an answer over with another prover's. Nothing of it must have been shown.
func (p *reply) begin(id targon.RequestID, d Decoder) {
	p.part = part{index: p.index, answer: p.shape.prefix + id.String(), decoder: d, stop: stopper{at: p.order.stop}}
	if p.index == 0 {
		p.id = p.answer
	}
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
	if err := p.open(); err != nil {
		return err
	}
	return p.event(p.piece(text))
}

// open sends a stream's headers and, in a chat, who speaks; each once.
func (p *reply) open() error {
	if !p.sent {
		h := p.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
		h.Set(headerRequest, p.id)
		h.Set("Trailer", strings.Join([]string{headerReceipt, headerProver, headerUID}, ", "))
		p.w.WriteHeader(http.StatusOK)
	}
	known := p.shown
	p.sent, p.shown = true, true
	if known || !p.shape.chat {
		return nil
	}
	first := p.frame(p.shape.chunk, choice{Delta: &turn{Role: roleAssistant, Content: new(string)}})
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
	if len(c) == 1 {
		c[0].Index = p.index
	}
	return completion{ID: p.id, Object: object, Created: p.created, Model: p.model, Choices: c}
}

// end finishes an answer: of a stream it sends what is left, otherwise it keeps it.
func (p *reply) end(x targon.Exchange) error {
	rec := x.Transcript.Receipt
	rest := p.stop.add(p.decoder.Flush())
	rest += p.stop.rest()
	finish := rec.Finish.String()
	if p.stop.done {
		finish = targon.FinishStop.String()
	}
	if p.index%p.order.n == 0 { // the answers to one prompt count it once
		p.used.Prompt += uint32(len(x.Transcript.Request.Prompt))
	}
	p.used.Completion += p.ids
	p.used.Total = p.used.Prompt + p.used.Completion
	p.from = append(p.from, provenance{rec.Digest(), x.Transcript.Request.Prover, x.UID})
	if p.order.stream {
		return p.endStream(rest, finish)
	}
	text := p.text.String() + rest
	c := choice{Index: p.index, Finish: &finish, Text: &text}
	if p.shape.chat {
		c = choice{Index: p.index, Finish: &finish, Message: &turn{Role: roleAssistant, Content: &text}}
	}
	if p.several {
		c.Targon = &p.from[len(p.from)-1]
	}
	p.choices = append(p.choices, c)
	return nil
}

func (p *reply) endStream(rest, finish string) error {
	if err := p.say(rest); err != nil {
		return err
	}
	if err := p.open(); err != nil { // for an answer without any text
		return err
	}
	c := choice{Finish: &finish, Text: new(string)}
	if p.shape.chat {
		c = choice{Finish: &finish, Delta: &turn{}}
	}
	last := p.frame(p.shape.chunk, c)
	last.Targon = &p.from[len(p.from)-1]
	return p.event(last)
}

// close ends the reply once all answers are done.
func (p *reply) close() error {
	if !p.order.stream {
		all := p.frame(p.shape.object)
		all.Choices, all.Usage = p.choices, &p.used
		if !p.several {
			all.Targon = &p.from[0]
		}
		p.headers()
		p.w.Header().Set(headerRequest, p.id)
		_ = p.rc.SetWriteDeadline(time.Now().Add(writeTime))
		writeJSON(p.w, http.StatusOK, all)
		return nil
	}
	if p.order.usage {
		u := p.frame(p.shape.chunk)
		u.Usage = &p.used
		if err := p.event(u); err != nil {
			return err
		}
	}
	p.headers() // as trailers
	var end []byte
	for _, f := range p.from {
		end = fmt.Appendf(end, ": x-targon-receipt %s\n\n", f.Receipt)
	}
	return p.write(append(end, "data: [DONE]\n\n"...))
}

// headers name what each answer came from.
func (p *reply) headers() {
	for _, f := range p.from {
		f.headers(p.w.Header())
	}
}

func (f provenance) headers(h http.Header) {
	h.Add(headerReceipt, f.Receipt.String())
	h.Add(headerProver, f.Prover.String())
	h.Add(headerUID, strconv.Itoa(int(f.UID)))
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
