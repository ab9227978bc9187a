package native

import (
	"slices"

	"targon"
	"targon/engine/native/kernel"
	"targon/noise"
)

// position reads everything that is asked for out of one row of logits.
func (ws *workspace) position(
	logits []float32, claimed targon.TokenID, by targon.Sampling, top int, also []targon.TokenID,
) targon.Position {
	var p targon.Position
	s := newSurvey(&p, targon.Scored{ID: claimed, Logit: logits[claimed]}, by, top, also)
	s.take(ws, 0, logits)
	s.conclude()
	return p
}

// A survey reads everything that is asked for out of one row of logits, whose pieces come
// by rising id.
type survey struct {
	by   targon.Sampling
	top  int
	also []targon.TokenID
	at   *targon.Position // as far as it is known
	// The distributions at temperature 1, and at that of the request if nothing is filtered.
	plain, drawn mass
}

// newSurvey begins one for an id and its logit, which writes to a position.
func newSurvey(to *targon.Position, claimed targon.Scored, by targon.Sampling, top int, also []targon.TokenID) *survey {
	*to = targon.Position{Claimed: claimed}
	s := &survey{by: by, top: top, also: also, at: to}
	if len(also) > 0 {
		s.at.Also = make([]targon.Scored, len(also))
	}
	return s
}

// inPieces reports whether a survey takes a row by pieces. Otherwise its one piece is the row.
func inPieces(by targon.Sampling, top int) bool { return !by.Filtered() && top <= fewOf }

// draws reports whether the request draws from a distribution over all ids, and same whether
// that is the one at temperature 1.
func (s *survey) draws() bool { return s.by.Temperature > 0 && !s.by.Filtered() }

func (s *survey) same() bool { return s.by.Temperature == 1 && s.draws() }

// take takes the logits of the ids from first on, a multiple of a piece.
func (s *survey) take(ws *workspace, first int, logits []float32) {
	s.at.Rank += rank(ws.kernel, first, logits, s.at.Claimed)
	for i, id := range s.also {
		if int(id) >= first && int(id) < first+len(logits) {
			s.at.Also[i] = targon.Scored{ID: id, Logit: logits[int(id)-first]}
		}
	}
	if s.top > fewOf {
		s.at.Top = highest(ws.kernel, logits, s.top)
	} else {
		s.at.Top = lead(ws.kernel, s.at.Top, first, logits, s.top)
	}
	for part := range slices.Chunk(logits, piece) {
		high := ws.kernel.Highest(part)
		switch {
		case s.same(): // one look at the weights does for both
			s.plain.add(ws.moments(part, high, 1), high, 1)
			continue
		case s.draws():
			s.drawn.add(ws.moments(part, high, inverse(s.by)), high, inverse(s.by))
		}
		s.plain.add(ws.total(part, high), high, 1)
	}
	if s.by.Filtered() {
		s.at.Drawn = ws.drawn(logits, s.plain.high, s.by, s.at.Top)
	}
}

// conclude writes what all pieces say.
func (s *survey) conclude() {
	p, norm := s.at, noise.Log(s.plain.sum)
	p.LogProb = (float64(p.Claimed.Logit) - float64(s.plain.high)) - norm
	switch {
	case s.same():
		p.Drawn = s.plain.draw()
	case s.draws():
		p.Drawn = s.drawn.draw()
	}
}

// inverse returns 1/T, above 0.
func inverse(by targon.Sampling) float32 { return float32(min(1/by.Temperature, coldest)) }

// drawn describes what a request above temperature 0 draws from that filters a whole row;
// top is the head of the order, as far as it is known.
func (ws *workspace) drawn(logits []float32, high float32, by targon.Sampling, top []targon.Scored) targon.Draw {
	inverse := inverse(by)
	n, last := ws.head(logits, by, top)
	var all, kept kernel.Sums
	for from := 0; from < len(logits); from += piece {
		part := logits[from:min(from+piece, len(logits))]
		w := ws.weigh(part, high, inverse)
		ws.kernel.AddTotal(&all, w)
		for i, l := range part { // only what is allowed weighs anything
			if l < last.Logit || l == last.Logit && targon.TokenID(from+i) > last.ID {
				w[i] = 0
			}
		}
		ws.kernel.AddMoments(&kept, w, part, high, inverse)
	}
	var m mass
	m.add(&kept, high, inverse)
	d := m.draw()
	norm := noise.Log(all.Total())
	d.Kept = noise.Exp(d.Norm - norm)
	d.Norm, d.Allowed, d.Last = norm, uint32(n), last
	return d
}

// head returns how many ids the filters allow, and the last of them.
func (ws *workspace) head(logits []float32, by targon.Sampling, top []targon.Scored) (n int, last targon.Scored) {
	if by.TopP == 0 && by.MinP == 0 && uint64(by.TopK) <= uint64(len(top)) { // sorted already
		return int(by.TopK), top[by.TopK-1]
	}
	ids, last := ws.filter.allowed(logits, by)
	return len(ids), last
}

// coldest bounds 1/T, so that it is a float32. Below such temperatures the highest id
// takes it all.
const coldest = 1e30

// piece is how much of a row of logits is weighed at a time, so that weights stay in the
// first-level cache. A multiple of 16.
const piece = 2048

// weigh returns e^((logit - high) × inverse) in float32, by the kernel, of up to a piece of a
// row, until the next call.
func (ws *workspace) weigh(part []float32, high, inverse float32) []float32 {
	return weigh(ws.kernel, ws.exps, part, high, inverse)
}

// weigh is that method with a kernel, into memory for a piece.
func weigh(k *kernel.Kernel, to, part []float32, high, inverse float32) []float32 {
	w := to[:kernel.Pad(len(part))]
	k.Exponents(w[:len(part)], part, high, inverse)
	clear(w[len(part):]) // padding, which is not summed
	k.ExpSub(w, 0)
	return w[:len(part)]
}

// total returns the sum of a piece's weights at temperature 1 in float64, about 1e-7 from exact.
func (ws *workspace) total(part []float32, high float32) *kernel.Sums {
	ws.sums = kernel.Sums{}
	ws.kernel.AddTotal(&ws.sums, ws.weigh(part, high, 1))
	return &ws.sums
}

// moments adds up a piece's weights and their moments.
func (ws *workspace) moments(part []float32, high, inverse float32) *kernel.Sums {
	ws.sums = kernel.Sums{}
	ws.kernel.AddMoments(&ws.sums, ws.weigh(part, high, inverse), part, high, inverse)
	return &ws.sums
}

// A mass is weights e^x, added up, with x = (logit - high) × inverse, and their products with x and x².
// That of pieces is relative to the highest of their logits, so that no row has to be looked
// through for it beforehand. The zero value is that of nothing.
type mass struct {
	some               bool
	high               float32
	sum, first, second float64
}

// add adds the sums of a piece, relative to a logit of its own.
func (m *mass) add(part *kernel.Sums, high, inverse float32) {
	other := mass{some: true, high: high}
	other.sum, other.first, other.second = part.Moments()
	switch {
	case !m.some:
		*m = other
		return
	case high > m.high:
		m.lower(high, inverse)
	default:
		other.lower(m.high, inverse)
	}
	m.sum += other.sum
	m.first += other.first
	m.second += other.second
}

// lower makes it relative to a logit that is not lower: with d what x loses, weights come
// down to e^d of what they were, and x² by (x + d)² - x².
func (m *mass) lower(high, inverse float32) {
	d := float64((float64(m.high) - float64(high)) * float64(inverse))
	by := noise.Exp(d)
	m.second = float64(by * (m.second + float64(d*(float64(2*m.first)+float64(d*m.sum)))))
	m.first = float64(by * (m.first + float64(d*m.sum)))
	m.sum = float64(by * m.sum)
	m.high = high
}

// draw describes the distribution as if it were all there is: -ln p is Norm - x.
func (m *mass) draw() targon.Draw {
	mean := m.first / m.sum
	norm := noise.Log(m.sum)
	return targon.Draw{
		Norm: norm, Kept: 1,
		Entropy:    max(0, norm-mean),
		Varentropy: max(0, m.second/m.sum-float64(mean*mean)),
	}
}
