package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

// target is what revoke is to end.
type target struct {
	ids    []string
	user   string
	all    bool
	reason string
}

func newRevoke() *cobra.Command {
	var what target
	var yes bool
	cmd := &cobra.Command{
		Use:   "revoke ID… | --user USER | --all",
		Short: "End sessions",
		Long: `End sessions at once: by their ids, those of one user, or all. It says how many there are and asks;
--yes answers. The people who had them must sign in again. An id that is unknown, or whose
session is over already, is not an error.

The beginning of an id is enough, 4 digits or more. If several ids begin with it, they are listed,
and nothing ends.

In the store cookies the browsers keep the sessions: --all cannot find them, and --user ends those
of the user without a number, which is null with --json.`,
		Example: `  coatcheck session revoke 5f2c08
  coatcheck session revoke --user ada --reason password
  coatcheck session revoke --all --yes`,
	}
	cmd.Flags().StringVar(&what.user, "user", "", "end all sessions of this user")
	cmd.Flags().BoolVar(&what.all, "all", false, "end every session")
	reasonFlag(cmd, &what.reason)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command(completeIDs(completeUsers(cmd), -1), func(ctx context.Context, t *tool, args []string) error {
		what.ids = args
		var wrong mistakes
		wrong.user(cmd, what.user)
		if err := cmp.Or(wrong.err(), what.check(), canAsk(yes, os.Stdin)); err != nil {
			return err
		}
		s, err := t.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		n, err := s.revoke(ctx, t, what, yes)
		if err != nil {
			return err
		}
		return t.ended(what, n)
	})
}

// ended says how many sessions have ended, where somebody knows.
func (t *tool) ended(what target, n int) error {
	if n == uncounted {
		return t.Value(map[string]any{"ended": nil}, func(w io.Writer) {
			fmt.Fprintf(w, "all sessions of %s have ended\n", output.Clean(what.user))
		})
	}
	return t.Value(map[string]int{"ended": n}, func(w io.Writer) {
		fmt.Fprintln(w, "ended", output.Count(n, "session"))
	})
}

// check refuses anything but one way to say which sessions.
func (g target) check() error {
	ways := 0
	for _, given := range []bool{len(g.ids) > 0, g.user != "", g.all} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return usage("name sessions by their ids, or use --user USER or --all; coatcheck session list shows the ids")
	}
	return nil
}

// revoke asks, and ends sessions. It says how many, or that they are uncounted.
func (s *site) revoke(ctx context.Context, t *tool, what target, yes bool) (int, error) {
	err := s.canEnd(what)
	if err != nil {
		return 0, err
	}
	if what.ids, err = s.ids(ctx, what.ids); err != nil {
		return 0, err
	}
	total := -1
	if !yes {
		e, err := s.extent(ctx, t, what)
		if err == nil && !e.none() { // what our clock alone has ended is not counted, and ends all the same
			err = t.ask(ctx, os.Stdin, fmt.Sprintf("End %s?", e))
		}
		if err != nil {
			return 0, err
		}
		total = e.sessions
	}
	n, err := s.end(ctx, t, what, total)
	if err != nil {
		err = halfway(ctx, err, "after ending %s", output.Count(n, "session"))
	}
	return n, err
}

func (s *site) end(ctx context.Context, t *tool, g target, total int) (int, error) {
	switch {
	case g.user != "":
		n, err := s.revokeUserFor(ctx, g.reason, g.user)
		if err == nil && s.isCarried() {
			n = uncounted
		}
		return n, err
	case !g.all:
		return s.revokeFor(ctx, g.reason, g.ids...)
	}
	return s.endAll(ctx, t, g.reason, total)
}
