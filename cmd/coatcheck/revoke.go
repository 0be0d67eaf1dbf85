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
session is over already, is not an error. What is over by the clock of this machine, which may be
ahead of the site's, ends as well, and is counted apart.

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
		done, err := s.revoke(ctx, t, what, yes)
		if err != nil {
			return err
		}
		return t.ended(what, done)
	})
}

// tally is how many sessions a command has ended.
type tally struct {
	ended int // or uncounted
	over  int // that were over by our clock before, and may have gone on by that of the site
}

// ended says how many sessions have ended, where somebody knows.
func (t *tool) ended(what target, done tally) error {
	if done.ended == uncounted {
		return t.Value(map[string]any{"ended": nil}, func(w io.Writer) {
			fmt.Fprintf(w, "all sessions of %s have ended\n", output.Clean(what.user))
		})
	}
	return t.Value(map[string]int{"ended": done.ended, "over": done.over}, func(w io.Writer) {
		fmt.Fprint(w, "ended ", output.Count(done.ended, "session"))
		if done.over > 0 {
			fmt.Fprintf(w, ", and %d over by this machine's clock", done.over)
		}
		fmt.Fprintln(w)
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
func (s *site) revoke(ctx context.Context, t *tool, what target, yes bool) (tally, error) {
	err := s.canEnd(what)
	if err == nil {
		err = s.canBe(ctx, what.reason)
	}
	if err != nil {
		return tally{}, err
	}
	if what.ids, err = s.ids(ctx, what.ids); err != nil {
		return tally{}, err
	}
	e := &extent{sessions: -1}
	if !yes || !what.all { // the walk through all of them counts what it meets
		e, err = s.extent(ctx, t, what)
	}
	if !yes {
		if err != nil || e.none() {
			return tally{}, err
		}
		if err := t.ask(ctx, os.Stdin, fmt.Sprintf("End %s?", e)); err != nil {
			return tally{}, err
		}
	}
	done, err := s.end(ctx, t, what, e)
	if err != nil {
		err = halfway(ctx, err, "after ending %s", output.Count(done.ended, "session"))
	}
	return done, err
}

func (s *site) end(ctx context.Context, t *tool, g target, e *extent) (tally, error) {
	switch {
	case g.user != "":
		n, err := s.revokeUserFor(ctx, g.reason, g.user)
		if err == nil && s.isCarried() {
			n = uncounted
		}
		return tally{n, e.over}, err
	case !g.all:
		n, err := s.revokeFor(ctx, g.reason, g.ids...)
		return tally{n, e.over}, err
	}
	return s.endAll(ctx, t, g.reason, e.sessions+e.over)
}
