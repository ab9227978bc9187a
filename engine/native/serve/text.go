package serve

import (
	"net/http"

	"targon"
)

type tokenized struct {
	Count   int              `json:"count"`
	Length  int              `json:"max_model_len"`
	Tokens  []targon.TokenID `json:"tokens"`
	Strings []string         `json:"token_strs"`
}

// tokenize answers /tokenize: the ids of a prompt, or of a rendered conversation.
func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) error {
	raw, err := readBody(w, r)
	if err != nil {
		return err
	}
	o, strings, err := parseTokenize(raw)
	if err != nil {
		return err
	}
	if err := s.known(o.model); err != nil {
		return err
	}
	j := &job{order: o}
	if err := s.encode(r.Context(), j); err != nil {
		return err
	}
	list := j.prompts[0].ids
	if list == nil {
		list = []targon.TokenID{}
	}
	out := tokenized{Count: len(list), Length: s.Model.Context(), Tokens: list}
	if strings {
		out.Strings = make([]string, len(list))
		for i, id := range list {
			out.Strings[i] = s.Model.Spelling(id)
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

func parseTokenize(raw []byte) (o order, strings bool, err error) {
	f := parseObject(raw, "")
	f.read("model", &o.model)
	strings = f.flag("return_token_strs", false)
	if f.left["messages"] != nil {
		f.messages(&o)
		if f.flag("add_special_tokens", false) {
			f.fail("add_special_tokens", "is not supported for a chat")
		}
		return o, strings, f.end()
	}
	o.special = f.flag("add_special_tokens", true)
	text := ""
	if !f.read("prompt", &text) {
		f.fail("prompt", "is missing")
	}
	o.texts = []string{text}
	return o, strings, f.end()
}

type detokenized struct {
	Prompt string `json:"prompt"`
}

// detokenize answers /detokenize: the text of ids, control tokens spelled out.
func (s *Server) detokenize(w http.ResponseWriter, r *http.Request) error {
	raw, err := readBody(w, r)
	if err != nil {
		return err
	}
	f := parseObject(raw, "")
	var model string
	f.read("model", &model)
	if f.left["tokens"] == nil {
		f.fail("tokens", "is missing")
	}
	list := f.ids("tokens")
	for i, id := range list {
		if int(id) >= s.Model.Vocab() {
			f.fail("tokens", "id %d at position %d, the model has %d", id, i, s.Model.Vocab())
		}
	}
	if err := f.end(); err != nil {
		return err
	}
	if err := s.known(model); err != nil {
		return err
	}
	if err := s.Model.TextError(); err != nil {
		return badBody("%v", err)
	}
	writeJSON(w, http.StatusOK, detokenized{s.Model.Text(list)})
	return nil
}
