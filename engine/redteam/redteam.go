// Package redteam makes engines that cheat: one for each way that a prover may try to
// earn more than its work is worth, and one that is honest on unlike hardware.
//
// Each lies through one seam only, the ids that it yields; the prover around it signs
// and streams like any other. They are as clever as is plausible: who changes the
// weights keeps seed and positions right, who hides a prompt draws as if there were none.
//
// It measures nothing and knows no check. Invariant: an engine of a name, model and seed
// yields the same ids for the same requests in the same order.
package redteam

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"targon"
	"targon/engine/native"
	"targon/engine/native/gguf"
)

// An Engine answers requests, as a prover needs it.
type Engine interface {
	Generate(ctx context.Context, r targon.Request) iter.Seq2[targon.Token, error]
}

// Foreign is the name of the honest control.
const Foreign = "foreign"

// A cheat is a name, what it does and why anybody would, and how it is made.
type cheat struct {
	name, about string
	make        func(*maker) (Engine, error)
}

// A maker is what cheats are made of.
type maker struct {
	model   *native.Model
	honest  *native.Engine
	options native.Options
	seed    uint64
}

// cheats in the order in which tables show them.
var cheats = []cheat{
	{"q8_0", "weights of 8 bits: half the memory, nearly the same model", quantized(gguf.Q8_0)},
	{"q4_0", "weights of 4 bits: a quarter of the memory", quantized(gguf.Q4_0)},
	{"q4_k", "weights of 4 bits, better chosen", quantized(gguf.Q4_K)},
	{"smaller-model", "the first half of the layers: half the work", smaller},
	{"other-model", "one layer left out", other},
	{"finetuned", "weights moved by a light fine-tune: somebody else's goods", finetuned},
	{"hidden-prompt", "a system message before the prompt that nobody asked for: a persona, rules, a name to mention", hiddenPrompt},
	{"temp-0.9", "a temperature a tenth lower: answers look better", warmer(0.9)},
	{"temp-1.1", "a temperature a tenth higher", warmer(1.1)},
	{"adversarial-temperature", "weights of 4 bits, and a temperature that makes up for their surprise", adversarial},
	{"top-p", "a nucleus of 0.9 that nobody asked for", filtered(targon.Sampling{TopP: 0.9})},
	{"top-k", "the 50 likeliest ids only", filtered(targon.Sampling{TopK: 50})},
	{"wrong-seed", "a seed of its own, always the same", reseeded},
	{"no-seed", "no seed control: fresh noise each time", unseeded},
	{"runner-up-1pct", "at one position in a hundred the second of the draw: a hidden channel", runnerUp},
	{"lossy-draft", "a draft of 4 bits, kept wherever the true model finds it plausible", lossyDraft},
	{"truncate", "half of the answer, then a claim that the model had stopped", truncating},
	{"pad", "filler after the end of the answer: more ids to be paid for", padding},
	{"skip-eos", "the answer may not end: more ids to be paid for", endless},
	{"replay", "one answer, for ever", replaying},
	{"lookup", "answers of old to prompts that resemble the new one", lookup},
	{"pregenerate", "answers made before the seed was known, the best fitting of four", pregenerated},
	{"one-in-ten", "weights of 4 bits for one request in ten", mixed("one-in-ten")},
	{"long-only", "weights of 4 bits for answers of 80 ids and more", mixed("long-only")},
	{"last-tenth", "weights of 4 bits for the last tenth of each answer", lastTenth},
	{"retokenized", "ids made of the answer's text, by an engine that returns text only", retokenized},
	{"copy", "another prover's answer to the same prompt", reseeded},
	{"prefill", "half of the layers write, the whole model scores what they wrote", prefilling},
	{Foreign, "honest: the same model on hardware that rounds otherwise", foreign},
}

// Names lists the cheats; the honest control is not among them.
func Names() []string {
	var out []string
	for _, c := range cheats {
		if c.name != Foreign {
			out = append(out, c.name)
		}
	}
	return out
}

// Describe says in a line what an engine of a name does, and why anybody would.
func Describe(name string) string {
	for _, c := range cheats {
		if c.name == name {
			return c.about
		}
	}
	return ""
}

// New returns the engine of a name, of [Names] or [Foreign], for a network whose model
// honest runs. The options are those of further engines that it needs.
func New(name string, honest *native.Engine, o native.Options, seed uint64) (Engine, error) {
	for _, c := range cheats {
		if c.name == name {
			e, err := c.make(&maker{model: honest.Model(), honest: honest, options: o, seed: seed})
			if err != nil {
				return nil, fmt.Errorf("cheat %s: %w", name, err)
			}
			return e, nil
		}
	}
	return nil, fmt.Errorf("unknown cheat %q: choose from %s", name, strings.Join(Names(), ", "))
}
