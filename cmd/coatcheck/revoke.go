package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

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
		Long: `End sessions at once: by their ids, those of one user, or all. It asks first; --yes answers.
Whoever had one has to sign in again. An id that is unknown, or whose session is over already, is
not an error.`,
		Example: `  coatcheck session revoke 5f2c…
  coatcheck session revoke --user ada --reason password
  coatcheck session revoke --all --yes`,
	}
	cmd.Flags().StringVar(&what.user, "user", "", "end all sessions of this user")
	cmd.Flags().BoolVar(&what.all, "all", false, "end every session")
	reasonFlag(cmd, &what.reason)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command(cmd, func(ctx context.Context, t *tool, args []string) error {
		what.ids = args
		if err := what.check(); err != nil {
			return err
		}
		s, err := t.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		if err := t.confirm(yes, os.Stdin, "End %s? [y/N] ", what); err != nil {
			return err
		}
		n, err := s.end(ctx, what)
		if err != nil {
			return fmt.Errorf("after ending %s: %w", output.Count(n, "session"), err)
		}
		return t.Value(map[string]int{"ended": n},
			func(w io.Writer) { fmt.Fprintln(w, "ended", output.Count(n, "session")) })
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

// String is how the question names it.
func (g target) String() string {
	switch {
	case g.all:
		return "all sessions of all visitors"
	case g.user != "":
		return fmt.Sprintf("all sessions of %q", g.user)
	}
	return output.Count(len(g.ids), "session")
}

func (s *site) end(ctx context.Context, g target) (int, error) {
	switch {
	case g.user != "":
		return s.revokeUserFor(ctx, g.reason, g.user)
	case !g.all:
		return s.revokeFor(ctx, g.reason, g.ids...)
	}
	n := 0
	for info, err := range s.All(ctx) {
		if err != nil {
			return n, err
		}
		ended, err := s.revokeFor(ctx, g.reason, info.ID)
		n += ended
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// confirm asks a person, and refuses to guess where nobody can answer.
func (t *tool) confirm(yes bool, in *os.File, question string, args ...any) error {
	if yes {
		return nil
	}
	if !output.Terminal(in) {
		return usage("there is no terminal to ask on; use --yes")
	}
	fmt.Fprintf(t.Err, question, args...)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return fmt.Errorf("nothing was changed")
	}
	return nil
}
