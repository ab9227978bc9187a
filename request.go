package targon

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
)

// Limits that every party enforces before it allocates anything.
const (
	MaxPromptTokens = 1 << 17
	MaxOutputTokens = 1 << 16
	maxModelName    = 256
)

// ErrRequest is the root of every reason why a request makes no sense.
var ErrRequest = errors.New("invalid request")

// RequestID names a request between a verifier and its prover.
type RequestID [16]byte

// Salt keeps a request digest from being guessed by who knows the prompt's shape.
type Salt [32]byte

// Sampling says how a token is drawn from the model's scores.
//
// At Temperature 0 the highest logit wins (ties: the lower id), whatever else is set.
// Above 0, the winner among the allowed ids is the one that maximises
// logit + Temperature × noise(Seed, position, id), the Gumbel form of package noise,
// position being the number of ids before it.
//
// Ids are allowed in the order of falling logits, ties by rising id: each of the three
// filters keeps a head of that order, they are applied in the order of vLLM's sampler
// (v1/sample/sampler.py: min-p, top-k, top-p), and none ever drops the highest. With
// T the temperature and m the highest logit, all in float64, every operation rounded
// by itself, exp and ln being package noise's:
//
//   - MinP keeps logits ≥ m + T × ln MinP: probabilities of MinP times the highest;
//   - TopK keeps the first TopK of these;
//   - TopP keeps the shortest head of these whose weights, added up from the highest
//     logit down, reach TopP × all of them, added up by rising id; the weight of a
//     logit l is exp((l − m) / T).
type Sampling struct {
	Temperature float64 `json:"temperature"` // 0 to 2
	Seed        uint64  `json:"seed"`
	TopK        uint32  `json:"top_k"` // 0: every id
	TopP        float64 `json:"top_p"` // 0: off; else above 0 and below 1
	MinP        float64 `json:"min_p"` // 0: off; else above 0 and below 1
}

// Filtered reports whether some id may not be allowed.
func (s Sampling) Filtered() bool {
	return s.Temperature > 0 && (s.TopK > 0 || s.TopP > 0 || s.MinP > 0)
}

// Validate reports the first setting that nobody can follow. Each that can be followed
// has one encoding, hence no −0.
func (s Sampling) Validate() error {
	for _, v := range []struct {
		name  string
		value float64
		ok    bool
		want  string
	}{
		{"temperature", s.Temperature, s.Temperature >= 0 && s.Temperature <= 2, "0 to 2"},
		{"top_p", s.TopP, s.TopP >= 0 && s.TopP < 1, "0 for off, or less than 1"},
		{"min_p", s.MinP, s.MinP >= 0 && s.MinP < 1, "0 for off, or less than 1"},
	} {
		if !v.ok || math.Signbit(v.value) {
			return fmt.Errorf("%w: %s %v, want %s", ErrRequest, v.name, v.value, v.want)
		}
	}
	return nil
}

// Request is what a verifier asks of one prover. Challenges and a user's requests
// are the same type, made by the same code, so that neither can be told apart.
type Request struct {
	ID        RequestID `json:"id"`
	Verifier  Hotkey    `json:"verifier"`
	Prover    Hotkey    `json:"prover"`
	Model     string    `json:"model"`
	Weights   Digest    `json:"weights"` // ModelDigest of what must be run
	Salt      Salt      `json:"salt"`
	Prompt    []TokenID `json:"prompt"`
	Sampling  Sampling  `json:"sampling"`
	MaxTokens uint32    `json:"max_tokens"`
}

const (
	requestDomain = "targon/request/v2"
	digestDomain  = "targon/request-digest/v1"
	modelDomain   = "targon/model/v1"
)

// Validate reports the first thing that makes the request unanswerable.
func (r Request) Validate() error {
	switch {
	case r.Verifier == Hotkey{} || r.Prover == Hotkey{}:
		return fmt.Errorf("%w: verifier and prover must be named", ErrRequest)
	case r.Model == "" || len(r.Model) > maxModelName:
		return fmt.Errorf("%w: model name of %d bytes, want 1 to %d", ErrRequest, len(r.Model), maxModelName)
	case len(r.Prompt) == 0 || len(r.Prompt) > MaxPromptTokens:
		return fmt.Errorf("%w: prompt of %d tokens, want 1 to %d", ErrRequest, len(r.Prompt), MaxPromptTokens)
	case r.MaxTokens == 0 || r.MaxTokens > MaxOutputTokens:
		return fmt.Errorf("%w: max_tokens %d, want 1 to %d", ErrRequest, r.MaxTokens, MaxOutputTokens)
	}
	for i, id := range r.Prompt {
		if id < 0 {
			return fmt.Errorf("%w: prompt id %d at position %d is negative", ErrRequest, id, i)
		}
	}
	return r.Sampling.Validate()
}

// MarshalBinary returns the canonical encoding.
func (r Request) MarshalBinary() ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return r.encode().b, nil
}

func (r Request) encode() *writer {
	w := newWriter(requestDomain)
	w.fixed(r.ID[:])
	w.fixed(r.Verifier[:])
	w.fixed(r.Prover[:])
	w.str(r.Model)
	w.fixed(r.Weights[:])
	w.fixed(r.Salt[:])
	w.ids(r.Prompt)
	w.f64(r.Sampling.Temperature)
	w.u64(r.Sampling.Seed)
	w.u32(r.Sampling.TopK)
	w.f64(r.Sampling.TopP)
	w.f64(r.Sampling.MinP)
	w.u32(r.MaxTokens)
	return w
}

// UnmarshalBinary reads a canonical encoding and validates it.
func (r *Request) UnmarshalBinary(b []byte) error {
	var v Request
	d := newReader(b, requestDomain)
	d.fixed(v.ID[:])
	d.fixed(v.Verifier[:])
	d.fixed(v.Prover[:])
	v.Model = d.str(maxModelName)
	d.fixed(v.Weights[:])
	d.fixed(v.Salt[:])
	v.Prompt = d.ids(MaxPromptTokens)
	v.Sampling.Temperature = d.f64()
	v.Sampling.Seed = d.u64()
	v.Sampling.TopK = d.u32()
	v.Sampling.TopP = d.f64()
	v.Sampling.MinP = d.f64()
	v.MaxTokens = d.u32()
	if err := d.done(); err != nil {
		return err
	}
	if err := v.Validate(); err != nil {
		return err
	}
	*r = v
	return nil
}

// Digest commits to the request without showing it: SHA-256 over a domain label,
// the salt, and the canonical encoding. The hash chain of the answer starts here.
func (r Request) Digest() Digest {
	w := newWriter(digestDomain)
	w.fixed(r.Salt[:])
	w.bytes(r.encode().b)
	return w.digest()
}

// ModelDigest names a model together with the arithmetic that runs it: two
// engines that round differently are different models to an exact verifier.
func ModelDigest(fileSHA256 Digest, arith uint16) Digest {
	w := newWriter(modelDomain)
	w.fixed(fileSHA256[:])
	w.u16(arith)
	return w.digest()
}

// String returns 32 hex digits.
func (id RequestID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText returns 32 hex digits.
func (id RequestID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads 32 hex digits.
func (id *RequestID) UnmarshalText(b []byte) error { return unhex(id[:], b, "request id") }

// MarshalText returns 64 hex digits.
func (s Salt) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(s[:])), nil }

// UnmarshalText reads 64 hex digits.
func (s *Salt) UnmarshalText(b []byte) error { return unhex(s[:], b, "salt") }

func unhex(dst, src []byte, what string) error {
	if len(src) != 2*len(dst) {
		return fmt.Errorf("%s of %d characters, want %d hex digits", what, len(src), 2*len(dst))
	}
	_, err := hex.Decode(dst, src)
	return err
}
