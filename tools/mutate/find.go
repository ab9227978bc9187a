package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// kind is what a mutant does to a condition.
type kind string

const (
	inversion kind = "inversion"
	boundary  kind = "boundary"
)

// beyond gives each ordering the one that differs at equality only, and its gate.
var beyond = map[token.Token]struct {
	to   token.Token
	gate string
}{
	token.LSS: {token.LEQ, "mutateLess"},
	token.LEQ: {token.LSS, "mutateLessEqual"},
	token.GTR: {token.GEQ, "mutateGreater"},
	token.GEQ: {token.GTR, "mutateGreaterEqual"},
}

// mutant is one condition changed in one way.
type mutant struct {
	ID       int    `json:"id"`
	Kind     kind   `json:"kind"`
	File     string `json:"file"` // below the root
	Line     int    `json:"line"`
	Function string `json:"function"`
	Change   string `json:"change"` // the condition as it stands, and what becomes of it
}

// conditions returns the expressions of a file to be inverted.
func conditions(f *ast.File, info *types.Info) map[ast.Expr]bool {
	found := map[ast.Expr]bool{}
	mark := func(e ast.Expr) {
		for {
			e = ast.Unparen(e)
			not, ok := e.(*ast.UnaryExpr)
			if !ok || not.Op != token.NOT {
				break
			}
			e = not.X // to invert what is negated is to invert the negation
		}
		if info.Types[e].Value == nil {
			found[e] = true
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			mark(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				mark(n.Cond)
			}
		case *ast.SwitchStmt:
			if n.Tag == nil {
				for _, c := range n.Body.List {
					for _, e := range c.(*ast.CaseClause).List {
						mark(e)
					}
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				mark(n)
			}
		case *ast.BinaryExpr:
			switch n.Op {
			case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
				mark(n)
			case token.LAND, token.LOR:
				for _, e := range []ast.Expr{n.X, n.Y} {
					if b, ok := ast.Unparen(e).(*ast.BinaryExpr); !ok || b.Op != n.Op { // a && b && c has three operands
						mark(e)
					}
				}
			default: // arithmetic
			}
		}
		return true
	})
	return found
}

// edit puts text in place of the bytes from start to end of a file.
type edit struct {
	start, end int
	text       string
}

// folded is source text on one line.
func folded(src []byte) string { return strings.Join(strings.Fields(string(src)), " ") }

// within names the function that a node of a file lies in.
func within(f *ast.File, at token.Pos) string {
	for _, d := range f.Decls {
		if d.Pos() > at || at >= d.End() {
			continue
		}
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			return "package"
		}
		if fn.Recv == nil || len(fn.Recv.List) == 0 {
			return fn.Name.Name
		}
		t := fn.Recv.List[0].Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		switch g := t.(type) {
		case *ast.IndexExpr:
			t = g.X
		case *ast.IndexListExpr:
			t = g.X
		}
		if id, ok := t.(*ast.Ident); ok {
			return id.Name + "." + fn.Name.Name
		}
		return fn.Name.Name
	}
	return "package"
}
