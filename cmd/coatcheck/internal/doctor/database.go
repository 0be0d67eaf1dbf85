package doctor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/sqlstore"
)

// database looks at the table and at the server's settings.
func (p *patient) database(ctx context.Context) {
	db, opts, err := p.cfg.OpenDatabase(ctx)
	if err != nil {
		p.add("database", false, Fail, err.Error())
		return
	}
	defer db.Close()
	if opts.Table == "" {
		opts.Table = "sessions"
	}
	if !p.schema(ctx, db, opts) {
		return
	}
	p.indexes(ctx, db, opts)
	switch opts.Dialect {
	case sqlstore.SQLite:
		p.setting(ctx, db, "journal", "PRAGMA journal_mode", "readers then do not wait for writers; set it with PRAGMA journal_mode = WAL", "wal")
	case sqlstore.PostgreSQL:
		p.setting(ctx, db, "isolation", "SHOW default_transaction_isolation", "a higher level makes parallel writes fail and try again", "read committed")
		p.clock(ctx, db, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
	case sqlstore.MySQL:
		p.setting(ctx, db, "isolation", mysqlIsolation(ctx, db), "SERIALIZABLE makes readers wait for writers", "repeatable-read", "read-committed")
		p.clock(ctx, db, "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)")
	}
}

func (p *patient) schema(ctx context.Context, db *sql.DB, opts sqlstore.Options) bool {
	store, err := sqlstore.New(db, opts)
	if err != nil {
		p.add("schema", false, Fail, err.Error())
		return false
	}
	defer store.Close()
	at, known, err := store.SchemaVersion(ctx)
	if err != nil {
		p.add("schema", false, Fail, err.Error())
		return false
	}
	p.add("schema", at >= known, Fail, fmt.Sprintf("the table has step %d of %d; coatcheck db migrate takes what is left", at, known))
	return true
}

// indexQueries count the columns that the two indexes of a table lead with, whatever the indexes are called. The name of the
// table has no quotes: sqlstore has checked it.
var indexQueries = map[sqlstore.Dialect]string{
	sqlstore.SQLite: `SELECT count(DISTINCT c.name) FROM pragma_index_list('%s') AS i, pragma_index_info(i.name) AS c
		WHERE c.seqno = 0 AND c.name IN ('user_id', 'expires_at')`,
	sqlstore.PostgreSQL: `SELECT count(DISTINCT c.attname) FROM pg_catalog.pg_index AS i
		JOIN pg_catalog.pg_attribute AS c ON c.attrelid = i.indrelid AND c.attnum = i.indkey[0]
		WHERE i.indrelid = to_regclass('"%s"') AND i.indisvalid AND c.attname IN ('user_id', 'expires_at')`,
	sqlstore.MySQL: `SELECT count(DISTINCT column_name) FROM information_schema.statistics WHERE table_schema = database()
		AND table_name = '%s' AND seq_in_index = 1 AND column_name IN ('user_id', 'expires_at')`,
}

func (p *patient) indexes(ctx context.Context, db *sql.DB, opts sqlstore.Options) {
	var n int
	if err := db.QueryRowContext(ctx, fmt.Sprintf(indexQueries[opts.Dialect], opts.Table)).Scan(&n); err != nil {
		p.add("indexes", false, Warn, "they cannot be looked up: "+err.Error())
		return
	}
	p.add("indexes", n == 2, Warn, fmt.Sprintf("%d of 2 are there; without them a sweep, and the list of a user, read the whole table", n))
}

// setting compares a setting with the values that are good.
func (p *patient) setting(ctx context.Context, db *sql.DB, name, query, why string, good ...string) {
	var value string
	if err := db.QueryRowContext(ctx, query).Scan(&value); err != nil {
		p.add(name, false, Warn, "it cannot be looked up: "+err.Error())
		return
	}
	value = strings.ToLower(value)
	p.add(name, slices.Contains(good, value), Warn, fmt.Sprintf("it is %s; %s is good: %s", value, strings.Join(good, " or "), why))
}

// mysqlIsolation is the query for the isolation level, which MariaDB called otherwise before 11.1.
func mysqlIsolation(ctx context.Context, db *sql.DB) string {
	const query = "SELECT @@transaction_isolation"
	var level string
	if db.QueryRowContext(ctx, query).Scan(&level) != nil {
		return "SELECT @@tx_isolation"
	}
	return query
}

func (p *patient) clock(ctx context.Context, db *sql.DB, query string) {
	var micros sql.NullInt64
	before := time.Now()
	err := db.QueryRowContext(ctx, query).Scan(&micros)
	after := time.Now()
	if err == nil && !micros.Valid {
		err = errors.New("the server told none")
	}
	if err != nil {
		p.add("clock", false, Warn, "it cannot be looked up: "+err.Error())
		return
	}
	p.skew(time.UnixMicro(micros.Int64), before, after)
}
