//go:build unix

package doctor

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// mayWrite refuses a folder of the store file in which nothing can be made or removed. It asks the system and writes
// nothing, so that nothing is left behind.
func mayWrite(folder string) error {
	const write = 2 // W_OK
	for _, below := range []string{"records", "users"} {
		name := filepath.Join(folder, below)
		if err := syscall.Access(name, write); err != nil {
			return &fs.PathError{Op: "write", Path: name, Err: err}
		}
	}
	return nil
}
