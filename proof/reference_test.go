package proof_test

import (
	"math"
	"slices"
	"sort"
	"testing"

	"targon"
	"targon/noise"
	"targon/proof"
	"targon/sign"
)

const (
	vocab   = 300
	eosLow  = targon.TokenID(2)
	eosHigh = targon.TokenID(7)
)

// reference is a model in twenty lines: logits are a hash of the ids before. It
// generates like an honest engine and scores like a reference.
type reference struct {
	weights targon.Digest
	salt    uint64  // another salt is another model
	spread  float64 // of logits; 0 makes them all equal
	eos     float64 // added to the logits of end-of-sequence ids
	drift   float32 // added to every third logit: another arithmetic
	jitter  float64 // width of what is added to each logit: another machine
	kernel  string
	noise   noise.Profile
}

func scramble(x uint64) uint64 { // SplitMix64 (Steele, Lea, Flood 2014)
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

func (m reference) logits(before []targon.TokenID) []float32 {
	state := m.salt
	for _, id := range before[max(0, len(before)-4):] {
		state = scramble(state ^ uint64(uint32(id)))
	}
	out := make([]float32, vocab)
	for id := range out {
		u := float64(scramble(state+uint64(id))>>11) / (1 << 53)
		x := m.spread * u * u * u
		if id == int(eosLow) || id == int(eosHigh) {
			x += m.eos
		}
		out[id] = float32(x)
		if id%3 == 0 {
			out[id] += m.drift
		}
		out[id] += float32(m.jitter * (float64(scramble(state^uint64(id)<<32)>>11)/(1<<52) - 1))
	}
	return out
}

// ordered lists all ids by falling logit, ties by rising id.
func ordered(logits []float32) []targon.Scored {
	order := make([]targon.Scored, len(logits))
	for i, l := range logits {
		order[i] = targon.Scored{ID: targon.TokenID(i), Logit: l}
	}
	sort.SliceStable(order, func(a, b int) bool { return order[a].Logit > order[b].Logit })
	return order
}

// passing returns how many of the order the filters allow, by targon.Sampling's words.
func passing(order []targon.Scored, by targon.Sampling) int {
	n, high := len(order), float64(order[0].Logit)
	if by.MinP > 0 {
		for float64(order[n-1].Logit) < high+by.Temperature*math.Log(by.MinP) {
			n--
		}
	}
	if by.TopK > 0 {
		n = min(n, int(by.TopK))
	}
	if by.TopP > 0 {
		total, sum := 0.0, 0.0
		for _, s := range order[:n] {
			total += math.Exp((float64(s.Logit) - high) / by.Temperature)
		}
		for i, s := range order[:n] {
			if sum += math.Exp((float64(s.Logit) - high) / by.Temperature); sum >= by.TopP*total {
				return i + 1
			}
		}
	}
	return n
}

// describe is targon.Draw by its definition.
func describe(order []targon.Scored, by targon.Sampling) (d targon.Draw) {
	if by.Temperature == 0 {
		return d
	}
	n := len(order)
	if by.Filtered() {
		n = passing(order, by)
		d.Allowed, d.Last = uint32(n), order[n-1]
	}
	var all, kept, first, second float64
	for i, s := range order {
		x := (float64(s.Logit) - float64(order[0].Logit)) / by.Temperature
		w := math.Exp(x)
		all += w
		if i < n {
			kept, first, second = kept+w, first+w*x, second+w*x*x
		}
	}
	d.Norm, d.Kept = math.Log(all), kept/all
	d.Entropy = math.Log(kept) - first/kept
	d.Varentropy = second/kept - first/kept*first/kept
	return d
}

// value is what the naive rule compares: an id's logit with its noise, of a profile.
func value(r targon.Request, p noise.Profile, j, rank int, s targon.Scored) float64 {
	by := r.Sampling
	if by.Temperature == 0 {
		return float64(s.Logit)
	}
	column := uint32(s.ID)
	if p.ByRank() && by.Filtered() {
		column = uint32(rank)
	}
	return noise.Perturb(s.Logit, by.Temperature, p.Field(by.Seed, len(r.Prompt), j).Noise(column))
}

// winner is the naive rule: every allowed id of the vocabulary is compared.
func (m reference) winner(r targon.Request, j int, logits []float32) targon.TokenID {
	var race []targon.Scored
	if r.Sampling.Filtered() {
		race = ordered(logits)
		race = race[:passing(race, r.Sampling)]
	} else {
		for id, l := range logits {
			race = append(race, targon.Scored{ID: targon.TokenID(id), Logit: l})
		}
	}
	best, most := targon.TokenID(-1), math.Inf(-1)
	for i, s := range race {
		if v := value(r, m.noise, j, i, s); v > most || v == most && s.ID < best {
			best, most = s.ID, v
		}
	}
	return best
}

func (m reference) generate(r targon.Request) ([]targon.TokenID, targon.Finish) {
	all := slices.Clone(r.Prompt)
	for range r.MaxTokens {
		id := m.winner(r, len(all)-len(r.Prompt), m.logits(all))
		all = append(all, id)
		if id == eosLow || id == eosHigh {
			return all[len(r.Prompt):], targon.FinishStop
		}
	}
	return all[len(r.Prompt):], targon.FinishLength
}

func (m reference) score(r targon.Request, ids []targon.TokenID, need targon.Need) targon.Scores {
	s := targon.Scores{Weights: m.weights, Kernel: m.kernel, Vocab: vocab, EOS: []targon.TokenID{eosLow, eosHigh}}
	all := slices.Concat(r.Prompt, ids)
	for j, id := range ids {
		logits := m.logits(all[:len(r.Prompt)+j])
		order := ordered(logits)
		p := targon.Position{
			Claimed: targon.Scored{ID: id, Logit: logits[id]}, Top: order[:min(need.Top, vocab)],
			Drawn: describe(order, r.Sampling),
		}
		if need.Also != nil {
			for _, also := range need.Also[j] {
				p.Also = append(p.Also, targon.Scored{ID: also, Logit: logits[also]})
			}
		}
		s.Positions = append(s.Positions, p)
	}
	return s
}

// standard is the network's model: about one answer in three ends by itself.
var standard = reference{weights: targon.Digest{1}, salt: 99, spread: 8, eos: 1, kernel: "fast"}

func (m reference) portable() reference {
	m.kernel = "portable"
	return m
}

// proverKey signs in all tests.
func proverKey(t testing.TB) *sign.Key {
	t.Helper()
	k, err := sign.FromSeed(targon.Secret{7})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ask(k *sign.Key, seed uint64, temperature float64, maxTokens uint32) targon.Request {
	return targon.Request{
		ID: targon.RequestID{1}, Verifier: targon.Hotkey{9}, Prover: k.Hotkey(), Model: "tiny",
		Weights: standard.weights, Salt: targon.Salt{3}, Prompt: []targon.TokenID{11, 12, 13, 14, 15},
		Sampling: targon.Sampling{Temperature: temperature, Seed: seed}, MaxTokens: maxTokens,
	}
}

// answer signs ids as the prover's answer to r.
func answer(t fataler, k *sign.Key, r targon.Request, ids []targon.TokenID, f targon.Finish) targon.Transcript {
	t.Helper()
	return resign(t, k, targon.Transcript{Request: r, Tokens: ids, Receipt: targon.ReceiptFor(r, ids, f)})
}

func resign(t fataler, k *sign.Key, x targon.Transcript) targon.Transcript {
	t.Helper()
	sig, err := k.Sign(x.Receipt.Message())
	if err != nil {
		t.Fatal(err)
	}
	x.Receipt.Signature = sig
	return x
}

// check is the verifier's loop.
func check(t fataler, x targon.Transcript, fast, portable reference) targon.Verdict {
	t.Helper()
	v, need, ok := proof.Precheck(x, proof.Model{Vocab: vocab})
	if !ok {
		return v
	}
	v, _ = judge(t, x, fast, portable, need)
	return v
}

// fataler is what testing.T and rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// judge is the loop after Precheck, with any first Need; it counts the askings.
func judge(t fataler, x targon.Transcript, fast, portable reference, need targon.Need) (targon.Verdict, int) {
	t.Helper()
	s := fast.score(x.Request, x.Tokens, need)
	var again *targon.Scores
	v, a := proof.Judge(x, s, again)
	asked := 1
	for ; a.Wanted(); asked++ {
		if asked > proof.MaxAsks {
			t.Fatal("Judge asks for ever")
		}
		if v.Outcome != targon.Undecided {
			t.Fatalf("asks with verdict %v standing", v.Outcome)
		}
		if a.Confirm {
			second := portable.score(x.Request, x.Tokens, a.Need)
			again = &second
		} else {
			s = fast.score(x.Request, x.Tokens, a.Need)
		}
		v, a = proof.Judge(x, s, again)
	}
	return v, asked
}
