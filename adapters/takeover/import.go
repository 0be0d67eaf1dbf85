package takeover

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session"
)

// Progress says how far an Import has got.
type Progress struct {
	Total   int // that the source had at the beginning
	Moved   int // that are with the manager now
	Skipped int // that ended meanwhile, or hold nothing
	Refused int // that the manager does not take, because of MaxPerUser
}

// Import moves all sessions that the source can list, one after the other, while the site runs: a visitor who comes
// meanwhile is served as ever. progress, unless it is nil, is called after each. An outage ends it with an error. Run
// it again and it goes on where it stopped, because what was moved is no longer listed. The error wraps
// session.ErrNotSupported when the source cannot list.
//
// Visitors get their new ticket only when they come with the old cookie, so keep Middleware until the last old session
// is over.
func (t *Takeover) Import(ctx context.Context, progress func(Progress)) error {
	lister, ok := t.source.(Lister)
	if !ok {
		return fmt.Errorf("takeover: %w: %T cannot list its sessions; they move as people come",
			session.ErrNotSupported,
			t.source)
	}
	total, all, err := lister.List(ctx)
	if err != nil {
		return fmt.Errorf("takeover: list the old sessions: %w", err)
	}
	p := Progress{Total: total}
	for entry := range all {
		ticket, err := t.take(ctx, entry, nil)
		switch {
		case errors.Is(err, session.ErrTooMany):
			p.Refused++
		case err != nil:
			return fmt.Errorf("takeover: %d of %d sessions are moved; run Import again: %w", p.Moved, p.Total, err)
		case ticket == "":
			p.Skipped++
		default:
			p.Moved++
		}
		if progress != nil {
			progress(p)
		}
	}
	return nil
}
