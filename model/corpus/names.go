package corpus

import "strings"

var (
	onsets  = strings.Fields("b br c ch d dr f fl g gr h j k l m n p qu r s sh st t th tr v w y z")
	vowels  = strings.Fields("a e i o u a e i o ai ea ia oa")
	middles = strings.Fields("l ll m n nn r rr s d v lm nd rv lk st br rd th sk mb nt lv")
	women   = strings.Fields("a ia e ine eth is essa ana wen ild ora ika elle una")
	men     = strings.Fields("o an or ik us ard en olf eric unt im ald os ek")
	places  = strings.Fields("mouth ford wick stead holm haven ness dale moor field bridge combe by garth minster wold well gate")
	regions = strings.Fields("an esh or ul ar eth im oss ay und")
)

// givenName makes up a name; its ending tells women from men.
func (w *writer) givenName(woman bool) string {
	endings := men
	if woman {
		endings = women
	}
	name := ""
	if w.n(5) > 0 {
		name = w.one(onsets)
	}
	name += w.one(vowels) + w.one(middles)
	if w.n(4) == 0 {
		name += w.one(vowels) + w.one(middles)
	}
	return capitalise(name + w.one(endings))
}

// placeName makes up a town, a river or a country.
func (w *writer) placeName() string {
	name := w.one(onsets) + w.one(vowels) + w.one(middles)
	switch w.n(4) {
	case 0:
		return capitalise(name + w.one(regions))
	case 1:
		return capitalise(name + w.one(vowels) + w.one(middles) + w.one(regions))
	}
	return capitalise(name + w.one(places))
}

// feminine lists the trades that go by another name for a woman.
var feminine = map[string]string{
	"knight": "nun", "baron": "duchess", "monk": "nun", "quarryman": "stonecutter", "watchman": "watchwoman",
}

func (w *writer) person(woman bool) person {
	p := person{he: "he", him: "him", his: "his"}
	if woman {
		p = person{he: "she", him: "her", his: "her"}
	}
	p.name, p.role, p.temper = w.givenName(woman), w.class("role"), w.class("temper")
	if woman {
		if her, ok := feminine[p.role]; ok {
			p.role = her
		}
		if p.temper == "bearded" {
			p.temper = "freckled"
		}
		return p
	}
	switch p.role {
	case "widow":
		p.role = "widower"
	case "duchess":
		p.role = "baron"
	case "midwife":
		p.role = "doctor"
	}
	return p
}
