package main

import (
	"os"
	"path"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// adopt writes what go mod tidy made of the staged go.mod and go.sum into the tree, but for what was staged: versions
// and hashes of our own modules stay those of the tree.
func (t *tree) adopt(out string) error {
	required, err := t.required()
	if err != nil {
		return err
	}
	for _, m := range t.modules {
		if err := t.adoptModule(m, filepath.Join(out, "mod", filepath.FromSlash(m.dir)), required); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) adoptModule(m *module, staged, required string) error {
	text, err := os.ReadFile(filepath.Join(staged, "go.mod"))
	if err != nil {
		return err
	}
	file, err := modfile.Parse(path.Join(m.dir, "go.mod"), text, nil)
	if err != nil {
		return err
	}
	if text, err = withVersion(file, required); err != nil {
		return err
	}
	if err := os.WriteFile(t.on(m.dir, "go.mod"), text, 0o644); err != nil {
		return err
	}
	before, err := t.sumOf(m)
	if err != nil {
		return err
	}
	tidied, err := os.ReadFile(filepath.Join(staged, "go.sum"))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return writeSum(t.on(m.dir, "go.sum"), withOwn(tidied, ownSums(before)))
}

// ownSums returns the lines of our own modules.
func ownSums(text []byte) sums {
	own := make(sums)
	for key, hash := range parseSum(text) {
		if isWithin(key.Path, ours) {
			own[key] = hash
		}
	}
	return own
}
