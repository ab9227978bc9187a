package corpus

import "strings"

// verbs holds the verb classes in their base form; [inflect] makes the other
// forms.
var verbs = map[string]string{
	"handle": `carry mend polish paint lift drop hide find lose borrow steal sell buy trade weigh measure count wash dry
		fold wrap unwrap open close lock break bend burn bury dig_up throw catch kick push pull drag hang hold touch examine
		admire study draw describe guard follow need want keep return repair sharpen clean fill empty tie untie shake
		remember forget recognise collect gather inspect destroy rescue smuggle deliver unpack pack abandon guess_at
		look_at point_at reach_for ask_about sit_on step_over stumble_over trip_on lean_on listen_to stare_at
		dream_of argue_about pay_for wait_for search_for wonder_about hum_to complain_about`,
	"motion": `walk run ride sail row climb crawl limp hurry wander stroll march creep drift travel return ride_back
		swim dance stumble trudge gallop trot slip steal_away go come_back hasten stagger tiptoe set_out`,
	"transfer": `give sell lend show offer bring send hand throw promise pass`,
	"say": `say whisper shout mutter answer reply cry sigh laugh grumble murmur call announce warn insist admit add
		repeat explain declare snap growl beg mumble remark sing_out begin agree protest promise`,
	"tell":    `tell warn remind ask thank greet scold forgive blame praise flatter tease trust obey avoid help hire visit marry envy fear`,
	"eat":     `eat taste cook bake roast slice share swallow devour serve refuse season chop stir burn sniff`,
	"think":   `know believe suspect hope fear remember dream guess doubt swear hear pretend`,
	"beast":   `chase feed tame follow frighten catch ride free wake hunt call stroke milk shear brush watch bury befriend`,
	"idle":    `wait sleep weep laugh sing whistle hum listen rest dream work yawn shiver sneeze pray count_stars hesitate tremble smile nod frown blush`,
	"cry":     `howl sing bark grunt squeak hiss croak cough scream whistle sneeze chatter whimper`,
	"change":  `vanish fall break burn freeze melt crack sink shake glow rust tilt collapse open close ring creak turn_over catch_fire grow_warm`,
	"cooking": `boil fry roast simmer chop peel grate soak salt stir mash bake smoke pickle slice grind warm cool whisk strain knead`,
}

// irregular lists the past tense of strong verbs.
var irregular = map[string]string{
	"break": "broke", "bend": "bent", "buy": "bought", "catch": "caught", "dig": "dug", "draw": "drew", "find": "found",
	"forget": "forgot", "hang": "hung", "hide": "hid", "hold": "held", "keep": "kept", "lose": "lost", "sell": "sold",
	"steal": "stole", "throw": "threw", "run": "ran", "ride": "rode", "creep": "crept", "swim": "swam", "go": "went",
	"come": "came", "set": "set", "give": "gave", "lend": "lent", "bring": "brought", "send": "sent", "say": "said",
	"sing": "sang", "begin": "began", "tell": "told", "eat": "ate", "know": "knew", "hear": "heard", "feed": "fed",
	"wake": "woke", "sleep": "slept", "weep": "wept", "fall": "fell", "freeze": "froze", "sink": "sank", "shake": "shook",
	"ring": "rang", "grow": "grew", "sit": "sat", "swear": "swore", "make": "made", "take": "took", "see": "saw",
	"leave": "left", "feel": "felt", "think": "thought", "speak": "spoke", "stand": "stood", "build": "built",
	"drink": "drank", "write": "wrote", "read": "read", "meet": "met", "get": "got", "put": "put", "cut": "cut", "let": "let",
	"have": "had", "be": "was", "do": "did", "win": "won", "pay": "paid", "teach": "taught", "spend": "spent", "grind": "ground",
	"lie": "lay", "shut": "shut", "spin": "spun", "blow": "blew", "become": "became", "understand": "understood", "cost": "cost",
}

// doubled lists the verbs that double their last letter: drop, dropped.
var doubled = set(`wrap unwrap drop drag step slip trip hum stop beg nod chop trot plan trim grab stir chat strip tap dig run
	swim set begin forget sit get put cut let spin win shut snap`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
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
	case verb == "lie":
		return "lying"
	case verb == "see" || verb == "be" || strings.HasSuffix(verb, "oe"):
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
	"knife": "knives", "scarf": "scarves", "wolf": "wolves", "mouse": "mice", "goose": "geese", "ox": "oxen", "calf": "calves",
	"sheep": "sheep", "deer": "deer", "foot": "feet", "tooth": "teeth", "bellows": "bellows", "dice": "dice", "loaf": "loaves",
	"penny": "pence", "thief": "thieves", "fisher": "fishers", "quarryman": "quarrymen", "watchman": "watchmen", "copper": "coppers",
	"bread": "loaves", "honey": "jars of honey", "butter": "pats of butter", "barley": "sacks of barley", "rye": "sacks of rye",
	"millet": "sacks of millet", "oat": "oats", "salt": "bags of salt", "garlic": "heads of garlic", "trout": "trout",
	"salmon": "salmon", "bacon": "sides of bacon", "mutton": "legs of mutton", "soup": "bowls of soup", "stew": "bowls of stew",
	"porridge": "bowls of porridge", "jam": "pots of jam", "syrup": "jars of syrup", "vinegar": "bottles of vinegar",
	"mustard": "pots of mustard", "pepper": "bags of pepper", "mint": "sprigs of mint", "thyme": "sprigs of thyme",
	"saffron": "threads of saffron", "ginger": "roots of ginger", "cinnamon": "sticks of cinnamon", "tea": "cups of tea",
	"cider": "jugs of cider", "ale": "mugs of ale", "wine": "cups of wine", "mead": "cups of mead", "milk": "jugs of milk",
	"cream": "jugs of cream", "cheese": "cheeses", "ham": "hams", "winter": "winters",
}

// plural returns the plural of a noun.
func plural(noun string) string {
	if p, ok := plurals[noun]; ok {
		return p
	}
	return sibilant(noun)
}

// mass lists the foods that take no article.
var mass = set(`bread cheese butter honey barley rye millet herring trout eel salmon bacon mutton ham soup stew porridge jam
	syrup vinegar mustard pepper salt garlic mint thyme saffron ginger cinnamon tea cider ale wine mead milk cream goose duck`)
