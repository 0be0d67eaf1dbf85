-- When a sweep looks at the row: at its end, or earlier. A save that moves the end to later leaves it as it is, and so
-- leaves the indexes alone. 0 is what rows have that were there before, or come from a program that does not know it.
ALTER TABLE "{table}" ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;

CREATE INDEX ON "{table}" (due_at);

-- The server has chosen the name of the index that is replaced.
DO $$ BEGIN EXECUTE coalesce((SELECT string_agg('DROP INDEX ' || indexrelid::regclass, '; ')
	FROM pg_catalog.pg_index WHERE indrelid = '"{table}"'::regclass AND indpred IS NULL AND NOT indisunique
		AND indkey::text = (SELECT attnum::text FROM pg_catalog.pg_attribute
			WHERE attrelid = indrelid AND attname = 'expires_at')), 'SELECT'); END $$;

-- A save writes the row anew within its page, if there is room.
ALTER TABLE "{table}" SET (fillfactor = 90);

UPDATE coatcheck_schema SET version = 2 WHERE name = '{table}';
