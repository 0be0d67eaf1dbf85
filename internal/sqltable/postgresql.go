package sqltable

import (
	"strings"
)

// PostgreSQL has the statements of PostgreSQL, with {table} and {columns}, and ? for each parameter. Those that it has
// not are "".
//
// GREATEST of PostgreSQL passes over NULL, which is never here, so that never is the largest number while it computes.
var PostgreSQL = [Operations]string{
	Load: `SELECT {columns}, data FROM "{table}" WHERE id = ?`,

	Create: `INSERT INTO "{table}" (user_id, kind, due_at, successor, created_at, seen_at, login_at, expires_at,
		remote_ip, user_agent, persistent, data, version, id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (id) DO NOTHING`,

	// ON CONFLICT looks for the id before, takes a lock and logs a second time: a tenth of what the server does for a
	// new row. Where the id is taken all the same, this is an error, which stands in the server's log.
	// Two of the parameters give two columns each.
	Begin: `INSERT INTO "{table}" (user_id, kind, due_at, expires_at, successor, created_at, seen_at, login_at,
		remote_ip, user_agent, persistent, data, version, id)
		VALUES (?, 0, coalesce(?::bigint, 9223372036854775807), $2, '', ?, $3, ?, ?, ?, ?, ?, 1, ?)`,

	// An update stays within its page, and leaves the indexes alone, while their columns have the values that they had.
	Replace: `UPDATE "{table}" SET user_id = ?, kind = ?, due_at = least(due_at, ?), successor = ?, created_at = ?,
		seen_at = ?, login_at = ?, expires_at = ?, remote_ip = ?, user_agent = ?, persistent = ?, data = ?,
		version = version + 1 WHERE id = ? AND version = ?`,

	Remove: `DELETE FROM "{table}" WHERE id = ?`,

	// A payload of more than 8000 bytes would be an error.
	Retire: `WITH retired AS (UPDATE "{table}" SET user_id = ?, kind = ?, due_at = least(due_at, ?), successor = ?,
		created_at = ?, seen_at = ?, login_at = ?, expires_at = ?, remote_ip = ?, user_agent = ?, persistent = ?,
		data = ?, version = version + 1 WHERE id = ? AND version = ? RETURNING id)
		SELECT pg_notify('coatcheck_sessions', '{table} ' || left(id, 1000)) FROM retired`,

	End: `WITH removed AS (DELETE FROM "{table}" WHERE id = ? RETURNING id)
		SELECT pg_notify('coatcheck_sessions', '{table} ' || left(id, 1000)) FROM removed`,

	Touch: `UPDATE "{table}" SET seen_at = greatest(seen_at, ?), expires_at = nullif(greatest(
		coalesce(expires_at, 9223372036854775807), coalesce(?::bigint, 9223372036854775807)), 9223372036854775807)
		WHERE id = ? AND version = ?`,

	// Sweepers on several nodes do not wait for each other, nor for a session that is being saved.
	Sweep: `DELETE FROM "{table}" WHERE id = ANY (ARRAY(
		SELECT id FROM "{table}" WHERE due_at < ? ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED))
		AND expires_at < ?`,

	Move: `UPDATE "{table}" SET due_at = coalesce(expires_at, 9223372036854775807) WHERE id = ANY (ARRAY(
		SELECT id FROM "{table}" WHERE due_at < ? ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED))
		AND coalesce(expires_at, 9223372036854775807) >= ?`,

	ByUser: `SELECT {columns} FROM "{table}" WHERE user_id = ? AND kind = 0 AND user_id <> ''`,

	Page: `SELECT {columns} FROM "{table}" WHERE id > ? ORDER BY id LIMIT ?`,

	// Without the types a SELECT takes its parameters for texts.
	Admit: `INSERT INTO "{table}" (user_id, kind, due_at, successor, created_at, seen_at, login_at, expires_at,
		remote_ip, user_agent, persistent, data, version, id)
		SELECT ?::text, ?::smallint, ?::bigint, ?::text, ?::bigint, ?::bigint, ?::bigint, ?::bigint,
			?::text, ?::text, ?::smallint, ?::bytea, 1, ?::text
		WHERE (` + Counted(`"{table}"`) + `) < ? ON CONFLICT (id) DO NOTHING`,

	// An error would end the transaction in which Migrate asks, and to_regclass answers from a cache that has not
	// heard of the table that another process has just made.
	Exists: `SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class
		WHERE relname = '{table}' AND pg_catalog.pg_table_is_visible(oid))`,

	Version: `SELECT version FROM coatcheck_schema WHERE name = '{table}'`,
}

// What Migrate and SaveWithin ask PostgreSQL beside the statements.
const (
	// SchemaBegin begins the transaction of SchemaLock. What is looked for behind the lock must be seen as it was
	// committed while this one waited, and the database may give transactions a snapshot by default.
	SchemaBegin = "BEGIN ISOLATION LEVEL READ COMMITTED"

	// SchemaLock lets one process at a time change the schema. The number is the project's own. The lock ends with the
	// transaction.
	SchemaLock = "SELECT count(pg_advisory_xact_lock(7304892112760142)::text)"

	// UserLock lets one login of a user in at a time, until its transaction ends. {number} is the number of the lock.
	// The INSERT after it must see what was committed while it waited, so that the transaction is READ COMMITTED.
	UserLock = "SELECT pg_advisory_xact_lock({number})"

	// Unfit returns a row with the reason if the database cannot hold the table, or if the server takes the UTF-8 that
	// drivers send for something else: what it makes of a name then, no other connection finds.
	Unfit = `SELECT 'its text is in ' || getdatabaseencoding() || ', not in UTF8' WHERE getdatabaseencoding() <> 'UTF8'
		UNION ALL
		SELECT 'client_encoding of this connection is ' || current_setting('client_encoding') ||
			': set it to UTF8 for the role, the database or the server'
		WHERE current_setting('client_encoding') NOT IN ('UTF8', 'UNICODE', 'SQL_ASCII')`
)

// Reserved reports whether a table of PostgreSQL, by its name in lower case, belongs to somebody else.
func Reserved(table string) bool { return strings.HasPrefix(table, "pg_") || table == versions }

// Busy reports whether somebody else was in the way in PostgreSQL, and nothing has changed.
func Busy(err error) bool { return hasState(err, "40001", "40P01") }

// Broken reports whether a connection to PostgreSQL was lost. In the simple protocol pgx says so by its text alone.
func Broken(err error) bool {
	return Lost(err) || hasState(err, "08", "57P01", "57P02", "57P03", "57P05") ||
		strings.Contains(err.Error(), "conn closed")
}

// TellsNobody reports whether PostgreSQL undid what Retire or End did, because its queue of notifications is full. Any
// program can fill that of all databases on a server, if it listens and leaves a transaction open. A session is ended
// all the same then, by the operation that tells nobody: the other nodes ask at an interval.
func TellsNobody(err error) bool { return err != nil && hasState(err, "54000") }

// Taken reports whether PostgreSQL has a row with that id.
func Taken(err error) bool { return hasState(err, "23505") }

// Missing reports whether PostgreSQL has no such table.
func Missing(err error) bool { return hasState(err, "42P01") }

// NoColumn reports whether a table of PostgreSQL lacks a column.
func NoColumn(err error) bool { return hasState(err, "42703") }

// PostgreSQLAdvice is what to do about errors of PostgreSQL.
var PostgreSQLAdvice = []Advice{
	{func(err error) bool { return hasState(err, "25006") }, AdviceReadOnly},
	{NoColumn, AdviceOutdated},
	{func(err error) bool { return hasState(err, "26000", "42P05") }, "a pooler gives each transaction another " +
		"connection, where the driver's statements are not prepared: add default_query_exec_mode=exec to the " +
		"data source name"},
	{oldBytes, "the server writes bytes in a form that pgx does not read as text: ALTER ROLE … SET bytea_output = hex"},
}

// oldBytes reports whether pgx could not read data that came as text.
func oldBytes(err error) bool { return strings.Contains(err.Error(), "invalid hex format") }
