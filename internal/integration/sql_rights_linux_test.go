package integration_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
	"github.com/coatcheck/session/sqlstore"
)

// grants are the rights that a page of the documentation names, for a table and the user who has them there.
func grants(t *testing.T, page, table, user, inDocs string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/stores/" + page)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("`(GRANT [^`]*) TO "+inDocs+"`").FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 {
		t.Fatalf("%s grants nothing to %s", page, inDocs)
	}
	var list []string
	for _, match := range found {
		grant := strings.NewReplacer("site.", "coatcheck.", "sessions", table).Replace(match[1])
		list = append(list, grant+" TO "+user)
	}
	return list
}

// The program can do everything with the rights that the page of its database names, a start with Migrate included.
func TestPostgreSQLNeedsNoOtherRights(t *testing.T) {
	for _, s := range listening() {
		t.Run(s.name, func(t *testing.T) {
			db, table := s.open(t), s.table()
			user := "user_of_" + table
			s.store(t, db, table)
			for _, text := range append([]string{"CREATE ROLE " + user + " LOGIN"},
				grants(t, "postgresql.md", table, user, "app")...) {
				if _, err := db.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			at, err := s.start()
			if err != nil {
				t.Fatal(err)
			}
			dsn := strings.Replace(at.DSN, "postgres://postgres@", "postgres://"+user+"@", 1)
			store := s.newStore(t, s.connect(t, dsn, 4), table)
			needsNoMore(t, store)
			listens(t, store, func(string) {})
		})
	}
}

func needsNoMore(t *testing.T, store tableStore) {
	t.Helper()
	if err := store.Migrate(t.Context()); err != nil {
		t.Errorf("Migrate = %v", err)
	}
	for call, err := range everyCall(t.Context(), store) {
		if err != nil && call != "Load" { // of a record that was deleted
			t.Errorf("%s = %v", call, err)
		}
	}
	save(t, store, &session.Record{ID: "c", User: "ada"})
	save(t, store, &session.Record{ID: "c", User: "ada", Version: 1, Kind: session.KindTombstone})
}

func TestMySQLNeedsNoOtherRights(t *testing.T) {
	s, at := ownMySQL(t)
	root, table := rootOf(t, at), s.table()
	s.store(t, s.open(t), table)
	owner, app := "owner@'127.0.0.1'", "app@'127.0.0.1'"
	run := func(texts ...string) {
		for _, text := range texts {
			if _, err := root.Exec(text); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
	}
	run("CREATE USER "+owner, "CREATE USER "+app)
	run(grants(t, "mysql.md", table, app, "app")...)
	run(grants(t, "mysql.md", table, owner, "owner")...)
	as := func(user string) opened {
		return s.connect(t, strings.Replace(at.DSN, "coatcheck@", user+"@", 1), 4)
	}
	needsNoMore(t, s.newStore(t, as("app"), table))
	if err := s.newStore(t, as("owner"), s.table()).Migrate(context.Background()); err != nil {
		t.Errorf("Migrate by the owner = %v", err)
	}
}

// rootOf is the database as the one who may grant.
func rootOf(t *testing.T, at *servers.Database) opened {
	t.Helper()
	s := server{driver: "mysql", dialect: sqlstore.MySQL}
	return s.connect(t, "root@unix("+filepath.Join(at.Dir, "sock")+")/coatcheck", 1)
}
