package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/migration"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/sessionconfig"
	"github.com/coatcheck/session/sqlstore"
)

func newDB() *cobra.Command {
	return group("db", "Create the table of sessions, or remove it", "  coatcheck db migrate\n  coatcheck db status",
		newMigrate(), newStatus(), newRollback())
}

func newMigrate() *cobra.Command {
	return command(&cobra.Command{
		Use:   "migrate",
		Short: "Create the table of sessions, or bring it up to date",
		Long: `Create the table of the store database, or bring one from an older release up to date. If there
is nothing to do, it changes nothing. Any number of machines may run it at once, for example
whenever the site starts.`,
		Example: "  coatcheck db migrate\n  SESSION_STORES__DATABASE__CONNECTION=production coatcheck db migrate",
		Args:    noArguments,
	}, func(ctx context.Context, t *tool, _ []string) error {
		return t.withDatabase(ctx, true, func(d *migration.Database) error {
			n, err := d.Up(ctx)
			if err != nil {
				return err
			}
			return t.Value(map[string]int{"steps": n}, func(w io.Writer) {
				if n == 0 {
					fmt.Fprintln(w, "the table is up to date")
					return
				}
				fmt.Fprintln(w, "applied", output.Count(n, "step")+"; the table is up to date")
			})
		})
	})
}

func newStatus() *cobra.Command {
	return command(&cobra.Command{
		Use:   "status",
		Short: "Show which steps of the schema have been applied",
		Long: "Show which steps of the schema have been applied to the table of the store database.\nThe exit code " +
			"is 3 if any are pending.",
		Example: "  coatcheck db status || coatcheck db migrate",
		Args:    noArguments,
	}, func(ctx context.Context, t *tool, _ []string) error {
		return t.withDatabase(ctx, false, func(d *migration.Database) error {
			steps, err := d.Status(ctx)
			if err != nil {
				return err
			}
			return showSteps(t, steps)
		})
	})
}

func showSteps(t *tool, steps []migration.Step) error {
	rows, left := make([][]string, len(steps)), 0
	for i, s := range steps {
		rows[i] = []string{fmt.Sprint(s.Number), "applied"}
		if !s.Applied {
			rows[i][1] = "pending"
			left++
		}
	}
	err := t.Value(steps, func(w io.Writer) { output.Table(w, output.Heads("STEP", "STATE"), rows) })
	if err == nil && left > 0 {
		err = found("%s pending: run coatcheck db migrate", output.Count(left, "step"))
	}
	return err
}

func newRollback() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Roll back the last step of the schema",
		Long: `Roll back the last step of the schema. If that was the first one, the table is removed and
everybody is signed out. It asks first; --yes answers.`,
		Example: "  coatcheck db rollback",
		Args:    noArguments,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command(cmd, func(ctx context.Context, t *tool, _ []string) error {
		if err := canAsk(yes, os.Stdin); err != nil {
			return err
		}
		return t.withDatabase(ctx, false, func(d *migration.Database) error {
			if err := askRollback(ctx, t, d, yes); err != nil {
				return err
			}
			done, err := d.Down(ctx)
			if err != nil {
				return err
			}
			return t.Value(map[string]bool{"rolled_back": done}, func(w io.Writer) {
				if done {
					fmt.Fprintln(w, "rolled back one step")
				} else {
					fmt.Fprintln(w, "there is no table, so there is nothing to roll back")
				}
			})
		})
	})
}

func askRollback(ctx context.Context, t *tool, d *migration.Database, yes bool) error {
	if yes {
		return nil
	}
	last, records, err := d.Last(ctx)
	if err != nil || last == 0 {
		return err
	}
	question := fmt.Sprintf("Roll back step %d?", last)
	if last == 1 {
		question = fmt.Sprintf("Remove the table and its %s? This signs everybody out.",
			output.Count(records, "record"))
	}
	if err := t.ask(ctx, os.Stdin, question); err != nil {
		return err
	}
	now, err := d.Recorded(ctx)
	if err == nil && now != last { // a person takes their time
		err = migration.ErrChanged
	}
	return err
}

// withDatabase opens the database of the configuration, whatever store it names. With made, a file that is not there is
// made.
func (t *tool) withDatabase(ctx context.Context, made bool, work func(*migration.Database) error) error {
	cfg, err := t.config()
	if err != nil {
		return err
	}
	db, opts, err := openDatabase(ctx, cfg, made)
	if err != nil {
		return err
	}
	return errors.Join(useDatabase(ctx, db, opts, work), db.Close())
}

// openDatabase opens an empty database in place of a file that is not there and must not be made: whoever only looks
// may stand in the wrong folder, or be somebody whose file the site could not use.
func openDatabase(ctx context.Context, cfg *sessionconfig.Config, made bool) (*sql.DB, sqlstore.Options, error) {
	kept, err := cfg.WithStore("database")
	switch {
	case err != nil: // which OpenDatabase says as well
	case made:
		err = madeByRoot(kept)
	case absent(kept) != nil:
		db, err := sql.Open("sqlite", ":memory:")
		return db, sqlstore.Options{Dialect: sqlstore.SQLite}, err
	}
	if err != nil {
		return nil, sqlstore.Options{}, err
	}
	return cfg.OpenDatabase(ctx)
}

func useDatabase(ctx context.Context, db *sql.DB, opts sqlstore.Options, work func(*migration.Database) error) error {
	db.SetMaxOpenConns(4) // goose keeps one while a step takes another
	if err := db.PingContext(ctx); err != nil {
		return &exit{exitUnavailable, fmt.Errorf("the database does not answer: %w", err)}
	}
	store, err := sqlstore.New(db, opts)
	if err != nil {
		return usage("%w", err)
	}
	defer store.Close()
	_, known, err := migration.Version(ctx, store)
	if err != nil {
		return err
	}
	d, err := migration.Open(db, store, opts.Table, known)
	if err != nil {
		return err
	}
	return work(d)
}
