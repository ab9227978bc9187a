package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"targon"
	"targon/engine/native/gguf"
)

// space stands for a space inside SentencePiece's pieces.
const space = "\u2581"

// A sentencePiece merges characters by the scores of what they make.
type sentencePiece struct {
	prefix  bool
	ids     *table // of normal tokens
	scores  []float32
	longest int // bytes of the longest piece
	bytes   [256]targon.TokenID
	unk     targon.TokenID
}

// readSentencePiece reads a tokenizer of the kind "llama".
func (t *Tokenizer) readSentencePiece(f *gguf.File) error {
	if err := t.read(f); err != nil {
		return err
	}
	scores, _ := f.Floats(keyScores)
	if len(scores) != len(t.texts) {
		return fmt.Errorf("%w: %d tokens but %d scores", ErrFormat, len(t.texts), len(scores))
	}
	for id, s := range scores {
		if s != s { // NaN would leave the order of merges undefined
			return fmt.Errorf("%w: the score of token %d is not a number", ErrFormat, id)
		}
	}
	if _, typed := f.Value(keyTypes); !typed {
		for id, text := range t.texts {
			if _, ok := parseByte(text); ok {
				t.kinds[id] = byteToken
			}
		}
	}
	// Defaults of llama.cpp for this kind of tokenizer, taken only if they fit.
	if err := t.readNamed(f, usual{unk: 0, bos: 1, eos: 2}); err != nil {
		return err
	}
	t.addBOS, t.addEOS = flag(f, keyAddBOS, true), flag(f, keyAddEOS, false)
	t.prefix = flag(f, keyPrefix, true)
	if err := t.readPieces(func(text string) string { return strings.ReplaceAll(text, space, " ") }); err != nil {
		return err
	}
	e := &sentencePiece{prefix: t.prefix, ids: newTable(t.texts), scores: scores, bytes: noBytes(), unk: t.substitute()}
	for id, text := range t.texts {
		switch {
		case t.kinds[id] == normal && text != "":
			e.ids.add(targon.TokenID(id)) // of several the last, as in llama.cpp
			e.longest = max(e.longest, len(text))
		case t.kinds[id] == byteToken:
			e.bytes[t.pieces[id][0]] = targon.TokenID(id)
		}
	}
	if e.unk == absent && slices.Contains(e.bytes[:], absent) {
		return fmt.Errorf("%w: neither a token for every byte nor one for the unknown", ErrFormat)
	}
	t.encoder = e
	return nil
}

func (e *sentencePiece) encode(ids []targon.TokenID, text string) []targon.TokenID {
	if e.prefix {
		text = " " + text
	}
	text = strings.ReplaceAll(text, " ", space)
	m := merger{joiner: e, symbols: make([]symbol, 0, len(text))}
	m.start(text)
	for at := 0; at < len(text); { // a byte that is not part of a character is one by itself
		_, n := utf8.DecodeRuneInString(text[at:])
		m.add(at, at+n, absent)
		at += n
	}
	m.run()
	for i := 0; i >= 0; i = m.symbols[i].next {
		ids = e.appendSymbol(ids, text[m.symbols[i].from:m.symbols[i].to])
	}
	return ids
}

// join orders merges by falling score.
func (e *sentencePiece) join(text string, left, right *symbol) (float64, targon.TokenID, bool) {
	if right.to-left.from > e.longest { // keeps the look-up's cost bounded
		return 0, absent, false
	}
	id, ok := e.ids.find(text[left.from:right.to])
	if !ok {
		return 0, absent, false
	}
	return -float64(e.scores[id]), id, true
}

// appendSymbol gives a symbol its id, or those of its bytes, or the unknown.
func (e *sentencePiece) appendSymbol(ids []targon.TokenID, s string) []targon.TokenID {
	if id, ok := e.ids.find(s); ok {
		return append(ids, id)
	}
	start := len(ids)
	for _, b := range []byte(s) {
		if e.bytes[b] == absent {
			return append(ids[:start], e.unk)
		}
		ids = append(ids, e.bytes[b])
	}
	return ids
}
