package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

const nonblock = 0 // pipes have no names in folders here

func ownerOf(fs.FileInfo) int { return 0 }

// private trusts the access list that the folder inherits: there are no mode bits to look at.
func private(fs.FileInfo) bool { return true }

func links(f *os.File, _ fs.FileInfo) uint64 {
	var info syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(f.Fd()), &info); err != nil {
		return 0 // not known, as when it was removed
	}
	return uint64(info.NumberOfLinks)
}

// detached is always false: an open folder cannot be removed.
func detached(fs.FileInfo) bool { return false }

// syncDir has nothing to do: NTFS writes names to its journal, and a folder cannot be flushed.
func syncDir(d *os.File) error {
	if d.Fd() == uintptr(syscall.InvalidHandle) {
		return fs.ErrClosed
	}
	return nil
}
