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
		return fmt.Errorf("%s already exists and was not touched; coatcheck key rotate puts a new secret into it",
			path)
	}
	if err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// Rotate puts a new secret in front of those of the file, and says how many there are then. keep is how many old ones
// stay; negative: all. The file is replaced in one step, so that no reader meets half of it, and keeps its owner, group
// and mode. Of two rotations at once, one fails.
func Rotate(path string, keep int) (int, error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return 0, err
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() { // a pipe would never be read to its end
		return 0, fmt.Errorf("%s is not a regular file", target)
	}
	next, err := begin(target)
	if err != nil {
		return 0, err
	}
	n, err := fill(next, target, keep)
	if err = errors.Join(err, next.Close()); err == nil {
		err = os.Rename(next.Name(), target)
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(next.Name()))
	}
	return n, SyncFolder(filepath.Dir(target))
}

// begin creates the file that is to take the place of another one. Nobody else can until it has done so, or is removed:
// the secret that somebody adds meanwhile would be lost. Its name ends as that of the target does, so that what is told
// to leave out *.secret, such as a repository, leaves out this one too.
func begin(target string) (*os.File, error) {
	base, ext := filepath.Base(target), filepath.Ext(target)
	name := filepath.Join(filepath.Dir(target), "."+strings.TrimSuffix(base, ext)+".next"+ext)
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("another rotation of %s is under way; if there is none, one was killed: remove %s, and "+
			"run this again", target, name)
	}
	return f, err
}

// fill writes a new secret and those of the target, and says how many there are. The file gets the owner, group and
// mode of the target, but for the rights that a site refuses: a site may read it as another user, or through its group.
func fill(f *os.File, target string, keep int) (int, error) {
	was, err := os.Stat(target)
	if err != nil {
		return 0, err
	}
	content, err := os.ReadFile(target)
	if err != nil {
		return 0, err
	}
	text := strings.TrimPrefix(string(content), "\ufeff") // which editors on Windows write
	if _, err := session.ParseSecrets(text); err != nil {
		return 0, fmt.Errorf("%s: %w", target, err)
	}
	old := strings.Split(strings.TrimSpace(text), ",")
	if keep >= 0 && keep < len(old) {
		old = old[:keep]
	}
	list := append([]string{New()}, old...)
	if err := giveTo(f, was); err != nil {
		return 0, fmt.Errorf("the new file cannot have the owner and group of the old one; run this as its owner or "+
			"as root: %w", err)
	}
	const refused = 0o027 // by a site: others may not read its secrets, nor the group write them
	_, err = f.WriteString(strings.Join(list, ",") + "\n")
	return len(list), errors.Join(err, f.Chmod(was.Mode().Perm()&^refused), f.Sync())
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
