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

func (d *draft) renewalDue() bool {
	every := d.m.opts.RenewEvery
	return every > 0 && d.m.now().Sub(fromMicro(d.st.Issued)) >= every
}

// move gives the session a new id: the record of the new one is created, then the old one becomes an alias or a
// tombstone by compare-and-set. That last step decides; if it fails, the new record is written anew from the newest state,
// and goes when there are no more attempts. Until it is decided it names the old one as its predecessor.
func (d *draft) move(ctx context.Context, mode commitMode) error {
	for attempt := 0; ; attempt++ {
		if err := d.prepareMove(ctx); err != nil {
			d.removeNext(ctx)
			return d.restart(ctx, err)
		}
		rec, aged, err := d.saveNext(ctx)
		switch {
		case err == nil && d.tooLate():
			d.removeNext(ctx)
			return errLate
		case err == nil:
			if err = d.retireOld(ctx, rec, aged); err == nil {
				return nil
			}
		case !errors.Is(err, errNextChanged) && !d.overtaken(err):
			d.removeNext(ctx)
			return d.restart(ctx, err)
		}
		if err := d.again(ctx, err, mode, attempt); err != nil {
			d.removeNext(ctx)
			return d.restart(ctx, err)
		}
		d.keepShown(aged)
		if d.oldBecomes == KindAlias && !d.renewalDue() { // another request has renewed it
			d.removeNext(ctx)
			d.nextTicket, d.nextID, d.oldBecomes = ticket{}, "", KindLive
			return d.commit(ctx, mode)
		}
	}
}

// prepareMove makes the id to come, and sees to it that the session is still there to get it.
func (d *draft) prepareMove(ctx context.Context) error {
	d.makeNextID()
	if err := d.stillThere(ctx); err != nil {
		return err
	}
	return d.readmit(ctx)
}

// errNextChanged says that somebody ended or changed the record of the new id before the move was decided.
var errNextChanged = fmt.Errorf("%w: the record of the new id was changed", ErrConflict)

// saveNext puts the record of the id to come into the store, for the first time or anew. One that somebody ended meanwhile is
// not made again under that id: who ended it was told that it is over.
func (d *draft) saveNext(ctx context.Context) (rec *Record, aged []shadow, err error) {
	if rec, aged, err = d.build(d.m.now()); err != nil {
		return nil, nil, err
	}
	if d.nextVersion == 0 {
		if err = d.add(ctx, rec); err == nil && d.m.carried == nil {
			d.nextVersion = 1
		}
		return rec, aged, err
	}
	err = d.m.store.Save(ctx, rec)
	switch {
	case err == nil:
		d.nextVersion++
		return rec, aged, nil
	case errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound):
		d.removeNext(ctx)
		return nil, aged, errNextChanged
	}
	return nil, nil, unavailable(err)
}

// overtaken reports whether a store that refused the new record knows that the old one is no longer there to be retired.
func (d *draft) overtaken(err error) bool {
	var with *ConflictError
	if d.rec == nil || errors.Is(err, ErrUnavailable) {
		return false
	}
	return errors.As(err, &with) && with.Newest != nil && with.Newest.ID == d.rec.ID
}

// retireOld retires the old id, which gives the session its new one.
func (d *draft) retireOld(ctx context.Context, rec *Record, aged []shadow) error {
	old := d.rec
	err := d.m.store.Save(ctx, d.formerOf(old, rec))
	if err = d.confirmRetired(ctx, old, rec, err); err != nil {
		return err
	}
	d.noteStored(rec, aged)
	d.event(EventRenewed, rec.ID, nil)
	d.m.watch.moved(old.ID, rec.ID)
	return nil
}

// removeNext removes the record of the id to come after a move that was not done. The id is not used again.
func (d *draft) removeNext(ctx context.Context) {
	if d.nextVersion == 0 {
		return
	}
	id := d.nextID
	d.nextTicket, d.nextID, d.nextVersion, d.idTaken = ticket{}, "", 0, true
	d.undo(ctx, id)
}

// confirmRetired finds out, after a failure that leaves open whether the old record was retired, whether it was. When the store does
// not answer, somebody asks it later.
func (d *draft) confirmRetired(ctx context.Context, old, rec *Record, err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return err
	}
	now, lookErr := d.m.moveOutcome(ctx, old, rec.ID)
	switch {
	case lookErr != nil:
		d.nextVersion = 0
		d.abandon(ctx, orphan{id: rec.ID, old: old})
	case now != nil:
		return nil
	}
	return err
}

// restart begins a fresh session for a Login whose session is gone: signing in needs nothing of the old one.
func (d *draft) restart(ctx context.Context, err error) error {
	if !errors.Is(err, ErrEnded) || !d.login {
		return d.lost(err)
	}
	d.place, d.oldBecomes = place{}, KindLive
	if err := d.replay(state{}); err != nil {
		return err
	}
	return d.create(ctx)
}

// undo removes a record that was created for nothing.
func (d *draft) undo(ctx context.Context, id string) {
	if err := d.m.store.Delete(ctx, id); err != nil {
		d.abandon(ctx, orphan{id: id})
	}
}

// abandon leaves a record to be removed later. Its id is not used again, so that nobody can have its ticket.
func (d *draft) abandon(ctx context.Context, s orphan) {
	if d.nextID == s.id {
		d.nextTicket, d.nextID = ticket{}, ""
	}
	d.idTaken = true
	d.m.removeLater(ctx, s)
}

// dropTakenID takes over that the id to come cannot be used any more.
func (d *draft) dropTakenID(w draft) {
	if w.idTaken {
		d.nextTicket, d.nextID = ticket{}, ""
	}
}

// formerOf is what the old record becomes when next follows it.
func (d *draft) formerOf(old, next *Record) *Record {
	if d.oldBecomes == KindAlias {
		return d.aliasOf(old, next)
	}
	return d.m.tombstoneOf(old, next)
}

func (d *draft) aliasOf(old, next *Record) *Record {
	rec := d.m.retiredRecord(old, KindAlias, next)
	rec.Data = sealTicket(d.ticket, d.nextTicket, old.ID, next.ID)
	rec.ExpiresAt = rec.SeenAt.Add(maxAlias)
	if end := next.ExpiresAt; !end.IsZero() && end.Before(rec.ExpiresAt) {
		rec.ExpiresAt = end
	}
	return d.m.outlive(rec, old)
}

// tombstoneOf is what becomes of a record whose session has ended, or is no more under this id. next is nil when nothing
// follows.
func (m *Manager) tombstoneOf(old, next *Record) *Record {
	return m.outlive(m.retiredRecord(old, KindTombstone, next), old)
}

// retiredRecord is what an alias and a tombstone have in common.
func (m *Manager) retiredRecord(old *Record, kind RecordKind, next *Record) *Record {
	now := m.now()
	rec := &Record{
		ID: old.ID, User: old.User, Kind: kind, Version: old.Version,
		CreatedAt: old.CreatedAt, SeenAt: now, LoginAt: old.LoginAt, ExpiresAt: now.Add(m.opts.RenewGrace),
	}
	if next != nil {
		rec.Successor = next.ID
	}
	return rec
}

// commitEnding ends the session that was logged out or invalidated. What was set since is stored first, as a session
// of its own.
func (d *draft) commitEnding(ctx context.Context) error {
	var follower *Record
	var refused error
	old := d.leaving.rec
	if d.err == nil && d.rec == nil && !d.gone && d.storable() {
		if refused = d.create(ctx); errors.Is(refused, ErrUnavailable) {
			return d.endAlone(ctx, refused)
		}
		follower = d.rec // nil when it was refused, which does not keep the old session alive
	}
	ended, err := d.endAll(ctx, old, follower)
	if err != nil {
		if follower != nil {
			d.undo(ctx, follower.ID)
			d.events = slices.DeleteFunc(d.events, func(e Event) bool { return e.Kind == EventCreated && e.ID == follower.ID })
		}
		return err
	}
	d.leaving, d.former = nil, nil
	for _, rec := range ended {
		d.events = append(d.events, Event{Kind: EventEnded, ID: rec.ID, User: rec.User})
	}
	// A response to a retired ticket deletes nothing: the client may have the one that took over.
	if follower == nil && len(ended) > 0 && old.Kind == KindLive {
		d.reply = replyForget
	}
	return refused
}

// endAlone ends the session that was logged out in a store that has no room for the one that was to follow.
func (d *draft) endAlone(ctx context.Context, refused error) error {
	if d.m.carried != nil || d.m.endWithoutRoom(ctx, d.leaving.rec, refused) != nil {
		return refused
	}
	rec := d.leaving.rec
	d.leaving, d.reply = nil, replyForget
	d.m.watch.ended(rec.ID)
	d.events = append(d.events, Event{Kind: EventEnded, ID: rec.ID, User: rec.User})
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
			rec, err = m.recordOf(ctx, rec.Successor)
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
	stone := m.tombstoneOf(rec, follower)
	err := m.confirmBuried(ctx, stone, m.store.Save(ctx, stone))
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
	return m.removeHeirsOf(ctx, rec)
}

// removeHeirsOf removes what a move of a record left that was decided just before the record was deleted.
func (m *Manager) removeHeirsOf(ctx context.Context, rec *Record) error {
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

// confirmBuried finds out whether a tombstone is there although the store told of a failure.
func (m *Manager) confirmBuried(ctx context.Context, stone *Record, err error) error {
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
