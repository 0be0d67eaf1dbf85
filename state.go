package session

import (
	"iter"
	"slices"
	"strings"

	"github.com/coatcheck/session/internal/envelope"
)

// state is the data of a session: the entries of its record, which stay encoded, and over them what was changed since.
type state struct {
	envelope.Header
	entries envelope.Entries
	over    changes
	marks   []mark // the flash data
	shared  bool   // a clone has the same changes and marks: copy them before a change
	cleared bool   // entries do not count any more
}

// mark says that the value at a path is flash data. An old one was set by an earlier request and goes with this one.
type mark struct {
	path path
	seq  uint64
	made uint64 // parents of the value that Flash made, and that go with it when they are empty
	old  bool
}

// newState is the state of a parsed envelope. Flash data with a number up to seen is of earlier requests.
func newState(h envelope.Header, entries envelope.Entries, seen uint64) state {
	st := state{Header: h, entries: entries}
	for _, m := range h.Marks {
		if p, err := parsePath(m.Path); err == nil {
			st.marks = append(st.marks, mark{path: p, seq: m.Seq, made: m.Made, old: m.Seq <= seen})
		}
	}
	st.Marks = nil
	return st
}

// clone shares everything until one of the two is changed.
func (st *state) clone() state {
	st.shared = true
	return *st
}

// own makes copies of what a clone shares.
func (st *state) own() {
	if st.shared {
		st.over, st.marks, st.shared = st.over.clone(), slices.Clone(st.marks), false
	}
}

// raw returns the encoded value of a key.
func (st *state) raw(key string) ([]byte, bool) {
	if i := st.over.find(key); i >= 0 {
		raw := st.over.list[i].raw
		return raw, raw != nil
	}
	if st.cleared {
		return nil, false
	}
	return st.entries.Find(key)
}

func (st *state) put(key string, raw []byte) {
	st.own()
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

// each calls fn with every key that has a value.
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
func (st *state) clear() {
	var kept changes
	st.each(func(key string, raw []byte) {
		if isOwn(key) {
			kept.put(key, raw)
		}
	})
	st.over, st.marks, st.cleared = kept, nil, true
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

// size is the length of all keys and values.
func (st *state) size() (n int) {
	for k, v := range st.kept() {
		n += len(k) + len(v)
	}
	for k, v := range st.changed() {
		n += len(k) + len(v)
	}
	return n
}

// encode appends the envelope of the state.
func (st *state) encode(dst []byte) []byte {
	h := st.Header
	for _, m := range st.marks {
		h.Marks = append(h.Marks, envelope.Mark{Path: m.path.String(), Seq: m.seq, Made: m.made})
	}
	dst = h.Append(dst)
	for k, v := range st.kept() {
		dst = envelope.AppendEntry(dst, k, v)
	}
	for k, v := range st.changed() {
		dst = envelope.AppendEntry(dst, k, v)
	}
	return dst
}

// age removes the flash data of earlier requests and returns what it removed. A value that cannot be removed, because a
// parent of it is something else by now, is not flash data any more.
func (st *state) age(c Codec) []shadow {
	gone := st.aging(c)
	for {
		i := slices.IndexFunc(st.marks, func(m mark) bool { return m.old })
		if i < 0 {
			return gone
		}
		m := st.marks[i]
		st.unmark(m.path)
		_ = st.drop(c, m.path)
		st.dropParents(c, m)
	}
}

// aging returns the flash data of earlier requests.
func (st *state) aging(c Codec) (list []shadow) {
	for _, m := range st.marks {
		if !m.old {
			continue
		}
		if raw, ok, err := st.at(c, m.path); ok && err == nil {
			list = append(list, shadow{m.path, raw})
		}
	}
	return list
}

// dropParents removes what was made for a flashed value and holds nothing now.
func (st *state) dropParents(c Codec, m mark) {
	for p := m.path; m.made > 0 && !p.isKey(); m.made-- {
		p.steps = p.steps[:len(p.steps)-1]
		if raw, ok, err := st.at(c, p); err != nil || !ok || !isEmpty(c, raw) {
			return
		}
		_ = st.drop(c, p)
	}
}

func isEmpty(c Codec, raw []byte) bool {
	v, err := tree(c, raw)
	if err != nil {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func (st *state) hasOld() bool {
	return slices.ContainsFunc(st.marks, func(m mark) bool { return m.old })
}

// unmark makes the values at and below a path ordinary data.
func (st *state) unmark(p path) {
	if !slices.ContainsFunc(st.marks, func(m mark) bool { return p.covers(m.path) }) {
		return
	}
	st.own()
	st.marks = slices.DeleteFunc(st.marks, func(m mark) bool { return p.covers(m.path) })
}
