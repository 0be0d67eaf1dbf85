//go:build unix

package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// operators names the functions of package mutant that stand for an operator, and what each changes it into.
var operators = map[token.Token][2]string{
	token.LSS: {"Less", "<="}, token.LEQ: {"LessOrEqual", "<"},
	token.GTR: {"Greater", ">="}, token.GEQ: {"GreaterOrEqual", ">"},
	token.ADD: {"Plus", "-"}, token.SUB: {"Minus", "+"},
	token.LAND: {"And", "||"}, token.LOR: {"Or", "&&"},
}

func (f *finder) binary(n *ast.BinaryExpr, parent ast.Node) {
	switch n.Op {
	case token.EQL, token.NEQ:
		f.equality(n, parent)
	case token.LAND, token.LOR:
		if isBool(f.info.TypeOf(n)) {
			f.operator(n, ", func() bool { return (", ") })")
		}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		if basic(f.info.TypeOf(n.X)) != nil && isBool(f.info.TypeOf(n)) {
			f.operator(n, ",", ")")
		}
	case token.ADD, token.SUB:
		if b := basic(f.info.TypeOf(n)); b != nil && b.Info()&types.IsNumeric != 0 {
			f.operator(n, ",", ")")
		}
	}
}

func (f *finder) operator(n *ast.BinaryExpr, between, after string) {
	if f.info.Types[n].Value != nil {
		return
	}
	to := operators[n.Op]
	number := f.add(n, "%s: %s instead", f.text(n), to[1])
	f.wrap(n, "mutant."+to[0]+"("+number+", ", after)
	f.replace(n.OpPos, len(n.Op.String()), between)
}

// equality turns == into != and back, but not where it is a whole condition: there, always and never do more.
func (f *finder) equality(n *ast.BinaryExpr, parent ast.Node) {
	switch parent.(type) {
	case *ast.IfStmt, *ast.ForStmt, *ast.CaseClause:
		return
	}
	if f.info.Types[n].Value == nil && isBool(f.info.TypeOf(n)) {
		f.wrap(n, "((", ") != mutant.On("+f.add(n, "%s: the opposite", f.text(n))+"))")
	}
}

// literal turns 0 into 1 and back, where no constant is asked for.
func (f *finder) literal(n *ast.BasicLit, parent ast.Node) {
	other := map[string]string{"0": "1", "1": "0"}[n.Value]
	t, ok := f.info.TypeOf(n).(*types.Basic)
	if other == "" || !ok || t.Info()&types.IsUntyped != 0 || f.constant(n, parent) || besideError(parent) {
		return
	}
	number := f.add(n, "%s in %s: %s instead", n.Value, f.text(parent), other)
	f.replace(n.Pos(), len(n.Value), fmt.Sprintf("mutant.Pick[%s](%s, %s, %s)", t.Name(), number, other, n.Value))
}

// constant reports whether what stands around a literal must stay a constant.
func (f *finder) constant(n ast.Expr, parent ast.Node) bool {
	switch p := parent.(type) {
	case *ast.ArrayType:
		return true
	case *ast.KeyValueExpr:
		return p.Key == n
	case ast.Expr:
		return f.info.Types[p].Value != nil
	}
	return false
}

// besideError reports whether a node returns a named error: nobody may look at what stands beside it.
func besideError(parent ast.Node) bool {
	r, ok := parent.(*ast.ReturnStmt)
	if !ok {
		return false
	}
	last, ok := r.Results[len(r.Results)-1].(*ast.Ident)
	return ok && strings.HasPrefix(strings.ToLower(last.Name), "err")
}

// truth turns true into false and back.
func (f *finder) truth(n *ast.Ident, parent ast.Node) {
	if (n.Name != "true" && n.Name != "false") || f.info.Uses[n] != types.Universe.Lookup(n.Name) ||
		besideError(parent) {
		return
	}
	if isBool(f.info.TypeOf(n)) {
		f.wrap(n, "(", " != mutant.On("+f.add(n, "%s in %s: the opposite", n.Name, f.text(parent))+"))")
	}
}

// basic is what lies under a type when that is a number or a string, and nil for a type parameter.
func basic(t types.Type) *types.Basic {
	if _, ok := t.(*types.TypeParam); ok {
		return nil
	}
	b, _ := t.Underlying().(*types.Basic)
	return b
}

func isBool(t types.Type) bool {
	return t == types.Typ[types.Bool] || t == types.Typ[types.UntypedBool]
}
