package enginetest

import (
	"targon/engine/native/gguf"
	"targon/engine/native/madeup"
)

// Shape describes a model to make up.
type Shape = madeup.Shape

// RandomModel returns a GGUF file of a shape with random weights, the same bytes on
// every machine.
func RandomModel(s Shape) ([]byte, error) { return madeup.Model(s) }

// Tiny is a shape that runs in no time and has everything awkward about it: lengths
// that are no multiples of 16, shared key heads, a matrix type that needs widening.
func Tiny() Shape {
	return Shape{
		Dim: 40, FFN: 52, Layers: 3, Heads: 6, KVHeads: 2, Head: 10,
		Vocab: 301, Context: 512, Type: gguf.F16, Untied: true, Seed: 1,
	}
}
