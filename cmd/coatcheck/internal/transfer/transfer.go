// Package transfer makes the records of a store anew: under the newest secret, or in another store. The site may use
// the store meanwhile, and whoever interrupts it loses nothing.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
)

const (
	// batchSize is how many records are worked on before the next ones are listed.
	batchSize = 500
	// workers is how many records are under way at once: enough to hide the way to a server, few enough to leave it to
	// the site.
	workers = 8
	// attempts is how often a record is read again that the site has changed meanwhile.
	attempts = 100
)

// Problem is a record that could not be made anew. It stays as it is.
type Problem struct {
	ID     string `json:"id"`
	User   string `json:"user"`
	Reason string `json:"reason"`
}

const (
	busy     = "the site keeps changing it; run the command again"
	unopened = "it does not open with the secrets of this configuration, or was changed"
)

// Count says how many records of a store can be listed, for a bar that shows how much is left.
func Count(ctx context.Context, store session.Store, step func(int)) (n int) {
	for _, err := range survey.Records(ctx, store) {
		if err == nil {
			step(1)
			n++
		}
	}
	return n
}

// batches lists all records of a store, some at a time. What cannot be read is an error at the end.
func batches(ctx context.Context, store session.Store, work func([]*session.Record) error) error {
	var batch []*session.Record
	for rec, err := range survey.Records(ctx, store) {
		if err != nil {
			return errors.Join(worked(work, batch), err)
		}
		if batch = append(batch, rec); len(batch) == batchSize {
			if err := work(batch); err != nil {
				return err
			}
			batch = nil
		}
	}
	return worked(work, batch)
}

// worked does the work on the last batch, if there is one.
func worked(work func([]*session.Record) error, batch []*session.Record) error {
	if len(batch) == 0 {
		return nil
	}
	return work(batch)
}

// together works on a list, several at once, and returns the first error. What had begun by then is finished.
func together[T any](ctx context.Context, list []T, work func(context.Context, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	queue := make(chan T)
	var group sync.WaitGroup
	for range min(workers, len(list)) {
		group.Go(func() {
			for item := range queue {
				if err := work(ctx, item); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, item := range list {
		select {
		case queue <- item:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	group.Wait()
	return context.Cause(ctx)
}

// over reports whether a record is no longer of use to anybody.
func over(rec *session.Record, now time.Time) bool {
	return !rec.ExpiresAt.IsZero() && !rec.ExpiresAt.After(now)
}

// load returns a record, nil where there is none, or why it cannot be had.
func load(ctx context.Context, store session.Store, id string) (rec *session.Record, reason string, err error) {
	rec, err = store.Load(ctx, id)
	switch {
	case err == nil:
		return rec, "", nil
	case errors.Is(err, session.ErrNotFound):
		return nil, "", nil
	case errors.Is(err, session.ErrCorrupt):
		return nil, survey.Damaged(""), nil
	}
	return nil, "", unavailable(err)
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", session.ErrUnavailable, err) }
