package memstore

import (
	"time"

	"github.com/coatcheck/session"
)

// rank is a place in a queue. It has a time in its parts, which take half the room and are compared faster.
type rank struct {
	sec   int64
	nsec  int32
	class class
}

func rankOf(c class, t time.Time) rank { return rank{t.Unix(), int32(t.Nanosecond()), c} }

func (r rank) before(o rank) bool {
	switch {
	case r.class != o.class:
		return r.class < o.class
	case r.sec != o.sec:
		return r.sec < o.sec
	}
	return r.nsec < o.nsec
}

// dueKey ranks by the time of expiry.
func dueKey(e *entry) (rank, bool) {
	return rankOf(0, e.rec.ExpiresAt), !e.rec.ExpiresAt.IsZero()
}

// idleKey ranks sessions by who can best be missed, the longest unseen first.
func idleKey(e *entry) (rank, bool) {
	return rankOf(classOf(e), e.rec.SeenAt), e.rec.Kind == session.KindLive
}

// retiredKey ranks retired ids in the same way.
func retiredKey(e *entry) (rank, bool) {
	return rankOf(classOf(e), e.rec.SeenAt), e.rec.Kind != session.KindLive
}

// queue gives the entry of the lowest rank. It is a heap that is put right late: an entry may stand in it with a lower
// rank than it has by now, never with a higher one. So a touch, which only raises a rank, costs nothing here.
type queue struct {
	which int // which of the positions in an entry is ours
	key   func(*entry) (r rank, queued bool)
	slots []slot // from 1 on: the children of i are 2i and 2i+1
}

// slot holds the rank beside the entry, so that comparing does not have to fetch the entry.
type slot struct {
	rank rank
	e    *entry
}

// standing is where the record of an entry belongs.
type standing struct {
	rank   rank
	queued bool
}

func (q *queue) standing(e *entry) standing {
	r, queued := q.key(e)
	return standing{r, queued}
}

// falls says whether the record that e has now has a lower rank than the one it had. While it has not, its entry stands
// early enough, and its slot need not be fetched.
func (q *queue) falls(was standing, e *entry) bool {
	is := q.standing(e)
	return is.queued && (!was.queued || is.rank.before(was.rank))
}

// update sees to it that e does not stand too late. A rank that rose is left to top.
func (q *queue) update(e *entry) {
	r, queued := q.key(e)
	i := q.pos(e)
	switch {
	case i == 0 && queued:
		q.push(slot{r, e})
	case i > 0 && queued && r.before(q.slots[i].rank):
		q.slots[i].rank = r
		q.up(i)
	}
}

// top returns the entry of the lowest rank, nil when there is none, and puts right what stood too early.
func (q *queue) top() *entry {
	for {
		if e, right := q.first(); right {
			return e
		}
	}
}

// first returns the entry that stands first, nil when there is none, and whether it does so by right. One that stood
// too early is put right, and another one may be first then.
func (q *queue) first() (e *entry, right bool) {
	if len(q.slots) <= 1 {
		return nil, true
	}
	s := q.slots[1]
	r, queued := q.key(s.e)
	switch {
	case !queued:
		q.remove(s.e)
	case s.rank.before(r):
		q.slots[1].rank = r
		q.down(1)
	default:
		return s.e, true
	}
	return nil, false
}

func (q *queue) push(s slot) {
	if len(q.slots) == 0 {
		q.slots = append(q.slots, slot{})
	}
	q.slots = append(q.slots, s)
	q.put(len(q.slots) - 1)
	q.up(len(q.slots) - 1)
}

// remove takes e out; it need not be in.
func (q *queue) remove(e *entry) {
	i := q.pos(e)
	if i == 0 {
		return
	}
	last := len(q.slots) - 1
	q.swap(i, last)
	q.slots[last] = slot{}
	q.slots = q.slots[:last]
	e.pos[q.which] = 0
	if i < last {
		q.down(i)
		q.up(i)
	}
}

func (q *queue) up(i int) {
	for i > 1 && q.slots[i].rank.before(q.slots[i/2].rank) {
		q.swap(i, i/2)
		i /= 2
	}
}

func (q *queue) down(i int) {
	for child := 2 * i; child < len(q.slots); child = 2 * i {
		if child+1 < len(q.slots) && q.slots[child+1].rank.before(q.slots[child].rank) {
			child++
		}
		if !q.slots[child].rank.before(q.slots[i].rank) {
			return
		}
		q.swap(i, child)
		i = child
	}
}

func (q *queue) swap(i, j int) {
	q.slots[i], q.slots[j] = q.slots[j], q.slots[i]
	q.put(i)
	q.put(j)
}

// pos is where an entry stands, 0 when it is not in.
func (q *queue) pos(e *entry) int { return int(e.pos[q.which]) }

// put tells the entry of a slot where it stands. A shard has far fewer of them than that number can count.
func (q *queue) put(i int) { q.slots[i].e.pos[q.which] = int32(i) }
