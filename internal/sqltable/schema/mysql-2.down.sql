-- Every ALTER commits by itself. With the version first, the step can be taken again whatever comes between.
UPDATE coatcheck_schema SET version = 1 WHERE name = '{table}';

ALTER TABLE `{table}` ADD KEY expires_at (expires_at), DROP KEY due_at;

ALTER TABLE `{table}` DROP COLUMN due_at;
