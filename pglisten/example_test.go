package pglisten_test

import (
	"database/sql"
	"log"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/coatcheck/session/pglisten"
	"github.com/coatcheck/session/sqlstore"
)

// A logout on one node ends the event streams of the session on all others at once.
func Example() {
	db, err := sql.Open("pgx", "postgres://app@127.0.0.1/app")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(8) // one of them listens while somebody waits for Session.Done
	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Listen: pglisten.Listen})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
}
