package atomicfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// Write replaces the file, or creates it. Whoever reads it meanwhile gets the old bytes or the new ones. With durable
// they are on the disk when Write returns; without, a power failure may leave the old ones, none, or some of the new
// ones. When the context ends before the moment of replacement, nothing has changed.
//
// The temporary file has a name that follows from the name of the file: the lock that the caller holds makes it
// ours alone, and what a crash leaves behind is overwritten by the next writer.
func (d *Dir) Write(ctx context.Context, name string, data []byte, durable bool) error {
	d.mu.RLock() // lest Close come between two steps
	defer d.mu.RUnlock()
	temp := name + tempTail
	if err := d.writeTemp(temp, data, durable); err != nil {
		return err
	}
	err := ctx.Err()
	if err == nil {
		err = whileHeld(ctx, func() error { return d.root.Rename(temp, name) })
	}
	if err != nil {
		return errors.Join(d.wrap("write", name, err), d.Remove(temp))
	}
	if !durable {
		return nil
	}
	return d.Sync()
}

// IsTemp reports whether it is the name of a temporary file. Whoever holds the lock of the folder knows that a file of
// such a name is abandoned, because writers hold it, too.
func IsTemp(name string) bool { return strings.HasSuffix(name, tempTail) }

func (d *Dir) writeTemp(temp string, data []byte, durable bool) error {
	f, err := d.create(temp)
	if errors.Is(err, fs.ErrExist) {
		// It is removed, not opened: it may be a link that somebody placed there.
		if err = d.Remove(temp); err != nil {
			return err
		}
		f, err = d.create(temp)
	}
	if err != nil {
		return err
	}
	if err := fill(f, data, durable); err != nil {
		return errors.Join(d.wrap("write", temp, err), d.Remove(temp))
	}
	return nil
}

func fill(f *os.File, data []byte, durable bool) error {
	_, err := f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(bare(err), bare(f.Close()))
}

// Update calls fn with the open file, and its size, for a change in place. It never creates one.
func (d *Dir) Update(name string, fn func(f *os.File, size int64) error) error {
	f, size, err := d.openFile(name)
	if err != nil {
		return err
	}
	err = fn(f, size)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return d.wrap("update", name, err)
	}
	return nil
}

// Mark makes an empty file, unless there is one, and puts its name on the disk.
func (d *Dir) Mark(name string) error {
	f, err := d.create(name)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.Sync()
}

// create makes a file that was not there, for the owner alone whatever the umask is.
func (d *Dir) create(name string) (*os.File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, d.wrap("create", name, d.missing(err))
	}
	if err := f.Chmod(fileMode); err != nil {
		return nil, errors.Join(d.wrap("chmod", name, err), f.Close(), d.Remove(name))
	}
	return f, nil
}
