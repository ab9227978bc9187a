package chat

import (
	"strings"

	"github.com/nikolalohinski/gonja/v2/config"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// spellChoices rewrites what the template engine does not parse: a choice inside
// brackets, such as (a if b else c), as templates of Gemma 3 have it. It becomes
// ((b) and [a] or [c])[0], which is the same: and and or give back their operands and
// look at the right one only if they must, and a list of one is true. A template
// without such a choice, or one that cannot be read, is returned as it is.
func spellChoices(template string, options *config.Config) string {
	w := &rewriter{source: strings.ReplaceAll(template, "\r\n", "\n"), open: []*segment{{}}}
	for s := tokens.LexAll(w.source, options); !s.End(); s.Next() {
		if !w.token(s.Current()) {
			return template
		}
	}
	if !w.found || len(w.open) != 1 {
		return template
	}
	w.copyTo(len(w.source))
	return string(w.open[0].text)
}

// A rewriter copies a template, token by token. The innermost of the open brackets is
// the last.
type rewriter struct {
	source string
	at     int // what has been copied
	open   []*segment
	found  bool
}

// A segment is what lies between two commas, or whatever else ends an expression,
// inside one pair of brackets.
type segment struct {
	done  []byte   // segments before it in the same brackets
	parts []string // of a choice: what is before each if and else
	text  []byte   // since then
}

// token takes the next token and reports whether it makes sense.
func (w *rewriter) token(t *tokens.Token) bool {
	in := w.open[len(w.open)-1]
	end := t.Pos + len(t.Val)
	inside := len(w.open) > 1
	switch t.Type {
	case tokens.BlockBegin, tokens.VariableBegin, tokens.BlockEnd, tokens.VariableEnd:
		return !inside
	case tokens.LeftParenthesis, tokens.LeftBracket, tokens.LeftBrace:
		w.copyTo(end)
		w.open = append(w.open, &segment{})
	case tokens.RightParenthesis, tokens.RightBracket, tokens.RightBrace:
		if !inside {
			return false
		}
		w.copyTo(t.Pos)
		in.close()
		w.open = w.open[:len(w.open)-1]
		out := w.open[len(w.open)-1]
		out.text = append(out.text, in.done...)
	case tokens.Comma, tokens.Colon, tokens.Assign:
		if inside {
			w.copyTo(t.Pos)
			in.close()
			w.copyTo(end)
			in.close()
		}
	case tokens.Name:
		if word := t.Val; inside && (word == "if" || word == "else") {
			if (word == "if") != (len(in.parts)%2 == 0) || w.source[t.Pos:end] != word {
				return false
			}
			w.found = true
			w.copyTo(t.Pos)
			in.parts, in.text, w.at = append(in.parts, string(in.text)), nil, end
		}
	default: // is copied with what follows it
	}
	return true
}

func (w *rewriter) copyTo(end int) {
	in := w.open[len(w.open)-1]
	in.text = append(in.text, w.source[w.at:end]...)
	w.at = end
}

// close ends a segment and begins the next.
func (s *segment) close() {
	s.done = append(s.done, choice(append(s.parts, string(s.text)))...)
	s.parts, s.text = nil, nil
}

// choice writes a, b, c for a if b else c, where c may be a choice again. Without an
// else there is nothing to choose, which prints as nothing.
func choice(parts []string) string {
	last := "''"
	if len(parts)%2 == 1 {
		last = parts[len(parts)-1]
		parts = parts[:len(parts)-1]
	}
	for i := len(parts) - 2; i >= 0; i -= 2 {
		last = "((" + parts[i+1] + ") and [" + parts[i] + "] or [" + last + "])[0]"
	}
	return last
}
