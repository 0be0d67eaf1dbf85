// Package starter writes a site to begin with: sign-in, registration, devices, tests and a Dockerfile, on SQLite. What
// it writes is in the folder files. A name there ends in .tmpl, so that the go command takes none of it for its own.
package starter

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
	"github.com/coatcheck/session/cmd/coatcheck/internal/newfile"
)

//go:embed files
var templates embed.FS

// Routers are those that a site can have.
var Routers = []string{"nethttp", "chi"}

// secretFile is what session.yaml names.
const secretFile = "session.secret"

// Site is a site to write.
type Site struct {
	Dir     string // new, or empty
	Module  string // the module path; "": example.com/ and the last element of Dir
	Router  string // one of Routers
	Version string // of Coatcheck, for go.mod; "": go mod tidy takes the latest
}

var (
	// modulePath is stricter than the go command: no path of it needs quotes, in any file that it stands in.
	modulePath = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._~-]*(?:/[A-Za-z0-9][A-Za-z0-9._~-]*)*\z`)
	// unportable matches elements that the go command refuses, because no file of Windows can be called so.
	unportable = regexp.MustCompile(
		`(?i)(?:\A|/)(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[./]|\z)|~[0-9]+(?:[./]|\z)|\.(?:/|\z)`)
	majorPart = regexp.MustCompile(`/v[0-9]+\z`)
)

// Write writes the site, and returns the names of its files. A folder that is not empty stays as it is. If a file
// cannot be written, those before it are removed.
func Write(s Site) ([]string, error) {
	if s.Module == "" {
		abs, err := filepath.Abs(s.Dir)
		if err != nil {
			return nil, err
		}
		s.Module = "example.com/" + filepath.Base(abs) // with a domain it is no package of the standard library
	}
	if !modulePath.MatchString(s.Module) || unportable.MatchString(s.Module) {
		return nil, fmt.Errorf("%q is not a valid module path: name one with --module, such as example.com/shop",
			s.Module)
	}
	texts, err := s.texts()
	if err != nil {
		return nil, err
	}
	made, err := isNew(s.Dir)
	if err != nil {
		return nil, err
	}
	return write(s.Dir, made, texts)
}

// isNew makes the folder when there is none, and refuses one that has anything in it.
func isNew(dir string) (made bool, err error) {
	info, missing := os.Stat(dir)
	entries, err := os.ReadDir(dir)
	switch {
	case missing == nil && !info.IsDir():
		return false, fmt.Errorf("%s is a file, and nothing was written; name a new folder", dir)
	case dir == "":
		return false, errors.New("the name of the folder is empty, and nothing was written")
	case errors.Is(err, fs.ErrNotExist):
		return true, os.MkdirAll(dir, 0o755)
	case err != nil:
		return false, err
	case len(entries) > 0:
		return false, fmt.Errorf("%s is not empty: it has %s, and nothing was written; name a new folder", dir,
			entries[0].Name())
	}
	return false, nil
}

// texts are the files of the site by their names.
func (s Site) texts() (map[string]string, error) {
	entries, err := templates.ReadDir("files")
	if err != nil {
		return nil, err
	}
	fill := s.filler()
	texts := map[string]string{}
	for _, e := range entries {
		name, ok := s.nameOf(e.Name())
		if !ok {
			continue
		}
		text, err := templates.ReadFile(path.Join("files", e.Name()))
		if err != nil {
			return nil, err
		}
		texts[name] = fill.Replace(string(text))
	}
	return texts, nil
}

// nameOf is the name that a template has in the site, and whether the site has it.
func (s Site) nameOf(template string) (string, bool) {
	name := strings.TrimSuffix(template, ".tmpl")
	if of, ok := strings.CutPrefix(name, "routes.go."); ok {
		return "routes.go", of == s.Router
	}
	if strings.HasSuffix(name, "ignore") {
		name = "." + name
	}
	return name, true
}

// filler puts what is known of the site into a template.
func (s Site) filler() *strings.Replacer {
	ours, chi := "", ""
	if s.Version != "" {
		ours = "\tgithub.com/coatcheck/session " + s.Version + "\n" +
			"\tgithub.com/coatcheck/session/sessionconfig " + s.Version + "\n"
	}
	if s.Router == "chi" {
		chi = "\tgithub.com/go-chi/chi/v5 v5.5.0\n"
	}
	name := path.Base(majorPart.ReplaceAllString(s.Module, ""))
	return strings.NewReplacer("«module»", s.Module, "«name»", name, "«coatcheck»", ours, "«chi»", chi)
}

// write writes the files and a new secret, or nothing.
func write(dir string, made bool, texts map[string]string) (names []string, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, remove(dir, made, names))
			names = nil
		}
	}()
	for name, text := range texts {
		if err := newfile.Write(filepath.Join(dir, name), text, 0o644); err != nil {
			return names, err
		}
		names = append(names, name)
	}
	if err := keyfile.Create(filepath.Join(dir, secretFile)); err != nil {
		return names, err
	}
	names = append(names, secretFile)
	slices.Sort(names)
	return names, nil
}

// remove takes back what was written, and the folder if it is new.
func remove(dir string, made bool, names []string) (err error) {
	for _, name := range names {
		err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
	}
	if made {
		err = errors.Join(err, os.Remove(dir))
	}
	return err
}
