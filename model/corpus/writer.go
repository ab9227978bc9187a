package corpus

import (
	"math"
	"math/rand/v2"
	"strings"
	"sync"
)

// A person is a character of one document.
type person struct {
	name, role, temper string
	he, him, his       string
}

// A writer holds what one document has to keep straight: who is who, where
// they are, what they are after. It also adds up the logarithm of every
// choice, which bounds the entropy of what it wrote from above.
type writer struct {
	r          *rand.Rand
	a, b, c    person
	quest      string // the thing the document is about, without article
	town, dest string
	river      string
	ship       string
	last       byte // who the last sentence was about: 'A', 'B' or 0
	met        bool // B has been introduced
	nats       float64
}

func newWriter(r *rand.Rand) *writer {
	w := &writer{r: r}
	w.a = w.person(w.n(2) == 0)
	w.b = w.person((w.a.he == "she") != (w.n(6) == 0))
	w.c = w.person(w.n(2) == 0)
	w.town, w.dest, w.river = w.placeName(), w.placeName(), w.placeName()
	w.ship = w.expand("{shipname}")
	w.quest = w.class("thing")
	return w
}

// n draws from [0,n) and counts what the draw is worth.
func (w *writer) n(n int) int {
	w.nats += math.Log(float64(n))
	return w.r.IntN(n)
}

// one draws a word; a word that the list holds twice is worth less.
func (w *writer) one(list []string) string {
	word, same := list[w.r.IntN(len(list))], 0
	for _, other := range list {
		if other == word {
			same++
		}
	}
	w.nats += math.Log(float64(len(list)) / float64(same))
	return word
}

// grammar joins lexicon, verbs and phrases into one table of classes.
var grammar = sync.OnceValue(func() map[string][]string {
	g := map[string][]string{}
	for class, words := range lexicon {
		g[class] = spaced(strings.Fields(words))
	}
	for class, parts := range unions {
		g[class] = union(g, parts)
	}
	for class, words := range verbs {
		list := spaced(strings.Fields(words))
		for i := range list {
			list[i] = "@" + strings.ReplaceAll(list[i], " ", "_")
		}
		g["v."+class] = list
	}
	for _, table := range []map[string]string{phrases, scenes, talk, records} {
		for class, lines := range table {
			g[class] = lined(lines)
		}
	}
	return g
})

// union joins classes and drops words that occur twice.
func union(g map[string][]string, classes string) []string {
	var list []string
	seen := map[string]bool{}
	for class := range strings.FieldsSeq(classes) {
		for _, word := range g[class] {
			if !seen[word] {
				seen[word] = true
				list = append(list, word)
			}
		}
	}
	return list
}

func spaced(list []string) []string {
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], "_", " ")
	}
	return list
}

func lined(text string) []string {
	var list []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// expand fills every {slot} of a template. A slot is a class, with a leading
// ^ to capitalise and a trailing .s, .ed, .ing or .base to inflect.
func (w *writer) expand(template string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		slot, after, _ := strings.Cut(rest, "}")
		b.WriteString(w.slot(slot))
		template = after
	}
}

func (w *writer) slot(slot string) string {
	name, capital := strings.CutPrefix(slot, "^")
	text := w.plainSlot(name)
	if capital {
		return capitalise(text)
	}
	return text
}

func (w *writer) plainSlot(name string) string {
	if text, ok := w.character(name); ok {
		return text
	}
	if text, ok := w.scenery(name); ok {
		return text
	}
	for _, form := range []string{"ed", "ing", "base"} {
		if class, ok := strings.CutSuffix(name, "."+form); ok {
			return conjugate(w.class(class), form)
		}
	}
	if class, ok := strings.CutSuffix(name, ".s"); ok {
		return plural(w.class(class))
	}
	return w.class(name)
}

func (w *writer) class(name string) string {
	list := grammar()[name]
	if len(list) == 0 {
		panic("internal error: no word class " + name)
	}
	return w.expand(w.one(list))
}

// conjugate inflects every @verb of a phrase.
func conjugate(phrase, form string) string {
	words := strings.Split(phrase, " ")
	for i, word := range words {
		if verb, ok := strings.CutPrefix(word, "@"); ok {
			tail := strings.TrimLeft(verb, "abcdefghijklmnopqrstuvwxyz_")
			verb = strings.ReplaceAll(verb[:len(verb)-len(tail)], "_", " ")
			words[i] = inflect(verb, form) + tail
		}
	}
	return strings.Join(words, " ")
}

// character resolves the slots that name the cast: A and B are the two main
// persons, S and T the same two as subjects (name or pronoun), O and P as
// objects.
func (w *writer) character(name string) (string, bool) {
	switch name {
	case "A":
		w.last = 'A'
		return w.a.name, true
	case "B":
		w.last, w.met = 'B', true
		return w.b.name, true
	case "C":
		return w.c.name, true
	case "S":
		return w.subject('A', w.a), true
	case "T":
		return w.subject('B', w.b), true
	case "O":
		return w.object(w.a), true
	case "P":
		return w.object(w.b), true
	case "he":
		return w.a.he, true
	case "him":
		return w.a.him, true
	case "his":
		return w.a.his, true
	case "bhe":
		return w.b.he, true
	case "bhim":
		return w.b.him, true
	case "bhis":
		return w.b.his, true
	case "Arole":
		return w.a.role, true
	case "Brole":
		return w.b.role, true
	case "Crole":
		return w.c.role, true
	case "Atemper":
		return w.a.temper, true
	case "Btemper":
		return w.b.temper, true
	}
	return "", false
}

// subject names a person or uses the pronoun, which it does only when nobody
// else could be meant.
func (w *writer) subject(who byte, p person) string {
	if who == 'B' && !w.met {
		w.last, w.met = who, true
		return p.name + " the " + p.role
	}
	clear := w.last == who || w.a.he != w.b.he && w.last != 0
	w.last = who
	if clear && w.n(7) > 0 {
		return p.he
	}
	return w.named(p)
}

func (w *writer) object(p person) string {
	if p == w.b && !w.met {
		w.met = true
		return p.name + " the " + p.role
	}
	if w.a.he != w.b.he && w.last != 0 && w.n(3) > 0 {
		return p.him
	}
	return w.named(p)
}

// named calls a person by name or, now and then, by trade.
func (w *writer) named(p person) string {
	if w.n(5) == 0 {
		return "the " + p.role
	}
	return p.name
}

func (w *writer) scenery(name string) (string, bool) {
	switch name {
	case "quest":
		return w.quest, true
	case "town":
		return w.town, true
	case "dest":
		return w.dest, true
	case "river":
		return w.river, true
	case "ourship":
		return w.ship, true
	case "newname":
		return w.givenName(w.n(2) == 0), true
	case "newplace":
		return w.placeName(), true
	}
	return "", false
}

// sentence expands a template into one sentence with a capital letter.
func (w *writer) sentence(template string) string {
	return attribute(capitalise(w.expand(template)))
}

// from writes a sentence of a class.
func (w *writer) from(class string) string {
	return w.sentence("{" + class + "}")
}

// paragraph writes several sentences and names people before it says he or she.
func (w *writer) paragraph(lo, hi int, classes ...string) string {
	w.last = 0
	return w.several(lo, hi, classes...)
}

// several writes lo to hi sentences, each of one of the classes.
func (w *writer) several(lo, hi int, classes ...string) string {
	count := lo + w.n(hi-lo+1)
	out := make([]string, count)
	for i := range out {
		out[i] = w.from(w.one(classes))
	}
	return strings.Join(out, " ")
}

// capitalise raises the first letter, past an opening quotation mark.
func capitalise(s string) string {
	for i := range len(s) {
		if s[i] == '"' {
			continue
		}
		return s[:i] + strings.ToUpper(s[i:i+1]) + s[i+1:]
	}
	return s
}

// attribute ends a quotation with a comma where "she said" follows.
func attribute(s string) string {
	for at := 0; ; {
		i := strings.Index(s[at:], ".\" ")
		if i < 0 {
			return s
		}
		at += i
		if at+3 < len(s) && s[at+3] >= 'a' && s[at+3] <= 'z' {
			s = s[:at] + "," + s[at+1:]
		}
		at++
	}
}

// articles turns a into an where the next word needs it.
func articles(text string) string {
	words := strings.Split(text, " ")
	for i := range len(words) - 1 {
		head := strings.TrimLeft(words[i], "\"(")
		if nl := strings.LastIndexByte(head, '\n'); nl >= 0 {
			head = head[nl+1:]
		}
		if (head == "a" || head == "A") && needsAn(words[i+1]) {
			words[i] += "n"
		}
	}
	return strings.Join(words, " ")
}

func needsAn(word string) bool {
	lower := strings.ToLower(word)
	for _, silent := range []string{"honest", "hour", "heir"} {
		if strings.HasPrefix(lower, silent) {
			return true
		}
	}
	for _, glide := range []string{"one-", "uni", "use", "eu", "ewe"} {
		if strings.HasPrefix(lower, glide) {
			return false
		}
	}
	return lower != "" && strings.ContainsRune("aeiou", rune(lower[0]))
}
