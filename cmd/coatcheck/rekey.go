package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/transfer"
)

func newRekey() *cobra.Command {
	return table(&cobra.Command{
		Use:   "rekey",
		Short: "Sign or seal every session again, with the newest secret",
		Long: `Sign or seal every session in the store again, with the newest secret and as the key seal says.
Otherwise that happens to a session when its visitor comes. The site may run meanwhile, no change
is lost, and a run that was stopped goes on when you start it again. Sessions that do not open
stay as they are, and the exit code is 3.

Afterwards no record needs an older secret. The tickets of visitors who have not come since the
rotation still do: dropping that secret signs them out.`,
		Example: "  coatcheck key rotate && coatcheck session rekey",
		Args:    noArguments,
	}, opened(func(ctx context.Context, t *tool, s *site, _ []string) error {
		r, err := s.rekey(ctx, t)
		if err != nil {
			return err
		}
		err = t.Value(r, func(w io.Writer) {
			problemsText(t, w, r.Problems)
			fmt.Fprintf(w, "signed or sealed %s again, %d had the newest secret already, %d ended meanwhile\n",
				output.Count(r.Resealed, "session"), r.Current, r.Ended)
		})
		if err != nil || len(r.Problems) == 0 {
			return err
		}
		return found("%s left as found: coatcheck session revoke ID ends a session that nobody can open",
			output.Count(len(r.Problems), "record"))
	}))
}

func (s *site) rekey(ctx context.Context, t *tool) (*transfer.Rekeyed, error) {
	if _, err := s.lister(); err != nil {
		return nil, err
	}
	total, err := s.records(ctx, t)
	if err != nil {
		return nil, err
	}
	bar := output.NewProgress(t.Err, "sealing", total)
	defer bar.Done()
	r, err := transfer.Rekey(ctx, s.Manager, s.store, bar.Step)
	if err != nil {
		err = fmt.Errorf("after %s had been signed or sealed again; nothing was lost: %w",
			output.Count(r.Resealed, "session"), err)
	}
	return r, err
}

// records counts what the store lists, where somebody watches how much is left.
func (s *site) records(ctx context.Context, t *tool) (int, error) {
	if !output.Terminal(t.Err) {
		return -1, nil
	}
	bar := output.NewProgress(t.Err, "counting", -1)
	defer bar.Done()
	return transfer.Count(ctx, s.store, bar.Step)
}

func problemsText(t *tool, w io.Writer, problems []transfer.Problem) {
	if len(problems) == 0 {
		return
	}
	rows := make([][]string, len(problems))
	for i, p := range problems {
		rows[i] = []string{t.ID(p.ID), orDash(p.User), p.Reason}
	}
	output.Table(w, []output.Head{{Name: "ID"}, {Name: "USER", Least: 8}, {Name: "REASON"}}, rows)
}
