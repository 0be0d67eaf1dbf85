package shop

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/coatcheck/session"
)

// secretName is the file, beside the sessions, with the secrets as [session.ParseSecrets] reads them.
const secretName = "secret"

// keepSecret reads the secrets of the file, and makes one when there is none.
func keepSecret(path string) ([]session.Secret, error) {
	secrets, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secrets, err
	}
	if err := makeSecret(path); err != nil {
		return nil, fmt.Errorf("--data: make the secret %s: %w", path, err)
	}
	return readSecret(path) // maybe another's, who was faster
}

func readSecret(path string) ([]session.Secret, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("--data: read the secret: %w", err)
	}
	if err := checkSecretFile(path, info.Mode()); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--data: read the secret: %w", err)
	}
	secrets, err := session.ParseSecrets(string(text))
	if err != nil {
		return nil, fmt.Errorf("--data: read the secret %s: %w; put the file back, or remove it to sign everybody out",
			path, err)
	}
	return secrets, nil
}

func checkSecretFile(path string, mode fs.FileMode) error {
	switch {
	case !mode.IsRegular():
		return fmt.Errorf("--data: the secret %s is not a regular file; remove it to sign everybody out and "+
			"start again",
			path)
	case runtime.GOOS != "windows" && mode.Perm()&0o077 != 0: // Windows has no such modes
		return fmt.Errorf("--data: the secret %s has mode %04o: others can read it, and forge tickets with it; "+
			"remove it to sign everybody out, or run chmod 600 %s when you are sure that nobody did", path, mode.Perm(),
			path)
	}
	return nil
}

// makeSecret makes the file whole or not at all. Of several starts at once one makes it: a link never replaces a file.
func makeSecret(path string) error {
	temp, err := writeSecret(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = os.Link(temp, path)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(temp), syncFolder(filepath.Dir(path)))
}

// writeSecret writes a new secret to a temporary file, for its owner alone.
func writeSecret(dir string) (temp string, err error) {
	f, err := os.CreateTemp(dir, "."+secretName+"-*") // exclusive, and mode 0600
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintln(f, "base64:"+base64.StdEncoding.EncodeToString(session.NewSecret()))
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// syncFolder puts the names of a folder on the disk: a secret that is lost signs everybody out.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" { // which cannot sync a folder
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
