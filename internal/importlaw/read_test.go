package importlaw

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A reader gathers what one file does that library code does not.
type reader struct {
	fset  *token.FileSet
	dir   string
	names map[string]string // local name of an import: its path
	found []offence
}

func (r *reader) add(what, in string, node ast.Node, text string) {
	r.found = append(r.found, offence{what, r.dir, in, r.fset.Position(node.Pos()), text})
}

// offences returns what a file does that library code does not. dir is the folder it is judged as.
func offences(fset *token.FileSet, dir string, file *ast.File) []offence {
	r := &reader{fset: fset, dir: dir, names: make(map[string]string)}
	for _, spec := range file.Imports {
		r.imported(spec)
	}
	for _, decl := range file.Decls {
		in := funcName(decl)
		ast.Inspect(decl, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.SelectorExpr: // also without a call: a function that is passed on is called later
				r.selected(in, node)
			case *ast.BinaryExpr:
				if (node.Op == token.EQL || node.Op == token.NEQ) && (isMAC(node.X) || isMAC(node.Y)) &&
					!isConstant(node.X) && !isConstant(node.Y) {
					r.add("compare", in, node, "compares "+node.Op.String())
				}
			case *ast.CallExpr:
				r.called(in, node)
			}
			return true
		})
	}
	return r.found
}

func (r *reader) imported(spec *ast.ImportSpec) {
	imported, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return // the parser has accepted it
	}
	name := path.Base(imported)
	if spec.Name != nil {
		name = spec.Name.Name
	}
	r.names[name] = imported
	switch {
	case imported == "math/rand":
		r.add("math/rand", "", spec, "imports math/rand")
	case imported == "log":
		r.add("log", "", spec, "imports log")
	case slices.Contains(strings.Split(strings.ToLower(imported), "/"), "uuid"):
		r.add("uuid", "", spec, "imports "+imported)
	}
	if name == "." {
		r.add("print", "", spec, "imports "+imported+" with a dot, which hides what is called")
	}
}

func (r *reader) selected(in string, node *ast.SelectorExpr) {
	pkg, ok := node.X.(*ast.Ident)
	if !ok {
		return
	}
	switch imported, name := r.names[pkg.Name], node.Sel.Name; {
	case imported == "time" && (name == "Now" || name == "Since" || name == "Until"):
		r.add("clock", in, node, "reads the clock: time."+name)
	case imported == "fmt" && strings.HasPrefix(name, "Print"):
		r.add("print", in, node, "prints: fmt."+name)
	}
}

func (r *reader) called(in string, node *ast.CallExpr) {
	switch fun := node.Fun.(type) {
	case *ast.SelectorExpr:
		compares := fun.Sel.Name == "Equal" || fun.Sel.Name == "Compare"
		if compares && slices.ContainsFunc(node.Args, isMAC) && !isPackage(fun.X, r.names, "crypto/hmac") {
			r.add("compare", in, node, "compares with "+fun.Sel.Name)
		}
	case *ast.Ident:
		switch fun.Name {
		case "panic":
			r.add("panic", in, node, "panics")
		case "print", "println":
			r.add("print", in, node, "prints: "+fun.Name)
		}
	}
}

// isMAC reports whether an expression is named like what only who has a key can make.
func isMAC(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		name := strings.ToLower(e.Name)
		return strings.HasSuffix(name, "mac") || strings.HasSuffix(name, "sum") && name != "checksum" ||
			strings.HasSuffix(name, "signature") || name == "tag"
	case *ast.SelectorExpr:
		return isMAC(e.Sel)
	case *ast.SliceExpr:
		return isMAC(e.X)
	case *ast.CallExpr:
		return isMAC(e.Fun)
	}
	return false
}

// isConstant reports whether an expression is nil, a literal or a length, against which no secret is compared.
func isConstant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil"
	case *ast.CallExpr:
		fun, ok := e.Fun.(*ast.Ident)
		return ok && fun.Name == "len"
	}
	return false
}

func isPackage(e ast.Expr, names map[string]string, path string) bool {
	id, ok := e.(*ast.Ident)
	return ok && names[id.Name] == path
}

// funcName returns the name of a function, "Type.Method" for a method, and "" for another declaration.
func funcName(decl ast.Decl) string {
	fn, ok := decl.(*ast.FuncDecl)
	if !ok {
		return ""
	}
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.IndexExpr:
			receiver = t.X
		case *ast.IndexListExpr:
			receiver = t.X
		case *ast.Ident:
			return t.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}
