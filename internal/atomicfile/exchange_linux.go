package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// renameat2 is the number of the system call, which package syscall has for some processors only. Elsewhere files are
// replaced without keeping the old one.
var renameat2 = map[string]uintptr{
	"amd64": 316, "arm64": 276, "loong64": 276, "riscv64": 276, "ppc64le": 357, "s390x": 347,
}[runtime.GOARCH]

const renameExchange = 2

// exchange gives two files each other's name, in one step. Where that cannot be done, or there is no file of the second
// name, the first one takes it.
func (d *Dir) exchange(from, to string) error {
	err := d.swapNames(from, to)
	for _, cannot := range []error{syscall.ENOENT, syscall.EINVAL, syscall.ENOSYS, syscall.ENOTSUP, syscall.EPERM} {
		if errors.Is(err, cannot) {
			return d.root.Rename(from, to)
		}
	}
	return err
}

func (d *Dir) swapNames(from, to string) error {
	if renameat2 == 0 {
		return syscall.ENOSYS
	}
	a, err := syscall.BytePtrFromString(from)
	if err != nil {
		return err
	}
	b, err := syscall.BytePtrFromString(to)
	if err != nil {
		return err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return fs.ErrClosed
	}
	folder := d.self.Fd()
	_, err = retry(func() (int, error) {
		_, _, no := syscall.Syscall6(renameat2, folder, uintptr(unsafe.Pointer(a)), folder, uintptr(unsafe.Pointer(b)),
			renameExchange, 0)
		if no != 0 {
			return 0, no
		}
		return 0, nil
	})
	return err
}

// unchanged reports whether it is the same file, and has neither been written nor renamed since.
func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && stat(a).Ctim == stat(b).Ctim && a.Size() == b.Size()
}

// syncData waits until the disk has the bytes, and what is needed to find them; when they were written is not.
func syncData(f *os.File) error {
	_, err := retry(func() (int, error) { return 0, syscall.Fdatasync(int(f.Fd())) })
	return err
}
