package session

import (
	"context"
	"errors"
	"time"
)

func (d *draft) touchDue() bool {
	if d.byOperator {
		return false
	}
	every := d.k.touchEvery
	if idle := d.idleTimeout(); idle > 0 && every > idle/2 {
		every = idle / 2
	}
	return d.k.now().Sub(d.rec.SeenAt) >= every
}

// touch marks the session as seen. One that is gone meanwhile, or was written, needs none.
func (d *draft) touch(ctx context.Context) error {
	if d.expired(d.k.now()) {
		return nil
	}
	seen := laterOf(d.rec.SeenAt, d.k.now())
	if d.k.toucher == nil || d.token != "" {
		return d.replace(ctx, seen)
	}
	rec := *d.rec
	rec.SeenAt, rec.ExpiresAt = seen, d.expiresAt(seen)
	if err := d.k.toucher.Touch(ctx, rec.ID, rec.Version, seen, rec.ExpiresAt); err != nil {
		return unavailable(err)
	}
	if cookieMoved(d.rec, &rec) {
		d.reply = replyTicket
	}
	d.rec = &rec
	return nil
}

// replace marks the session as seen by a record that takes the place of the one that was read.
func (d *draft) replace(ctx context.Context, seen time.Time) error {
	next, aged, err := d.build(seen)
	if err == nil {
		err = d.k.store.Save(ctx, next.rec)
	}
	switch {
	case err == nil:
		d.noteStored(next, aged)
	case !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNotFound):
		return unavailable(err)
	}
	return nil
}
