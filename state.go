package session

import (
	"fmt"
	"iter"
	"strings"

	"github.com/coatcheck/session/internal/envelope"
)

// state is the data of a session: the entries of its record, which stay encoded, and over them what was changed since.
type state struct {
	envelope.Header
	entries envelope.Entries
	found   map[string][]byte // of entries, when many of them were looked for
	finds   int
	over    changes
	trees   map[string]*opened // values that are decoded; no clone has the same ones
	marks   *trie[mark]        // the flash data
	shared  bool               // a clone has the same changes and marks: copy them before a change
	cleared bool               // entries do not count any more

	limit  int   // what the size must not grow above; 0: no limit
	used   int   // about how large it is when a commit is over
	sure   bool  // used was counted, and nothing changed since
	unsure bool  // used says nothing
	marked int   // what markSize was of what is stored
	above  error // it is larger than the limit
}

// newState is the state of a parsed envelope. Flash data with a number up to seen is of earlier requests.
func newState(h envelope.Header, entries envelope.Entries, seen uint64) state {
	st := state{Header: h, entries: entries}
	for _, m := range h.Marks {
		if p, err := parsePath(m.Path); err == nil {
			st.mark(p, mark{seq: m.Seq, old: m.Seq <= seen}, m.Made)
			st.marked += len(m.Path)
		}
	}
	st.Marks, st.used = nil, len(entries)+st.marked
	return st
}

// clone shares everything until one of the two is changed. On an error something in it is not encoded, and it is not to be stored.
func (st *state) clone(c Codec) (state, error) {
	err := st.flush(c)
	st.shared = true
	w := *st
	w.trees = nil
	return w, err
}

// own makes copies of what a clone shares.
func (st *state) own() {
	if st.shared {
		st.over, st.marks, st.shared = st.over.clone(), st.marks.clone(), false
	}
}

// stored returns the encoded value of a key as it is without what was changed in its tree since.
func (st *state) stored(key string) ([]byte, bool) {
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

func (st *state) indexed() map[string][]byte {
	found := map[string][]byte{}
	for k, v := range st.entries.All() {
		if _, ok := found[string(k)]; !ok {
			found[string(k)] = v
		}
	}
	return found
}

func (st *state) put(key string, raw []byte) {
	st.own()
	delete(st.trees, key)
	st.over.put(key, raw)
}

// kept goes through the entries that still count.
func (st *state) kept() iter.Seq2[[]byte, []byte] {
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
func (st *state) changed() iter.Seq2[string, []byte] {
	return func(yield func(key string, raw []byte) bool) {
		for _, c := range st.over.list {
			if c.raw != nil && !yield(c.key, c.raw) {
				return
			}
		}
	}
}

// each calls fn with every key that has a value. What was changed is encoded already.
func (st *state) each(fn func(key string, raw []byte)) {
	for k, v := range st.kept() {
		fn(string(k), v)
	}
	for k, v := range st.changed() {
		fn(k, v)
	}
}

// isOwn reports whether a key is the library's bookkeeping, which All does not show and Clear does not remove.
func isOwn(key string) bool { return strings.HasPrefix(key, envelope.OwnPrefix) }

// clear removes all data but the library's own.
func (st *state) clear(c Codec) error {
	if err := st.flush(c); err != nil {
		return err
	}
	var kept changes
	st.each(func(key string, raw []byte) {
		if isOwn(key) {
			kept.put(key, raw)
		}
	})
	st.over, st.marks, st.trees, st.shared, st.cleared, st.unsure = kept, nil, nil, false, true, false
	st.used = st.size()
	return nil
}

func (st *state) empty() bool {
	for range st.kept() {
		return false
	}
	for range st.changed() {
		return false
	}
	return true
}

// size is the length of all keys and values, and of the paths of flash data.
func (st *state) size() int {
	n := st.markSize()
	for k, v := range st.kept() {
		n += len(k) + len(v)
	}
	for k, v := range st.changed() {
		n += len(k) + len(v)
	}
	return n
}

// allowed is how large the state may become: one that is above a limit that was lowered may not grow.
func (st *state) allowed(limit int) int {
	if len(st.entries)+st.marked <= limit {
		return limit
	}
	n := st.marked
	for k, v := range st.entries.All() {
		n += len(k) + len(v)
	}
	return max(limit, n)
}

// room is asked before a change at a path. It counts when the state seems to grow above its limit. One change may do so, for another
// can make room again before the commit; who goes on to make it larger is refused.
func (st *state) room(c Codec, p path, more int) error {
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
	err := fmt.Errorf("%w: with %d bytes more at %q the session has %d bytes of data, Options.MaxBytes allows %d",
		ErrTooLarge, more, shown(p.String()), st.used+more, st.limit)
	if st.above != nil {
		return err
	}
	st.above = err
	return nil
}

// count finds out how large the state will be when a commit is over.
func (st *state) count(c Codec) error {
	w, err := st.clone(c)
	if err != nil {
		return err
	}
	w.age(c)
	if err := w.flush(c); err != nil {
		return err
	}
	st.used, st.sure, st.unsure = w.size(), true, false
	return nil
}

// encode appends the envelope of the state, in which everything is encoded already.
func (st *state) encode(dst []byte) []byte {
	h := st.Header
	h.Marks = st.listed()
	dst = h.Append(dst)
	for k, v := range st.kept() {
		dst = envelope.AppendEntry(dst, k, v)
	}
	for k, v := range st.changed() {
		dst = envelope.AppendEntry(dst, k, v)
	}
	return dst
}
