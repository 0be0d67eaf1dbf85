package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/starter"
)

func newNew() *cobra.Command {
	site := starter.Site{Router: starter.Routers[0]}
	cmd := &cobra.Command{
		Use:   "new DIR",
		Short: "Write a site with sign-in, devices, tests and a Dockerfile",
		Long: `Write a small site into a new folder: registration and sign-in with passwords (argon2id), a limit on
attempts, forms that other sites cannot send, a page of devices, sessions and accounts in a SQLite
file, tests, a Dockerfile, and a new secret. You can deploy it as it is, and build your own on it.
A folder that is not empty is left alone.`,
		Example: `  coatcheck new site
  coatcheck new shop --router chi --module example.com/you/shop`,
		Args: exactly(1, "name the folder of the new site, as in coatcheck new site"),
	}
	cmd.Flags().StringVar(&site.Router, "router", site.Router, "nethttp (the standard library) or chi")
	cmd.Flags().StringVar(&site.Module, "module", "", "the module path; default example.com/DIR")
	completeWith(cmd, "router", starter.Routers...)
	plain(cmd, func(_ context.Context, t *tool, args []string) error {
		var wrong mistakes
		wrong.oneOf("router", site.Router, starter.Routers...)
		if err := wrong.err(); err != nil {
			return err
		}
		site.Dir, site.Version = args[0], released(version())
		made, err := starter.Write(site)
		if disk := (*fs.PathError)(nil); errors.As(err, &disk) {
			return err
		}
		if err != nil {
			return usage("%w", err)
		}
		next := []string{"cd " + quoted(args[0]), "go mod tidy", "go test ./...", "go run . -dev"}
		return t.Value(map[string]any{"dir": args[0], "made": made, "next": next}, func(w io.Writer) {
			fmt.Fprintf(w, "created %s:\n  %s\nnext:\n  %s\n", filepath.Clean(args[0]), strings.Join(made, "\n  "),
				strings.Join(next, "\n  "))
			fmt.Fprintln(w, "then open http://127.0.0.1:8080/; keep session.secret out of version control")
		})
	})
	return cmd
}

var release = regexp.MustCompile(`\Av[0-9]+\.[0-9]+\.[0-9]+(?:-[a-z]+\.[0-9]+)?\z`)

// released is a version that a go.mod can name. A build of a work tree has none.
func released(version string) string {
	if release.MatchString(version) {
		return version
	}
	return ""
}

var bare = regexp.MustCompile(`\A[A-Za-z0-9_./~+-]+\z`)

// quoted is a word as the shell reads it.
func quoted(word string) string {
	if bare.MatchString(word) && !strings.HasPrefix(word, "-") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
