package session

import (
	"maps"
	"math"
	"slices"
	"strconv"
)

// below is the path of a part of the value at the first n steps of p.
func (p path) below(n int, name string) path {
	return path{p.key, append(slices.Clip(p.steps[:n]), name)}
}

// moveUp follows flash data behind an element that was removed from its list.
func (st *state) moveUp(c Codec, removed path) {
	if removed.isKey() {
		return
	}
	at := len(removed.steps) - 1
	list := path{removed.key, removed.steps[:at]}
	gone, ok := index(removed.steps[at], math.MaxInt)
	isBehind := func(m mark) bool {
		if !list.covers(m.path) || len(m.path.steps) == at {
			return false
		}
		i, ok := index(m.path.steps[at], math.MaxInt)
		return ok && i > gone
	}
	if !ok || !slices.ContainsFunc(st.marks, isBehind) || !st.isList(c, list) {
		return
	}
	st.own()
	for i, m := range st.marks {
		if isBehind(m) {
			n, _ := index(m.path.steps[at], math.MaxInt)
			steps := slices.Clone(m.path.steps)
			steps[at] = strconv.Itoa(n - 1)
			st.marks[i].path.steps = steps
		}
	}
}

func (st *state) isList(c Codec, p path) bool {
	raw, ok, err := st.at(c, p)
	if !ok || err != nil {
		return false
	}
	v, err := tree(c, raw)
	_, ok = v.([]any)
	return ok && err == nil
}

// split marks the other parts of a flashed value one by one, before the part at p gets a life of its own. It returns how many
// parents of p go with the last of them.
func (st *state) split(c Codec, p path) (made uint64) {
	isAbove := func(m mark) bool { return m.path.covers(p) && len(m.path.steps) < len(p.steps) }
	i := slices.IndexFunc(st.marks, isAbove)
	if i < 0 {
		return 0
	}
	raw, ok, err := st.at(c, st.marks[i].path)
	if !ok || err != nil {
		return 0
	}
	v, err := tree(c, raw)
	if err != nil {
		return 0
	}
	st.own()
	m := st.marks[i]
	st.marks = slices.Delete(st.marks, i, i+1)
	for n := len(m.path.steps); n < len(p.steps) && v != nil; n++ {
		m.made++
		for _, name := range parts(v) {
			if name != p.steps[n] {
				st.marks = append(st.marks, mark{path: p.below(n, name), seq: m.seq, made: m.made, old: m.old})
			}
		}
		v, _ = step(v, p.steps[n])
	}
	return m.made
}

// parts are the names by which step finds the parts of a value.
func parts(v any) (names []string) {
	switch v := v.(type) {
	case map[string]any:
		return slices.Sorted(maps.Keys(v))
	case []any:
		for i := range v {
			names = append(names, strconv.Itoa(i))
		}
	}
	return names
}
