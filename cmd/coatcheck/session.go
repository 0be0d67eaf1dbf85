package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
)

func newSession() *cobra.Command {
	return group("session", "List, show, end and count sessions",
		"  coatcheck session list --user ada\n  coatcheck session revoke --user ada --yes\n  coatcheck session stats",
		newList(), newShow(), newRevoke(), newClear(), newStats(), newVerify(), newCopy(), newRekey(), newWatch())
}

func newClear() *cobra.Command {
	return command(&cobra.Command{
		Use:   "clear",
		Short: "Remove expired sessions from the store",
		Long: `Remove expired records from the store, retired ids included, and print how many were removed.
Sessions end on time without it; it frees space, for sites that have switched the sweeper off.
Redis drops expired records by itself; this also removes what still points to them.`,
		Example: "  coatcheck session clear",
		Args:    noArguments,
	}, opened(func(ctx context.Context, t *tool, s *site, _ []string) error {
		n, err := s.clear(ctx, t)
		if err != nil {
			return err
		}
		return t.Value(map[string]int{"removed": n}, func(w io.Writer) {
			fmt.Fprintln(w, "removed", output.Count(n, "expired record"))
		})
	}))
}

// clear sweeps. Where somebody watches, it is known before how much there is to do.
func (s *site) clear(ctx context.Context, t *tool) (int, error) {
	sweeper, ok := s.store.(session.Sweeper)
	if !ok {
		return s.Sweep(ctx) // which says so
	}
	bar := output.NewProgress(t.Err, "removing", s.expired(ctx, t))
	defer bar.Done()
	before := s.Now()
	for removed := 0; ; {
		n, err := sweeper.Sweep(ctx, before, sweepBatch)
		removed += n
		bar.Step(n)
		if err != nil {
			return removed, halfway(ctx, fmt.Errorf("%w: %w", session.ErrUnavailable, err), "after removing %s",
				output.Count(removed, "expired record"))
		}
		if n < sweepBatch {
			return removed, nil
		}
	}
}

// sweepBatch is how many records are removed at once: a step that a store answers soon, also while a site uses it.
const sweepBatch = 500

// expired counts what a sweep would remove, where somebody watches and the store can say so. It leaves what cannot be
// read to the sweep.
func (s *site) expired(ctx context.Context, t *tool) int {
	if _, ok := s.store.(session.Lister); !ok || !output.Watched(t.Err) {
		return -1
	}
	bar := output.NewProgress(t.Err, "counting", -1)
	defer bar.Done()
	now, n := s.Now(), 0
	for rec, err := range survey.Records(ctx, s.store) {
		if err != nil {
			break
		}
		bar.Step(1)
		if !rec.ExpiresAt.IsZero() && rec.ExpiresAt.Before(now) {
			n++
		}
	}
	return n
}
