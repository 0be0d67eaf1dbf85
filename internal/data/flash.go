package data

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/coatcheck/session/internal/envelope"
)

// flash says that the value at a path is flash data. An old one was set by an earlier request and goes with this one.
// No flash data lie within other flash data.
type flash struct {
	seq  uint64
	old  bool
	made bool // of what lies above flash data: Flash made the map or list here, and it goes when it is empty
}

// below is the path of a part of the value at the first n steps of p.
func (p Path) below(n int, name string) Path {
	return Path{p.key, append(slices.Clip(p.steps[:n]), name)}
}

// flash makes the value at a path flash data, of which so many parents were made for it.
func (st *State) flash(p Path, m flash, made uint64) {
	rest := st.rest()
	if rest.flashAt == nil {
		rest.flashAt = new(trie[flash])
	}
	t := rest.flashAt
	for i := range p.size() {
		t = t.under(p.name(i))
		if above := len(p.steps) - i; above > 0 && uint64(above) <= made {
			t.v.made = true
		}
	}
	t.has, t.v, t.below, t.first = true, m, nil, 0
}

// flashAnew makes the value at a path flash data of this request. The parents that were made for it earlier still go
// with it.
func (st *State) flashAnew(c Codec, p Path, made uint64) {
	if st.flashes().at(p).empty() {
		st.used += len(p.String())
	}
	st.split(c, p)
	st.own()
	st.rest().flashSeq++
	st.flash(p, flash{seq: st.flashSeq()}, made)
}

// flashed reports whether the value at a path is flash data, or a part of some, and whether those are of an earlier
// request.
func (st *State) flashed(p Path) (flashed, old bool) {
	top, ok := st.flashes().above(p)
	return ok, ok && st.flashes().at(top).v.old
}

// unflash makes the values at and below a path ordinary data.
func (st *State) unflash(p Path) {
	if st.flashes().at(p) != nil {
		st.own()
		st.flashes().cut(p)
	}
}

func isOld(t *trie[flash]) bool {
	if t == nil || t.has {
		return t != nil && t.v.old
	}
	for _, kid := range t.below {
		if isOld(kid) {
			return true
		}
	}
	return false
}

func (st *State) HasOld() bool { return isOld(st.flashes()) }

// flashSize is what the paths of flash data add to the size.
func (st *State) flashSize() (n int) {
	for p := range st.flashes().all() {
		n += len(p.String())
	}
	return n
}

// listed are the flash data as the envelope has them, in the order in which they were made.
func (st *State) listed() []envelope.Flash {
	if st.flashes() == nil {
		return nil
	}
	var list []envelope.Flash
	for key, t := range st.flashes().below {
		list = appendFlashes(list, t, Path{key: key}, 0)
	}
	slices.SortFunc(list, func(a, b envelope.Flash) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Path, b.Path))
	})
	return list
}

// appendFlashes appends the flash data at and below p, of which so many parents in a row were made for flash data.
func appendFlashes(list []envelope.Flash, t *trie[flash], p Path, made uint64) []envelope.Flash {
	if t.has {
		return append(list, envelope.Flash{Path: p.String(), Seq: t.v.seq, Made: made})
	}
	if made++; !t.v.made {
		made = 0
	}
	for name, below := range t.kids() {
		list = appendFlashes(list, below, p.below(len(p.steps), name), made)
	}
	return list
}

// moveUp follows flash data behind an element that was removed from its list.
func (st *State) moveUp(c Codec, removed Path) {
	if removed.isKey() {
		return
	}
	list := removed.upTo(len(removed.steps))
	t := st.flashes().at(list)
	gone, ok := index(removed.steps[len(removed.steps)-1], math.MaxInt)
	if t == nil || !ok {
		return
	}
	v, _, _ := st.node(c, list)
	if left, ok := v.([]any); ok {
		st.own()
		st.flashes().at(list).closeGap(gone, len(left))
	}
}

// split makes the other parts of a flashed value flash data one by one, before the part at p gets a life of its own.
// What is then left of the value goes with the last of them.
func (st *State) split(c Codec, p Path) {
	top, ok := st.flashes().above(p)
	if !ok || top.size() == p.size() {
		return
	}
	v, ok, err := st.node(c, top)
	if !ok || err != nil {
		return
	}
	st.own()
	t := st.flashes().at(top)
	m := t.v
	t.has = false
	for _, next := range p.steps[len(top.steps):] {
		t.v = flash{made: true}
		for _, name := range parts(v) {
			if part := t.under(name); name != next {
				part.has, part.v = true, m
			}
		}
		v, _ = step(v, next)
		t = t.under(next)
	}
}

// parts are the names by which step finds the parts of a value.
func parts(v any) (names []string) {
	switch v := v.(type) {
	case map[string]any:
		return slices.Collect(maps.Keys(v))
	case []any:
		for i := range v {
			names = append(names, strconv.Itoa(i))
		}
	}
	return names
}
