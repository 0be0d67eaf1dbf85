package memstore

// table is a hash table that can be walked in an order which never changes, by hash and then by id, whatever is added or
// removed meanwhile. Its buckets are numbered by the upper bits of the hash and each is a sorted chain, so one bucket after
// the other is that order. To double the table each chain is cut in two; to halve it, pairs are joined.
type table struct {
	heads []*entry
	bits  int // len(heads) is 1<<bits
	len   int
}

const minTableBits = 3

func (t *table) init() { t.resize(minTableBits) }

// bucket leaves out the bits that chose the shard.
func (t *table) bucket(hash uint64) uint64 { return hash << shardBits >> (64 - t.bits) }

func (t *table) find(hash uint64, id string) *entry {
	for e := t.heads[t.bucket(hash)]; e != nil && e.hash <= hash; e = e.next {
		if e.hash == hash && e.id == id {
			return e
		}
	}
	return nil
}

func (t *table) insert(e *entry) {
	if t.len >= len(t.heads) {
		t.double()
	}
	p := &t.heads[t.bucket(e.hash)]
	for *p != nil && (*p).before(e.hash, e.id) {
		p = &(*p).next
	}
	e.next, *p = *p, e
	t.len++
}

// remove takes out an entry that is there.
func (t *table) remove(e *entry) {
	p := &t.heads[t.bucket(e.hash)]
	for *p != e {
		p = &(*p).next
	}
	*p, e.next = e.next, nil
	t.len--
	// A table that once was large would make every page walk its empty buckets.
	if t.bits > minTableBits && t.len < len(t.heads)/8 {
		t.halve()
	}
}

// after calls yield for each entry that comes after the place given, until it returns false.
func (t *table) after(hash uint64, id string, yield func(*entry) bool) {
	for _, e := range t.heads[t.bucket(hash):] {
		for ; e != nil; e = e.next {
			if (e.hash > hash || e.hash == hash && e.id > id) && !yield(e) {
				return
			}
		}
	}
}

func (t *table) resize(bits int) {
	t.heads, t.bits = make([]*entry, 1<<bits), bits
}

func (t *table) double() {
	old := t.heads
	t.resize(t.bits + 1)
	for i, e := range old {
		p := &t.heads[2*i]
		*p = e
		for *p != nil && t.bucket((*p).hash) == uint64(2*i) {
			p = &(*p).next
		}
		t.heads[2*i+1], *p = *p, nil
	}
}

func (t *table) halve() {
	old := t.heads
	t.resize(t.bits - 1)
	for i := range t.heads {
		p := &t.heads[i]
		*p = old[2*i]
		for *p != nil {
			p = &(*p).next
		}
		*p = old[2*i+1]
	}
}
