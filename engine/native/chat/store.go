package chat

import (
	"fmt"
	"reflect"

	"github.com/nikolalohinski/gonja/v2/exec"
	"github.com/nikolalohinski/gonja/v2/nodes"
	"github.com/nikolalohinski/gonja/v2/parser"
	"github.com/nikolalohinski/gonja/v2/tokens"
)

// A store is a set statement. One that writes into something, such as ns.x or m['x'], is
// the one way by which a value could come to hold itself (methods of lists and dicts
// change copies), and whatever prints or compares such a value recurses until the stack
// overflows, which ends the process.
type store struct {
	guarded
	base string // the variable that is written, or holds what is written into
}

// parseSet parses a set statement. [checkTags] has seen to it that what it writes into is
// part of a variable: nothing that a call gives back.
func parseSet(r *run, parse parser.ControlStructureParser, p, args *parser.Parser) (nodes.ControlStructure, error) {
	base := ""
	if name := args.Current(tokens.Name); name != nil {
		base = name.Val
	}
	parsed, err := parse(p, args)
	s, ok := parsed.(exec.ControlStructure)
	if err != nil || !ok {
		return parsed, err
	}
	return &store{guarded{s, r}, base}, nil
}

// Execute writes, and refuses what came of it if that holds itself.
func (s *store) Execute(r *exec.Renderer, tag *nodes.ControlStructureBlock) error {
	if err := s.guarded.Execute(r, tag); err != nil {
		return err
	}
	value, _ := r.Environment.Context.Get(s.base)
	look := search{at: map[place]bool{}}
	if look.loops(reflect.ValueOf(value)) {
		return s.run.exceed("a value that holds itself")
	}
	return s.run.charge(look.seen/looksPerStep + look.bytes/copyBytes)
}

// looksPerStep is how many values may be looked at for a step of the budget.
const looksPerStep = 64

// A search looks for a list or map within itself.
type search struct {
	at          map[place]bool // those met: true as long as we are inside
	seen, bytes int
}

type place struct {
	start uintptr
	size  int
}

func (s *search) loops(v reflect.Value) bool {
	s.seen++
	if v.IsValid() && v.CanInterface() {
		switch held := v.Interface().(type) {
		case *exec.Value:
			return held != nil && s.loops(held.Val)
		case *exec.Dict:
			return held != nil && s.within(reflect.ValueOf(held.Pairs))
		case *exec.Pair:
			return held != nil && (s.loops(held.Key.Val) || s.loops(held.Value.Val))
		}
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return s.loops(v.Elem())
	case reflect.Map, reflect.Slice:
		return s.within(v)
	case reflect.String:
		s.bytes += v.Len()
		return false
	default: // holds nothing
		return false
	}
}

// within looks through a map or a slice, once.
func (s *search) within(v reflect.Value) bool {
	here := place{v.Pointer(), v.Len()}
	if inside, met := s.at[here]; met || v.Len() == 0 {
		return inside
	}
	s.at[here] = true
	defer func() { s.at[here] = false }()
	if v.Kind() == reflect.Map {
		for each := v.MapRange(); each.Next(); {
			if s.loops(each.Value()) {
				return true
			}
		}
		return false
	}
	for i := range v.Len() {
		if s.loops(v.Index(i)) {
			return true
		}
	}
	return false
}

// A target is what comes between set and =. It follows the tokens of a template.
type target struct{ place int } // 1: behind {%, 2: behind set, 3: in the target

// token refuses targets of which [store] could not tell what is written into.
func (t *target) token(tok *tokens.Token) error {
	switch {
	case tok.Type == tokens.BlockBegin:
		t.place = 1
	case t.place == 1 && tok.Type == tokens.Name && tok.Val == "set":
		t.place = 2
	case t.place == 2 && tok.Type == tokens.Name:
		t.place = 3
	case t.place == 2 || t.place == 3 && tok.Type == tokens.LeftParenthesis:
		return fmt.Errorf("%w: set takes a variable or a part of one, not %q", ErrTemplate, tok.Val)
	case t.place == 1 || tok.Type == tokens.Assign || tok.Type == tokens.BlockEnd:
		t.place = 0
	}
	return nil
}
