// Package atomicfile keeps files in a folder that nobody else may write: a file is replaced whole or not at all, is
// opened only when it is a plain file of our own, and a folder has a lock that holds between goroutines and processes.
//
// The names given to it are single names, not paths; they come from the program, never from a client. Everything goes
// through an [os.Root], so that even a wrong name leads to nothing outside.
package atomicfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
	tempTail = ".tmp"
	lockName = "lock"
)

// Errors that callers tell apart. What is absent gives an error that wraps [fs.ErrNotExist], what was closed one that
// wraps [fs.ErrClosed].
var (
	// ErrForeign is returned for what is not a plain file of ours: a link, a folder, a device, somebody else's file.
	ErrForeign = errors.New("not a plain file of the owner of its folder")

	// ErrLinked is returned for a plain file of ours that has a second name, where others may write it. It is ours
	// again when that name is gone.
	ErrLinked = errors.New("the file has a second name, as after cp -l: remove the copy, and copy bytes instead")

	// ErrExposed is returned for a folder that others own or may write.
	ErrExposed = errors.New("others may change this folder: it must be owned by this user, " +
		"with no write permission for group and others")

	// ErrDetached is returned when the folder was removed while it was open. What was in it is not merely absent.
	ErrDetached = errors.New("the folder was removed or replaced while it was in use: put it back, or " +
		"restart the program, which then uses the one that is there")
)

// Dir is an open folder. All methods may be called from many goroutines; those that change a file want the caller to
// hold the lock of the folder. Close it after use.
type Dir struct {
	root  *os.Root
	self  *os.File // the folder itself, for syncing it
	rel   string   // path below the topmost folder, "" for that one
	owner int      // who owns the folder, and must own its files
	busy  chan struct{}

	mu     sync.RWMutex // guards closed, and the life of the descriptors where a call uses them more than once
	closed bool
}

// Open opens the folder and makes it when there is none, with the folders above it.
func Open(name string) (*Dir, error) {
	if err := makeDir(name); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return newDir(root, "", nil)
}

func makeDir(name string) error {
	parent := filepath.Dir(filepath.Clean(name))
	if err := os.MkdirAll(parent, dirMode); err != nil {
		return err
	}
	err := os.Mkdir(name, dirMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		err = os.Chmod(name, dirMode) // a umask takes away what it likes
	}
	if err != nil {
		return err
	}
	// Nothing is lost yet when this fails, and a parent that may not be read is no reason to refuse its child.
	if d, err := os.Open(parent); err == nil {
		_ = syncDir(d)
		_ = d.Close()
	}
	return nil
}

// newDir takes over root, also when it fails. Other than nil, want is what the caller saw under the name before.
func newDir(root *os.Root, rel string, want fs.FileInfo) (*Dir, error) {
	self, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	d := &Dir{root: root, self: self, rel: rel, busy: make(chan struct{}, 1)}
	if err := d.inspect(want); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Dir) inspect(want fs.FileInfo) error {
	fi, err := d.self.Stat()
	if err != nil {
		return d.wrap("stat", "", err)
	}
	if want != nil && !os.SameFile(want, fi) {
		return d.wrap("open", "", ErrForeign)
	}
	if !private(fi) {
		return d.wrap("open", "", ErrExposed)
	}
	d.owner = ownerOf(fi)
	return nil
}

// Sub opens a folder in d. With create it is made when it is absent, and is there to stay when Sub returns.
func (d *Dir) Sub(name string, create bool) (*Dir, error) {
	if create {
		if err := d.mkdir(name); err != nil {
			return nil, err
		}
	}
	// A Root follows links that stay inside it. What Lstat saw is not a link, and newDir sees that it is what was
	// opened.
	fi, err := d.root.Lstat(name)
	if err != nil {
		return nil, d.wrap("open", name, d.missing(err))
	}
	if !fi.IsDir() {
		return nil, d.wrap("open", name, ErrForeign)
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, d.wrap("open", name, err)
	}
	return newDir(root, path.Join(d.rel, name), fi)
}

func (d *Dir) mkdir(name string) error {
	err := d.root.Mkdir(name, dirMode)
	if err == nil {
		err = d.root.Chmod(name, dirMode)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return d.wrap("make", name, d.missing(err))
	}
	// Also when it was there: whoever made it may not have come to this line yet.
	return d.Sync()
}

// Names returns the names in the folder in order, those of temporary files too, but not that of the lock.
func (d *Dir) Names() ([]string, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, d.wrap("list", "", err)
	}
	defer func() { _ = f.Close() }()
	names, err := f.Readdirnames(-1)
	if err == nil && len(names) == 0 {
		err = d.attached()
	}
	if err != nil {
		return nil, d.wrap("list", "", d.missing(err))
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == lockName }), nil
}

// Exists says whether there is anything of that name.
func (d *Dir) Exists(name string) (bool, error) {
	_, err := d.root.Lstat(name)
	if err == nil {
		return true, nil
	}
	if err = d.missing(err); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return false, d.wrap("stat", name, err)
}

// Stat says what has that name.
func (d *Dir) Stat(name string) (fs.FileInfo, error) {
	fi, err := d.root.Lstat(name)
	if err != nil {
		return nil, d.wrap("stat", name, d.missing(err))
	}
	return fi, nil
}

// Remove removes the file, or whatever else has that name, unless it is a folder with something in it. It is no error
// when there is nothing.
func (d *Dir) Remove(name string) error {
	err := whileHeld(context.Background(), func() error { return d.root.Remove(name) })
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return d.wrap("remove", name, err)
}

// RemoveIn is Remove for a file in a folder in d, which is not opened for longer than that, and not looked at.
func (d *Dir) RemoveIn(folder, name string) error { return d.Remove(folder + "/" + name) }

// Sync writes to the disk which names the folder has. Until then a power failure may undo a new or removed file.
func (d *Dir) Sync() error {
	if err := syncDir(d.self); err != nil {
		return d.wrap("sync", "", err)
	}
	return nil
}

// Close releases the folder. What is called afterwards fails. Calls under way end as they would have.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return errors.Join(d.self.Close(), d.root.Close())
}

// missing turns the absence of a file into an error of another kind when the whole folder is gone.
func (d *Dir) missing(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return cmp.Or(d.attached(), err)
}

func (d *Dir) attached() error {
	fi, err := d.self.Stat()
	if err == nil && detached(fi) {
		err = ErrDetached
	}
	return err
}

// wrap names the path below the topmost folder. The os package names whole paths, which are nobody's business.
func (d *Dir) wrap(op, name string, err error) error {
	return fmt.Errorf("%s %s: %w", op, path.Join(".", d.rel, name), bare(err))
}

// bare returns what the os package wrapped together with a path.
func bare(err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		return pathErr.Err
	case errors.As(err, &linkErr):
		return linkErr.Err
	}
	return err
}
