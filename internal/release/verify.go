package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	modpath "golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// verify makes the modules from the commit, as the go command makes them from a tag, and compares their hashes with
// those that stand in the go.sum of the others. A tag whose hash is another one cannot be mended, for a version never
// changes.
func (t *tree) verify(version string) error {
	dir, err := os.MkdirTemp("", "coatcheck-verify-")
	if err != nil {
		return err
	}
	committed := make(sums)
	for _, m := range t.modules {
		key := modpath.Version{Path: m.path(), Version: version}
		if m.released() && err == nil {
			committed[key], err = t.committed(filepath.Join(dir, "module.zip"), m, key)
		}
	}
	return errors.Join(err, t.compare(committed, version), os.RemoveAll(dir))
}

// committed returns the hash that a module has in the commit.
func (t *tree) committed(name string, m *module, key modpath.Version) (string, error) {
	f, err := os.Create(name)
	if err != nil {
		return "", err
	}
	dir := strings.TrimPrefix(m.dir, ".")
	if err := errors.Join(zip.CreateFromVCS(f, key, t.root, "HEAD", dir), f.Close()); err != nil {
		return "", err
	}
	return dirhash.HashZip(name, dirhash.Hash1)
}

func (t *tree) compare(committed sums, version string) error {
	for _, m := range t.modules {
		text, err := t.sumOf(m)
		if err != nil {
			return err
		}
		has := parseSum(text)
		for _, r := range m.needs() {
			key := modpath.Version{Path: r.Mod.Path, Version: version}
			if m.released() && has[key] != committed[key] {
				return fmt.Errorf("%s/go.sum has %q of %s, the commit %q: prepare the release again",
					m.dir, has[key], key, committed[key])
			}
		}
	}
	return nil
}
