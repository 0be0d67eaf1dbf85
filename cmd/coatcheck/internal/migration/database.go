// Package migration makes the table of sessions: in the database by goose, or as files for the tools that run a
// project's migrations.
package migration

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
	"github.com/coatcheck/session/sqlstore"
)

// Step is one step of the schema.
type Step struct {
	Number  int64 `json:"step"`
	Applied bool  `json:"applied"`
}

// Database is the table of sessions in a database, with the steps of its schema.
type Database struct {
	provider *goose.Provider
	store    *sqlstore.Store
	db       *sql.DB
	table    string
	took     bool // whether Down took a step back
}

// Open prepares the steps of a store's table, which is called table, "" for the default. It does no I/O. The caller
// closes db.
func Open(db *sql.DB, store *sqlstore.Store, table string, known int) (*Database, error) {
	d := &Database{store: store, db: db, table: cmp.Or(table, "sessions")}
	steps := make([]*goose.Migration, known)
	up := &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error { return store.Migrate(ctx) }}
	down := &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) (err error) {
		d.took, err = store.Rollback(ctx)
		return err
	}}
	for i := range steps {
		steps[i] = goose.NewGoMigration(int64(i+1), up, down)
	}
	var err error
	d.provider, err = goose.NewProvider(goose.DialectCustom, db, nil, goose.WithStore(&versions{store}),
		goose.WithGoMigrations(steps...),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	return d, err
}

// Version is what [sqlstore.Store.SchemaVersion] returns. Its error names the key of the table, not the option.
func Version(ctx context.Context, store *sqlstore.Store) (at, known int, err error) {
	at, known, err = store.SchemaVersion(ctx)
	if err != nil && strings.Contains(err.Error(), "Options.Table: ") {
		err = errors.New(strings.Replace(err.Error(), "Options.Table: ", "stores.database.table: ", 1) +
			"; choose another name")
	}
	return at, known, err
}

// Up takes the steps that are left, and says how many this process took. Where others take them at the same time, each
// waits until they are taken.
func (d *Database) Up(ctx context.Context) (int, error) {
	results, err := d.provider.Up(ctx)
	return len(results), plain(err)
}

// ErrChanged is returned where somebody else was faster.
var ErrChanged = errors.New("somebody else changed the table meanwhile, so nothing was rolled back; run the command " +
	"again")

// Down takes the last step back, and says whether there was one.
func (d *Database) Down(ctx context.Context) (bool, error) {
	d.took = false
	_, err := d.provider.Down(ctx)
	switch {
	case errors.Is(err, goose.ErrNoNextVersion):
		return false, nil
	case err == nil && !d.took:
		return false, ErrChanged
	}
	return err == nil, plain(err)
}

// Status lists the steps.
func (d *Database) Status(ctx context.Context) ([]Step, error) {
	list, err := d.provider.Status(ctx)
	if err != nil {
		return nil, plain(err)
	}
	steps := make([]Step, len(list))
	for i, s := range list {
		steps[i] = Step{s.Source.Version, s.State == goose.StateApplied}
	}
	return steps, nil
}

// Last is the step that Down takes back, 0 for none, and how many records go with it.
func (d *Database) Last(ctx context.Context) (step int64, records int, err error) {
	step, err = d.Recorded(ctx)
	if err != nil || step != 1 {
		return step, 0, err
	}
	for _, err := range survey.Records(ctx, d.store) {
		if err != nil {
			return 0, 0, err
		}
		records++
	}
	return step, records, nil
}

// Recorded is the step that is written down, by which Down goes. SchemaVersion says one less where a rollback was
// interrupted, which Down only finishes.
func (d *Database) Recorded(ctx context.Context) (step int64, err error) {
	at, _, err := d.store.SchemaVersion(ctx)
	if err == nil && at > 0 {
		err = d.db.QueryRowContext(ctx, "SELECT version FROM coatcheck_schema WHERE name = '"+d.table+"'").Scan(&step)
	}
	if err != nil {
		return 0, fmt.Errorf("look at the table: %w", err)
	}
	return step, nil
}

// plain leaves out what goose says of its own doing.
func plain(err error) error {
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		return partial.Err
	}
	return err
}

// versions tells goose what the table's own record says, so that it agrees with sqlstore.Migrate, which a site may call
// by itself. It writes nothing: the steps write their number in their own transaction.
type versions struct{ store *sqlstore.Store }

var _ database.StoreExtender = (*versions)(nil)

func (v *versions) Tablename() string { return "coatcheck_schema" }

func (v *versions) TableExists(context.Context, database.DBTxConn) (bool, error) { return true, nil }

func (v *versions) CreateVersionTable(context.Context, database.DBTxConn) error { return nil }

func (v *versions) Insert(context.Context, database.DBTxConn, database.InsertRequest) error {
	return nil
}

func (v *versions) Delete(context.Context, database.DBTxConn, int64) error { return nil }

func (v *versions) GetMigration(ctx context.Context, _ database.DBTxConn,
	version int64) (*database.GetMigrationResult, error) {
	at, err := v.at(ctx)
	if err == nil && version > at {
		err = database.ErrVersionNotFound
	}
	if err != nil {
		return nil, err
	}
	return &database.GetMigrationResult{IsApplied: true}, nil
}

func (v *versions) GetLatestVersion(ctx context.Context, _ database.DBTxConn) (int64, error) {
	return v.at(ctx)
}

func (v *versions) ListMigrations(ctx context.Context, _ database.DBTxConn) ([]*database.ListMigrationsResult, error) {
	at, err := v.at(ctx)
	if err != nil {
		return nil, err
	}
	var list []*database.ListMigrationsResult
	for n := at; n >= 0; n-- {
		list = append(list, &database.ListMigrationsResult{Version: n, IsApplied: true})
	}
	return list, nil
}

// at is the last step that this release knows and the table has.
func (v *versions) at(ctx context.Context) (int64, error) {
	at, known, err := v.store.SchemaVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("look at the table: %w", err)
	}
	return int64(min(at, known)), nil
}
