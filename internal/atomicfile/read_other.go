//go:build !linux

package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Read returns the first bytes of the file, at most most of them, and its size.
func (d *Dir) Read(name string, most int64) (data []byte, size int64, err error) {
	f, size, err := d.open(name, os.O_RDONLY)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	data = make([]byte, min(size, most))
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, d.wrap("read", name, err)
	}
	return data[:n], size, nil // shorter than it was a moment ago: the caller sees that by the length
}

// openFile opens the file for reading and writing. It never creates one.
func (d *Dir) openFile(name string) (f *os.File, size int64, err error) {
	return d.open(name, os.O_RDWR)
}

// open looks at what the name stands for, opens it, and sees that it got what it had looked at: a Root follows links
// that stay inside. A writer may put a new file in place between the two looks; then it looks again.
func (d *Dir) open(name string, mode int) (*os.File, int64, error) {
	const attempts = 100
	for range attempts {
		f, size, err := d.openOnce(name, mode)
		if err != nil {
			return nil, 0, d.wrap("open", name, err)
		}
		if f != nil {
			return f, size, nil
		}
	}
	return nil, 0, d.wrap("open", name, ErrForeign)
}

// openOnce returns no file and no error when the file changed under its hands.
func (d *Dir) openOnce(name string, mode int) (*os.File, int64, error) {
	seen, err := d.root.Lstat(name)
	if err != nil {
		return nil, 0, d.missing(err)
	}
	if !seen.Mode().IsRegular() {
		return nil, 0, ErrForeign
	}
	f, err := d.root.OpenFile(name, mode|nonblock, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	fi, err := f.Stat()
	switch {
	case err != nil:
	case !os.SameFile(seen, fi):
		return nil, 0, f.Close()
	case ownerOf(fi) != d.owner:
		err = ErrForeign
	case links(f, fi) > 1: // without a link it was removed just now, and is read as it was
		err = ErrLinked
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, fi.Size(), nil
}
