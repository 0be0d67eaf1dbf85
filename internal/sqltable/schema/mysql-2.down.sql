-- Every ALTER commits by itself, so that each is taken only if it was not before. The column goes first, with its key:
-- a table without it shows that the step is not whole. The version comes last: a rollback that failed in the middle
-- goes on here, and does not take the step before, which removes the table.
SET @step = IF(EXISTS(SELECT 1 FROM information_schema.columns
	WHERE table_schema = database() AND table_name = '{table}' AND column_name = 'due_at'),
	'ALTER TABLE `{table}` DROP COLUMN due_at', 'DO 0');

PREPARE step FROM @step;

EXECUTE step;

SET @step = IF(EXISTS(SELECT 1 FROM information_schema.statistics
	WHERE table_schema = database() AND table_name = '{table}' AND index_name = 'expires_at'),
	'DO 0', 'ALTER TABLE `{table}` ADD KEY expires_at (expires_at)');

PREPARE step FROM @step;

EXECUTE step;

DEALLOCATE PREPARE step;

UPDATE coatcheck_schema SET version = 1 WHERE name = '{table}';
