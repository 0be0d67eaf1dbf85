//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"net/url"
	"os"
	"path/filepath"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/coatcheck/session"

// hidden is the folder for whatever comes and goes with a run. Neither the go command nor a test that walks through the
// repository looks into a folder of such a name.
const hidden = ".run"

// A code is the code of all packages, rewritten: what a file becomes, by its path, and the changes in all of them.
type code struct {
	overlay map[string][]byte
	changes []change
}

// load finds the mutants of packages, named by their folders.
func load(ctx context.Context, root string, folders []string) (*code, error) {
	patterns := make([]string, len(folders))
	for i, folder := range folders {
		patterns[i] = "./" + folder
	}
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
		packages.NeedExportFile | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo
	pkgs, err := packages.Load(&packages.Config{Context: ctx, Mode: mode, Dir: root, Env: workspace()}, patterns...)
	if err != nil {
		return nil, err
	}
	c := &code{overlay: map[string][]byte{filepath.Join(root, "internal", "mutant", "mutant.go"): switchboard}}
	for _, pkg := range pkgs {
		if len(pkg.Errors) > 0 {
			return nil, fmt.Errorf("%s: %w", pkg.PkgPath, pkg.Errors[0])
		}
		for _, file := range pkg.Syntax {
			if err := c.file(root, pkg, file); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

func (c *code) file(root string, pkg *packages.Package, file *ast.File) error {
	name := pkg.Fset.Position(file.Package).Filename
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	path, err := filepath.Rel(root, name)
	if err != nil {
		return err
	}
	f := &finder{
		rewriter: rewriter{file: pkg.Fset.File(file.Package)},
		path:     filepath.ToSlash(path), source: source, info: pkg.TypesInfo, fset: pkg.Fset,
		names: make(map[string]int), next: len(c.changes), inside: "package",
	}
	ast.PreorderStack(file, nil, f.visit)
	if len(f.changes) == 0 {
		return nil
	}
	f.insert(file.Name.End(), `; import "`+module+`/internal/mutant"`)
	c.overlay[name] = f.apply(source)
	c.changes = append(c.changes, f.changes...)
	return nil
}

// write lays the rewritten files into a folder, and returns the file for go's -overlay.
func (c *code) write(work string) (string, error) {
	dir := filepath.Join(work, hidden)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = make(map[string]string)
	for name, text := range c.overlay {
		copied := filepath.Join(dir, url.PathEscape(name))
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			return "", err
		}
		overlay.Replace[name] = copied
	}
	text, err := json.MarshalIndent(overlay, "", "\t")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, text, 0o600)
}

// workspace is the environment for go commands in the repository: its go.work joins the modules, whatever the caller
// set.
func workspace() []string {
	return append(os.Environ(), "GOWORK=", "GOFLAGS=")
}
