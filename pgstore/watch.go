package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/sqltable"
)

// Watch implements [session.Watcher] with LISTEN, and takes one connection of the pool while it runs. Its error wraps
// [session.ErrNotSupported] if Options.NoNotify is set, if the pool has room for only one connection, or if a pooler
// keeps the notifications to itself.
func (s *Store) Watch(ctx context.Context, tell func(id string)) error {
	if s.silent {
		return fmt.Errorf("pgstore: watch: %w: Options.NoNotify is set", session.ErrNotSupported)
	}
	if s.pool.Stat().MaxConns() == 1 {
		return fmt.Errorf("pgstore: watch: %w: it needs a connection beside the only one: see pool_max_conns",
			session.ErrNotSupported)
	}
	conn, err := s.acquire(ctx)
	if err != nil {
		return fmt.Errorf("pgstore: watch: %w", err)
	}
	defer conn.Release()
	defer shut(conn)
	return fmt.Errorf("pgstore: watch: %w", s.listen(ctx, conn, tell))
}

// shut ends a connection, because one that has listened would go on collecting notifications.
func shut(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Conn().Close(ctx)
}

func (s *Store) listen(ctx context.Context, conn *pgxpool.Conn, tell func(id string)) error {
	var pid int64
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+sqltable.Channel); err != nil {
		return err
	}
	ears := sqltable.Ears{
		Direct: pid == int64(conn.Conn().PgConn().PID()),
		Wait: func(ctx context.Context) (string, error) {
			n, err := conn.Conn().WaitForNotification(ctx)
			if err != nil {
				return "", err
			}
			return n.Payload, nil
		},
		Notify: s.notify,
		Advice: "set Options.NoNotify",
	}
	return ears.Hear(ctx, sqltable.Told(s.table, tell))
}

func (s *Store) notify(ctx context.Context, payload string) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, "SELECT pg_notify($1, $2)", pgx.QueryExecModeExec, sqltable.Channel, payload)
	return err
}
