package main

import (
	"context"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/demo"
	"github.com/coatcheck/session/cmd/demo/shop"
	"github.com/coatcheck/session/sessionconfig"
)

func newDemo() *cobra.Command {
	var opts shop.Options
	var store, data string
	t := &tool{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve seven experiments on sessions, and a small shop to click through",
		Long: `Serve seven experiments on sessions, one button each: forty clicks at once, a sign-out while a slow
request is under way, a store that fails, a copied ticket, stolen cookies, a new release, a list of
devices. Each runs on the chosen store, beside the usual way of keeping sessions, and shows what
happened. Beside them is a small shop: a cart that two tabs can fill, sign-in by name, orders that
need a recent one, notes, flash messages, your devices, and a page for staff (sign in as "admin").

The stores database and redis are those of the configuration. The demo keeps its sessions apart from
those of the site: in a table coatcheck_demo of its own, or in keys that begin with coatcheck-demo:.

The sessions outlive the process: start it again with the same --data, and everybody is still
signed in. For scripts, the same addresses answer with JSON if asked for "Accept:
application/json".`,
		Example: `  coatcheck demo
  coatcheck demo --addr 127.0.0.1:0 --store memory
  coatcheck demo --store database --config session.yaml
  curl -H 'Accept: application/json' -c jar -b jar -d user=ada http://127.0.0.1:8080/login`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demo.Check(store); err != nil {
				return usage("%w", err)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			// From the first signal on, a second one ends the process at once.
			defer context.AfterFunc(ctx, stop)()
			opts.Out, opts.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			opts.Open = func(ctx context.Context) (*shop.Place, error) {
				return demo.Open(ctx, store, data, func() (*sessionconfig.Config, error) { return t.config() })
			}
			return shop.Run(ctx, opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Addr, "addr", "127.0.0.1:8080", "where to listen; port 0 takes any free one")
	flags.StringVar(&data, "data", "coatcheck-data", "folder for the sessions and the secret, created if it is missing")
	flags.StringVar(&store, "store", demo.SQLite, "where to keep sessions: "+strings.Join(demo.Stores, ", "))
	flags.BoolVar(&opts.InsecureNetwork, "insecure-network", false,
		"allow an --addr that others can reach: the tickets travel in the clear")
	t.takesConfig(cmd)
	return cmd
}
