package proof_test

import (
	"testing"

	"targon"
	"targon/noise"
	"targon/proof"
)

func seeded(t *testing.T, m reference, answers int, edit func(*targon.Request)) []proof.Seeded {
	t.Helper()
	var out []proof.Seeded
	for seed := range uint64(answers) {
		r := ask(proverKey(t), scramble(seed), 1, 24)
		edit(&r)
		ids, _ := m.generate(r)
		judge := noEnd()
		judge.spread = m.spread
		out = append(out, proof.Seeded{
			Transcript: targon.Transcript{Request: r, Tokens: ids},
			Scores:     judge.score(r, ids, targon.Need{Top: 100}),
		})
	}
	return out
}

// TestDetect: every engine's noise is found in its own answers, by another machine.
func TestDetect(t *testing.T) {
	for _, p := range noise.Candidates() {
		m := noEnd()
		m.noise, m.jitter = p, 0.005
		got, ok := proof.Detect(seeded(t, m, 6, func(*targon.Request) {}))
		want := p
		switch p { // the same to six digits: the one that a real engine has
		case noise.Profile{Form: noise.Targon, Count: noise.CountLast}:
			want = noise.VLLM.Usual()
		case noise.Profile{Form: noise.VLLM, Count: noise.CountBefore}:
			want = noise.Profile{}
		case noise.Profile{Form: noise.VLLM, Count: noise.CountOutput}:
			want = noise.Profile{Form: noise.Targon, Count: noise.CountOutput}
		}
		if !ok || got.Profile != want || got.Matches > got.Telling || got.Telling > 6*24 {
			t.Errorf("%v: %+v, %v", p, got, ok)
		}
	}
}

// TestDetectNothing: noise of no known engine, too little of it, and none.
func TestDetectNothing(t *testing.T) {
	open := func(*targon.Request) {}
	honest := noEnd()
	for name, c := range map[string][]proof.Seeded{
		"no answers":    nil,
		"too few":       seeded(t, honest, 1, open),
		"greedy":        seeded(t, honest, 10, func(r *targon.Request) { r.Sampling.Temperature = 0 }),
		"filtered":      seeded(t, honest, 10, func(r *targon.Request) { r.Sampling.TopK = 40 }),
		"other weights": seeded(t, honest, 10, func(r *targon.Request) { r.Weights[0] ^= 1 }),
	} {
		if d, ok := proof.Detect(c); ok || name != "too few" && d.Matches > 0 {
			t.Errorf("%s: %+v, %v", name, d, ok)
		}
	}
	other := seeded(t, honest, 10, open)
	for i := range other {
		other[i].Transcript.Request.Sampling.Seed++
	}
	if d, ok := proof.Detect(other); ok || d.Telling < 100 || d.Matches*2 > d.Telling {
		t.Errorf("another seed: %+v, %v", d, ok)
	}
	// Where one id nearly always wins, every noise explains nearly everything; the few
	// positions that tell still do.
	cool := func(r *targon.Request) { r.Sampling.Temperature = 0.1 }
	other = seeded(t, honest, 30, cool)
	for i := range other {
		other[i].Transcript.Request.Sampling.Seed++
	}
	if d, ok := proof.Detect(other); ok {
		t.Errorf("another seed, cool: %+v", d)
	}
	if d, ok := proof.Detect(seeded(t, honest, 30, cool)); !ok || d.Profile != (noise.Profile{}) || d.Telling > 30*24/2 {
		t.Errorf("cool: %+v, %v", d, ok)
	}
}

// TestDetectAt: just over 95 % of just enough telling positions is enough, and no less.
func TestDetectAt(t *testing.T) {
	for _, c := range []struct {
		telling, wrong int
		want           bool
	}{{32, 0, true}, {31, 0, false}, {60, 2, true}, {60, 3, false}, {61, 3, true}} {
		r := ask(proverKey(t), 77, 1, 1)
		var ids []targon.TokenID
		s := targon.Scores{Weights: r.Weights, Vocab: 2}
		for telling := 0; telling < c.telling; {
			f := noise.Profile{}.Field(r.Sampling.Seed, len(r.Prompt), len(ids))
			lucky, other := targon.Scored{ID: 0}, targon.Scored{ID: 1}
			if f.Noise(1) > f.Noise(0) {
				lucky.ID, other.ID = 1, 0
			}
			p := targon.Position{Claimed: lucky}
			if lead := f.Noise(uint32(lucky.ID)) - f.Noise(uint32(other.ID)); lead > 0.25 {
				other.Logit = float32(lead / 2) // likelier, and beaten by lead/2
				p.Top = []targon.Scored{other, lucky}
				if telling < c.wrong {
					p.Claimed = other
				}
				telling++
			} else { // too near to tell
				other.Logit = float32(lead) - 1.0/32
				p.Top = []targon.Scored{other, lucky}
				if other.Logit < 0 {
					p.Top = []targon.Scored{lucky, other}
				}
			}
			s.Positions, ids = append(s.Positions, p), append(ids, p.Claimed.ID)
		}
		d, ok := proof.Detect([]proof.Seeded{{Transcript: targon.Transcript{Request: r, Tokens: ids}, Scores: s}})
		if ok != c.want || ok && (d.Telling != c.telling || d.Matches != c.telling-c.wrong) {
			t.Errorf("%d of %d wrong: %+v, %v", c.wrong, c.telling, d, ok)
		}
	}
}
