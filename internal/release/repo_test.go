package main

import (
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
