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
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"

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
//
// If db shares a pool of pgx, the pool must have room for a second connection: raise pool_max_conns above 1.
func Listen(ctx context.Context, db *sql.DB, channel string, heard func(payload string)) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("pglisten: %w", err)
	}
	defer conn.Close()
	var ended error
	err = conn.Raw(func(driverConn any) error {
		std, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("%w: the connection is a %T, not one of pgx", session.ErrNotSupported, driverConn)
		}
		if err := roomBeside(ctx, db); err != nil {
			return err
		}
		// If the connection is from a pool, Close of std gives it back there, and database/sql would have it as well.
		defer shut(std.Conn())
		ended = listen(ctx, db, std.Conn(), channel, heard)
		return driver.ErrBadConn
	})
	return fmt.Errorf("pglisten: %w", cmp.Or(ended, err))
}

// shut ends a connection, and whoever has it throws it away.
func shut(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// roomBeside wants that others have a connection while this one listens: nobody can ask db how many there are in a pool
// that pgx keeps for it, and the limit of db does not tell.
func roomBeside(ctx context.Context, db *sql.DB) error {
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := db.Conn(soon)
	if err == nil {
		return conn.Close()
	}
	if soon.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("no connection is free beside the one that would listen: raise pool_max_conns, and "+
			"SetMaxOpenConns if it is set: %w", err)
	}
	return err
}

func listen(ctx context.Context, db *sql.DB, conn *pgx.Conn, channel string, heard func(payload string)) error {
	var pid int64
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
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
	return ears.Hear(ctx, heard)
}
