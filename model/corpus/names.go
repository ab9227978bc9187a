package corpus

import "strings"

var (
	stems = strings.Fields(`Al An Ar Bal Bel Ber Bor Bran Bri Cal Cam Cor Dal Dan Del Dor Dra El Em Er Fal Fen Fer Fin
		Gal Gar Gil Gor Gra Hal Har Hel Hol Is Jan Jor Kal Kel Kor Lan Lar Len Lin Lor Mal Mar Mel Mer Mor Nal Nel Nor
		Ol Or Os Pal Per Pol Ral Ran Ros Sal San Sel Ser Sil Sor Tal Tam Tar Tel Tor Tri Ul Ur Val Var Vel Ver Vol Wal
		Wen Wil Yar Yor Zan Zel`)
	middles = strings.Fields("a e i o d n l v")
	women   = strings.Fields("a ia ine eth essa ana wen ild ora ika elle una is ena")
	men     = strings.Fields("o an or ik us ard en olf eric unt ald os ek in")
	places  = strings.Fields(`mouth ford wick stead holm haven ness dale moor field bridge combe by garth wold well gate
		esh ul und`)
)

// givenName makes up a name; its ending tells women from men.
func (w *writer) givenName(woman bool) string {
	name := w.one(stems)
	if w.n(8) == 0 {
		name += w.one(middles)
	}
	if woman {
		return name + w.one(women)
	}
	return name + w.one(men)
}

// placeName makes up a town, a river or a country.
func (w *writer) placeName() string { return w.one(stems) + w.one(places) }

func (w *writer) person(woman bool) person {
	p := person{he: "he", him: "him", his: "his"}
	if woman {
		p = person{he: "she", him: "her", his: "her"}
	}
	p.name, p.role, p.temper = w.givenName(woman), w.class("role"), w.class("temper")
	if her, ok := feminine[p.role]; ok && woman {
		p.role = her
	}
	if his, ok := masculine[p.role]; ok && !woman {
		p.role = his
	}
	return p
}

// feminine and masculine list the trades that go by another name for a woman
// or for a man.
var (
	feminine  = map[string]string{"knight": "nun", "baron": "duchess", "monk": "nun"}
	masculine = map[string]string{"widow": "widower", "duchess": "baron", "midwife": "doctor"}
)
