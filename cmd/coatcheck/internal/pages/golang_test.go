package pages_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session/cmd/coatcheck/internal/pages"
)

var (
	fileName  = regexp.MustCompile(`^// (\w+\.go)\n`)
	leftOut   = regexp.MustCompile(`(?m)^\s*…$`)
	notInName = regexp.MustCompile(`\W+`)
	spaces    = regexp.MustCompile(`\n\s+`)
)

// imported is what a fragment may use without importing it.
var imported = map[string]string{
	"chi": "github.com/go-chi/chi/v5", "cookiestore": "", "devicebound": "", "filestore": "", "guard": "",
	"memstore": "", "nullstore": "", "pglisten": "", "pgstore": "", "redisstore": "", "session": ".",
	"sessionconfig": "", "sessiontest": "", "sqlstore": "",
	"pgxpool": "github.com/jackc/pgx/v5/pgxpool", "rueidis": "github.com/redis/rueidis", "maphash": "hash/maphash",
	"ginsession":   "github.com/coatcheck/session/adapters/ginsession",
	"gorillastore": "github.com/coatcheck/session/adapters/gorillastore",
	"otelsession":  "github.com/coatcheck/session/adapters/otel",
	"passkey":      "github.com/coatcheck/session/adapters/passkey",
	"oidc":         "github.com/coreos/go-oidc/v3/oidc",
	"oidcsession":  "github.com/coatcheck/session/adapters/oidc",
	"takeover":     "github.com/coatcheck/session/adapters/takeover",
	"scs":          "github.com/alexedwards/scs/v2",
	"context":      "std", "errors": "std", "fmt": "std", "io": "std", "log": "std", "maps": "std", "os": "std",
	"slices": "std", "strings": "std", "testing": "std", "time": "std", "sync": "std", "cmp": "std",
	"http": "net/http", "httptest": "net/http/httptest", "netip": "net/netip", "url": "net/url", "slog": "log/slog",
	"json": "encoding/json", "sql": "database/sql", "template": "html/template", "rand": "crypto/rand",
}

func importPath(name string) (string, bool) {
	const ours = "github.com/coatcheck/session"
	switch p, ok := imported[name]; {
	case !ok:
		return "", false
	case p == ".":
		return ours, true
	case p == "":
		return ours + "/" + name, true
	case p == "std":
		return name, true
	default:
		return p, true
	}
}

// asFile completes a fragment: declarations as they are, statements in a function. The compiler names the page's lines.
func asFile(b block) (string, error) {
	text := leftOut.ReplaceAllString(b.text, "")
	const before, after = "func fragment() {\n", "\n}\n"
	place := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
	file, err := parser.ParseFile(token.NewFileSet(), b.page, "package fragment\n"+text, 0)
	if err == nil {
		return "package fragment\n" + imports(file) + place + text, nil
	}
	file, err = parser.ParseFile(token.NewFileSet(), b.page, "package fragment\n"+before+place+text+after, 0)
	if err != nil {
		return "", err
	}
	return "package fragment\n" + imports(file) + before + place + text + uses(file) + after, nil
}

// imports is a line for each package that a file names and does not declare.
func imports(file *ast.File) string {
	var lines []string
	for _, name := range file.Unresolved {
		if p, ok := importPath(name.Name); ok {
			lines = append(lines, fmt.Sprintf("import %q\n", p))
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "")
}

// uses is a use of each variable that the statements declare, for a fragment rarely does something with all of them.
func uses(file *ast.File) string {
	var b strings.Builder
	for _, statement := range file.Decls[len(file.Decls)-1].(*ast.FuncDecl).Body.List {
		if assigned, ok := statement.(*ast.AssignStmt); ok && assigned.Tok == token.DEFINE {
			for _, name := range assigned.Lhs {
				fmt.Fprintf(&b, "\n_ = %s", name.(*ast.Ident).Name)
			}
		}
	}
	return b.String()
}

// isInProgram reports whether a fragment is a part of the program that belongs to the page, which compiles anyway.
func isInProgram(b block) bool {
	files, _ := filepath.Glob(filepath.Join(repository, strings.TrimSuffix(b.page, ".md"), "*.go"))
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err == nil && strings.Contains(spaces.ReplaceAllString(string(text), "\n"),
			strings.TrimSpace(spaces.ReplaceAllString(b.text, "\n"))) {
			return true
		}
	}
	return false
}

// goFiles returns what has to compile: by folder and name, the files that a page's Go makes.
func goFiles(blocks []block) (map[string]string, error) {
	around, err := os.ReadFile(filepath.Join("testdata", "around.go"))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	programs := map[string][]map[string]string{} // of a page: each state of its program
	for _, b := range blocks {
		folder := notInName.ReplaceAllString(b.page, "_")
		place := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
		switch name := fileName.FindStringSubmatch(b.text); {
		case name != nil:
			states := programs[folder]
			if len(states) == 0 {
				states = append(states, map[string]string{})
			} else if states[len(states)-1][name[1]] != "" {
				states = append(states, maps.Clone(states[len(states)-1]))
			}
			states[len(states)-1][name[1]] = place + b.text
			programs[folder] = states
		case strings.HasPrefix(b.text, "package "):
			files[path.Join(fmt.Sprint(folder, "_line", b.line), "main.go")] = place + b.text
		case !isInProgram(b):
			text, err := asFile(b)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", b.page, b.line, err)
			}
			fragment := fmt.Sprint(folder, "_line", b.line)
			files[path.Join(fragment, "around.go")], files[path.Join(fragment, "fragment.go")] = string(around), text
		}
	}
	for folder, states := range programs {
		for i, state := range states {
			for name, text := range state {
				files[path.Join(fmt.Sprint(folder, "_state", i+1), name)] = text
			}
		}
	}
	return files, nil
}

// compile vets the files in a module of their own, in a workspace with those of this repository, and runs their tests.
func compile(t *testing.T, blocks []block) (string, error) {
	t.Helper()
	files, err := goFiles(blocks)
	if err != nil {
		return "", err
	}
	dir := t.TempDir()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	if files["go.work"], files["go.work.sum"], err = pages.Workspace(root); err != nil {
		t.Fatal(err)
	}
	files["go.mod"] = "module example.test/pages\n\ngo 1.25.2\n"
	for name, text := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), pages.GoEnv(filepath.Join(dir, "go.work"))...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return string(out), err
		}
	}
	return "", nil
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheGoOfThePagesCompiles(t *testing.T) {
	if out, err := compile(t, allBlocks(t, "go")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestGoThatIsWrongIsFound(t *testing.T) {
	out, err := compile(t, []block{
		{"p.md", 7, "go", "sessions.NoSuchMethod()\n"},
		{"p.md", 17, "go", "func F() { s.Set(\"path\") }\n"},
		{"p.md", 27, "go", "package main\n\nimport \"os\"\n\nfunc main() {}\n"},
		{"p.md", 37, "go", "// main.go\n\npackage main\n\nfunc main() { no() }\n"},
		{"p.md", 47, "go", "// main.go\n\npackage main\n\nfunc main() {}\n"},
	})
	if err == nil {
		t.Fatal("all of it compiles, want none but the last")
	}
	for _, place := range []string{"p.md:7:", "p.md:17:", "p.md:29:", "p.md:41:"} {
		if !strings.Contains(out, place) {
			t.Errorf("no error names %s:\n%s", place, out)
		}
	}
	if strings.Contains(out, "p.md:5") {
		t.Errorf("an error names the last block, which is right:\n%s", out)
	}
}

func TestGoThatIsNoGoIsFound(t *testing.T) {
	_, err := compile(t, []block{{"p.md", 7, "go", "if {\n"}})
	if err == nil || !strings.Contains(err.Error(), "p.md:7") {
		t.Errorf("the error is %v, want one that names p.md:7", err)
	}
}

func TestATestOfAPageThatFailsIsFound(t *testing.T) {
	text := "// a_test.go\n\npackage a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { t.Error() }\n"
	if out, err := compile(t, []block{{"p.md", 7, "go", text}}); err == nil || !strings.Contains(out, "FAIL: TestA") {
		t.Errorf("the error is %v, want the failure of TestA:\n%s", err, out)
	}
}
