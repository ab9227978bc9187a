package native

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"targon"
)

// TestPagesHold: whatever sequences do, a page is in one state, within the limits, held
// as often as sequences hold it, and what is reused is what was computed for these ids.
func TestPagesHold(t *testing.T) {
	w := tiny(t, Options{}).model.w
	rapid.Check(t, func(t *rapid.T) {
		p := newPages(w, rapid.IntRange(1, 12).Draw(t, "limit"), 0)
		p.spare = rapid.IntRange(0, p.limit).Draw(t, "spare")
		type user struct {
			s   sequence
			ids []targon.TokenID
		}
		var users []*user
		salts := map[*page]string{}
		written := map[*page][]targon.TokenID{} // all ids up to a full page's last
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				u := &user{ids: make([]targon.TokenID, rapid.IntRange(1, 5*pageRows).Draw(t, "ids"))}
				for i := range u.ids { // few kinds, so that many are alike
					u.ids[i] = targon.TokenID(i / pageRows * rapid.SampledFrom([]int{0, 0, 1}).Draw(t, "kind"))
				}
				u.s.salt = rapid.SampledFrom([]string{"", "", "salt"}).Draw(t, "salt")
				p.reuse(&u.s, u.ids, len(u.ids)-1)
				if u.s.length > len(u.ids)-1 || u.s.length != min(len(u.s.pages)*pageRows, len(u.ids)-1) {
					t.Fatalf("reuses %d positions of %d ids by %d pages", u.s.length, len(u.ids), len(u.s.pages))
				}
				for i, g := range u.s.pages {
					if !slices.Equal(written[g], u.ids[:(i+1)*pageRows]) || salts[g] != u.s.salt {
						t.Fatalf("page %d was computed for other ids", i)
					}
				}
				users = append(users, u)
			},
			"compute": func(t *rapid.T) {
				if len(users) == 0 {
					t.Skip("nobody")
				}
				u := rapid.SampledFrom(users).Draw(t, "user")
				n := min(rapid.IntRange(1, 100).Draw(t, "positions"), len(u.ids)-u.s.length)
				if n == 0 || !p.reserve(&u.s, n) {
					t.Skip("no room")
				}
				u.s.length += n
				for i := range u.s.length / pageRows {
					if g := u.s.pages[i]; g.name == 0 {
						written[g], salts[g] = u.ids[:(i+1)*pageRows], u.s.salt
					}
				}
				p.share(&u.s, u.ids)
			},
			"end": func(t *rapid.T) {
				if len(users) == 0 {
					t.Skip("nobody")
				}
				i := rapid.IntRange(0, len(users)-1).Draw(t, "user")
				p.release(&users[i].s)
				users = slices.Delete(users, i, i+1)
			},
			"": func(t *rapid.T) {
				held := map[*page]int{}
				for _, u := range users {
					for i, g := range u.s.pages {
						held[g]++
						if u.s.length >= (i+1)*pageRows && !slices.Equal(written[g], u.ids[:(i+1)*pageRows]) {
							t.Fatalf("page %d of a sequence holds other ids", i)
						}
					}
				}
				for g, n := range held {
					if g.refs != n || g.idle != nil {
						t.Fatalf("a page is held %d times, counts %d, idle %v", n, g.refs, g.idle != nil)
					}
				}
				for _, g := range p.free {
					if g.refs != 0 || g.name != 0 || held[g] > 0 {
						t.Fatal("a free page is held or known")
					}
				}
				for e := p.idle.Front(); e != nil; e = e.Next() {
					if g := e.Value.(*page); g.refs != 0 || p.known[g.key] != g || held[g] > 0 {
						t.Fatal("an idle page is held or not known")
					}
				}
				if p.made > p.limit || p.made != len(held)+len(p.free)+p.idle.Len() || len(p.free)+p.idle.Len() > p.spare {
					t.Fatalf("%d pages made of %d: %d held, %d free, %d idle, %d spare", p.made, p.limit, len(held), len(p.free), p.idle.Len(), p.spare)
				}
			},
		})
	})
}
