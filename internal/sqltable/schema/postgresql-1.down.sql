DROP TABLE "{table}";

DELETE FROM coatcheck_schema WHERE name = '{table}';
