package sqlstore

import (
	"iter"

	"github.com/coatcheck/session/internal/sqltable"
)

// Names that the tests use.
var (
	SchemaFiles      = sqltable.Schemas
	SQLiteBusy       = sqliteBusy
	NumberParameters = sqltable.Number
)

// Statements yields the text of every statement for the table of opts.
func Statements(opts Options) iter.Seq[string] {
	return func(yield func(string) bool) {
		d, table, err := opts.resolve()
		for op := range operations {
			if err != nil {
				return
			}
			if text := d.query(op, table); text != "" && !yield(text) {
				return
			}
		}
	}
}
