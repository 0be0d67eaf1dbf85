package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/coatcheck/session/sessionconfig"
)

// present refuses a configuration whose store is not there, before a command makes an empty one: whoever stands in the
// wrong folder would take that for a site without sessions, and the site may not be able to use a file of somebody
// else. In one that remembers what was ended, an end would be none. With made, what the site makes is to be made.
func present(cfg *sessionconfig.Config, made bool) error {
	err := absent(cfg)
	at := cfg.Place()
	switch {
	case err == nil:
		return nil
	case at.Store == "database" && !at.Migrate:
		err = fmt.Errorf("%w; coatcheck db migrate creates it, with the table", err)
	case made, at.Store == "database" && cfg.Store != "cookies":
		return nil
	case at.Key == "":
		err = fmt.Errorf("%w; check the name", err)
	default:
		err = fmt.Errorf("%w; the site creates it when it starts: check that this is its folder, and what %s says", err,
			at.Key)
	}
	return &exit{exitUnavailable, err}
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
