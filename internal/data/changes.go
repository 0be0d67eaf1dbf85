package data

import "maps"

// change is a key that was set or removed, with its encoded value; nil: removed.
type change struct {
	key string
	raw []byte
}

// changes are the keys that were changed, in the order of their first change. Nearly every request changes a few at
// most, which a list finds fastest; more get an index.
type changes struct {
	list  []change
	index map[string]int // of list; nil while that is short
	first [1]change      // where list begins, for most requests change one key
}

func (c *changes) all() []change {
	if c == nil {
		return nil
	}
	return c.list
}

// shortList is how many changes are searched one by one.
const shortList = 12

// find returns where the key is, -1 for nowhere.
func (c *changes) find(key string) int {
	if c == nil {
		return -1
	}
	if c.index != nil {
		if i, ok := c.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range c.list {
		if c.list[i].key == key {
			return i
		}
	}
	return -1
}

// put returns the changes with one more, as append does.
func (c *changes) put(key string, raw []byte) *changes {
	if i := c.find(key); i >= 0 {
		c.list[i].raw = raw
		return c
	}
	if c == nil {
		c = new(changes)
		c.list = c.first[:0]
	}
	c.list = append(c.list, change{key, raw})
	switch {
	case c.index != nil:
		c.index[key] = len(c.list) - 1
	case len(c.list) > shortList:
		c.index = make(map[string]int, 2*len(c.list))
		for i := range c.list {
			c.index[c.list[i].key] = i
		}
	}
	return c
}

func (c *changes) clone() *changes {
	if c == nil {
		return nil
	}
	w := &changes{index: maps.Clone(c.index)}
	w.list = append(w.first[:0], c.list...)
	return w
}
