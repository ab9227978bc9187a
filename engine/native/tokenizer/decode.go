package tokenizer

import (
	"strings"
	"unicode/utf8"

	"targon"
)

// A Decoder turns ids into text as they come. It holds back the bytes of a
// character until the character is whole; bytes that can no longer become one are
// emitted as U+FFFD, one for each byte. It is not safe for concurrent use.
type Decoder struct {
	t       *Tokenizer
	held    []byte
	inverse bool // drop the spaces that encoding has put into the text
	strip   bool // drop the next one
}

// Decoder returns a decoder for ids that continue a text, such as an answer after
// its prompt: every space is part of the answer.
func (t *Tokenizer) Decoder() *Decoder { return &Decoder{t: t} }

// StartDecoder returns a decoder for ids that begin a text: it drops the spaces that
// [Tokenizer.Encode] has put before the text and behind each special token, if the
// model does that.
func (t *Tokenizer) StartDecoder() *Decoder {
	return &Decoder{t: t, inverse: t.prefix, strip: t.prefix}
}

// Decode returns the text of ids that [Tokenizer.Encode] gave for a whole text.
func (t *Tokenizer) Decode(ids []targon.TokenID) string {
	d := t.StartDecoder()
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(d.Add(id))
	}
	b.WriteString(d.Flush())
	return b.String()
}

// Add takes the next id and returns the text that is now certain. Control tokens,
// unused ones and ids outside the vocabulary add nothing.
func (d *Decoder) Add(id targon.TokenID) string {
	if id < 0 || int(id) >= d.t.texts.Len() {
		return ""
	}
	text := d.t.Piece(id)
	switch special := d.t.kinds[id] == control || d.t.kinds[id] == userDefined; {
	case special:
		d.strip = d.inverse
	case d.strip && text != "":
		d.strip = false
		text = strings.TrimPrefix(text, " ")
	}
	if text == "" || len(d.held) == 0 && utf8.ValidString(text) {
		return text
	}
	d.held = append(d.held, text...)
	return d.release(utf8.FullRune)
}

// Flush ends the text: what is still held back can no longer become whole.
func (d *Decoder) Flush() string {
	return d.release(func([]byte) bool { return true })
}

// release emits held characters as long as ready says that the next is decided.
func (d *Decoder) release(ready func([]byte) bool) string {
	var out []byte
	for len(d.held) > 0 && ready(d.held) {
		r, n := utf8.DecodeRune(d.held)
		out = utf8.AppendRune(out, r)
		d.held = d.held[n:]
	}
	return string(out)
}
