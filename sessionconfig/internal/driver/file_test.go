package driver_test

import (
	"testing"

	"github.com/coatcheck/session/sessionconfig/internal/driver"
)

func TestTheFileOfADSNIsTheOneThatSQLiteOpens(t *testing.T) {
	for _, row := range []struct {
		dsn, path string
		made      bool
	}{
		{"sessions.db", "sessions.db", true},
		{" sessions.db?_pragma=busy_timeout(250) ", "sessions.db", true},
		{"sessions.db?mode=ro", "sessions.db", true}, // the driver keeps that from SQLite
		{"a%20b.db", "a%20b.db", true},
		{"file:sessions.db?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)", "sessions.db", true},
		{"file:in/a%20b.db", "in/a b.db", true},
		{"file:/var/lib/s.db", "/var/lib/s.db", true},
		{"file:///var/lib/s%3f.db?mode=rwc", "/var/lib/s?.db", true},
		{"file://localhost/var/lib/s.db", "/var/lib/s.db", true},
		{"file:sessions.db?mode=rw", "sessions.db", false},
		{"file:sessions.db?mode=ro", "sessions.db", false},
		{"file:sessions.db#there", "sessions.db", true},
		{"file://elsewhere/s.db", "", false},
		{"file:sessions.db?mode=memory&cache=shared", "", false},
		{"file:sessions.db?vfs=memdb", "", false},
		{"file:sessions.db?%zz", "", false},
		{"file:%zz", "", false},
		{"file::memory:?cache=shared", "", false},
		{":memory:", "", false},
		{"postgres://app:canary@db/app", "", false},
		{"app:canary@tcp(db)/app", "", false},
		{"host=db password=canary", "", false},
		{"file:", "", false},
		{"", "", false},
	} {
		if path, made := driver.FileOf(row.dsn); path != row.path || made != row.made {
			t.Errorf("%q names the file %q, made: %t; want %q, %t", row.dsn, path, made, row.path, row.made)
		}
	}
}
