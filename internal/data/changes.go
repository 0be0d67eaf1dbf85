package data

import (
	"maps"
	"slices"
)

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
}

// shortList is how many changes are searched one by one.
const shortList = 12

// find returns where the key is, -1 for nowhere.
func (c *changes) find(key string) int {
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

func (c *changes) put(key string, raw []byte) {
	if i := c.find(key); i >= 0 {
		c.list[i].raw = raw
		return
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
}

func (c *changes) clone() changes {
	return changes{list: slices.Clone(c.list), index: maps.Clone(c.index)}
}
