package doctor

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
)

// postgreSQL looks whether the server takes writes, and keeps them.
func (p *patient) postgreSQL(ctx context.Context, db *sql.DB, table string) {
	set, err := settings(ctx, db, `SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN (
		'transaction_read_only', 'default_transaction_isolation', 'fsync', 'full_page_writes', 'synchronous_commit',
		'autovacuum', 'track_counts')`)
	if err != nil {
		p.unknown("settings", err)
		return
	}
	var standby bool
	var kind, options string
	err = db.QueryRowContext(ctx, fmt.Sprintf(`
		SELECT pg_is_in_recovery(), relpersistence::text, coalesce(array_to_string(reloptions, ','), '')
		FROM pg_catalog.pg_class WHERE oid = to_regclass('"%s"')`, table)).Scan(&standby, &kind, &options)
	if err != nil {
		p.unknown("table", err)
		return
	}
	p.postgreSQLWrites(set, standby)
	p.add("logged", kind == "p", Fail, "the table is "+map[string]string{"p": "logged", "u": "UNLOGGED",
		"t": "TEMPORARY"}[kind],
		fmt.Sprintf("a crash empties it, and signs everybody out: ALTER TABLE %s SET LOGGED", table))
	p.postgreSQLKeeps(set)
	p.vacuum(set, table, options)
}

func (p *patient) postgreSQLWrites(set map[string]string, standby bool) {
	if standby {
		p.add("read-only", false, Fail, "the server is a standby",
			p.dsn()+": name the primary, or all of them and target_session_attrs=read-write")
		return
	}
	p.add("read-only", set["transaction_read_only"] == "off", Fail,
		"transaction_read_only is "+set["transaction_read_only"],
		"set default_transaction_read_only = off for the server, this database and this user, also in "+p.dsn())
}

func (p *patient) postgreSQLKeeps(set map[string]string) {
	p.add("fsync", set["fsync"] == "on", Fail, "fsync is "+set["fsync"],
		"a crash of the machine can destroy the database: set fsync = on")
	p.add("full-page-writes", set["full_page_writes"] == "on", Fail, "full_page_writes is "+set["full_page_writes"],
		"a crash of the machine can destroy pages: set full_page_writes = on")
	p.add("synchronous-commit", set["synchronous_commit"] != "off", Warn,
		"synchronous_commit is "+set["synchronous_commit"],
		"a crash of the machine undoes the last logouts and revocations: set synchronous_commit = on")
	p.add("isolation", set["default_transaction_isolation"] == "read committed", Warn,
		"it is "+set["default_transaction_isolation"],
		"a level above read committed makes parallel writes fail and be retried: set default_transaction_isolation "+
			"= 'read committed'")
}

// disabled finds autovacuum switched off among the options of a table.
var disabled = regexp.MustCompile(`(?i)\bautovacuum_enabled=(false|off|no|0)\b`)

// vacuum looks whether somebody removes the rows that saves leave behind.
func (p *patient) vacuum(set map[string]string, table, options string) {
	const why = "every save leaves a dead row behind, and the table grows without bound: "
	if disabled.MatchString(options) {
		p.add("autovacuum", false, Warn, "it is switched off for the table",
			why+fmt.Sprintf("ALTER TABLE %s RESET (autovacuum_enabled)", table))
		return
	}
	p.add("autovacuum", set["autovacuum"] == "on" && set["track_counts"] == "on", Warn,
		fmt.Sprintf("autovacuum is %s, and track_counts is %s", set["autovacuum"], set["track_counts"]),
		why+"set both to on")
}
