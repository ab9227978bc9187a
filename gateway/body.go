package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"targon"
	"targon/wire/exact"
)

// Bounds of a body. Whatever is larger is refused before it costs more than
// reading it.
const (
	maxBody     = 1 << 20
	maxDepth    = 16
	maxMessages = 1024
	bodyTime    = 15 * time.Second
)

// order is what a user asked for, of either endpoint.
type order struct {
	model       string
	messages    []Message // of a chat
	prompts     []string  // of plain completions
	n           int       // answers to each prompt
	maxTokens   uint32    // 0: not said
	temperature float64
	topK        uint32 // these three as in targon.Sampling
	topP, minP  float64
	stop        []string // sequences that end what the user sees
	stream      bool
	usage       bool // stream_options.include_usage
	optedOut    bool
}

// body is a JSON object taken apart one level deep. Names are compared exactly,
// unlike encoding/json's.
type body map[string]json.RawMessage

// readBody reads at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if c := r.Header.Get("Content-Encoding"); c != "" && c != "identity" {
		return nil, errCoding
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errLarge
		}
		return nil, fmt.Errorf("%w: it ended early", errBody)
	}
	// The deadline that Handler set must be gone before the answer, or the server would
	// take it for the user's going away. Writers that have no deadline (tests) need none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if err := exact.Text(raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	return raw, nil
}

// parseBody takes a body of at most maxDepth levels apart.
func parseBody(raw []byte) (body, error) {
	if depth(raw) > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d levels", errBody, maxDepth)
	}
	var b body
	err := json.Unmarshal(raw, &b)
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok { // such as NaN, which Python writes
		return nil, fmt.Errorf("%w: not JSON: %w, after %d bytes", errBody, wrong, wrong.Offset)
	}
	if err != nil || b == nil {
		return nil, fmt.Errorf("%w: not a JSON object", errBody)
	}
	return b, nil
}

// depth returns how deep brackets nest, outside strings. It does not care whether
// the rest is JSON.
func depth(raw []byte) int {
	level, deepest, inside := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// get decodes a field into dst and reports whether it was there and not null.
func (b body) get(field string, dst any) (bool, error) {
	raw, ok := b[field]
	if !ok || string(raw) == "null" {
		return false, nil
	}
	if wanted, ok := exact.Field(raw, dst); !ok {
		return false, badField(field, "has the wrong type, want %s", wanted)
	}
	return true, nil
}

// parseChat reads the body of /v1/chat/completions.
func parseChat(b body) (order, error) {
	o, err := b.common()
	if err != nil {
		return order{}, err
	}
	var turns []json.RawMessage // their number first: fields take more memory than text
	if ok, err := b.get("messages", &turns); err != nil || !ok || len(turns) == 0 {
		return order{}, badField("messages", "want a list of at least one message")
	}
	if len(turns) > maxMessages {
		return order{}, badField("messages", "%d messages, at most %d", len(turns), maxMessages)
	}
	for i, raw := range turns {
		var turn body
		if json.Unmarshal(raw, &turn) != nil {
			return order{}, badField(fmt.Sprintf("messages[%d]", i), "want an object")
		}
		m, err := turn.message()
		if f, ok := errors.AsType[*fieldError](err); ok {
			return order{}, badField(fmt.Sprintf("messages[%d].%s", i, f.field), "%s", f.text)
		}
		o.messages = append(o.messages, m)
	}
	return o, nil
}

// The roles of a conversation.
const (
	roleSystem    = "system"
	roleUser      = "user"
	roleAssistant = "assistant"
)

// message reads one turn. What clients repeat of an answer besides its text (refusal,
// annotations, audio) means nothing, unless a tool was called: then the turn is more than
// its text.
func (b body) message() (Message, error) {
	var m Message
	_, err := b.get("role", &m.Role)
	switch {
	case m.Role == "developer": // OpenAI's newer word for system
		m.Role = roleSystem
	case err != nil || m.Role != roleSystem && m.Role != roleUser && m.Role != roleAssistant:
		return m, badField("role", "want system, user or assistant")
	}
	for _, call := range []string{"tool_calls", "function_call"} {
		if raw, ok := b[call]; ok && string(raw) != "null" && plain(raw) != "[]" {
			return m, badField(call, "tools are not supported")
		}
	}
	raw := b["content"]
	if m.Role == roleAssistant && (len(raw) == 0 || string(raw) == "null") {
		return m, nil // as clients repeat a turn that had no text
	}
	if m.Content, err = contentOf(raw); err != nil {
		return m, badField("content", "%v", err)
	}
	return m, nil
}

// contentOf accepts a string, or a list of text parts.
func contentOf(raw json.RawMessage) (string, error) {
	var s string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		return s, nil
	}
	var parts []struct {
		Type string  `json:"type"`
		Text *string `json:"text"`
	}
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &parts) != nil {
		return "", errors.New("want a string or a list of text parts")
	}
	var all strings.Builder
	for _, p := range parts {
		if p.Type != "text" || p.Text == nil {
			return "", errors.New("only parts of type text are supported")
		}
		all.WriteString(*p.Text)
	}
	return all.String(), nil
}

// parseText reads the body of /v1/completions.
func parseText(b body) (order, error) {
	o, err := b.common()
	if err != nil {
		return order{}, err
	}
	var one string
	if _, err := b.get("prompt", &one); err == nil && one != "" {
		o.prompts = []string{one}
		return o, nil
	}
	ok, err := b.get("prompt", &o.prompts)
	if err != nil || !ok || len(o.prompts) == 0 || slices.Contains(o.prompts, "") {
		return order{}, badField("prompt", "want a string that is not empty, or a list of such strings; token ids are not supported")
	}
	if o.answers() > maxAnswers {
		return order{}, badField("prompt", "%d answers to one request, at most %d", o.answers(), maxAnswers)
	}
	return o, nil
}

// maxAnswers is how many answers one request may ask for.
const maxAnswers = 8

// answers is how many answers a request asks for.
func (o order) answers() int { return o.n * max(1, len(o.prompts)) }

// several reads how many answers are wanted to each prompt.
func (b body) several(o *order) error {
	n := 1.0
	if _, err := b.get("n", &n); err != nil {
		return err
	}
	if !(n >= 1 && n <= maxAnswers) || n != math.Trunc(n) {
		return badField("n", "want 1 to %d", maxAnswers)
	}
	o.n = int(n)
	return nil
}

// common reads the fields that both endpoints have.
func (b body) common() (order, error) {
	o := order{temperature: 1}
	if err := b.refuse(); err != nil {
		return order{}, err
	}
	if ok, err := b.get("model", &o.model); err != nil || !ok || o.model == "" {
		return order{}, badField("model", "want the name of a model, see /v1/models")
	}
	if _, err := b.get("temperature", &o.temperature); err != nil {
		return order{}, err
	}
	if math.IsNaN(o.temperature) || o.temperature < 0 || o.temperature > 2 {
		return order{}, badField("temperature", "want 0 to 2")
	}
	o.temperature = math.Abs(o.temperature) // -0 would be refused by Request.Validate
	if err := b.filters(&o); err != nil {
		return order{}, err
	}
	if err := b.several(&o); err != nil {
		return order{}, err
	}
	if err := b.stops(&o); err != nil {
		return order{}, err
	}
	if _, err := b.get("stream", &o.stream); err != nil {
		return order{}, err
	}
	var options struct {
		IncludeUsage bool `json:"include_usage"`
	}
	if _, err := b.get("stream_options", &options); err != nil {
		return order{}, err
	}
	o.usage = options.IncludeUsage
	return o, b.limit(&o)
}

// filters reads which ids may be drawn, with vLLM's ranges (its sampling_params). What
// leaves out none is not passed on.
func (b body) filters(o *order) error {
	topP, topK := 1.0, 0.0
	for _, f := range []struct {
		name string
		to   *float64
	}{{"top_p", &topP}, {"top_k", &topK}, {"min_p", &o.minP}} {
		if _, err := b.get(f.name, f.to); err != nil {
			return err
		}
	}
	switch {
	case !(topP > 0 && topP <= 1):
		return badField("top_p", "want more than 0, to 1")
	case topK != math.Trunc(topK) || topK < -1 || topK > math.MaxInt32:
		return badField("top_k", "want a number of ids, 0 or -1 for all")
	case !(o.minP >= 0 && o.minP <= 1):
		return badField("min_p", "want 0 to 1")
	}
	if topP < 1 {
		o.topP = topP
	}
	o.topK = uint32(max(0, topK))
	// A share of 1 of the highest is a hair more than what a request can say, and keeps
	// the same: the ids that have the highest logit.
	o.minP = min(math.Abs(o.minP), math.Nextafter(1, 0))
	return nil
}

// limit reads max_completion_tokens, or its older name.
func (b body) limit(o *order) error {
	for _, field := range []string{"max_tokens", "max_completion_tokens"} {
		var n int64
		ok, err := b.get(field, &n)
		if err != nil {
			return err
		}
		if ok && n < 1 {
			return badField(field, "want 1 or more")
		}
		if ok {
			o.maxTokens = uint32(min(n, targon.MaxOutputTokens))
		}
	}
	return nil
}
