// Package chart draws grouped bars as an SVG file, for measurements that people would
// rather look at than read.
//
// It lays out nothing else, runs no script and loads no font: the file shows the same
// wherever it is opened, in light and in dark.
//
// Invariant: the same bars give the same bytes, so a drawing changes only with its data.
package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Bars are groups of bars beside each other, from zero up.
type Bars struct {
	Title  string
	Series []string // what the bars of a group are, in their order
	Groups []Group
	// Line is a value to draw a line at, LineName what it stands for; 0 is no line.
	Line     float64
	LineName string
}

// A Group has a bar of each series.
type Group struct {
	Name string
	Bars []Bar
}

// A Bar is a value, with a whisker from Low to High unless these are equal.
type Bar struct{ Value, Low, High float64 }

// Sizes are in pixels.
const (
	barWidth, groupGap = 34, 30
	left, right, top   = 52, 18, 64
	height, bottom     = 240, 46
)

// colours of series are told apart by people who see fewer colours (Okabe and Ito, 2008).
func colours() []string { return []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7"} }

const style = `text{font:12px sans-serif;fill:#222}.t{font-weight:bold;font-size:14px}.a{stroke:#888}.g{stroke:#ddd}.l{stroke:#d55e00;stroke-dasharray:5 4}.w{stroke:#222}` +
	`@media(prefers-color-scheme:dark){text{fill:#ddd}.g{stroke:#444}.w{stroke:#ddd}}`

// WriteSVG draws the bars.
func (b Bars) WriteSVG(out io.Writer) error {
	if len(b.Series) == 0 || len(b.Series) > len(colours()) || len(b.Groups) == 0 {
		return fmt.Errorf("draw bars: %d series and %d groups, want 1 to %d and some", len(b.Series), len(b.Groups), len(colours()))
	}
	highest := b.Line
	for _, g := range b.Groups {
		if len(g.Bars) != len(b.Series) {
			return fmt.Errorf("draw bars: %q has %d bars, want %d", g.Name, len(g.Bars), len(b.Series))
		}
		for _, v := range g.Bars {
			if !(v.Value >= 0 && v.Low >= 0 && v.High >= v.Low) || math.IsInf(v.Value+v.High, 0) {
				return fmt.Errorf("draw bars: %q has the value %v, from %v to %v", g.Name, v.Value, v.Low, v.High)
			}
			highest = max(highest, v.Value, v.High)
		}
	}
	if highest == 0 {
		return errors.New("draw bars: nothing is above zero")
	}
	d := &drawing{group: len(b.Series)*barWidth + groupGap, step: tick(highest)}
	d.most = math.Ceil(highest/d.step) * d.step
	d.draw(b)
	_, err := io.WriteString(out, d.text.String())
	return err
}

// tick returns a round distance between marks: about five of them up to a value.
func tick(highest float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(highest/5)))
	for _, step := range []float64{1, 2, 5} {
		if highest/(unit*step) <= 6 {
			return unit * step
		}
	}
	return unit * 10
}

type drawing struct {
	text       strings.Builder
	group      int
	step, most float64
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.text, format+"\n", args...) }

// y returns where a value lies.
func (d *drawing) y(value float64) float64 { return top + height*(1-value/d.most) }

func (d *drawing) draw(b Bars) {
	inner := len(b.Groups) * d.group
	width := max(left+inner+right, 560)
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img">`, width, top+height+bottom)
	d.add(`<title>%s</title><style>%s</style>`, escape(b.Title), style)
	d.add(`<text class="t" x="%d" y="20">%s</text>`, left, escape(b.Title))
	for i, name := range b.Series {
		d.add(`<rect x="%d" y="32" width="12" height="12" fill="%s"/><text x="%d" y="43">%s</text>`, left+110*i, colours()[i], left+110*i+18, escape(name))
	}
	for i := 0; float64(i)*d.step <= d.most*(1+1e-9); i++ {
		v := float64(i) * d.step
		d.add(`<line class="g" x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f"/><text x="%d" y="%.1f" text-anchor="end">%.4g</text>`, left, left+inner, d.y(v), left-8, d.y(v)+4, v)
	}
	for i, g := range b.Groups {
		at := left + i*d.group + groupGap/2
		for j, bar := range g.Bars {
			d.bar(at+j*barWidth, colours()[j], bar)
		}
		// Two words are put below each other.
		first, second, _ := strings.Cut(g.Name, " ")
		middle := at + len(g.Bars)*barWidth/2
		d.add(`<text x="%d" y="%d" text-anchor="middle">%s</text><text x="%[1]d" y="%[4]d" text-anchor="middle">%[5]s</text>`,
			middle, top+height+18, escape(first), top+height+34, escape(second))
	}
	d.add(`<line class="a" x1="%d" x2="%d" y1="%d" y2="%[3]d"/>`, left, left+inner, top+height)
	if b.Line > 0 {
		d.add(`<line class="l" x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f"/>`, left, left+inner, d.y(b.Line))
		at := left + 110*len(b.Series)
		d.add(`<line class="l" x1="%d" x2="%d" y1="38" y2="38"/><text x="%d" y="43">%s</text>`, at, at+24, at+30, escape(b.LineName))
	}
	d.add(`</svg>`)
}

func (d *drawing) bar(x int, colour string, b Bar) {
	d.add(`<rect x="%d" y="%.1f" width="%d" height="%.1f" fill="%s"><title>%.4g</title></rect>`,
		x+2, d.y(b.Value), barWidth-4, d.y(0)-d.y(b.Value), colour, b.Value)
	if b.High > b.Low {
		d.add(`<line class="w" x1="%d" x2="%[1]d" y1="%.1f" y2="%.1f"/>`, x+barWidth/2, d.y(b.Low), d.y(b.High))
	}
	d.add(`<text x="%d" y="%.1f" text-anchor="middle">%.2f</text>`, x+barWidth/2, d.y(max(b.Value, b.High))-5, b.Value)
}

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a strings.Builder takes everything
	}
	return b.String()
}
