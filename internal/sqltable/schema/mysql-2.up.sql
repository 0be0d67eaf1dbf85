-- Every ALTER commits by itself, so that each is taken only if it was not before: a process may end between two of them.
-- One with the column and the keys would copy the table.
--
-- due_at is when a sweep looks at the row: at its end, or earlier. A save that moves the end to later leaves it as it
-- is, and so leaves the keys alone. 0 is what rows have that were there before, or come from a program that does not
-- know it.
SET @step = IF(EXISTS(SELECT 1 FROM information_schema.columns
	WHERE table_schema = database() AND table_name = '{table}' AND column_name = 'due_at'),
	'DO 0', 'ALTER TABLE `{table}` ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0');

PREPARE step FROM @step;

EXECUTE step;

SET @step = IF(EXISTS(SELECT 1 FROM information_schema.statistics
	WHERE table_schema = database() AND table_name = '{table}' AND index_name = 'due_at'),
	'DO 0', 'ALTER TABLE `{table}` ADD KEY due_at (due_at)');

PREPARE step FROM @step;

EXECUTE step;

SET @step = IF(EXISTS(SELECT 1 FROM information_schema.statistics
	WHERE table_schema = database() AND table_name = '{table}' AND index_name = 'expires_at'),
	'ALTER TABLE `{table}` DROP KEY expires_at', 'DO 0');

PREPARE step FROM @step;

EXECUTE step;

DEALLOCATE PREPARE step;

UPDATE coatcheck_schema SET version = 2 WHERE name = '{table}';
