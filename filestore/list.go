package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/atomicfile"
)

// Page returns records in the order of their file names, without their data. It leaves out what cannot be read.
func (s *Store) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	var from key // no id has this one
	if after != "" {
		from = keyOf(after)
	}
	var recs []*session.Record
	err := ctx.Err()
	for i := int(from.shelf()); i < shelfCount && len(recs) < limit && err == nil; i++ {
		recs, err = s.pageShelf(ctx, byte(i), from, recs, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("filestore: list: %w", err)
	}
	return recs, nil
}

// pageShelf appends to recs until there are limit.
func (s *Store) pageShelf(
	ctx context.Context, shelf byte, from key, recs []*session.Record, limit int,
) ([]*session.Record, error) {
	names, err := s.list(shelf)
	if err != nil {
		return nil, err
	}
	for _, key := range names.keys {
		if len(recs) >= limit {
			break
		}
		if key.compare(from) <= 0 {
			continue
		}
		rec, err := s.head(ctx, key)
		if err := ignoreGone(err); err != nil {
			return nil, err
		}
		if rec != nil {
			recs = append(recs, rec)
		}
	}
	return recs, nil
}

func (k key) compare(o key) int { return bytes.Compare(k[:], o[:]) }

// listing is what there is in a shelf.
type listing struct {
	keys  []key    // in order
	temps []string // files that a writer has not finished yet, or never will
}

func (s *Store) list(shelf byte) (listing, error) {
	var l listing
	dir, err := s.shelf(shelf, false)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	names, err := dir.Names()
	for _, name := range names {
		if key, ok := parseKey(name, shelf); ok {
			l.keys = append(l.keys, key)
		} else if atomicfile.IsTemp(name) {
			l.temps = append(l.temps, name)
		}
	}
	return l, err
}
