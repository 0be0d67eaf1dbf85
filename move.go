package session

import (
	"context"
	"errors"
	"time"
)

// maxAlias is how long an alias is kept after its grace, so that its use is noticed.
const maxAlias = 24 * time.Hour

func (c *core) renewalDue() bool {
	every := c.m.opts.RenewEvery
	return every > 0 && c.m.now().Sub(fromMicro(c.st.Issued)) >= every
}

// move gives the session a new id: the record of the new one is created, then the old one becomes an alias or a
// tombstone by compare-and-set. That last step decides; if it fails, the new record goes, and all is done again on the
// newest state.
func (c *core) move(ctx context.Context, mode commitMode) error {
	for attempt := 0; ; attempt++ {
		c.renew()
		if err := c.stillThere(ctx); err != nil {
			return c.restart(ctx, err)
		}
		if err := c.readmit(ctx); err != nil {
			return c.restart(ctx, err)
		}
		old := c.rec
		rec, aged, err := c.build(c.m.now())
		if err != nil {
			return err
		}
		if err := c.add(ctx, rec); err != nil {
			return err
		}
		err = c.m.store.Save(ctx, c.retired(old, c.retire, rec))
		if err = c.settle(ctx, old, rec, err); err == nil {
			c.stored(rec, aged)
			c.event(EventRenewed, rec.ID, nil)
			c.m.watch.moved(old.ID, rec.ID)
			return nil
		}
		if err := c.again(ctx, err, mode, attempt); err != nil {
			return c.restart(ctx, err)
		}
		c.keepShown(aged)
		if c.retire == KindAlias && !c.renewalDue() { // another request has renewed it
			c.next, c.nextID, c.retire = ticket{}, "", KindLive
			return c.commit(ctx, mode)
		}
	}
}

// settle removes the new record when the old one could not be retired. After a failure that leaves open whether it was, it asks the
// store, and when that does not answer, somebody asks later.
func (c *core) settle(ctx context.Context, old, rec *Record, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrNotFound) {
		now, lookErr := c.m.decided(ctx, old, rec.ID)
		if lookErr != nil {
			c.abandon(ctx, stray{id: rec.ID, old: old})
			return err
		}
		if now != nil {
			return nil
		}
	}
	c.undo(ctx, rec.ID)
	return err
}

// restart begins a fresh session for a Login whose session is gone: signing in needs nothing of the old one.
func (c *core) restart(ctx context.Context, err error) error {
	if !errors.Is(err, ErrEnded) || !c.login {
		return c.lost(err)
	}
	c.rec, c.retire, c.seen, c.stale = nil, KindLive, 0, false
	if err := c.replay(state{}); err != nil {
		return err
	}
	return c.create(ctx)
}

// undo removes a record that was created for nothing.
func (c *core) undo(ctx context.Context, id string) {
	if err := c.m.store.Delete(ctx, id); err != nil {
		c.abandon(ctx, stray{id: id})
	}
}

// abandon leaves a record to be removed later. Its id is not used again, so that nobody can have its ticket.
func (c *core) abandon(ctx context.Context, s stray) {
	if c.nextID == s.id {
		c.next, c.nextID = ticket{}, ""
	}
	c.spent = true
	c.m.later(ctx, s)
}

// adoptSpent takes over that the id to come cannot be used any more.
func (c *core) adoptSpent(w core) {
	if w.spent {
		c.next, c.nextID = ticket{}, ""
	}
}

// retired is what the old record becomes. next is nil when nothing follows.
func (c *core) retired(old *Record, kind RecordKind, next *Record) *Record {
	now := c.m.now()
	rec := &Record{
		ID: old.ID, User: old.User, Kind: kind, Version: old.Version,
		CreatedAt: old.CreatedAt, SeenAt: now, LoginAt: old.LoginAt, ExpiresAt: now.Add(c.m.opts.RenewGrace),
	}
	if next != nil {
		rec.Successor = next.ID
	}
	if kind == KindAlias {
		rec.Data = sealTicket(c.ticket, c.next, old.ID, next.ID)
		rec.ExpiresAt = now.Add(maxAlias)
		if end := next.ExpiresAt; !end.IsZero() && end.Before(rec.ExpiresAt) {
			rec.ExpiresAt = end
		}
	}
	if c.m.carried != nil {
		c.m.outlive(rec, old)
	}
	return rec
}

// commitEnding ends the session that was logged out or invalidated. What was set since is stored first, as a session
// of its own.
func (c *core) commitEnding(ctx context.Context) error {
	var follower *Record
	var refused error
	old := c.ending.rec
	if c.err == nil && c.rec == nil && !c.gone && c.storable() {
		if refused = c.create(ctx); errors.Is(refused, ErrUnavailable) {
			return refused
		}
		follower = c.rec // nil when it was refused, which does not keep the old session alive
	}
	ended, err := c.m.end(ctx, old, follower)
	if err != nil {
		if follower != nil {
			c.undo(ctx, follower.ID)
		}
		return err
	}
	c.ending = nil
	for _, rec := range ended {
		c.events = append(c.events, Event{Kind: EventEnded, ID: rec.ID, User: rec.User})
	}
	// A response to a retired ticket deletes nothing: the client may have the one that took over.
	if follower == nil && len(ended) > 0 && old.Kind == KindLive {
		c.tell = tellForget
	}
	return refused
}

// end ends the session of a record, or of the successor that it leads to, by compare-and-set, so that a session cannot
// slip away under a new id meanwhile. It returns what it ended: nothing when the session was gone already.
func (m *Manager) end(ctx context.Context, rec, follower *Record) (ended []*Record, err error) {
	var ids []string // that led to the session
	for attempt := 0; ; attempt++ {
		switch {
		case rec.Kind == KindLive:
			c := core{m: m}
			stone := c.retired(rec, KindTombstone, follower)
			if err = m.look(ctx, stone, m.store.Save(ctx, stone)); err == nil {
				m.watch.ended(append(ids, rec.ID)...)
				return append(ended, rec), nil
			}
			rec, err = m.newer(ctx, rec, err, attempt)
		case rec.Successor == "" || follower != nil && rec.Successor == follower.ID || attempt > 100*maxAliases:
			return ended, nil
		default:
			ids = append(ids, rec.ID)
			rec, err = m.known(ctx, rec.Successor)
		}
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
			return ended, nil
		}
		if err != nil {
			return ended, unavailable(err)
		}
	}
}

// look finds out whether a tombstone is there although the store told of a failure.
func (m *Manager) look(ctx context.Context, stone *Record, err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return err
	}
	now, lookErr := m.load(ctx, stone.ID)
	if lookErr == nil && now.Kind == KindTombstone && now.Version == stone.Version+1 && now.Successor == stone.Successor {
		return nil
	}
	return err
}

// newer is the record that stands in the way after a save of rec failed.
func (m *Manager) newer(ctx context.Context, rec *Record, err error, attempt int) (*Record, error) {
	if !errors.Is(err, ErrConflict) {
		return nil, err
	}
	if err := pause(ctx, attempt); err != nil {
		return nil, err
	}
	var with *ConflictError
	if errors.As(err, &with) && with.Newest != nil {
		return with.Newest, nil
	}
	return m.load(ctx, rec.ID)
}
