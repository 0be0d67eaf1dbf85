package sqltable

import (
	"strconv"
	"strings"

	"github.com/coatcheck/session"
)

// Operation is a thing that a store asks of the database: one statement.
type Operation int

// The operations, and how many there are.
const (
	Load Operation = iota
	Create
	Begin // is Create for a new session, whose id nobody has; "": no faster than that
	Replace
	Update // is Replace while user and kind stay what they are; "": no faster than that
	Remove
	Touch
	Sweep // removes what has ended among the rows that are due, of which it looks at some
	Move  // has the others of some rows that are due wait for their end
	Purge // removes what has ended where no row can be moved; "": one always can
	ByUser
	Page
	Retire  // is Replace, and tells who listens
	End     // is Remove, and tells who listens
	Admit   // creates a record when its user has room
	Exists  // fails, or returns a row, when the table is missing
	Version // of the table's schema
	Operations
)

// Frees reports whether the operation leaves less behind than it found, or, as Move, belongs to a sweep that does: a
// record is replaced where a session ends.
func (o Operation) Frees() bool {
	return o == Remove || o == Replace || o == Sweep || o == Move || o == Purge
}

// OneRow reports whether the operation looks at one row, which it finds by its id.
func (o Operation) OneRow() bool {
	switch o {
	case Load, Create, Begin, Replace, Update, Remove, Touch:
		return true
	}
	return false
}

// Untold is the operation that does the same and tells nobody.
func (o Operation) Untold() Operation {
	switch o {
	case Retire:
		return Replace
	case End:
		return Remove
	}
	return o
}

func (o Operation) String() string {
	return [...]string{"load", "save", "save", "save", "save", "delete", "touch", "sweep", "sweep", "sweep",
		"list the sessions of a user", "list", "save", "delete", "save",
		"look for the table", "read the schema's version"}[o]
}

// columns are the ones that every listing selects, in the order in which the stores read them.
const columns = `id, user_id, kind, successor, version, created_at, seen_at, login_at, expires_at,
	remote_ip, user_agent, persistent`

// Text returns the text of a statement for a table, whose name has passed [Table]. If numbered, its parameters are $1,
// $2, … instead of ?.
func Text(statement, table string, numbered bool) string {
	text := strings.NewReplacer("{table}", table, "{columns}", columns).Replace(statement)
	if numbered {
		return Number(text)
	}
	return text
}

// Number replaces each ? by $1, $2 and so on. No statement has one in a literal.
func Number(text string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}

// Counted is the query for how many sessions of a user count within a limit. Its parameters are the user, the time and
// the id that does not count, twice, and the last three once more. The successor of a live record is its predecessor,
// with which it is one session, as are two records that have it in common, while both would count.
func Counted(table string) string {
	return `SELECT count(*) FROM ` + table + ` AS s
		WHERE s.user_id = ? AND s.user_id <> '' AND s.kind = 0 AND (s.expires_at IS NULL OR s.expires_at > ?)
			AND s.id <> ? AND (s.successor = '' OR s.successor <> ?)
			AND NOT EXISTS (SELECT 1 FROM ` + table + ` AS o
				WHERE o.user_id = s.user_id AND o.user_id <> '' AND o.kind = 0 AND s.successor <> ''
					AND (o.id = s.successor OR o.successor = s.successor AND o.id < s.id)
					AND (o.expires_at IS NULL OR o.expires_at > ?)
					AND o.id <> ? AND (o.successor = '' OR o.successor <> ?))`
}

// CountedArgs are the parameters of Counted.
func CountedArgs(user string, limit session.Limit) []any {
	now := limit.Now.UnixMicro()
	return []any{user, now, limit.Instead, limit.Instead, now, limit.Instead, limit.Instead}
}
