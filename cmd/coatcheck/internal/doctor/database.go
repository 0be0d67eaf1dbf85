package doctor

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/migration"
	"github.com/coatcheck/session/sqlstore"
)

// database looks at the table and at the server's settings.
func (p *patient) database(ctx context.Context) {
	db, opts, err := p.cfg.OpenDatabase(ctx)
	if err != nil {
		p.add("database", false, Fail, err.Error(), "")
		return
	}
	defer db.Close()
	opts.Table = cmp.Or(opts.Table, "sessions")
	if !p.schema(ctx, db, opts) {
		return
	}
	p.indexes(ctx, db, opts)
	switch opts.Dialect {
	case sqlstore.SQLite:
		p.sqlite(ctx, db)
	case sqlstore.PostgreSQL:
		p.postgreSQL(ctx, db, opts.Table)
		p.clock(ctx, db, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
	case sqlstore.MySQL:
		p.mysql(ctx, db)
		p.clock(ctx, db, "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)")
	}
}

func (p *patient) schema(ctx context.Context, db *sql.DB, opts sqlstore.Options) bool {
	store, err := sqlstore.New(db, opts)
	if err != nil {
		p.add("schema", false, Fail, err.Error(), "")
		return false
	}
	defer store.Close()
	at, known, err := migration.Version(ctx, store)
	if err != nil {
		p.add("schema", false, Fail, err.Error(), "")
		return false
	}
	p.add("schema", at >= known, Fail, fmt.Sprintf("the table is at step %d of %d", at, known),
		"run coatcheck db migrate")
	return true
}

// older opens a table that an older release made. The site refuses it, and so would hide all else that is wrong; schema
// tells of it. The manager is nil where that is not what keeps the site from its store.
func (p *patient) older(ctx context.Context, secrets []session.Secret, why error) (m *session.Manager,
	store session.Store, done func()) {
	none := func() {}
	if p.cfg.Store != "database" || errors.Is(why, fs.ErrNotExist) { // a file that would be made
		return nil, nil, none
	}
	db, opts, err := p.cfg.OpenDatabase(ctx)
	if err != nil {
		return nil, nil, none
	}
	table, err := sqlstore.New(db, opts)
	if err == nil {
		m, err = p.managerOf(ctx, table, secrets)
	}
	if err != nil || m == nil {
		return nil, nil, func() { _ = db.Close() }
	}
	return m, table, func() { _ = errors.Join(m.Close(), table.Close(), db.Close()) } // everything was read
}

// managerOf returns nil unless an older release made the table.
func (p *patient) managerOf(ctx context.Context, table *sqlstore.Store, secrets []session.Secret) (*session.Manager,
	error) {
	at, known, err := table.SchemaVersion(ctx)
	if err != nil || at == 0 || at >= known {
		return nil, err
	}
	opts := p.cfg.Options
	opts.Secrets, opts.SecretSource = secrets, nil
	return session.New(table, opts)
}

// indexQueries count the columns that the two indexes of a table lead with, whatever the indexes are called. The name
// of the table has no quotes: sqlstore has checked it.
var indexQueries = map[sqlstore.Dialect]string{
	sqlstore.SQLite: `SELECT count(DISTINCT c.name) FROM pragma_index_list('%s') AS i, pragma_index_info(i.name) AS c
		WHERE c.seqno = 0 AND c.name IN ('user_id', 'due_at')`,
	sqlstore.PostgreSQL: `SELECT count(DISTINCT c.attname) FROM pg_catalog.pg_index AS i
		JOIN pg_catalog.pg_attribute AS c ON c.attrelid = i.indrelid AND c.attnum = i.indkey[0]
		WHERE i.indrelid = to_regclass('"%s"') AND i.indisvalid AND c.attname IN ('user_id', 'due_at')`,
	sqlstore.MySQL: `SELECT count(DISTINCT column_name) FROM information_schema.statistics
		WHERE table_schema = database() AND table_name = '%s' AND seq_in_index = 1
		AND column_name IN ('user_id', 'due_at')`,
}

func (p *patient) indexes(ctx context.Context, db *sql.DB, opts sqlstore.Options) {
	var n int
	if err := db.QueryRowContext(ctx, fmt.Sprintf(indexQueries[opts.Dialect], opts.Table)).Scan(&n); err != nil {
		p.unknown("indexes", err)
		return
	}
	p.add("indexes", n == 2, Warn, fmt.Sprintf("%d of 2 exist", n),
		"without them a sweep, and the list of a user, read the whole table")
}

// unknown says that something could not be looked up.
func (p *patient) unknown(name string, err error) {
	p.add(name, false, Warn, "it could not be checked: "+err.Error(), "")
}

// settings reads pairs of names and values, in lower case.
func settings(ctx context.Context, db *sql.DB, query string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	set := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		set[strings.ToLower(name)] = strings.ToLower(value)
	}
	return set, rows.Err()
}

// sqlite looks at what a loss of power, or a crash of the machine, does to the file.
func (p *patient) sqlite(ctx context.Context, db *sql.DB) {
	var journal, level string
	err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal)
	if err == nil {
		err = db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level)
	}
	if err != nil {
		p.unknown("journal", err)
		return
	}
	otherwise, why := Warn, "readers then wait for writers: set it with PRAGMA journal_mode = WAL"
	if journal == "memory" || journal == "off" {
		otherwise, why = Fail, "the sessions are gone, or the file is torn, when the machine fails: give "+
			"connections a path, and set PRAGMA journal_mode = WAL"
	}
	p.add("journal", journal == "wal", otherwise, "it is "+journal, why)
	name := map[string]string{"0": "off", "1": "normal: a loss of power costs the last moments", "2": "full"}[level]
	p.add("synchronous", level != "0", Fail, "it is "+cmp.Or(name, level),
		"a loss of power can destroy the file: leave the pragma out of "+p.dsn()+", or write synchronous(NORMAL)")
}

func (p *patient) clock(ctx context.Context, db *sql.DB, query string) {
	var micros sql.NullInt64
	before := time.Now()
	err := db.QueryRowContext(ctx, query).Scan(&micros)
	after := time.Now()
	if err == nil && !micros.Valid {
		err = errors.New("the server returned no time")
	}
	if err != nil {
		p.unknown("clock", err)
		return
	}
	p.skew(time.UnixMicro(micros.Int64), before, after)
}
