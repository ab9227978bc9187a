package tokenizer_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"targon/engine/native/tokenizer"
)

// TestCutByHand is the reading of the expressions by a person.
func TestCutByHand(t *testing.T) {
	for _, tt := range []struct{ text, rules, want string }{
		{"it's", "llama-bpe qwen2 gpt-2 smollm", "it|'s"},
		{"it's", "default", "it|'|s"},
		{"IT'S", "llama-bpe qwen2", "IT|'S"},
		{"IT'S", "gpt-2 smollm default", "IT|'|S"},
		{"it'ſ", "llama-bpe qwen2", "it|'ſ"},
		{"it'ſ", "gpt-2", "it|'|ſ"},
		{"'sat", "llama-bpe gpt-2", "'s|at"},
		{"'nat", "llama-bpe qwen2", "'nat"},
		{"'nat", "gpt-2 smollm", "'|nat"},
		{"1234567", "llama-bpe", "123|456|7"},
		{"1234567", "qwen2 smollm", "1|2|3|4|5|6|7"},
		{"1234567", "gpt-2", "1234567"},
		{"1234567", "default", "123|456|7"},
		{" 12", "llama-bpe", " |12"},
		{" 12", "gpt-2", " 12"},
		{" 12", "smollm", " |1|2"},
		{" 12", "default", " |12"},
		{"12٣45", "llama-bpe", "12٣|45"},
		{"12٣45", "default", "12٣45"},
		{"1234٣567", "default", "123|4٣|567"},
		{"a  1", "smollm", "a|  |1"},
		{"a  1", "gpt-2", "a| | 1"},
		{"a  b", "llama-bpe gpt-2 default", "a| | b"},
		{"a  ", "llama-bpe gpt-2 smollm default", "a|  "},
		{"a \n b", "llama-bpe qwen2", "a| \n| b"},
		{"a \n b", "gpt-2 default", "a| \n| b"},
		{"a\n\nb", "llama-bpe", "a|\n\n|b"},
		{"a\n\nb", "gpt-2", "a|\n|\n|b"},
		{"a!\n\nb", "llama-bpe", "a|!\n\n|b"},
		{"a!\n\nb", "gpt-2", "a|!|\n|\n|b"},
		{"a\tb", "llama-bpe", "a|\tb"},
		{"a\tb", "gpt-2", "a|\t|b"},
		{"a\u00a0b", "llama-bpe", "a|\u00a0b"},
		{"a\u00a0b", "gpt-2", "a|\u00a0|b"},
		{"(a) + b", "llama-bpe", "(a|)| +| b"},
		{"(a) + b", "gpt-2", "(|a|)| +| b"},
		{"(a) + b", "default", "(|a|)| |+| b"},
		{"a€b", "default", "a|€|b"},
		{"你好，世界", "llama-bpe", "你好|，世界"},
		{"你好，世界", "gpt-2", "你好|，|世界"},
		{"e\u0301a", "llama-bpe", "e|\u0301a"},
		{"e\u0301a", "gpt-2", "e|\u0301|a"},
		{"a 😀b", "llama-bpe", "a| 😀|b"},
		{"x²½", "llama-bpe gpt-2", "x|²½"},
		{"\xff\xfea\xff", "llama-bpe", "\xff\xfe|a|\xff"},
		{"\xffa", "llama-bpe", "\xffa"},
	} {
		for name := range strings.FieldsSeq(tt.rules) {
			if got := strings.Join(tokenizer.Words(name, tt.text), "|"); got != tt.want {
				t.Errorf("%s cuts %q into %q, want %q", name, tt.text, got, tt.want)
			}
		}
	}
}

// An expression cuts a text as the published regular expressions do. Go's have no
// lookahead, so that \s+(?!\S)|\s+ at the end is spelled out in code.
type expression struct{ match *regexp.Regexp }

const anySpace = `[\s\x0b\x{85}\p{Z}]` // \s is ASCII in Go

var (
	onlySpace = regexp.MustCompile(`\A` + anySpace + `+\z`)
	butOne    = regexp.MustCompile(`\A(` + anySpace + `+)` + anySpace)
	oneSpace  = regexp.MustCompile(`\A` + anySpace)
)

func newExpression(published string) expression {
	published = strings.TrimSuffix(published, `|\s+(?!\S)|\s+`)
	published = strings.ReplaceAll(published, `[^\s`, `[^\s\x0b\x{85}\p{Z}`)
	published = strings.ReplaceAll(published, `\s*`, anySpace+`*`)
	return expression{regexp.MustCompile(`\A(?:` + published + `)`)}
}

func (e expression) cut(text string) (words []string) {
	for text != "" {
		n := len(e.match.FindString(text))
		if n == 0 {
			n = len(onlySpace.FindString(text))
		}
		if m := butOne.FindStringSubmatch(text); n == 0 && m != nil {
			n = len(m[1])
		}
		if n == 0 {
			n = len(oneSpace.FindString(text))
		}
		if n == 0 {
			return append(words, "no match: "+text)
		}
		words, text = append(words, text[:n]), text[n:]
	}
	return words
}

// isolate cuts a text into what an expression matches and what lies between.
func isolate(e *regexp.Regexp, parts []string) (out []string) {
	for _, p := range parts {
		at := 0
		for _, m := range e.FindAllStringIndex(p, -1) {
			out, at = append(out, p[at:m[0]], p[m[0]:m[1]]), m[1]
		}
		out = append(out, p[at:])
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

type expressions struct {
	llama3, qwen2, gpt2               expression
	signs, number, numbers, threeDigs *regexp.Regexp
}

func newExpressions() expressions {
	const modern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|NUMBER| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	return expressions{
		llama3:    newExpression(strings.ReplaceAll(modern, "NUMBER", `\p{N}{1,3}`)),
		qwen2:     newExpression(strings.ReplaceAll(modern, "NUMBER", `\p{N}`)),
		gpt2:      newExpression(`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`),
		signs:     regexp.MustCompile(`[\p{P}\$\+<=>\^~\|]+`),
		number:    regexp.MustCompile(`\p{N}`),
		numbers:   regexp.MustCompile(`\p{N}+`),
		threeDigs: regexp.MustCompile(`[0-9][0-9][0-9]`),
	}
}

func (x expressions) words(name, text string) []string {
	cut := func(e expression, parts []string) (out []string) {
		for _, p := range parts {
			out = append(out, e.cut(p)...)
		}
		return out
	}
	switch parts := []string{text}; name {
	case "llama-bpe":
		return cut(x.llama3, parts)
	case "qwen2":
		return cut(x.qwen2, parts)
	case "gpt-2":
		return cut(x.gpt2, parts)
	case "smollm":
		return cut(x.gpt2, isolate(x.number, parts))
	default:
		return isolate(x.threeDigs, isolate(x.numbers, cut(x.gpt2, isolate(x.signs, parts))))
	}
}

func (x expressions) check(t fataler, text string) {
	for _, name := range ruleNames {
		if got, want := tokenizer.Words(name, text), x.words(name, text); !slices.Equal(got, want) {
			t.Fatalf("%s cuts %q into %q, want %q", name, text, got, want)
		}
	}
}

// TestWordsMatchExpressions compares with the regular expressions themselves.
func TestWordsMatchExpressions(t *testing.T) {
	x := newExpressions()
	rapid.Check(t, func(t *rapid.T) {
		x.check(t, rapid.OneOf(
			rapid.String(), rapid.StringMatching(`([ab'sStTlLrRvVeEmMdDſ0-9٣½ \n\r\t\x{a0}\x{85}!.,<=+|\x{301}é你😀]| ){0,20}`),
		).Draw(t, "text"))
	})
	for _, name := range ruleNames {
		for _, c := range readGolden(t, name).Cases {
			x.check(t, c.Text)
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"", "it's 1234  \n x", "\u00a0a\u0301 ٣½", "\xff'S \r\n", "a\u0085\u2028 😀你"} {
		f.Add(s)
	}
	x := newExpressions()
	f.Fuzz(func(t *testing.T, text string) { x.check(t, text) })
}
