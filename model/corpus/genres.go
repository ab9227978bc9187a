package corpus

import "strings"

// A genre writes one document; its paragraphs are separated by newlines.
type genre struct {
	weight int
	write  func(w *writer) string
}

// open lists the genres that an opening may come from.
var open = []genre{
	{9, (*writer).tale},
	{11, (*writer).scene},
	{7, (*writer).letter},
	{4, (*writer).dialogue},
	{1, (*writer).logbook},
	{2, (*writer).market},
	{3, (*writer).legend},
	{4, (*writer).travels},
	{1, (*writer).recipe},
	{1, (*writer).notices},
	{1, (*writer).chronicle},
}

func (w *writer) pick(genres []genre) genre {
	total := 0
	for _, g := range genres {
		total += g.weight
	}
	at := w.n(total)
	for _, g := range genres {
		if at < g.weight {
			return g
		}
		at -= g.weight
	}
	panic("internal error: genre weights")
}

func join(paragraphs ...string) string { return strings.Join(paragraphs, "\n") }

// tale is a story with a beginning, a loss, a helper and an end.
func (w *writer) tale() string {
	parts := []string{w.from("begin") + " " + w.several(1, 3, "do", "do", "feel", "world")}
	if w.n(3) > 0 {
		parts = append(parts, w.from("trouble")+" "+w.several(1, 3, "do", "feel", "world"))
	}
	parts = append(parts, w.from("meet")+" "+w.several(1, 3, "said", "other", "do"))
	for range w.n(3) {
		parts = append(parts, w.paragraph(2, 4, "do", "other", "said", "world", "feel"))
	}
	if w.n(2) == 0 {
		parts = append(parts, w.from("turn")+" "+w.several(0, 2, "do", "other", "said"))
	}
	if w.n(4) > 0 {
		parts = append(parts, strings.TrimSpace(w.several(0, 2, "do", "world")+" "+w.from("end")))
	}
	return w.tidy(parts)
}

// scene is a story that has no plot: what somebody did, saw and felt.
func (w *writer) scene() string {
	parts := []string{w.from("begin") + " " + w.several(2, 4, "do", "world", "feel")}
	for range 1 + w.n(4) {
		parts = append(parts, w.paragraph(2, 5, "do", "do", "world", "feel", "said", "other"))
	}
	return w.tidy(parts)
}

func (w *writer) tidy(parts []string) string {
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return join(parts...)
}

func (w *writer) letter() string {
	parts := []string{w.from("greeting") + ",", w.from("letterwhy") + " " + w.several(2, 4, "first")}
	for range w.n(3) {
		parts = append(parts, w.paragraph(2, 4, "first", "first", "world"))
	}
	return join(append(parts, w.from("farewell"))...)
}

// dialogue is set as a play: a name, a colon and what is said.
func (w *writer) dialogue() string {
	parts := []string{w.sentence("{A}, {vocation}, and {B}, {vocation}, {where}.")}
	for i := range 5 + w.n(8) {
		who := w.a.name
		if i%2 == 1 {
			who = w.b.name
		}
		said := w.from("line")
		if w.n(3) == 0 {
			said += " " + w.from("line")
		}
		parts = append(parts, who+": "+said)
	}
	return join(parts...)
}

func (w *writer) logbook() string {
	parts := []string{w.sentence("Log of the {ourship}, {ship} of {town}, {A} master.")}
	day := 1 + w.n(60)
	for range 3 + w.n(4) {
		parts = append(parts, w.expand("Day ")+decimal(day)+". "+w.several(2, 4, "log"))
		day += 1 + w.n(3)
	}
	return join(parts...)
}

func (w *writer) market() string {
	parts := []string{w.sentence("{when} {A} the {Arole} sold {thingadj} {cargo} and {B} wanted {np}.")}
	if w.n(2) == 0 {
		parts = []string{w.from("begin") + " " + w.from("world")}
	}
	for range 3 + w.n(4) {
		parts = append(parts,
			w.quoted("{^seller}", "{v.say.ed} {A}")+" "+w.several(0, 1, "do", "world"),
			w.quoted("{^buyer}", "{v.say.ed} {B}")+" "+w.several(0, 1, "other", "feel"))
	}
	return w.tidy(append(parts, w.several(1, 2, "other", "do", "end")))
}

// quoted writes what somebody says, now and then without saying who.
func (w *writer) quoted(line, who string) string {
	if w.n(2) == 0 {
		return w.sentence(`"` + line + `"`)
	}
	return w.sentence(`"` + line + `" ` + who + ".")
}

func (w *writer) legend() string {
	parts := []string{w.sentence("This is the legend of {A} the {Arole} and the {quest}.")}
	if w.n(2) == 0 {
		parts = []string{w.sentence("{number} hundred years before the {topic}, a {title} ruled {newplace}.")}
	}
	for range 2 + w.n(3) {
		parts = append(parts, w.paragraph(2, 4, "legend", "legend", "world", "do"))
	}
	return join(append(parts, w.from("moral"))...)
}

func (w *writer) travels() string {
	parts := []string{w.sentence("From {town} to {dest}, {month}.")}
	for _, day := range strings.Fields("First Second Third Fourth Fifth Sixth")[:3+w.n(3)] {
		parts = append(parts, day+" day. "+w.several(2, 4, "travel", "travel", "first"))
	}
	return join(parts...)
}

func (w *writer) recipe() string {
	parts := []string{w.sentence("{food} and {food} {dish} in the manner of {newplace}.")}
	list := []string{w.sentence("Take {number} {food.s}")}
	for range 1 + w.n(4) {
		list = append(list, w.expand("a {measure} of {foodadj} {cooked}"))
	}
	parts = append(parts, strings.Join(list, ", ")+w.expand(" and {number} {foodadj} {food.s}."), w.several(3, 6, "step"))
	return join(append(parts, w.several(2, 4, "step", "step", "world"))...)
}

func (w *writer) notices() string {
	parts := []string{w.sentence("Notices on the door of the {spot} in {town}, {weekday}.")}
	for range 4 + w.n(5) {
		parts = append(parts, w.from("notice"))
	}
	return join(parts...)
}

func (w *writer) chronicle() string {
	parts := []string{w.sentence("From the chronicle of {town}, kept by {A} the {Arole}.")}
	year := 100 + w.n(800)
	for range 3 + w.n(3) {
		parts = append(parts, "In the year "+decimal(year)+" "+w.expand("{who} {act.ed}.")+" "+w.several(2, 4, "chronicle"))
		year += 1 + w.n(9)
	}
	return join(parts...)
}
