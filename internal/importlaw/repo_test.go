package importlaw

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/coatcheck/session"

// repoRoot is the repository's folder as seen from a test, which runs in its package's folder.
var repoRoot = filepath.Join("..", "..")

// platforms are those on which the laws are read: a file for Windows alone could break them too.
var platforms = []string{"linux", "darwin", "windows"}

// A pkg is what the laws need of one package.
type pkg struct {
	path    string   // import path
	imports []string // of its own files, not of its tests
}

// moduleDirs returns the folder of every module, slashed and relative to the repository; the root is ".".
func moduleDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	err := filepath.WalkDir(repoRoot, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != repoRoot && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.Name() != "go.mod" {
			return nil
		}
		dir, err := filepath.Rel(repoRoot, filepath.Dir(name))
		dirs = append(dirs, filepath.ToSlash(dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// goCommand runs the go command in a folder of the repository, in the workspace, and returns what it printed. GOFLAGS
// may name the go.mod that this test was built from, which is not that of the folder.
func goCommand(t *testing.T, dir string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = filepath.Join(repoRoot, filepath.FromSlash(dir))
	cmd.Env = append(append(os.Environ(), "GOWORK=", "GOFLAGS="), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), dir, err, &stderr)
	}
	return out
}

// packages returns the packages of one module with what they import on any platform.
func packages(t *testing.T, dir string) []pkg {
	t.Helper()
	imports := make(map[string][]string)
	for _, platform := range platforms {
		// -e: a dependency that cannot be had on one platform hides no import. (-find would not list imports at all.)
		out := goCommand(t, dir, []string{"GOOS=" + platform}, "list", "-e", "-json=ImportPath,Imports,Error", "./...")
		for dec := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				ImportPath string
				Imports    []string
				Error      *struct{ Err string }
			}
			err := dec.Decode(&p)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("go list in %s: %v", dir, err)
			}
			if p.Error != nil {
				t.Fatalf("go list for %s: %s: %s", platform, p.ImportPath, p.Error.Err)
			}
			imports[p.ImportPath] = append(imports[p.ImportPath], p.Imports...)
		}
	}
	var pkgs []pkg
	for path, list := range imports {
		slices.Sort(list)
		pkgs = append(pkgs, pkg{path, slices.Compact(list)})
	}
	slices.SortFunc(pkgs, func(a, b pkg) int { return strings.Compare(a.path, b.path) })
	return pkgs
}

// allPackages returns the packages of every module but the tools', which hold no code.
func allPackages(t *testing.T) []pkg {
	t.Helper()
	var pkgs []pkg
	for _, dir := range moduleDirs(t) {
		if dir != "internal/tools" {
			pkgs = append(pkgs, packages(t, dir)...)
		}
	}
	return pkgs
}

// rel shortens an import path of this repository: "." is the root package, "memstore" a store. ok is false for others.
func rel(path string) (short string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// isStd reports whether an import path is of the standard library: its first element has no dot.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// within reports whether a short path is the folder or below it.
func within(short, folder string) bool {
	return short == folder || strings.HasPrefix(short, folder+"/")
}

func quoted(list []string) string {
	return fmt.Sprintf("%q", list)
}
