package serve

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"targon"
	"targon/engine/native"
	"targon/engine/native/chat"
)

// none means that no log-probabilities are wanted; all, those of the whole vocabulary.
const (
	none = -2
	all  = -1
)

// An order is a request as its body says it, before a model has been looked at.
type order struct {
	model    string
	messages []chat.Message     // of a chat
	texts    []string           // prompts of a plain completion,
	prompts  [][]targon.TokenID // or the same as ids
	special  bool               // begin texts as the model expects it

	n         int             // answers to each prompt
	maxTokens int64           // -1: as many as fit
	sampling  targon.Sampling // but the seed
	seed      *uint64
	tuning    native.Tuning
	top       int // log-probabilities of the answer
	promptTop int // log-probabilities of the prompt
	echo      bool
	returnIDs bool
	asIDs     bool // "token_id:N" in place of a token's text

	stops       []string
	stopIDs     []targon.TokenID
	includeStop bool

	stream     bool
	usage      bool // in a last chunk
	continuous bool // and in all others
}

// parseText reads the body of /v1/completions.
func parseText(raw []byte) (order, error) {
	f := parseObject(raw, "")
	o := f.common()
	o.maxTokens = f.number("max_tokens", 16, 0, targon.MaxOutputTokens)
	o.top = f.tops("logprobs")
	o.echo = f.flag("echo", false)
	if o.echo && o.top != none && o.tuning.CacheSalt != "" {
		f.fail("cache_salt", "not together with log-probabilities of the prompt")
	}
	o.special = f.flag("add_special_tokens", true)
	f.prompt(&o)
	if answers := o.n * (len(o.texts) + len(o.prompts)); answers > maxPrompts {
		f.fail("n", "%d to each prompt make %d answers, at most %d", o.n, answers, maxPrompts)
	}
	if o.maxTokens == 0 && !o.echo && (o.promptTop == none || o.stream) {
		f.fail("max_tokens", "0 makes sense only with echo, or with prompt_logprobs and no stream")
	}
	return o, f.end()
}

// parseChat reads the body of /v1/chat/completions.
func parseChat(raw []byte) (order, error) {
	f := parseObject(raw, "")
	o := f.common()
	o.maxTokens = f.number("max_tokens", -1, 1, targon.MaxOutputTokens)
	o.maxTokens = f.number("max_completion_tokens", o.maxTokens, 1, targon.MaxOutputTokens)
	o.top = none
	if wanted := f.flag("logprobs", false); wanted {
		o.top = max(0, f.tops("top_logprobs"))
	} else if f.tops("top_logprobs") > 0 {
		f.fail("top_logprobs", "needs logprobs: true")
	}
	for _, name := range []string{"echo", "add_special_tokens"} {
		if f.flag(name, false) {
			f.fail(name, "is not supported for a chat")
		}
	}
	f.messages(&o)
	return o, f.end()
}

// common reads the fields that both have.
func (f *fields) common() order {
	o := order{sampling: f.sampling(), tuning: f.tuning()}
	f.read("model", &o.model)
	var seed int64
	if f.read("seed", &seed) && seed != -1 { // -1 is none, as in vLLM
		u := uint64(seed)
		o.seed = &u
	}
	o.n = int(f.number("n", 1, 1, maxPrompts))
	if o.n > 1 && o.sampling.Temperature == 0 {
		f.fail("n", "must be 1 at temperature 0: all answers would be the same") // vLLM refuses it, too
	}
	o.promptTop = f.tops("prompt_logprobs")
	if f.read("cache_salt", &o.tuning.CacheSalt) && (o.tuning.CacheSalt == "" || len(o.tuning.CacheSalt) > 256) {
		f.fail("cache_salt", "want 1 to 256 bytes") // vLLM refuses an empty one, too
	}
	if o.tuning.CacheSalt != "" && o.promptTop != none {
		f.fail("cache_salt", "not together with prompt_logprobs")
	}
	o.returnIDs = f.flag("return_token_ids", false)
	o.asIDs = f.flag("return_tokens_as_token_ids", false)
	f.stop(&o)
	o.stream = f.flag("stream", false)
	if o.stream && o.promptTop != none && o.promptTop != 0 {
		f.fail("prompt_logprobs", "not available in a stream")
	}
	if raw, ok := f.take("stream_options"); ok {
		options := parseObject(raw, "stream_options.")
		o.usage = options.flag("include_usage", true)
		o.continuous = o.usage && options.flag("continuous_usage_stats", false)
		options.take("include_obfuscation")
		if err := options.end(); err != nil && f.err == nil {
			f.err = err
		}
		if !o.stream {
			f.fail("stream_options", "only with stream: true")
		}
	}
	return o
}

// sampling reads what is drawn from, with vLLM's ranges (its sampling_params). What
// leaves out no id is off.
func (f *fields) sampling() targon.Sampling {
	s := targon.Sampling{Temperature: f.real("temperature", 1, 0, 2)}
	if s.Temperature > 0 {
		s.Temperature = max(s.Temperature, 0.01) // vLLM's _MAX_TEMP
	}
	if s.TopP = f.real("top_p", 1, math.SmallestNonzeroFloat64, 1); s.TopP == 1 {
		s.TopP = 0
	}
	s.TopK = uint32(max(0, f.number("top_k", 0, -1, math.MaxInt32)))
	// A share of 1 of the highest is a hair more than Sampling can say, and keeps the
	// same: the ids that have the highest logit.
	s.MinP = min(f.real("min_p", 0, 0, 1), math.Nextafter(1, 0))
	return s
}

// tuning reads what changes logits.
func (f *fields) tuning() native.Tuning {
	t := native.Tuning{
		Repetition: f.real("repetition_penalty", 1, 1e-6, 100),
		Frequency:  f.real("frequency_penalty", 0, -2, 2),
		Presence:   f.real("presence_penalty", 0, -2, 2),
		MinTokens:  uint32(f.number("min_tokens", 0, 0, targon.MaxOutputTokens)),
		IgnoreEnds: f.flag("ignore_eos", false),
	}
	var bias map[string]float64
	f.read("logit_bias", &bias)
	for name, v := range bias {
		id, err := strconv.ParseInt(name, 10, 32)
		if err != nil || id < 0 || strconv.FormatInt(id, 10) != name || len(bias) > maxBiases {
			f.fail("logit_bias", "want up to %d ids with what is added to their logits", maxBiases)
			break
		}
		if t.Bias == nil {
			t.Bias = make(map[targon.TokenID]float32, len(bias))
		}
		t.Bias[targon.TokenID(id)] = float32(max(-100, min(v, 100))) // vLLM cuts them off, too
	}
	return t
}

// tops reads a number of log-probabilities.
func (f *fields) tops(name string) int {
	return int(f.number(name, none, all, math.MaxInt32))
}

func (f *fields) stop(o *order) {
	if raw, ok := f.take("stop"); ok {
		var one string
		if json.Unmarshal(raw, &one) == nil {
			o.stops = []string{one}
		} else if json.Unmarshal(raw, &o.stops) != nil || len(o.stops) > maxStops {
			f.fail("stop", "want a string or a list of up to %d", maxStops)
		}
	}
	for _, s := range o.stops {
		if s == "" || len(s) > 1024 {
			f.fail("stop", "strings of 1 to 1024 bytes")
		}
	}
	o.stopIDs = f.ids("stop_token_ids")
	o.includeStop = f.flag("include_stop_str_in_output", false)
}

// prompt reads one prompt or a list of them, as text or as ids.
func (f *fields) prompt(o *order) {
	raw, ok := f.take("prompt")
	if !ok {
		f.fail("prompt", "is missing")
		return
	}
	var text string
	var lists []json.RawMessage
	switch one, isIDs := ids(raw); {
	case json.Unmarshal(raw, &text) == nil:
		o.texts = []string{text}
	case isIDs:
		o.prompts = [][]targon.TokenID{one}
	case json.Unmarshal(raw, &lists) != nil || len(lists) > maxPrompts:
		f.fail("prompt", "want a string, a list of ids, or a list of up to %d of one of these", maxPrompts)
	default:
		f.prompts(o, lists)
	}
	for _, text := range o.texts {
		if text == "" {
			f.fail("prompt", "is empty")
		}
	}
	for _, list := range o.prompts {
		if len(list) == 0 || len(list) > targon.MaxPromptTokens {
			f.fail("prompt", "%d ids, want 1 to %d", len(list), targon.MaxPromptTokens)
		}
	}
}

func (f *fields) prompts(o *order, lists []json.RawMessage) {
	for _, raw := range lists {
		var text string
		if list, ok := ids(raw); ok {
			o.prompts = append(o.prompts, list)
		} else if string(raw) != "null" && json.Unmarshal(raw, &text) == nil {
			o.texts = append(o.texts, text)
		}
	}
	if n := len(lists); len(o.prompts) != n && len(o.texts) != n {
		f.fail("prompt", "want a list of strings, or of lists of ids that are 0 or more")
	}
}

// messages reads a conversation.
func (f *fields) messages(o *order) {
	var list []json.RawMessage
	if !f.read("messages", &list) || len(list) == 0 || len(list) > maxMessages {
		f.fail("messages", "want a list of 1 to %d messages", maxMessages)
		return
	}
	for i, raw := range list {
		m := parseObject(raw, fmt.Sprintf("messages[%d].", i))
		var turn chat.Message
		if !m.read("role", &turn.Role) || turn.Role == "" {
			m.fail("role", "is missing")
		}
		turn.Content = m.content()
		if err := m.end(); err != nil && f.err == nil {
			f.err = err
		}
		o.messages = append(o.messages, turn)
	}
}

// content reads a string, or a list of text parts.
func (f *fields) content() string {
	raw, ok := f.take("content")
	var text string
	if ok && json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts []struct {
		Type string  `json:"type"`
		Text *string `json:"text"`
	}
	if !ok || json.Unmarshal(raw, &parts) != nil {
		f.fail("content", "want a string or a list of text parts")
	}
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		if p.Type != "text" || p.Text == nil {
			f.fail("content", "only parts of type text are supported")
			break
		}
		texts = append(texts, *p.Text)
	}
	return strings.Join(texts, "\n") // as vLLM joins them for templates that want text
}
