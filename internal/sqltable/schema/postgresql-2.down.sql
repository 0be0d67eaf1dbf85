ALTER TABLE "{table}" DROP COLUMN due_at;

ALTER TABLE "{table}" RESET (fillfactor);

CREATE INDEX ON "{table}" (expires_at);

UPDATE coatcheck_schema SET version = 1 WHERE name = '{table}';
