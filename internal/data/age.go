package data

import "strconv"

// age removes the flash data of earlier requests and returns what it removed. A value that cannot be removed, because a
// parent of it is something else by now, is not flash data any more.
func (st *State) age(c Codec) []Shadow {
	if !st.HasOld() {
		return nil
	}
	gone := st.Aging(c)
	st.own()
	st.unsure = true
	for key, t := range st.flashes().below {
		switch {
		case !isOld(t):
		case t.has:
			st.put(key, nil)
			delete(st.flashes().below, key)
		default:
			st.ageBelow(c, key, t)
		}
	}
	return gone
}

// Aging returns the flash data of earlier requests.
func (st *State) Aging(c Codec) (list []Shadow) {
	for p, m := range st.flashes().all() {
		if !m.old {
			continue
		}
		if raw, ok, err := st.At(c, p); ok && err == nil {
			list = append(list, Shadow{p, raw})
		}
	}
	return list
}

func (st *State) ageBelow(c Codec, key string, t *trie[flash]) {
	o, ok := st.open(c, key)
	if !ok || o.err != nil {
		delete(st.flashes().below, key)
		return
	}
	v, keep := age(t, o.tree)
	if keep {
		st.grew(key, o, v, 0)
	} else {
		st.put(key, nil)
	}
	if t.empty() {
		delete(st.flashes().below, key)
	}
}

// age removes old flash data from a value whose flash data t knows, and reports whether the value itself stays.
func age(t *trie[flash], v any) (any, bool) {
	if t.has {
		t.has = !t.v.old
		return v, t.has
	}
	if !isOld(t) {
		return v, true
	}
	switch list := v.(type) {
	case map[string]any:
		ageMap(t, list)
	case []any:
		v = ageList(t, list)
	default:
		t.below, t.first = nil, 0
	}
	return v, !t.v.made || !isEmpty(v)
}

func ageMap(t *trie[flash], m map[string]any) {
	for name, below := range t.kids() {
		part, ok := m[name]
		if ok {
			part, ok = age(below, part)
		} else {
			below.below, below.has = nil, false
		}
		if ok {
			m[name] = part
		} else {
			delete(m, name)
		}
		if below.empty() {
			delete(t.below, t.slot(name))
		}
	}
}

// ageList moves what stays up, and the flash data with it.
func ageList(t *trie[flash], list []any) []any {
	kept, flashes := list[:0], map[string]*trie[flash]{}
	for i, part := range list {
		below, ok := t.below[t.slot(strconv.Itoa(i))], true
		if below != nil {
			part, ok = age(below, part)
		}
		if !ok {
			continue
		}
		if !below.empty() {
			flashes[strconv.Itoa(len(kept))] = below
		}
		kept = append(kept, part)
	}
	clear(list[len(kept):])
	t.below, t.first = flashes, 0
	return kept
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}
