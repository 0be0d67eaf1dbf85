package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	modpath "golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// A source is a file of a module's zip, and where its bytes are: those of go.mod and go.sum are not in the tree.
type source struct{ name, disk string }

func (s source) Path() string                 { return s.name }
func (s source) Lstat() (os.FileInfo, error)  { return os.Lstat(s.disk) }
func (s source) Open() (io.ReadCloser, error) { return os.Open(s.disk) }

// sources returns the files of a module as the go command takes them from git: without what is ignored, and with the
// license of the repository where a module has none. Nested modules are left out by the zip itself, which sees their
// go.mod.
func (t *tree) sources(m *module, mods string) []zip.File {
	var files []zip.File
	license := false
	for _, name := range t.files {
		short := name
		if m.dir != "." {
			var within bool
			if short, within = strings.CutPrefix(name, m.dir+"/"); !within {
				continue
			}
		}
		if short == "go.mod" || short == "go.sum" {
			continue
		}
		license = license || short == "LICENSE"
		files = append(files, source{short, t.on(name)})
	}
	for _, short := range []string{"go.mod", "go.sum"} {
		staged := filepath.Join(mods, filepath.FromSlash(m.dir), short)
		if _, err := os.Stat(staged); err == nil {
			files = append(files, source{short, staged})
		}
	}
	if !license && slices.Contains(t.files, "LICENSE") {
		files = append(files, source{"LICENSE", t.on("LICENSE")})
	}
	return files
}

// publish writes a module into a folder that GOPROXY=file:// serves, and adds its hashes to those that are known.
func (t *tree) publish(proxy, mods string, m *module, version string, known sums) error {
	key := modpath.Version{Path: m.path(), Version: version}
	escaped, err := modpath.EscapePath(key.Path)
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	zipped := filepath.Join(dir, version+".zip")
	if err := writeZip(zipped, key, t.sources(m, mods)); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(mods, filepath.FromSlash(m.dir), "go.mod"))
	if err != nil {
		return err
	}
	if known[key], err = dirhash.HashZip(zipped, dirhash.Hash1); err != nil {
		return err
	}
	if known[modpath.Version{Path: key.Path, Version: version + "/go.mod"}], err = hashOfMod(mod); err != nil {
		return err
	}
	return writeVersion(dir, version, mod)
}

func writeZip(name string, m modpath.Version, files []zip.File) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(zip.Create(f, m, files), f.Close())
}

// writeVersion writes what a proxy tells of a version beside its zip.
func writeVersion(dir, version string, mod []byte) error {
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC()})
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, version+".info"), info, 0o644),
		os.WriteFile(filepath.Join(dir, version+".mod"), mod, 0o644),
		os.WriteFile(filepath.Join(dir, "list"), []byte(version+"\n"), 0o644))
}
