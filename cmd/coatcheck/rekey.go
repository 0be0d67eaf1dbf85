package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/transfer"
)

func newRekey() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rekey",
		Short: "Sign or seal every session again, with the newest secret",
		Long: `Sign or seal every session in the store again, with the newest secret and as the key seal says.
Otherwise that happens to a session when its visitor comes. The site may run meanwhile, no change
is lost, and a run that was stopped goes on when you start it again. Sessions that do not open
stay as they are, and the exit code is 3.

A process of the site that does not know the newest secret yet signs out whoever comes to it. With
secrets.file and secrets.reload, wait for six minutes after a rotation; until then the command
refuses. It sees when the file was written, moved or linked there, but not that its folder was
moved: then wait yourself. If the site reads a copy of the file that was made at its start, such as
a credential of systemd, start it anew before you run this: the command cannot know that. If the
secrets come from elsewhere, or are read only at the start, it asks whether every process has the
newest one; --yes answers.

Afterwards no record needs an older secret. A process with secrets.reload that has just started may
sign with one again for a few minutes; coatcheck session verify counts such records. The tickets of
visitors who have not come since the rotation still need the old secret: dropping it signs them out.`,
		Example: "  coatcheck session rekey",
		Args:    noArguments,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "every process of the site knows the newest secret: do not ask")
	return table(cmd, opened(func(ctx context.Context, t *tool, s *site, _ []string) error {
		r, err := s.rekey(ctx, t, yes)
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
		return found("%s left as found: %s", output.Count(len(r.Problems), "record"), remedy(r.Problems))
	}))
}

// remedy says what to do about records that were left as they are. One without an id is a damaged file.
func remedy(problems []transfer.Problem) string {
	const revoke, remove = "coatcheck session revoke ID ends a session that nobody can open",
		"a file that cannot be read may have another owner than its folder, or be of a newer release; if it is " +
			"damaged, you can remove it"
	files := 0
	for _, p := range problems {
		if p.ID == "" {
			files++
		}
	}
	switch files {
	case 0:
		return revoke
	case len(problems):
		return remove
	}
	return revoke + "; " + remove
}

// settled is how long a file of secrets has been the same when a site with secrets.reload signs with the first of them.
const settled = 6 * time.Minute

// siteKnows refuses to use a newest secret that a process of the site may not know.
func (s *site) siteKnows(ctx context.Context, t *tool) error {
	file := s.cfg.SecretsFile()
	if file == "" || s.cfg.Options.SecretSource == nil {
		if !output.Terminal(os.Stdin) {
			return usage("there is no terminal to ask on; use --yes if every process of the site knows the newest " +
				"secret")
		}
		return t.ask(ctx, os.Stdin, "Does every process of the site know the newest secret? Any that does not will "+
			"sign out its visitors.")
	}
	changed, err := keyfile.Changed(file)
	if err != nil {
		return err
	}
	if until := changed.Add(settled); s.Now().Before(until) {
		return fmt.Errorf("%s has changed, and until %s a process of the site may not know its newest secret, and "+
			"would sign out its visitors; run this again then, or with --yes if every process was started "+
			"after the change", file, output.Time(until))
	}
	return nil
}

func (s *site) rekey(ctx context.Context, t *tool, yes bool) (*transfer.Rekeyed, error) {
	if _, err := s.lister(); err != nil {
		return nil, err
	}
	if s.secrets > 1 && !yes {
		if err := s.siteKnows(ctx, t); err != nil {
			return nil, err
		}
	}
	bar := output.NewProgress(t.Err, "sealing", s.records(ctx, t))
	defer bar.Done()
	r, err := transfer.Rekey(ctx, s.Manager, s.store, bar.Step)
	if err != nil {
		err = halfway(ctx, err, "after %s had been signed or sealed again; nothing was lost",
			output.Count(r.Resealed, "session"))
	}
	return r, err
}

// records counts what the store lists, where somebody watches how much is left. What cannot be read is told by the work
// that follows.
func (s *site) records(ctx context.Context, t *tool) int {
	if !output.Watched(t.Err) {
		return -1
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
		rows[i] = []string{orDash(t.ID(p.ID)), orDash(p.User), p.Reason}
	}
	output.Table(w, []output.Head{{Name: "ID"}, {Name: "USER", Least: 8}, {Name: "REASON"}}, rows)
}
