package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// unreachable is a database that nobody can connect to.
type unreachable struct{ asked int }

var errUnreachable = errors.New("unreachable")

func (u *unreachable) Connect(context.Context) (driver.Conn, error) {
	u.asked++
	return nil, errUnreachable
}

func (u *unreachable) Driver() driver.Driver { return nil }

// Injections, wrong alphabets and lengths: what a configuration file or a command line may hold.
var hostileTables = []string{
	" ", "1sessions", "se ssions", "sessions;", "sessions\n", "\nsessions", "sessions\x00", `sessions"`, `"sessions"`,
	"`sessions`", "[sessions]",
	"sessions'--", "sessions; DROP TABLE users", "(SELECT 1)", "main.sessions", ".", "sessions.", "sëssions",
	"ｓessions",
	"sessions\u202e", "{table}", "%s", "?", "$1", "-", "--", "/**/", strings.Repeat("x", 64),
	strings.Repeat("x", 1<<20),
	"sqlite_master", "SQLite_Sequence", "coatcheck_schema", "Coatcheck_Schema",
}

func TestNewRefusesHostileTableNames(t *testing.T) {
	db := sql.OpenDB(&unreachable{})
	for _, table := range hostileTables {
		store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite, Table: table})
		if store != nil || err == nil || !strings.Contains(err.Error(), "Options.Table") {
			t.Errorf("New with the table %.80q = %v, want an error that names Options.Table", table, err)
			continue
		}
		if text := err.Error(); len(text) > 500 || strings.ContainsAny(text, "\n\x00\u202e") {
			t.Errorf("the error about the table %.80q repeats it raw: %.200q", table, text)
		}
		if _, _, err := sqlstore.Schema(sqlstore.Options{Dialect: sqlstore.SQLite, Table: table}); err == nil {
			t.Errorf("Schema accepts the table %.80q", table)
		}
	}
}

// deaf hears nothing.
func deaf(context.Context, *sql.DB, string, func(string)) error { return errUnreachable }

func TestNewRefusesWhatItCannotServe(t *testing.T) {
	db := sql.OpenDB(&unreachable{})
	for _, row := range []struct {
		name string
		db   *sql.DB
		opts sqlstore.Options
		want string
	}{
		{"no database", nil, sqlstore.Options{Dialect: sqlstore.SQLite}, "database is nil"},
		{"no dialect", db, sqlstore.Options{}, "Options.Dialect is not set"},
		{"a listener without channels", db, sqlstore.Options{Dialect: sqlstore.MySQL, Listen: deaf}, "Options.Listen"},
		{"a dialect of the future", db, sqlstore.Options{Dialect: 99}, "dialect 99"},
	} {
		store, err := sqlstore.New(row.db, row.opts)
		if store != nil || err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: New = %v, want an error with %q", row.name, err, row.want)
		}
	}
}

func TestNewDoesNoIO(t *testing.T) {
	u := new(unreachable)
	store, err := sqlstore.New(sql.OpenDB(u), sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil || u.asked > 0 {
		t.Fatalf("New = %v and connected %d times", err, u.asked)
	}
	_, err = store.Load(context.Background(), "a")
	if !errors.Is(err, errUnreachable) || errors.Is(err, session.ErrNotFound) {
		t.Errorf("Load = %v, want the database's own error", err)
	}
	for range 2 {
		if err := store.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	if _, err := store.Load(context.Background(), "a"); err == nil || errors.Is(err, errUnreachable) {
		t.Errorf("Load of a closed store = %v, want an error before the database is asked", err)
	}
}

func TestErrorsDoNotRepeatIDs(t *testing.T) {
	store, err := sqlstore.New(sql.OpenDB(new(unreachable)), sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Load(context.Background(), "the-id")
	if text := err.Error(); strings.Contains(text, "the-id") {
		t.Errorf("Load says %s", text)
	}
}

func TestStatementsQuoteTheTableAndOverwriteNothing(t *testing.T) {
	for _, d := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL, sqlstore.MySQL} {
		for text := range sqlstore.Statements(sqlstore.Options{Dialect: d, Table: "select"}) {
			if !strings.Contains(text, `"select"`) && !strings.Contains(text, "`select`") &&
				!strings.Contains(text, `'select'`) {
				t.Errorf("%s: does not use the table: %s", d, text)
			}
			for _, wrong := range []string{"{", "}", "DO UPDATE", "REPLACE", "DUPLICATE", "IGNORE"} {
				if strings.Contains(text, wrong) {
					t.Errorf("%s: contains %s: %s", d, wrong, text)
				}
			}
		}
	}
}

func TestEverySchemaStepNamesItsTableAndCanBeTakenBack(t *testing.T) {
	ups, err := fs.Glob(sqlstore.SchemaFiles, "schema/*.up.sql")
	if err != nil || len(ups) == 0 {
		t.Fatalf("the steps embedded are %q, %v", ups, err)
	}
	for _, up := range ups {
		for _, name := range []string{up, strings.Replace(up, ".up.", ".down.", 1)} {
			text, err := fs.ReadFile(sqlstore.SchemaFiles, name)
			if err != nil {
				t.Error(err)
			} else if !strings.Contains(strings.ReplaceAll(string(text), "`", `"`), `"{table}"`) ||
				!strings.Contains(string(text), `coatcheck_schema`) {
				t.Errorf("%s does not name the table, or not its version", name)
			}
		}
	}
}

func TestParametersAreNumberedWhereTheDialectWantsIt(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"DELETE":                      "DELETE",
		"a = ? AND b = ? LIMIT ?":     "a = $1 AND b = $2 LIMIT $3",
		strings.Repeat("?", 11) + ")": "$1$2$3$4$5$6$7$8$9$10$11)",
	} {
		if got := sqlstore.NumberParameters(text); got != want {
			t.Errorf("NumberParameters(%q) = %q, want %q", text, got, want)
		}
	}
}

// coded is an error as modernc.org/sqlite makes it.
type coded int

// also when it is something else, as in a message from a trigger
func (c coded) Error() string { return "database is locked" }
func (c coded) Code() int     { return int(c) }

func TestBusyIsKnownWithoutADriver(t *testing.T) {
	for _, row := range []struct {
		err  error
		want bool
	}{
		{coded(5), true}, {coded(5 | 2<<8), true}, {coded(6 | 1<<8), true}, {coded(15), true},
		{coded(1), false}, {coded(19), false}, {coded(10 | 5<<8), false},
		{errors.New("database is locked"), true},                          // mattn/go-sqlite3
		{errors.New("sqlite3: database table is locked: sessions"), true}, // ncruces/go-sqlite3
		{errors.New("no such table: sessions"), false},
		{sql.ErrNoRows, false}, {context.Canceled, false},
	} {
		if got := sqlstore.SQLiteBusy(fmt.Errorf("wrapped: %w", row.err)); got != row.want {
			t.Errorf("busy(%T %v) = %t, want %t", row.err, row.err, got, row.want)
		}
	}
}

func TestARecordWithoutAnIDIsRefusedBeforeTheDatabaseIsAsked(t *testing.T) {
	db := &unreachable{}
	store, err := sqlstore.New(sql.OpenDB(db), sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	rec := &session.Record{User: "ada"}
	for name, err := range map[string]error{
		"Save":       store.Save(t.Context(), rec),
		"SaveWithin": store.SaveWithin(t.Context(), rec, session.Limit{Max: 1}),
	} {
		if err == nil || errors.Is(err, errUnreachable) || db.asked != 0 {
			t.Errorf("%s = %v after %d connections, want the record refused", name, err, db.asked)
		}
	}
}

func TestADialectSaysItsName(t *testing.T) {
	for dialect, want := range map[sqlstore.Dialect]string{
		sqlstore.SQLite: "SQLite", sqlstore.PostgreSQL: "PostgreSQL", sqlstore.MySQL: "MySQL",
	} {
		if got := dialect.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}
