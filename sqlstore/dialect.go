package sqlstore

import (
	"database/sql"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/coatcheck/session"
)

// dialect is what one kind of database does its own way, as data where that is possible: another database is another
// value of this type and another set of files in schema/.
type dialect struct {
	name       string // of the files in schema/
	statements [operations]string
	numbered   bool // parameters are $1, $2, … instead of ?
	oneWriter  bool // connections that write at once wake each other up for nothing

	driverPrepares bool // the driver keeps statements on each connection, or needs none, as its options say
	// a statement with a number that does nothing; "": drivers do not put parameters into the text
	probe string

	begin, commit, rollback string // around the steps of Migrate; begin or lock lets one process in at a time
	lock                    string // a query that returns 1 when it has the lock; "": begin is enough

	lockUser   string // a query of a number that returns 1 when it has the user's lock; "": opAdmit needs none
	unlockUser string // a format; "": the lock ends with the transaction
	isolation  sql.IsolationLevel

	unfit string   // a query that returns a row with the reason when the database cannot hold the table
	setup []string // run outside a transaction before the table is made

	reserved func(table string) bool     // the name, in lower case, belongs to somebody else
	busy     func(error) bool            // somebody else was in the way, and nothing has changed
	broken   func(error) bool            // the connection was lost
	taken    func(error) bool            // a record of that id is there already
	missing  func(error) bool            // there is no such table
	fits     func(*session.Record) error // nil: the columns hold what a record holds
	advice   []advice

	full     func(error) bool // there was no room to write; nil: makeRoom would not help
	makeRoom string           // finds room for what makes none necessary
}

// advice is what to do about an error that does not say so itself.
type advice struct {
	when func(error) bool
	text string
}

const adviceReadOnly = "the server takes no writes, as a replica or by a setting: give the store the primary, or " +
	"make it writable"

// operation is a thing that the store asks of the database: one statement.
type operation int

const (
	opLoad operation = iota
	opCreate
	opReplace
	opUpdate // is opReplace while user and kind stay what they are; "": no faster than that
	opRemove
	opTouch
	opSweep
	opByUser
	opPage
	opRetire  // is opReplace, and tells who listens
	opEnd     // is opRemove, and tells who listens
	opAdmit   // creates a record when its user has room
	opExists  // fails, or returns a row, when the table is missing
	opVersion // of the table's schema
	operations
)

// frees reports whether the operation leaves less behind than it found: a record is replaced where a session ends.
func (o operation) frees() bool {
	return o == opRemove || o == opReplace || o == opSweep
}

func (o operation) String() string {
	return [...]string{"load", "save", "save", "save", "delete", "touch", "sweep", "list the sessions of a user",
		"list", "save", "delete", "save",
		"look for the table", "read the schema's version"}[o]
}

// columns are the ones that every listing selects, in the order in which row reads them.
const columns = `id, user_id, kind, successor, version, created_at, seen_at, login_at, expires_at,
	remote_ip, user_agent, persistent`

// query returns the text of a statement for a table, whose name has passed Options.resolve.
func (d *dialect) query(op operation, table string) string {
	text := strings.NewReplacer("{table}", table, "{columns}", columns).Replace(d.statements[op])
	if d.numbered {
		return numberParameters(text)
	}
	return text
}

// numberParameters replaces each ? by $1, $2 and so on. No statement has one in a literal.
func numberParameters(text string) string {
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

//go:embed schema/*.sql
var schema embed.FS

// steps returns the steps of a table's schema, oldest first. A step only adds what a program that does not know of it
// can ignore, so that old and new processes can share the table during a deploy and after a roll-back.
func (d *dialect) steps(table, direction string) []string {
	var steps []string
	for n := 1; ; n++ {
		text, err := schema.ReadFile(fmt.Sprintf("schema/%s-%d.%s.sql", d.name, n, direction))
		if err != nil {
			return steps
		}
		steps = append(steps, strings.ReplaceAll(string(text), "{table}", table))
	}
}
