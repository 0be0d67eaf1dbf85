// Package newfile writes files that were not there before.
package newfile

import (
	"errors"
	"io/fs"
	"os"
)

// Write writes a new file and puts it on the disk. A file that is there stays as it is, and the error wraps
// [fs.ErrExist]. After any other error there is no file: half of one would be taken for the whole.
func Write(path, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
