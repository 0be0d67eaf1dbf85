//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

const nonblock = syscall.O_NONBLOCK

func stat(fi fs.FileInfo) *syscall.Stat_t { return fi.Sys().(*syscall.Stat_t) }

func ownerOf(fi fs.FileInfo) int { return int(stat(fi).Uid) }

// private reports whether the folder is this user's, and nobody else may make, rename or remove files in it.
func private(fi fs.FileInfo) bool { return fi.Mode()&0o022 == 0 && ownerOf(fi) == os.Geteuid() }

func links(_ *os.File, fi fs.FileInfo) uint64 { return uint64(stat(fi).Nlink) }

// detached reports whether the folder was removed: it has lost even the link to itself.
func detached(fi fs.FileInfo) bool { return stat(fi).Nlink == 0 }

// syncDir takes a refusal for an answer: some network file systems do not know how to sync a folder, and write the
// names at once.
func syncDir(d *os.File) error {
	err := d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
