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
// else. With made, a folder is to be made.
func present(cfg *sessionconfig.Config, made bool) error {
	err := absent(cfg)
	switch {
	case err == nil:
		return nil
	case cfg.Store == "file" && !made:
		err = fmt.Errorf("%w; the site creates it when it starts: check that this is its folder, and what "+
			"stores.file.path says", err)
	case cfg.Store == "database" && setting(cfg, "stores.database.migrate") != "true":
		err = fmt.Errorf("%w; coatcheck db migrate creates it, with the table", err)
	default:
		return nil
	}
	return &exit{exitUnavailable, err}
}

// absent says that the folder or the file of a store is not there.
func absent(cfg *sessionconfig.Config) error {
	key := ""
	switch cfg.Store {
	case "file":
		key = "stores.file.path"
	case "database":
		key = "connections." + cfg.Connection().Name + ".path"
	}
	path := setting(cfg, key)
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
