package chat

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nikolalohinski/gonja/v2/builtins"
	"github.com/nikolalohinski/gonja/v2/builtins/control_structures"
	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/loaders"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
)

// What a template may use. Left out on purpose: whatever reads other templates
// (include, import, extends), is random (random, lipsum), pads to a width that the
// template names (center, indent, format, ljust, zfill ...), or has no use in a chat.
var (
	statements = []string{"for", "if", "set", "macro", "raw", "filter", "with", "do", "break", "continue"}
	filters    = []string{
		"abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "int",
		"items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace",
		"reverse", "round", "safe", "select", "selectattr", "sort", "string", "sum", "title", "tojson", "trim",
		"unique", "upper",
	}
	textMethods = []string{
		"capitalize", "count", "endswith", "find", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit",
		"islower", "isnumeric", "isspace", "istitle", "isupper", "join", "lower", "lstrip", "partition",
		"removeprefix", "removesuffix", "rfind", "rpartition", "rsplit", "rstrip", "split", "splitlines",
		"startswith", "strip", "swapcase", "title", "upper",
	}
)

// chargeFilter is put around what a for loop iterates over. No template can name it.
const chargeFilter = "loop budget"

// A run is the state of one rendering.
type run struct {
	steps, depth int
	exceeded     string // the limit that ended it
	raised       bool
	refusal      string
}

// charge takes n steps from the budget.
func (r *run) charge(n int) error {
	if r.steps += n; r.steps > maxSteps || n > maxSteps || n < 0 {
		return r.exceed(fmt.Sprintf("more than %d steps", maxSteps))
	}
	return nil
}

func (r *run) exceed(what string) error {
	if r.exceeded == "" {
		r.exceeded = what
	}
	return fmt.Errorf("%w: %s", ErrLimit, r.exceeded)
}

// A limitedWriter ends a rendering whose output grows too large.
type limitedWriter struct {
	w    io.Writer
	run  *run
	size int
}

func (l *limitedWriter) Write(b []byte) (int, error) {
	if l.size += len(b); l.size > MaxOutput {
		return 0, l.run.exceed(fmt.Sprintf("output of more than %d bytes", MaxOutput))
	}
	if err := l.run.charge(1); err != nil {
		return 0, err
	}
	return l.w.Write(b)
}

// Inherit is asked for when a template names another; there is none.
func (l loader) Inherit(string) (loaders.Loader, error) { return l, nil }

// environment gathers what a template may use, each statement under guard.
func environment(r *run) (*exec.Environment, error) {
	parsers := map[string]parser.ControlStructureParser{}
	for _, name := range statements {
		parse, ok := builtins.ControlStructures.Get(name)
		if !ok {
			return nil, fmt.Errorf("%w: the template engine has no statement %q", ErrTemplate, name)
		}
		parsers[name] = guard(r, parse)
		if name == "set" {
			parsers[name] = func(p, args *parser.Parser) (nodes.ControlStructure, error) { return parseSet(r, parse, p, args) }
		}
	}
	parsers["generation"] = guard(r, parseGeneration)
	offered := map[string]exec.FilterFunction{chargeFilter: r.chargeLoop}
	for _, name := range filters {
		filter, ok := builtins.Filters.Get(name)
		if !ok {
			return nil, fmt.Errorf("%w: the template engine has no filter %q", ErrTemplate, name)
		}
		offered[name] = r.metered(filter)
	}
	methods := builtins.Methods
	texts := map[string]exec.Method[string]{}
	for _, name := range textMethods {
		method, ok := methods.Str.Get(name)
		if !ok {
			return nil, fmt.Errorf("%w: the template engine has no method %q", ErrTemplate, name)
		}
		texts[name] = method
	}
	texts["replace"], texts["split"] = replace, splitOf(texts["split"])
	for name, method := range texts {
		texts[name] = r.meteredText(method)
	}
	methods.Str = exec.NewMethodSet(texts)
	return &exec.Environment{
		Context: exec.NewContext(map[string]any{
			"raise_exception": r.raise, "range": r.rangeOf, "namespace": namespace, "dict": namespace,
		}),
		ControlStructures: exec.NewControlStructureSet(parsers),
		Filters:           exec.NewFilterSet(offered),
		Tests:             builtins.Tests,
		Methods:           methods,
	}, nil
}

// guard makes every execution of a statement cost a step, of a loop one a round, and
// of a macro one a call.
func guard(r *run, parse parser.ControlStructureParser) parser.ControlStructureParser {
	return func(p, args *parser.Parser) (nodes.ControlStructure, error) {
		parsed, err := parse(p, args)
		if err != nil {
			return nil, err
		}
		switch s := parsed.(type) {
		case *controlStructures.ForControlStructure:
			if s.Recursive { // its nesting cannot be bounded from here
				return nil, errors.New("recursive loops are not offered")
			}
			s.ObjectEvaluator = &nodes.FilteredExpression{
				Expression: s.ObjectEvaluator, Filters: []*nodes.FilterCall{{Name: chargeFilter}},
			}
		case *controlStructures.MacroControlStructure:
			return &guardedMacro{s, r}, nil
		}
		if s, ok := parsed.(exec.ControlStructure); ok {
			return &guarded{s, r}, nil
		}
		return parsed, nil
	}
}

// A generation marks which part of a prompt the model has written, for training
// tools; here it is only its body.
type generation struct{ *nodes.Wrapper }

func parseGeneration(p, _ *parser.Parser) (nodes.ControlStructure, error) {
	body, _, err := p.WrapUntil("endgeneration")
	if err != nil {
		return nil, err
	}
	return generation{body}, nil
}

// Execute renders the body; what it sets stays set behind it.
func (g generation) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	return r.ExecuteIfWrapper(g.Wrapper)
}

type guarded struct {
	exec.ControlStructure
	run *run
}

// Execute takes a step first.
func (g *guarded) Execute(r *exec.Renderer, tag *nodes.ControlStructureBlock) error {
	if err := g.run.charge(1); err != nil {
		return err
	}
	return g.ControlStructure.Execute(r, tag)
}

type guardedMacro struct {
	*controlStructures.MacroControlStructure
	run *run
}

// Execute defines the macro as one that counts how deep it is nested: endless
// recursion would end the process.
func (g *guardedMacro) Execute(r *exec.Renderer, _ *nodes.ControlStructureBlock) error {
	macro, err := exec.MacroNodeToFunc(g.Macro, r)
	if err != nil {
		return fmt.Errorf("define macro %q: %w", g.Name, err)
	}
	r.Environment.Context.Set(g.Name, func(args *exec.VarArgs) *exec.Value {
		if err := g.run.charge(1); err != nil {
			return exec.AsValue(err)
		}
		if g.run.depth >= maxDepth {
			return exec.AsValue(g.run.exceed(fmt.Sprintf("macros nested more than %d deep", maxDepth)))
		}
		g.run.depth++
		defer func() { g.run.depth-- }()
		return macro(args)
	})
	return nil
}

// chargeLoop lets a loop's list through if the budget has a step for each element.
func (r *run) chargeLoop(_ *exec.Evaluator, in *exec.Value, _ *exec.VarArgs) *exec.Value {
	if in.IsError() || in.IsNil() {
		return in
	}
	if err := r.charge(in.Len()); err != nil {
		return exec.AsValue(err)
	}
	return in
}

// raise is raise_exception: the template's own refusal of the messages.
func (r *run) raise(args *exec.VarArgs) *exec.Value {
	if !r.raised {
		r.raised = true
		if len(args.Args) > 0 {
			r.refusal = args.Args[0].String()
		}
	}
	return exec.AsValue(fmt.Errorf("%w: %s", ErrRefused, r.refusal))
}

// How much text a filter or a method works on, or a set statement copies, for a step of the
// budget: without that a template of a few statements could be busy with a long message for
// hours. Methods are the slowest: some read it letter by letter.
const (
	filterBytes = 1 << 10
	methodBytes = 1 << 7
	copyBytes   = 1 << 12
)

// metered makes a filter cost what it reads and writes.
func (r *run) metered(f exec.FilterFunction) exec.FilterFunction {
	return func(e *exec.Evaluator, in *exec.Value, params *exec.VarArgs) *exec.Value {
		if err := r.charge(1 + textSize(in)/filterBytes); err != nil {
			return exec.AsValue(err)
		}
		out := f(e, in, params)
		if err := r.charge(textSize(out) / filterBytes); err != nil {
			return exec.AsValue(err)
		}
		return out
	}
}

// meteredText does so for a method of texts.
func (r *run) meteredText(m exec.Method[string]) exec.Method[string] {
	return func(self string, value *exec.Value, args *exec.VarArgs) (any, error) {
		if err := r.charge(1 + len(self)/methodBytes); err != nil {
			return nil, err
		}
		return m(self, value, args)
	}
}

func textSize(v *exec.Value) int {
	if v.IsString() {
		return len(v.String())
	}
	return 0
}

// rangeOf is range([start, ]stop[, step]) as a list. The engine's own sends from a
// goroutine, which a loop that breaks off would leave behind.
func (r *run) rangeOf(args *exec.VarArgs) *exec.Value {
	n := make([]int, 0, 3)
	for _, v := range args.Args {
		if !v.IsInteger() {
			return exec.AsValue(errors.New("range takes integers"))
		}
		n = append(n, v.Integer())
	}
	var stop int
	start, step := 0, 1
	switch len(n) {
	case 1:
		stop = n[0]
	case 2:
		start, stop = n[0], n[1]
	case 3:
		start, stop, step = n[0], n[1], n[2]
	default:
		return exec.AsValue(errors.New("range takes one to three integers"))
	}
	if step == 0 {
		return exec.AsValue(errors.New("range takes a step other than 0"))
	}
	out := []int{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(out) == maxRange {
			return exec.AsValue(r.exceed(fmt.Sprintf("a range of more than %d", maxRange)))
		}
		out = append(out, i)
	}
	if err := r.charge(len(out)); err != nil {
		return exec.AsValue(err)
	}
	return exec.AsValue(out)
}

// replace is Python's: the engine's own insists on the count, which is optional.
func replace(self string, _ *exec.Value, args *exec.VarArgs) (any, error) {
	if n := len(args.Args); n < 2 || n > 3 || len(args.KwArgs) > 0 {
		return nil, exec.ErrInvalidCall(errors.New("replace takes what, by what, and perhaps how often"))
	}
	times := -1
	if len(args.Args) == 3 {
		times = args.Args[2].Integer()
	}
	out := strings.Count(self, args.Args[0].String())
	if times >= 0 {
		out = min(out, times)
	}
	if out*len(args.Args[1].String()) > MaxOutput {
		return nil, fmt.Errorf("%w: a replacement of more than %d bytes", ErrLimit, MaxOutput)
	}
	return strings.Replace(self, args.Args[0].String(), args.Args[1].String(), times), nil
}

// splitOf gives the engine's own split what it lacks: without a separator, Python
// cuts at white space.
func splitOf(split exec.Method[string]) exec.Method[string] {
	return func(self string, value *exec.Value, args *exec.VarArgs) (any, error) {
		if len(args.Args)+len(args.KwArgs) == 0 {
			return strings.Fields(self), nil
		}
		return split(self, value, args)
	}
}

// namespace is namespace(...) and dict(...): names and their values.
func namespace(args *exec.VarArgs) map[string]any {
	out := make(map[string]any, len(args.KwArgs))
	for name, value := range args.KwArgs {
		out[name] = value
	}
	return out
}
