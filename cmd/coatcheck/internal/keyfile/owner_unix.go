//go:build unix

package keyfile

import (
	"io/fs"
	"os"
	"syscall"
)

// giveTo gives a file to the owner and the group of another one.
func giveTo(f *os.File, like fs.FileInfo) error {
	of := like.Sys().(*syscall.Stat_t)
	return f.Chown(int(of.Uid), int(of.Gid))
}
