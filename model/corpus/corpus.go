// Package corpus writes text about a made-up world: tales, letters, talk at the
// market, log-books, legends, travel diaries, recipes, and a few chats. The
// built-in model learned from nothing else, and challenges are drawn from it as
// well, so that a prompt looks like what the model has read.
//
// The text is meant to be fluent and unpredictable rather than sensible: its
// sentences follow a grammar, but who does what to what is left to chance. That
// freedom gives the model an entropy at which the seed of a sampler and the
// precision of weights show in a few hundred tokens.
//
// The package does not read a clock, files or global randomness. Its invariant:
// the same source of random numbers gives the same text, byte for byte.
package corpus

import (
	"math/rand/v2"
	"strings"
)

// Document writes one document: most are open-ended stories and talk, a few
// state facts and sums. Paragraphs are separated by single newlines.
func Document(rng *rand.Rand) string {
	w := newWriter(rng)
	if w.n(50) == 0 {
		return w.plainFacts()
	}
	return articles(w.pick(open).write(w))
}

// Opening returns the first words of an open-ended document, one or two
// sentences, possibly cut in the middle, for a model to go on from. It never
// asks a question of fact and never calculates.
func Opening(rng *rand.Rand) string {
	w := newWriter(rng)
	words := strings.Split(articles(w.pick(open).write(w)), " ")
	size := min(12+w.n(24), len(words))
	return strings.TrimRight(strings.Join(words[:size], " "), "\n ")
}

// Question returns what a user of a chat may ask: for a story, a letter, a
// recipe or the like.
func Question(rng *rand.Rand) string {
	w := newWriter(rng)
	ask, _ := w.request()
	return articles(ask)
}
