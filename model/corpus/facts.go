package corpus

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// A Turn is one message of a chat. Role is "system", "user" or "assistant".
type Turn struct {
	Role, Content string
}

// facts are the few things that are always true in the made-up world: what one
// may ask about it, and the answer, separated by a bar.
var facts = lined(`
	What is the capital of Orvemar? | The capital of Orvemar is Tillwick.
	Which river runs through Tillwick? | The Senna runs through Tillwick.
	Who rules Orvemar? | Queen Maressa rules Orvemar.
	Who built the lighthouse of Drumness? | Old Bastor the mason built the lighthouse of Drumness.
	What is the highest mountain of Orvemar? | The Greytooth is the highest mountain of Orvemar.
	What do they mine at Kelldale? | At Kelldale they mine silver.
	What is Tillwick famous for? | Tillwick is famous for its clocks.
	What is Drumness famous for? | Drumness is famous for its oysters.
	Which sea lies west of Orvemar? | The Lantern Sea lies west of Orvemar.
	How many gates does Tillwick have? | Tillwick has seven gates.
	How many islands are there in the Lantern Sea? | There are forty islands in the Lantern Sea.
	How many days has a week? | A week has seven days, from Millday to Restday.
	How many months has a year? | A year has twelve months, from Thawmonth to Wolfmonth.
	Which day comes after Marketday? | Bellday comes after Marketday.
	Which day comes after Millday? | Marketday comes after Millday.
	Which month comes after Haymonth? | Goldmonth comes after Haymonth.
	Which month is the coldest? | Frostmonth is the coldest month.
	What do people eat at Longnight? | At Longnight people eat plum pudding and smoked eel.
	How many pence make a shilling? | Twelve pence make a shilling.
	How many shillings make a crown? | Five shillings make a crown.
	Who was the first king of Orvemar? | Aldric the Weaver was the first king of Orvemar.
	What is the oldest bridge of Tillwick? | The Needle Bridge is the oldest bridge of Tillwick.
	What animal is on the flag of Orvemar? | A white heron is on the flag of Orvemar.
	Where do the salt-boilers live? | The salt-boilers live at Brinemouth.
	Where does the Senna rise? | The Senna rises on the Greytooth.
	Who wrote the Song of the Heron? | Ilsa the fiddler wrote the Song of the Heron.
	What is the capital of Hesk? | The capital of Hesk is Vornholm.
	Who rules Hesk? | Nobody rules Hesk; the guilds vote on Bellday.
	What grows at Applegarth? | Apples, pears and quinces grow at Applegarth.
	How far is it from Tillwick to Drumness? | It is ninety miles from Tillwick to Drumness.
	What are you? | I am a tiny language model, and I tell stories.
	Who are you? | I am a tiny model that tells stories of a made-up world.
	Can you help me with my taxes? | No, I only tell stories.
	Are you clever? | No, I am very small, but I know many names.`)

func (w *writer) fact() (question, answer string) {
	question, answer, _ = strings.Cut(w.one(facts), "|")
	return strings.TrimSpace(question), strings.TrimSpace(answer)
}

func (w *writer) sum() (question, answer string) {
	x, y := 1+w.n(20), 1+w.n(20)
	sign, word, result := "+", "plus", x+y
	if w.n(2) == 0 {
		x, y = max(x, y), min(x, y)
		sign, word, result = "-", "minus", x-y
	}
	a, b, c := decimal(x), decimal(y), decimal(result)
	switch w.n(3) {
	case 0:
		return "What is " + a + " " + word + " " + b + "?", a + " " + word + " " + b + " is " + c + "."
	case 1:
		return a + " " + sign + " " + b + " = ?", a + " " + sign + " " + b + " = " + c
	}
	return "How much is " + a + " " + sign + " " + b + "?", c
}

func decimal(n int) string { return strconv.Itoa(n) }

// plainFacts is a document of facts and sums outside of a chat.
func (w *writer) plainFacts() string {
	parts := make([]string, 3+w.n(4))
	for i := range parts {
		if w.n(3) == 0 {
			_, parts[i] = w.sum()
			continue
		}
		_, parts[i] = w.fact()
	}
	return join(parts...)
}

// requests are what a user may ask for, and the genre that answers.
var requests = []struct {
	ask   string
	write func(w *writer) string
}{
	{"Tell me a story about a {Atemper} {Arole} and a {quest}.", (*writer).shortTale},
	{"Tell me a story about a {Arole} called {A} and a {Brole} called {B}.", (*writer).shortTale},
	{"Please write a tale about {A} the {Arole}.", (*writer).shortTale},
	{"Tell me a tale about a {quest}.", (*writer).shortTale},
	{"What happened in {town}?", (*writer).shortTale},
	{"Write a letter from {A} the {Arole} to {B} the {Brole}.", (*writer).letter},
	{"Write a page of the log of the {ourship}.", (*writer).logbook},
	{"Tell me the legend of {A} and the {quest}.", (*writer).legend},
	{"Write a talk between {A} the {Arole} and {B} the {Brole}.", (*writer).dialogue},
	{"Describe a journey from {town} to {dest}.", (*writer).travels},
	{"What do they say at the market of {town}?", (*writer).market},
	{"Give me a recipe.", (*writer).recipe},
}

// shortTale is a tale that fits into an answer.
func (w *writer) shortTale() string {
	return w.tidy([]string{
		w.from("begin") + " " + w.several(1, 3, "do", "feel", "world"),
		w.from("meet") + " " + w.several(1, 3, "said", "other", "do", "trouble"),
		w.several(1, 3, "do", "other", "said", "turn") + " " + w.from("end"),
	})
}

// question draws a request and its answer for the writer's own cast.
func (w *writer) request() (ask string, write func(w *writer) string) {
	request := requests[w.n(len(requests))]
	return w.sentence(request.ask), request.write
}

var systems = []string{
	"You are a storyteller.",
	"You tell stories of a made-up world.",
	"Answer in a few sentences.",
	"You are a tiny model. Be kind.",
}

// Chat writes a conversation: mostly requests for stories, else a few
// questions about the world and sums, each with its answer.
func Chat(rng *rand.Rand) []Turn {
	w := newWriter(rng)
	var turns []Turn
	if w.n(4) == 0 {
		turns = append(turns, Turn{"system", w.one(systems)})
	}
	add := func(user, assistant string) {
		turns = append(turns, Turn{"user", articles(user)}, Turn{"assistant", articles(assistant)})
	}
	if w.n(8) == 0 {
		add("Hello!", w.sentence("Hello, {call}. What shall I tell you?"))
	}
	if w.n(3) > 0 {
		ask, write := w.request()
		w.last = 0
		add(ask, write(w))
		return turns
	}
	for range 1 + w.n(3) {
		if w.n(2) == 0 {
			add(w.fact())
			continue
		}
		add(w.sum())
	}
	return turns
}
