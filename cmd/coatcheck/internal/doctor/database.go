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
		p.setting(ctx, db, "isolation", "SELECT @@transaction_isolation", "SERIALIZABLE makes readers wait for writers", "repeatable-read", "read-committed")
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

// indexQueries count the two indexes of a table, whose name has no quotes: sqlstore has checked it.
var indexQueries = map[sqlstore.Dialect]string{
	sqlstore.SQLite: `SELECT count(*) FROM sqlite_master WHERE type = 'index'
		AND lower(name) IN (lower('%[1]s_user_id'), lower('%[1]s_expires_at'))`,
	sqlstore.PostgreSQL: `SELECT count(*) FROM pg_catalog.pg_indexes WHERE schemaname = ANY (current_schemas(false))
		AND tablename = '%[1]s' AND indexname IN ('%[1]s_user_id', '%[1]s_expires_at')`,
	sqlstore.MySQL: `SELECT count(*) FROM information_schema.statistics WHERE table_schema = database()
		AND table_name = '%[1]s' AND index_name IN ('%[1]s_user_id', '%[1]s_expires_at')`,
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
