package integration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// do runs a command on the servers of a year.
func (y *year) do(command, key string, args ...string) rueidis.RedisResult {
	y.t.Helper()
	reply := y.client.Do(y.t.Context(), y.client.B().Arbitrary(command).Keys(key).Args(args...).Build())
	if err := reply.Error(); err != nil {
		y.t.Fatal(err)
	}
	return reply
}

// age makes of an index the form in which ends had no lists, and all entries of lists older than those that may be on
// their way.
func (y *year) age() {
	y.t.Helper()
	const entry = 48 // list and token
	due := y.keys("d{*")
	if len(due) == 0 {
		y.t.Fatal("nothing is due")
	}
	for _, key := range due {
		dues, err := y.do("ZRANGE", key, "0", "-1", "WITHSCORES").AsZScores()
		if err != nil {
			y.t.Fatal(err)
		}
		for _, due := range dues {
			y.do("ZADD", strings.Replace(key, ":d{", ":e{", 1), fmt.Sprintf("%.0f", due.Score), due.Member[entry:])
		}
		y.do("DEL", key)
	}
	for _, key := range y.keys("u{*") {
		entries, err := y.do("HGETALL", key).AsStrMap()
		if err != nil {
			y.t.Fatal(err)
		}
		for id, value := range entries {
			y.do("HSET", key, id, value[:16]+"1000000000")
		}
	}
}

// What the first releases stored has no list beside the end of a session. It is swept all the same, and where a record
// went by its TTL first, the lists are looked through.
func TestRedisClearsWhatWasStoredInTheOldForm(t *testing.T) {
	for name, addrs := range map[string][]string{"single": singleRedis(t), "cluster": clusterRedis(t)} {
		for last, met := range map[string]func(*year){
			"a sweep": func(*year) {},
			"a list of all": func(y *year) {
				if _, err := y.store.Page(t.Context(), "", 1000); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(name+", first met by "+last, func(t *testing.T) {
				y := newYear(t, addrs)
				y.prefix += "odd*[a]?\\:"
				y.store = redisStore(t, y.client, redisstore.Options{Prefix: y.prefix})
				end := y.after(1)
				for i := range 60 {
					save(t, y.store, &session.Record{ID: fmt.Sprint("id", i), User: fmt.Sprint("user ", i%7),
						ExpiresAt: end})
				}
				y.age()
				for i := range 60 {
					y.endOld(fmt.Sprint("id", i), fmt.Sprint("user ", i%7), end, i%5)
				}
				met(y)
				if _, err := y.store.Sweep(t.Context(), end.Add(2*time.Hour), 1000); err != nil {
					t.Fatal(err)
				}
				if keys := y.keys("*"); len(keys) > 0 {
					t.Errorf("%q are left, want nothing", keys)
				}
			})
		}
	}
}

// Who may not SCAN sweeps all the same: it leaves the lists of users to those who list them.
func TestRedisSweepsTheOldFormWithoutTheRightToScan(t *testing.T) {
	rights := slices.DeleteFunc(redisRights(t), func(right string) bool { return right == "+scan" })
	r, limited := limitedRedis(t, rights)
	y := newYear(t, []string{r.Addr})
	y.prefix = "session:"
	y.store = redisStore(t, limited, redisstore.Options{})
	save(t, y.store, &session.Record{ID: "a", User: "ada", ExpiresAt: y.after(1)})
	y.age()
	y.expire("a")
	for range 2 {
		if n, err := y.store.Sweep(t.Context(), y.after(2), 10); n != 0 || err != nil {
			t.Errorf("Sweep = %d, %v, want 0: the record was gone", n, err)
		}
	}
	if recs, err := y.store.ByUser(t.Context(), "ada"); len(recs) != 0 || err != nil {
		t.Errorf("ByUser = %v, %v, want none", recs, err)
	}
	if keys := y.keys("*"); len(keys) > 0 {
		t.Errorf("%q are left, want nothing", keys)
	}
}

// endOld ends a session that was stored in the old form.
func (y *year) endOld(id, user string, end time.Time, way int) {
	y.t.Helper()
	var err error
	switch way {
	case 0:
		y.expire(id)
	case 1:
		err = y.store.Delete(y.t.Context(), id)
	case 2:
		err = y.store.Touch(y.t.Context(), id, 1, end, end.Add(time.Hour))
		y.expire(id)
	case 3:
		save(y.t, y.store, &session.Record{ID: id, User: user, Version: 1, Kind: session.KindTombstone, ExpiresAt: end})
		y.expire(id)
	}
	if err != nil {
		y.t.Fatal(err)
	}
}

// While a release replaces another one, the older moves ends without a word to the new index. Such a session is not
// dropped too early, and keeps no other from being swept.
func TestRedisSweepsWhatAnOlderReleaseHasMoved(t *testing.T) {
	y := newYear(t, singleRedis(t))
	const sessions = 1000
	for i := range sessions {
		save(t, y.store, &session.Record{ID: fmt.Sprint("moved", i), User: "ada", ExpiresAt: y.after(2)})
	}
	for _, key := range y.keys("d{*") {
		members, err := y.do("ZRANGE", key, "0", "-1").AsStrSlice()
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range members {
			y.do("ZADD", key, "1", member)
		}
	}
	for i := range sessions {
		save(t, y.store, &session.Record{ID: fmt.Sprint("id", i), User: "ada", ExpiresAt: y.after(1)})
	}
	for _, tt := range []struct {
		before time.Time
		want   int
	}{
		{y.after(1), 0}, {y.after(1).Add(time.Microsecond), sessions},
		{y.after(2), 0}, {y.after(2).Add(time.Microsecond), sessions},
	} {
		n := 0
		for range 50 {
			swept, err := y.store.Sweep(t.Context(), tt.before, 100)
			if err != nil {
				t.Fatal(err)
			}
			n += swept
		}
		if n != tt.want {
			t.Errorf("Sweep before %v = %d, want %d", tt.before, n, tt.want)
		}
	}
	if keys := y.keys("*"); len(keys) > 0 {
		t.Errorf("%d keys are left, want none", len(keys))
	}
}

// The old index may have sessions in use that are in the new one by now. They keep no other from being swept, and a
// sweep of less than its limit has left nothing.
func TestRedisSweepsPastWhatBothIndexesHave(t *testing.T) {
	y := newYear(t, singleRedis(t))
	group, _, _ := strings.Cut(redisKeyOf("x"), "}")
	var ids []string
	for i := 0; len(ids) < 20; i++ {
		if id := fmt.Sprint("id", i); strings.HasPrefix(redisKeyOf(id), group) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids[:10] {
		save(t, y.store, &session.Record{ID: id, ExpiresAt: y.after(1)})
	}
	y.age()
	for _, id := range ids[10:] {
		save(t, y.store, &session.Record{ID: id, ExpiresAt: y.after(3)})
		y.oldDue(id)
	}
	if n, err := y.store.Sweep(t.Context(), y.after(2), 64); n != 10 || err != nil {
		t.Errorf("Sweep = %d, %v, want the 10 that have ended", n, err)
	}
}

// oldDue makes an id due in the old index before all others.
func (y *year) oldDue(id string) {
	y.t.Helper()
	tag, _, _ := strings.Cut(strings.TrimPrefix(redisKeyOf(id), "session:s"), "}")
	y.do("ZADD", y.prefix+"e"+tag+"}", "1", id)
}

// A record whose head is not whole is in the old index alone, and goes when it ends.
func TestRedisSweepsATornRecordInTheOldForm(t *testing.T) {
	y := newYear(t, singleRedis(t))
	save(t, y.store, &session.Record{ID: "a", ExpiresAt: y.after(3)})
	key := y.prefix + strings.TrimPrefix(redisKeyOf("a"), "session:")
	value, err := y.do("GET", key).ToString()
	if err != nil {
		t.Fatal(err)
	}
	y.age()
	y.oldDue("a")
	y.do("SET", key, value[:70])
	for _, want := range []int{0, 0, 1} {
		before := y.after(2)
		if want > 0 {
			before = y.after(4)
		}
		if n, err := y.store.Sweep(t.Context(), before, 10); n != want || err != nil {
			t.Errorf("Sweep = %d, %v, want %d", n, err, want)
		}
	}
	if keys := y.keys("*"); len(keys) > 0 {
		t.Errorf("%q are left, want nothing", keys)
	}
}
