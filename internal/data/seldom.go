package data

// seldom is what few requests need of a state, so that the others do not pay for it. No clone has the same one.
type seldom struct {
	idle, lifetime int64  // as in the header of the envelope
	flashSeq       uint64 // likewise

	found      map[string]int     // where entries begin, when many of them were looked for; never changed
	trees      map[string]*opened // values that are decoded; no clone has the same ones
	flashAt    *trie[flash]       // the flash data
	flashBytes int                // what flashSize was of what is stored
	deadline   int64              // in microseconds since 1970, 0: none
	proven     int64              // likewise, see Proven
	above      error              // it is larger than the limit
}

// rest is what few requests need, to be changed.
func (st *State) rest() *seldom {
	if st.seldom == nil {
		st.seldom = new(seldom)
	}
	return st.seldom
}

// flashes are the flash data, to be read.
func (st *State) flashes() *trie[flash] {
	if st.seldom == nil {
		return nil
	}
	return st.seldom.flashAt
}

// tree is a value that is decoded, nil for none.
func (st *State) tree(key string) *opened {
	if st.seldom == nil {
		return nil
	}
	return st.seldom.trees[key]
}

// Idle is the idle timeout of this session alone, as in the header of the envelope.
func (st *State) Idle() int64 {
	if st.seldom == nil {
		return 0
	}
	return st.seldom.idle
}

// Lifetime is the lifetime of this session alone, as in the header of the envelope.
func (st *State) Lifetime() int64 {
	if st.seldom == nil {
		return 0
	}
	return st.seldom.lifetime
}

// flashSeq is the number of the last Flash.
func (st *State) flashSeq() uint64 {
	if st.seldom == nil {
		return 0
	}
	return st.seldom.flashSeq
}

// Deadline is when the session ends whatever its lifetime, in microseconds since 1970; 0: by its lifetime.
func (st *State) Deadline() int64 {
	if st.seldom == nil {
		return 0
	}
	return st.seldom.deadline
}

// Proven is when the oldest factor was shown, or Login was called, if that is later and does not go without saying, in
// microseconds since 1970; 0: neither.
func (st *State) Proven() int64 {
	if st.seldom == nil {
		return 0
	}
	return st.seldom.proven
}
