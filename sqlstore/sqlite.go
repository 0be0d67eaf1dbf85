package sqlstore

import (
	"errors"
	"strings"

	"github.com/coatcheck/session/internal/sqltable"
)

// The table keeps its rowid. Without one it measured a sixth larger, because the other indexes would repeat the ids,
// and from about 1 kB of data on every row would leave its page, which made loads half as fast and the list of a user
// five times slower.
var sqlite = dialect{
	name:      "sqlite",
	quoted:    `"{table}"`,
	oneWriter: true,
	brief:     true,
	statements: [operations]string{
		opLoad: `SELECT {columns}, data FROM "{table}" WHERE id = ?`,

		opCreate: `INSERT INTO "{table}" (user_id, kind, due_at, successor, created_at, seen_at, login_at, expires_at,
			remote_ip, user_agent, persistent, data, version, id)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (id) DO NOTHING`,

		opReplace: `UPDATE "{table}" SET user_id = ?, kind = ?, due_at = min(due_at, ?), successor = ?,
			created_at = ?, seen_at = ?, login_at = ?, expires_at = ?, remote_ip = ?, user_agent = ?,
			persistent = ?, data = ?, version = version + 1
			WHERE id = ? AND version = ?`,

		// A column that is set is written to its indexes, be it the same as before.
		opUpdate: `UPDATE "{table}" SET successor = ?, created_at = ?, seen_at = ?, login_at = ?, expires_at = ?,
			remote_ip = ?, user_agent = ?, persistent = ?, data = ?, version = version + 1
			WHERE id = ? AND version = ? AND user_id = ? AND kind = ? AND due_at <= ?`,

		opRemove: `DELETE FROM "{table}" WHERE id = ?`,

		// max of anything and NULL is NULL, and NULL is never.
		opTouch: `UPDATE "{table}" SET seen_at = max(seen_at, ?), expires_at = max(expires_at, ?)
			WHERE id = ? AND version = ?`,

		opSweep: `DELETE FROM "{table}" WHERE rowid IN (SELECT rowid FROM "{table}" WHERE due_at < ? LIMIT ?)
			AND expires_at < ?`,

		opMove: `UPDATE "{table}" SET due_at = coalesce(expires_at, 9223372036854775807)
			WHERE rowid IN (SELECT rowid FROM "{table}" WHERE due_at < ? LIMIT ?)
			AND coalesce(expires_at, 9223372036854775807) >= ?`,

		// It may read many rows, while everybody who wants to write waits: it is for a disk that is full.
		opPurge: `DELETE FROM "{table}" WHERE rowid IN
			(SELECT rowid FROM "{table}" WHERE due_at < ? AND expires_at < ? LIMIT ?)`,

		opByUser: `SELECT {columns} FROM "{table}" WHERE user_id = ? AND kind = 0 AND user_id <> ''`,

		opPage: `SELECT {columns} FROM "{table}" WHERE id > ? ORDER BY id LIMIT ?`,

		opAdmit: `INSERT INTO "{table}" (user_id, kind, due_at, successor, created_at, seen_at, login_at, expires_at,
			remote_ip, user_agent, persistent, data, version, id)
			SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ? WHERE (` + sqltable.Counted(`"{table}"`) + `) < ?
			ON CONFLICT (id) DO NOTHING`,

		opExists: `SELECT 1 FROM "{table}" LIMIT 0`,

		opVersion: `SELECT version FROM coatcheck_schema WHERE name = '{table}'`,
	},

	// A deferred transaction would read first, and fail instead of waiting when another one wrote in between.
	begin:    "BEGIN IMMEDIATE",
	commit:   "COMMIT",
	rollback: "ROLLBACK",

	// In UTF-16, text that is not valid UTF-8 would not come back as it was.
	unfit: `SELECT 'its text is in ' || encoding || ', not in UTF-8' FROM pragma_encoding WHERE encoding <> 'UTF-8'`,
	setup: []string{"PRAGMA journal_mode = WAL"},

	reserved: func(table string) bool { return strings.HasPrefix(table, "sqlite_") || table == "coatcheck_schema" },
	busy:     sqliteBusy,
	broken:   never,
	taken:    never,
	missing:  func(err error) bool { return strings.Contains(err.Error(), "no such table") },
	noColumn: sqliteNoColumn,
	full:     sqliteFull,
	makeRoom: "PRAGMA wal_checkpoint(RESTART)",
	advice: []sqltable.Advice{
		{When: sqliteBusy, Text: "another connection keeps the database locked: " + adviceCommit},
		{When: sqliteFull, Text: "free space on the disk of the database, or raise its max_page_count"},
		{When: sqliteNoColumn, Text: sqltable.AdviceOutdated},
		{When: sqliteReadOnly, Text: "the database takes no writes: let this process write its file and its folder, " +
			"and do not open it read-only"},
	},
}

// adviceCommit is for handlers that write to tables of their own: the session is saved before the first byte.
const adviceCommit = "if a handler has a transaction in this database, let it commit before its response begins"

// The primary result codes that we know.
const (
	sqliteCodeBusy     = 5
	sqliteCodeLocked   = 6 // by a connection that shares the cache
	sqliteCodeReadOnly = 8
	sqliteCodeIO       = 10
	sqliteCodeFull     = 13
	sqliteCodeProtocol = 15 // lost a race for the locks of the WAL

	sqliteCodeIOWrite = sqliteCodeIO | 3<<8 // what a quota gives, or a limit of a file's size
)

// sqliteBusy knows the errors of modernc.org/sqlite by their code, and by SQLite's own text those of other drivers,
// which have no method in common.
func sqliteBusy(err error) bool {
	if code, ok := sqliteCode(err); ok {
		code &= 0xff
		return code == sqliteCodeBusy || code == sqliteCodeLocked || code == sqliteCodeProtocol
	}
	return hasText(err, "database is locked", "database table is locked", "locking protocol")
}

func sqliteNoColumn(err error) bool { return hasText(err, "no such column", "has no column named") }

func sqliteFull(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code&0xff == sqliteCodeFull || code == sqliteCodeIOWrite
	}
	return hasText(err, "database or disk is full")
}

func sqliteReadOnly(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code&0xff == sqliteCodeReadOnly
	}
	return hasText(err, "attempt to write a readonly database")
}

func sqliteCode(err error) (code int, ok bool) {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return 0, false
	}
	return coded.Code(), true
}

func hasText(err error, texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
