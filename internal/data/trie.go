package data

import (
	"iter"
	"math"
	"strconv"
)

// trie keeps things at paths. What lies at, above or below a path is found in as many steps as the path has.
type trie[T any] struct {
	below map[string]*trie[T]
	first int  // of a list: by which number below has its element 0
	has   bool // something is kept here
	v     T
}

// size is how many names a path has: the key and the steps.
func (p Path) size() int { return 1 + len(p.steps) }

func (p Path) name(i int) string {
	if i == 0 {
		return p.key
	}
	return p.steps[i-1]
}

// upTo is the path of the first n names.
func (p Path) upTo(n int) Path { return Path{p.key, p.steps[:n-1]} }

func (t *trie[T]) empty() bool { return t == nil || !t.has && len(t.below) == 0 }

// slot is the key in below of what is called by a name.
func (t *trie[T]) slot(name string) string { return moved(name, t.first) }

// kids goes through what is below, by its names.
func (t *trie[T]) kids() iter.Seq2[string, *trie[T]] {
	return func(yield func(string, *trie[T]) bool) {
		for slot, kid := range t.below {
			if !yield(moved(slot, -t.first), kid) {
				return
			}
		}
	}
}

// moved is the name of the element of a list that comes so many later. Other names stay.
func moved(name string, by int) string {
	if by == 0 {
		return name
	}
	if i, ok := index(name, math.MaxInt32); ok {
		return strconv.Itoa(i + by)
	}
	return name
}

// closeGap gives what is below the numbers of a list of n from which one element was removed. It moves those before it
// or those behind it, whichever are fewer: of a queue none.
func (t *trie[T]) closeGap(removed, n int) {
	if removed < n-removed {
		t.first++
		for i := removed; i > 0; i-- {
			t.move(t.first+i-2, t.first+i-1)
		}
		return
	}
	for i := removed; i < n; i++ {
		t.move(t.first+i+1, t.first+i)
	}
}

func (t *trie[T]) move(from, to int) {
	slot := strconv.Itoa(from)
	if kid := t.below[slot]; kid != nil {
		delete(t.below, slot)
		t.below[strconv.Itoa(to)] = kid
	}
}

// at returns the node at a path, nil when nothing is kept at or below it.
func (t *trie[T]) at(p Path) *trie[T] {
	for i := 0; t != nil && i < p.size(); i++ {
		t = t.below[t.slot(p.name(i))]
	}
	return t
}

// above returns the first path at or above p at which something is kept.
func (t *trie[T]) above(p Path) (Path, bool) {
	for i := 0; t != nil && i < p.size(); i++ {
		if t = t.below[t.slot(p.name(i))]; t != nil && t.has {
			return p.upTo(i + 1), true
		}
	}
	return Path{}, false
}

// under returns the node below this one by a name, and makes it when it is missing.
func (t *trie[T]) under(name string) *trie[T] {
	if t.below == nil {
		t.below = map[string]*trie[T]{}
	}
	name = t.slot(name)
	kid := t.below[name]
	if kid == nil {
		kid = new(trie[T])
		t.below[name] = kid
	}
	return kid
}

// grow returns the node at a path, and makes it when it is missing.
func (t *trie[T]) grow(p Path) *trie[T] {
	for i := range p.size() {
		t = t.under(p.name(i))
	}
	return t
}

// cut removes what is kept at and below a path.
func (t *trie[T]) cut(p Path) { t.cutFrom(p, 0) }

func (t *trie[T]) cutFrom(p Path, i int) {
	if t == nil {
		return
	}
	name := t.slot(p.name(i))
	if i+1 < p.size() {
		t.below[name].cutFrom(p, i+1)
		if !t.below[name].empty() {
			return
		}
	}
	delete(t.below, name)
}

// all goes through the paths at which something is kept.
func (t *trie[T]) all() iter.Seq2[Path, T] {
	return func(yield func(Path, T) bool) {
		if t == nil {
			return
		}
		for key, kid := range t.kids() {
			if !kid.walk(Path{key: key}, yield) {
				return
			}
		}
	}
}

// from goes through the paths at and below p at which something is kept.
func (t *trie[T]) from(p Path) iter.Seq2[Path, T] {
	return func(yield func(Path, T) bool) { t.at(p).walk(p, yield) }
}

// walk is all of a node that is at p.
func (t *trie[T]) walk(p Path, yield func(Path, T) bool) bool {
	if t == nil {
		return true
	}
	if t.has && !yield(p, t.v) {
		return false
	}
	for name, kid := range t.kids() {
		if !kid.walk(p.below(len(p.steps), name), yield) {
			return false
		}
	}
	return true
}

func (t *trie[T]) clone() *trie[T] {
	if t == nil {
		return nil
	}
	out := &trie[T]{first: t.first, has: t.has, v: t.v}
	if t.below != nil {
		out.below = make(map[string]*trie[T], len(t.below))
		for name, kid := range t.below {
			out.below[name] = kid.clone()
		}
	}
	return out
}
