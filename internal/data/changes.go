package data

import (
	"iter"
	"maps"
	"slices"
)

// change is a key that was set or removed, with its encoded value; nil: removed.
type change struct {
	key   string
	raw   []byte
	hides span // the entry of the key that does not count any more
}

// span is a stretch of the entries; the zero value is an empty one.
type span struct{ from, to int }

// changes are the keys that were changed, in the order of their first change. Nearly every request that changes
// something changes one key, and pays for no more.
type changes struct {
	first change
	more  *moreChanges // nil: none
}

// moreChanges are all but the first. A few of them are found fastest in a list; many get an index.
type moreChanges struct {
	list  []change
	index map[string]int // of list; nil while that is short
}

// shortList is how many changes are searched one by one.
const shortList = 12

// all goes through the changes, which must not be changed meanwhile.
func (c *changes) all() iter.Seq[change] {
	return func(yield func(change) bool) {
		if c == nil || !yield(c.first) || c.more == nil {
			return
		}
		for _, one := range c.more.list {
			if !yield(one) {
				return
			}
		}
	}
}

// find returns the change of a key, nil for none.
func (c *changes) find(key string) *change {
	switch {
	case c == nil:
		return nil
	case c.first.key == key:
		return &c.first
	case c.more == nil:
		return nil
	}
	return c.more.find(key)
}

func (m *moreChanges) find(key string) *change {
	if m.index != nil {
		if i, ok := m.index[key]; ok {
			return &m.list[i]
		}
		return nil
	}
	for i := range m.list {
		if m.list[i].key == key {
			return &m.list[i]
		}
	}
	return nil
}

// add returns the changes with one of another key, as append does.
func (c *changes) add(one change) *changes {
	if c == nil {
		return &changes{first: one}
	}
	if c.more == nil {
		c.more = new(moreChanges)
	}
	c.more.add(one)
	return c
}

// appendHidden appends the stretches of the entries that do not count any more, in their order.
func (c *changes) appendHidden(list []span) []span {
	for one := range c.all() {
		if one.hides.from < one.hides.to {
			list = append(list, one.hides)
		}
	}
	slices.SortFunc(list, func(a, b span) int { return a.from - b.from })
	return list
}

func (m *moreChanges) add(one change) {
	m.list = append(m.list, one)
	switch {
	case m.index != nil:
		m.index[one.key] = len(m.list) - 1
	case len(m.list) > shortList:
		m.index = make(map[string]int, 2*len(m.list))
		for i := range m.list {
			m.index[m.list[i].key] = i
		}
	}
}

func (c *changes) clone() *changes {
	if c == nil {
		return nil
	}
	w := *c
	if c.more != nil {
		w.more = &moreChanges{list: slices.Clone(c.more.list), index: maps.Clone(c.more.index)}
	}
	return &w
}
