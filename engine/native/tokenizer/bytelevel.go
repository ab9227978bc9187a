package tokenizer

import (
	"fmt"
	"strings"

	"targon"
	"targon/engine/native/gguf"
)

// A byteLevel merges bytes within words, by a list of merges.
type byteLevel struct {
	rule   rule
	words  map[string]targon.TokenID // by the bytes spelled; nil if words are always merged
	merges map[uint64]merge          // by pairOf
	bytes  [256]targon.TokenID
	unk    targon.TokenID
}

func pairOf(left, right targon.TokenID) uint64 {
	return uint64(uint32(left))<<32 | uint64(uint32(right))
}

type merge struct {
	rank int32
	id   targon.TokenID
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
	if err := t.readPieces(spelled); err != nil {
		return err
	}
	e := &byteLevel{rule: rule, bytes: noBytes(), unk: t.substitute()}
	if rule.wholeWords {
		e.words = make(map[string]targon.TokenID, len(t.texts))
	}
	ids := newTable(t.texts)
	for i, text := range t.texts {
		if t.kinds[i] == control || t.kinds[i] == byteToken || text == "" {
			continue // no text is merged into these
		}
		ids.add(targon.TokenID(i)) // of several the last, as in llama.cpp
		if s, ok := bytesOf(text); ok && rule.wholeWords {
			e.words[s] = targon.TokenID(i)
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
	lines, ok := f.Strings(keyMerges)
	if !ok {
		return fmt.Errorf("%w: no %s", ErrFormat, keyMerges)
	}
	reserved := map[string]bool{}
	for i, text := range t.texts {
		if t.kinds[i] == control {
			reserved[text] = true
		}
	}
	e.merges = make(map[uint64]merge, len(lines))
	var both []byte
	for rank, line := range lines {
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" {
			return fmt.Errorf("%w: merge %d is %.40q, not two tokens", ErrFormat, rank, line)
		}
		both = append(append(both[:0], left...), right...)
		l, okL := ids.find(left)
		r, okR := ids.find(right)
		id, okB := ids.find(string(both))
		if !okL || !okR || !okB {
			if reserved[left] || reserved[right] || reserved[string(both)] {
				continue
			}
			return fmt.Errorf("%w: merge %d, %.40q, is not of tokens into a token", ErrFormat, rank, line)
		}
		if _, ok := e.merges[pairOf(l, r)]; !ok { // of several the first, as in llama.cpp
			e.merges[pairOf(l, r)] = merge{int32(rank), id}
		}
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
	if id, ok := e.words[word]; ok {
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

// join orders merges as the file lists them.
func (e *byteLevel) join(_ string, left, right *symbol) (float64, targon.TokenID, bool) {
	found, ok := e.merges[pairOf(left.id, right.id)]
	return float64(found.rank), found.id, ok
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

// bytesOf returns the bytes that a token's text is written for, if it is all bytes.
func bytesOf(text string) (string, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		b, ok := byteOf(r)
		if !ok {
			return "", false
		}
		out = append(out, b)
	}
	return string(out), true
}

// spelled is what a normal token means: text that is not all bytes was added to the
// vocabulary as it is.
func spelled(text string) string {
	if s, ok := bytesOf(text); ok {
		return s
	}
	return text
}
