package life

import (
	"context"
	"errors"
	"time"
)

const maxTouchEvery = time.Minute

// DefaultTouch is how often a session with that idle timeout is touched, unless the options say otherwise.
func DefaultTouch(idle time.Duration) time.Duration {
	if idle < 0 {
		return maxTouchEvery
	}
	return min(idle/20, maxTouchEvery)
}

// touchDue reports whether the store is to be told that the session was seen. With -1 it is told by every request, but
// by each commit of a request only when that takes long. Where a clock was ahead, so that the session was seen in the
// future, the store is told before that time has come: it may count from the last touch how long it keeps the record,
// as Redis does. A session that is its token has no such store.
func (d *Draft) touchDue() bool {
	if d.by != itsUser {
		return false
	}
	every := d.k.TouchEvery
	if every < 0 && d.at.written {
		every = DefaultTouch(d.k.Idle)
	}
	since, idle := d.k.Now().Sub(d.at.Rec.SeenAt), d.idleTimeout()
	if idle > 0 && every > idle/2 {
		every = idle / 2
	}
	ahead := idle > 0 && -since > max(idle/2, ClockSkew) && !d.at.written && d.at.Sealed() == ""
	return since >= every || ahead
}

// touch marks the session as seen. One that is gone meanwhile, or was written, needs none.
func (d *Draft) touch(ctx context.Context) error {
	if d.expired(d.k.Now()) {
		return nil
	}
	seen := laterOf(d.at.Rec.SeenAt, d.k.Now())
	if d.k.can.Toucher == nil || d.at.Sealed() != "" {
		return d.replace(ctx, seen)
	}
	rec := *d.at.Rec
	rec.SeenAt, rec.ExpiresAt = seen, d.expiresAt(seen)
	if err := d.k.can.Toucher.Touch(ctx, rec.ID, rec.Version, seen, rec.ExpiresAt); err != nil {
		return Unavailable(err)
	}
	if endMoved(d.at.Rec, &rec) {
		d.reply = ReplyTicket
	}
	d.at.Rec, d.at.written = &rec, true
	return nil
}

// replace marks the session as seen by a record that takes the place of the one that was read.
func (d *Draft) replace(ctx context.Context, seen time.Time) error {
	next, aged, err := d.build(seen)
	if err == nil {
		err = d.k.save(ctx, next.Rec)
	}
	switch {
	case err == nil:
		d.noteStored(next, aged)
	case !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNotFound):
		return Unavailable(err)
	}
	return nil
}

// endMoved reports whether the time until which a client keeps its ticket has moved from one state of a session to the
// next, so that it must be sent again. Where clients keep it for a shorter time than the session lasts, it moves by the
// day.
func endMoved(old, rec *Record) bool {
	if !rec.Persistent || !old.ExpiresAt.Equal(rec.ExpiresAt) {
		return rec.Persistent
	}
	const day = 24 * time.Hour
	cut := rec.ExpiresAt.IsZero() || rec.ExpiresAt.Sub(old.SeenAt) > MaxAge
	return cut && !old.SeenAt.Truncate(day).Equal(rec.SeenAt.Truncate(day))
}
