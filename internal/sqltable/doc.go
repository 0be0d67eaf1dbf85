// Package sqltable is what the stores that keep sessions in a table of an SQL database have in common: what they ask of
// it, the statements for PostgreSQL, the schemas of all databases, what the columns hold, and what errors mean.
// sqlstore and pgstore share tables by it.
//
// It runs nothing: how a statement reaches the server is the store's affair.
package sqltable
