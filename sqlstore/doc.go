// Package sqlstore keeps sessions in a table of an SQL database: PostgreSQL, MySQL or MariaDB for services on several
// machines, or SQLite for a service on one machine, in one process or several, whose sessions should survive a restart
// without a database server.
//
// It imports database/sql and no driver. The program opens the database with the driver of its choice, and owns it: the
// store never closes it. The database may hold other tables, and several tables of sessions, which do not see each
// other.
//
//	import _ "modernc.org/sqlite"
//
//	db, err := sql.Open("sqlite", "file:sessions.db?_pragma=busy_timeout(250)&_pragma=synchronous(NORMAL)")
//	…
//	db.SetMaxOpenConns(8)
//	db.SetMaxIdleConns(8)
//	store, err := sqlstore.New(db, sqlstore.Options{Dialect: sqlstore.SQLite})
//	…
//	err = store.Migrate(ctx)
//
// A load is one statement, and so are a save, a touch and a delete. A save that is refused costs one more, to say why.
//
// [Store.Migrate] makes the table or brings it up to date. Every process may call it at every start; if ten start at
// once, one of them does the work and the others wait. Without it, a call that finds no table says so.
//
// # Drivers
//
// PostgreSQL: github.com/jackc/pgx/v5/stdlib, name "pgx". MySQL and MariaDB: github.com/go-sql-driver/mysql. SQLite:
// any driver with bound parameters, such as modernc.org/sqlite. The store changes no settings of the connections, and
// parseTime, the character set, the time zone and the SQL mode of a MySQL connection do not matter to it, but for
// MariaDB's mode EMPTY_STRING_IS_NULL: every call is an error with it, and without autocommit, which is on by default.
//
// Module pgstore is for a pool of pgx's own, on the same table; stdlib.OpenDBFromPool shares such a pool with this
// store. Behind a pooler that gives each transaction another connection (PgBouncer in transaction mode), add
// default_query_exec_mode=exec to the data source name: pgx then prepares nothing. PgBouncer from 1.21 on keeps
// prepared statements apart and needs no such setting, unless its max_prepared_statements is 0. An error says so if the
// setting is missing. Of the modes of pgx, describe_exec needs two round trips for each statement, and all others one.
//
// # Connections
//
// Raise the number of idle connections to that of open ones: database/sql keeps two by default, and a connection that
// is opened for one request prepares its statements for that request only. A shared pool of pgx keeps idle connections
// itself: leave SetMaxOpenConns and SetMaxIdleConns as stdlib.OpenDBFromPool sets them, and pool_max_conns above 1 if
// Options.Listen is set. Each statement is prepared once per connection, when it is first needed: by the store, or by
// pgx, which keeps statements with its connections in whichever pool they are. With interpolateParams=true, the MySQL
// driver puts the parameters into the text and nothing is prepared: set it if connections do not last.
//
// A SQLite database in memory (":memory:") is a different one for each connection: allow only one connection, or use a
// file.
//
// # Many writers to SQLite
//
// SQLite lets one connection write at a time. The writes of one [Store] wait for each other in memory, so they do not
// wake up to find the file locked; that is why a program should have one store per table. If another process is
// writing, a call tries again, at jittered intervals, until it succeeds or its context ends. It first waits for
// busy_timeout within the driver, which some drivers do not interrupt when the context ends: keep it short. Readers
// wait for nobody in WAL mode, which Migrate turns on when it makes the table. The mode stays with the file, and so
// does any other that you set later. WAL needs a local disk: no process on another machine can take part.
//
// # Lost connections
//
// A load or a list whose connection breaks, as all do when a server restarts, is repeated on another one, however many
// broken ones wait in the pool. A write is not, because it may have been done: it fails, unless the driver knows that
// nothing was sent. If no connection can be made, nothing is repeated.
//
// # Replicas
//
// Give the store the primary. A replica that lags shows sessions that have ended, and leads to conflicts that never
// end.
//
// # Many logins of one user
//
// With Options.MaxPerUser, a login takes a lock for its user: an advisory lock of PostgreSQL that ends with the
// transaction, or a named lock of MySQL, for which it keeps a connection. SQLite needs none. The login counts in READ
// COMMITTED, so users do not wait for each other. With binlog_format=STATEMENT, MySQL and MariaDB refuse to write in
// that isolation level: such a login fails and says so. Set ROW or MIXED, the defaults. Nodes of a Galera or group
// replication cluster do not share named locks: send logins to one of them, or the limit is not exact.
//
// # Sessions that end elsewhere
//
// If Options.Listen is set, PostgreSQL tells every node at once which sessions ended, for Session.Done: NOTIFY is part
// of the statement that deletes or retires a record. A manager keeps one connection for it while somebody waits. With
// the other databases the manager asks, every Options.WatchEvery of the session package.
//
// # Durability
//
// A save is complete or did not happen, whatever crashes. If a process crashes, nothing is lost that was answered. If
// the machine loses power, SQLite's PRAGMA synchronous decides. With FULL, its default, nothing is lost either. With
// NORMAL the database stays sound, but the last moments before the loss may be gone, and with them a login, a logout or
// a revocation. FULL waits for the disk at every save and touch; NORMAL waits only at checkpoints, and is many times
// faster. PostgreSQL's synchronous_commit and MySQL's innodb_flush_log_at_trx_commit are the same choice, with the same
// consequences.
//
// # Full disks
//
// Ending a session needs no room in SQLite: deleting, sweeping and replacing a record by a smaller one go on while new
// sessions are refused. On a full disk, the WAL is overwritten for this once its contents are in the database. That is
// impossible if the database would have to grow for it, so keep it from growing into the last of the disk: with
// _pragma=max_page_count(250000) in the data source name it stops at 1 GB, and everything that ends a session works. A
// database cannot be opened on a full disk either, because the WAL is created again then: free some space before you
// start the program again. The servers write each change to a log that has to grow, and accept none when their disk is
// full.
//
// # Backup
//
// Copying the file of a SQLite database while it is in use gives a torn copy. Run VACUUM INTO 'copy.db', the .backup
// command of the sqlite3 shell, or litestream. A restored backup of any database brings back the sessions that have
// ended since: revoke them, or delete the rows, if that matters.
//
// # The table
//
// One row is one record, and internal/sqltable/schema in the source says what each column is. Ids and users are
// compared byte for byte, and times are microseconds since 1970 in UTC. To end all sessions of a user by hand, run
// DELETE FROM sessions WHERE user_id = 'ada'.
package sqlstore
