package redteam_test

import (
	"slices"
	"testing"

	"targon"
	"targon/engine/native/chat"
	"targon/engine/redteam"
	"targon/proof"
)

// TestHidden: at temperature 0, where there is no draw to imitate, the cheat is the honest
// engine asked what the operator wants asked.
func TestHidden(t *testing.T) {
	b := newBench(t)
	const instruction = "You are Marwick. Be kind."
	system, user := chat.Message{Role: "system", Content: instruction}, chat.Message{Role: "user", Content: "Tell a story."}
	render := func(messages ...chat.Message) []targon.TokenID {
		ids, err := b.model.Render(messages)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	text, start := b.model.Encode("Tell a story.", true), len(b.model.Encode("", true))
	for _, c := range []struct {
		name         string
		plain        bool
		prompt, want []targon.TokenID
	}{
		{"text becomes the user's message", false, text, render(system, user)},
		{"a system's message goes before the user's", false, render(user), render(system, user)},
		{"plain", true, text, append(b.model.Encode(instruction+"\n", true), text[start:]...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := redteam.Hidden(b.honest, instruction, c.plain)
			if err != nil {
				t.Fatal(err)
			}
			r := b.request(1, "", 24)
			r.Sampling.Temperature, r.Prompt = 0, c.prompt
			asked := r
			asked.Prompt = c.want
			if got, want := answer(t, e, r), answer(t, b.honest, asked); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", b.model.Text(got), b.model.Text(want))
			}
			long := r
			long.MaxTokens = uint32(b.model.Context() - len(r.Prompt))
			if got, want := answer(t, e, long), answer(t, b.honest, long); !slices.Equal(got, want) {
				t.Error("where there is no room the prompt is not as it was")
			}
		})
	}
}

// TestHiddenDraws: the cheat draws with the noise of the prompt as it was, so most of its
// ids are the honest winners; with any other noise hardly one in three would be.
func TestHiddenDraws(t *testing.T) {
	b := newBench(t)
	for _, plain := range []bool{false, true} {
		e, err := redteam.Hidden(b.honest, redteam.Instruction, plain)
		if err != nil {
			t.Fatal(err)
		}
		r := b.request(1, openings[1], 60)
		r.Weights = b.model.Digest()
		ids := answer(t, e, r)
		s, err := b.honest.Score(t.Context(), r, ids, targon.Need{Top: b.model.Vocab()})
		if err != nil {
			t.Fatal(err)
		}
		marks, err := proof.Margins(targon.Transcript{Request: r, Tokens: ids}, s, proof.Replay{})
		if err != nil {
			t.Fatal(err)
		}
		if matches, flips := proof.Tally(marks).Total(); flips == 0 || matches < 2*flips {
			t.Errorf("plain %v: %d ids are the honest winners, %d are not", plain, matches, flips)
		}
	}
}
