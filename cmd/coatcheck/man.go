package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man",
		Short: "Write the manual pages",
		Long: "Write a manual page for each command into a folder, which is created if it is missing.\nExisting " +
			"pages of the same names are replaced.",
		Example: "  coatcheck man --dir man\n  man man/coatcheck-session-list.1",
		Args:    noArguments,
	}
	cmd.Flags().StringVar(&dir, "dir", "man", "the folder")
	_ = cmd.MarkFlagDirname("dir")
	plain(cmd, func(_ context.Context, t *tool, _ []string) error {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		root := cmd.Root()
		root.DisableAutoGenTag = true // the date of a page would change with each build
		if err := doc.GenManTree(root, &doc.GenManHeader{Title: "COATCHECK", Section: "1", Source: "Coatcheck"},
			dir); err != nil {
			return err
		}
		return t.Value(map[string]string{"dir": dir},
			func(w io.Writer) { fmt.Fprintln(w, "wrote the manual pages to", dir) })
	})
	return cmd
}
