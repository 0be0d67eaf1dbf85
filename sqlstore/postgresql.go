package sqlstore

import "github.com/coatcheck/session/internal/sqltable"

var postgresql = dialect{
	name:     "postgresql",
	quoted:   `"{table}"`,
	numbered: true,

	// A statement of database/sql lasts as long as a connection stays in its own pool, which one in front of a pool of
	// the driver never does. Nor can it follow a pooler that gives each transaction another connection.
	driverPrepares: true,

	statements: sqltable.PostgreSQL,

	begin:    sqltable.SchemaBegin,
	lock:     sqltable.SchemaLock,
	commit:   "COMMIT",
	rollback: "ROLLBACK",

	// What begins goes to the server as one text, in one trip. The lock of a node that has vanished without a word
	// would otherwise be kept until the server misses the node, for hours.
	userLock: &userLock{
		begin: "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '3s'; " +
			sqltable.UserLock,
		commit: "COMMIT",
		leave:  "ROLLBACK",
	},

	unfit: sqltable.Unfit,

	reserved: sqltable.Reserved,
	busy:     sqltable.Busy,
	broken:   sqltable.Broken,
	taken:    sqltable.Taken,
	missing:  sqltable.Missing,
	noColumn: sqltable.NoColumn,
	advice:   sqltable.PostgreSQLAdvice,
}

func never(error) bool { return false }
