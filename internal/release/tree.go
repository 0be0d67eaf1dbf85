package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// ours is the path of the root module, and where those of all others begin.
const ours = "github.com/coatcheck/session"

// A tree is the work tree with its modules.
type tree struct {
	root    string
	files   []string // all but ignored ones, slashed and relative to the root
	modules []*module
}

// A module is one that go.work joins, tools left out.
type module struct {
	dir  string // slashed and relative to the root, which is "."
	file *modfile.File
}

func (m *module) path() string { return m.file.Module.Mod.Path }

// released reports whether people get the module. The others are for those who have the tree.
func (m *module) released() bool {
	return !isWithin(m.dir, "internal") && !isWithin(m.dir, "bench") && !isWithin(m.dir, "examples")
}

// needs returns the requirements that are modules of the tree, and are not replaced by its folders.
func (m *module) needs() []*modfile.Require {
	return slices.DeleteFunc(slices.Clone(m.file.Require), func(r *modfile.Require) bool {
		return !isWithin(r.Mod.Path, ours) || slices.ContainsFunc(m.file.Replace, func(to *modfile.Replace) bool {
			return to.Old.Path == r.Mod.Path
		})
	})
}

// openTree finds the tree that the current folder is in.
func openTree() (*tree, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	top, err := git(dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("work in a clone, for git says which files the modules have: %w", err)
	}
	return readTree(strings.TrimSpace(top))
}

func readTree(root string) (*tree, error) {
	t := &tree{root: root}
	listed, err := git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		// What was removed from the folder and not yet from git is listed too.
		if _, err := os.Lstat(t.on(name)); err == nil {
			t.files = append(t.files, name)
		}
	}
	slices.Sort(t.files)
	t.files = slices.Compact(t.files)
	return t, t.readModules()
}

// readModules reads the go.mod of each module that go.work joins, and puts those first that the others require.
func (t *tree) readModules() error {
	work, err := t.work()
	if err != nil {
		return err
	}
	for _, use := range work.Use {
		m := &module{dir: path.Clean(use.Path)}
		text, err := os.ReadFile(t.on(m.dir, "go.mod"))
		if err != nil {
			return err
		}
		if m.file, err = modfile.Parse(path.Join(m.dir, "go.mod"), text, nil); err != nil {
			return err
		}
		t.modules = append(t.modules, m)
	}
	slices.SortFunc(t.modules, func(a, b *module) int { return strings.Compare(a.dir, b.dir) })
	t.modules = inOrder(t.modules)
	return nil
}

// inOrder sorts by dependence, and otherwise leaves the order.
func inOrder(modules []*module) []*module {
	var sorted []*module
	var add func(*module)
	add = func(m *module) {
		if slices.Contains(sorted, m) {
			return
		}
		for _, r := range m.needs() {
			if i := slices.IndexFunc(modules, func(m *module) bool { return m.path() == r.Mod.Path }); i >= 0 {
				add(modules[i])
			}
		}
		sorted = append(sorted, m)
	}
	for _, m := range modules {
		add(m)
	}
	return sorted
}

func (t *tree) work() (*modfile.WorkFile, error) {
	text, err := os.ReadFile(t.on("go.work"))
	if err != nil {
		return nil, err
	}
	return modfile.ParseWork("go.work", text, nil)
}

// on returns where a file of the tree is on the disk.
func (t *tree) on(name ...string) string {
	return filepath.Join(t.root, filepath.FromSlash(path.Join(name...)))
}

// required returns the version at which the modules require each other. It is one, for they are released together.
func (t *tree) required() (string, error) {
	var version string
	for _, m := range t.modules {
		if m.released() && len(m.file.Replace) > 0 {
			return "", fmt.Errorf("%s/go.mod has replace, so nobody can install it: move that line to go.work", m.dir)
		}
		for _, r := range m.needs() {
			if version != "" && r.Mod.Version != version {
				return "", fmt.Errorf("%s requires %s, others %s: let it be one version", m.dir, r.Mod, version)
			}
			version = r.Mod.Version
		}
	}
	return version, nil
}

func isWithin(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

// slashed is a path as GOFLAGS and bash take it, on Windows too.
func slashed(name string) string { return filepath.ToSlash(name) }

// git runs git in a folder. Whoever runs it has made or chosen the tree, also when it belongs to another user of the
// machine.
func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "safe.directory=*"}, args...)...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out), nil
}
