package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"targon"
)

// Names of the parts, in the order in which they are signed. Scores, again, rate and replay
// are there only if the bundle has them.
const (
	partTranscript = "transcript"
	partOpened     = "opened"
	partRate       = "rate"
	partArrived    = "arrived"
	partJudged     = "judged"
	partClosed     = "closed"
	partBlock      = "block"
	partPath       = "path"
	partScores     = "scores"
	partAgain      = "again"
	partReplay     = "replay"

	maxParts = 11
)

type encoder interface{ MarshalBinary() ([]byte, error) }

// parts digests everything but the seal.
func (b Bundle) parts() ([]Part, error) {
	nouns := []struct {
		name  string
		value encoder
		there bool
	}{
		{partTranscript, b.Transcript, true},
		{partOpened, b.Opened, true},
		{partRate, rateOf(b), b.Rate != nil},
		{partArrived, b.Arrived, true},
		{partJudged, b.Judged, true},
		{partClosed, b.Closed, true},
		{partBlock, raw(b.Block[:]), true},
		{partPath, b.path(), true},
		{partScores, scoresOf(b.Scores), b.Scores != nil},
		{partAgain, scoresOf(b.Again), b.Again != nil},
		{partReplay, b.Replay, b.Replay != Replay{}},
	}
	var out []Part
	for _, n := range nouns {
		if !n.there {
			continue
		}
		enc, err := n.value.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", n.name, err)
		}
		out = append(out, Part{n.name, sha256.Sum256(enc)})
	}
	return out, nil
}

// raw is bytes that are their own encoding.
type raw []byte

// MarshalBinary returns the bytes.
func (r raw) MarshalBinary() ([]byte, error) { return r, nil }

func rateOf(b Bundle) targon.RateSet {
	if b.Rate == nil {
		return targon.RateSet{}
	}
	return *b.Rate
}

func scoresOf(s *targon.Scores) targon.Scores {
	if s == nil {
		return targon.Scores{}
	}
	return *s
}

// path encodes index and path: u32, and 32 bytes for each hash.
func (b Bundle) path() raw {
	out := binary.LittleEndian.AppendUint32(nil, b.Index)
	for _, d := range b.Path {
		out = append(out, d[:]...)
	}
	return out
}

// MarshalBinary returns the band as f64, and the name of the noise after it.
func (r Replay) MarshalBinary() ([]byte, error) {
	name, err := r.Noise.MarshalText()
	if err != nil {
		return nil, fmt.Errorf("encode replay: %w", err)
	}
	return append(binary.LittleEndian.AppendUint64(nil, math.Float64bits(r.Band)), name...), nil
}

// message is what the verifier signs: the format and the parts, each string prefixed by
// its length as u32.
func (s Seal) message() []byte {
	put := func(b []byte, text string) []byte {
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(text))), text...)
	}
	out := put(nil, Format)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(s.Parts)))
	for _, p := range s.Parts {
		out = put(out, p.Name)
		out = append(out, p.SHA256[:]...)
	}
	return out
}
