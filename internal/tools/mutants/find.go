//go:build unix

package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// A change is what makes one mutant.
type change struct {
	number int // from 1, in the order of the source
	file   string
	line   int
	name   string // the same whatever the line: "file: function: what is changed"
}

// A finder finds the mutants of one file, and rewrites the file so that each can be switched on. The rewritten file
// compiles whatever it finds, because it stays away from constants and from what makes a function end.
type finder struct {
	rewriter
	path    string // slashed, from the root of the repository
	source  []byte
	info    *types.Info
	fset    *token.FileSet
	names   map[string]int // how often each name was given
	changes []change
	next    int
	inside  string // the function
}

// add counts one mutant in, and returns its number as text.
func (f *finder) add(n ast.Node, format string, args ...any) string {
	name := fmt.Sprintf("%s: %s: %s", f.path, f.inside, fmt.Sprintf(format, args...))
	f.names[name]++
	if again := f.names[name]; again > 1 {
		name = fmt.Sprintf("%s (%d)", name, again)
	}
	f.next++
	f.changes = append(f.changes, change{f.next, f.path, f.fset.Position(n.Pos()).Line, name})
	return fmt.Sprint(f.next)
}

// text is a node's source in one line, cut where it is long.
func (f *finder) text(n ast.Node) string {
	text := []rune(strings.Join(strings.Fields(string(f.source[f.file.Offset(n.Pos()):f.file.Offset(n.End())])), " "))
	if len(text) > 60 {
		return string(text[:59]) + "…"
	}
	return string(text)
}

// visit looks at one node; stack is what it stands in.
func (f *finder) visit(n ast.Node, stack []ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok == token.VAR
	case *ast.FuncDecl:
		f.inside = function(n)
	case *ast.IfStmt:
		f.condition("if", n.Cond)
	case *ast.ForStmt:
		f.loop(n)
	case *ast.BlockStmt:
		f.statements(n.List)
	case *ast.CaseClause:
		f.statements(n.Body)
		f.clause(n, n.Body, n.Colon, stack)
	case *ast.CommClause:
		f.statements(n.Body)
		f.clause(n, n.Body, n.Colon, stack)
	case *ast.ReturnStmt:
		f.returned(n, stack)
	case *ast.BinaryExpr:
		f.binary(n, stack[len(stack)-1])
	case *ast.BasicLit:
		f.literal(n, stack[len(stack)-1])
	case *ast.Ident:
		f.truth(n, stack[len(stack)-1])
	}
	return true
}

func function(n *ast.FuncDecl) string {
	if n.Recv == nil {
		return n.Name.Name
	}
	switch t := ast.Unparen(n.Recv.List[0].Type).(type) {
	case *ast.StarExpr:
		return types.ExprString(t.X) + "." + n.Name.Name
	default:
		return types.ExprString(t) + "." + n.Name.Name
	}
}

// condition makes one mutant for which it never holds and one for which it always does. Negating it would be found by
// whatever finds either.
func (f *finder) condition(keyword string, cond ast.Expr) {
	f.wrap(cond, "(", ") && !mutant.On("+f.add(cond, "%s %s: never", keyword, f.text(cond))+")")
	f.wrap(cond, "(", ") || mutant.On("+f.add(cond, "%s %s: always", keyword, f.text(cond))+")")
}

func (f *finder) loop(n *ast.ForStmt) {
	if n.Cond != nil {
		f.wrap(n.Cond, "(", ") && !mutant.On("+f.add(n.Cond, "for %s: never", f.text(n.Cond))+")")
	}
}

// statements leaves out each that can be left out.
func (f *finder) statements(list []ast.Stmt) {
	for _, stmt := range list {
		if removable(stmt) {
			f.wrap(stmt, "if !mutant.On("+f.add(stmt, "%s: left out", f.text(stmt))+") { ", " }")
		}
	}
}

func removable(stmt ast.Stmt) bool {
	switch s := stmt.(type) {
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return !ok || types.ExprString(call.Fun) != "panic" // which may be what ends a function
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE && types.ExprString(s.Lhs[0]) != "_"
	case *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
		return true
	}
	return false
}

// clause skips a case. One without a tag is a condition; what follows another is left at once, unless the function may
// end there: then it would not compile.
func (f *finder) clause(n ast.Node, body []ast.Stmt, colon token.Pos, stack []ast.Node) {
	outer := stack[len(stack)-2]
	if s, ok := outer.(*ast.SwitchStmt); ok && s.Tag == nil {
		for _, cond := range n.(*ast.CaseClause).List {
			f.wrap(cond, "(", ") && !mutant.On("+f.add(cond, "case %s: never", f.text(cond))+")")
		}
		return
	}
	if len(body) == 0 || ends(body[len(body)-1]) && mayEnd(stack[:len(stack)-1]) {
		return
	}
	head := f.source[f.file.Offset(n.Pos()):f.file.Offset(colon)]
	number := f.add(n, "%s: skipped", strings.Join(strings.Fields(string(head)), " "))
	f.insert(colon+1, " if mutant.On("+number+") { break };")
}

// ends reports whether a statement may be the end of a function.
func ends(stmt ast.Stmt) bool {
	switch stmt.(type) {
	case *ast.ExprStmt, *ast.AssignStmt, *ast.IncDecStmt, *ast.SendStmt:
		return false
	}
	return true
}

// mayEnd reports whether the last of the stack is the last statement of a block that is not a loop's.
func mayEnd(stack []ast.Node) bool {
	last := len(stack) - 1
	block, ok := stack[last-1].(*ast.BlockStmt)
	if !ok {
		return true
	}
	switch stack[last-2].(type) {
	case *ast.ForStmt, *ast.RangeStmt:
		return false
	}
	return block.List[len(block.List)-1] == stack[last]
}

// returned drops an error that a function returns.
func (f *finder) returned(n *ast.ReturnStmt, stack []ast.Node) {
	results := f.results(stack)
	if len(n.Results) == 0 || results == nil || results.Len() != len(n.Results) {
		return
	}
	last := len(n.Results) - 1
	expr := n.Results[last]
	if results.At(last).Type().String() == "error" && !f.info.Types[expr].IsNil() {
		f.wrap(expr, "mutant.Err("+f.add(n, "%s: without the error", f.text(n))+", ", ")")
	}
}

// results are those of the innermost function.
func (f *finder) results(stack []ast.Node) *types.Tuple {
	for i := len(stack) - 1; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *ast.FuncLit:
			return f.info.TypeOf(n).(*types.Signature).Results()
		case *ast.FuncDecl:
			return f.info.Defs[n.Name].Type().(*types.Signature).Results()
		}
	}
	return nil
}
