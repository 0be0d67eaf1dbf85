package sqltable

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

// versions is the table that says at which step each table of sessions is.
const versions = "coatcheck_schema"

// Schemas has the steps of all databases.
//
//go:embed schema/*.sql
var Schemas embed.FS

// Steps returns the steps of a table's schema in one kind of database, oldest first. The direction is "up" or "down". A
// step only adds what a program that does not know of it can ignore, and takes nothing away but indexes, so that old
// and new processes can share the table during a deploy and after a roll-back. The first one down removes the table,
// whatever steps were taken.
func Steps(database, table, direction string) []string {
	var steps []string
	for n := 1; ; n++ {
		text, err := Schemas.ReadFile(fmt.Sprintf("schema/%s-%d.%s.sql", database, n, direction))
		if err != nil {
			return steps
		}
		steps = append(steps, strings.ReplaceAll(string(text), "{table}", table))
	}
}

// made are columns that tell which steps a table has, oldest first.
var made = []string{"id, user_id, kind, successor, version, created_at, seen_at, persistent, data", "due_at"}

// Unrecorded is the error of a table that is there, and of which versions says nothing: it is somebody else's, or one
// of ours that came without its row. quoted is its name in a statement, run runs one that returns no row, and noColumn
// knows the error of one that lacks a column.
func Unrecorded(database, table, quoted string, run func(query string) error, noColumn func(error) bool) error {
	step := 0
	for _, columns := range made {
		err := run("SELECT " + columns + " FROM " + quoted + " LIMIT 0")
		if err != nil && !noColumn(err) {
			return err
		}
		if err != nil {
			break
		}
		step++
	}
	if step == 0 {
		return fmt.Errorf("Options.Table: there is a table %q already that Migrate did not make", table)
	}
	return fmt.Errorf("the table %q has sessions, but no row in "+versions+", the table that belongs to it: if it was "+
		"restored, copied or renamed, write the row: run %s; INSERT INTO "+versions+
		" (name, version) VALUES ('%s', %d)", table, makeVersions(database), table, step)
}

var remark = regexp.MustCompile("--.*")

// makeVersions is the statement that makes versions, with which the schema begins, on one line.
func makeVersions(database string) string {
	first, _, _ := strings.Cut(Steps(database, "", "up")[0], ";")
	return strings.Join(strings.Fields(remark.ReplaceAllString(first, "")), " ")
}

const defaultTable = "sessions"

// An identifier cannot be a parameter of a statement, so that nothing but this expression stands between the option and
// the text of every query. 63 bytes is what PostgreSQL keeps of a name, and less than the 64 of MySQL.
var identifier = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_]{0,62}\z`)

// Table returns the table that Options.Table of a store means, "" the default one, or says what is wrong with it.
func Table(option string, reserved func(lower string) bool) (string, error) {
	switch {
	case option == "":
		return defaultTable, nil
	case !identifier.MatchString(option):
		return "", fmt.Errorf("Options.Table %.80q is not a name of letters, digits and underscores", option)
	case reserved(strings.ToLower(option)):
		return "", fmt.Errorf("Options.Table %q is reserved", option)
	}
	return option, nil
}
