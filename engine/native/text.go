package native

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"targon"
	"targon/engine/native/chat"
	"targon/engine/native/gguf"
	"targon/engine/native/tokenizer"
)

// text is what a model knows of words. Everything in it may be absent.
type text struct {
	tok *tokenizer.Tokenizer
	err error // why tok is nil
	// template is read when it is first wanted: many a model never renders a conversation,
	// and reading takes a seventh of a megabyte.
	template func() (*chat.Template, error)
	bos      string
	eos      []targon.TokenID
}

const (
	keyTemplate = "tokenizer.chat_template"
	keyEOS      = "tokenizer.ggml.eos_token_id"
)

// readText never fails: a model can be scored by ids alone.
func readText(f *gguf.File, vocab int) text {
	tok, err := tokenizer.New(f)
	if err == nil && tok.Vocab() > vocab {
		err = fmt.Errorf("it has %d ids, the weights %d", tok.Vocab(), vocab)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrNoTokenizer, err)
		none := func() (*chat.Template, error) { return nil, err }
		return text{err: err, template: none, eos: namedEnds(f, vocab)}
	}
	t := text{tok: tok, eos: tok.EOS()}
	if id, ok := tok.BOS(); ok {
		t.bos = tok.Text(id)
	}
	bos := t.bos
	t.template = sync.OnceValues(func() (*chat.Template, error) { return readTemplate(f, tok, bos) })
	return t
}

func readTemplate(f *gguf.File, tok *tokenizer.Tokenizer, bos string) (*chat.Template, error) {
	source, ok := f.String(keyTemplate)
	if !ok {
		return nil, ErrNoTemplate
	}
	var eos string
	if id, ok := f.Uint(keyEOS); ok && id < uint64(tok.Vocab()) {
		eos = tok.Text(targon.TokenID(id))
	}
	t, err := chat.New(source, bos, eos)
	if err != nil {
		return nil, fmt.Errorf("%w that could be used: %w", ErrNoTemplate, err)
	}
	return t, nil
}

// namedEnds reads the ids that end an answer when the tokenizer cannot tell.
func namedEnds(f *gguf.File, vocab int) []targon.TokenID {
	var ends []targon.TokenID
	for _, key := range []string{keyEOS, "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"} {
		if id, ok := f.Uint(key); ok && id < uint64(vocab) {
			ends = append(ends, targon.TokenID(id))
		}
	}
	slices.Sort(ends)
	return slices.Compact(ends)
}

// Encode returns the ids of a text, nil when the file has no usable tokenizer.
func (m *Model) Encode(s string, bos bool) []targon.TokenID {
	if m.text.tok == nil {
		return nil
	}
	return m.text.tok.Encode(s, bos)
}

// Prompt returns the ids of a whole prompt that is given as text, as tokenizers of the
// Hugging Face kind encode it: the spelling of a control token becomes that token, and
// with special the prompt begins as the model expects it. It returns nil when the file
// has no usable tokenizer.
func (m *Model) Prompt(s string, special bool) []targon.TokenID {
	if m.text.tok == nil {
		return nil
	}
	return m.text.tok.EncodeSpecial(s, special && m.text.tok.AddBOS())
}

// Text returns the text of ids, control tokens spelled out: what [Model.Prompt] reads.
// It is empty when the file has no usable tokenizer.
func (m *Model) Text(ids []targon.TokenID) string {
	if m.text.tok == nil {
		return ""
	}
	var b strings.Builder
	d := m.text.tok.StartDecoder()
	for _, id := range ids {
		if m.text.tok.Piece(id) != "" {
			b.WriteString(d.Add(id))
			continue
		}
		b.WriteString(d.Flush())
		b.WriteString(d.Add(id)) // nothing, but the decoder must see it
		b.WriteString(m.text.tok.Text(id))
	}
	b.WriteString(d.Flush())
	return b.String()
}

// Spelling returns how one id looks by itself: bytes that are less than a character
// as U+FFFD, a control token as it is written in the vocabulary.
func (m *Model) Spelling(id targon.TokenID) string {
	if m.text.tok == nil {
		return ""
	}
	if piece := m.text.tok.Piece(id); piece != "" {
		return strings.ToValidUTF8(piece, "\uFFFD")
	}
	return m.text.tok.Text(id)
}

// Render returns the prompt of a conversation, up to where the answer begins. The
// error is an ErrNoTemplate when the file has no template that can be used.
//
// The template's control tokens are recognised by their spelling, so a message that
// spells one forges it, as with every engine that renders text before ids.
func (m *Model) Render(messages []chat.Message) ([]targon.TokenID, error) {
	template, err := m.text.template()
	if err != nil {
		return nil, fmt.Errorf("render prompt: %w", err)
	}
	s, err := template.Render(messages, true)
	if err != nil {
		return nil, fmt.Errorf("render prompt: %w", err)
	}
	begin := m.text.tok.AddBOS() && !strings.HasPrefix(s, m.text.bos)
	return m.text.tok.EncodeSpecial(s, begin), nil
}

// Decoder returns a decoder for an answer's ids, nil when the file has no usable
// tokenizer.
func (m *Model) Decoder() *tokenizer.Decoder {
	if m.text.tok == nil {
		return nil
	}
	return m.text.tok.Decoder()
}

// TextError reports why the file's tokenizer cannot be used, nil when it can.
func (m *Model) TextError() error { return m.text.err }

// EOS returns the ids that end an answer, sorted.
func (m *Model) EOS() []targon.TokenID { return slices.Clone(m.text.eos) }
