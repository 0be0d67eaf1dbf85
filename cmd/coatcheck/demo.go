package main

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/demo"
)

func newDemo() *cobra.Command {
	var opts demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve a small shop to click through",
		Long: `Serve a small shop to click through: a cart that two tabs can fill, sign-in by name, orders that
need a recent sign-in, notes, flash messages, the list of your sessions, and a page for the staff,
as whom you sign in with the name "admin".

The sessions outlive the process: start it again with the same --data, and everybody is still
signed in. For scripts, the same addresses answer with JSON if asked for "Accept:
application/json".`,
		Example: `  coatcheck demo
  coatcheck demo --addr 127.0.0.1:0 --store memory
  curl -H 'Accept: application/json' -c jar -b jar -d user=ada http://127.0.0.1:8080/login`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			// From the first signal on, a second one ends the process at once.
			defer context.AfterFunc(ctx, stop)()
			opts.Out, opts.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return demo.Run(ctx, opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Addr, "addr", "127.0.0.1:8080", "where to listen; port 0 takes any free one")
	flags.StringVar(&opts.Data, "data", "coatcheck-data",
		"folder of the sessions and the secret, made if it is missing")
	flags.StringVar(&opts.Store, "store", demo.SQLite, "where to keep sessions: sqlite, file or memory")
	flags.BoolVar(&opts.InsecureNetwork, "insecure-network", false,
		"allow an --addr that others can reach: the tickets travel in the clear")
	return cmd
}
