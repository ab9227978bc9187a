package gateway

import (
	"encoding/json"
	"slices"
	"strconv"
)

// meanings lists the fields that would change what the answer means and that
// nobody here honours, with the values that ask for nothing. seed is not among
// them: it is accepted and replaced, because the verifier draws all seeds. user,
// metadata, store and unknown fields do not change the answer.
var meanings = []struct {
	field    string
	harmless []string // as plain gives them
	why      string
}{
	{"best_of", []string{"1"}, "the best of several is not chosen here: ask for n"},
	{"tools", []string{"[]"}, "tools are not supported"},
	{"tool_choice", []string{`"none"`, `"auto"`}, "tools are not supported"},
	{"functions", []string{"[]"}, "functions are not supported"},
	{"function_call", []string{`"none"`, `"auto"`}, "functions are not supported"},
	{"logprobs", []string{"false"}, "log-probabilities are not supported"},
	{"top_logprobs", []string{"0"}, "log-probabilities are not supported"},
	{"response_format", []string{`{"type":"text"}`}, "only text is supported"},
	{"presence_penalty", []string{"0"}, "penalties are not supported"},
	{"frequency_penalty", []string{"0"}, "penalties are not supported"},
	{"repetition_penalty", []string{"1"}, "penalties are not supported"},
	{"logit_bias", []string{"{}"}, "biases are not supported"},
	{"echo", []string{"false"}, "the prompt is not repeated"},
	{"suffix", []string{`""`}, "insertion is not supported"},
	{"modalities", []string{`["text"]`}, "only text is supported"},
	{"audio", nil, "only text is supported"},
	{"reasoning_effort", nil, "how much a model reasons cannot be chosen"},
	{"web_search_options", nil, "nothing is searched"},
	// Of vLLM's own (its protocol and sampling_params, read in November 2026).
	{"min_tokens", []string{"0"}, "an answer may end where the model ends it"},
	{"ignore_eos", []string{"false"}, "an answer ends where the model ends it"},
	{"stop_token_ids", []string{"[]"}, "ids that end an answer cannot be chosen: use stop"},
	{"include_stop_str_in_output", []string{"false"}, "nothing of a stop is shown"},
	{"skip_special_tokens", []string{"true"}, "control tokens are not shown"},
	{"bad_words", []string{"[]"}, "words cannot be forbidden"},
	{"allowed_token_ids", nil, "ids cannot be chosen"},
	{"use_beam_search", []string{"false"}, "answers are drawn"},
	{"prompt_logprobs", nil, "log-probabilities are not supported"},
	{"truncate_prompt_tokens", nil, "a prompt is not cut"},
	{"guided_json", nil, whyGuided},
	{"guided_regex", nil, whyGuided},
	{"guided_choice", nil, whyGuided},
	{"guided_grammar", nil, whyGuided},
	{"structured_outputs", nil, whyGuided},
	{"chat_template", nil, whyTemplate},
	{"chat_template_kwargs", []string{"{}"}, whyTemplate},
	{"add_generation_prompt", []string{"true"}, whyTemplate},
	{"continue_final_message", []string{"false"}, whyTemplate},
	{"documents", []string{"[]"}, whyTemplate},
}

const (
	whyGuided   = "an answer's form cannot be prescribed"
	whyTemplate = "the model's template is used as it is"
)

// refuse names the first field that cannot be honoured.
func (b body) refuse() error {
	for _, m := range meanings {
		raw, ok := b[m.field]
		if !ok || string(raw) == "null" {
			continue
		}
		if !slices.Contains(m.harmless, plain(raw)) {
			return badField(m.field, "%s", m.why)
		}
	}
	return nil
}

// plain gives equal JSON values one text: numbers in shortest form, no white space
// outside strings. raw is valid JSON.
func plain(raw json.RawMessage) string {
	if x, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	out, err := json.Marshal(raw)
	if err != nil {
		return ""
	}
	return string(out)
}
