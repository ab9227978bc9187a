package substrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Schema builds a registry from types written as text. It is for what metadata of
// version 14 leaves out, the types of runtime APIs, and for chains that make their
// own metadata. The text is a list of definitions:
//
//	path::to::Name = TYPE
//
// where TYPE is a primitive, Vec<T>, Option<T>, Compact<T>, [T; 32], (T, T),
// {name: T, other: T}, enum{A, B(T), C{name: T}, D = 7}, or a name that was defined
// before. AccountId32 and H256 are there from the start. Equal types are one type.
type Schema struct {
	Types Registry
	names map[string]TypeID
	made  map[string]TypeID // by their text
}

// NewSchema returns a schema with the primitives by name.
func NewSchema() *Schema {
	s := &Schema{names: map[string]TypeID{}, made: map[string]TypeID{}}
	err := s.Define(`
		sp_core::crypto::AccountId32 = {[u8; 32]}
		primitive_types::H256 = {[u8; 32]}`)
	if err != nil {
		panic("internal error: " + err.Error())
	}
	return s
}

// Define adds definitions.
func (s *Schema) Define(text string) error {
	p := &parser{s: s, tokens: tokens(text)}
	for len(p.tokens) > 0 && p.err == nil {
		path := []string{p.word()}
		for p.accept("::") {
			path = append(path, p.word())
		}
		p.expect("=")
		id := p.expression(path)
		if p.err == nil {
			s.names[path[len(path)-1]] = id
		}
	}
	if p.err != nil {
		return fmt.Errorf("define types: %w", p.err)
	}
	return nil
}

// Type returns the type that a text says.
func (s *Schema) Type(text string) (TypeID, error) {
	p := &parser{s: s, tokens: tokens(text)}
	id := p.expression(nil)
	if p.err == nil && len(p.tokens) > 0 {
		p.fail("%q is left over", p.tokens[0])
	}
	if p.err != nil {
		return 0, fmt.Errorf("type %q: %w", text, p.err)
	}
	return id, nil
}

// tokens splits a text into words and marks.
func tokens(text string) []string {
	var out []string
	for len(text) > 0 {
		switch n := strings.IndexFunc(text, func(r rune) bool { return !isWord(r) }); {
		case n > 0:
			out, text = append(out, text[:n]), text[n:]
		case n < 0:
			return append(out, text)
		case strings.HasPrefix(text, "::"):
			out, text = append(out, "::"), text[2:]
		case strings.ContainsRune(" \t\n", rune(text[0])):
			text = text[1:]
		default:
			out, text = append(out, text[:1]), text[1:]
		}
	}
	return out
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

type parser struct {
	s      *Schema
	tokens []string
	err    error
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = misfit(format, args...)
	}
	p.tokens = nil
}

func (p *parser) next() string {
	if len(p.tokens) == 0 {
		p.fail("ends early")
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *parser) word() string {
	t := p.next()
	if t != "" && !isWord(rune(t[0])) {
		p.fail("%q where a name should be", t)
	}
	return t
}

func (p *parser) accept(mark string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != mark {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) expect(mark string) {
	if got := p.next(); got != mark {
		p.fail("%q where %q should be", got, mark)
	}
}

// expression reads a type. With a path it is a new type of that name.
func (p *parser) expression(path []string) TypeID {
	switch {
	case p.accept("["):
		elem := p.expression(nil)
		p.expect(";")
		n, err := strconv.ParseUint(p.word(), 10, 32)
		if err != nil {
			p.fail("%v", err)
		}
		p.expect("]")
		return p.add(Type{Path: path, Def: Array{uint32(n), elem}})
	case p.accept("("):
		return p.add(Type{Path: path, Def: Tuple{p.list(")")}})
	case p.accept("{"):
		return p.add(Type{Path: path, Def: Composite{p.fields("}")}})
	}
	name := p.word()
	switch name {
	case "Vec":
		return p.add(Type{Path: path, Def: Sequence{p.argument()}})
	case "Compact":
		return p.add(Type{Path: path, Def: Compact{p.argument()}})
	case "Option":
		elem := p.argument()
		return p.add(Type{Path: []string{"Option"}, Params: []Param{{"T", &elem}}, Def: Variants{[]VariantType{
			{Name: "None"}, {Name: "Some", Fields: []Field{{Type: elem}}, Index: 1},
		}}})
	case "enum":
		p.expect("{")
		return p.add(Type{Path: path, Def: p.variants()})
	}
	id, ok := p.s.names[name]
	if i := slices.Index(primitives(), name); !ok && i >= 0 {
		id, ok = p.s.Types.Add(Type{Def: Primitive(i)}), true
		p.s.names[name] = id
	}
	if !ok {
		p.fail("no type %q", name)
	}
	return id
}

// primitives are the built-in types by name. Only those that are used become part of a
// registry: some clients refuse the rarer ones wherever they stand.
func primitives() []string {
	return []string{"bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "u256", "i8", "i16", "i32", "i64", "i128", "i256"}
}

func (p *parser) argument() TypeID {
	p.expect("<")
	id := p.expression(nil)
	p.expect(">")
	return id
}

// list reads types up to a mark.
func (p *parser) list(end string) []TypeID {
	var out []TypeID
	for p.err == nil && !p.accept(end) {
		out = append(out, p.expression(nil))
		if !p.accept(",") {
			p.expect(end)
			break
		}
	}
	return out
}

// fields reads parts with or without names up to a mark.
func (p *parser) fields(end string) []Field {
	var out []Field
	for p.err == nil && !p.accept(end) {
		var f Field
		if len(p.tokens) > 1 && p.tokens[1] == ":" {
			name := p.word()
			f.Name = &name
			p.expect(":")
		}
		f.Type = p.expression(nil)
		out = append(out, f)
		if !p.accept(",") {
			p.expect(end)
			break
		}
	}
	return out
}

func (p *parser) variants() Variants {
	var out Variants
	for index := 0; p.err == nil && !p.accept("}"); index++ {
		v := VariantType{Name: p.word()}
		switch {
		case p.accept("("):
			v.Fields = p.fields(")")
		case p.accept("{"):
			v.Fields = p.fields("}")
		}
		if p.accept("=") {
			n, err := strconv.ParseUint(p.word(), 10, 8)
			if err != nil {
				p.fail("%v", err)
			}
			index = int(n)
		}
		v.Index = uint8(index)
		out.List = append(out.List, v)
		if !p.accept(",") {
			p.expect("}")
			break
		}
	}
	return out
}

// add returns a type that is equal to t, adding it when there is none.
func (p *parser) add(t Type) TypeID {
	if p.err != nil {
		return 0
	}
	key := fmt.Sprintf("%q %T %s", t.Path, t.Def, spell(t.Def))
	if id, ok := p.s.made[key]; ok {
		return id
	}
	id := p.s.Types.Add(t)
	p.s.made[key] = id
	return id
}

// spell writes a layout out, without addresses.
func spell(d Def) string {
	var b strings.Builder
	fields := func(list []Field) {
		for _, f := range list {
			fmt.Fprintf(&b, "%q:%d,", fieldName(f), f.Type)
		}
	}
	switch d := d.(type) {
	case Composite:
		fields(d.Fields)
	case Variants:
		for _, v := range d.List {
			fmt.Fprintf(&b, "%s=%d(", v.Name, v.Index)
			fields(v.Fields)
			b.WriteString(")")
		}
	default:
		fmt.Fprint(&b, d)
	}
	return b.String()
}
