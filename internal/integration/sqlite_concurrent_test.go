package integration_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// increment adds one to the number in the record's data by compare-and-set, as the manager replays an update.
func increment(ctx context.Context, store session.Store, id string) error {
	rec, err := store.Load(ctx, id)
	for err == nil {
		rec.Data = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(rec.Data)+1)
		err = store.Save(ctx, rec)
		var conflict *session.ConflictError
		if err == nil || !errors.As(err, &conflict) {
			return err
		}
		rec, err = conflict.Newest, nil
	}
	return err
}

// setJournal makes the table, and gives the file another journal, for which nobody else may have it open.
func setJournal(t *testing.T, path, mode string) {
	t.Helper()
	db := openSQLite(t, path)
	db.SetMaxOpenConns(1)
	migrated(t, db, "")
	if got := text(t, db, "PRAGMA journal_mode = "+mode); !strings.EqualFold(got, mode) {
		t.Fatalf("the journal's mode is %s, want %s", got, mode)
	}
	db.Close()
}

// Two databases on one file are what two processes have.
func TestSQLiteLosesNoIncrementOfTwoProcesses(t *testing.T) {
	const goroutines, each = 16, 20
	for _, mode := range []string{"WAL", "DELETE"} {
		t.Run(mode, func(t *testing.T) {
			path := sqliteFile(t)
			setJournal(t, path, mode)
			stores := []*sqlstore.Store{newSQLite(t, openSQLite(t, path), ""), newSQLite(t, openSQLite(t, path), "")}
			save(t, stores[0], &session.Record{ID: "a", Data: make([]byte, 8)})
			var all sync.WaitGroup
			for i := range goroutines {
				all.Go(func() {
					for range each {
						if err := increment(context.Background(), stores[i%2], "a"); err != nil {
							t.Errorf("increment = %v", err)
						}
					}
				})
			}
			all.Wait()
			rec := loaded(t, stores[0], "a")
			if got := binary.BigEndian.Uint64(rec.Data); got != goroutines*each || rec.Version != goroutines*each+1 {
				t.Errorf("%d increments at version %d, want %d", got, rec.Version, goroutines*each)
			}
		})
	}
}

// Parallel first requests meet a conflict, never the database's own error about a duplicate.
func TestSQLiteOfManyCreationsExactlyOneSucceeds(t *testing.T) {
	path := sqliteFile(t)
	stores := []*sqlstore.Store{migrated(t, openSQLite(t, path), ""), migrated(t, openSQLite(t, path), "")}
	errs := make(chan error, 32)
	for i := range cap(errs) {
		go func() {
			errs <- stores[i%2].Save(context.Background(), &session.Record{ID: "a", Data: []byte{byte(i)}})
		}()
	}
	created := 0
	for range cap(errs) {
		switch err := <-errs; {
		case err == nil:
			created++
		case !errors.Is(err, session.ErrConflict):
			t.Errorf("Save = %v, want ErrConflict", err)
		}
	}
	if created != 1 {
		t.Errorf("%d of %d creations succeeded", created, cap(errs))
	}
}

// locked takes the write lock of the file, as another process does, until the function returned is called.
func locked(t *testing.T, path string) (unlock func()) {
	t.Helper()
	conn, err := openSQLite(t, path).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(context.Background(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if _, err := conn.ExecContext(context.Background(), "COMMIT"); err != nil {
			t.Error(err)
		}
		conn.Close()
	})
}

// openImpatient opens the file without busy_timeout, so that the store alone decides how long to wait.
func openImpatient(t *testing.T, path string) (*sql.DB, *counter) {
	t.Helper()
	return openCounted(t, "file:"+path+"")
}

func TestSQLiteWaitsForAWriterOfAnotherProcess(t *testing.T) {
	path := sqliteFile(t)
	db, count := openImpatient(t, path)
	store := migrated(t, db, "")
	unlock := locked(t, path)
	done := make(chan error)
	go func() { done <- store.Save(context.Background(), &session.Record{ID: "a"}) }()
	for range 3 {
		if err := <-count.failed; !strings.Contains(err.Error(), "database is locked") {
			t.Errorf("the driver says %v", err)
		}
	}
	unlock()
	for {
		select {
		case <-count.failed: // one more that came before the end of the lock
			continue
		case err := <-done:
			if err != nil {
				t.Errorf("Save = %v", err)
			}
		}
		break
	}
	loaded(t, store, "a")
}

func TestSQLiteStopsWaitingWhenTheContextEnds(t *testing.T) {
	path := sqliteFile(t)
	db, count := openImpatient(t, path)
	store := migrated(t, db, "")
	save(t, store, &session.Record{ID: "a", User: "ada", ExpiresAt: time.UnixMicro(5)})
	defer locked(t, path)()
	for name, call := range map[string]func(context.Context) error{
		"create":  func(ctx context.Context) error { return store.Save(ctx, &session.Record{ID: "b"}) },
		"replace": func(ctx context.Context) error { return store.Save(ctx, &session.Record{ID: "a", Version: 1}) },
		"Delete":  func(ctx context.Context) error { return store.Delete(ctx, "a") },
		"Touch":   func(ctx context.Context) error { return store.Touch(ctx, "a", 1, time.UnixMicro(9), time.Time{}) },
		"Sweep":   func(ctx context.Context) error { _, err := store.Sweep(ctx, time.UnixMicro(9), 1); return err },
		"Migrate": newSQLite(t, db, "other").Migrate,
	} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- call(ctx) }()
		<-count.failed
		cancel()
		var err error
		for waiting := true; waiting; {
			select {
			case err = <-done:
				waiting = false
			case <-count.failed:
			}
		}
		if !errors.Is(err, context.Canceled) || errors.Is(err, session.ErrNotFound) ||
			errors.Is(err, session.ErrConflict) {
			t.Errorf("%s = %v, want context.Canceled", name, err)
		}
	}
	if rec := loaded(t, store, "a"); rec.Version != 1 || !rec.ExpiresAt.Equal(time.UnixMicro(5)) {
		t.Errorf("something was changed: %+v", *rec)
	}
}

func TestSQLiteCancelledCallChangesNothing(t *testing.T) {
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	store := migrated(t, db, "")
	save(t, store, &session.Record{ID: "a"})
	count.take()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for call, err := range everyCall(ctx, store) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s = %v, want context.Canceled", call, err)
		}
	}
	if ran := count.take(); len(ran) > 0 {
		t.Errorf("the database was asked %q", ran)
	}
}

// Visitors who go away in the middle of a call must not be noticed by the others, who share their connections.
func TestSQLiteCancelledCallsDisturbNobody(t *testing.T) {
	store := migrated(t, openSQLite(t, sqliteFile(t)), "")
	for i := range 4 {
		save(t, store, &session.Record{ID: fmt.Sprint(i), Data: make([]byte, 8)})
	}
	stop := make(chan struct{})
	var leaving, staying sync.WaitGroup
	for i := range 4 {
		leaving.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n%50)*10*time.Microsecond)
				err := increment(ctx, store, fmt.Sprint(i))
				cancel()
				if err != nil && ctx.Err() == nil {
					t.Errorf("increment = %v", err)
				}
			}
		})
	}
	for i := range 4 {
		staying.Go(func() {
			for range 100 {
				if err := increment(context.Background(), store, fmt.Sprint(i)); err != nil {
					t.Errorf("increment beside cancelled calls = %v", err)
				}
			}
		})
	}
	staying.Wait()
	close(stop)
	leaving.Wait()
	for i := range 4 {
		rec := loaded(t, store, fmt.Sprint(i))
		if got := binary.BigEndian.Uint64(rec.Data); got < 100 || got != rec.Version-1 {
			t.Errorf("session %d counts %d at version %d", i, got, rec.Version)
		}
	}
}
