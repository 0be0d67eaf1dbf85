package data

import "github.com/coatcheck/session/internal/envelope"

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
	if !st.cleared {
		n += len(st.entries)
	}
	for c := range st.over.all() {
		n -= c.hides.to - c.hides.from
		if c.raw != nil {
			n += envelope.EntrySize(len(c.key), len(c.raw))
		}
	}
	return n
}

// check says whether the state may be stored. Most are so far below the limit that nothing must be counted.
func (st *State) check(limit int) error {
	n := len(st.entries) + st.flashSize()
	for k, v := range st.changed() {
		n += len(k) + len(v)
	}
	if n <= limit {
		return nil
	}
	size := st.Size()
	switch {
	case size <= st.allowed(limit):
		return nil
	case st.Above() != nil:
		return st.Above()
	}
	return &SizeError{Size: size, Limit: limit}
}

// allowed is how large the state may become: one that is above a limit that was lowered may not grow.
func (st *State) allowed(limit int) int {
	n := 0
	if st.seldom != nil {
		n = st.seldom.flashBytes
	}
	if len(st.entries)+n <= limit {
		return limit
	}
	for k, v := range st.entries.All() {
		n += len(k) + len(v)
	}
	return max(limit, n)
}

// room is asked before a change at a path. It counts when the state seems to grow above its limit. One change may do
// so, for another can make room again before the commit; whoever goes on to make it larger is refused.
func (st *State) room(r Rules, p Path, more int) error {
	if r.MaxBytes == 0 || more <= 0 {
		return nil
	}
	if !st.sure && (st.unsure || st.used+more > r.MaxBytes) {
		if err := st.count(r.Codec); err != nil {
			return err
		}
	}
	if st.used+more <= r.MaxBytes {
		return nil
	}
	err := &SizeError{Path: p.String(), More: more, Size: st.used + more, Limit: r.MaxBytes}
	if st.Above() != nil {
		return err
	}
	st.rest().above = err
	return nil
}

// Above is why the state is too large to be stored as it is, nil when it is not.
func (st *State) Above() error {
	if st.seldom == nil {
		return nil
	}
	return st.seldom.above
}

// fits takes note that the state is not too large any more.
func (st *State) fits() {
	if st.seldom != nil {
		st.seldom.above = nil
	}
}

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
