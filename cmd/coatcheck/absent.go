package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/coatcheck/session/cmd/coatcheck/internal/migration"
	"github.com/coatcheck/session/sessionconfig"
	"github.com/coatcheck/session/sqlstore"
)

// present refuses a configuration whose store is not there, before a command makes an empty one: whoever stands in the
// wrong folder would take that for a site without sessions, and the site may not be able to use a file of somebody
// else. In one that remembers what was ended, an end would be none. With made, what the site makes is to be made, but
// not by root in a folder of the site's user.
func present(cfg *sessionconfig.Config, made bool) error {
	err := absent(cfg)
	at := cfg.Place()
	switch {
	case err == nil:
		return nil
	case at.Store == "database" && !at.Migrate:
		err = fmt.Errorf("%w; coatcheck db migrate creates it, with the table", err)
	case made:
		return madeByRoot(cfg)
	case at.Key == "":
		err = fmt.Errorf("%w; check the name", err)
	default:
		err = fmt.Errorf("%w; the site creates it when it starts: check that this is its folder, and what %s says", err,
			at.Key)
	}
	return &exit{exitUnavailable, err}
}

// madeByRoot refuses to have root make a store in a folder of somebody else, whose site could then not use it.
func madeByRoot(cfg *sessionconfig.Config) error {
	path := cfg.Place().Path
	err, as := absent(cfg), asOwner(path, os.Geteuid())
	if err == nil || as == nil {
		return nil
	}
	return &exit{exitUnavailable, fmt.Errorf("%w; %w; if the site runs as root, make %s first", err, as, path)}
}

// absent says that the folder or the file of a store is not there.
func absent(cfg *sessionconfig.Config) error {
	path := cfg.Place().Path
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// migrated refuses the table that opening the store would change: with stores.database.migrate the site does so when
// it starts, which its older processes may not be ready for. One that is not there is made only where made allows it.
func migrated(ctx context.Context, cfg *sessionconfig.Config, made bool) error {
	if at := cfg.Place(); at.Store != "database" || !at.Migrate {
		return nil // opening it changes nothing, and tells what is missing
	}
	at, known, err := schemaOf(ctx, cfg)
	switch {
	case err != nil: // which the next connection may not meet
	case at >= known, at == 0 && made:
		return nil
	case at == 0:
		err = errors.New("there is no table yet: coatcheck db migrate creates it, and so does the site when it starts")
	default:
		err = fmt.Errorf("the table is at step %d of %d: coatcheck db migrate applies the others, and so does a new "+
			"release of the site when it starts", at, known)
	}
	return &exit{exitUnavailable, err}
}

func schemaOf(ctx context.Context, cfg *sessionconfig.Config) (at, known int, err error) {
	db, opts, err := cfg.OpenDatabase(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close() // everything was read
	store, err := sqlstore.New(db, opts)
	if err != nil {
		return 0, 0, err
	}
	defer store.Close()
	return migration.Version(ctx, store)
}
