package filestore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
	"github.com/coatcheck/session/internal/leftout"
)

// Page returns records in the order of their file names, without their data. It leaves out a record that is damaged,
// which opens no session. It goes past what the system does not let it read, and then returns the records that it could
// read together with an error.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	var from key // no id has this one
	if after != "" {
		from = keyOf(after)
	}
	p := page{store: s, from: from, limit: limit}
	for i := int(from.shelf()); i < shelfCount && len(p.recs) < limit && ctx.Err() == nil; i++ {
		p.shelf(ctx, byte(i))
	}
	if err := cmp.Or(ctx.Err(), errors.Join(p.failed...)); err != nil {
		return p.recs, fmt.Errorf("filestore: list: %w", err)
	}
	return p.recs, nil
}

// page is a walk through the records.
type page struct {
	store  *Store
	from   key
	limit  int
	recs   []*session.Record
	failed []error // the first few
}

func (p *page) shelf(ctx context.Context, shelf byte) {
	names, err := p.store.list(ctx, shelf)
	if err != nil {
		p.note(err)
		return
	}
	for _, key := range names.keys {
		if len(p.recs) >= p.limit {
			return
		}
		if key.compare(p.from) <= 0 {
			continue
		}
		rec, err := p.store.head(ctx, key)
		if errors.Is(err, session.ErrCorrupt) {
			leftout.Tell(ctx, "", key.path())
		}
		if err := ignoreGone(err); err != nil {
			p.note(err)
		}
		if rec != nil {
			p.recs = append(p.recs, rec)
		}
	}
}

func (p *page) note(err error) {
	const told = 10
	if len(p.failed) < told {
		p.failed = append(p.failed, err)
	}
}

func (k key) compare(o key) int { return bytes.Compare(k[:], o[:]) }

// listing is what there is in a shelf.
type listing struct {
	keys  []key    // in order
	temps []string // files that a writer has not finished yet, or never will
}

func (s *Store) list(ctx context.Context, shelf byte) (listing, error) {
	var l listing
	dir, err := s.shelf(shelf, false)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	names, err := steadyNames(ctx, dir)
	for _, name := range names {
		if key, ok := parseKey(name, shelf); ok {
			l.keys = append(l.keys, key)
		} else if atomicfile.IsTemp(name) {
			l.temps = append(l.temps, name)
		}
	}
	return l, err
}

// steadyNames returns the names in a folder in which nobody writes meanwhile: on tmpfs a file that is replaced while
// its folder is listed may be left out, or be there twice, and no system promises more. Where nobody can lock, as on
// what is read-only, nobody writes either.
func steadyNames(ctx context.Context, dir *atomicfile.Dir) ([]string, error) {
	unlock, err := dir.Lock(ctx)
	switch {
	case err == nil:
		defer unlock()
	case ctx.Err() != nil:
		return nil, err
	}
	return dir.Names()
}
