// Package tokenizer turns text into a model's token ids and back, as the model's
// GGUF file says.
//
// It implements the two kinds of byte-pair encoding that such files name in
// tokenizer.ggml.model. SentencePiece's ("llama") cuts the text into characters and
// merges the adjacent pair whose concatenation is the piece of the highest score,
// until none is left. The byte-level one ("gpt2") first cuts the text into words by
// the rule that tokenizer.ggml.pre names ([ErrUnsupported] lists those known), and
// then merges within each word the adjacent pair that comes first in
// tokenizer.ggml.merges. Other tokenizers are refused with [ErrUnsupported]; a model
// without a usable tokenizer can still be scored by ids. The package does not render
// chat templates, does not normalise text and does not decide where a generation
// ends.
//
// Three invariants hold. Plain text, encoded by [Tokenizer.Encode], never becomes a
// control token, whatever it spells, so that a user cannot forge the turns of a
// conversation. Encoding loses nothing where the vocabulary has a token for every
// byte: the pieces of the ids, one after another, are the text's bytes, valid UTF-8
// or not. And a [Decoder] never emits half a character.
//
// # What is like llama.cpp and what is not
//
// The ids are those of llama.cpp (llm_tokenizer_spm, llm_tokenizer_bpe and
// tokenizer_st_partition in llama-vocab.cpp): user-defined tokens are found in plain
// text too, control tokens in rendered templates only, and SentencePiece's prefix
// stands before each stretch between them. The differences:
//
//   - Of special tokens that overlap in a text, the leftmost and of those the longest
//     is taken, as Hugging Face's tokenizers do; llama.cpp takes the longest of the
//     whole text first.
//   - White space beside a special token stays. llama.cpp strips it for a few models.
//   - 'ſ (the long s) ends a word like 's where the rule ignores case, as the
//     published regular expressions say; llama.cpp looks for s and S alone.
//   - Merges that a byte-level file lists without having their tokens are an
//     [ErrFormat]; llama.cpp drops the bytes.
//
// Qwen's own tokenizer composes characters (NFC) before it encodes; llama.cpp does
// not, and neither does this package, as the text would not come back unchanged.
package tokenizer

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"targon"
	"targon/engine/native/gguf"
)

var (
	// ErrUnsupported means that the file has no tokenizer, or one of another kind.
	ErrUnsupported = errors.New("unsupported tokenizer")
	// ErrFormat means that the file's tokenizer contradicts itself.
	ErrFormat = errors.New("malformed tokenizer")
)

// A Tokenizer is immutable and safe for concurrent use.
type Tokenizer struct {
	vocabulary
	encoder encoder
	plain   index // the special tokens of plain text: user-defined ones
	special index // those of a rendered template: control tokens as well
	prefix  bool  // a space is put before each stretch of text
}

// An encoder is one kind of encoding.
type encoder interface {
	// encode appends the ids of a stretch of text in which no special token is
	// looked for. None of them is a control token.
	encode(ids []targon.TokenID, text string) []targon.TokenID
}

// New reads the tokenizer of a model file, which it keeps: tokens stay where they are there.
func New(f *gguf.File) (*Tokenizer, error) {
	model, ok := f.String(keyModel)
	if !ok {
		return nil, fmt.Errorf("%w: the file has none (%s)", ErrUnsupported, keyModel)
	}
	t := &Tokenizer{}
	var err error
	switch model {
	case "llama":
		err = t.readSentencePiece(f)
	case "gpt2":
		err = t.readByteLevel(f)
	default:
		err = fmt.Errorf("%w: %s is %.40q, only \"llama\" and \"gpt2\" are read", ErrUnsupported, keyModel, model)
	}
	if err != nil {
		return nil, err
	}
	t.plain = t.indexOf(userDefined)
	t.special = t.indexOf(userDefined, control)
	return t, nil
}

// flag reads a truth value that a file may leave out.
func flag(f *gguf.File, key string, fallback bool) bool {
	if v, ok := f.Bool(key); ok {
		return v
	}
	return fallback
}

// Vocab returns the number of tokens.
func (t *Tokenizer) Vocab() int { return t.texts.Len() }

// BOS returns the token that begins a text, if the model has one.
func (t *Tokenizer) BOS() (targon.TokenID, bool) { return t.bos, t.bos != absent }

// AddBOS reports whether the model expects its prompts to begin with BOS.
func (t *Tokenizer) AddBOS() bool { return t.addBOS && t.bos != absent }

// AddEOS reports whether the model has seen its texts end with an end token. Nothing
// here appends one: a prompt is there to be continued.
func (t *Tokenizer) AddEOS() bool { return t.addEOS && len(t.eos) > 0 }

// EOS returns the tokens that end a text (end of text, turn or message), sorted.
func (t *Tokenizer) EOS() []targon.TokenID { return slices.Clone(t.eos) }

// Text returns how a token is written in the vocabulary, for templates that name
// the first and last token; "" for an id outside it.
func (t *Tokenizer) Text(id targon.TokenID) string {
	if id < 0 || int(id) >= t.texts.Len() {
		return ""
	}
	defer runtime.KeepAlive(t)
	return string(t.texts.At(int(id)))
}

// Piece returns the bytes that a token stands for, which may be less than a
// character; "" for control tokens, unused ones and ids outside the vocabulary.
func (t *Tokenizer) Piece(id targon.TokenID) string {
	if id < 0 || int(id) >= t.texts.Len() {
		return ""
	}
	var buf [64]byte
	piece := t.piece(buf[:0], id)
	runtime.KeepAlive(t)
	return string(piece)
}
