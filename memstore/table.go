package memstore

// table is a hash table that can be walked in an order which never changes, by hash and then by id, whatever is added
// or removed meanwhile. Each entry has a home, which the upper bits of its hash number, and stands there or after it,
// with no free slot in between; so the slots themselves are in that order. A slot holds the hash beside the entry, so
// that looking for one entry does not fetch others, and to resize the table fetches none.
type table struct {
	slots []tableSlot // the last one is always free
	bits  int         // there are 1<<bits homes
	len   int
}

// tableSlot is free while e is nil.
type tableSlot struct {
	hash uint64
	e    *entry
}

const (
	minTableBits = 3
	overhang     = 32 // slots after the last home, before append makes more
)

func (t *table) init() { t.resize(minTableBits) }

// home leaves out the bits that chose the shard.
func (t *table) home(hash uint64) int { return int(hash << shardBits >> (64 - t.bits)) }

// seek returns the slot of the entry, or the one that would be its own.
func (t *table) seek(hash uint64, id string) int {
	i := t.home(hash)
	for t.slots[i].before(hash, id) {
		i++
	}
	return i
}

// before says whether the slot has an entry that comes before the place given in the order of pages.
func (s tableSlot) before(hash uint64, id string) bool {
	return s.e != nil && (s.hash < hash || s.hash == hash && s.e.id < id)
}

func (t *table) find(hash uint64, id string) *entry {
	for i := t.home(hash); ; i++ {
		s := t.slots[i]
		if s.e == nil || s.hash > hash {
			return nil
		}
		if s.hash == hash && s.e.id == id {
			return s.e
		}
	}
}

// insert moves what stands in the way by one slot, up to the next free one.
func (t *table) insert(e *entry) {
	if t.len >= 1<<t.bits/4*3 {
		t.resize(t.bits + 1)
	}
	i, moved := t.seek(e.hash, e.id), tableSlot{e.hash, e}
	for ; moved.e != nil; i++ {
		t.slots[i], moved = moved, t.slots[i]
	}
	t.keepLastFree()
	t.len++
}

// remove takes out an entry that is there, and moves those after it that are not at home.
func (t *table) remove(e *entry) {
	i := t.seek(e.hash, e.id)
	for ; t.slots[i+1].e != nil && t.home(t.slots[i+1].hash) <= i; i++ {
		t.slots[i] = t.slots[i+1]
	}
	t.slots[i] = tableSlot{}
	t.len--
	// A table that once was large would make every page walk its free slots.
	if t.bits > minTableBits && t.len < 1<<t.bits/8 {
		t.resize(t.bits - 1)
	}
}

// after calls yield for each entry that comes after the place given, until it returns false.
func (t *table) after(hash uint64, id string, yield func(*entry) bool) {
	for _, s := range t.slots[t.seek(hash, id):] {
		if s.e != nil && (s.hash != hash || s.e.id != id) && !yield(s.e) {
			return
		}
	}
}

// resize gives the table 1<<bits homes. The entries come in order, so each goes home or after the one before it.
func (t *table) resize(bits int) {
	old := t.slots
	t.slots, t.bits = make([]tableSlot, 1<<bits+1, 1<<bits+overhang), bits
	next := 0
	for _, s := range old {
		if s.e == nil {
			continue
		}
		next = max(next, t.home(s.hash))
		t.slots[next] = s
		t.keepLastFree()
		next++
	}
}

// keepLastFree makes it so that every walk over slots in use ends at a free one.
func (t *table) keepLastFree() {
	if t.slots[len(t.slots)-1].e != nil {
		t.slots = append(t.slots, tableSlot{})
	}
}
