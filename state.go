package session

import (
	"errors"
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

// at returns the encoded value at a path. The error says that the value of the key does not decode.
func (st *state) at(c Codec, p path) ([]byte, bool, error) {
	raw, ok := st.raw(p.key)
	if !ok || p.isKey() {
		return raw, ok, nil
	}
	v, err := tree(c, raw)
	if err != nil {
		return nil, false, err
	}
	v, ok = walk(v, p.steps)
	if !ok {
		return nil, false, nil
	}
	raw, err = c.Marshal(v)
	return raw, err == nil, err
}

// change replaces the value at a path by what fn makes of the encoded value there; nil leaves nothing there. It returns
// how many parents it made.
func (st *state) change(c Codec, p path, fn func(old []byte, ok bool) ([]byte, error)) (uint64, error) {
	raw, ok := st.raw(p.key)
	if p.isKey() {
		fresh, err := fn(raw, ok)
		if err == nil {
			st.put(p.key, fresh)
		}
		return 0, err
	}
	var root any = map[string]any{}
	made := uint64(1)
	if ok {
		var err error
		if root, err = tree(c, raw); err != nil {
			return 0, &DecodeError{Path: p.key, Err: err}
		}
		made = 0
	}
	root, below, err := edit(root, p.steps, func(old any, ok bool) (any, bool, error) { return changeTree(c, old, ok, fn) })
	if err != nil {
		return 0, err
	}
	fresh, err := c.Marshal(root)
	if err == nil {
		st.put(p.key, fresh)
	}
	return made + below, err
}

func changeTree(c Codec, old any, ok bool, fn func([]byte, bool) ([]byte, error)) (any, bool, error) {
	var raw []byte
	var err error
	if ok {
		if raw, err = c.Marshal(old); err != nil {
			return nil, false, err
		}
	}
	if raw, err = fn(raw, ok); err != nil || raw == nil {
		return nil, false, err
	}
	v, err := tree(c, raw)
	return v, true, err
}

var errNothing = errors.New("nothing there")

// drop removes the value at a path, which is no flash data then; errNothing when there is none.
func (st *state) drop(c Codec, p path) error {
	if _, ok, err := st.at(c, p); !ok || err != nil {
		return errors.Join(errNothing, err)
	}
	if _, err := st.change(c, p, func([]byte, bool) ([]byte, error) { return nil, nil }); err != nil {
		return err
	}
	st.unmark(p)
	st.moveUp(c, p)
	return nil
}
