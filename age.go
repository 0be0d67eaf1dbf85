package session

import "strconv"

// age removes the flash data of earlier requests and returns what it removed. A value that cannot be removed, because a
// parent of it is something else by now, is not flash data any more.
func (st *state) age(c Codec) []shadow {
	if !st.hasOld() {
		return nil
	}
	gone := st.aging(c)
	st.own()
	st.unsure = true
	for key, t := range st.marks.below {
		switch {
		case !isOld(t):
		case t.has:
			st.put(key, nil)
			delete(st.marks.below, key)
		default:
			st.ageBelow(c, key, t)
		}
	}
	return gone
}

// aging returns the flash data of earlier requests.
func (st *state) aging(c Codec) (list []shadow) {
	for p, m := range st.marks.all() {
		if !m.old {
			continue
		}
		if raw, ok, err := st.at(c, p); ok && err == nil {
			list = append(list, shadow{p, raw})
		}
	}
	return list
}

func (st *state) ageBelow(c Codec, key string, t *trie[mark]) {
	o, ok := st.open(c, key)
	if !ok || o.err != nil {
		delete(st.marks.below, key)
		return
	}
	v, keep := age(t, o.tree)
	if keep {
		st.grew(key, o, v, 0)
	} else {
		st.put(key, nil)
	}
	if t.empty() {
		delete(st.marks.below, key)
	}
}

// age removes old flash data from a value whose marks are t, and reports whether the value itself stays.
func age(t *trie[mark], v any) (any, bool) {
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
		t.below = nil
	}
	return v, !t.v.made || !isEmpty(v)
}

func ageMap(t *trie[mark], m map[string]any) {
	for name, below := range t.below {
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
			delete(t.below, name)
		}
	}
}

// ageList moves what stays up, and the marks with it.
func ageList(t *trie[mark], list []any) []any {
	kept, marks := list[:0], map[string]*trie[mark]{}
	for i, part := range list {
		below, ok := t.below[strconv.Itoa(i)], true
		if below != nil {
			part, ok = age(below, part)
		}
		if !ok {
			continue
		}
		if !below.empty() {
			marks[strconv.Itoa(len(kept))] = below
		}
		kept = append(kept, part)
	}
	clear(list[len(kept):])
	t.below = marks
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
