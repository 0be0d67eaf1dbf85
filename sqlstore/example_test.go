package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	"github.com/coatcheck/session/sqlstore"
)

// The driver is the program's choice: import _ "modernc.org/sqlite".
func ExampleNew() {
	db, err := sql.Open("sqlite", "file:sessions.db?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)

	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if err := store.Migrate(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func ExampleSchema() {
	_, down, err := sqlstore.Schema(sqlstore.Options{Dialect: sqlstore.SQLite, Table: "visitors"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(down)
	// Output:
	// DROP TABLE "visitors";
	//
	// DELETE FROM coatcheck_schema WHERE name = 'visitors';
}
