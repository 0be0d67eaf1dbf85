package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func newSession() *cobra.Command {
	return group("session", "List, show, end and count sessions",
		"  coatcheck session list --user ada\n  coatcheck session revoke --user ada --yes\n  coatcheck session stats",
		newList(), newShow(), newRevoke(), newClear(), newStats(), newVerify(), newCopy(), newRekey(), newWatch())
}

func newClear() *cobra.Command {
	return command(&cobra.Command{
		Use:   "clear",
		Short: "Remove expired sessions from the store",
		Long: `Remove what has expired from the store, retired ids included, and print how many records that was.
Sessions end on time without it; it frees space, for sites that have switched the sweeper off.
Redis drops expired records by itself; this also removes what still leads to them.`,
		Example: "  coatcheck session clear",
		Args:    noArguments,
	}, func(ctx context.Context, t *tool, _ []string) error {
		s, err := t.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		n, err := s.Sweep(ctx)
		if err != nil {
			return err
		}
		return t.Value(map[string]int{"removed": n}, func(w io.Writer) {
			fmt.Fprintln(w, "removed", output.Count(n, "expired record"))
		})
	})
}
