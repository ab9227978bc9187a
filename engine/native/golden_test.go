package native_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"targon"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/modeltest"
)

// goldenEnv names a model file that is to be held to recorded logits. Beside NAME.gguf
// lie NAME.json (or NAME.golden.json): ids under "tokens" and, if there are any,
// strings under "tokenize" with their ids; and NAME.logits.f32.gz: a row of little-endian float32
// for each id, from one prefill.
const goldenEnv = "TARGON_TEST_GGUF"

// golden is the JSON file.
type golden struct {
	Tokens   []targon.TokenID `json:"tokens"`
	Tokenize []struct {
		Text    string           `json:"text"`
		IDs     []targon.TokenID `json:"ids"`
		WithBOS []targon.TokenID `json:"ids_with_bos"`
	} `json:"tokenize"`
}

// TestGoldenFile: the file that is named, or the one of the test models, gives the logits
// and ids that were recorded beside it. Recordings come from engines that round
// otherwise (llama.cpp keeps its cache in F16), hence the limits: nearly every position
// has the same likeliest id, and the median of differences is small against the spread
// of the logits. Quantised files round activations to 8 bits on both sides, each in its
// own way, so that they may differ by more.
func TestGoldenFile(t *testing.T) {
	path := os.Getenv(goldenEnv)
	if path == "" {
		path = filepath.Join(modeltest.Dir(t), modeltest.Probe) // skips aloud where it is not
	}
	t.Logf("held to its recording: %s", path)
	m, err := native.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := readGolden(t, path)
	for _, c := range want.Tokenize {
		if got := m.Encode(c.Text, false); !slices.Equal(got, c.IDs) && len(got)+len(c.IDs) > 0 {
			t.Errorf("%q has the ids %v, want %v", c.Text, got, c.IDs)
		}
		if got := m.Encode(c.Text, true); c.WithBOS != nil && !slices.Equal(got, c.WithBOS) {
			t.Errorf("%q has the ids %v with a beginning, want %v", c.Text, got, c.WithBOS)
		}
	}
	rows := readLogits(t, path, len(want.Tokens), m.Vocab())
	e := engine(t, m, native.Options{})
	far := newFarness(len(rows))
	err = e.Logits(t.Context(), want.Tokens, func(at int, row []float32) error {
		far.add(row, rows[at*len(row):(at+1)*len(row)])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	median, worst := far.summary()
	t.Logf("logits differ by %.2g in the median and %.2g at most, their deviation is %.2g; the likeliest id is the same at %d of %d positions",
		median, worst, far.deviation(), far.agree, far.positions)
	limit, same := far.deviation()/100, 0.98
	if quantised(t, path) {
		limit, same = far.deviation()/20, 0.90
	}
	if median > limit || float64(far.agree) < same*float64(far.positions) {
		t.Errorf("median difference %.2g (limit %.2g), the likeliest id is the same at %d of %d positions (want a share of %v)",
			median, limit, far.agree, far.positions, same)
	}
}

// quantised tells whether any tensor of a file is stored in blocks.
func quantised(t *testing.T, path string) bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(f.Tensors(), func(t *gguf.Tensor) bool {
		elements, _ := t.Type.Block()
		return elements > 1
	})
}

// beside returns the first file that exists of those named after a model file.
func beside(t *testing.T, path string, endings ...string) []byte {
	t.Helper()
	for _, ending := range endings {
		data, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ending)
		if err == nil {
			return data
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	t.Fatalf("no %s beside %s", strings.Join(endings, " or "), path)
	return nil
}

func readGolden(t *testing.T, path string) golden {
	t.Helper()
	var g golden
	if err := json.Unmarshal(beside(t, path, ".json", ".golden.json"), &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Tokens) == 0 {
		t.Fatalf("no ids are recorded beside %s", path)
	}
	return g
}

func readLogits(t *testing.T, path string, positions, vocab int) []float32 {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(beside(t, path, ".logits.f32.gz")))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) != 4*positions*vocab {
		t.Fatalf("%d bytes of logits are recorded, want %d for %d positions of %d", len(raw), 4*positions*vocab, positions, vocab)
	}
	rows := make([]float32, positions*vocab)
	for i := range rows {
		rows[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return rows
}

// farness is how far rows of logits are from recorded ones.
type farness struct {
	differences      []float64
	squares          float64 // of the recorded logits, each less the mean of its row
	positions, agree int
}

func newFarness(n int) *farness { return &farness{differences: make([]float64, 0, n)} }

func (f *farness) add(row, want []float32) {
	best, wantBest, mean := 0, 0, 0.0
	for _, v := range want {
		mean += float64(v) / float64(len(want))
	}
	for i, v := range want {
		f.differences = append(f.differences, math.Abs(float64(row[i])-float64(v)))
		f.squares += (float64(v) - mean) * (float64(v) - mean)
		if row[i] > row[best] {
			best = i
		}
		if v > want[wantBest] {
			wantBest = i
		}
	}
	f.positions++
	if best == wantBest {
		f.agree++
	}
}

func (f *farness) deviation() float64 { return math.Sqrt(f.squares / float64(len(f.differences))) }

func (f *farness) summary() (median, worst float64) {
	slices.Sort(f.differences)
	return f.differences[len(f.differences)/2], f.differences[len(f.differences)-1]
}
