package native

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"targon"
	"targon/engine/native/gguf"
	"targon/engine/native/kernel"
	"targon/engine/native/mapped"
)

// A Model is immutable and serves any number of engines. It needs no closing: a file
// that it maps is given back some time after the last Model and Engine that use it are
// forgotten.
type Model struct {
	name string
	// digest computes the digest at its first call, since that reads the whole file.
	digest func() targon.Digest
	file   *gguf.File
	w      *weights
	text   text
}

// Open loads a model file. The file is mapped: weights in blocks, those of type F32 and
// F16 whose rows need no padding, and the vocabulary are used where they lie, and come into
// memory when they are first needed, so that a large file is ready at once and several
// processes share it. Other weights are copied into memory, BF16 as float32.
//
// The file must not be written to or shortened as long as the model is in use; replace
// it by renaming another one over it. A file that is shortened ends the process at the
// next look at what is gone ([mapped] says why).
func Open(path string) (*Model, error) {
	source, err := mapped.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	m, err := load(source.Data(), source)
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", path, errors.Join(err, source.Close()))
	}
	return m, nil
}

// Load reads a model from the contents of a GGUF file, which must not change
// afterwards: weights and tokens are used where they lie, as [Open] does. A file without a usable
// tokenizer or chat template loads, and can be scored.
func Load(data []byte) (*Model, error) { return load(data, nil) }

func load(data []byte, source *mapped.File) (*Model, error) {
	f, err := gguf.Parse(data)
	if err != nil {
		return nil, err
	}
	c, err := readConfig(f)
	if err != nil {
		return nil, err
	}
	w, err := loadWeights(f, c, gguf.F32)
	if err != nil {
		return nil, err
	}
	w.source = source
	f.Keep(source) // tokens stay where they are in the file, too
	known := readText(f, w.vocab)
	return &Model{
		name: nameOf(f),
		digest: sync.OnceValue(func() targon.Digest {
			defer runtime.KeepAlive(source)
			return targon.ModelDigest(sha256.Sum256(data), kernel.Arith)
		}),
		file: f,
		w:    w,
		text: known,
	}, nil
}

// Name returns what the file calls the model.
func (m *Model) Name() string { return m.name }

// Digest names the weights together with the arithmetic. The first call reads the whole
// file to hash it, a second or so for a gigabyte; later calls, and concurrent ones,
// share the outcome.
func (m *Model) Digest() targon.Digest { return m.digest() }

// Vocab returns the number of ids.
func (m *Model) Vocab() int { return m.w.vocab }

// Context returns the greatest number of ids in prompt and answer together.
func (m *Model) Context() int { return m.w.context }

// Parameters returns the number of weights in matrices.
func (m *Model) Parameters() int {
	count := func(x *kernel.Matrix) int { return x.Rows() * x.Cols() }
	n := count(m.w.embed)
	if m.w.output != m.w.embed {
		n += count(m.w.output)
	}
	for _, l := range m.w.layers {
		n += count(l.q) + count(l.k) + count(l.v) + count(l.out) + count(l.gate) + count(l.up) + count(l.down)
	}
	return n
}

// Multiplied returns how many weights of matrices one id is multiplied with on its way
// to logits: all but the embeddings, which are looked up.
func (m *Model) Multiplied() int {
	if m.w.output == m.w.embed {
		return m.Parameters()
	}
	return m.Parameters() - m.w.embed.Rows()*m.w.embed.Cols()
}

// Requantized returns the model with every matrix rounded to a type, as one who saves
// memory would run it. Rows that do not fill the type's blocks are rounded
// to F16. Its digest is its own.
func (m *Model) Requantized(t gguf.Type) (*Model, error) {
	w, err := loadWeights(m.file, m.w.config, t)
	if err != nil {
		return nil, fmt.Errorf("requantize to %v: %w", t, err)
	}
	w.source = m.w.source
	return m.derived(w, fmt.Sprintf("matrices as %v", t)), nil
}

// WithoutLayer returns the model with layer i left out. Its digest is its own.
func (m *Model) WithoutLayer(i int) (*Model, error) {
	if i < 0 || i >= len(m.w.layers) || len(m.w.layers) == 1 {
		return nil, fmt.Errorf("leave out layer %d: the model has %d", i, len(m.w.layers))
	}
	w := *m.w
	w.layers = append(append([]layer(nil), m.w.layers[:i]...), m.w.layers[i+1:]...)
	w.config.layers = len(w.layers)
	return m.derived(&w, fmt.Sprintf("without layer %d", i)), nil
}

// derived names changed weights by the model they came from and the change.
func (m *Model) derived(w *weights, change string) *Model {
	d := *m
	d.w, d.name = w, m.name+", "+change
	d.digest = sync.OnceValue(func() targon.Digest {
		from := m.digest()
		return sha256.Sum256(append([]byte("targon/derived-model/v1\x00"+change+"\x00"), from[:]...))
	})
	return &d
}
