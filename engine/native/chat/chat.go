// Package chat renders a model's chat template: the Jinja text in its file that
// turns a conversation into one prompt.
//
// It does not tokenize, and it does not judge what a message says. Templates see
// messages (role and content), bos_token, eos_token, add_generation_prompt, the
// functions raise_exception, namespace, dict and range, and the usual filters, as
// the model's own tools give them to a template; they see no files, no clock and no
// randomness, so that the same conversation gives the same prompt everywhere.
//
// # Limits
//
// Template, tags, messages and output have a largest size, and a rendering has a budget of
// steps (statements, loop rounds, calls of macros and functions, outputs, and the text
// that filters and methods work on) and of macro nesting; no value may hold itself. What
// is not bounded is memory within a rendering: 'x' * 1000000000 makes that string before
// anything can refuse it, and so do a template that doubles a variable over and over, a
// join by a long text, and a macro that writes without end. The template is part of the
// model file, which the operator has chosen; the messages are a stranger's, and can cost
// no more than the template makes of them.
//
// A message may spell the control tokens that a template writes between messages.
// Whoever encodes the prompt decides what becomes of that; this package passes
// content through unchanged.
package chat

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// Sizes beyond which a template is not read and a rendering ends.
const (
	MaxTemplate = 64 << 10 // bytes of the template
	MaxMessages = 1 << 20  // bytes of all roles and contents, and 16 for each message
	MaxOutput   = 4 << 20  // bytes of the prompt
	maxTokens   = 1000     // Jinja tokens between {{ and }}, or {% and %}
	maxSteps    = 1 << 18
	maxDepth    = 32 // macros that call macros
	maxRange    = 1 << 16
)

var (
	// ErrTemplate means that a template does not parse or uses what is not offered.
	ErrTemplate = errors.New("unusable chat template")
	// ErrRender means that rendering failed, by a fault of the template.
	ErrRender = errors.New("chat template failed")
	// ErrRefused means that the template refused the messages with raise_exception,
	// such as for roles that do not alternate.
	ErrRefused = errors.New("chat template refuses the messages")
	// ErrLimit means that a size or the budget was exceeded.
	ErrLimit = errors.New("chat template limit")
)

// Message is one turn of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// A Template is a parsed chat template; it is safe for concurrent use.
type Template struct {
	bos, eos string
	parsed   *exec.Template

	mu  sync.Mutex // held while rendering: the guards inside parsed share run
	run *run
}

// New parses a template. bos and eos are the spellings of the model's first and
// last token, "" where it has none.
func New(template, bos, eos string) (t *Template, err error) {
	if len(template) > MaxTemplate {
		return nil, fmt.Errorf("%w: template of %d bytes, at most %d", ErrLimit, len(template), MaxTemplate)
	}
	defer func() {
		if p := recover(); p != nil { // the parser's own invariants, on hostile input
			t, err = nil, fmt.Errorf("%w: %s", ErrTemplate, brief(p))
		}
	}()
	// What Hugging Face's apply_chat_template sets.
	options := config.New()
	options.TrimBlocks, options.LeftStripBlocks = true, true
	if err := checkTags(template, options); err != nil {
		return nil, err
	}
	template = spellChoices(template, options)
	if err := checkTags(template, options); err != nil {
		return nil, err
	}
	state := &run{}
	env, err := environment(state)
	if err != nil {
		return nil, err
	}
	parsed, err := exec.NewTemplate(onlyTemplate, options, loader(template), env)
	if err != nil {
		// The outer error repeats the whole template; the cause says where.
		if cause := errors.Unwrap(err); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("%w: %s", ErrTemplate, brief(err))
	}
	return &Template{bos: bos, eos: eos, parsed: parsed, run: state}, nil
}

// Render returns the prompt of a conversation. With addGenerationPrompt it ends
// where the model's answer begins.
func (t *Template) Render(messages []Message, addGenerationPrompt bool) (text string, err error) {
	size := 0
	list := make([]any, 0, len(messages))
	for _, m := range messages {
		size += len(m.Role) + len(m.Content) + 16
		list = append(list, map[string]any{"role": m.Role, "content": m.Content})
	}
	if size > MaxMessages {
		return "", fmt.Errorf("%w: messages of %d bytes, at most %d", ErrLimit, size, MaxMessages)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	*t.run = run{}
	defer func() {
		if p := recover(); p != nil { // such as a division by zero in the template
			text, err = "", fmt.Errorf("%w: %s", ErrRender, brief(p))
		}
	}()
	var out strings.Builder
	err = t.parsed.Execute(&limitedWriter{w: &out, run: t.run}, exec.NewContext(map[string]any{
		"messages": list, "bos_token": t.bos, "eos_token": t.eos,
		"add_generation_prompt": addGenerationPrompt,
	}))
	// The budget and the template's refusal come first: between here and there their
	// errors may have been turned into text, or swallowed by a filter.
	switch {
	case t.run.exceeded != "":
		return "", fmt.Errorf("%w: %s", ErrLimit, t.run.exceeded)
	case t.run.raised:
		return "", fmt.Errorf("%w: %s", ErrRefused, brief(t.run.refusal))
	case err != nil:
		return "", fmt.Errorf("%w: %s", ErrRender, brief(err))
	}
	return out.String(), nil
}

// brief makes an error of the template engine, which may quote the template, one
// short line.
func brief(v any) string {
	s := strings.Join(strings.Fields(fmt.Sprint(v)), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:200], "") + " ... " + strings.ToValidUTF8(s[len(s)-100:], "")
	}
	return s
}

// checkTags bounds how deep an expression can nest, by its length: the parser
// recurses with 12 KiB of stack for each bracket, and a stack that overflows ends the
// process. It also holds set to what [store] can watch.
func checkTags(template string, options *config.Config) error {
	inside, set := 0, target{}
	for s := tokens.LexAll(template, options); !s.End(); s.Next() {
		switch s.Current().Type {
		case tokens.BlockBegin, tokens.VariableBegin, tokens.Data:
			inside = 0
		default: // goes on with the tag
		}
		if inside++; inside > maxTokens {
			return fmt.Errorf("%w: a tag of more than %d tokens", ErrLimit, maxTokens)
		}
		if err := set.token(s.Current()); err != nil {
			return err
		}
	}
	return nil
}

// onlyTemplate is the one name that a loader knows.
const onlyTemplate = "chat template"

// A loader holds one template and refuses to name, find or read another, so that no
// template reaches a file.
type loader string

func (l loader) Read(path string) (io.Reader, error) {
	if path != onlyTemplate {
		return nil, fmt.Errorf("%w: a chat template reads no other file", ErrTemplate)
	}
	return strings.NewReader(string(l)), nil
}

func (l loader) Resolve(path string) (string, error) {
	if path != onlyTemplate {
		return "", fmt.Errorf("%w: a chat template reads no other file", ErrTemplate)
	}
	return path, nil
}
