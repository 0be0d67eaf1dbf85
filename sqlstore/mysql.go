package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// Texts are VARBINARY, which compares byte for byte: the character types of MySQL take "Ada" and "ada " for "ada". A
// server that is not in strict mode would cut what is too long, and with it mix ids up, so that the store refuses it
// itself.
var mysql = dialect{
	name:   "mysql",
	quoted: "`{table}`",
	probe:  "DO ?",
	suits:  mysqlSuits,
	statements: [operations]string{
		opLoad: "SELECT {columns}, data FROM `{table}` WHERE id = ?",

		// A duplicate is an error, and not ignored: IGNORE would also ignore what else is wrong with a row.
		opCreate: "INSERT INTO `{table}` (user_id, kind, due_at, successor, created_at, seen_at, login_at," +
			" expires_at, remote_ip, user_agent, persistent, data, version, id)" +
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",

		// An index is left alone while its column has the value that it had.
		opReplace: "UPDATE `{table}` SET user_id = ?, kind = ?, due_at = least(due_at, ?), successor = ?," +
			" created_at = ?, seen_at = ?, login_at = ?, expires_at = ?, remote_ip = ?, user_agent = ?," +
			" persistent = ?, data = ?, version = version + 1" +
			" WHERE id = ? AND version = ?",

		opRemove: "DELETE FROM `{table}` WHERE id = ?",

		// GREATEST of anything and NULL is NULL, and NULL is never.
		opTouch: "UPDATE `{table}` SET seen_at = greatest(seen_at, ?), expires_at = greatest(expires_at, ?)" +
			" WHERE id = ? AND version = ?",

		// The row of a table that is changed cannot be looked for in it, but in a table that is derived from it.
		opSweep: "DELETE s FROM `{table}` AS s JOIN (SELECT id FROM `{table}` WHERE due_at < ?" +
			" ORDER BY due_at LIMIT ? FOR UPDATE) AS due ON s.id = due.id WHERE s.expires_at < ?",

		opMove: "UPDATE `{table}` AS s JOIN (SELECT id FROM `{table}` WHERE due_at < ?" +
			" ORDER BY due_at LIMIT ? FOR UPDATE) AS due ON s.id = due.id" +
			" SET s.due_at = coalesce(s.expires_at, 9223372036854775807)" +
			" WHERE coalesce(s.expires_at, 9223372036854775807) >= ?",

		opByUser: "SELECT {columns} FROM `{table}` WHERE user_id = ? AND kind = 0 AND user_id <> ''",

		opPage: "SELECT {columns} FROM `{table}` WHERE id > ? ORDER BY id LIMIT ?",

		opAdmit: "INSERT INTO `{table}` (user_id, kind, due_at, successor, created_at, seen_at, login_at, expires_at," +
			" remote_ip, user_agent, persistent, data, version, id)" +
			" SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ? FROM DUAL" +
			" WHERE (" + sqltable.Counted("`{table}`") + ") < ?",

		opExists: "SELECT 1 FROM `{table}` LIMIT 0",

		opVersion: "SELECT version FROM coatcheck_schema WHERE name = '{table}'",
	},

	// Every CREATE commits by itself, so that a lock of the connection does what a transaction does elsewhere.
	lock:     "SELECT get_lock('coatcheck_schema', 60)",
	commit:   "DO release_lock('coatcheck_schema')",
	rollback: "DO release_lock('coatcheck_schema')",

	// This column is what the rollback of the last step drops first. A key tells nothing: MySQL gives those that a site
	// makes without a name the names that the steps use.
	newest: "SELECT due_at FROM `{table}` LIMIT 0",

	userLock: &userLock{
		// A request waits for nearly five seconds. One that is over sooner here says why, and its connection lives.
		lock:  "SELECT get_lock('coatcheck_{hex}', 3)",
		stuck: "if its node is gone, SELECT is_used_lock('coatcheck_{hex}') says which connection to KILL",
		// In REPEATABLE READ, opAdmit would lock the gap between two users whose sessions it counts, and deadlock with
		// the logins of others. This holds for one transaction, and so it is the last statement before the INSERT.
		before: "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
		leave:  "DO release_lock('coatcheck_{hex}')",
	},

	unfit: "SELECT 'it has no InnoDB' FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM information_schema.engines" +
		" WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT'))",

	reserved: func(table string) bool { return table == "coatcheck_schema" },
	busy:     func(err error) bool { return hasNumber(err, 1213, 1205) }, // deadlock, lock wait timeout
	broken:   mysqlBroken,
	taken:    func(err error) bool { return hasNumber(err, 1062) },
	missing:  func(err error) bool { return hasNumber(err, 1146) },
	noColumn: mysqlNoColumn,
	fits:     mysqlFits,
	advice: []sqltable.Advice{
		{When: func(err error) bool { return hasNumber(err, 1290, 1792, 1836) }, Text: sqltable.AdviceReadOnly},
		{When: mysqlNoColumn, Text: sqltable.AdviceOutdated},
		{When: func(err error) bool { return hasNumber(err, 1665) }, Text: "Options.MaxPerUser of the session " +
			"package needs READ COMMITTED, which the server refuses with binlog_format=STATEMENT: set it to ROW or " +
			"MIXED"},
	},
}

// mysqlSuits refuses connections on which a change is undone with the connection, unless somebody commits it, and those
// on which the list of a user is empty. In the character sets that it does not read as they are, a byte takes the
// backslash behind it for its second half.
func mysqlSuits(ctx context.Context, conn *sql.Conn) (said settings, err error) {
	var commits bool
	var set, mode string
	err = conn.QueryRowContext(ctx, "SELECT @@autocommit, @@character_set_client, @@sql_mode, @@max_allowed_packet").
		Scan(&commits, &set, &mode, &said.packet)
	switch {
	case err != nil:
	case !commits:
		err = errors.New("autocommit is off, so that no change would last: add autocommit=1 to the data source name")
	case strings.Contains(mode, "EMPTY_STRING_IS_NULL"):
		err = errors.New("an empty text is NULL, so that no session would be found: take EMPTY_STRING_IS_NULL out of " +
			"sql_mode")
	}
	said.interpolate = !slices.Contains([]string{"big5", "cp932", "gb18030", "gb2312", "gbk", "sjis"}, set)
	return said, err
}

func mysqlNoColumn(err error) bool { return hasNumber(err, 1054) }

// mysqlNumber finds the number with which the driver begins an error. What comes later may be data: MySQL names the id
// that is taken.
var mysqlNumber = regexp.MustCompile(`Error (\d+)`)

// hasNumber knows the errors of MySQL by the text of the driver: their number has no method.
func hasNumber(err error, numbers ...int) bool {
	found := mysqlNumber.FindStringSubmatch(err.Error())
	if found == nil {
		return false
	}
	number, _ := strconv.Atoi(found[1])
	return slices.Contains(numbers, number)
}

// mysqlBroken knows a lost connection also by the text of github.com/go-sql-driver/mysql, and by the numbers with which
// a server ends one: at its shutdown, by a KILL and, in MySQL and MariaDB, after too long a rest.
func mysqlBroken(err error) bool {
	return sqltable.Lost(err) || hasNumber(err, 1053, 1927, 4031) || strings.Contains(err.Error(), "invalid connection")
}

// mysqlFits refuses what the columns of its schema do not hold, or the server does not take at once. The server would
// end the connection, or, of MariaDB, refuse the prepared statement on it from then on, whoever's record comes next.
func mysqlFits(rec *session.Record, known *settings) error {
	if most := known.packet - besideData; len(rec.Data) > most {
		return fmt.Errorf("sqlstore: save: %w: %d bytes of data, and the server takes %d: raise its "+
			"max_allowed_packet and start the program anew, or lower Options.MaxBytes", session.ErrTooLarge,
			len(rec.Data), max(most, 0))
	}
	for _, c := range []struct {
		name string
		text string
		most int
	}{{"ID", rec.ID, 255}, {"User", rec.User, 255}, {"Successor", rec.Successor, 255},
		{"UserAgent", rec.UserAgent, 1024}} {
		if len(c.text) > c.most {
			return fmt.Errorf("sqlstore: save: %s has %d bytes, the column holds %d", c.name, len(c.text), c.most)
		}
	}
	return nil
}

// besideData is more than the text of a statement and its other parameters are.
const besideData = 8 << 10
