package transfer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Journal is a file that remembers what was copied between two stores. By it a later run knows a session that is not
// there yet from one that has ended there, and a copy that nobody has used from one that the site has changed. It holds
// ids and numbers only.
type Journal struct{ db *sql.DB }

// entry is what was copied of a record.
type entry struct {
	ID      string
	Version uint64 // of the original
	Seen    int64  // of the original, in microseconds
	Target  uint64 // the version of the copy
	Done    bool   // the copy is known to be there; otherwise it was about to be made
}

// tables holds one row for each record. pass is the pass that met the original last. It takes the lock, and the pragma
// keeps it: of two that only read at first, each would keep the other from writing.
const tables = `
BEGIN EXCLUSIVE;
CREATE TABLE IF NOT EXISTS stores (names TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS copies (id TEXT PRIMARY KEY, version INTEGER NOT NULL, seen INTEGER NOT NULL,
	target INTEGER NOT NULL, done INTEGER NOT NULL, pass INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS copies_pass ON copies (pass);
COMMIT`

// OpenJournal opens the file, or makes it, for copies between two stores. Only one process at a time has it open.
func OpenJournal(ctx context.Context, path, from, to string) (*Journal, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(abs, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	f.Close() // nothing was written
	uri := url.URL{Scheme: "file", Path: "/" + filepath.ToSlash(abs)[1:],
		RawQuery: "_pragma=locking_mode(EXCLUSIVE)&_pragma=synchronous(FULL)"}
	if os.PathSeparator != '/' {
		uri.Path = "/" + filepath.ToSlash(abs)
	}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	j := &Journal{db}
	if err := j.begin(ctx, from+" to "+to); err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), db.Close())
	}
	return j, nil
}

// begin makes the tables, or refuses those of other stores.
func (j *Journal) begin(ctx context.Context, names string) error {
	_, err := j.db.ExecContext(ctx, tables)
	if of := (*sqlite.Error)(nil); errors.As(err, &of) && of.Code() == sqlite3.SQLITE_BUSY {
		return fmt.Errorf("%w; another copy may have it open", err)
	}
	if err != nil {
		return err
	}
	var found string
	err = j.db.QueryRowContext(ctx, "SELECT names FROM stores").Scan(&found)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = j.db.ExecContext(ctx, "INSERT INTO stores VALUES (?)", names)
	case err == nil && found != names:
		err = fmt.Errorf("it belongs to a copy from %s: name another file with --journal", found)
	}
	return err
}

// Close closes the file.
func (j *Journal) Close() error { return j.db.Close() }

// lastPass is the highest number of a pass so far.
func (j *Journal) lastPass(ctx context.Context) (n int, err error) {
	err = j.db.QueryRowContext(ctx, "SELECT coalesce(max(pass), 0) FROM copies").Scan(&n)
	return n, err
}

// find returns what is known of some records.
func (j *Journal) find(ctx context.Context, ids []string) (map[string]entry, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return j.query(ctx, "SELECT id, version, seen, target, done FROM copies WHERE id IN (SELECT value FROM "+
		"json_each(?))", string(list))
}

// unmet returns some of the records whose originals were met last before a pass, in the order of their ids.
func (j *Journal) unmet(ctx context.Context, pass int, after string, limit int) (map[string]entry, error) {
	return j.query(ctx, "SELECT id, version, seen, target, done FROM copies WHERE pass < ? AND id > ? ORDER BY id "+
		"LIMIT ?", pass, after, limit)
}

func (j *Journal) query(ctx context.Context, query string, args ...any) (map[string]entry, error) {
	rows, err := j.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[string]entry{}
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.ID, &e.Version, &e.Seen, &e.Target, &e.Done); err != nil {
			return nil, err
		}
		found[e.ID] = e
	}
	return found, rows.Err()
}

// put writes entries down, all or none, as met by a pass.
func (j *Journal) put(ctx context.Context, pass int, entries []entry) error {
	return j.all(ctx, "INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?)", entries, func(e entry) []any {
		return []any{e.ID, e.Version, e.Seen, e.Target, e.Done, pass}
	})
}

// forget removes entries.
func (j *Journal) forget(ctx context.Context, entries []entry) error {
	return j.all(ctx, "DELETE FROM copies WHERE id = ?", entries, func(e entry) []any { return []any{e.ID} })
}

// all runs a statement for each entry in one transaction.
func (j *Journal) all(ctx context.Context, statement string, entries []entry, args func(entry) []any) error {
	if len(entries) == 0 {
		return nil
	}
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // of nothing, once it is committed
	prepared, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return err
	}
	defer prepared.Close()
	for _, e := range entries {
		if _, err := prepared.ExecContext(ctx, args(e)...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
