package tokenizer

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"targon"
	"targon/engine/native/gguf"
)

// A byteLevel merges bytes within words, by a list of merges.
type byteLevel struct {
	rule  rule
	words *table // of what words may be; nil if words are always merged
	// longest is how many bytes a word has at most that is a token.
	longest int
	merges  *merges
	bytes   [256]targon.TokenID
	unk     targon.TokenID
}

// readByteLevel reads a tokenizer of the kind "gpt2".
func (t *Tokenizer) readByteLevel(f *gguf.File) error {
	name, ok := f.String(keyPre)
	if !ok {
		name = "default" // as llama.cpp reads files from before the key
	}
	rule, ok := ruleNamed(name)
	if !ok {
		return fmt.Errorf("%w: %s is %.40q, known are %s", ErrUnsupported, keyPre, name, ruleNames())
	}
	if err := t.read(f); err != nil {
		return err
	}
	if err := t.readNamed(f, usual{absent, absent, absent}); err != nil {
		return err
	}
	t.addBOS, t.addEOS = flag(f, keyAddBOS, rule.addBOS), flag(f, keyAddEOS, false)
	t.spelled = true
	e, ids := &byteLevel{rule: rule, bytes: noBytes(), unk: t.substitute()}, newTable(t.texts)
	if rule.wholeWords {
		e.words = ids
	}
	if err := t.checkBytes(); err != nil {
		return err
	}
	for id, text := range t.texts.All() {
		if t.kinds[id] != control && t.kinds[id] != byteToken && len(text) > 0 { // into others no text is merged
			ids.add(targon.TokenID(id)) // of several the last, as in llama.cpp
			e.longest = max(e.longest, len(text))
		}
	}
	for b := range e.bytes {
		if id, ok := ids.find(string(runeOf(byte(b)))); ok {
			e.bytes[b] = id
		}
	}
	t.encoder = e
	return t.readMerges(f, e, ids)
}

// readMerges takes the list of merges, each of them two tokens with a space between.
// What would make a control token is left out.
func (t *Tokenizer) readMerges(f *gguf.File, e *byteLevel, ids *table) error {
	list, _ := f.List(keyMerges)
	lines, ok := list.Texts()
	if !ok {
		return fmt.Errorf("%w: no %s", ErrFormat, keyMerges)
	}
	reserved := map[string]bool{}
	for i, text := range t.texts.All() {
		if t.kinds[i] == control {
			reserved[string(text)] = true
		}
	}
	e.merges = newMerges(lines.Len())
	var both []byte
	for rank, line := range lines.All() {
		left, right, ok := bytes.Cut(line, []byte(" "))
		if !ok || len(left) == 0 || len(right) == 0 {
			return fmt.Errorf("%w: merge %d is %.40q, not two tokens", ErrFormat, rank, line)
		}
		both = append(append(both[:0], left...), right...)
		l, okL := ids.find(view(left))
		r, okR := ids.find(view(right))
		id, okB := ids.find(view(both))
		if !okL || !okR || !okB {
			if reserved[string(left)] || reserved[string(right)] || reserved[string(both)] {
				continue
			}
			return fmt.Errorf("%w: merge %d, %.40q, is not of tokens into a token", ErrFormat, rank, line)
		}
		e.merges.add(rewrite{l, r, id}) // of several the first, as in llama.cpp
	}
	return nil
}

func (e *byteLevel) encode(ids []targon.TokenID, text string) []targon.TokenID {
	m := merger{joiner: e}
	for word := range e.rule.words(text) {
		ids = e.appendWord(ids, &m, word)
	}
	return ids
}

func (e *byteLevel) appendWord(ids []targon.TokenID, m *merger, word string) []targon.TokenID {
	if id, ok := e.whole(word); ok {
		return append(ids, id)
	}
	m.start(word)
	for i := range len(word) {
		m.add(i, i+1, e.bytes[word[i]])
	}
	m.run()
	for i := 0; i >= 0; i = m.symbols[i].next {
		id := m.symbols[i].id
		if id == absent { // a byte that the vocabulary lacks
			id = e.unk
		}
		if id != absent {
			ids = append(ids, id)
		}
	}
	return ids
}

// whole returns the token that a whole word is.
func (e *byteLevel) whole(word string) (targon.TokenID, bool) {
	if e.words == nil || len(word) > e.longest {
		return absent, false
	}
	var buf [64]byte
	written := buf[:0]
	for i := range len(word) {
		if b := word[i]; b > ' ' && b < 0x7f { // as most are, and as themselves
			written = append(written, b)
		} else {
			written = utf8.AppendRune(written, runeOf(b))
		}
	}
	return e.words.find(view(written))
}

// join orders merges as the file lists them.
func (e *byteLevel) join(_ string, left, right *symbol) (float64, targon.TokenID, bool) {
	rank, id, ok := e.merges.find(pair{left.id, right.id})
	return float64(rank), id, ok
}

// GPT-2 writes the bytes of a token as printable characters: a byte that is one in
// Latin-1 stands for itself, the others are counted up from U+0100
// (bytes_to_unicode in github.com/openai/gpt-2, src/encoder.py).

// runeOf returns the character that a byte is written as.
func runeOf(b byte) rune {
	switch {
	case b <= 0x20:
		return 0x100 + rune(b)
	case b >= 0x7f && b <= 0xa0:
		return 0x121 + rune(b-0x7f)
	case b == 0xad:
		return 0x143
	}
	return rune(b)
}

// byteOf is its inverse.
func byteOf(r rune) (byte, bool) {
	switch {
	case r >= 0x100 && r <= 0x120:
		return byte(r - 0x100), true
	case r >= 0x121 && r <= 0x142:
		return byte(r-0x121) + 0x7f, true
	case r == 0x143:
		return 0xad, true
	}
	return byte(r), r >= 0 && r <= 0xff && runeOf(byte(r)) == r
}

// appendSpelled appends what a normal token means: the bytes that its text is written
// for. A text that is not all bytes was added to the vocabulary as it is.
func appendSpelled(to, text []byte) []byte {
	n := len(to)
	for rest := text; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		b, ok := byteOf(r)
		if !ok {
			return append(to[:n], text...)
		}
		to, rest = append(to, b), rest[size:]
	}
	return to
}
