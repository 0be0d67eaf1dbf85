package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/asvs"
	"github.com/coatcheck/session/cmd/coatcheck/internal/doctor"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func newDoctor() *cobra.Command {
	var strict bool
	var accept []string
	var level int
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the configuration, the store and its server",
		Long: `Check what docs/security.md asks for, whether the secrets can be read and the store answers, how
fast it is, whether it takes writes, and whether its clock agrees with this machine's. For a
database it also checks the schema, the indexes and whether the server keeps what it was given;
for Redis, what is left after a restart, what happens when its memory is full, and whether records
have a time to live. Each check passes, warns or fails. A store that takes no writes, keeps
nothing, or forgets what it acknowledged is a failure.

The exit code is 3 if a check fails; with --strict, also for a warning. --accept names a check
whose result is your choice, for example that of a Redis that is meant to forget. No session is
changed: the write that is tried removes one that does not exist. If it is not there yet, the table
is made with stores.database.migrate, and so is the folder of the store file.

--asvs shows instead which session requirements of OWASP ASVS 5.0 the configuration meets, up to
that level: met, not met, or yours to meet. docs/asvs.md has the tests. The exit code is 3 if one is
not met.`,
		Example: "  coatcheck doctor\n  coatcheck doctor --strict --json\n  coatcheck doctor --accept persistence " +
			"--accept eviction\n  coatcheck doctor --asvs 2",
		Args: noArguments,
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "treat a warning as a failure")
	cmd.Flags().StringArrayVar(&accept, "accept", nil, "the name of a check that need not pass; may be repeated")
	cmd.Flags().IntVar(&level, "asvs", 0, "show the requirements of OWASP ASVS up to this level, 1 to 3")
	return command(cmd, func(ctx context.Context, t *tool, _ []string) error {
		if cmd.Flags().Changed("asvs") && (level < 1 || level > asvs.Highest) {
			return usage("--asvs: %d is not a level of ASVS; it has 1 to %d", level, asvs.Highest)
		}
		if level > 0 && (strict || len(accept) > 0) {
			return usage("--asvs shows requirements in place of checks: leave out --strict and --accept")
		}
		cfg, err := t.load() // as the site has it
		if err != nil {
			return err
		}
		var s *site
		checks := doctor.Examine(ctx, cfg, func(ctx context.Context) (*session.Manager, session.Store, error) {
			if s, err = open(ctx, cfg, true); err != nil {
				return nil, nil, err
			}
			return s.Manager, s.store, nil
		})
		if s != nil {
			s.close()
		}
		if level > 0 {
			return showRequirements(t, level, checks)
		}
		return showChecks(t, accepted(t, checks, accept), strict)
	})
}

// accepted marks what did not pass, and need not. A name that no check has would otherwise be taken for a choice.
func accepted(t *tool, checks []doctor.Check, names []string) []doctor.Check {
	for _, name := range names {
		if !slices.ContainsFunc(checks, func(c doctor.Check) bool { return c.Name == name }) {
			t.Note("--accept: no check named %q ran, so this flag has no effect", name)
		}
	}
	for i, c := range checks {
		if c.Result != doctor.Pass && slices.Contains(names, c.Name) {
			checks[i].Result = doctor.Accepted
		}
	}
	return checks
}

func showChecks(t *tool, checks []doctor.Check, strict bool) error {
	count := map[string]int{}
	rows := make([][]string, len(checks))
	for i, c := range checks {
		count[c.Result]++
		rows[i] = []string{c.Result, c.Name, c.Detail}
	}
	err := t.Value(checks, func(w io.Writer) {
		_ = output.Marked(w, rows, colourOf) // the screen keeps what fails
		fmt.Fprintf(w, "%d passed, %s, %d failed\n", count[doctor.Pass], output.Count(count[doctor.Warn], "warning"),
			count[doctor.Fail])
		if n := count[doctor.Accepted]; n > 0 {
			fmt.Fprintf(w, "%d accepted\n", n)
		}
	})
	switch {
	case err != nil:
		return err
	case count[doctor.Fail] > 0:
		return found("%s failed", output.Count(count[doctor.Fail], "check"))
	case strict && count[doctor.Warn] > 0:
		return found("%s, and --strict allows none", output.Count(count[doctor.Warn], "warning"))
	}
	return nil
}

// colourOf is the colour of a check's result.
func colourOf(row []string) text.Colors {
	switch row[0] {
	case doctor.Pass:
		return text.Colors{text.FgGreen}
	case doctor.Fail:
		return text.Colors{text.FgRed, text.Bold}
	}
	return text.Colors{text.FgYellow}
}
