package serve

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"targon"
	"targon/engine/native"
)

// An alternative is one id at one position.
type alternative struct {
	id      targon.TokenID
	logprob float64 // at temperature 1
	rank    int     // 1 is the likeliest
}

// alternatives lists the id that is there, then the likeliest others among the top.
func alternatives(p targon.Position, top int) []alternative {
	out := []alternative{{p.Claimed.ID, p.LogProb, int(p.Rank) + 1}}
	norm := float64(p.Claimed.Logit) - p.LogProb
	for i, c := range p.Top[:min(max(0, top), len(p.Top))] {
		if c.ID != p.Claimed.ID {
			out = append(out, alternative{c.ID, float64(c.Logit) - norm, i + 1})
		}
	}
	return out
}

// A table is a JSON object whose keys keep their order, as Python's do. A key that
// comes twice keeps its first place and its last value. nil is null.
type table []entry

type entry struct {
	key   string
	value any
}

func (t *table) set(key string, value any) {
	for i := range *t {
		if (*t)[i].key == key {
			(*t)[i].value = value
			return
		}
	}
	*t = append(*t, entry{key, value})
}

// MarshalJSON writes the entries in order.
func (t table) MarshalJSON() ([]byte, error) {
	if t == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	for i, e := range t {
		b.WriteByte("{,"[min(i, 1)])
		for j, v := range []any{e.key, e.value} {
			part, err := encode(v)
			if err != nil {
				return nil, err
			}
			b.Write(part)
			b.WriteString([]string{":", ""}[j])
		}
	}
	if len(t) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// A speller says how ids look in log-probabilities.
type speller struct {
	model *native.Model
	asIDs bool
}

func (s speller) spell(id targon.TokenID) string {
	if s.asIDs {
		return fmt.Sprintf("token_id:%d", id)
	}
	return s.model.Spelling(id)
}

// promptEntry is an id of a prompt in prompt_logprobs.
type promptEntry struct {
	Logprob float64 `json:"logprob"`
	Rank    int     `json:"rank"`
	Decoded string  `json:"decoded_token"`
}

// promptTables is prompt_logprobs: null for the first id, then a table for each.
func promptTables(m *native.Model, positions []targon.Position, top int) []table {
	if positions == nil {
		return nil
	}
	out := make([]table, 1, len(positions))
	for _, p := range positions[1:] {
		list := alternatives(p, top)
		t := make(table, 0, len(list))
		for _, a := range list { // ids differ
			t = append(t, entry{strconv.Itoa(int(a.id)), promptEntry{a.logprob, a.rank, m.Spelling(a.id)}})
		}
		out = append(out, t)
	}
	return out
}

// textLogprobs is logprobs of a plain completion.
type textLogprobs struct {
	TextOffset    []int      `json:"text_offset"`
	TokenLogprobs []*float64 `json:"token_logprobs"`
	Tokens        []string   `json:"tokens"`
	TopLogprobs   []table    `json:"top_logprobs"`
	next          int        // where the next token begins, in characters
}

func newTextLogprobs(offset int) *textLogprobs {
	return &textLogprobs{TextOffset: []int{}, TokenLogprobs: []*float64{}, Tokens: []string{}, TopLogprobs: []table{}, next: offset}
}

// first adds the id that nothing comes before: the model says nothing about it.
func (l *textLogprobs) first(s speller, id targon.TokenID) {
	l.token(s.spell(id))
	l.TokenLogprobs, l.TopLogprobs = append(l.TokenLogprobs, nil), append(l.TopLogprobs, nil)
}

func (l *textLogprobs) add(s speller, p targon.Position, top int) {
	l.token(s.spell(p.Claimed.ID))
	t := table{}
	for _, a := range alternatives(p, top) {
		t.set(s.spell(a.id), a.logprob)
	}
	l.TokenLogprobs, l.TopLogprobs = append(l.TokenLogprobs, &p.LogProb), append(l.TopLogprobs, t)
}

func (l *textLogprobs) token(text string) {
	l.TextOffset, l.Tokens = append(l.TextOffset, l.next), append(l.Tokens, text)
	l.next += utf8.RuneCountInString(text)
}

// chatLogprobs is logprobs of a chat.
type chatLogprobs struct {
	Content []chatToken `json:"content"`
}

type chatToken struct {
	chatAlternative
	Top []chatAlternative `json:"top_logprobs"`
}

type chatAlternative struct {
	Token   string  `json:"token"`
	Logprob float64 `json:"logprob"`
	Bytes   []int   `json:"bytes"` // of Token
}

func (l *chatLogprobs) add(s speller, p targon.Position, top int) {
	one := func(a alternative) chatAlternative {
		token := s.spell(a.id)
		out := chatAlternative{Token: token, Logprob: a.logprob, Bytes: make([]int, len(token))}
		for i := range len(token) {
			out.Bytes[i] = int(token[i])
		}
		return out
	}
	list := alternatives(p, top)
	t := chatToken{chatAlternative: one(list[0]), Top: make([]chatAlternative, 0, top)}
	norm := float64(p.Claimed.Logit) - p.LogProb
	for _, c := range p.Top[:min(top, len(p.Top))] { // OpenAI's are the likeliest alone
		a := list[0]
		if c.ID != a.id {
			a = alternative{id: c.ID, logprob: float64(c.Logit) - norm}
		}
		t.Top = append(t.Top, one(a))
	}
	l.Content = append(l.Content, t)
}
