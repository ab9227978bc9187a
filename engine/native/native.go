// Package native runs Llama-family models from GGUF files on the CPU, with the same
// bits on every machine.
//
// A [Model] is the weights: immutable, shared by any number of engines. An [Engine]
// generates ids one by one, as a prover does, and scores given ids in one pass, as a
// verifier does. It does not know who asks or what is done with the answer, keeps
// nothing between calls, and does not compare a request's Weights with the model it
// runs: whoever relies on that does.
//
// Invariant: a logit is a function of the model and the ids before it. It does not
// depend on the kernel, the number of threads, the other sequences being served, or on
// whether the ids came one at a time or all at once. [targon/engine/native/kernel]
// defines the arithmetic; this package adds, in order:
//
//   - the embedding row is the first residual stream, float32;
//   - RMS norm: x · float32(1/√(dot(x,x)/n + ε)) (in float64 up to the conversion), then · weight;
//   - rotary angles: position · exp(-2i/d · ln base) in float64, sine and cosine rounded
//     to float32, each product rounded before the sum; queries are then multiplied by
//     float32(1/√d), d being the head's length;
//   - attention scores, softmax and values over positions 0 to the current one;
//   - output projections and the residual sums are float32.
//
// Weights of every type but F32 and F16 are widened to float32 when the file is loaded;
// those two are read in place where the file allows it, see [Open].
package native

import (
	"errors"
	"fmt"

	"targon"
)

var (
	// ErrModel is the root of every reason why a file does not hold a sound model.
	ErrModel = errors.New("malformed model")
	// ErrUnsupported means that the model may be sound but is not of a kind that this
	// engine runs.
	ErrUnsupported = errors.New("unsupported model")
	// ErrContext means that prompt and answer together exceed the model's context.
	ErrContext = fmt.Errorf("%w: longer than the model's context", targon.ErrRequest)
	// ErrVocabulary means that an id is not in the model's vocabulary.
	ErrVocabulary = fmt.Errorf("%w: id outside the vocabulary", targon.ErrRequest)
	// ErrNumeric means that a logit came out infinite or not a number: broken weights.
	ErrNumeric = errors.New("logits are not finite")
	// ErrNoTokenizer means that the file has no tokenizer that could be used.
	ErrNoTokenizer = errors.New("model has no usable tokenizer")
	// ErrNoTemplate means that the file has no chat template: prompt it by plain
	// completion.
	ErrNoTemplate = errors.New("model has no chat template")
)
