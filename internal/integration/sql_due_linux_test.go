package integration_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// dueTable is a table that a test looks into.
type dueTable struct {
	*sql.DB
	store tableStore
	peer  tableStore // the same table on another node
	name  string
}

func eachDueTable(t *testing.T, fn func(t *testing.T, at dueTable)) {
	eachServer(t, func(t *testing.T, s server) {
		db, name := s.open(t), s.table()
		fn(t, dueTable{db.DB, s.store(t, db, name), s.store(t, s.open(t), name), name})
	})
	t.Run("SQLite", func(t *testing.T) {
		path := sqliteFile(t)
		db := openSQLite(t, path)
		fn(t, dueTable{db, migrated(t, db, ""), migrated(t, openSQLite(t, path), ""), "sessions"})
	})
}

// count counts the rows for which a condition holds.
func (d dueTable) count(t *testing.T, condition string) (n int) {
	t.Helper()
	err := d.QueryRow("SELECT count(*) FROM " + d.name + " WHERE " + condition).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs a statement that changes the table.
func (d dueTable) run(t *testing.T, format string) {
	t.Helper()
	if _, err := d.Exec(fmt.Sprintf(format, d.name)); err != nil {
		t.Fatal(err)
	}
}

func sweepAt(t *testing.T, store session.Sweeper, before int64, limit, want int) {
	t.Helper()
	if n, err := store.Sweep(t.Context(), time.UnixMicro(before), limit); n != want || err != nil {
		t.Errorf("Sweep(%d, %d) = %d, %v, want %d", before, limit, n, err, want)
	}
}

// moved saves a session of ada with one end, and then with others.
func moved(t *testing.T, store session.Store, id string, ends ...int64) {
	t.Helper()
	for version, end := range ends {
		rec := &session.Record{ID: id, User: "ada", Version: uint64(version), Data: fmt.Append(nil, version)}
		if end != 0 {
			rec.ExpiresAt = time.UnixMicro(end)
		}
		save(t, store, rec)
	}
}

// A save that moves the end of a session to later leaves the index of what is due as it was. The next sweep that meets
// the row puts the end there.
func TestASweepMeetsASessionThatMovedOnce(t *testing.T) {
	eachDueTable(t, func(t *testing.T, at dueTable) {
		moved(t, at.store, "a", 10, 20, 30)
		moved(t, at.store, "b", 10)
		if err := at.store.Touch(t.Context(), "b", 1, time.UnixMicro(5), time.UnixMicro(30)); err != nil {
			t.Fatal(err)
		}
		if n := at.count(t, "due_at = 10"); n != 2 {
			t.Errorf("%d sessions are due at their first end, want 2", n)
		}
		sweepAt(t, at.store, 15, 10, 0)
		if n := at.count(t, "due_at = 30 AND expires_at = 30"); n != 2 {
			t.Errorf("%d sessions are due at their last end after a sweep, want 2", n)
		}
		sweepAt(t, at.store, 30, 10, 0)
		sweepAt(t, at.store, 31, 10, 2)
	})
}

// An end that becomes earlier is due at once, and never is later than any end.
func TestASessionIsNeverDueTooLate(t *testing.T) {
	eachDueTable(t, func(t *testing.T, at dueTable) {
		moved(t, at.store, "earlier", 30, 10)
		moved(t, at.store, "later and earlier", 20, 90, 10)
		moved(t, at.store, "never and earlier", 0, 10)
		moved(t, at.store, "later", 10, 90)
		moved(t, at.store, "never", 10, 0)
		sweepAt(t, at.store, 11, 10, 3)
		moved(t, at.peer, "earlier", 10)
		sweepAt(t, at.peer, 11, 10, 1)
		if n := at.count(t, "due_at > 90 AND expires_at IS NULL OR due_at = 90"); n != 2 {
			t.Errorf("%d sessions wait for their end, want 2", n)
		}
		sweepAt(t, at.store, 1<<60, 10, 1)
		loaded(t, at.store, "never")
	})
}

// A sweep that meets nothing but sessions in use goes on to those that have ended, and keeps to its limit.
func TestASweepGoesOnPastSessionsInUse(t *testing.T) {
	eachDueTable(t, func(t *testing.T, at dueTable) {
		for i := range 60 {
			moved(t, at.store, fmt.Sprint("used", i), 10+int64(i)%3, 90)
		}
		for i := range 6 {
			moved(t, at.store, fmt.Sprint("ended", i), 20)
		}
		sweepAt(t, at.store, 50, 5, 5)
		if n := at.count(t, "due_at = 90"); n != 60 {
			t.Errorf("%d sessions are due at the end that they have now, want 60", n)
		}
		sweepAt(t, at.store, 50, 5, 1)
		sweepAt(t, at.store, 50, 5, 0)
	})
}

// A program that was built before there was this column neither fills it nor keeps it.
func TestRowsOfAnOlderProgramAreSwept(t *testing.T) {
	eachDueTable(t, func(t *testing.T, at dueTable) {
		insert := func(id, end string) {
			at.run(t, `INSERT INTO %[1]s (user_id, kind, successor, created_at, seen_at, login_at, expires_at,
				remote_ip, user_agent, persistent, data, version, id)
				SELECT user_id, kind, successor, created_at, seen_at, login_at, `+end+`,
				remote_ip, user_agent, persistent, data, version, '`+id+`' FROM %[1]s WHERE id = 'model'`)
		}
		moved(t, at.store, "model", 5)
		insert("ended", "10")
		insert("alive", "90")
		insert("never", "NULL")
		sweepAt(t, at.store, 11, 10, 2)
		if n := at.count(t, "due_at = 90 OR expires_at IS NULL AND due_at > 90"); n != 2 {
			t.Errorf("%d sessions wait for their end after a sweep, want 2", n)
		}
		at.run(t, "UPDATE %s SET expires_at = 20 WHERE id = 'alive'") // which makes it late, not everlasting
		sweepAt(t, at.store, 50, 10, 0)
		sweepAt(t, at.store, 91, 10, 1)
		loaded(t, at.store, "never")
	})
}

// Two nodes sweep while a third saves. Each session that has ended is counted once, and none in use is lost.
func TestTwoSweepersShareWhatIsDue(t *testing.T) {
	const each = 150
	eachDueTable(t, func(t *testing.T, at dueTable) {
		for i := range each {
			moved(t, at.store, fmt.Sprint("used", i), 10, 90)
			moved(t, at.store, fmt.Sprint("ended", i), 10)
		}
		var swept atomic.Int64
		var all sync.WaitGroup
		for _, store := range []tableStore{at.store, at.peer} {
			all.Go(func() { swept.Add(int64(sweepAll(t, store, 50))) })
			all.Go(func() {
				for i := range each {
					rec := &session.Record{ID: fmt.Sprint("used", i), User: "ada", Version: 2,
						ExpiresAt: time.UnixMicro(91)}
					_ = store.Save(context.Background(), rec) // one of the two succeeds
				}
			})
		}
		all.Wait()
		swept.Add(int64(sweepAll(t, at.store, 50))) // what was locked by a save
		if swept.Load() != each {
			t.Errorf("%d sessions were swept, want %d", swept.Load(), each)
		}
		if n := at.count(t, "expires_at = 91 AND due_at >= 50 AND due_at <= 91"); n != each {
			t.Errorf("%d sessions are there and wait for their end, want %d", n, each)
		}
	})
}

func sweepAll(t *testing.T, store session.Sweeper, before int64) (total int) {
	const limit = 20
	for {
		n, err := store.Sweep(context.Background(), time.UnixMicro(before), limit)
		if total += n; err != nil || n < limit {
			if err != nil {
				t.Errorf("Sweep = %v", err)
			}
			return total
		}
	}
}
