package atomicfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// spareName is the file that the last Swap replaced.
const spareName = "spare"

// Swap is Write for a file whose old bytes may stay for a while. Where the system can exchange two files, it keeps the
// one that it replaces, and the next Swap in the folder writes over that: to make a file, and to free another, takes a
// file system longer than to write a small one. [Dir.DropSpare] removes what is kept. The caller has seen that what has
// the name is a file, if there is any.
//
// Whoever has a file open during two Swaps may read some of the old bytes and some of the new ones. Readers have to
// notice, and to read again under the lock of the folder.
func (d *Dir) Swap(ctx context.Context, name string, data []byte, durable bool) error {
	f, size, err := d.openSpare(durable)
	if err != nil {
		return err
	}
	if err := overwrite(f, size, data, durable); err != nil {
		return errors.Join(d.wrap("write", spareName, err), d.Remove(spareName))
	}
	if err := d.place(ctx, spareName, name, d.exchange, durable); err != nil || !durable {
		return err
	}
	d.settled, _ = d.root.Lstat(spareName) // nil when there is none
	return nil
}

// DropSpare removes the file that the last Swap replaced.
func (d *Dir) DropSpare() error { return d.Remove(spareName) }

// openSpare opens the file that the last Swap replaced, or makes one.
//
// A file must not be written over before it is on the disk that another one took its place, or a power failure would
// bring it back with the new bytes. Usually this Dir has waited for that. What it knows nothing of may come from a
// process that was killed before it could. Where nobody waits for the disk the file is emptied first: a journal keeps
// the order of such changes.
func (d *Dir) openSpare(durable bool) (f *os.File, size int64, err error) {
	f, size, err = d.openFile(spareName)
	if errors.Is(err, ErrForeign) {
		if err = d.Remove(spareName); err == nil {
			err = fs.ErrNotExist
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		f, err = d.create(spareName)
		return f, 0, err
	}
	if err != nil {
		return nil, 0, err
	}
	if !durable {
		size, err = 0, f.Truncate(0)
	} else if fi, statErr := f.Stat(); !d.isSettled(fi) {
		err = errors.Join(statErr, d.Sync())
	}
	if err != nil {
		return nil, 0, errors.Join(d.wrap("write", spareName, err), f.Close())
	}
	return f, size, nil
}

// isSettled reports whether it is the spare that this Dir has put aside, and is on the disk under that name.
func (d *Dir) isSettled(spare fs.FileInfo) bool {
	return d.settled != nil && spare != nil && unchanged(d.settled, spare)
}

// overwrite makes the data all that is in a file of that size.
func overwrite(f *os.File, size int64, data []byte, durable bool) error {
	_, err := f.Write(data)
	if err == nil && size > int64(len(data)) {
		err = f.Truncate(int64(len(data)))
	}
	if err == nil && durable {
		err = syncData(f)
	}
	return errors.Join(bare(err), bare(f.Close()))
}
