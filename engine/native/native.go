// Package native runs models of the Llama, Mistral, Qwen and Gemma families from GGUF
// files on the CPU, with the same bits on every machine.
//
// A [Model] is the weights: immutable, shared by any number of engines. An [Engine]
// generates ids one by one, as a prover does, and scores given ids in one pass, as a
// verifier does, for many callers in one step (batch.go) over an attention cache of
// pages (pages.go). It does not know who asks or what is done with the answer, keeps
// nothing between calls but some of that cache, and does not compare a request's
// Weights with the model it runs: whoever relies on that does.
//
// Invariant: a logit is a function of the model and the ids before it. It does not
// depend on the kernel, the number of threads, the other sequences being served, or on
// whether the ids came one at a time or all at once. [Foreign] numerics give this up on
// purpose. [targon/engine/native/kernel]
// defines the arithmetic; this package adds, in order:
//
//   - the embedding row is the first residual stream, float32, for Gemma times float32(√n);
//   - RMS norm: x · float32(1/√(dot(x,x)/n + ε)) (in float64 up to the conversion), then · weight;
//   - biases of queries, keys and values are added, then their heads normalised, where
//     the model has these;
//   - rotary angles: position · exp(-2i/d · ln base), divided by the file's factors and
//     by that of linear scaling, in float64, sine and cosine rounded to float32, each
//     product rounded before the sum; queries are then multiplied by float32(1/√d), d
//     being the head's length (for the largest Gemma 2 and 3: n/heads);
//   - attention scores, bounded where the model says so, softmax and values over
//     positions 0 to the current one, or the latest of them in layers with a window:
//     the first position in the window is the first of the sums;
//   - output projections, normalised again for Gemma, and the residual sums are float32;
//   - logits are bounded where the model says so.
//
// Architectures that a file may name are llama (Mistral's files say so too), qwen2,
// qwen3, gemma2 and gemma3. Refused with [ErrUnsupported] is whatever of them would be
// computed wrongly: experts, rotary scaling other than linear and Llama 3's factors,
// windows in some layers of a model other than Gemma, and tensors without a use.
//
// Weights are read in place where the file allows it, see [Open]; only BF16 is widened to
// float32 when the file is loaded. Weights that share scales (Q8_0, Q4_K and the like)
// are multiplied in integers, which rounds the activations to 8 bits; rows of the
// embedding, norms and biases are widened exactly.
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
