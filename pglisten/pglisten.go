// Package pglisten lets a store in PostgreSQL report at once which sessions have ended, over pgx, the driver for
// database/sql:
//
//	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Listen: pglisten.Listen})
//
// It is a module of its own, because sqlstore needs no driver. A pooler that gives each transaction another connection
// (PgBouncer in transaction mode) does not pass on notifications: leave Listen out there. If you set it all the same,
// the manager notices, and asks at an interval.
package pglisten

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
	"github.com/coatcheck/session/sqlstore"
)

var _ sqlstore.Listener = Listen

// Listen is a [sqlstore.Listener]. It takes a connection of db, and closes it at the end, because a connection that has
// listened would go on collecting notifications. Its error wraps [session.ErrNotSupported] if db is not a database of
// pgx, or if a pooler keeps the notifications to itself.
func Listen(ctx context.Context, db *sql.DB, channel string, heard func(payload string)) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("pglisten: %w", err)
	}
	defer conn.Close()
	return conn.Raw(func(driverConn any) error {
		std, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("pglisten: %w: the connection is a %T, not one of pgx", session.ErrNotSupported,
				driverConn)
		}
		defer std.Close()
		return listen(ctx, db, std.Conn(), channel, heard)
	})
}

func listen(ctx context.Context, db *sql.DB, conn *pgx.Conn, channel string, heard func(payload string)) error {
	var pid int64
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid); err != nil {
		return fmt.Errorf("pglisten: %w", err)
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return fmt.Errorf("pglisten: %w", err)
	}
	ears := sqltable.Ears{
		Direct: pid == int64(conn.PgConn().PID()),
		Wait: func(ctx context.Context) (string, error) {
			n, err := conn.WaitForNotification(ctx)
			if err != nil {
				return "", err
			}
			return n.Payload, nil
		},
		Notify: func(ctx context.Context, payload string) error {
			_, err := db.ExecContext(ctx, "SELECT pg_notify($1, $2)", pgx.QueryExecModeExec, channel, payload)
			return err
		},
		Advice: "leave Options.Listen of the store out",
	}
	return fmt.Errorf("pglisten: %w", ears.Hear(ctx, heard))
}
