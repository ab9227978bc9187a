package bundle

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"targon"
	"targon/evidence"
	"targon/noise"
	"targon/proof"
)

// The drawing: one column for each id, gaps on a logarithmic axis.
const (
	plotLeft, plotRight = 70, 20
	plotTop, plotBottom = 64, 110
	plotHeight          = 320
	columnWidth         = 14
	leastColumns        = 40
	// denseFrom is how many ids are too many to name each below its column.
	denseFrom = 160
	lowestGap = 1e-6
	highest   = 64
	// boundPPB is the bound that the line is drawn at: one honest flip in a thousand.
	boundPPB = 1_000_000
)

// Plot draws the answer as SVG: for each id by how much the draw's winner led (match), or
// by how much the claimed id fell short of it (flip). With packs, a line shows the gap
// beyond which an honest prover flips at most once in a thousand ids. spell gives the
// text of an id; nil where no model is at hand.
func Plot(w io.Writer, b Bundle, nulls *evidence.Nulls, spell func(targon.TokenID) string) error {
	if b.Scores == nil {
		return fmt.Errorf("plot: the bundle lists no scores")
	}
	marks, err := proof.Margins(b.Transcript, *b.Scores, b.replay())
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	p := plot{w: bufio.NewWriter(w), n: len(marks)}
	p.begin(b)
	p.axes()
	p.bound(b, nulls)
	for j, m := range marks {
		p.mark(j, m, b.label(j, spell))
	}
	p.legend()
	p.put("</svg>\n")
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	return nil
}

// label is what stands below a column.
func (b Bundle) label(j int, spell func(targon.TokenID) string) string {
	id := b.Transcript.Tokens[j]
	if spell == nil {
		return fmt.Sprint(id)
	}
	return strings.NewReplacer("\n", "⏎", "\t", "⇥", " ", "␣").Replace(spell(id))
}

type plot struct {
	w *bufio.Writer
	n int
}

// put writes; Flush tells of failures.
func (p *plot) put(format string, args ...any) { _, _ = fmt.Fprintf(p.w, format, args...) }

// escape makes text safe inside an element or attribute, and drops what XML has no
// characters for.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

func (p *plot) width() int { return plotLeft + plotRight + columnWidth*max(p.n, leastColumns) }

func (p *plot) x(j int) float64 { return plotLeft + columnWidth*(float64(j)+0.5) }

// y places a gap; what is off the axis lies on its ends. Logarithms are noise's, so that
// the picture is the same on every machine.
func (p *plot) y(gap float64) float64 {
	at := noise.Log(min(max(gap, lowestGap), highest)/lowestGap) / noise.Log(highest/lowestGap)
	return plotTop + float64(plotHeight*(1-at))
}

func (p *plot) begin(b Bundle) {
	v := b.Judged.Verdict
	height := plotTop + plotHeight + plotBottom
	p.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="11" fill="#222">`+"\n",
		p.width(), height, p.width(), height)
	title := fmt.Sprintf("%s (%s): gaps along an answer of %s", v.Outcome, v.Reason, b.Transcript.Request.Model)
	p.put("<title>%s</title>\n", escape(title))
	p.put(`<rect width="100%%" height="100%%" fill="#fff"/>` + "\n")
	p.put(`<text x="%d" y="22" font-size="15" font-weight="bold">%s</text>`+"\n", plotLeft, escape(title))
}

func (p *plot) axes() {
	right := p.width() - plotRight
	for exponent := -6; exponent <= 1; exponent++ {
		at := p.y(math.Pow10(exponent))
		p.put(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>`+"\n", plotLeft, right, at, at)
		p.put(`<text x="%d" y="%.1f" text-anchor="end">1e%d</text>`+"\n", plotLeft-6, at+4, exponent)
	}
	p.put(`<path d="M%d %d V%d H%d" fill="none" stroke="#222"/>`+"\n", plotLeft, plotTop, plotTop+plotHeight, right)
	p.put(`<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">gap (logits, noise included)</text>`+"\n", plotTop+plotHeight/2)
	p.put(`<text x="%d" y="%d" text-anchor="middle">ids of the answer, in order</text>`+"\n", (plotLeft+right)/2, plotTop+plotHeight+plotBottom-10)
}

// bound draws from which gap on an honest flip is rarer than one in a thousand.
func (p *plot) bound(b Bundle, nulls *evidence.Nulls) {
	if nulls == nil {
		return
	}
	bets, ok := nulls.Bets(b.Judged.Verdict.Nulls)
	if !ok {
		return
	}
	class := targon.GapClass(targon.GapClasses)
	for class > 0 && bets.Bound(class-1) <= boundPPB {
		class--
	}
	if class == 0 || class == targon.GapClasses {
		return
	}
	at := p.y(noise.Exp((float64(class-1)/4 - 20) * noise.Log(2))) // targon.GapClass: quarters of an octave from 2^-20
	p.put(`<line class="bound" x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#b36b00" stroke-dasharray="6 4"/>`+"\n", plotLeft, p.width()-plotRight, at, at)
	p.put(`<text x="%d" y="%.1f" text-anchor="end" fill="#b36b00">above: an honest flip is rarer than 1 in 1000</text>`+"\n", p.width()-plotRight, at-4)
}

func (p *plot) mark(j int, m proof.Mark, label string) {
	x := p.x(j)
	tip := fmt.Sprintf("%d: %s, %s, gap %.3g", j, label, m.Standing, m.Gap)
	switch {
	case m.Flipped():
		y := p.y(m.Margin)
		tip += fmt.Sprintf(", winner %d, ahead by %.3g", m.Winner, m.Margin)
		p.put(`<g class="flip"><title>%s</title><path d="M%.1f %.1f l8 8 m0 -8 l-8 8" stroke="#c00" stroke-width="2.5" fill="none"/></g>`+"\n", escape(tip), x-4, y-4)
	case m.Decided():
		p.put(`<circle class="match" cx="%.1f" cy="%.1f" r="3.2" fill="#2a6fbb"><title>%s</title></circle>`+"\n", x, p.y(m.Gap), escape(tip))
	default:
		p.put(`<circle class="silent" cx="%.1f" cy="%.1f" r="3" fill="none" stroke="#999"><title>%s</title></circle>`+"\n", x, p.y(m.Gap), escape(tip))
	}
	if p.n >= denseFrom && !m.Flipped() && j%10 != 0 {
		return
	}
	colour := "#444"
	if m.Flipped() {
		colour = "#c00"
	}
	if r := []rune(label); len(r) > 12 {
		label = string(r[:11]) + "…"
	}
	p.put(`<text transform="translate(%.1f %d) rotate(-90)" text-anchor="end" font-size="10" fill="%s">%s</text>`+"\n",
		x+3.5, plotTop+plotHeight+8, colour, escape(label))
}

func (p *plot) legend() {
	const y = 44
	p.put(`<circle cx="%d" cy="%d" r="3.2" fill="#2a6fbb"/><text x="%d" y="%d">the draw's winner: how far it led</text>`+"\n", plotLeft+4, y-4, plotLeft+14, y)
	p.put(`<path d="M%d %d l8 8 m0 -8 l-8 8" stroke="#c00" stroke-width="2.5" fill="none"/><text x="%d" y="%d">another id (flip): how far it fell short</text>`+"\n",
		plotLeft+215, y-8, plotLeft+229, y)
	p.put(`<circle cx="%d" cy="%d" r="3" fill="none" stroke="#999"/><text x="%d" y="%d">says nothing</text>`+"\n", plotLeft+455, y-4, plotLeft+465, y)
}
