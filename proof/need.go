package proof

import (
	"targon"
	"targon/noise"
)

// What to ask the reference for, so that one answer nearly always decides.
//
// The winner over the whole vocabulary is known as soon as no id that was not listed can
// reach the best that was. Such an id has a logit of at most the K-th highest and a
// noise of at most the highest among the unlisted. So we ask for the K highest logits
// and for the ids of the highest noise. Noise falls as its key rises (package noise),
// hence the ids whose key lies under a limit, about alsoFor(K) of them, found
// without a logarithm.
//
// Noise is cheap to list and logits are not, so it is four ids of high noise for one of a
// high logit. With K = 48 of 2048 and a K-th probability of 0.003 (e^-5.8), the 193rd
// highest noise being below 2.4, an answer fails to decide a position when the winner's
// value is below -3.4 nats, with probability exp(-e^3.4), about 1e-13; with flatter
// distributions one in some ten thousand was seen. Then a wider answer is asked for,
// which costs a whole prefill again. (With as many ids of high noise as logits it was one
// answer in eight; own measurement, built-in model.) A filter changes nothing: the
// reference says which id is the last allowed, so an id of high noise is known to be in the
// race or not; but the ids around a filter's edge must be listed, so it is K = 64 then.
const (
	firstTop      = 48
	firstFiltered = 64
	alsoEach      = 4
	// alsoShare keeps the noise list at no less than one id in so many, or a large
	// vocabulary would leave too much noise unlisted.
	alsoShare = 128
)

// first is how many of the highest logits are asked for at first.
func first(by targon.Sampling) int {
	if by.Filtered() {
		return firstFiltered
	}
	return firstTop
}

// need lists what to ask for with top highest logits a position, at most all.
func need(t targon.Transcript, m Model, top int) targon.Need {
	vocab := m.Vocab
	n := targon.Need{Top: min(top, vocab)}
	if by := t.Request.Sampling; by.Temperature == 0 || m.Noise.ByRank() && by.Filtered() {
		return n // the highest logit wins; or noise goes by the order of the list
	}
	limit := keyLimit(alsoFor(n.Top, vocab), vocab, m.Noise.Keys())
	n.Also = make([][]targon.TokenID, len(t.Tokens))
	var columns []uint32
	for j := range t.Tokens {
		columns = place(m.Noise, t.Request, j).Under(limit, vocab, columns[:0])
		n.Also[j] = make([]targon.TokenID, len(columns))
		for i, c := range columns {
			n.Also[j][i] = targon.TokenID(c)
		}
	}
	return n
}

// alsoFor returns how many ids of the highest noise go with top highest logits.
func alsoFor(top, vocab int) int {
	return min(vocab, max(alsoEach*top, top*(vocab/alsoShare)/firstTop))
}

// keyLimit returns the key under which about count of vocab ids lie.
func keyLimit(count, vocab int, keys uint64) uint64 {
	return uint64(count) * keys / uint64(vocab)
}

// place returns where in the noise the j-th output id is drawn.
func place(p noise.Profile, r targon.Request, j int) noise.Field {
	return p.Field(r.Sampling.Seed, len(r.Prompt), j)
}
