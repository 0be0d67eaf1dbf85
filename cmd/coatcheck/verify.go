package main

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
)

func newVerify() *cobra.Command {
	return table(&cobra.Command{
		Use:   "verify",
		Short: "Open every session and report what does not open or decode",
		Long: `Open every live session with the secrets, the codec and the options of this configuration, decode
each of its values, and report what a site with this configuration would not get. Nothing is
changed. The exit code is 3 if there is anything to report. Only a program itself can say whether
a value fits the Go type that it reads it into.`,
		Example: "  coatcheck session verify\n  coatcheck session verify --config next.yaml --json",
		Args:    noArguments,
	}, opened(func(ctx context.Context, t *tool, s *site, _ []string) error {
		bar := output.NewProgress(t.Err, "opening", s.records(ctx, t))
		v, err := survey.Verify(ctx, s.Manager, s.store, bar.Step)
		bar.Done()
		if v == nil {
			return err
		}
		if err := cmp.Or(t.Value(v, func(w io.Writer) { verifyText(t, w, v) }), err); err != nil ||
			len(v.Problems) == 0 {
			return err
		}
		return found("%s found; a lost key costs that key, and a lost record signs its visitor out",
			output.Count(len(v.Problems), "problem"))
	}))
}

func verifyText(t *tool, w io.Writer, v *survey.Verified) {
	if len(v.Problems) > 0 {
		rows := make([][]string, len(v.Problems))
		for i, p := range v.Problems {
			rows[i] = []string{orDash(t.ID(p.ID)), orDash(p.User), orDash(p.Key), p.Reason}
		}
		output.Table(w, []output.Head{{Name: "ID"}, {Name: "USER", Least: 8}, {Name: "KEY", Least: 8},
			{Name: "REASON"}}, rows)
	}
	fmt.Fprintf(w, "opened %s, %d of them made with an older secret or setting\n", output.Count(v.Checked, "session"),
		v.Older)
}
