package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	modpath "golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
)

// sums are the lines of a go.sum: the hash of a module, and of its go.mod when the version ends with "/go.mod".
type sums map[modpath.Version]string

// unreleasedVersion returns a version that no cache of modules has: what a tree holds changes, and a version never
// does. It is higher than the one that is required, so that it may be required beside that one.
func (t *tree) unreleasedVersion() (string, error) {
	version, err := t.required()
	if err != nil {
		return "", err
	}
	var major, minor, patch int
	if _, err := fmt.Sscanf(semver.Canonical(version), "v%d.%d.%d", &major, &minor, &patch); err != nil {
		return "", fmt.Errorf("the modules require %q of each other, which is no version such as v0.1.0", version)
	}
	return fmt.Sprintf("v%d.%d.%d-tree.%s", major, minor, patch+1, strings.ToLower(rand.Text())), nil
}

// stage writes into a folder what the modules are at a version: proxy/ serves those that are released, and mod/ has the
// go.mod and go.sum of each module, which the tree itself cannot hold, for every change of a file changes the hashes.
func (t *tree) stage(out, version string) error {
	if _, err := t.required(); err != nil {
		return err
	}
	known := make(sums)
	for _, m := range t.modules {
		if err := m.stage(t, filepath.Join(out, "mod", filepath.FromSlash(m.dir)), version, known); err != nil {
			return err
		}
		if !m.released() {
			continue
		}
		if err := t.publish(filepath.Join(out, "proxy"), filepath.Join(out, "mod"), m, version, known); err != nil {
			return err
		}
	}
	return nil
}

// stage writes the go.mod and the go.sum of a module at a version. What it requires is known already.
func (m *module) stage(t *tree, dir, version string, known sums) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := withVersion(m.file, version)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), text, 0o644); err != nil {
		return err
	}
	sum, err := t.sumOf(m)
	if err != nil {
		return err
	}
	lines := make(sums)
	for _, r := range m.needs() {
		for _, suffix := range []string{"", "/go.mod"} {
			key := modpath.Version{Path: r.Mod.Path, Version: version + suffix}
			if lines[key] = known[key]; lines[key] == "" {
				return fmt.Errorf("%s requires %s, which is no released module of go.work", m.dir, r.Mod.Path)
			}
		}
	}
	return writeSum(filepath.Join(dir, "go.sum"), withOwn(sum, lines))
}

// sumOf returns the go.sum of a module. One that requires nothing has none.
func (t *tree) sumOf(m *module) ([]byte, error) {
	text, err := os.ReadFile(t.on(m.dir, "go.sum"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// writeSum writes a go.sum, unless it would be empty and is not there.
func writeSum(name string, text []byte) error {
	if _, err := os.Stat(name); err != nil && len(text) == 0 {
		return nil
	}
	return os.WriteFile(name, text, 0o644)
}

// withVersion returns a go.mod that requires our own modules at a version.
func withVersion(file *modfile.File, version string) ([]byte, error) {
	text, err := file.Format()
	if err != nil {
		return nil, err
	}
	changed, err := modfile.Parse(file.Syntax.Name, text, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range file.Require {
		if !isWithin(r.Mod.Path, ours) {
			continue
		}
		if err := changed.AddRequire(r.Mod.Path, version); err != nil {
			return nil, err
		}
	}
	return changed.Format()
}

// withOwn returns a go.sum with these lines of our own modules in the place of all that it has.
func withOwn(sum []byte, own sums) []byte {
	lines := make(sums)
	for key, hash := range parseSum(sum) {
		if !isWithin(key.Path, ours) {
			lines[key] = hash
		}
	}
	keys := make([]modpath.Version, 0, len(lines)+len(own))
	for key, hash := range own {
		lines[key] = hash
	}
	for key := range lines {
		keys = append(keys, key)
	}
	modpath.Sort(keys)
	var b bytes.Buffer
	for _, key := range keys {
		fmt.Fprintf(&b, "%s %s %s\n", key.Path, key.Version, lines[key])
	}
	return b.Bytes()
}

func parseSum(text []byte) sums {
	lines := make(sums)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 {
			lines[modpath.Version{Path: f[0], Version: f[1]}] = f[2]
		}
	}
	return lines
}

// hashOfMod is the hash that go.sum has of a go.mod.
func hashOfMod(text []byte) (string, error) {
	return dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	})
}
