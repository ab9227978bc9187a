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
