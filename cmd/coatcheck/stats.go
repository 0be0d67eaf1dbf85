package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
)

func newStats() *cobra.Command {
	opts := survey.Options{Sample: 1000, Users: 10, Hours: 24}
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Count sessions by state and user, with sizes and upcoming expiries",
		Long: `Go through the whole store and count: records by state, the users with the most sessions, the
sizes of a sample of sessions, and how many sessions end in each of the coming hours unless their
visitors come back.`,
		Example: `  coatcheck session stats
  coatcheck session stats --hours 8 --users 3 --json`,
		Args: noArguments,
	}
	cmd.Flags().IntVar(&opts.Sample, "sample", opts.Sample, "how many sessions to measure; 0: none")
	cmd.Flags().IntVar(&opts.Users, "users", opts.Users, "how many users to name")
	cmd.Flags().IntVar(&opts.Hours, "hours", opts.Hours, "how many hours the chart covers, at most 168")
	return command(cmd, func(ctx context.Context, t *tool, _ []string) error {
		var wrong mistakes
		wrong.atLeast("sample", opts.Sample, 0)
		wrong.atLeast("users", opts.Users, 0)
		wrong.within("hours", opts.Hours, 1, 168)
		if err := wrong.err(); err != nil {
			return err
		}
		s, err := t.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		if _, err := s.lister(); err != nil {
			return err
		}
		bar := output.NewProgress(t.Err, "counting", -1)
		opts.Now, opts.Step = s.Now(), bar.Step
		report, err := survey.Count(ctx, s.store, opts)
		bar.Done()
		if report == nil {
			return err
		}
		return cmp.Or(t.Value(report, func(w io.Writer) { statsText(w, report) }), err)
	})
}

func statsText(w io.Writer, r *survey.Report) {
	_ = output.Columns(w, [][]string{ // the screen keeps what fails
		{"live", fmt.Sprint(r.Live)}, {"  signed in", fmt.Sprint(r.SignedIn)}, {"  anonymous", fmt.Sprint(r.Anonymous)},
		{"expired", fmt.Sprint(r.Expired)}, {"renewed ids", fmt.Sprint(r.Aliases)},
		{"retired ids", fmt.Sprint(r.Tombstones)}, {"users", fmt.Sprint(r.Users)},
	})
	if r.Damaged > 0 {
		fmt.Fprintf(w, "%s damaged; coatcheck session verify names them\n", output.Count(r.Damaged, "record"))
	}
	if len(r.TopUsers) > 0 {
		fmt.Fprintln(w)
		rows := make([][]string, len(r.TopUsers))
		for i, u := range r.TopUsers {
			rows[i] = []string{u.User, fmt.Sprint(u.Sessions)}
		}
		output.Table(w, []output.Head{{Name: "USER", Least: 8}, {Name: "SESSIONS"}}, rows)
	}
	if s := r.Sizes; s.Measured > 0 {
		fmt.Fprintf(w, "\nsizes of %s: median %s, 95%% up to %s, largest %s\n", output.Count(s.Measured, "session"),
			output.Bytes(s.Median), output.Bytes(s.P95), output.Bytes(s.Largest))
	}
	if r.Live > 0 {
		fmt.Fprintln(w, "\nsessions that will end if nobody uses them:")
		output.Bars(w, hours(r.From, len(r.Ending)), r.Ending)
		fmt.Fprintf(w, "  later %d, never %d\n", r.Later, r.Never)
	}
}

// hours labels the bars with the time at which each hour begins.
func hours(from time.Time, n int) []string {
	labels := make([]string, n)
	for i := range labels {
		labels[i] = from.Add(time.Duration(i) * time.Hour).UTC().Format("Jan 02 15:04Z")
	}
	return labels
}
