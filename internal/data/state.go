package data

import (
	"iter"
	"strings"

	"github.com/coatcheck/session/internal/envelope"
)

// State is the data of a session: the entries of its record, which stay encoded, and over them what was changed since.
type State struct {
	envelope.Header
	Deadline int64 // in microseconds since 1970, 0: none

	entries envelope.Entries
	found   map[string][]byte // of entries, when many of them were looked for
	finds   int
	over    changes
	trees   map[string]*opened // values that are decoded; no clone has the same ones
	flashAt *trie[flash]       // the flash data
	shared  bool               // a clone has the same changes and flash data: copy them before a change
	cleared bool               // entries do not count any more

	limit      int   // what the size must not grow above; 0: no limit
	used       int   // about how large it is when a commit is over
	sure       bool  // used was counted, and nothing changed since
	unsure     bool  // used says nothing
	flashBytes int   // what flashSize was of what is stored
	above      error // it is larger than the limit
}

// NewState is the state of a parsed envelope. Flash data with a number up to flashUpTo is of earlier requests.
func NewState(h envelope.Header, entries envelope.Entries, flashUpTo uint64) State {
	st := State{Header: h, entries: entries}
	for _, m := range h.Flashes {
		if p, err := ParseConstant(m.Path); err == nil {
			st.flash(p, flash{seq: m.Seq, old: m.Seq <= flashUpTo}, m.Made)
			st.flashBytes += len(m.Path)
		}
	}
	st.Deadline = deadlineIn(entries)
	st.Flashes, st.used = nil, len(entries)+st.flashBytes
	return st
}

// clone shares everything until one of the two is changed. On an error something in it is not encoded, and it is not to
// be stored.
func (st *State) clone(c Codec) (State, error) {
	err := st.flush(c)
	st.shared = true
	w := *st
	w.trees = nil
	return w, err
}

// own makes copies of what a clone shares.
func (st *State) own() {
	if st.shared {
		st.over, st.flashAt, st.shared = st.over.clone(), st.flashAt.clone(), false
	}
}

// stored returns the encoded value of a key as it is without what was changed in its tree since.
func (st *State) stored(key string) ([]byte, bool) {
	if i := st.over.find(key); i >= 0 {
		raw := st.over.list[i].raw
		return raw, raw != nil
	}
	if st.cleared {
		return nil, false
	}
	if st.found == nil {
		if st.finds++; st.finds < manyFinds {
			return st.entries.Find(key)
		}
		st.found = st.indexed()
	}
	raw, ok := st.found[key]
	return raw, ok
}

// manyFinds is after how many searches through all entries an index costs less.
const manyFinds = 16

func (st *State) indexed() map[string][]byte {
	found := map[string][]byte{}
	for k, v := range st.entries.All() {
		if _, ok := found[string(k)]; !ok {
			found[string(k)] = v
		}
	}
	return found
}

func (st *State) put(key string, raw []byte) {
	st.own()
	delete(st.trees, key)
	st.over.put(key, raw)
}

// kept goes through the entries that still count.
func (st *State) kept() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, raw []byte) bool) {
		if st.cleared {
			return
		}
		for k, v := range st.entries.All() {
			if st.over.find(string(k)) < 0 && !yield(k, v) {
				return
			}
		}
	}
}

// changed goes through the keys that were set, in the order of their first change.
func (st *State) changed() iter.Seq2[string, []byte] {
	return func(yield func(key string, raw []byte) bool) {
		for _, c := range st.over.list {
			if c.raw != nil && !yield(c.key, c.raw) {
				return
			}
		}
	}
}

// Each calls fn with every key of the application that has a value. What was changed must be encoded already.
func (st *State) Each(fn func(key string, raw []byte)) {
	st.each(func(key string, raw []byte) {
		if !isOwn(key) {
			fn(key, raw)
		}
	})
}

// each calls fn with every key that has a value. What was changed is encoded already.
func (st *State) each(fn func(key string, raw []byte)) {
	for k, v := range st.kept() {
		fn(string(k), v)
	}
	for k, v := range st.changed() {
		fn(k, v)
	}
}

// isOwn reports whether a key is the library's bookkeeping, which All does not show and Clear does not remove.
func isOwn(key string) bool { return strings.HasPrefix(key, envelope.OwnPrefix) }

// clear removes all data but the library's own, of which flash data are the application's.
func (st *State) clear(c Codec) error {
	if err := st.flush(c); err != nil {
		return err
	}
	var kept changes
	st.each(func(key string, raw []byte) {
		if isOwn(key) && st.flashAt.at(Path{key: key}).empty() {
			kept.put(key, raw)
		}
	})
	st.over, st.flashAt, st.trees, st.shared, st.cleared, st.unsure = kept, nil, nil, false, true, false
	st.used = st.Size()
	return nil
}

// Empty reports whether nothing is kept, neither of the application nor of the library. A deadline of nothing is
// nothing.
func (st *State) Empty() bool {
	for k := range st.kept() {
		if string(k) != deadlineKey {
			return false
		}
	}
	for k := range st.changed() {
		if k != deadlineKey {
			return false
		}
	}
	return true
}

// Size is the length of all keys and values, and of the paths of flash data.
func (st *State) Size() int {
	n := st.flashSize()
	for k, v := range st.kept() {
		n += len(k) + len(v)
	}
	for k, v := range st.changed() {
		n += len(k) + len(v)
	}
	return n
}

// Room is how many bytes Append appends.
func (st *State) Room() int {
	h := st.header()
	n := h.Size()
	for k, v := range st.kept() {
		n += envelope.EntrySize(len(k), len(v))
	}
	for k, v := range st.changed() {
		n += envelope.EntrySize(len(k), len(v))
	}
	return n
}

// allowed is how large the state may become: one that is above a limit that was lowered may not grow.
func (st *State) allowed(limit int) int {
	if len(st.entries)+st.flashBytes <= limit {
		return limit
	}
	n := st.flashBytes
	for k, v := range st.entries.All() {
		n += len(k) + len(v)
	}
	return max(limit, n)
}

// room is asked before a change at a path. It counts when the state seems to grow above its limit. One change may do
// so, for another can make room again before the commit; who goes on to make it larger is refused.
func (st *State) room(c Codec, p Path, more int) error {
	if st.limit == 0 || more <= 0 {
		return nil
	}
	if !st.sure && (st.unsure || st.used+more > st.limit) {
		if err := st.count(c); err != nil {
			return err
		}
	}
	if st.used+more <= st.limit {
		return nil
	}
	err := &SizeError{Path: p.String(), More: more, Size: st.used + more, Limit: st.limit}
	if st.above != nil {
		return err
	}
	st.above = err
	return nil
}

// Above is why the state is too large to be stored as it is, nil when it is not.
func (st *State) Above() error { return st.above }

// count finds out how large the state will be when a commit is over.
func (st *State) count(c Codec) error {
	w, err := st.clone(c)
	if err != nil {
		return err
	}
	w.age(c)
	if err := w.flush(c); err != nil {
		return err
	}
	st.used, st.sure, st.unsure = w.Size(), true, false
	return nil
}

// Finish makes the state ready to be stored: it removes the flash data of earlier requests, which it returns, encodes
// what was changed, and checks the size.
func (st *State) Finish(r Rules) ([]Shadow, error) {
	aged := st.age(r.Codec)
	if err := st.flush(r.Codec); err != nil {
		return nil, err
	}
	size := st.Size()
	switch {
	case size <= st.allowed(r.MaxBytes):
		return aged, nil
	case st.above != nil:
		return nil, st.above
	}
	return nil, &SizeError{Size: size, Limit: r.MaxBytes}
}

// Append appends the envelope of the state, in which everything is encoded already.
func (st *State) Append(dst []byte) []byte {
	h := st.header()
	dst = h.Append(dst)
	for k, v := range st.kept() {
		dst = envelope.AppendEntry(dst, k, v)
	}
	for k, v := range st.changed() {
		dst = envelope.AppendEntry(dst, k, v)
	}
	return dst
}

// header is the header of the envelope.
func (st *State) header() envelope.Header {
	h := st.Header
	h.Flashes = st.listed()
	return h
}
