// Package sqlstore keeps sessions in a table of an SQL database: of PostgreSQL, MySQL or MariaDB for services on
// several machines, of SQLite for one that runs on one machine, in one process or several, and wants its sessions to
// survive a restart without running a server for them.
//
// It imports database/sql and no driver. The program opens the database with the driver of its choice, and keeps it:
// the store never closes it, and the database may hold other tables, and several tables of sessions, which do not see
// each other.
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
// A load is one statement, and so is a save, a touch and a delete. A save that is refused costs one more, to say why.
//
// [Store.Migrate] makes the table or brings it up to date. Every process may call it at every start; where ten start at
// once, one of them does it and the others wait. Without it, a call that meets no table says so.
//
// # Drivers
//
// PostgreSQL: github.com/jackc/pgx/v5/stdlib, name "pgx". MySQL and MariaDB: github.com/go-sql-driver/mysql. SQLite:
// any driver with bound parameters, as modernc.org/sqlite. The store sets nothing on the connections, so parseTime, the
// character set, the SQL mode and the time zone of a MySQL connection do not matter to it.
//
// A pool that pgx has of its own is shared through stdlib.OpenDBFromPool, at the same cost. Behind a pooler that gives
// each transaction another connection (PgBouncer in transaction mode), add default_query_exec_mode=exec to the data
// source name: pgx then prepares nothing. PgBouncer from 1.21 on keeps prepared statements apart and needs no such
// setting, when its max_prepared_statements is not 0. What fails for want of it says so. Of the modes of pgx,
// describe_exec asks twice for each statement, and all others once.
//
// # Connections
//
// Raise the number of idle connections to that of open ones: database/sql keeps two by default, and a connection that
// is opened for one request prepares its statements for one request. Each statement is prepared once per connection,
// when it is first needed: by the store, or by pgx, which keeps statements with its connections in whichever pool they
// are. With interpolateParams=true the driver of MySQL puts the parameters into the text, and nothing is prepared: set
// it where connections do not last.
//
// A SQLite database in memory (":memory:") is another one for each connection: allow one only, or use a file.
//
// # Many writers to SQLite
//
// SQLite lets one connection write at a time. The writes of one [Store] wait for each other in memory, so that they do
// not wake up to find the file locked; a program has one store per table for that reason. Against other processes a
// call tries again, at jittered intervals, until it succeeds or its context ends. It waits busy_timeout within the
// driver first, which some drivers do not interrupt when the context ends: keep it short. Readers wait for nobody in
// WAL mode, which Migrate turns on when it makes the table; the mode stays with the file, and so does another one that
// you give it later. WAL needs a local disk: no process on another machine can take part.
//
// # Lost connections
//
// A load or a list whose connection breaks, as all do when a server restarts, is done again on another one, however
// many broken ones wait in the pool. A write is not, for it may have been done: it fails, unless the driver knows that
// nothing was sent. Where no connection can be made, nothing is repeated.
//
// # Replicas
//
// Give the store the primary. A replica that lags shows sessions that have ended, and conflicts that never end.
//
// # Many logins of one user
//
// With Options.MaxPerUser a login takes a lock for its user: an advisory lock of PostgreSQL that ends with the
// transaction, or a named lock of MySQL, for which it keeps a connection. SQLite needs none. It counts in READ
// COMMITTED, so that users do not wait for each other. MySQL and MariaDB refuse to write in that with
// binlog_format=STATEMENT: such a login fails and says so, and ROW or MIXED, the defaults, are what to set. Nodes of a
// Galera or group replication cluster do not share named locks: send logins to one of them, or the limit is not exact.
//
// # Sessions that end elsewhere
//
// PostgreSQL tells every node at once which sessions ended, for Session.Done, when Options.Listen is set: NOTIFY is
// part of the statement that deletes or retires a record. A manager keeps one connection for it while somebody waits.
// With the other databases the manager asks, every Options.WatchEvery of the session package.
//
// # Durability
//
// A save is complete or did not happen, whatever crashes. When a process crashes, nothing is lost that was answered.
// When the machine loses power, SQLite's PRAGMA synchronous decides: with FULL, its default, nothing either; with
// NORMAL the database stays sound, but the last moments before the loss may be gone, and with them a login, a logout or
// a revocation. FULL waits for the disk at every save and touch, NORMAL at checkpoints only, and is many times faster
// for it. PostgreSQL's synchronous_commit and MySQL's innodb_flush_log_at_trx_commit are the same choice, with the same
// consequences.
//
// # Full disks
//
// To end a session needs no room in SQLite: what is replaced by less, deleted or swept goes on while new sessions are
// refused. On a full disk the log of the WAL is written over for it, once what it holds is in the database. That cannot
// be done when the database has to grow for it, so keep it from growing into the last of the disk: with
// _pragma=max_page_count(250000) in the data source name it stops at 1 GB, and everything that ends a session works.
// Nor can a database be opened on a full disk, for the log is made anew then: free some space before you start the
// program again. The servers write each change to a log that has to grow, and take none when their disk is full.
//
// # Backup
//
// Copying the file of a SQLite database while it is in use gives a torn copy. Run VACUUM INTO 'copy.db', or the .backup
// command of the sqlite3 shell, or litestream. A restored backup of any database brings back the sessions that ended
// since: revoke them, or delete the rows, when that matters.
//
// # The table
//
// One row is one record, and schema/ in the source says what each column is. Ids and users are compared byte for byte,
// times are microseconds since 1970 in UTC. To end all sessions of a user by hand, DELETE FROM sessions WHERE user_id =
// 'ada'.
package sqlstore
