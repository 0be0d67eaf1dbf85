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
