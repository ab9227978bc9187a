package speed

import (
	"bytes"
	"fmt"
	"strings"

	"targon/engine/native"
	"targon/engine/native/gguf"
	"targon/engine/native/madeup"
	"targon/model"
)

// A Subject is a model in one number format.
type Subject struct {
	Model string
	Type  gguf.Type
	make  func(gguf.Type) ([]byte, error)
}

// Builtin is the built-in model, its matrices rounded to a type.
func Builtin(t gguf.Type) Subject {
	return Subject{"builtin", t, func(t gguf.Type) ([]byte, error) { return Retyped(model.GGUF(), t) }}
}

// Random24M has the shape of stories15M and its 32,000 ids, with an output matrix of its
// own: 24 million weights, which are random.
func Random24M(t gguf.Type) Subject {
	return Random("random-24M", t, madeup.Shape{
		Dim: 288, FFN: 768, Layers: 6, Heads: 6, KVHeads: 6, Head: 48, Vocab: 32000, Context: 1024, Untied: true, Seed: 24,
	})
}

// Random160M has the shape of SmolLM2-135M and an output matrix of its own.
func Random160M(t gguf.Type) Subject {
	return Random("random-160M", t, madeup.Shape{
		Dim: 576, FFN: 1536, Layers: 30, Heads: 9, KVHeads: 3, Head: 64, Vocab: 49152, Context: 1024, Untied: true, Seed: 160,
	})
}

// Random is a made-up model of a shape.
func Random(name string, t gguf.Type, shape madeup.Shape) Subject {
	return Subject{name, t, func(t gguf.Type) ([]byte, error) {
		shape.Type = t
		return madeup.Model(shape)
	}}
}

// Subjects are those that are measured unless others are named.
func Subjects() []Subject {
	var all []Subject
	for _, of := range []func(gguf.Type) Subject{Builtin, Random24M} {
		for _, t := range []gguf.Type{gguf.F32, gguf.F16, gguf.Q8_0, gguf.Q4_0} {
			all = append(all, of(t))
		}
	}
	return all
}

// TypeName is the type as rows name it.
func (s Subject) TypeName() string { return strings.ToLower(s.Type.String()) }

// float tells whether matrices are multiplied as floating-point numbers.
func (s Subject) float() bool { return s.Type == gguf.F32 || s.Type == gguf.F16 }

// File returns the model file.
func (s Subject) File() ([]byte, error) { return s.make(s.Type) }

// Load returns the model.
func (s Subject) Load() (*native.Model, error) {
	data, err := s.File()
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", s.Model, err)
	}
	return native.Load(data)
}

// Retyped returns a model file with its matrices stored as a type, those whose rows do
// not fill its blocks as they were.
func Retyped(data []byte, typ gguf.Type) ([]byte, error) {
	in, err := gguf.Parse(data)
	if err != nil {
		return nil, err
	}
	out := new(gguf.File)
	for _, key := range in.Keys() {
		v, _ := in.Value(key)
		if err := out.Set(key, v); err != nil {
			return nil, err
		}
	}
	per, _ := typ.Block()
	for _, t := range in.Tensors() {
		if len(t.Dims) > 1 && t.Type != typ && t.Dims[0]%uint64(per) == 0 {
			values := make([]float32, t.Elements())
			if err := gguf.Dequantize(values, t.Type, t.Data); err != nil {
				return nil, err
			}
			rounded, err := gguf.Quantize(typ, values)
			if err != nil {
				return nil, err
			}
			t = &gguf.Tensor{Name: t.Name, Type: typ, Dims: t.Dims, Data: rounded}
		}
		if err := out.Add(t); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err = gguf.Write(&b, out)
	return b.Bytes(), err
}
