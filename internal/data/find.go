package data

import "math"

// stored returns the encoded value of a key as it is without what was changed in its tree since.
func (st *State) stored(key string) ([]byte, bool) {
	if c := st.over.find(key); c != nil {
		return c.raw, c.raw != nil
	}
	if st.cleared {
		return nil, false
	}
	at := st.index(key)
	if at < 0 {
		return nil, false
	}
	_, raw, _ := st.entries.At(at)
	return raw, true
}

// index is where the entry of a key begins, -1 if there is none. Whoever changes a value has mostly read it just
// before.
func (st *State) index(key string) int {
	if at := int(st.hit); at < len(st.entries) {
		if k, _, _ := st.entries.At(at); string(k) == key {
			return at
		}
	}
	at := st.search(key)
	if at >= 0 && at <= math.MaxUint16 {
		st.hit = uint16(at)
	}
	return at
}

func (st *State) search(key string) int {
	if st.finds < manyFinds {
		st.finds++
		return st.entries.Index(key)
	}
	found := &st.rest().found
	if *found == nil {
		*found = st.indexed()
	}
	if at, ok := (*found)[key]; ok {
		return at
	}
	return -1
}

// manyFinds is after how many searches through all entries an index costs less.
const manyFinds = 16

func (st *State) indexed() map[string]int {
	found := map[string]int{}
	for at := 0; at < len(st.entries); {
		k, _, to := st.entries.At(at)
		if _, ok := found[string(k)]; !ok {
			found[string(k)] = at
		}
		at = to
	}
	return found
}
