// Package tokenizer turns text into a model's token ids and back, as the model's
// GGUF file says.
//
// It implements the SentencePiece kind of byte-pair encoding (tokenizer.ggml.model
// "llama"): the text is cut into characters, and the adjacent pair whose
// concatenation is the piece of the highest score is merged until none is left.
// Other tokenizers are refused with [ErrUnsupported]; a model without a usable
// tokenizer can still be scored by ids. The package does not render chat templates
// and does not decide where a generation ends.
//
// Two invariants hold. Plain text, encoded by [Tokenizer.Encode], never becomes a
// control token, whatever it spells, so that a user cannot forge the turns of a
// conversation. And a [Decoder] never emits half a character.
//
// The ids are those of llama.cpp (llm_tokenizer_spm in llama-vocab.cpp), with one
// difference: llama.cpp also finds user-defined tokens in plain text.
package tokenizer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"targon"
	"targon/engine/native/gguf"
)

var (
	// ErrUnsupported means that the file has no tokenizer, or one of another kind.
	ErrUnsupported = errors.New("unsupported tokenizer")
	// ErrFormat means that the file's tokenizer contradicts itself.
	ErrFormat = errors.New("malformed tokenizer")
)

// Metadata keys of the GGUF specification.
const (
	keyModel  = "tokenizer.ggml.model"
	keyTokens = "tokenizer.ggml.tokens"
	keyScores = "tokenizer.ggml.scores"
	keyTypes  = "tokenizer.ggml.token_type"
	keyUnk    = "tokenizer.ggml.unknown_token_id"
	keyBOS    = "tokenizer.ggml.bos_token_id"
	keyEOS    = "tokenizer.ggml.eos_token_id"
	keyEOT    = "tokenizer.ggml.eot_token_id"
	keyEOM    = "tokenizer.ggml.eom_token_id"
	keyAddBOS = "tokenizer.ggml.add_bos_token"
	keyPrefix = "tokenizer.ggml.add_space_prefix"
)

// A kind says what a token stands for, numbered as llama_token_type in llama.h.
type kind uint8

const (
	normal      kind = 1
	unknown     kind = 2
	control     kind = 3
	userDefined kind = 4
	unused      kind = 5
	byteToken   kind = 6
)

const (
	space  = "\u2581" // stands for a space inside pieces
	absent = targon.TokenID(-1)
)

// A Tokenizer is immutable and safe for concurrent use.
type Tokenizer struct {
	texts    []string // as the file has them
	decoded  []string // what each token means as text
	kinds    []kind
	scores   []float32
	pieces   map[string]targon.TokenID // normal tokens
	longest  int                       // bytes of the longest piece
	bytes    [256]targon.TokenID
	special  [256][]targon.TokenID // control and user-defined by first byte, longest first
	unk, bos targon.TokenID
	eos      []targon.TokenID
	addBOS   bool
	prefix   bool
}

// New reads the tokenizer of a model file.
func New(f *gguf.File) (*Tokenizer, error) {
	model, ok := f.String(keyModel)
	if !ok {
		return nil, fmt.Errorf("%w: the file has none (%s)", ErrUnsupported, keyModel)
	}
	if model != "llama" {
		return nil, fmt.Errorf("%w: %s is %.40q, only \"llama\" is read", ErrUnsupported, keyModel, model)
	}
	t := &Tokenizer{addBOS: true, prefix: true, pieces: map[string]targon.TokenID{}}
	if v, ok := f.Bool(keyAddBOS); ok {
		t.addBOS = v
	}
	if v, ok := f.Bool(keyPrefix); ok {
		t.prefix = v
	}
	if err := t.readVocabulary(f); err != nil {
		return nil, err
	}
	if err := t.readNamed(f); err != nil {
		return nil, err
	}
	if err := t.index(); err != nil {
		return nil, err
	}
	return t, nil
}

// readVocabulary takes the three parallel lists of the file.
func (t *Tokenizer) readVocabulary(f *gguf.File) error {
	t.texts, _ = f.Strings(keyTokens)
	t.scores, _ = f.Floats(keyScores)
	if n := len(t.texts); n == 0 || n > math.MaxInt32 {
		return fmt.Errorf("%w: %d tokens in %s", ErrFormat, n, keyTokens)
	}
	if len(t.scores) != len(t.texts) {
		return fmt.Errorf("%w: %d tokens but %d scores", ErrFormat, len(t.texts), len(t.scores))
	}
	for id, s := range t.scores {
		if s != s { // NaN would leave the order of merges undefined
			return fmt.Errorf("%w: the score of token %d is not a number", ErrFormat, id)
		}
	}
	t.kinds = make([]kind, len(t.texts))
	if _, ok := f.Value(keyTypes); !ok {
		for id, text := range t.texts {
			t.kinds[id] = normal
			if _, ok := parseByte(text); ok {
				t.kinds[id] = byteToken
			}
		}
		return nil
	}
	types, _ := f.Ints(keyTypes)
	if len(types) != len(t.texts) {
		return fmt.Errorf("%w: %d tokens but %d types", ErrFormat, len(t.texts), len(types))
	}
	for id, v := range types {
		if v < int64(normal) || v > int64(byteToken) {
			return fmt.Errorf("%w: token %d is of type %d", ErrFormat, id, v)
		}
		t.kinds[id] = kind(v)
	}
	return nil
}

// readNamed takes the ids that the file gives a role.
func (t *Tokenizer) readNamed(f *gguf.File) error {
	// Defaults of llama.cpp for this kind of tokenizer, taken only if they fit.
	var err error
	if t.unk, err = t.named(f, keyUnk, 0, unknown); err != nil {
		return err
	}
	if t.bos, err = t.named(f, keyBOS, 1, control); err != nil {
		return err
	}
	for _, key := range []string{keyEOS, keyEOT, keyEOM} {
		fallback := absent
		if key == keyEOS {
			fallback = 2
		}
		id, err := t.named(f, key, fallback, control)
		if err != nil {
			return err
		}
		if id != absent {
			t.eos = append(t.eos, id)
		}
	}
	slices.Sort(t.eos)
	t.eos = slices.Compact(t.eos)
	return nil
}

// named returns the id under a key. Where the key is missing, the fallback stands in
// if the vocabulary has a token of that kind there. What begins or ends a text is a
// control token from then on, even if the file's types say otherwise.
func (t *Tokenizer) named(f *gguf.File, key string, fallback targon.TokenID, k kind) (targon.TokenID, error) {
	_, typed := f.Value(keyTypes)
	id := fallback
	switch v, ok := f.Uint(key); {
	case ok && v == math.MaxUint32: // how converters write "none"
		return absent, nil
	case ok && v < uint64(len(t.texts)):
		id = targon.TokenID(v)
	case ok:
		return absent, fmt.Errorf("%w: %s is %d of %d tokens", ErrFormat, key, v, len(t.texts))
	case fallback == absent || int(fallback) >= len(t.texts) || typed && t.kinds[fallback] != k:
		return absent, nil
	}
	if k == control || !typed {
		t.kinds[id] = k
	}
	return id, nil
}

// index builds what encoding and decoding look up.
func (t *Tokenizer) index() error {
	for b := range t.bytes {
		t.bytes[b] = absent
	}
	t.decoded = make([]string, len(t.texts))
	for i, text := range t.texts {
		id := targon.TokenID(i)
		switch t.kinds[i] {
		case normal:
			t.decoded[i] = strings.ReplaceAll(text, space, " ")
			if text != "" {
				t.pieces[text] = id // of several the last, as in llama.cpp
				t.longest = max(t.longest, len(text))
			}
		case byteToken:
			b, ok := parseByte(text)
			if !ok {
				return fmt.Errorf("%w: byte token %d is %.20q", ErrFormat, i, text)
			}
			t.decoded[i] = string([]byte{b})
			t.bytes[b] = id
		case unknown:
			t.decoded[i] = "\uFFFD"
		case control, userDefined:
			if t.kinds[i] == userDefined {
				t.decoded[i] = text
			}
			if text != "" {
				t.special[text[0]] = append(t.special[text[0]], id)
			}
		}
	}
	for _, list := range t.special {
		slices.SortStableFunc(list, func(a, b targon.TokenID) int { return len(t.texts[b]) - len(t.texts[a]) })
	}
	if t.unk == absent && slices.Contains(t.bytes[:], absent) {
		return fmt.Errorf("%w: neither a token for every byte nor one for the unknown", ErrFormat)
	}
	return nil
}

// parseByte reads the text of a byte token, such as <0x0A>.
func parseByte(text string) (byte, bool) {
	if len(text) != 6 || text[:3] != "<0x" || text[5] != '>' {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, text[3]), strings.IndexByte(hexDigits, text[4])
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}

const hexDigits = "0123456789ABCDEF"

// Vocab returns the number of tokens.
func (t *Tokenizer) Vocab() int { return len(t.texts) }

// BOS returns the token that begins a text, if the model has one.
func (t *Tokenizer) BOS() (targon.TokenID, bool) { return t.bos, t.bos != absent }

// AddBOS reports whether the model expects its prompts to begin with BOS.
func (t *Tokenizer) AddBOS() bool { return t.addBOS && t.bos != absent }

// EOS returns the tokens that end a text (end of text, turn or message), sorted.
func (t *Tokenizer) EOS() []targon.TokenID { return slices.Clone(t.eos) }

// Text returns how a token is written in the vocabulary, for templates that name
// the first and last token; "" for an id outside it.
func (t *Tokenizer) Text(id targon.TokenID) string {
	if id < 0 || int(id) >= len(t.texts) {
		return ""
	}
	return t.texts[id]
}
