package main

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// here is the tree of this repository.
func here(t *testing.T) *tree {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return mustRead(t, root)
}

func TestEveryModuleThatPeopleUseCanBeMade(t *testing.T) {
	tree := here(t)
	version, err := tree.required()
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.stage(t.TempDir(), version); err != nil {
		t.Fatal(err)
	}
}

// A module that the workspace does not join is built from the last release of the others, and nobody notices.
func TestTheWorkspaceJoinsEveryModule(t *testing.T) {
	tree := here(t)
	for _, name := range tree.files {
		dir := path.Dir(name)
		if path.Base(name) != "go.mod" || strings.Contains(name, "testdata/") || dir == "internal/tools" {
			continue
		}
		if !slices.ContainsFunc(tree.modules, func(m *module) bool { return m.dir == dir }) {
			t.Errorf("go.work has no use of ./%s", dir)
		}
	}
}

// Without such a line every go command asks a proxy for the version, and adds what it finds to go.work.sum.
func TestTheWorkspaceHasWhatTheModulesRequireOfEachOther(t *testing.T) {
	tree := here(t)
	work, err := tree.work()
	if err != nil {
		t.Fatal(err)
	}
	replaced := make(map[string]string)
	for _, r := range work.Replace {
		replaced[r.Old.Path+" "+r.Old.Version] = path.Clean(r.New.Path)
	}
	for _, m := range tree.modules {
		for _, r := range m.needs() {
			want := strings.TrimPrefix(strings.TrimPrefix(r.Mod.Path, ours), "/")
			if got := replaced[r.Mod.Path+" "+r.Mod.Version]; got != path.Clean(want) {
				t.Errorf("%s requires %s, and go.work replaces it by %q, want ./%s", m.dir, r.Mod, got, want)
			}
		}
	}
}

func TestTheReadmeSaysWhichGoItNeeds(t *testing.T) {
	tree := here(t)
	text, err := os.ReadFile(tree.on("README.md"))
	if err != nil {
		t.Fatal(err)
	}
	root := tree.modules[slices.IndexFunc(tree.modules, func(m *module) bool { return m.dir == "." })]
	if want := "Go " + root.file.Go.Version + " or newer"; !strings.Contains(string(text), want) {
		t.Errorf("README.md has no %q, which is what go.mod requires", want)
	}
}

func TestThePiecesOfTheReadmeAreGo(t *testing.T) {
	text, err := os.ReadFile(here(t).on("README.md"))
	if err != nil {
		t.Fatal(err)
	}
	pieces := goBlock.FindAllStringSubmatch(string(text), -1)
	if len(pieces) < 4 {
		t.Fatalf("README.md has %d pieces of Go, want those for SQLite and PostgreSQL too", len(pieces))
	}
	for _, m := range pieces {
		if _, err := asProgram(m[1]); err != nil {
			t.Errorf("%v in\n%s", err, m[1])
		}
	}
}
