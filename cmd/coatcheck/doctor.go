package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/doctor"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func newDoctor() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the configuration, the store and its server",
		Long: `Check what docs/security.md asks for, whether the secrets can be read and the store answers, how fast it does, and whether its
clock agrees with this machine's. Of a database it checks the schema, the indexes and the isolation level, of Redis what it does when
its memory is full, and whether records have a time to live. Each check passes, warns or fails. The exit code is 3 when one fails; --strict
makes it 3 for a warning, too. Nothing is changed.`,
		Example: "  coatcheck doctor\n  coatcheck doctor --strict --json",
		Args:    noArguments,
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "a warning counts as a failure")
	return command(cmd, func(ctx context.Context, t *tool, _ []string) error {
		cfg, err := t.load() // as the site has it
		if err != nil {
			return err
		}
		var s *site
		checks := doctor.Examine(ctx, cfg, func(ctx context.Context) (*session.Manager, session.Store, error) {
			if s, err = open(ctx, cfg); err != nil {
				return nil, nil, err
			}
			return s.Manager, s.store, nil
		})
		if s != nil {
			s.close()
		}
		return showChecks(t, checks, strict)
	})
}

func showChecks(t *tool, checks []doctor.Check, strict bool) error {
	count := map[string]int{}
	rows := make([][]string, len(checks))
	for i, c := range checks {
		count[c.Result]++
		rows[i] = []string{c.Result, c.Name, c.Detail}
	}
	err := t.Value(checks, func(w io.Writer) {
		output.Columns(w, rows)
		fmt.Fprintf(w, "%d passed, %s, %d failed\n", count[doctor.Pass], output.Count(count[doctor.Warn], "warning"), count[doctor.Fail])
	})
	switch {
	case err != nil:
		return err
	case count[doctor.Fail] > 0:
		return found("%s failed", output.Count(count[doctor.Fail], "check"))
	case strict && count[doctor.Warn] > 0:
		return found("there is %s", output.Count(count[doctor.Warn], "warning"))
	}
	return nil
}
