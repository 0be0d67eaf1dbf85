package filestore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// Options are the choices there are. The zero value is the safe one.
type Options struct {
	// NoSync lets the system decide when a record reaches the disk. A save then does not wait for the disk, except for
	// the entry of a session in the list of its user, which is made once per login. Killing a process still loses
	// nothing. A loss of power may undo the saves, logouts and revocations of the last half minute or so, and a record
	// may be torn: it then gives [session.ErrCorrupt]. Choose it if that does no harm.
	NoSync bool
}

var (
	_ session.Store   = (*Store)(nil)
	_ session.Toucher = (*Store)(nil)
	_ session.Sweeper = (*Store)(nil)
	_ session.Lister  = (*Store)(nil)
	_ session.Limiter = (*Store)(nil)
)

// Store keeps each session in a file. Make one with [New], and call [Store.Close] after use. It may be used from many
// goroutines, and several stores, in one process or in many, may work on one folder.
type Store struct {
	sync    bool
	top     *atomicfile.Dir
	records *atomicfile.Dir
	users   *atomicfile.Dir
	swept   cursor[key]
	looked  cursor[key]
	marks   cursor[string]
	dues    [shelfCount]dueSeen

	// Open folders of records, so that a read opens one file and not three. They are opened when they are first needed,
	// and stay open: at most 512 descriptors.
	shelves [shelfCount]atomic.Pointer[atomicfile.Dir]
	opening sync.Mutex // guards closed, and the filling of shelves
	closed  bool
}

// New opens the folder, and makes it if there is none, so it does I/O. It refuses a folder that belongs to somebody
// else or that others may write to.
func New(dir string, opts Options) (*Store, error) {
	if dir == "" {
		return nil, errors.New("filestore: dir is empty")
	}
	s := &Store{sync: !opts.NoSync}
	if err := s.open(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("filestore: dir %q: %w", dir, err), s.Close())
	}
	return s, nil
}

func (s *Store) open(dir string) (err error) {
	if s.top, err = atomicfile.Open(dir); err != nil {
		return err
	}
	if s.records, err = s.top.Sub("records", true); err != nil {
		return err
	}
	s.users, err = s.top.Sub("users", true)
	return err
}

// Close releases the folder. Later calls fail, with an error that wraps [fs.ErrClosed].
func (s *Store) Close() error {
	s.opening.Lock()
	defer s.opening.Unlock()
	s.closed = true
	open := []*atomicfile.Dir{s.users, s.records, s.top}
	for i := range s.shelves {
		open = append(open, s.shelves[i].Load())
	}
	var errs []error
	for _, dir := range open {
		if dir != nil {
			errs = append(errs, dir.Close())
		}
	}
	return errors.Join(errs...)
}

// Load returns the record, which the caller owns.
func (s *Store) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := s.load(ctx, keyOf(id))
	if err != nil {
		return nil, fmt.Errorf("filestore: load: %w", err)
	}
	return rec, nil
}

func (s *Store) load(ctx context.Context, key key) (*session.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dir, err := s.shelf(key.shelf(), false)
	if err != nil {
		return nil, key.explain(err)
	}
	return read(dir, key)
}

// Save creates or replaces the record.
func (s *Store) Save(ctx context.Context, rec *session.Record) error {
	if rec.ID == "" {
		return errors.New("filestore: save: the id is empty")
	}
	file, err := encode(rec)
	if err != nil {
		return fmt.Errorf("filestore: save: %w", err)
	}
	key := keyOf(rec.ID)
	err = s.locked(ctx, key, rec.Version == 0, func(dir *atomicfile.Dir) error {
		return s.replace(ctx, dir, key, rec, file)
	})
	if err != nil {
		return fmt.Errorf("filestore: save: %w", err)
	}
	return nil
}

// replace puts the record into the list of its user before it appears, and takes it from the list of another one after
// it has left: a crash between the steps lists too much, which ByUser sees, never too little.
func (s *Store) replace(ctx context.Context, dir *atomicfile.Dir, key key, rec *session.Record, file []byte) error {
	old, err := read(dir, key)
	if err := mayReplace(key, old, err, rec.Version); err != nil {
		return err
	}
	was, is := owner(old), owner(rec)
	if is != was {
		if err := s.mark(is, key); err != nil {
			return err
		}
	}
	noteDue(dir, key, old, rec)
	if err := dir.Write(ctx, key.String(), file, s.sync); err != nil {
		return err
	}
	if is != was {
		s.unmark(was, key)
	}
	return nil
}

// mayReplace says whether a record of that version may be saved over what was read.
func mayReplace(key key, old *session.Record, readErr error, version uint64) error {
	switch {
	case version == 0 && isNotFound(readErr):
		return nil
	case readErr != nil:
		return readErr
	case old.Version != version || version == 0:
		return fmt.Errorf("%s: %w", key.path(), &session.ConflictError{Newest: old})
	}
	return nil
}

// Delete removes the record, even one that cannot be read.
func (s *Store) Delete(ctx context.Context, id string) error {
	key := keyOf(id)
	err := s.locked(ctx, key, false, func(dir *atomicfile.Dir) error {
		return s.remove(dir, key)
	})
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("filestore: delete: %w", err)
	}
	return nil
}

func (s *Store) remove(dir *atomicfile.Dir, key key) error {
	// What cannot be read does not say whose it is. Then its mark stays, for a sweep to find.
	old, _ := readHead(dir, key)
	if err := dir.Remove(key.String()); err != nil {
		return err
	}
	if s.sync {
		if err := dir.Sync(); err != nil {
			return err
		}
	}
	s.unmark(owner(old), key)
	return nil
}

// locked calls fn while nobody else, in this or another process, writes to the shelf of the key. Reading a record
// takes no lock, and no lock is held while a handler runs.
func (s *Store) locked(ctx context.Context, key key, create bool, fn func(*atomicfile.Dir) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, err := s.shelf(key.shelf(), create)
	if err != nil {
		return key.explain(err)
	}
	unlock, err := dir.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return fn(dir)
}
