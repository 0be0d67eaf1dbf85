package integration_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// A database that may not grow takes no new session, and lets go of every one that it has.
func TestSQLiteEndsSessionsInADatabaseThatMayNotGrow(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+sqliteFile(t)+sqliteOptions+"&_pragma=max_page_count(60)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := migrated(t, db, "")
	records := 0
	for ; err == nil; records++ {
		err = store.Save(t.Context(), sessionOf(records))
	}
	checkFull(t, err)
	endSessions(t, store, records-1)
}

// The log of a database cannot grow on a full disk. What is in it goes to where it belongs, and a session that ends has
// room again. A limit on the size of files stands for the disk here: it needs no rights to set.
func TestSQLiteEndsSessionsWhenTheLogMayNotGrow(t *testing.T) {
	path := sqliteFile(t)
	store := migrated(t, openSQLite(t, path), "")
	const records = 60
	for i := range records {
		save(t, store, sessionOf(i))
	}
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	limitFiles(t, uint64(info.Size()))
	checkFull(t, store.Save(t.Context(), sessionOf(records)))
	endSessions(t, store, records)
}

// Where the index has no room for sessions that are due later than it says, the sweep removes what has ended past them.
func TestSQLiteSweepsADatabaseThatMayNotGrow(t *testing.T) {
	db := openSQLite(t, sqliteFile(t))
	db.SetMaxOpenConns(1) // the limit is one of the connection
	store := migrated(t, db, "")
	const used, ended = 3000, 300
	for i := range used + ended {
		end := time.UnixMicro(map[bool]int64{true: 90, false: 20}[i < used])
		save(t, store, &session.Record{ID: fmt.Sprintf("%04d", i), ExpiresAt: end})
	}
	for _, text := range []string{"UPDATE sessions SET due_at = 1 WHERE expires_at = 90", "VACUUM"} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec("PRAGMA max_page_count = " + text(t, db, "PRAGMA page_count")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{ended - 100, 100, 0} {
		if n, err := store.Sweep(t.Context(), time.UnixMicro(50), ended-100); n != want || err != nil {
			t.Errorf("Sweep = %d, %v, want %d", n, err, want)
		}
	}
}

func sessionOf(i int) *session.Record {
	return &session.Record{ID: fmt.Sprint("id", i), User: "ada", ExpiresAt: time.UnixMicro(int64(i)),
		Data: make([]byte, 3000)}
}

func checkFull(t *testing.T, err error) {
	t.Helper()
	if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict) ||
		!strings.Contains(err.Error(), "free space") {
		t.Errorf("Save without room = %v, want an error that says what to do", err)
	}
}

// endSessions retires, deletes and sweeps a third each.
func endSessions(t *testing.T, store *sqlstore.Store, n int) {
	t.Helper()
	for i := range n {
		id := fmt.Sprint("id", i)
		switch {
		case i < n/3: // left to the sweep
		case i%2 == 0:
			rec := loaded(t, store, id)
			rec.Kind, rec.Data, rec.ExpiresAt = session.KindTombstone, nil, time.Time{}
			save(t, store, rec)
		default:
			if err := store.Delete(t.Context(), id); err != nil {
				t.Fatalf("Delete(%q) = %v", id, err)
			}
		}
	}
	if swept, err := store.Sweep(t.Context(), time.UnixMicro(int64(n)), n); err != nil || swept != n/3 {
		t.Errorf("Sweep = %d, %v, want %d", swept, err, n/3)
	}
	if recs, err := store.ByUser(t.Context(), "ada"); err != nil || len(recs) != 0 {
		t.Errorf("the user has %d sessions, %v, want none", len(recs), err)
	}
}

// limitFiles keeps every file of this program from growing beyond a size while the test runs.
func limitFiles(t *testing.T, size uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		signal.Reset(syscall.SIGXFSZ)
	})
}
