package main

import (
	"context"
	"fmt"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
)

const (
	// endedAtOnce is how many sessions are ended in one go, of which the library works on some at the same time.
	endedAtOnce = 128
	// mostWalks bounds how often the store is gone through. A second walk finds what moved during the first.
	mostWalks = 10
	// skew is how far the clocks of the site may be behind ours.
	skew = time.Minute
)

// ending ends all sessions of a store.
type ending struct {
	*site
	why    string
	began  time.Time // when the command did
	bar    *output.Progress
	done   tally
	ids    []string // of those that are next
	over   int      // how many of them are over by our clock
	older  bool     // one of them began before the command
	again  bool     // this walk has ended one that did
	unread error    // what this walk could not read
}

// endAll goes through the store until a walk ends nothing that began before the command: a session that gets a new id
// meanwhile may come to lie where the walk has been. What begins afterwards ends as well if it is met, but is no reason
// to go on, for new visitors may come all the time.
func (s *site) endAll(ctx context.Context, t *tool, why string, total int) (tally, error) {
	e := &ending{site: s, why: why, began: s.Now(), bar: output.NewProgress(t.Err, "ending", total)}
	defer e.bar.Done()
	for range mostWalks {
		if err := e.walk(ctx); err != nil {
			return e.done, err
		}
		if !e.again {
			return e.done, e.unread
		}
	}
	return e.done, fmt.Errorf("there may be more, because the store was searched %d times and some were left each "+
		"time; run the command again", mostWalks)
}

// walk goes through the store once.
func (e *ending) walk(ctx context.Context) error {
	e.again, e.unread = false, nil
	since := e.Now().Add(-skew)
	for rec, err := range survey.Records(ctx, e.store) {
		if e.unread = err; err != nil {
			break
		}
		if !leads(rec, since) {
			continue
		}
		if rec.Kind == session.KindLive && e.isOver(rec) {
			e.over++
		}
		e.older = e.older || !rec.CreatedAt.After(e.began)
		if e.ids = append(e.ids, rec.ID); len(e.ids) < endedAtOnce {
			continue
		}
		if err := e.end(ctx); err != nil {
			return err
		}
	}
	return e.end(ctx)
}

// leads reports whether a record is a session, or was one until now and leads to it. One whose time is up by our clock
// may go on by that of the site.
func leads(rec *session.Record, since time.Time) bool {
	if rec.Kind == session.KindLive {
		return true
	}
	return rec.Successor != "" && !rec.SeenAt.Before(since)
}

// end ends the sessions that are next.
func (e *ending) end(ctx context.Context) error {
	n, err := e.revokeFor(ctx, e.why, e.ids...)
	e.done.ended += n
	if err == nil {
		e.done.over += e.over
	}
	e.bar.Step(len(e.ids))
	e.again = e.again || n+e.over > 0 && e.older
	e.ids, e.over, e.older = e.ids[:0], 0, false
	return err
}
