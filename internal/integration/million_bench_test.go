package integration_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"math"
	mathrand "math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
	mapstore "github.com/coatcheck/session/docs/writing-a-store"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
)

const (
	fewSessions = 1000
	turn        = 4096 // calls in a row on one store, so that its caches are warm for most of them
	batch       = 256  // calls whose arguments are made beforehand, outside the time that is taken
)

// BenchmarkPopulation compares a store that has COATCHECK_BENCH_SESSIONS sessions, 10000 when that is not set, with one
// that has a thousand. The two take turns, so that whatever else the machine does slows both. One operation is a turn
// of each; "few" and "many" are the nanoseconds of one call, "ratio" is the median of many/few over the turns.
//
// Load and Save take any of the sessions, each as likely as the others. HotLoad and HotSave take them out of a
// thousand, in the large store too: visitors who are there at the same time. The difference between the two is what
// caches do.
func BenchmarkPopulation(b *testing.B) {
	many := 10_000
	if n := population(b); n > fewSessions {
		many = n
	}
	for _, kind := range []struct {
		name  string
		open  func(b *testing.B) session.Store
		users int // one session in so many is signed in, 0 for none
	}{
		{"memstore", func(*testing.B) session.Store { return memstore.New(memstore.Options{}) }, 2},
		{"filestore", openFiles, 0}, // which waits for the disk when a user gets a session
		// what a map of pointers costs, for comparison
		{"map", func(*testing.B) session.Store { return mapstore.New() }, 2},
		{"sqlite", func(b *testing.B) session.Store { return migrated(b, openSQLite(b, sqliteFile(b)), "") }, 2},
	} {
		b.Run(kind.name, func(b *testing.B) {
			began := time.Now()
			few, large := newCrowd(b, kind.open(b), fewSessions, kind.users),
				newCrowd(b, kind.open(b), many, kind.users)
			b.Logf("%d and %d sessions made in %v", fewSessions, many, time.Since(began).Round(time.Second))
			b.Run("Load", func(b *testing.B) { compare(b, few, large, (*crowd).any, (*crowd).load) })
			b.Run("HotLoad", func(b *testing.B) { compare(b, few, large, (*crowd).hot, (*crowd).load) })
			b.Run("Save", func(b *testing.B) { compare(b, few, large, (*crowd).any, (*crowd).save) })
			b.Run("HotSave", func(b *testing.B) { compare(b, few, large, (*crowd).hot, (*crowd).save) })
		})
	}
}

// openFiles does not wait for the disk, for that would hide what the store itself costs.
func openFiles(b *testing.B) session.Store {
	b.Helper()
	store, err := filestore.New(b.TempDir(), filestore.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return store
}

// compare lets the stores take turns.
func compare(b *testing.B, few, many *crowd, pick func(*crowd) int,
	call func(*crowd, *testing.B, []int) time.Duration) {
	takeTurn := func(c *crowd) (spent time.Duration) {
		for range turn / batch {
			sessions := make([]int, batch)
			for i := range sessions {
				sessions[i] = pick(c)
			}
			spent += call(c, b, sessions)
		}
		return spent
	}
	takeTurn(few)
	takeTurn(many)
	var fewTime, manyTime time.Duration
	var ratios []float64
	for b.Loop() {
		f, m := takeTurn(few), takeTurn(many)
		fewTime, manyTime = fewTime+f, manyTime+m
		ratios = append(ratios, float64(m)/float64(f))
	}
	slices.Sort(ratios)
	calls := float64(len(ratios) * turn)
	b.ReportMetric(float64(fewTime)/calls, "few-ns/op")
	b.ReportMetric(float64(manyTime)/calls, "many-ns/op")
	b.ReportMetric(math.Round(100*ratios[len(ratios)/2])/100, "ratio")
	b.ReportMetric(0, "ns/op")
}

// crowd is a store and the sessions in it.
type crowd struct {
	session.Store
	ids      [][32]byte
	versions []uint64
	hotOnes  []int
	users    int
	now      time.Time // moves on with every save
}

func newCrowd(b *testing.B, store session.Store, n, users int) *crowd {
	b.Helper()
	c := &crowd{
		Store: store, ids: make([][32]byte, n), versions: make([]uint64, n), hotOnes: make([]int, fewSessions),
		users: users, now: time.Unix(4_000_000_000, 0),
	}
	all := make([]int, n)
	for i := range all {
		_, _ = rand.Read(c.ids[i][:])
		all[i] = i
	}
	for sessions := range slices.Chunk(all, batch) {
		c.save(b, sessions)
	}
	for i := range c.hotOnes {
		c.hotOnes[i] = c.any()
	}
	return c
}

func (c *crowd) any() int { return mathrand.IntN(len(c.ids)) }
func (c *crowd) hot() int { return c.hotOnes[mathrand.IntN(len(c.hotOnes))] }

func (c *crowd) id(i int) string { return hex.EncodeToString(c.ids[i][:]) }

func (c *crowd) load(b *testing.B, sessions []int) time.Duration {
	ids := make([]string, len(sessions))
	for i, n := range sessions {
		ids[i] = c.id(n)
	}
	ctx, began := context.Background(), time.Now()
	for _, id := range ids {
		if _, err := c.Load(ctx, id); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

// save saves 400 bytes for each session, and does not change whose it is.
func (c *crowd) save(b *testing.B, sessions []int) time.Duration {
	recs := make([]*session.Record, len(sessions))
	for i, n := range sessions {
		c.now = c.now.Add(time.Millisecond)
		recs[i] = &session.Record{
			ID: c.id(n), Version: c.versions[n], CreatedAt: c.now, SeenAt: c.now, ExpiresAt: c.now.Add(24 * time.Hour),
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)", Data: make([]byte, 400),
		}
		if c.users > 0 && n%c.users == 0 {
			recs[i].User = "user" + strconv.Itoa(n)
		}
		c.versions[n]++
	}
	ctx, began := context.Background(), time.Now()
	for _, rec := range recs {
		if err := c.Save(ctx, rec); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}
