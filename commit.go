package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// commitMode is how far a commit may go.
type commitMode struct {
	once bool // a conflict is returned, not resolved
	told bool // the client can still be told of a new id, so that an old one is renewed
	last bool // this is the last commit of which the client is told: the headers go out next
}

// commit stores what was done. On an error nothing of it is stored, but for a session that was ended: that stays so.
func (c *core) commit(ctx context.Context, mode commitMode) error {
	if c.discard {
		return c.err
	}
	if c.ending != nil {
		if err := c.commitEnding(ctx); err != nil {
			return err
		}
	}
	if c.err != nil {
		return c.err
	}
	c.settleClocks()
	switch {
	case c.gone:
		return c.commitGone()
	case c.rec == nil:
		return c.create(ctx)
	case c.retire != KindLive:
		return c.move(ctx, mode)
	case mode.told && c.renewalDue():
		return c.renewal(ctx, mode)
	case c.dirty():
		return c.save(ctx, mode)
	case c.touchDue():
		return c.optional(ctx, c.touch(ctx))
	}
	return nil
}

// commitGone refuses changes of a session that is no more.
func (c *core) commitGone() error {
	switch {
	case len(c.ops) == 0 && c.retire == KindLive:
		return nil
	case c.rec != nil && c.rec.Kind == KindTombstone:
		return errTombstone
	}
	return ErrEnded
}

// idle reports whether there is nothing for a commit to do.
func (c *core) idle(mode commitMode) bool {
	if c.err != nil || c.dirty() {
		return false
	}
	if c.rec == nil || c.gone {
		return c.gone || !c.storable()
	}
	return !c.touchDue() && (!mode.told || !c.renewalDue())
}

// optional lets a request succeed that only read, when keeping its session fresh failed: it will be tried again.
func (c *core) optional(ctx context.Context, err error) error {
	if err != nil {
		level := slog.LevelWarn
		if errors.Is(err, ErrEnded) { // elsewhere, as a visitor may
			level = slog.LevelInfo
		}
		c.m.opts.Logger.Log(ctx, level, "session: refresh", "err", err)
		c.next, c.nextID, c.retire = ticket{}, "", KindLive
	}
	return nil
}

// renewal gives the session its new id, with the changes of the request if there are any.
func (c *core) renewal(ctx context.Context, mode commitMode) error {
	issued, dirty := c.st.Issued, c.dirty()
	c.retire = KindAlias
	err := c.move(ctx, mode)
	if err == nil || dirty {
		return err
	}
	c.st.Issued = issued
	return c.optional(ctx, err)
}

// create stores the first record of an id.
func (c *core) create(ctx context.Context) error {
	if !c.storable() {
		return nil
	}
	c.renew()
	rec, aged, err := c.build(c.m.now())
	if err != nil {
		return err
	}
	if err := c.add(ctx, rec); err != nil {
		return err
	}
	if c.tooLate() {
		c.undo(ctx, rec.ID)
		return errLate
	}
	c.stored(rec, aged)
	c.event(EventCreated, rec.ID, nil)
	return nil
}

// add stores the record of a new id. One that is there although the store told of a failure would be listed, and nobody
// would have its ticket.
func (c *core) add(ctx context.Context, rec *Record) error {
	err := c.insert(ctx, rec)
	if err == nil || errors.Is(err, ErrTooMany) || errors.Is(err, ErrEnded) || c.overtaken(err) {
		return err
	}
	if !errors.Is(err, ErrConflict) {
		c.undo(ctx, rec.ID)
	}
	return unavailable(err)
}

// save replaces the record, and on a conflict does the operations again on the newest one.
func (c *core) save(ctx context.Context, mode commitMode) error {
	var mine *turn
	defer func() { mine.release() }()
	for attempt := 0; ; attempt++ {
		if err := c.stillThere(ctx); err != nil {
			return c.lost(err)
		}
		rec, aged, err := c.build(c.m.now())
		if err != nil {
			return err
		}
		err = c.m.store.Save(ctx, rec)
		if err == nil {
			c.stored(rec, aged)
			return nil
		}
		if mine == nil && !mode.once && errors.Is(err, ErrConflict) {
			mine = c.m.turns.take(ctx, rec.ID)
		}
		if err := c.again(ctx, err, mode, attempt); err != nil {
			return c.lost(err)
		}
		c.keepShown(aged)
	}
}

// stillThere looks again when the session seems to have timed out during the request: others may have used it. What this
// request did to the clocks does not bring it back, so the time that the store was told counts too.
func (c *core) stillThere(ctx context.Context) error {
	now, end := c.m.now(), c.rec.ExpiresAt
	if !c.expired(now) && (end.IsZero() || now.Before(end)) {
		return nil
	}
	return c.newest(ctx, nil)
}

// again prepares the next attempt after a save that failed, or says why there is none.
func (c *core) again(ctx context.Context, err error, mode commitMode, attempt int) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return endedIf(true, err)
	case !errors.Is(err, ErrConflict):
		return unavailable(err)
	case mode.once:
		return err
	}
	c.event(EventConflict, c.rec.ID, nil)
	if err := pause(ctx, attempt); err != nil {
		return err
	}
	return c.newest(ctx, err)
}

// maxAttempts bounds the attempts of a commit without a deadline, to about what the timeout of the others allows.
const maxAttempts = 300

// pause waits a random time that grows with the attempts; not at all after the first. The error wraps ErrConflict: there are
// to be no more attempts.
func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return nil
	}
	if attempt >= maxAttempts {
		return fmt.Errorf("%w: after %d attempts", ErrConflict, attempt)
	}
	timer := time.NewTimer(rand.N(time.Millisecond << min(attempt, 5)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: after %d attempts: %w", ErrConflict, attempt, ctx.Err())
	}
}

// lost takes note of a session that ended while it was in use. The client is told nothing: in another tab the visitor
// may have signed in anew.
func (c *core) lost(err error) error {
	if errors.Is(err, ErrEnded) {
		c.gone, c.tell = true, tellNothing
	}
	return err
}

func (c *core) touchDue() bool {
	if c.unseen {
		return false
	}
	every := c.m.opts.TouchEvery
	if idle := c.idleTimeout(); idle > 0 && every > idle/2 {
		every = idle / 2
	}
	return c.m.now().Sub(c.rec.SeenAt) >= every
}

// touch marks the session as seen. One that is gone meanwhile, or was written, needs none.
func (c *core) touch(ctx context.Context) error {
	if c.expired(c.m.now()) {
		return nil
	}
	if c.m.carried != nil {
		return c.save(ctx, commitMode{})
	}
	seen := later(c.rec.SeenAt, c.m.now())
	expires := c.expiresAt(seen)
	if err := c.m.touch(ctx, c, seen, expires); err != nil {
		return unavailable(err)
	}
	rec := *c.rec
	rec.SeenAt, rec.ExpiresAt = seen, expires
	if cookieMoved(c.rec, &rec) {
		c.tell = tellTicket
	}
	c.rec = &rec
	return nil
}

// touch asks the store to touch, or replaces the record where it cannot.
func (m *Manager) touch(ctx context.Context, c *core, seen, expires time.Time) error {
	if m.toucher != nil {
		return m.toucher.Touch(ctx, c.rec.ID, c.rec.Version, seen, expires)
	}
	w := c.clone()
	rec, _, err := w.build(seen)
	if err != nil {
		return err
	}
	if err = m.store.Save(ctx, rec); err == nil {
		c.rec.Version++
	}
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
