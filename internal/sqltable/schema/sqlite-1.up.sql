CREATE TABLE IF NOT EXISTS coatcheck_schema (
	name    TEXT    NOT NULL PRIMARY KEY COLLATE NOCASE, -- of a table of sessions
	version INTEGER NOT NULL                             -- the last step of its schema that was taken
) STRICT;

CREATE TABLE "{table}" (
	id         TEXT    NOT NULL PRIMARY KEY,
	user_id    TEXT    NOT NULL, -- '' when nobody is signed in
	kind       INTEGER NOT NULL, -- 0 a session, 1 an alias, 2 a tombstone
	successor  TEXT    NOT NULL, -- the id that took over from an alias or tombstone; of a session, the id that it takes over
	version    INTEGER NOT NULL,
	created_at INTEGER NOT NULL, -- microseconds since 1970-01-01 UTC, like every time here
	seen_at    INTEGER NOT NULL,
	login_at   INTEGER,          -- NULL before a login
	expires_at INTEGER,          -- NULL for never
	remote_ip  TEXT    NOT NULL,
	user_agent TEXT    NOT NULL,
	persistent INTEGER NOT NULL, -- 0 or 1
	data       BLOB    NOT NULL  -- last, so that whoever lists sessions does not read past it
) STRICT;

CREATE INDEX "{table}_user_id" ON "{table}" (user_id) WHERE kind = 0 AND user_id <> '';

CREATE INDEX "{table}_expires_at" ON "{table}" (expires_at);

-- A table that was dropped by hand has left its version behind.
DELETE FROM coatcheck_schema WHERE name = '{table}';

INSERT INTO coatcheck_schema (name, version) VALUES ('{table}', 1);
