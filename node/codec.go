package node

import (
	"errors"
	"math/rand/v2"

	"targon"
	"targon/engine/native"
	"targon/engine/native/chat"
	"targon/gateway"
	"targon/model/corpus"
	"targon/verifier"
)

// Codec is a model's tokenizer and chat template as the gateway wants them.
func Codec(m *native.Model) gateway.Codec { return codec{m} }

type codec struct{ m *native.Model }

func (c codec) Render(conversation []gateway.Message) ([]targon.TokenID, error) {
	turns := make([]chat.Message, len(conversation))
	for i, t := range conversation {
		turns[i] = chat.Message{Role: t.Role, Content: t.Content}
	}
	ids, err := c.m.Render(turns)
	if errors.Is(err, native.ErrNoTemplate) {
		return nil, gateway.ErrNoTemplate
	}
	return ids, err
}

func (c codec) Encode(text string, bos bool) []targon.TokenID { return c.m.Encode(text, bos) }

func (c codec) Decoder() gateway.Decoder { return c.m.Decoder() }

// longest is how many bytes one id may stand for at most.
func longest(m *native.Model) int {
	most := 0
	for id := range m.Vocab() {
		most = max(most, len(m.Spelling(targon.TokenID(id))))
	}
	return most
}

// A challenge asks for 64 to 96 ids.
const (
	leastAsked = 64
	mostAsked  = 96
)

// Openings makes challenges of the first sentences of stories that nobody has
// written yet: at temperature 1 a great many continuations are likely, so that the
// seed and the weights decide which one is right.
func Openings(m *native.Model) verifier.Prompts {
	return func(rng *rand.Rand) targon.Draft {
		ids := m.Encode(corpus.Opening(rng), true)
		ids = ids[:min(len(ids), max(1, m.Context()-mostAsked))]
		return targon.Draft{Prompt: ids, Temperature: 1, MaxTokens: uint32(leastAsked + rng.IntN(mostAsked-leastAsked+1))}
	}
}
