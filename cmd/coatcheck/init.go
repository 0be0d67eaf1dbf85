package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
	"github.com/coatcheck/session/cmd/coatcheck/internal/newfile"
)

// configTemplate is the configuration that init writes, for the store that it names.
//
//go:embed init.yaml
var configTemplate string

// secretFile is what the configuration of init names.
const secretFile = "session.secret"

func newInit() *cobra.Command {
	store := "database"
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented configuration and a secret",
		Long: `Write session.yaml, a configuration with a comment for each key, and session.secret, a new secret
that only its owner can read (0600), into this folder. Nothing is overwritten: if one of the files
already exists, neither is written.`,
		Example: `  coatcheck init
  coatcheck init --store file`,
		Args: noArguments,
	}
	cmd.Flags().StringVar(&store, "store", store, "where sessions are kept: database (a SQLite file), file or redis")
	completeWith(cmd, "store", "database", "file", "redis")
	plain(cmd, func(_ context.Context, t *tool, _ []string) error {
		var wrong mistakes
		wrong.oneOf("store", store, "database", "file", "redis")
		if err := wrong.err(); err != nil {
			return err
		}
		if err := writeConfig(store); err != nil {
			return err
		}
		next := "coatcheck doctor checks that everything is in order; keep *.secret out of version control"
		if store == "database" {
			next = "coatcheck db migrate creates the table; keep *.secret out of version control"
		}
		made := map[string]any{"made": []string{defaultConfig, secretFile}, "next": next}
		return t.Value(made, func(w io.Writer) {
			fmt.Fprintf(w, "created %s and %s; %s\n", defaultConfig, secretFile, next)
		})
	})
	return cmd
}

// writeConfig writes both files. The secret comes first: a configuration that is there is complete.
func writeConfig(store string) error {
	if _, err := os.Lstat(defaultConfig); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s already exists, so nothing was written; move it away first", defaultConfig)
	}
	if err := keyfile.Create(secretFile); err != nil {
		return err
	}
	if err := newfile.Write(defaultConfig, strings.ReplaceAll(configTemplate, "{store}", store), 0o644); err != nil {
		return errors.Join(err, os.Remove(secretFile))
	}
	return nil
}
