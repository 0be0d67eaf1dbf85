package guard

import (
	"math/bits"
	"net/http"
	"time"
)

// slow makes the waits of a rule grow: as many requests as free allows pass at once, and after each further one the
// next has to wait twice as long. The zero value is no such thing. All of it is in microseconds.
type slow struct {
	free  int64 // what may be charged before anybody waits
	first int64 // the first wait
}

// newSlowRule is a rule by which so many requests pass at once. After them the waits begin, and grow up to every, in
// which one request is forgiven.
func newSlowRule(name string, requests int, first, every time.Duration) rule {
	rule := newRule(Limit{Name: name, Requests: 1, Per: every, Burst: requests})
	doublings := bits.Len64(uint64(every / first)) // until the wait is as long as every
	rule.policy = rule.quoted + ";q=" + integer(int64(requests)) + ";w=" + seconds(micros(rule.whole))
	rule.slow = slow{free: rule.whole, first: max(first.Microseconds(), 1)}
	rule.whole = min(rule.whole+int64(doublings+1)*rule.every, longest)
	return rule
}

// judgeEntry is judge for an entry that find has returned.
func (l *rule) judgeEntry(e entry, at time.Time) verdict {
	if l.slow.first == 0 {
		return l.judge(e.full, at)
	}
	now := at.UnixMicro()
	v := verdict{full: max(e.full, now), until: e.until}
	if v.ok = v.until <= now; v.ok {
		v.full = min(v.full+l.every, now+l.whole)
		v.until = l.slow.next(now, v.full, l.every)
	} else {
		v.wait = micros(v.until - now)
	}
	v.left = max(now+l.slow.free-v.full, 0) / l.every
	v.reset = micros(v.full - now)
	return v
}

// next is when the next request passes, 0 for at once: while there is room for a whole one.
func (s slow) next(now, full, every int64) int64 {
	over := full - now - s.free
	if over <= -every {
		return 0
	}
	doublings := min((max(over, 0)+every-1)/every, 62-int64(bits.Len64(uint64(s.first))))
	return now + min(s.first<<doublings, every)
}

// most is what a count may be charged at most so that one more request passes, and is not the last one at once.
func (l *rule) most() int64 {
	if l.slow.first != 0 {
		return l.slow.free - l.every
	}
	return l.whole - l.every
}

// takeIn admits a request by a change of the bucket that has its count.
func (g *Guard) takeIn(r *http.Request, in counts, rule *rule, at place) (verdict, error) {
	var v verdict
	ctx, cancel := bounded(r.Context())
	defer cancel()
	err := in.change(ctx, at.bucket, func(b bucket) (bucket, bool) {
		now := g.m.Now() // after the bucket was read: see takeSession
		b, e := b.find(at.who, now.UnixMicro(), rule)
		v = rule.judgeEntry(*e, now)
		e.full, e.until = v.full, v.until
		return b, v.ok
	})
	if err != nil { // the function may still run
		return verdict{}, err
	}
	return v, nil
}
