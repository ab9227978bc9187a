package tokenizer

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A rule cuts text into the words within which bytes are merged. The rules are given
// by the regular expressions in the tokenizer.json of the models that they are named
// for, and in llama-vocab.cpp; here they are cut by hand, since Go's expressions have
// no lookahead. Which characters are letters and numbers is as of the Unicode version
// of package unicode.
type rule struct {
	names      []string // the first is the one that error messages give
	cutters    []cutter
	wholeWords bool // a word that is a token is not merged from its bytes
	addBOS     bool // where the file does not say
}

// A cutter returns how many bytes of a text, which is not empty, its first part has.
// The cutters of a rule each cut the parts that the one before has made.
type cutter func(text string) int

func rules() []rule {
	return []rule{
		{names: []string{"llama-bpe", "llama3", "llama-v3"}, cutters: []cutter{llama3}, wholeWords: true, addBOS: true},
		{names: []string{"qwen2"}, cutters: []cutter{qwen2}},
		{names: []string{"gpt-2"}, cutters: []cutter{gpt2}},
		{names: []string{"smollm"}, cutters: []cutter{oneNumber, gpt2}},
		{names: []string{"default"}, cutters: []cutter{signs, gpt2, numbers, threeDigits}},
	}
}

func ruleNamed(name string) (rule, bool) {
	for _, r := range rules() {
		if slices.Contains(r.names, name) {
			return r, true
		}
	}
	return rule{}, false
}

func ruleNames() string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.names[0])
	}
	return strings.Join(names, ", ")
}

// words gives the parts of a text in order.
func (r rule) words(text string) iter.Seq[string] {
	return func(yield func(string) bool) { cut(text, r.cutters, yield) }
}

func cut(text string, cutters []cutter, yield func(string) bool) bool {
	if len(cutters) == 0 {
		return yield(text)
	}
	for text != "" {
		n := cutters[0](text)
		if !cut(text[:n], cutters[1:], yield) {
			return false
		}
		text = text[n:]
	}
	return true
}

// llama3 cuts by
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
func llama3(text string) int { return modern(text, 3) }

// qwen2 cuts like llama3, but for one number at a time.
func qwen2(text string) int { return modern(text, 1) }

func modern(text string, numbers int) int {
	if n := contraction(text, true); n > 0 {
		return n
	}
	first, n := classAt(text)
	switch {
	case first == letter:
		return span(text, letter)
	case first == number:
		return spanUpTo(text, number, numbers)
	case first != newline: // any other character may lead a word
		if letters := span(text[n:], letter); letters > 0 {
			return n + letters
		}
	}
	lead := len(text) - len(strings.TrimPrefix(text, " "))
	if n := span(text[lead:], other); n > 0 {
		n += lead
		return n + span(text[n:], newline)
	}
	all, lines, last := blanks(text)
	if lines > 0 {
		return lines
	}
	return shared(text, all, last)
}

// gpt2 cuts by
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func gpt2(text string) int {
	if n := contraction(text, false); n > 0 {
		return n
	}
	lead := len(text) - len(strings.TrimPrefix(text, " "))
	if lead < len(text) {
		switch c, _ := classAt(text[lead:]); c {
		case letter, number, other:
			return lead + span(text[lead:], c)
		case newline, blank:
		}
	}
	all, _, last := blanks(text)
	return shared(text, all, last)
}

// shared is \s+(?!\S)|\s+: white space leaves its last character to what follows it,
// unless it has only that one.
func shared(text string, all, last int) int {
	if all == len(text) || all == last {
		return all
	}
	return all - last
}

// oneNumber cuts at \p{N}, each alone.
func oneNumber(text string) int {
	if n := spanUpTo(text, number, 1); n > 0 {
		return n
	}
	return until(text, func(r rune) bool { return classOf(r) == number })
}

// numbers cuts at \p{N}+.
func numbers(text string) int {
	if n := span(text, number); n > 0 {
		return n
	}
	return until(text, func(r rune) bool { return classOf(r) == number })
}

// signs cuts at [\p{P}\$\+<=>\^~\|]+.
func signs(text string) int {
	sign := func(r rune) bool {
		return unicode.IsPunct(r) || r < utf8.RuneSelf && strings.ContainsRune("$+<=>^~|", r)
	}
	if n := until(text, func(r rune) bool { return !sign(r) }); n > 0 {
		return n
	}
	return until(text, sign)
}

// threeDigits cuts at [0-9][0-9][0-9].
func threeDigits(text string) int {
	digits := 0
	for i := range len(text) {
		if digits++; text[i] < '0' || text[i] > '9' {
			digits = 0
		}
		if digits == 3 {
			if i == 2 {
				return 3
			}
			return i - 2
		}
	}
	return len(text)
}

// contraction returns the length of the English ending that a text begins with, with
// its apostrophe, or 0.
func contraction(text string, fold bool) int {
	if text[0] != '\'' {
		return 0
	}
	for _, ending := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
		n := 1 + len(ending)
		if n <= len(text) && (text[1:n] == ending || fold && strings.EqualFold(text[1:n], ending)) {
			return n
		}
	}
	if fold && strings.HasPrefix(text[1:], "ſ") { // which is an s without its case
		return 1 + len("ſ")
	}
	return 0
}

// A class is what the rules tell characters apart by.
type class uint8

const (
	other   class = iota // also a byte that is no character
	letter               // \p{L}
	number               // \p{N}
	newline              // [\r\n]
	blank                // the rest of \s
)

func classOf(r rune) class {
	switch {
	case r >= utf8.RuneSelf:
		switch {
		case unicode.IsLetter(r):
			return letter
		case unicode.IsNumber(r):
			return number
		case unicode.IsSpace(r):
			return blank
		}
		return other
	case r|0x20 >= 'a' && r|0x20 <= 'z':
		return letter
	case r >= '0' && r <= '9':
		return number
	case r == '\n' || r == '\r':
		return newline
	case r == ' ' || r >= '\t' && r <= '\f':
		return blank
	}
	return other
}

// classAt returns class and length of the first character.
func classAt(text string) (class, int) {
	r, n := utf8.DecodeRuneInString(text)
	return classOf(r), n
}

// span returns the length of the characters of one class that a text begins with.
func span(text string, c class) int { return spanUpTo(text, c, len(text)) }

func spanUpTo(text string, c class, most int) int {
	at := 0
	for ; most > 0 && at < len(text); most-- {
		found, n := classAt(text[at:])
		if found != c {
			break
		}
		at += n
	}
	return at
}

// until returns where the first character of a kind begins, or the whole length.
func until(text string, is func(rune) bool) int {
	if at := strings.IndexFunc(text, is); at >= 0 {
		return at
	}
	return len(text)
}

// blanks returns the length of the white space that a text begins with, of what of
// that ends with a newline, and of its last character.
func blanks(text string) (all, lines, last int) {
	for all < len(text) {
		c, n := classAt(text[all:])
		if c != blank && c != newline {
			break
		}
		all, last = all+n, n
		if c == newline {
			lines = all
		}
	}
	return all, lines, last
}
