package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/transfer"
	"github.com/coatcheck/session/sessionconfig"
)

// copyOptions are what the flags of copy say.
type copyOptions struct {
	from, to, journal string
	passes            int
}

func newCopy() *cobra.Command {
	var opts copyOptions
	cmd := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy all sessions to another store",
		Long: `Copy all sessions from one store of the configuration to another, so that the site can change
stores without signing anybody out. Name a store as the key store does;
"database:production" is the store database on that connection, and "file:DIR" is another folder.
Both are read and written with the secrets of the configuration.

The site may use the first store meanwhile. The first pass copies everything, the second what
changed during the first, and then each session is compared with its copy. Run the command, stop
the site, run it again, and start the site on the other store: the last run takes no longer than
listing the sessions. A session that ended in the first store ends in the other one, too.

The journal is a file that remembers what was copied. With it a run that was stopped can go on, and
a run after the change of stores copies only what is new: it touches no copy that the site has
used, and brings back no session that has ended there. Keep it in one place until you are
done, and then remove it: a run without it brings back what has ended in the other store.

Once the site has used the other store, a copy that is no longer there has ended, goes on under a
new id, or was lost. The store cannot tell which, so such copies are counted, and are no failure.
The exit code is 3 if a session could not be copied, or differs.`,
		Example: `  coatcheck session copy --from database --to redis
  coatcheck session copy --from database:local --to database:production`,
		Args: noArguments,
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.from, "from", "", "the store to copy from")
	flags.StringVar(&opts.to, "to", "", "the store to copy to")
	flags.StringVar(&opts.journal, "journal", "", "the file that remembers what was copied; default "+
		"session-copy-FROM-TO.db in the current folder")
	flags.IntVar(&opts.passes, "passes", 2, "how many times to go through all sessions before comparing them")
	completeStores(cmd, "from", "to")
	return table(cmd, func(ctx context.Context, t *tool, _ []string) error {
		return copyAll(ctx, t, opts)
	})
}

func (o copyOptions) check() error {
	var wrong mistakes
	wrong.given("from", o.from, "a store of the configuration")
	wrong.given("to", o.to, "a store of the configuration")
	if o.from != "" && o.from == o.to {
		wrong.add("to", o.to, "is the store to copy from")
	}
	wrong.atLeast("passes", o.passes, 1)
	return wrong.err()
}

func copyAll(ctx context.Context, t *tool, opts copyOptions) error {
	if err := opts.check(); err != nil {
		return err
	}
	done, err := copySessions(ctx, t, opts)
	if err != nil {
		return err
	}
	if err := t.Value(done, func(w io.Writer) { copiedText(t, w, done) }); err != nil || len(done.Problems) == 0 {
		return err
	}
	return found("%s could not be copied as is", output.Count(len(done.Problems), "record"))
}

func copySessions(ctx context.Context, t *tool, opts copyOptions) (*transfer.Copied, error) {
	cfg, err := t.config()
	if err != nil {
		return nil, err
	}
	from, err := openStore(ctx, cfg, "from", opts.from)
	if err != nil {
		return nil, err
	}
	defer from.close()
	to, err := openStore(ctx, cfg, "to", opts.to)
	if err != nil {
		return nil, err
	}
	defer to.close()
	if sameStore(from.cfg, to.cfg) {
		return nil, usage("--to: %s is --from %s by another name", opts.to, opts.from)
	}
	path := cmp.Or(opts.journal, fmt.Sprintf("session-copy-%s-%s.db", fileName(opts.from), fileName(opts.to)))
	journal, err := transfer.OpenJournal(ctx, path, opts.from, opts.to)
	if err != nil {
		return nil, err
	}
	c := &transfer.Copying{M: to.Manager, From: from.store, To: to.store, Journal: journal}
	err = errors.Join(runCopy(ctx, t, from, c, opts.passes), journal.Close())
	if errors.Is(err, transfer.ErrSame) {
		return nil, usage("--to: %s is --from %s by another name, because %w", opts.to, opts.from, transfer.ErrSame)
	}
	if err != nil {
		err = halfway(ctx, err, "the copy is not complete; run the command again to continue")
	}
	return c.Done(), err
}

// sameStore reports whether two configurations lead to one store. Two connections to a server may as well, which only
// the records tell.
func sameStore(a, b *sessionconfig.Config) bool {
	name := a.Connection().Name
	if a.Store != b.Store || name != "" && name == b.Connection().Name {
		return a.Store == b.Store
	}
	one, errOne := os.Stat(a.Place().Path)
	other, errOther := os.Stat(b.Place().Path)
	return errOne == nil && errOther == nil && os.SameFile(one, other)
}

// openStore opens the store that a flag names, and that can list what it has.
func openStore(ctx context.Context, cfg *sessionconfig.Config, flag, name string) (*site, error) {
	other, err := cfg.WithStore(name)
	if err != nil {
		return nil, usage("--%s: %w", flag, err)
	}
	s, err := open(ctx, other, flag == "to")
	if err != nil {
		return nil, &exit{code(err), fmt.Errorf("--%s: %w", flag, err)}
	}
	if _, err := s.lister(); err != nil {
		s.close()
		return nil, usage("--%s: %w, so it cannot be copied", flag, err)
	}
	return s, nil
}

func runCopy(ctx context.Context, t *tool, from *site, c *transfer.Copying, passes int) error {
	total := from.records(ctx, t)
	var err error
	step := func(what string, work func(context.Context, func(int)) error) {
		if err != nil {
			return
		}
		bar := output.NewProgress(t.Err, what, total)
		defer bar.Done()
		err = work(ctx, bar.Step)
	}
	for n := range passes {
		step(fmt.Sprintf("copying, pass %d", n+1), c.Pass)
	}
	step("comparing", c.Verify)
	return err
}

// fileName is a store's name as a part of a file's.
func fileName(store string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, store)
}

func copiedText(t *tool, w io.Writer, c *transfer.Copied) {
	problemsText(t, w, c.Problems)
	fmt.Fprintf(w, "copied %s, brought %d up to date, ended %d, left %d that the site has used; %d expired were not "+
		"copied\n",
		output.Count(c.Copied, "record"), c.Updated, c.Removed, c.Kept, c.Expired)
	fmt.Fprintf(w, "compared %d, all equal", c.Verified)
	if len(c.Problems) > 0 {
		fmt.Fprintf(w, " except those above")
	}
	if c.Changed > 0 {
		fmt.Fprintf(w, "; %d changed meanwhile: run the command again once the site has stopped", c.Changed)
	}
	switch c.Gone {
	case 0:
	case 1:
		fmt.Fprint(w, "; 1 is no longer there: it has ended, goes on under a new id, or was lost; the store cannot "+
			"tell which")
	default:
		fmt.Fprintf(w, "; %d are no longer there: they have ended, go on under new ids, or were lost; the store "+
			"cannot tell which", c.Gone)
	}
	fmt.Fprintln(w)
}
