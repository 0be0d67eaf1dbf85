//go:build !linux

package atomicfile

import (
	"io/fs"
	"os"
)

// exchange keeps no file here.
func (d *Dir) exchange(from, to string) error { return d.root.Rename(from, to) }

func unchanged(a, b fs.FileInfo) bool { return false }

func syncData(f *os.File) error { return f.Sync() }
