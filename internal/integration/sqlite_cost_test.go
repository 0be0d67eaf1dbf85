package integration_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// The table of round trips in the design, as far as a store alone decides it. The steps build on each other.
func TestSQLiteCostsAsManyStatementsAsPromised(t *testing.T) {
	ctx := context.Background()
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	store := migrated(t, db, "")
	rec := func(id string, version uint64) *session.Record {
		return &session.Record{ID: id, User: "ada", Version: version, ExpiresAt: time.UnixMicro(1)}
	}
	for _, step := range []struct {
		name string
		call func() error
		want error
		cost []string
	}{
		{"create", func() error { return store.Save(ctx, rec("a", 0)) }, nil, []string{"INSERT"}},
		{"create again", func() error { return store.Save(ctx, rec("a", 0)) }, session.ErrConflict, []string{"INSERT"}},
		{"load", func() error { _, err := store.Load(ctx, "a"); return err }, nil, []string{"SELECT"}},
		{"load nothing", func() error { _, err := store.Load(ctx, "b"); return err }, session.ErrNotFound,
			[]string{"SELECT"}},
		{"replace", func() error { return store.Save(ctx, rec("a", 1)) }, nil, []string{"UPDATE"}},
		{"conflict", func() error { return store.Save(ctx, rec("a", 1)) }, session.ErrConflict,
			[]string{"UPDATE", "SELECT"}},
		{"replace nothing", func() error { return store.Save(ctx, rec("b", 1)) }, session.ErrNotFound,
			[]string{"UPDATE", "SELECT"}},
		{"give to another user", func() error {
			return store.Save(ctx, &session.Record{ID: "a", User: "bob", Version: 2, ExpiresAt: time.UnixMicro(1)})
		}, nil, []string{"UPDATE", "SELECT", "UPDATE"}},
		{"retire", func() error {
			return store.Save(ctx, &session.Record{ID: "a", Kind: session.KindTombstone, Version: 3,
				ExpiresAt: time.UnixMicro(1)})
		}, nil, []string{"UPDATE"}},
		{"touch", func() error { return store.Touch(ctx, "a", 4, time.UnixMicro(2), time.UnixMicro(3)) }, nil,
			[]string{"UPDATE"}},
		{"list a user", func() error { _, err := store.ByUser(ctx, "ada"); return err }, nil, []string{"SELECT"}},
		{"page", func() error { _, err := store.Page(ctx, "", 10); return err }, nil, []string{"SELECT"}},
		{"sweep", func() error { _, err := store.Sweep(ctx, time.UnixMicro(9), 10); return err }, nil,
			[]string{"DELETE", "UPDATE"}},
		{"delete", func() error { return store.Delete(ctx, "a") }, nil, []string{"DELETE"}},
	} {
		count.take()
		if err := step.call(); !errors.Is(err, step.want) {
			t.Errorf("%s = %v, want %v", step.name, err, step.want)
		}
		var cost []string
		for _, text := range count.take() {
			verb, _, _ := strings.Cut(text, " ")
			cost = append(cost, verb)
		}
		if strings.Join(cost, ",") != strings.Join(step.cost, ",") {
			t.Errorf("%s cost %q, want %q", step.name, cost, step.cost)
		}
	}
}

// While SQLite deletes nobody else can write, so that a sweep deletes a few rows at a time.
func TestSQLiteSweepsAFewRowsAtATime(t *testing.T) {
	const expired, limit, few = 230, 200, 50
	ctx := context.Background()
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	store := migrated(t, db, "")
	for i := range expired {
		save(t, store, &session.Record{ID: fmt.Sprint(i), ExpiresAt: time.UnixMicro(1)})
	}
	for _, want := range []int{limit, expired - limit, 0} {
		count.take()
		n, err := store.Sweep(ctx, time.UnixMicro(2), limit)
		if statements := len(count.take()); n != want || err != nil || statements < want/few {
			t.Errorf("Sweep = %d, %v with %d statements, want %d, at most %d with each", n, err, statements, want, few)
		}
	}
}

// A manager that meets a conflict needs no load before it tries again.
func TestSQLiteConflictHandsOverTheNewestRecord(t *testing.T) {
	store := migrated(t, openSQLite(t, sqliteFile(t)), "")
	save(t, store, &session.Record{ID: "a", Data: []byte("one")})
	save(t, store, &session.Record{ID: "a", Data: []byte("two"), Version: 1})
	err := store.Save(context.Background(), &session.Record{ID: "a", Data: []byte("three"), Version: 1})
	var conflict *session.ConflictError
	if !errors.As(err, &conflict) || conflict.Newest == nil {
		t.Fatalf("Save = %v, want a ConflictError with the newest record", err)
	}
	if n := conflict.Newest; n.Version != 2 || string(n.Data) != "two" || n.ID != "a" {
		t.Errorf("the newest record is %v with %q", n, n.Data)
	}
}

func TestSQLitePreparesEachStatementOncePerConnection(t *testing.T) {
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	db.SetMaxOpenConns(1)
	store := migrated(t, db, "")
	if got := count.texts(); len(got) > 0 {
		t.Errorf("prepared before anything was asked: %q", got)
	}
	for range 3 {
		everyCall(context.Background(), store)
	}
	seen := map[string]int{}
	for _, text := range count.texts() {
		if seen[text]++; seen[text] > 1 {
			t.Errorf("prepared again on the only connection: %q", text)
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d statements are prepared, want 10", len(seen))
	}
	for _, text := range count.take() {
		if seen[text] == 0 && strings.Contains(text, "?") {
			t.Errorf("run without being prepared: %q", text)
		}
	}
}

// With a million rows, a statement that reads the whole table is an outage.
func TestSQLiteFindsRowsByAnIndex(t *testing.T) {
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	everyCall(context.Background(), migrated(t, db, ""))
	for _, text := range count.texts() {
		args := make([]any, strings.Count(text, "?"))
		rows, err := db.Query("EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(detail, "SCAN") && detail != "SCAN CONSTANT ROW" ||
				strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%s\nis done by %s", text, detail)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// SQLite writes to the index of a column that is set, be it to what it was. A save and a touch that move the end of a
// session to later set none that has an index.
func TestSQLiteASaveWritesToNoIndex(t *testing.T) {
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	store := migrated(t, db, "")
	save(t, store, &session.Record{ID: "a", ExpiresAt: time.UnixMicro(10)})
	before := len(count.texts())
	save(t, store, &session.Record{ID: "a", Version: 1, ExpiresAt: time.UnixMicro(20)})
	if err := store.Touch(t.Context(), "a", 2, time.UnixMicro(5), time.UnixMicro(30)); err != nil {
		t.Fatal(err)
	}
	updates := count.texts()[before:]
	if len(updates) != 2 {
		t.Errorf("a save and a touch prepared %q, want two statements", updates)
	}
	for _, text := range updates {
		for _, code := range opcodes(t, db, text) {
			if code == "IdxInsert" || code == "IdxDelete" {
				t.Errorf("%s\ndoes %s", text, code)
			}
		}
	}
}

// opcodes are the steps in which SQLite runs a statement.
func opcodes(t *testing.T, db *sql.DB, text string) (codes []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN "+text, make([]any, strings.Count(text, "?"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var code string
		var rest any
		if err := rows.Scan(&rest, &code, &rest, &rest, &rest, &rest, &rest, &rest); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	return codes
}

func TestSQLiteListingDoesNotReadData(t *testing.T) {
	db, count := openCounted(t, "file:"+sqliteFile(t)+sqliteOptions)
	store := migrated(t, db, "")
	save(t, store, &session.Record{ID: "a", User: "ada", Data: []byte("secret")})
	count.take()
	byUser, _ := store.ByUser(context.Background(), "ada")
	page, _ := store.Page(context.Background(), "", 10)
	for _, rec := range append(byUser, page...) {
		if rec.Data != nil {
			t.Errorf("a listed record has the data %q", rec.Data)
		}
	}
	for _, text := range count.take() {
		if strings.Contains(text, "data") {
			t.Errorf("selects data: %s", text)
		}
	}
}
