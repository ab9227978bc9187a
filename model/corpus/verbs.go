package corpus

import "strings"

// verbs holds the verb classes in their base form; [inflect] makes the other
// forms.
var verbs = map[string]string{
	"handle": `carry mend paint hide find lose steal sell buy trade wash dry fold open lock break bend burn bury throw
		push drag hang hold draw follow need want keep return sharpen fill tie shake pack kiss curse rub copy
		crack gild grease haul heat iron lick marry mock name pawn praise rob roll sew slap smell spill tap
		taste tear test trim twist whip wipe`,
	"motion":   `walk run ride sail row hurry stroll march creep drift return swim go`,
	"transfer": `give sell lend show offer bring send hand throw promise`,
	"say": `say whisper shout mutter answer cry sigh laugh grumble murmur call insist admit add repeat growl beg
		begin joke hiss`,
	"tell":  `tell warn thank scold blame praise tease help hire marry fear kiss`,
	"eat":   `eat taste cook bake roast share refuse chop stir burn`,
	"beast": `chase feed tame follow ride free wake hunt call stroke milk brush watch bury`,
	"idle": `wait sleep laugh sing whistle listen rest dream work yawn shiver sneeze pray hesitate tremble smile nod
		frown blush`,
	"cry":     `howl sing bark grunt hiss croak cough scream sneeze snore`,
	"change":  `fall break burn freeze crack shake glow open ring creak`,
	"cooking": `boil fry roast grate soak salt stir mash bake smoke warm`,
}

// irregular lists the past tense of strong verbs.
var irregular = map[string]string{
	"break": "broke", "bend": "bent", "buy": "bought", "draw": "drew", "find": "found", "hang": "hung",
	"hide": "hid", "hold": "held", "keep": "kept", "lose": "lost", "sell": "sold", "steal": "stole",
	"throw": "threw", "run": "ran", "ride": "rode", "creep": "crept", "swim": "swam", "go": "went",
	"give": "gave", "lend": "lent", "bring": "brought", "send": "sent", "say": "said", "sing": "sang",
	"begin": "began", "tell": "told", "eat": "ate", "feed": "fed", "wake": "woke", "sleep": "slept",
	"fall": "fell", "freeze": "froze", "shake": "shook", "ring": "rang", "swear": "swore", "make": "made",
	"take": "took", "see": "saw", "drink": "drank", "meet": "met", "have": "had", "be": "was", "do": "did",
	"win": "won", "sew": "sewed", "tear": "tore",
}

// doubled lists the verbs that double their last letter: drop, dropped.
var doubled = set(`admit rub slap whip drop drag beg nod chop stir swap tap run swim set begin win rob trim`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// inflect returns a verb in the form ed (past), ing or s (third person); the
// empty form is the verb itself. Only the first word of a phrasal verb changes.
func inflect(phrase, form string) string {
	verb, rest, found := strings.Cut(phrase, " ")
	if found {
		rest = " " + rest
	}
	switch form {
	case "ed":
		return past(verb) + rest
	case "ing":
		return continuous(verb) + rest
	case "s":
		return third(verb) + rest
	}
	return phrase
}

func past(verb string) string {
	if p, ok := irregular[verb]; ok {
		return p
	}
	switch {
	case strings.HasSuffix(verb, "e"):
		return verb + "d"
	case consonantY(verb):
		return verb[:len(verb)-1] + "ied"
	case doubled[verb]:
		return verb + verb[len(verb)-1:] + "ed"
	}
	return verb + "ed"
}

func continuous(verb string) string {
	switch {
	case strings.HasSuffix(verb, "ie"):
		return strings.TrimSuffix(verb, "ie") + "ying"
	case verb == "be" || strings.HasSuffix(verb, "ee") || strings.HasSuffix(verb, "oe"):
		return verb + "ing"
	case strings.HasSuffix(verb, "e"):
		return verb[:len(verb)-1] + "ing"
	case doubled[verb]:
		return verb + verb[len(verb)-1:] + "ing"
	}
	return verb + "ing"
}

func third(verb string) string {
	switch verb {
	case "have":
		return "has"
	case "be":
		return "is"
	}
	return sibilant(verb)
}

// sibilant adds the s of the third person or of the plural.
func sibilant(word string) string {
	switch {
	case consonantY(word):
		return word[:len(word)-1] + "ies"
	case strings.HasSuffix(word, "s"), strings.HasSuffix(word, "x"), strings.HasSuffix(word, "ch"),
		strings.HasSuffix(word, "sh"), strings.HasSuffix(word, "z"), word == "go", word == "do":
		return word + "es"
	}
	return word + "s"
}

func consonantY(word string) bool {
	n := len(word)
	return n > 1 && word[n-1] == 'y' && !strings.ContainsRune("aeiou", rune(word[n-2]))
}

// plurals lists the nouns whose plural the rule does not make.
var plurals = map[string]string{
	"knife": "knives", "midwife": "midwives", "wolf": "wolves", "goose": "geese", "ox": "oxen", "calf": "calves",
	"sheep": "sheep",
	"deer":  "deer", "foot": "feet", "dice": "dice", "penny": "pence", "fisher": "fishers",
	"watchman": "watchmen", "copper": "coppers", "bread": "loaves", "honey": "jars of honey",
	"butter": "pats of butter", "oat": "oats", "salt": "bags of salt", "trout": "trout",
	"bacon": "sides of bacon", "soup": "bowls of soup", "stew": "bowls of stew", "jam": "pots of jam",
	"mint": "sprigs of mint", "tea": "cups of tea", "cider": "jugs of cider", "ale": "mugs of ale",
	"wine": "cups of wine", "mead": "cups of mead", "milk": "jugs of milk", "cream": "jugs of cream",
	"cheese": "cheeses", "ham": "hams", "winter": "winters",
}

// plural returns the plural of a noun.
func plural(noun string) string {
	if p, ok := plurals[noun]; ok {
		return p
	}
	return sibilant(noun)
}
