package tokenizer

import "slices"

// Words cuts a text by the rule of a name that is known.
func Words(name, text string) []string {
	r, ok := ruleNamed(name)
	if !ok {
		panic("no rule " + name)
	}
	return slices.Collect(r.words(text))
}

// RuneOf and ByteOf are the characters that bytes are written as.
func RuneOf(b byte) rune         { return runeOf(b) }
func ByteOf(r rune) (byte, bool) { return byteOf(r) }
