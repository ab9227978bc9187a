package speed_test

import (
	"encoding/json"
	"slices"
	"testing"

	"targon/bench/speed"
	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
	"targon/engine/native/madeup"
	"targon/model"
)

// tiny is measured in no time.
func tiny(t gguf.Type) speed.Subject {
	return speed.Random("tiny", t, madeup.Shape{
		Dim: 64, FFN: 96, Layers: 2, Heads: 2, KVHeads: 1, Head: 32, Vocab: 300, Context: 256, Untied: true, Seed: 3,
	})
}

// TestRun: every kernel is measured, the fastest on two threads and with 16 and 64 sequences;
// rows of one model and type have one hash, those of another type another.
func TestRun(t *testing.T) {
	var noted []string
	report, err := speed.Run(t.Context(), speed.Options{
		Subjects: []speed.Subject{tiny(gguf.F32), tiny(gguf.Q8_0)},
		Peak:     func(string) float64 { return 1e12 },
		Note:     func(what string) { noted = append(noted, what) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(noted, []string{"tiny F32", "tiny Q8_0"}) {
		t.Errorf("noted %q", noted)
	}
	each := len(kernel.Available()) + 4
	if len(report.Rows) != 2*each {
		t.Fatalf("%d rows, want %d for each of two subjects", len(report.Rows), each)
	}
	for i, r := range report.Rows {
		m, err := tiny(gguf.F32).Load()
		if err != nil {
			t.Fatal(err)
		}
		if r.Decode <= 0 || r.Score <= 0 || r.DecodeWall <= 0 || r.ScoreWall <= 0 || r.Ratio != r.Score/r.Decode || r.Params != m.Parameters() {
			t.Errorf("row %d: %+v", i, r)
		}
		want := 2 * float64(m.Multiplied()) * r.Score / 1e12
		if r.Type != "f32" {
			want = 0 // multiplied in integers
		}
		if r.PeakShare != want {
			t.Errorf("row %d: share of peak %v, want %v", i, r.PeakShare, want)
		}
		if first := report.Rows[i/each*each]; r.Logits != first.Logits || len(r.Logits) != 64 {
			t.Errorf("row %d: %s, %d threads: logits hash to %s, those of %s to %s", i, r.Kernel, r.Threads, r.Logits, first.Kernel, first.Logits)
		}
	}
	if report.Rows[0].Logits == report.Rows[each].Logits {
		t.Error("two types, one hash of logits")
	}
}

// TestRowNames: the names that readers of the JSON rely on.
func TestRowNames(t *testing.T) {
	got, err := json.Marshal(speed.Report{Rows: []speed.Row{{Model: "m", Params: 1, Type: "f32", Kernel: "k", Threads: 1, Batch: 16}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"rows":[{"model":"m","params":1,"type":"f32","kernel":"k","threads":1,"batch":16,"decode_tok_per_cpu_s":0,` +
		`"score_tok_per_cpu_s":0,"ratio":0,"peak_share":0,"logits_sha256":"","decode_tok_per_s":0,"score_tok_per_s":0}]}`
	if string(got) != want {
		t.Errorf("rows are\n%s, want\n%s", got, want)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 9, 2}, 3}} {
		if got := speed.Median(c.of); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.of, got, c.want)
		}
	}
}

// TestRetyped: the built-in model in another type has that type's matrices and runs.
func TestRetyped(t *testing.T) {
	data, err := speed.Retyped(model.GGUF(), gguf.Q8_0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gguf.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range f.Tensors() {
		if want := gguf.Q8_0; len(tensor.Dims) > 1 && tensor.Type != want {
			t.Errorf("%s is %v, want %v", tensor.Name, tensor.Type, want)
		}
	}
	if _, err := native.Load(data); err != nil {
		t.Error(err)
	}
	same, err := speed.Retyped(model.GGUF(), gguf.F16)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := load(t, same), load(t, model.GGUF()); a.Parameters() != b.Parameters() || a.Vocab() != b.Vocab() {
		t.Error("the same type gives another model")
	}
}

func load(t *testing.T, data []byte) *native.Model {
	t.Helper()
	m, err := native.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSizes: the made-up models have the sizes that they are named for.
func TestSizes(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 24 million weights")
	}
	m, err := speed.Random24M(gguf.Q4_0).Load()
	if err != nil {
		t.Fatal(err)
	}
	if n := m.Parameters(); n < 24e6 || n >= 25e6 {
		t.Errorf("random-24M has %d weights", n)
	}
	if m.Parameters()-m.Multiplied() != 288*32000 {
		t.Errorf("%d of %d weights are multiplied for one id: all but the embeddings are", m.Multiplied(), m.Parameters())
	}
}
