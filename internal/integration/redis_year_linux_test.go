package integration_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// However a session ends, and whether the server, a sweep or somebody else removes its record first: what led to it
// goes as well. Somebody who signs in every day is on his list as often as he has sessions, and after a year nothing is
// left.
func TestNothingIsLeftInRedisOfAYearOfSignIns(t *testing.T) {
	for name, addrs := range map[string][]string{"single": singleRedis(t), "cluster": clusterRedis(t)} {
		t.Run(name, func(t *testing.T) {
			y := newYear(t, addrs)
			for day := range 365 {
				for i := range 6 {
					y.session(fmt.Sprint("user ", i), day, i)
				}
				if day%30 == 29 { // the sweeper has paused for longer than the server keeps records past their end
					y.sweep(day)
				}
			}
			y.sweep(365 + 2)
			if keys := y.keys("*"); len(keys) > 0 {
				t.Errorf("%d keys are left, %q among them, want none", len(keys), keys[0])
			}
		})
	}
}

// year is a store in which time passes by what it is told.
type year struct {
	t      *testing.T
	client rueidis.Client
	prefix string
	store  *redisstore.Store
	began  time.Time
}

func newYear(t *testing.T, addrs []string) *year {
	y := &year{t: t, prefix: newPrefix(), began: time.Now().Truncate(time.Microsecond)}
	y.client = redisClient(t, rueidis.ClientOption{InitAddress: addrs})
	y.store = redisStore(t, y.client, redisstore.Options{Prefix: y.prefix})
	return y
}

func (y *year) after(days int) time.Time { return y.began.Add(time.Duration(days) * 24 * time.Hour) }

// session signs a user in, and ends the session in one of several ways.
func (y *year) session(user string, day, way int) {
	y.t.Helper()
	id, end := fmt.Sprint(user, " day ", day), y.after(day+1)
	save(y.t, y.store, &session.Record{ID: id, User: user, ExpiresAt: end})
	var err error
	switch (day + way) % 6 {
	case 0:
		y.expire(id)
	case 1:
		err = y.store.Delete(y.t.Context(), id)
	case 2:
		save(y.t, y.store, &session.Record{ID: id, User: user, Version: 1, Kind: session.KindTombstone, ExpiresAt: end})
	case 3: // a sweep meets it
	case 4:
		next := id + ", renewed"
		save(y.t, y.store, &session.Record{ID: next, User: user, ExpiresAt: end})
		alias := &session.Record{ID: id, User: user, Version: 1, Kind: session.KindAlias, Successor: next,
			ExpiresAt: end}
		save(y.t, y.store, alias)
		y.expire(id)
		y.expire(next)
	case 5:
		err = y.store.Touch(y.t.Context(), id, 1, y.after(day), end.Add(time.Hour))
		y.expire(id)
	}
	if err != nil {
		y.t.Fatal(err)
	}
}

// expire does what the server does when the TTL of a record is over.
func (y *year) expire(id string) {
	y.t.Helper()
	key := y.prefix + strings.TrimPrefix(redisKeyOf(id), "session:")
	if n, err := y.do("PEXPIRE", key, "0").AsInt64(); n != 1 || err != nil {
		y.t.Fatalf("the record %q expires: %d, %v", id, n, err)
	}
}

// sweep sweeps what has ended on that day. Then the lists lead to records, and nowhere else.
func (y *year) sweep(day int) {
	y.t.Helper()
	if _, err := y.store.Sweep(y.t.Context(), y.after(day), 10_000); err != nil {
		y.t.Fatal(err)
	}
	page, err := y.store.Page(y.t.Context(), "", 10_000)
	if err != nil {
		y.t.Fatal(err)
	}
	live := 0
	for _, rec := range page {
		if rec.Kind == session.KindLive && rec.User != "" {
			live++
		}
	}
	if listed := y.listed(); listed > live+6 { // of the last day, not all have ended yet
		y.t.Errorf("on day %d there are %d entries of %d sessions", day, listed, live)
	}
}

// listed is how many entries the lists of all users have.
func (y *year) listed() (n int) {
	y.t.Helper()
	for _, key := range y.keys("u{*") {
		entries, err := y.do("HLEN", key).AsInt64()
		if err != nil {
			y.t.Fatal(err)
		}
		n += int(entries)
	}
	return n
}

// keys are the keys of the store on all servers.
func (y *year) keys(pattern string) (keys []string) {
	y.t.Helper()
	prefix := regexp.MustCompile(`[*?\[\]\\^]`).ReplaceAllString(y.prefix, `\$0`)
	for _, node := range y.client.Nodes() {
		keys = append(keys, redisKeys(y.t, node, prefix+pattern)...)
	}
	return keys
}
