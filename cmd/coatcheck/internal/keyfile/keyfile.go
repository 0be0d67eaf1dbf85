// Package keyfile makes and rotates the file that holds the secrets.
package keyfile

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/newfile"
)

// New returns a secret as text.
func New() string {
	return "base64:" + base64.StdEncoding.EncodeToString(session.NewSecret())
}

// Create writes a new secret to a file for its owner alone. A file that is there stays as it is.
func Create(path string) error {
	err := newfile.Write(path, New()+"\n", 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already, and stays as it is; coatcheck key rotate puts a new secret into it",
			path)
	}
	if err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// Rotate puts a new secret in front of those of the file, and says how many there are then. keep is how many old ones
// stay; negative: all. The file is replaced in one step, so that no reader meets half of it, and keeps its owner, group
// and mode.
func Rotate(path string, keep int) (int, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(target)
	if err != nil {
		return 0, err
	}
	if _, err := session.ParseSecrets(string(text)); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	old := strings.Split(strings.TrimSpace(string(text)), ",")
	if keep >= 0 && keep < len(old) {
		old = old[:keep]
	}
	list := append([]string{New()}, old...)
	return len(list), replace(target, strings.Join(list, ",")+"\n")
}

// replace leaves the file with the owner, group and mode that it had, but for the rights that a site refuses: a site
// may read it as another user, or through its group.
func replace(path, text string) error {
	was, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	if err = giveTo(f, was); err != nil {
		err = fmt.Errorf("the new file cannot have the owner and group of the old one; run this as its owner or as "+
			"root: %w", err)
	}
	if err == nil {
		_, err = f.WriteString(text)
	}
	const refused = 0o027 // by a site: others may not read its secrets, nor the group write them
	err = errors.Join(err, f.Chmod(was.Mode().Perm()&^refused), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder puts the names of a folder on the disk: a secret that is lost signs everybody out.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" { // which cannot sync a folder
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
