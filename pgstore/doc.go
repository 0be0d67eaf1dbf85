// Package pgstore keeps sessions in a table of PostgreSQL, over a pool of pgx and without database/sql:
//
//	pool, err := pgxpool.New(ctx, "postgres://app@127.0.0.1/app")
//	…
//	store, err := pgstore.New(pool, pgstore.Options{})
//	…
//	err = store.Migrate(ctx)
//
// It keeps the same table as sqlstore, row by row, and makes the same promises; both may serve the table at once, on
// different nodes or in one. Use it in a program that has such a pool already, or that has many requests: a load takes
// less processor time here, and a login under MaxPerUser takes one round trip instead of three. It is a module of its
// own, because the library requires no driver.
//
// A load is one statement, and so are a save, a touch and a delete. A save that is refused costs one more, to say why.
// pgx prepares each statement once per connection, when it is first needed.
//
// # Poolers
//
// Behind a pooler that gives each transaction another connection (PgBouncer in transaction mode), add
// default_query_exec_mode=exec to the address: pgx then prepares nothing. PgBouncer from 1.21 on keeps prepared
// statements apart and needs no such setting, unless its max_prepared_statements is 0. An error says so if the setting
// is missing.
//
// # Lost connections
//
// A load or a list whose connection breaks, as all do when a server restarts, is repeated on another one, however many
// broken ones wait in the pool. A write is not, because it may have been done: it fails, unless pgx knows that nothing
// was sent. If no connection can be made, nothing is repeated.
//
// # Replicas
//
// Give the store the primary. A replica that lags shows sessions that have ended, and leads to conflicts that never
// end.
//
// # Sessions that end elsewhere
//
// PostgreSQL tells every node at once which sessions ended, for Session.Done: NOTIFY is part of the statement that
// deletes or retires a record. A manager keeps one connection for it while somebody waits. A sqlstore on the same table
// takes part if its Options.Listen is set. See Options.NoNotify.
package pgstore
