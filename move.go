package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
)

// maxAlias is how long an alias is kept after its grace, so that its use is noticed.
const maxAlias = 24 * time.Hour

func (d *draft) renewalDue() bool {
	every := d.k.renewEvery
	return every > 0 && d.k.now().Sub(fromMicro(d.Doc.State.Issued)) >= every
}

// move gives the session a new id: the record of the new one is created, then the old one becomes an alias or a
// tombstone by compare-and-set. That last step decides; if it fails, the new record is written anew from the newest
// state, and goes when there are no more attempts. Until it is decided it names the old one as its predecessor.
func (d *draft) move(ctx context.Context, mode commitMode) error {
	for attempt := 0; ; attempt++ {
		if err := d.prepareMove(ctx); err != nil {
			d.removeNext(ctx)
			return d.restart(ctx, err)
		}
		next, aged, err := d.saveNext(ctx)
		switch {
		case err == nil && d.tooLate():
			d.removeNext(ctx)
			return errLate
		case err == nil:
			if err = d.retireOld(ctx, next, aged); err == nil {
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
		d.Doc.KeepShown(d.k.data.Codec, aged)
		if d.oldBecomes == KindAlias && !d.renewalDue() { // another request has renewed it
			d.removeNext(ctx)
			d.dropNextID()
			d.oldBecomes = KindLive
			return d.Commit(ctx, mode)
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

// readmit looks again before a session that is in its token changes its id: it is kept under the old one, or ended, if
// at all.
func (d *draft) readmit(ctx context.Context) (err error) {
	if d.token == "" || d.login {
		return nil
	}
	d.admitted, err = d.k.records.missing(ctx, d.rec.ID, d.member())
	return endedIf(errors.Is(err, ErrNotFound), err)
}

// member is the session as one of its user's.
func (d *draft) member() member {
	return member{d.rec.User, max(d.Doc.State.Login, d.Doc.State.Created), d.admitted}
}

// errNextChanged says that somebody ended or changed the record of the new id before the move was decided.
var errNextChanged = fmt.Errorf("%w: the record of the new id was changed", ErrConflict)

// saveNext puts the record of the id to come into the store, for the first time or anew. One that somebody ended
// meanwhile is not made again under that id: who ended it was told that it is over.
func (d *draft) saveNext(ctx context.Context) (next place, aged []data.Shadow, err error) {
	if next, aged, err = d.build(d.k.now()); err != nil {
		return place{}, nil, err
	}
	if d.nextVersion == 0 {
		if err = d.add(ctx, next.rec); err == nil && next.token == "" {
			d.nextVersion = 1
		}
		return next, aged, err
	}
	err = d.k.store.Save(ctx, next.rec)
	switch {
	case err == nil:
		d.nextVersion++
		return next, aged, nil
	case errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound):
		d.removeNext(ctx)
		return place{}, aged, errNextChanged
	}
	return place{}, nil, unavailable(err)
}

// overtaken reports whether a store that refused the new record knows that the old one is no longer there to be
// retired.
func (d *draft) overtaken(err error) bool {
	var with *ConflictError
	if d.rec == nil || errors.Is(err, ErrUnavailable) {
		return false
	}
	return errors.As(err, &with) && with.Newest != nil && with.Newest.ID == d.rec.ID
}

// retireOld retires the old id, which gives the session its new one.
func (d *draft) retireOld(ctx context.Context, next place, aged []data.Shadow) error {
	old := d.rec
	err := d.k.store.Save(ctx, d.formerOf(old, next.rec))
	if err = d.confirmRetired(ctx, old, next.rec, err); err != nil {
		return err
	}
	d.noteStored(next, aged)
	d.event(EventRenewed, d.rec.ID, nil)
	d.k.watch.moved(old.ID, d.rec.ID)
	return nil
}

// removeNext removes the record of the id to come after a move that was not done. The id is not used again.
func (d *draft) removeNext(ctx context.Context) {
	if d.nextVersion == 0 {
		return
	}
	id := d.nextID
	d.dropNextID()
	d.nextVersion, d.idTaken = 0, true
	d.undo(ctx, id)
}

// confirmRetired finds out, after a failure that leaves open whether the old record was retired, whether it was. When
// the store does not answer, somebody asks it later.
func (d *draft) confirmRetired(ctx context.Context, old, rec *Record, err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return err
	}
	now, lookErr := d.k.moveOutcome(ctx, old, rec.ID)
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
		return d.Lost(err)
	}
	d.place, d.oldBecomes = place{}, KindLive
	if err := d.replay(data.State{}); err != nil {
		return err
	}
	return d.create(ctx)
}

// undo removes a record that was created for nothing.
func (d *draft) undo(ctx context.Context, id string) {
	if err := d.k.store.Delete(ctx, id); err != nil {
		d.abandon(ctx, orphan{id: id})
	}
}

// abandon leaves a record to be removed later. Its id is not used again, so that nobody can have its ticket.
func (d *draft) abandon(ctx context.Context, s orphan) {
	if d.nextID == s.id {
		d.dropNextID()
	}
	d.idTaken = true
	d.k.removeLater(ctx, s)
}

// formerOf is what the old record becomes when next follows it.
func (d *draft) formerOf(old, next *Record) *Record {
	if d.oldBecomes == KindAlias {
		return d.aliasOf(old, next)
	}
	return d.k.tombstoneOf(old, next)
}

func (d *draft) aliasOf(old, next *Record) *Record {
	rec := d.k.retiredRecord(old, KindAlias, next)
	rec.Data = keys.SealTicket(d.ticket, d.nextTicket, old.ID, next.ID)
	rec.ExpiresAt = rec.SeenAt.Add(maxAlias)
	if end := next.ExpiresAt; !end.IsZero() && end.Before(rec.ExpiresAt) {
		rec.ExpiresAt = end
	}
	d.k.records.remember(rec, old)
	return rec
}

// tombstoneOf is what becomes of a record whose session has ended, or is no more under this id. next is nil when
// nothing follows.
func (k *keeper) tombstoneOf(old, next *Record) *Record {
	rec := k.retiredRecord(old, KindTombstone, next)
	k.records.remember(rec, old)
	return rec
}

// retiredRecord is what an alias and a tombstone have in common.
func (k *keeper) retiredRecord(old *Record, kind RecordKind, next *Record) *Record {
	now := k.now()
	rec := &Record{
		ID: old.ID, User: old.User, Kind: kind, Version: old.Version,
		CreatedAt: old.CreatedAt, SeenAt: now, LoginAt: old.LoginAt, ExpiresAt: now.Add(k.renewGrace),
	}
	if next != nil {
		rec.Successor = next.ID
	}
	return rec
}
