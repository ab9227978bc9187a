package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"targon/bench/chart"
)

func ratios() chart.Bars {
	return chart.Bars{
		Title: "a < b & c", Series: []string{"decode", "score"}, Line: 1, LineName: "theirs",
		Groups: []chart.Group{
			{"small f16", []chart.Bar{{Value: 1.25, Low: 1, High: 1.5}, {Value: 0.5}}},
			{"large", []chart.Bar{{Value: 2, Low: 2, High: 2}, {Value: 0, Low: 0, High: 0}}},
		},
	}
}

// TestDrawing reads the file back: it is well-formed, and bars are as high as their
// values, from the same ground.
func TestDrawing(t *testing.T) {
	var b bytes.Buffer
	if err := ratios().WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	type rect struct {
		Y      float64 `xml:"y,attr"`
		Height float64 `xml:"height,attr"`
		Title  string  `xml:"title"`
	}
	var svg struct {
		Title string   `xml:"title"`
		Rects []rect   `xml:"rect"`
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal(b.Bytes(), &svg); err != nil {
		t.Fatal(err)
	}
	if svg.Title != "a < b & c" {
		t.Errorf("title %q", svg.Title)
	}
	bars := svg.Rects[2:] // after the legend's
	if len(bars) != 4 || bars[0].Title != "1.25" {
		t.Fatalf("bars %+v", bars)
	}
	for i, want := range []float64{1.25, 0.5, 2, 0} {
		r := bars[i]
		if ground := r.Y + r.Height; math.Abs(ground-304) > 0.2 || math.Abs(r.Height/bars[2].Height-want/2) > 0.002 {
			t.Errorf("bar %d stands on %v and is %v high, the one of 2 is %v", i, ground, r.Height, bars[2].Height)
		}
	}
	if text := strings.Join(svg.Texts, "|"); !strings.Contains(text, "|small|f16|") || !strings.Contains(text, "|theirs") {
		t.Errorf("texts %s", text)
	}
	var again bytes.Buffer
	if err := ratios().WriteSVG(&again); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the second drawing differs")
	}
	if n := strings.Count(b.String(), `class="w"`); n != 1 {
		t.Errorf("%d whiskers, want one", n)
	}
}

// TestRefused: what cannot be drawn is an error and no half of a file.
func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*chart.Bars){
		"no series":     func(b *chart.Bars) { b.Series = nil },
		"no groups":     func(b *chart.Bars) { b.Groups = nil },
		"a bar missing": func(b *chart.Bars) { b.Groups[0].Bars = b.Groups[0].Bars[:1] },
		"below zero":    func(b *chart.Bars) { b.Groups[0].Bars[0].Value = -1 },
		"no number":     func(b *chart.Bars) { b.Groups[0].Bars[0].Value = math.NaN() },
		"infinite":      func(b *chart.Bars) { b.Groups[0].Bars[0].Value = math.Inf(1) },
		"upside down":   func(b *chart.Bars) { b.Groups[0].Bars[0].Low = 2 },
		"nothing": func(b *chart.Bars) {
			b.Line, b.Groups = 0, []chart.Group{{"x", make([]chart.Bar, 2)}}
		},
	} {
		b := ratios()
		change(&b)
		var out bytes.Buffer
		if err := b.WriteSVG(&out); err == nil || out.Len() > 0 {
			t.Errorf("%s: error %v and %d bytes", name, err, out.Len())
		}
	}
	if err := ratios().WriteSVG(full{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a full disk: %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// TestLines: curves go through their points, on plain axes and logarithmic ones.
func TestLines(t *testing.T) {
	l := chart.Lines{
		Title: "a & b", X: chart.Axis{Name: "ids", Low: 10, High: 1000, Log: true}, Y: chart.Axis{Name: "share", High: 1},
		Panels: []chart.Panel{{Name: "p", Curves: []chart.Curve{{Name: "one <", Points: [][2]float64{{10, 0}, {100, 0.5}, {5000, 2}}}}}},
	}
	var b bytes.Buffer
	if err := l.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	var svg struct {
		Title string `xml:"title"`
		Lines []struct {
			Points string `xml:"points,attr"`
			Title  string `xml:"title"`
		} `xml:"polyline"`
	}
	if err := xml.Unmarshal(b.Bytes(), &svg); err != nil {
		t.Fatal(err)
	}
	if len(svg.Lines) != 1 || svg.Lines[0].Points != "56.0,256.0 181.0,156.0 306.0,56.0" || svg.Lines[0].Title != "one <" || svg.Title != "a & b" {
		t.Errorf("%+v", svg)
	}
	for name, change := range map[string]func(*chart.Lines){
		"no panels":          func(l *chart.Lines) { l.Panels = nil },
		"no curves":          func(l *chart.Lines) { l.Panels = []chart.Panel{{}} },
		"too many curves":    func(l *chart.Lines) { l.Panels = []chart.Panel{{Curves: make([]chart.Curve, 8)}} },
		"a logarithm of 0":   func(l *chart.Lines) { l.X.Low = 0 },
		"an axis of no size": func(l *chart.Lines) { l.Y.High = 0 },
	} {
		bad := l
		change(&bad)
		if err := bad.WriteSVG(io.Discard); err == nil {
			t.Errorf("%s is drawn", name)
		}
	}
}
