//go:build !unix && !windows

package atomicfile

import (
	"io/fs"
	"os"
)

// Here a folder cannot be locked, so that nothing is ever written to one. These let the package compile.

const nonblock = 0

func ownerOf(fs.FileInfo) int { return 0 }

func private(fs.FileInfo) bool { return true }

func links(*os.File, fs.FileInfo) uint64 { return 1 }

func detached(fs.FileInfo) bool { return false }

func syncDir(d *os.File) error { return d.Sync() }
