package importlaw

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the public surface as it is into testdata/api")

// surfaceDir holds one file for each public package, with what go doc says of it.
var surfaceDir = filepath.Join("testdata", "api")

// notImported are the folders whose packages no program imports: they are internal, or programs, or part of the
// documentation.
var notImported = []string{"internal", "cmd", "examples", "bench", "docs"}

// isPublic reports whether a program of others may import a package of this repository.
func isPublic(short string) bool {
	return !strings.Contains(short, "/internal/") &&
		!slices.ContainsFunc(notImported, func(folder string) bool { return within(short, folder) })
}

// surfaceFile is the file of a package: session.txt for the root.
func surfaceFile(short string) string {
	if short == "." {
		short = "session"
	}
	return strings.ReplaceAll(short, "/", "-") + ".txt"
}

// surfaces returns what go doc says of each public package, by the file that keeps it.
func surfaces(t *testing.T) map[string]string {
	t.Helper()
	now := map[string]string{}
	for _, dir := range moduleDirs(t) {
		if !isPublic(dir) {
			continue
		}
		for path := range strings.FieldsSeq(string(goCommand(t, dir, nil, "list", "./..."))) {
			if short, _ := rel(path); isPublic(short) {
				now[surfaceFile(short)] = string(goCommand(t, short, nil, "doc", "-all", "."))
			}
		}
	}
	return now
}

// keptSurfaces returns what the files say.
func keptSurfaces(t *testing.T) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(surfaceDir)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(surfaceDir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		kept[e.Name()] = string(text)
	}
	return kept
}

// differences returns a few lines for each file that is not as it was kept: which lines went, and which came.
func differences(kept, now map[string]string) (found []string) {
	for name, text := range now {
		if was, ok := kept[name]; !ok {
			found = append(found, name+": the package is new")
		} else if text != was {
			found = append(found, name+":\n"+lines("-", was, text)+lines("+", text, was))
		}
	}
	for name := range kept {
		if _, ok := now[name]; !ok {
			found = append(found, name+": the package is gone")
		}
	}
	slices.Sort(found)
	return found
}

// lines returns the lines of one text that the other lacks, each behind a sign. When only the order differs there are
// none.
func lines(sign, of, other string) string {
	has := map[string]bool{}
	for line := range strings.Lines(other) {
		has[line] = true
	}
	var b strings.Builder
	for line := range strings.Lines(of) {
		if !has[line] {
			b.WriteString(sign + line)
		}
	}
	return b.String()
}

// A program that was compiled yesterday compiles tomorrow. Whoever changes what others import, or the text that
// explains it, sees here what that is, and decides it.
func TestThePublicSurfaceIsAsItWasDecided(t *testing.T) {
	now := surfaces(t)
	if *update {
		writeSurfaces(t, now)
	}
	for _, difference := range differences(keptSurfaces(t), now) {
		t.Errorf("%s\nWhat others import has changed. If that is meant, run go test ./internal/importlaw -run Surface "+
			"-update, and tell of it in CHANGELOG.md if it is more than a text", difference)
	}
}

func writeSurfaces(t *testing.T, now map[string]string) {
	t.Helper()
	if err := os.RemoveAll(surfaceDir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(surfaceDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range now {
		if err := os.WriteFile(filepath.Join(surfaceDir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADifferenceOfThePublicSurfaceIsFound(t *testing.T) {
	kept := map[string]string{"a.txt": "func A()\n", "b.txt": "func B()\nfunc C()\n", "gone.txt": ""}
	now := map[string]string{"a.txt": "func A()\n", "b.txt": "func B(n int)\nfunc C()\n", "new.txt": ""}
	want := []string{
		"b.txt:\n-func B()\n+func B(n int)\n", "gone.txt: the package is gone", "new.txt: the package is new",
	}
	if got := differences(kept, now); !slices.Equal(got, want) {
		t.Errorf("differences = %s, want %s", quoted(got), quoted(want))
	}
	if got := differences(map[string]string{"a.txt": "x\ny\n"}, map[string]string{"a.txt": "y\nx\n"}); len(got) != 1 {
		t.Errorf("differences(another order) = %s, want one", quoted(got))
	}
}

func TestThePublicPackagesAreThoseThatOthersImport(t *testing.T) {
	for _, short := range []string{".", "guard", "redisstore", "sqlstore/schema"} {
		if !isPublic(short) {
			t.Errorf("isPublic(%q) = false, want true", short)
		}
	}
	for _, short := range []string{"internal/sealed", "redisstore/internal/x", "cmd/coatcheck", "examples/cart", "docs",
		"bench"} {
		if isPublic(short) {
			t.Errorf("isPublic(%q) = true, want false", short)
		}
	}
}
