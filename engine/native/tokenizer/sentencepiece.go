package tokenizer

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"targon"
	"targon/engine/native/gguf"
)

// space stands for a space inside SentencePiece's pieces.
const space = "\u2581"

// A sentencePiece merges characters by the scores of what they make.
type sentencePiece struct {
	prefix  bool
	table   func() *table // of normal tokens; made for the first text, since many a model is given ids alone
	scores  gguf.List
	longest int // bytes of the longest piece
	bytes   [256]targon.TokenID
	unk     targon.TokenID
}

// readSentencePiece reads a tokenizer of the kind "llama".
func (t *Tokenizer) readSentencePiece(f *gguf.File) error {
	if err := t.read(f); err != nil {
		return err
	}
	scores, _ := f.List(keyScores)
	if scores.Len() != t.texts.Len() {
		return fmt.Errorf("%w: %d tokens but %d scores", ErrFormat, t.texts.Len(), scores.Len())
	}
	for id := range scores.Len() {
		if s, ok := scores.Float(id); !ok || s != s { // NaN would leave the order of merges undefined
			return fmt.Errorf("%w: the score of token %d is not a number", ErrFormat, id)
		}
	}
	if !f.Has(keyTypes) {
		for id, text := range t.texts.All() {
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
	if err := t.checkBytes(); err != nil {
		return err
	}
	e := &sentencePiece{prefix: t.prefix, scores: scores, bytes: noBytes(), unk: t.substitute()}
	for id, text := range t.texts.All() {
		switch {
		case t.kinds[id] == normal && len(text) > 0:
			e.longest = max(e.longest, len(text))
		case t.kinds[id] == byteToken:
			b, _ := parseByte(text)
			e.bytes[b] = targon.TokenID(id)
		}
	}
	e.table = sync.OnceValue(t.normals)
	if e.unk == absent && slices.Contains(e.bytes[:], absent) {
		return fmt.Errorf("%w: neither a token for every byte nor one for the unknown", ErrFormat)
	}
	t.encoder = e
	return nil
}

// normals returns a table of the normal tokens.
func (v *vocabulary) normals() *table {
	ids := newTable(v.texts)
	for id, text := range v.texts.All() {
		if v.kinds[id] == normal && len(text) > 0 {
			ids.add(targon.TokenID(id)) // of several the last, as in llama.cpp
		}
	}
	return ids
}

func (e *sentencePiece) encode(ids []targon.TokenID, text string) []targon.TokenID {
	if e.prefix {
		text = " " + text
	}
	text = strings.ReplaceAll(text, " ", space)
	s := scored{e, e.table()}
	m := merger{joiner: s, symbols: make([]symbol, 0, len(text))}
	m.start(text)
	for at := 0; at < len(text); { // a byte that is not part of a character is one by itself
		_, n := utf8.DecodeRuneInString(text[at:])
		m.add(at, at+n, absent)
		at += n
	}
	m.run()
	for i := 0; i >= 0; i = m.symbols[i].next {
		ids = s.appendSymbol(ids, text[m.symbols[i].from:m.symbols[i].to])
	}
	return ids
}

// A scored joins by scores.
type scored struct {
	*sentencePiece
	ids *table
}

// join orders merges by falling score.
func (e scored) join(text string, left, right *symbol) (float64, targon.TokenID, bool) {
	if right.to-left.from > e.longest { // keeps the look-up's cost bounded
		return 0, absent, false
	}
	id, ok := e.ids.find(text[left.from:right.to])
	if !ok {
		return 0, absent, false
	}
	score, _ := e.scores.Float(int(id))
	return -float64(score), id, true
}

// appendSymbol gives a symbol its id, or those of its bytes, or the unknown.
func (e scored) appendSymbol(ids []targon.TokenID, s string) []targon.TokenID {
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

// appendSpaced appends what a normal token means.
func appendSpaced(to, text []byte) []byte {
	for {
		before, after, found := bytes.Cut(text, []byte(space))
		to = append(to, before...)
		if !found {
			return to
		}
		to, text = append(to, ' '), after
	}
}
