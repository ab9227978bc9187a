package serve

import (
	"fmt"
	"strings"

	"targon"
)

// usage counts ids; the one that ended an answer counts.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Total      int `json:"total_tokens"`
	Completion int `json:"completion_tokens"`
}

func (u *usage) add(prompt, completion int) {
	u.Prompt, u.Completion = u.Prompt+prompt, u.Completion+completion
	u.Total = u.Prompt + u.Completion
}

// reply is the part that answers, whole or in chunks, have in common.
type reply struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []any  `json:"choices"`
	Usage   *usage `json:"usage,omitempty"`

	// Of a chat; a plain completion has them in its choices.
	PromptLogprobs *[]table          `json:"prompt_logprobs,omitempty"`
	PromptIDs      *[]targon.TokenID `json:"prompt_token_ids,omitempty"`
}

// ending is why an answer, or a chunk of it, ends.
type ending struct {
	Finish *string `json:"finish_reason"`
	Reason any     `json:"stop_reason"`
}

func (x step) ending() ending {
	if x.finish == "" {
		return ending{}
	}
	return ending{&x.finish, x.reason}
}

type textChoice struct {
	Index    int           `json:"index"`
	Text     string        `json:"text"`
	Logprobs *textLogprobs `json:"logprobs"`
	ending
	IDs            []targon.TokenID `json:"token_ids"`
	PromptIDs      []targon.TokenID `json:"prompt_token_ids"`
	PromptLogprobs *[]table         `json:"prompt_logprobs,omitempty"` // not in a chunk
}

type chatChoice struct {
	Index    int           `json:"index"`
	Message  *turn         `json:"message,omitempty"`
	Delta    *turn         `json:"delta,omitempty"` // of a chunk
	Logprobs *chatLogprobs `json:"logprobs"`
	ending
	IDs []targon.TokenID `json:"token_ids"`
}

type turn struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

// A part is some steps of the answer to one prompt: all of them, or one.
type part struct {
	index     int
	prompt    prompt
	positions []targon.Position // of the prompt
	steps     []step
	begins    bool // the first part of this answer
	offset    int  // of its text, in characters
}

func (p *part) end() ending {
	if len(p.steps) == 0 { // nothing was to be generated
		return step{finish: "length"}.ending()
	}
	return p.steps[len(p.steps)-1].ending()
}

func (p *part) text() string {
	var b strings.Builder
	for _, x := range p.steps {
		b.WriteString(x.text)
	}
	return b.String()
}

// ids returns what was drawn, never nil: a nil would be null.
func (p *part) ids() []targon.TokenID {
	out := make([]targon.TokenID, 0, len(p.steps))
	for _, x := range p.steps {
		out = append(out, x.id)
	}
	return out
}

// shape is what tells the two endpoints' answers apart.
type shape struct {
	prefix, object, chunk string
	chat                  bool
}

var (
	textShape = shape{"cmpl-", "text_completion", "text_completion", false}
	chatShape = shape{"chatcmpl-", "chat.completion", "chat.completion.chunk", true}
)

// frame returns an answer or chunk without choices.
func (s *Server) frame(by shape, j *job) reply {
	r := reply{ID: fmt.Sprintf("%s%016x%016x", by.prefix, s.Random(), s.Random()), Object: by.object, Created: s.Now().Unix(), Model: s.Name, Choices: []any{}}
	if j.stream {
		r.Object = by.chunk
	}
	return r
}

// textChoice renders a part of a plain completion.
func (s *Server) textChoice(j *job, p part) textChoice {
	c := textChoice{Index: p.index, Text: p.text(), ending: p.end()}
	echo := j.echo && p.begins
	if echo && !j.returnIDs { // with ids, vLLM leaves the prompt's text out
		c.Text = p.prompt.text + c.Text
	}
	if j.returnIDs {
		c.IDs = p.ids()
		if p.begins {
			c.PromptIDs = p.prompt.ids
		}
	}
	if !j.stream {
		t := promptTables(s.Model, p.positions, j.promptTop)
		c.PromptLogprobs = &t
	}
	if j.top == none {
		return c
	}
	sp := speller{s.Model, j.asIDs}
	c.Logprobs = newTextLogprobs(p.offset)
	if echo {
		c.Logprobs.first(sp, p.prompt.ids[0])
		for _, at := range p.positions[1:] {
			c.Logprobs.add(sp, at, min(j.top, j.promptTop))
		}
	}
	for _, x := range p.steps {
		c.Logprobs.add(sp, x.at, j.top)
	}
	return c
}

// chatChoice renders a part of a chat's answer.
func (s *Server) chatChoice(j *job, p part) chatChoice {
	text := p.text()
	c := chatChoice{Index: p.index, ending: p.end()}
	if j.stream {
		c.Delta = &turn{Content: &text}
	} else {
		c.Message = &turn{"assistant", &text}
	}
	if j.returnIDs {
		c.IDs = p.ids()
	}
	if j.top != none {
		c.Logprobs = &chatLogprobs{Content: []chatToken{}}
		for _, x := range p.steps {
			c.Logprobs.add(speller{s.Model, j.asIDs}, x.at, j.top)
		}
	}
	return c
}
