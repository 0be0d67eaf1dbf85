package sqlstore

import (
	"context"
	"database/sql"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// dialect is what one kind of database does its own way, as data where that is possible: another database is another
// value of this type and another set of files in internal/sqltable.
type dialect struct {
	name       string // of the files of the schema
	quoted     string // {table} as a name in a statement
	statements [operations]string
	numbered   bool // parameters are $1, $2, … instead of ?
	oneWriter  bool // connections that write at once wake each other up for nothing
	brief      bool // a statement for one row is over before anybody could interrupt it

	driverPrepares bool // the driver keeps statements on each connection, or needs none, as its options say
	// a statement with a number that does nothing; "": drivers do not put parameters into the text
	probe string
	// what the server says of its connections, and an error if it is set so that nothing works; asked once, before
	// probe
	suits func(context.Context, *sql.Conn) (settings, error)

	begin, commit, rollback string // around the steps of Migrate; begin or lock lets one process in at a time
	lock                    string // a query that returns 1 when it has the lock; "": begin is enough

	userLock *userLock // nil: opAdmit needs none

	// a query without rows of the column that the last step made, and that its rollback removes first; "": each step is
	// one transaction
	newest string

	unfit string   // a query that returns a row with the reason when the database cannot hold the table
	setup []string // run outside a transaction before the table is made

	reserved func(table string) bool                // the name, in lower case, belongs to somebody else
	busy     func(error) bool                       // somebody else was in the way, and nothing has changed
	broken   func(error) bool                       // the connection was lost
	taken    func(error) bool                       // a record of that id is there already
	missing  func(error) bool                       // there is no such table
	noColumn func(error) bool                       // the table lacks a column
	fits     func(*session.Record, *settings) error // nil: all records; asked after suits
	advice   []sqltable.Advice

	full     func(error) bool // there was no room to write; nil: makeRoom would not help
	makeRoom string           // finds room for what makes none necessary
}

// operation is a thing that the store asks of the database: one statement.
type operation = sqltable.Operation

const (
	opLoad     = sqltable.Load
	opCreate   = sqltable.Create
	opBegin    = sqltable.Begin
	opReplace  = sqltable.Replace
	opUpdate   = sqltable.Update
	opRemove   = sqltable.Remove
	opTouch    = sqltable.Touch
	opSweep    = sqltable.Sweep
	opMove     = sqltable.Move
	opPurge    = sqltable.Purge
	opByUser   = sqltable.ByUser
	opPage     = sqltable.Page
	opRetire   = sqltable.Retire
	opEnd      = sqltable.End
	opAdmit    = sqltable.Admit
	opExists   = sqltable.Exists
	opVersion  = sqltable.Version
	operations = sqltable.Operations
)

// query returns the text of a statement for a table.
func (d *dialect) query(op operation, table string) string {
	return sqltable.Text(d.statements[op], table, d.numbered)
}

// steps returns the steps of a table's schema, oldest first.
func (d *dialect) steps(table, direction string) []string {
	return sqltable.Steps(d.name, table, direction)
}
