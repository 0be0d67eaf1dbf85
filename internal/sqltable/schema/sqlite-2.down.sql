DROP INDEX "{table}_due_at";

ALTER TABLE "{table}" DROP COLUMN due_at;

CREATE INDEX "{table}_expires_at" ON "{table}" (expires_at);

UPDATE coatcheck_schema SET version = 1 WHERE name = '{table}';
