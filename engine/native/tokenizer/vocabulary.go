package tokenizer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"targon"
	"targon/engine/native/gguf"
)

// Metadata keys of the GGUF specification.
const (
	keyModel  = "tokenizer.ggml.model"
	keyPre    = "tokenizer.ggml.pre"
	keyTokens = "tokenizer.ggml.tokens"
	keyMerges = "tokenizer.ggml.merges"
	keyScores = "tokenizer.ggml.scores"
	keyTypes  = "tokenizer.ggml.token_type"
	keyUnk    = "tokenizer.ggml.unknown_token_id"
	keyBOS    = "tokenizer.ggml.bos_token_id"
	keyEOS    = "tokenizer.ggml.eos_token_id"
	keyEOT    = "tokenizer.ggml.eot_token_id"
	keyEOM    = "tokenizer.ggml.eom_token_id"
	keyAddBOS = "tokenizer.ggml.add_bos_token"
	keyAddEOS = "tokenizer.ggml.add_eos_token"
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

const absent = targon.TokenID(-1)

// A vocabulary is the tokens of a file.
//
// Texts stay where they lie in the file, and what a token means is worked out when it is
// wanted: as strings, they would take as much memory as a fifth of a small model. Whoever
// looks at them keeps the vocabulary, and with it the file, by runtime.KeepAlive.
type vocabulary struct {
	file           *gguf.File
	texts          *gguf.Texts // as the file has them
	spelled        bool        // normal tokens are spelled byte by byte, see runeOf
	kinds          []kind
	unk, bos       targon.TokenID
	eos            []targon.TokenID
	addBOS, addEOS bool
}

// read takes the tokens and their kinds.
func (v *vocabulary) read(f *gguf.File) error {
	tokens, _ := f.List(keyTokens)
	texts, ok := tokens.Texts()
	if n := tokens.Len(); !ok || n == 0 || n >= math.MaxInt32 {
		return fmt.Errorf("%w: %d tokens in %s", ErrFormat, n, keyTokens)
	}
	v.file, v.texts = f, texts
	v.kinds = slices.Repeat([]kind{normal}, texts.Len())
	if !f.Has(keyTypes) {
		return nil
	}
	types, _ := f.List(keyTypes)
	if types.Len() != texts.Len() {
		return fmt.Errorf("%w: %d tokens but %d types", ErrFormat, texts.Len(), types.Len())
	}
	for id := range v.kinds {
		k, ok := types.Int(id)
		if !ok || k < int64(normal) || k > int64(byteToken) {
			return fmt.Errorf("%w: token %d is of type %d", ErrFormat, id, k)
		}
		v.kinds[id] = kind(k)
	}
	return nil
}

// usual are the ids that a token with a role has where the file does not say.
type usual struct{ unk, bos, eos targon.TokenID }

// readNamed takes the ids that the file gives a role.
func (v *vocabulary) readNamed(f *gguf.File, u usual) error {
	var err error
	if v.unk, err = v.named(f, keyUnk, u.unk, unknown); err != nil {
		return err
	}
	if v.bos, err = v.named(f, keyBOS, u.bos, control); err != nil {
		return err
	}
	for _, key := range []string{keyEOS, keyEOT, keyEOM} {
		fallback := absent
		if key == keyEOS {
			fallback = u.eos
		}
		id, err := v.named(f, key, fallback, control)
		if err != nil {
			return err
		}
		if id != absent {
			v.eos = append(v.eos, id)
		}
	}
	slices.Sort(v.eos)
	v.eos = slices.Compact(v.eos)
	return nil
}

// named returns the id under a key. Where the key is missing, the fallback stands in
// if the vocabulary has a token of that kind there. What begins or ends a text is a
// control token from then on, even if the file's types say otherwise.
func (v *vocabulary) named(f *gguf.File, key string, fallback targon.TokenID, k kind) (targon.TokenID, error) {
	typed := f.Has(keyTypes)
	id := fallback
	switch u, ok := f.Uint(key); {
	case ok && u == math.MaxUint32: // how converters write "none"
		return absent, nil
	case ok && u < uint64(v.texts.Len()):
		id = targon.TokenID(u)
	case ok:
		return absent, fmt.Errorf("%w: %s is %d of %d tokens", ErrFormat, key, u, v.texts.Len())
	case fallback == absent || int(fallback) >= v.texts.Len() || typed && v.kinds[fallback] != k:
		return absent, nil
	}
	if k == control || !typed {
		v.kinds[id] = k
	}
	return id, nil
}

// checkBytes refuses byte tokens that name none.
func (v *vocabulary) checkBytes() error {
	for id, text := range v.texts.All() {
		if _, ok := parseByte(text); v.kinds[id] == byteToken && !ok {
			return fmt.Errorf("%w: byte token %d is %.20q", ErrFormat, id, text)
		}
	}
	return nil
}

// piece appends what a token means as text.
func (v *vocabulary) piece(to []byte, id targon.TokenID) []byte {
	text := v.texts.At(int(id))
	switch v.kinds[id] {
	case normal:
		if v.spelled {
			return appendSpelled(to, text)
		}
		return appendSpaced(to, text)
	case userDefined:
		return append(to, text...)
	case unknown:
		return append(to, "\uFFFD"...)
	case byteToken:
		b, _ := parseByte(text)
		return append(to, b)
	case control, unused: // mean no text
	}
	return to
}

// parseByte reads the text of a byte token, such as <0x0A>.
func parseByte(text []byte) (byte, bool) {
	if len(text) != 6 || string(text[:3]) != "<0x" || text[5] != '>' {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, text[3]), strings.IndexByte(hexDigits, text[4])
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}

const hexDigits = "0123456789ABCDEF"

// noBytes is a table of byte tokens that has none yet.
func noBytes() (table [256]targon.TokenID) {
	for b := range table {
		table[b] = absent
	}
	return table
}

// substitute is what stands for what the vocabulary cannot spell: the unknown token,
// unless the file names a token there that plain text must not become.
func (v *vocabulary) substitute() targon.TokenID {
	if v.unk == absent || v.kinds[v.unk] == control {
		return absent
	}
	return v.unk
}

// An index finds special tokens in a text: by first byte, the longest first.
type index struct {
	by    [256][]targon.TokenID
	texts *gguf.Texts
	empty bool
}

func (v *vocabulary) indexOf(kinds ...kind) index {
	x := index{texts: v.texts, empty: true}
	for id, text := range v.texts.All() {
		if len(text) > 0 && slices.Contains(kinds, v.kinds[id]) {
			x.by[text[0]] = append(x.by[text[0]], targon.TokenID(id))
			x.empty = false
		}
	}
	length := func(id targon.TokenID) int { return len(v.texts.At(int(id))) }
	for _, list := range x.by {
		slices.SortStableFunc(list, func(a, b targon.TokenID) int { return length(b) - length(a) })
	}
	return x
}

// at returns the longest token that rest begins with, and its length.
func (x *index) at(rest string) (id targon.TokenID, n int, ok bool) {
	for _, id := range x.by[rest[0]] {
		if text := x.texts.At(int(id)); len(text) <= len(rest) && rest[:len(text)] == string(text) {
			return id, len(text), true
		}
	}
	return absent, 0, false
}
