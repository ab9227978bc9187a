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
// and for the ids of the highest noise. Noise falls as its hash rises (package noise),
// hence the ids whose hash lies under a limit, about alsoFor(K) of them, found
// without a logarithm.
//
// With K = 64 of 2048 and a K-th probability of 0.002, an answer fails to decide a
// position with probability below 1e-6; then a wider one is asked for (own).
const (
	firstTop = 64
	// alsoShare keeps the noise list at no less than one id in so many, or a large
	// vocabulary would leave too much noise unlisted.
	alsoShare = 128
)

// need lists what to ask for with top highest logits a position, at most all.
func need(t targon.Transcript, vocab, top int) targon.Need {
	n := targon.Need{Top: min(top, vocab)}
	if t.Request.Sampling.Temperature == 0 {
		return n // no noise: the highest logit wins
	}
	limit := hashLimit(alsoFor(n.Top, vocab), vocab)
	n.Also = make([][]targon.TokenID, len(t.Tokens))
	for j := range t.Tokens {
		p := place(t.Request, j)
		for id := range vocab {
			if uint64(p.Hash(uint32(id))) < limit {
				n.Also[j] = append(n.Also[j], targon.TokenID(id))
			}
		}
	}
	return n
}

// alsoFor returns how many ids of the highest noise go with top highest logits.
func alsoFor(top, vocab int) int {
	return min(vocab, max(top, top*(vocab/alsoShare)/firstTop))
}

// hashLimit returns the hash under which about count of vocab ids lie.
func hashLimit(count, vocab int) uint64 {
	return (uint64(count) << 32) / uint64(vocab)
}

// place returns where in the noise the j-th output id is drawn: its position is the
// number of ids before it, the prompt included.
func place(r targon.Request, j int) noise.Place {
	return noise.At(r.Sampling.Seed, uint32(len(r.Prompt)+j))
}
