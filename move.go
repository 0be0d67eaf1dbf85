package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxAlias is how long an alias is kept after its grace, so that its use is noticed.
const maxAlias = 24 * time.Hour

func (c *core) renewalDue() bool {
	every := c.m.opts.RenewEvery
	return every > 0 && c.m.now().Sub(fromMicro(c.st.Issued)) >= every
}

// move gives the session a new id: the record of the new one is created, then the old one becomes an alias or a
// tombstone by compare-and-set. That last step decides; if it fails, the new record is written anew from the newest state,
// and goes when there are no more attempts. Until it is decided it names the old one as its predecessor.
func (c *core) move(ctx context.Context, mode commitMode) error {
	for attempt := 0; ; attempt++ {
		if err := c.prepareMove(ctx); err != nil {
			c.unmake(ctx)
			return c.restart(ctx, err)
		}
		rec, aged, err := c.makeNext(ctx)
		switch {
		case err == nil && c.tooLate():
			c.unmake(ctx)
			return errLate
		case err == nil:
			if err = c.decide(ctx, rec, aged); err == nil {
				return nil
			}
		case !errors.Is(err, errUnmade) && !c.overtaken(err):
			c.unmake(ctx)
			return c.restart(ctx, err)
		}
		if err := c.again(ctx, err, mode, attempt); err != nil {
			c.unmake(ctx)
			return c.restart(ctx, err)
		}
		c.keepShown(aged)
		if c.retire == KindAlias && !c.renewalDue() { // another request has renewed it
			c.unmake(ctx)
			c.next, c.nextID, c.retire = ticket{}, "", KindLive
			return c.commit(ctx, mode)
		}
	}
}

// prepareMove makes the id to come, and sees to it that the session is still there to get it.
func (c *core) prepareMove(ctx context.Context) error {
	c.renew()
	if err := c.stillThere(ctx); err != nil {
		return err
	}
	return c.readmit(ctx)
}

// errUnmade says that somebody ended or changed the record of the new id before the move was decided.
var errUnmade = fmt.Errorf("%w: the record of the new id was changed", ErrConflict)

// makeNext puts the record of the id to come into the store, for the first time or anew. One that somebody ended meanwhile is
// not made again under that id: who ended it was told that it is over.
func (c *core) makeNext(ctx context.Context) (rec *Record, aged []shadow, err error) {
	if rec, aged, err = c.build(c.m.now()); err != nil {
		return nil, nil, err
	}
	if c.made == 0 {
		if err = c.add(ctx, rec); err == nil && c.m.carried == nil {
			c.made = 1
		}
		return rec, aged, err
	}
	err = c.m.store.Save(ctx, rec)
	switch {
	case err == nil:
		c.made++
		return rec, aged, nil
	case errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound):
		c.unmake(ctx)
		return nil, aged, errUnmade
	}
	return nil, nil, unavailable(err)
}

// overtaken reports whether a store that refused the new record knows that the old one is no longer there to be retired.
func (c *core) overtaken(err error) bool {
	var with *ConflictError
	if c.rec == nil || errors.Is(err, ErrUnavailable) {
		return false
	}
	return errors.As(err, &with) && with.Newest != nil && with.Newest.ID == c.rec.ID
}

// decide retires the old id, which gives the session its new one.
func (c *core) decide(ctx context.Context, rec *Record, aged []shadow) error {
	old := c.rec
	err := c.m.store.Save(ctx, c.retired(old, c.retire, rec))
	if err = c.settle(ctx, old, rec, err); err != nil {
		return err
	}
	c.stored(rec, aged)
	c.event(EventRenewed, rec.ID, nil)
	c.m.watch.moved(old.ID, rec.ID)
	return nil
}

// unmake removes the record of the id to come after a move that was not done. The id is not used again.
func (c *core) unmake(ctx context.Context) {
	if c.made == 0 {
		return
	}
	id := c.nextID
	c.next, c.nextID, c.made, c.spent = ticket{}, "", 0, true
	c.undo(ctx, id)
}

// settle finds out, after a failure that leaves open whether the old record was retired, whether it was. When the store does
// not answer, somebody asks it later.
func (c *core) settle(ctx context.Context, old, rec *Record, err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return err
	}
	now, lookErr := c.m.decided(ctx, old, rec.ID)
	switch {
	case lookErr != nil:
		c.made = 0
		c.abandon(ctx, stray{id: rec.ID, old: old})
	case now != nil:
		return nil
	}
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
			return c.endAlone(ctx, refused)
		}
		follower = c.rec // nil when it was refused, which does not keep the old session alive
	}
	ended, err := c.endAll(ctx, old, follower)
	if err != nil {
		if follower != nil {
			c.undo(ctx, follower.ID)
			c.events = slices.DeleteFunc(c.events, func(e Event) bool { return e.Kind == EventCreated && e.ID == follower.ID })
		}
		return err
	}
	c.ending, c.former = nil, nil
	for _, rec := range ended {
		c.events = append(c.events, Event{Kind: EventEnded, ID: rec.ID, User: rec.User})
	}
	// A response to a retired ticket deletes nothing: the client may have the one that took over.
	if follower == nil && len(ended) > 0 && old.Kind == KindLive {
		c.tell = tellForget
	}
	return refused
}

// endAlone ends the session that was logged out in a store that has no room for the one that was to follow.
func (c *core) endAlone(ctx context.Context, refused error) error {
	if c.m.carried != nil || c.m.endWithoutRoom(ctx, c.ending.rec, refused) != nil {
		return refused
	}
	rec := c.ending.rec
	c.ending, c.tell = nil, tellForget
	c.m.watch.ended(rec.ID)
	c.events = append(c.events, Event{Kind: EventEnded, ID: rec.ID, User: rec.User})
	return refused
}

// end ends the session of a record, or of the successor that it leads to, by compare-and-set, so that a session cannot
// slip away under a new id meanwhile. It returns what it ended: nothing when the session was gone already, or is not the
// user's.
func (m *Manager) end(ctx context.Context, rec, follower *Record, user string) (ended []*Record, err error) {
	var ids []string // that led to the session
	for attempt := 0; ; attempt++ {
		switch {
		case rec.Kind == KindLive && user != anybody && rec.User != user:
			return nil, nil
		case rec.Kind == KindLive:
			if err = m.bury(ctx, rec, follower); err == nil {
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

// bury makes a tombstone of a live record, or removes the record where a tombstone cannot be written.
func (m *Manager) bury(ctx context.Context, rec, follower *Record) error {
	c := core{m: m}
	stone := c.retired(rec, KindTombstone, follower)
	err := m.look(ctx, stone, m.store.Save(ctx, stone))
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || m.carried != nil {
		return err
	}
	return m.endWithoutRoom(ctx, rec, err)
}

// endWithoutRoom deletes a record that cannot be replaced, for a store that is full must not keep a session alive. No later save
// brings it back, and a move of it that is under way fails; but a request with its ticket is no longer told that it has
// ended, and begins anew. Where the record can be written, there was room, and the failure is an outage like any other.
func (m *Manager) endWithoutRoom(ctx context.Context, rec *Record, why error) error {
	now, err := m.load(ctx, rec.ID)
	switch {
	case errors.Is(err, ErrUnavailable):
		return why
	case err != nil:
		return err
	case now.Kind != KindLive || now.Version != rec.Version:
		return &ConflictError{Newest: now}
	}
	if now, err = m.Reseal(now, now.Version); err != nil {
		return why
	}
	err = m.store.Save(ctx, now)
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || m.store.Delete(ctx, rec.ID) != nil {
		return why
	}
	return m.removeMoved(ctx, rec)
}

// removeMoved removes what a move of a record left that was decided just before the record was deleted.
func (m *Manager) removeMoved(ctx context.Context, rec *Record) error {
	if m.lister == nil || rec.User == "" {
		return nil
	}
	recs, err := m.byUser(ctx, rec.User)
	return errors.Join(err, m.removeHeirs(ctx, rec, recs))
}

// removeHeirs removes those of the records that wait to take over from a session that has ended. Until the requests that made
// them find that out, nobody could tell them from sessions.
func (m *Manager) removeHeirs(ctx context.Context, ended *Record, recs []*Record) (err error) {
	for _, r := range recs {
		if r.Predecessor() == ended.ID {
			err = errors.Join(err, m.remove(ctx, r.ID))
		}
	}
	return err
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
