package chart

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Lines are curves over one another, in panels beside each other where they are too many
// to be told apart in one.
type Lines struct {
	Title  string
	X, Y   Axis
	Panels []Panel
}

// An Axis goes from Low to High, both above zero where Log is set.
type Axis struct {
	Name      string
	Low, High float64
	Log       bool
}

// A Panel holds as many curves as there are colours.
type Panel struct {
	Name   string
	Curves []Curve
}

// A Curve is points by rising X. Points outside the axes are moved to their ends.
type Curve struct {
	Name   string
	Points [][2]float64
}

const (
	panelWidth, panelHeight = 250, 200
	panelsInRow             = 3
	panelGap                = 62
	legendLine              = 16
)

// at returns where on an axis a value lies, from 0 to 1.
func (a Axis) at(v float64) float64 {
	low, high := a.Low, a.High
	v = min(max(v, low), high)
	if a.Log {
		low, high, v = math.Log(low), math.Log(high), math.Log(v)
	}
	return (v - low) / (high - low)
}

// marks returns where an axis has marks: round numbers.
func (a Axis) marks() (out []float64) {
	if a.Log {
		for v := math.Pow(10, math.Ceil(math.Log10(a.Low)-1e-9)); v <= a.High*(1+1e-9); v *= 10 {
			out = append(out, v)
		}
		return out
	}
	step := tick(a.High - a.Low)
	for i := math.Ceil(a.Low/step - 1e-9); i*step <= a.High*(1+1e-9); i++ {
		out = append(out, i*step)
	}
	return out
}

func (a Axis) check() error {
	if !(a.High > a.Low) || a.Log && !(a.Low > 0) || math.IsInf(a.High-a.Low, 0) {
		return fmt.Errorf("draw lines: axis %q from %v to %v", a.Name, a.Low, a.High)
	}
	return nil
}

// WriteSVG draws the lines.
func (l Lines) WriteSVG(out io.Writer) error {
	for _, a := range []Axis{l.X, l.Y} {
		if err := a.check(); err != nil {
			return err
		}
	}
	most := 0
	for _, p := range l.Panels {
		if len(p.Curves) == 0 || len(p.Curves) > len(curveColours()) {
			return fmt.Errorf("draw lines: panel %q has %d curves, want 1 to %d", p.Name, len(p.Curves), len(curveColours()))
		}
		most = max(most, len(p.Curves))
	}
	if most == 0 {
		return fmt.Errorf("draw lines: no panels")
	}
	cell := panelHeight + 50 + (most+1)/2*legendLine
	columns := min(len(l.Panels), panelsInRow)
	rows := (len(l.Panels) + columns - 1) / columns
	d := &drawing{}
	width, height := columns*(panelWidth+panelGap)+20, 40+rows*(cell+34)
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img">`, width, height)
	d.add(`<title>%s</title><style>%s.c{fill:none;stroke-width:1.8}</style>`, escape(l.Title), style)
	d.add(`<text class="t" x="%d" y="20">%s</text>`, left, escape(l.Title))
	for i, p := range l.Panels {
		d.panel(l, p, panelGap-6+i%columns*(panelWidth+panelGap), 56+i/columns*(cell+34))
	}
	d.add(`</svg>`)
	_, err := io.WriteString(out, d.text.String())
	return err
}

// curveColours are those of Okabe and Ito (2008), without yellow, which is hard to see on white.
func curveColours() []string { return append(colours(), "#d55e00", "#56b4e9", "#999999") }

// panel draws one panel with its upper left corner at x, y.
func (d *drawing) panel(l Lines, p Panel, x, y int) {
	across := func(v float64) float64 { return float64(x) + panelWidth*l.X.at(v) }
	up := func(v float64) float64 { return float64(y) + panelHeight*(1-l.Y.at(v)) }
	d.add(`<text x="%d" y="%d">%s</text>`, x, y-8, escape(p.Name))
	for _, v := range l.X.marks() {
		d.add(`<line class="g" x1="%.1f" x2="%.1[1]f" y1="%d" y2="%d"/><text x="%.1[1]f" y="%d" text-anchor="middle">%.4g</text>`,
			across(v), y, y+panelHeight, y+panelHeight+16, v)
	}
	for _, v := range l.Y.marks() {
		d.add(`<line class="g" x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f"/><text x="%d" y="%.1f" text-anchor="end">%.4g</text>`,
			x, x+panelWidth, up(v), x-6, up(v)+4, v)
	}
	d.add(`<line class="a" x1="%d" x2="%d" y1="%d" y2="%[3]d"/><line class="a" x1="%[1]d" x2="%[1]d" y1="%d" y2="%[3]d"/>`, x, x+panelWidth, y+panelHeight, y)
	d.add(`<text x="%d" y="%d" text-anchor="middle">%s</text>`, x+panelWidth/2, y+panelHeight+32, escape(l.X.Name))
	d.add(`<text transform="translate(%d %d) rotate(-90)" text-anchor="middle">%s</text>`, x-40, y+panelHeight/2, escape(l.Y.Name))
	for i, c := range p.Curves {
		points := make([]string, len(c.Points))
		for j, v := range c.Points {
			points[j] = fmt.Sprintf("%.1f,%.1f", across(v[0]), up(v[1]))
		}
		colour := curveColours()[i]
		d.add(`<polyline class="c" stroke="%s" points="%s"><title>%s</title></polyline>`, colour, strings.Join(points, " "), escape(c.Name))
		lx, ly := x+i%2*(panelWidth/2), y+panelHeight+46+i/2*legendLine
		d.add(`<rect x="%d" y="%d" width="10" height="10" fill="%s"/><text x="%d" y="%d">%s</text>`, lx, ly, colour, lx+15, ly+9, escape(c.Name))
	}
}
