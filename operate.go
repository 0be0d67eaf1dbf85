package session

import (
	"cmp"
	"slices"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/life"
)

// Content is a value in a record, as [Manager.Contents] finds it.
type Content struct {
	Key   string
	Size  int   // of the encoded value, in bytes
	Value any   // as Session.Get returns it
	Err   error // it does not decode; the error does not contain it
}

// Contents opens a live record that a store has loaded, and returns what it holds, sorted by key and without the
// library's own keys. stale says that an older secret made the record, or that it is sealed and the options do not ask
// for that, or the other way round. It is for tools that operate a site: a session is opened by its ticket. The error
// wraps ErrCorrupt when the record does not open with the secrets of this manager, or ErrNotSupported when its store
// keeps no records.
func (m *Manager) Contents(rec *Record) (list []Content, stale bool, err error) {
	st, stale, err := m.keeper.Contents((*life.Record)(rec))
	if err != nil {
		return nil, false, err
	}
	st.Each(func(key string, raw []byte) {
		c := Content{Key: key, Size: len(raw)}
		if c.Value, err = data.Value(m.opts.Codec, raw); err != nil {
			c.Err = &DecodeError{Path: Path(key), Err: err}
		}
		list = append(list, c)
	})
	slices.SortFunc(list, func(a, b Content) int { return cmp.Compare(a.Key, b.Key) })
	return list, stale, nil
}

// Reseal returns a copy of a record as a store is to keep it behind the version given, 0 for one that is not there yet:
// signed or sealed anew with this manager's newest secret. Nothing else changes, so that the ticket of the session
// still opens it. It is for tools that move records between stores, or retire a secret. The errors are those of
// Contents.
func (m *Manager) Reseal(rec *Record, version uint64) (*Record, error) {
	out, err := m.keeper.Reseal((*life.Record)(rec), version)
	return (*Record)(out), err
}
