package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"targon"
	"targon/merkle"
)

// file is a bundle as JSON: what people read is spelled out, and what is long or lies in
// the ledger is its canonical encoding in base64.
type file struct {
	Format     string            `json:"format"`
	Transcript targon.Transcript `json:"transcript"`
	Opened     []byte            `json:"opened"`
	Rate       []byte            `json:"rate,omitempty"`
	Arrived    []byte            `json:"arrived"`
	Judged     []byte            `json:"judged"`
	Closed     []byte            `json:"closed"`
	Block      targon.Digest     `json:"block"`
	Index      uint32            `json:"index"`
	Path       []targon.Digest   `json:"path"`
	Scores     []byte            `json:"scores,omitempty"`
	Again      []byte            `json:"again,omitempty"`
	Replay     *Replay           `json:"replay,omitempty"`
	Seal       Seal              `json:"seal"`
}

// MarshalJSON returns the file.
func (b Bundle) MarshalJSON() ([]byte, error) {
	f := file{
		Format: Format, Transcript: b.Transcript, Block: b.Block, Index: b.Index, Path: b.Path, Seal: b.Seal,
	}
	if f.Path == nil {
		f.Path = []targon.Digest{}
	}
	if b.Replay != (Replay{}) {
		f.Replay = &b.Replay
	}
	for _, v := range []struct {
		name  string
		dst   *[]byte
		value encoder
		there bool
	}{
		{partOpened, &f.Opened, b.Opened, true},
		{partRate, &f.Rate, rateOf(b), b.Rate != nil},
		{partArrived, &f.Arrived, b.Arrived, true},
		{partJudged, &f.Judged, b.Judged, true},
		{partClosed, &f.Closed, b.Closed, true},
		{partScores, &f.Scores, scoresOf(b.Scores), b.Scores != nil},
		{partAgain, &f.Again, scoresOf(b.Again), b.Again != nil},
	} {
		if !v.there {
			continue
		}
		var err error
		if *v.dst, err = v.value.MarshalBinary(); err != nil {
			return nil, fmt.Errorf("encode %s: %w", v.name, err)
		}
	}
	return json.Marshal(f)
}

// Decode reads a file of at most MaxBytes. Fields that it does not know or that
// are there twice, and anything after the object, are refused. That the parts fit together is for [Check] to say.
func Decode(r io.Reader) (Bundle, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Bundle{}, fmt.Errorf("read bundle: %w", err)
	}
	if len(text) > MaxBytes {
		return Bundle{}, fmt.Errorf("%w: more than %d bytes", ErrBundle, MaxBytes)
	}
	var head struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return Bundle{}, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if head.Format != Format {
		return Bundle{}, fmt.Errorf("%w: format %.64q, want %q", ErrBundle, head.Format, Format)
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Bundle{}, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if err := unique(text); err != nil {
		return Bundle{}, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return f.bundle()
}

// unique refuses an object that has a name twice, also in capitals, which Go reads as the
// same: who looks at the file with another tool would see the other value.
func unique(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	type level struct {
		names map[string]bool // nil: an array
		name  bool            // what comes next is a name
	}
	stack := []level{{}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		top := &stack[len(stack)-1]
		if s, ok := token.(string); ok && top.name {
			if s = strings.ToLower(strings.ToUpper(s)); top.names[s] { // ſ is an s to Go
				return fmt.Errorf("%.64q is there twice", s)
			}
			top.names[s], top.name = true, false
			continue
		}
		top.name = top.names != nil
		switch token {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}, name: true})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}

func (f file) bundle() (Bundle, error) {
	b := Bundle{Transcript: f.Transcript, Block: f.Block, Index: f.Index, Seal: f.Seal}
	if len(f.Path) > 0 {
		b.Path = f.Path
	}
	if f.Replay != nil {
		b.Replay = *f.Replay
	}
	if err := f.bounds(); err != nil {
		return Bundle{}, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	var rate targon.RateSet
	for _, part := range []struct {
		name string
		from []byte
		into func(targon.Entry) bool
	}{
		{partOpened, f.Opened, is(&b.Opened)},
		{partRate, f.Rate, is(&rate)},
		{partArrived, f.Arrived, is(&b.Arrived)},
		{partJudged, f.Judged, is(&b.Judged)},
		{partClosed, f.Closed, is(&b.Closed)},
	} {
		if part.name == partRate && len(part.from) == 0 {
			continue
		}
		e, err := targon.DecodeEntry(part.from)
		if err != nil {
			return Bundle{}, fmt.Errorf("%w: %s: %w", ErrBundle, part.name, err)
		}
		if !part.into(e) {
			return Bundle{}, fmt.Errorf("%w: %s is an entry of another kind, %T", ErrBundle, part.name, e)
		}
	}
	if len(f.Rate) > 0 {
		b.Rate = &rate
	}
	for _, s := range []struct {
		name string
		from []byte
		into **targon.Scores
	}{{partScores, f.Scores, &b.Scores}, {partAgain, f.Again, &b.Again}} {
		if len(s.from) == 0 {
			continue
		}
		*s.into = &targon.Scores{}
		if err := (*s.into).UnmarshalBinary(s.from); err != nil {
			return Bundle{}, fmt.Errorf("%w: %s: %w", ErrBundle, s.name, err)
		}
		if v := (*s.into).Vocab; v > maxVocab || v*len(f.Transcript.Tokens) > mostWork {
			return Bundle{}, fmt.Errorf("%w: %s: %d positions over %d ids", ErrBundle, s.name, len(f.Transcript.Tokens), v)
		}
	}
	return b, nil
}

// is returns what stores an entry of the right kind.
func is[T targon.Entry](dst *T) func(targon.Entry) bool {
	return func(e targon.Entry) (ok bool) {
		*dst, ok = e.(T)
		return ok
	}
}

// bounds refuses what no canonical encoding could hold.
func (f file) bounds() error {
	if _, err := f.Transcript.MarshalBinary(); err != nil {
		return fmt.Errorf("transcript: %w", err)
	}
	switch {
	case len(f.Path) > merkle.MaxPath:
		return fmt.Errorf("path of %d hashes, at most %d", len(f.Path), merkle.MaxPath)
	case len(f.Seal.Parts) > maxParts:
		return fmt.Errorf("seal over %d parts, at most %d", len(f.Seal.Parts), maxParts)
	case f.Replay != nil && !(f.Replay.Band >= 0 && f.Replay.Band <= math.MaxFloat32):
		return fmt.Errorf("replay with a band of %v", f.Replay.Band)
	}
	for _, p := range f.Seal.Parts {
		if len(p.Name) > 16 {
			return fmt.Errorf("seal names a part %.16q…", p.Name)
		}
	}
	return nil
}
