CREATE TABLE IF NOT EXISTS coatcheck_schema (
	name    TEXT    NOT NULL PRIMARY KEY, -- of a table of sessions
	version INTEGER NOT NULL              -- the last step of its schema that was taken
);

CREATE TABLE "{table}" (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	user_id    TEXT COLLATE "C" NOT NULL, -- '' when nobody is signed in
	kind       SMALLINT NOT NULL, -- 0 a session, 1 an alias, 2 a tombstone
	successor  TEXT     NOT NULL, -- the id that took over from an alias or tombstone; of a session, the id that it takes over
	version    BIGINT   NOT NULL,
	created_at BIGINT   NOT NULL, -- microseconds since 1970-01-01 UTC, like every time here
	seen_at    BIGINT   NOT NULL,
	login_at   BIGINT,            -- NULL before a login
	expires_at BIGINT,            -- NULL for never
	remote_ip  TEXT     NOT NULL,
	user_agent TEXT     NOT NULL,
	persistent SMALLINT NOT NULL, -- 0 or 1
	data       BYTEA    NOT NULL
);

-- The server finds names that are free: one that begins with that of the table may be too long for it.
CREATE INDEX ON "{table}" (user_id) WHERE kind = 0 AND user_id <> '';

CREATE INDEX ON "{table}" (expires_at);

-- A table that was dropped by hand has left its version behind.
DELETE FROM coatcheck_schema WHERE name = '{table}';

INSERT INTO coatcheck_schema (name, version) VALUES ('{table}', 1);
