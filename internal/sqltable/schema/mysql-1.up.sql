CREATE TABLE IF NOT EXISTS coatcheck_schema (
	name    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, -- of a table of sessions
	version INTEGER NOT NULL -- the last step of its schema that was taken
) ENGINE = InnoDB;

-- Every CREATE commits by itself. With the version first, a table that is there always has one.
REPLACE INTO coatcheck_schema (name, version) VALUES ('{table}', 1);

CREATE TABLE `{table}` (
	id         VARBINARY(255)  NOT NULL PRIMARY KEY,
	user_id    VARBINARY(255)  NOT NULL, -- '' when nobody is signed in
	kind       TINYINT         NOT NULL, -- 0 a session, 1 an alias, 2 a tombstone
	successor  VARBINARY(255)  NOT NULL, -- the id that took over from an alias or tombstone; of a session, the id that it takes over
	version    BIGINT          NOT NULL,
	created_at BIGINT          NOT NULL, -- microseconds since 1970-01-01 UTC, like every time here
	seen_at    BIGINT          NOT NULL,
	login_at   BIGINT,                   -- NULL before a login
	expires_at BIGINT,                   -- NULL for never
	remote_ip  VARBINARY(100)  NOT NULL,
	user_agent VARBINARY(1024) NOT NULL,
	persistent TINYINT         NOT NULL, -- 0 or 1
	data       LONGBLOB        NOT NULL,
	KEY user_id (user_id),
	KEY expires_at (expires_at)
) ENGINE = InnoDB;
