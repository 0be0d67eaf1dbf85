package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/migration"
	"github.com/coatcheck/session/sqlstore"
)

func newMake() *cobra.Command {
	return group("make", "Create files for a project", "  coatcheck make session-table --dialect postgresql",
		newSessionTable("session-table"),
		group("sessions", "Create files for the sessions of a project",
			"  coatcheck make sessions table --dialect postgresql", newSessionTable("table")))
}

var dialects = map[string]sqlstore.Dialect{"sqlite": sqlstore.SQLite, "postgresql": sqlstore.PostgreSQL,
	"mysql": sqlstore.MySQL}

// newSessionTable is the command under either of its names.
func newSessionTable(use string) *cobra.Command {
	f := migration.Files{Format: migration.Goose}
	var dialect string
	call := "coatcheck make " + use
	if use == "table" {
		call = "coatcheck make sessions " + use
	}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Write the migration of the table, for goose or golang-migrate",
		Long: `Write the statements that create the table of sessions, and those that drop it, as plain SQL, into
the folder and under the names that goose or golang-migrate expects. The number continues those in
the folder. Nothing is overwritten. The dialect and the table are those of the configuration,
unless the flags name others. Use this if your project runs all its migrations with one of these
tools; otherwise "coatcheck db migrate" needs no files. For golang-migrate on MySQL, the address of
the database needs multiStatements=true.`,
		Example: "  " + call + " --dialect postgresql\n  " + call + " --dialect mysql --format golang-migrate --dir " +
			"db/migrations",
		Args: noArguments,
	}
	cmd.Flags().StringVar(&dialect, "dialect", "", "sqlite, postgresql or mysql (also for MariaDB); default: that of "+
		"the configured connection")
	cmd.Flags().StringVar(&f.Schema.Table, "table", "",
		"the name of the table; default: the one of stores.database.table, else sessions")
	cmd.Flags().StringVar(&f.Dir, "dir", "migrations", "the folder, created if it is missing")
	cmd.Flags().StringVar(&f.Format, "format", f.Format, "goose or golang-migrate")
	completeWith(cmd, "dialect", "sqlite", "postgresql", "mysql")
	completeWith(cmd, "format", migration.Goose, migration.Migrate)
	_ = cmd.MarkFlagDirname("dir")
	return command(cmd, func(_ context.Context, t *tool, _ []string) error {
		if err := t.fill(&dialect, &f.Schema.Table); err != nil {
			return err
		}
		return writeMigration(t, f, dialect)
	})
}

// fill takes the dialect and the table that the flags leave out from the configuration, if there is one: with another
// table than the site's, the migration would succeed, and the site would still have none.
func (t *tool) fill(dialect, table *string) error {
	if *dialect != "" && *table != "" {
		return nil
	}
	cfg, _, err := t.read()
	if err != nil {
		return err
	}
	for _, s := range cfg.Settings() {
		if s.Key == "stores.database.table" {
			*table = cmp.Or(*table, s.Value)
		}
	}
	if kept, err := cfg.WithStore("database"); err == nil { // otherwise it takes the flag to know which
		*dialect = cmp.Or(*dialect, kept.Connection().Driver)
	}
	return nil
}

func writeMigration(t *tool, f migration.Files, dialect string) error {
	var wrong mistakes
	if dialect == "" {
		wrong.given("dialect", dialect, "sqlite, postgresql or mysql, for no configuration says which database it is")
	} else {
		wrong.oneOf("dialect", dialect, "sqlite", "postgresql", "mysql")
	}
	wrong.oneOf("format", f.Format, migration.Goose, migration.Migrate)
	if err := wrong.err(); err != nil {
		return err
	}
	f.Schema.Dialect, f.Now = dialects[dialect], time.Now()
	made, err := migration.Write(f)
	if err != nil {
		return err
	}
	return t.Value(map[string][]string{"made": made},
		func(w io.Writer) { fmt.Fprintln(w, "created", strings.Join(made, " and ")) })
}
