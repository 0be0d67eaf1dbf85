// Package pglisten lets a store in PostgreSQL tell at once which sessions have ended, over pgx, the driver for database/sql:
//
//	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Listen: pglisten.Listen})
//
// It is a module of its own, because sqlstore needs no driver. A pooler that gives each transaction another connection
// (PgBouncer in transaction mode) passes no notifications on: leave Listen out there.
package pglisten

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

var _ sqlstore.Listener = Listen

// Listen is a [sqlstore.Listener]. It takes a connection of db, and closes it in the end: one that once listened would go
// on to collect notifications. It wraps [session.ErrNotSupported] when db is not a database of pgx.
func Listen(ctx context.Context, db *sql.DB, channel string, heard func(payload string)) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("pglisten: %w", err)
	}
	defer conn.Close()
	return conn.Raw(func(driverConn any) error {
		std, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("pglisten: %w: the connection is a %T, not one of pgx", session.ErrNotSupported, driverConn)
		}
		defer std.Close()
		return listen(ctx, std.Conn(), channel, heard)
	})
}

func listen(ctx context.Context, conn *pgx.Conn, channel string, heard func(payload string)) error {
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return fmt.Errorf("pglisten: %w", err)
	}
	heard("") // from here on nothing is missed
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("pglisten: %w", err)
		}
		heard(n.Payload)
	}
}
