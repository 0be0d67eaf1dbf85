package guard

import (
	"encoding/binary"
	"slices"
)

// Strangers are counted in a fixed number of buckets. Which one a count is in follows from a keyed hash, so that nobody
// can choose it.
const (
	buckets   = 1024
	perBucket = 64
)

// entry is the count of one stranger.
type entry struct {
	who   who
	full  int64 // when the quota is whole again, by the clock, in microseconds
	until int64 // when the next request passes, however much is left; never after full. 0: at once
}

// who is what is kept of whoever is counted.
type who [12]byte

// bucket is the counts that share a place, at most perBucket.
type bucket []entry

// find returns the entry of a count, and a bucket without what need not be remembered. A count that has no entry gets
// one. No entry is kept for longer than a whole burst, wherever the clock has been.
//
// In a full bucket it gets the place, and the charge, of the one that is charged least. The charge comes along so that
// nobody is better off after a flood: whoever is pushed out comes back with at least as much as before. It comes along
// only as far as one request still passes, so that a flood locks nobody out. What is lost is the difference: each
// request beyond a limit costs whoever wants it at least a whole bucket of others that are counted.
func (b bucket) find(w who, now int64, l *rule) (bucket, *entry) {
	for i := range b {
		b[i].full, b[i].until = min(b[i].full, now+l.whole), min(b[i].until, now+l.every)
	}
	b = slices.DeleteFunc(b, func(e entry) bool { return e.full <= now })
	at := slices.IndexFunc(b, func(e entry) bool { return e.who == w })
	switch {
	case at >= 0:
	case len(b) < perBucket:
		at, b = len(b), append(b, entry{who: w})
	default: // of those that are charged alike the eldest goes, or two strangers could push each other out by turns
		i := b.least()
		full := min(b[i].full, now+l.most())
		at, b = perBucket-1, append(slices.Delete(b, i, i+1), entry{who: w, full: full})
	}
	return b, &b[at]
}

func (b bucket) least() int {
	least := 0
	for i, e := range b {
		if e.full < b[least].full {
			least = i
		}
	}
	return least
}

// without is the bucket without the count.
func (b bucket) without(w who) bucket {
	return slices.DeleteFunc(b, func(e entry) bool { return e.who == w })
}

// end is when all quotas of the bucket are whole again.
func (b bucket) end() (end int64) {
	for _, e := range b {
		end = max(end, e.full)
	}
	return end
}

// bucketVersion begins the bytes of a bucket.
const bucketVersion = 1

const entrySize = len(who{}) + 8 + 8

func (b bucket) bytes() []byte {
	data := append(make([]byte, 0, 1+len(b)*entrySize), bucketVersion)
	for _, e := range b {
		data = append(data, e.who[:]...)
		data = binary.BigEndian.AppendUint64(data, uint64(e.full))
		data = binary.BigEndian.AppendUint64(data, uint64(e.until))
	}
	return data
}

// bucketOf reads what bytes wrote. Anything else is an empty bucket: a release that writes others begins to count anew.
func bucketOf(data []byte) bucket {
	if len(data) == 0 || data[0] != bucketVersion || (len(data)-1)%entrySize != 0 ||
		len(data)-1 > perBucket*entrySize {
		return nil
	}
	b := make(bucket, 0, perBucket)
	for data = data[1:]; len(data) > 0; data = data[entrySize:] {
		e := entry{who: who(data)}
		e.full = int64(binary.BigEndian.Uint64(data[len(e.who):]))
		e.until = int64(binary.BigEndian.Uint64(data[len(e.who)+8:]))
		b = append(b, e)
	}
	return b
}
