package sqlstore

import (
	"database/sql"
	"errors"
	"strings"
)

// GREATEST of PostgreSQL passes over NULL, which is never here, so that never is the largest number while it computes.
var postgresql = dialect{
	name:     "postgresql",
	numbered: true,

	// A statement of database/sql lasts as long as a connection stays in its own pool, which one in front of a pool of
	// the driver never does. Nor can it follow a pooler that gives each transaction another connection.
	driverPrepares: true,

	statements: [operations]string{
		opLoad: `SELECT {columns}, data FROM "{table}" WHERE id = ?`,

		opCreate: `INSERT INTO "{table}" (user_id, kind, successor, created_at, seen_at, login_at, expires_at,
			remote_ip, user_agent, persistent, data, version, id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,

		opReplace: `UPDATE "{table}" SET user_id = ?, kind = ?, successor = ?, created_at = ?, seen_at = ?,
			login_at = ?, expires_at = ?, remote_ip = ?, user_agent = ?, persistent = ?, data = ?, version = ?
			WHERE id = ? AND version = ?`,

		opRemove: `DELETE FROM "{table}" WHERE id = ?`,

		// A payload of more than 8000 bytes would be an error.
		opRetire: `WITH retired AS (UPDATE "{table}" SET user_id = ?, kind = ?, successor = ?, created_at = ?,
			seen_at = ?, login_at = ?, expires_at = ?, remote_ip = ?, user_agent = ?, persistent = ?, data = ?,
			version = ? WHERE id = ? AND version = ? RETURNING id)
			SELECT pg_notify('coatcheck_sessions', '{table} ' || left(id, 1000)) FROM retired`,

		opEnd: `WITH removed AS (DELETE FROM "{table}" WHERE id = ? RETURNING id)
			SELECT pg_notify('coatcheck_sessions', '{table} ' || left(id, 1000)) FROM removed`,

		opTouch: `UPDATE "{table}" SET seen_at = greatest(seen_at, ?), expires_at = nullif(greatest(
			coalesce(expires_at, 9223372036854775807), coalesce(?::bigint, 9223372036854775807)), 9223372036854775807)
			WHERE id = ? AND version = ?`,

		// Sweepers on several nodes do not wait for each other, nor for a session that is being saved.
		opSweep: `DELETE FROM "{table}" WHERE id = ANY (ARRAY(
			SELECT id FROM "{table}" WHERE expires_at < ? ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED))`,

		opByUser: `SELECT {columns} FROM "{table}" WHERE user_id = ? AND kind = 0 AND user_id <> ''`,

		opPage: `SELECT {columns} FROM "{table}" WHERE id > ? ORDER BY id LIMIT ?`,

		// Without the types a SELECT takes its parameters for texts.
		opAdmit: `INSERT INTO "{table}" (user_id, kind, successor, created_at, seen_at, login_at, expires_at,
			remote_ip, user_agent, persistent, data, version, id)
			SELECT ?::text, ?::smallint, ?::text, ?::bigint, ?::bigint, ?::bigint, ?::bigint,
				?::text, ?::text, ?::smallint, ?::bytea, ?::bigint, ?::text
			WHERE (` + counted(`"{table}"`) + `) < ? ON CONFLICT (id) DO NOTHING`,

		// An error would end the transaction in which Migrate asks, and to_regclass answers from a cache that has not
		// heard of the table that another process has just made.
		opExists: `SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class
			WHERE relname = '{table}' AND pg_catalog.pg_table_is_visible(oid))`,

		opVersion: `SELECT version FROM coatcheck_schema WHERE name = '{table}'`,
	},

	begin: "BEGIN",
	// The number is the project's own. The lock ends with the transaction.
	lock:     "SELECT count(pg_advisory_xact_lock(7304892112760142)::text)",
	commit:   "COMMIT",
	rollback: "ROLLBACK",

	// The INSERT must see what was committed while it waited for the lock.
	lockUser:  "SELECT count(pg_advisory_xact_lock($1)::text)",
	isolation: sql.LevelReadCommitted,

	unfit: `SELECT 'its text is in ' || getdatabaseencoding() || ', not in UTF8' WHERE getdatabaseencoding() <> 'UTF8'`,

	reserved: func(table string) bool { return strings.HasPrefix(table, "pg_") || table == "coatcheck_schema" },
	busy:     func(err error) bool { return hasState(err, "40001", "40P01") },
	broken:   func(err error) bool { return lost(err) || hasState(err, "08", "57P01", "57P02", "57P03") },
	taken:    never,
	missing:  func(err error) bool { return hasState(err, "42P01") },
	advice: []advice{
		{func(err error) bool { return hasState(err, "25006") }, adviceReadOnly},
		{func(err error) bool { return hasState(err, "26000", "42P05") }, "a pooler gives each transaction another " +
			"connection, where the driver's statements are not prepared: add default_query_exec_mode=exec to the " +
			"data source name"},
	},
}

func never(error) bool { return false }

// hasState knows the errors of PostgreSQL's drivers by their SQLSTATE, or the class that it begins with.
func hasState(err error, states ...string) bool {
	var coded interface{ SQLState() string }
	if !errors.As(err, &coded) {
		return false
	}
	for _, state := range states {
		if strings.HasPrefix(coded.SQLState(), state) {
			return true
		}
	}
	return false
}
