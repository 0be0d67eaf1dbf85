-- When a sweep looks at the row: at its end, or earlier. A save that moves the end to later leaves it as it is, and so
-- leaves the indexes alone. 0 is what rows have that were there before, or come from a program that does not know it.
ALTER TABLE "{table}" ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;

CREATE INDEX "{table}_due_at" ON "{table}" (due_at);

DROP INDEX IF EXISTS "{table}_expires_at";

UPDATE coatcheck_schema SET version = 2 WHERE name = '{table}';
