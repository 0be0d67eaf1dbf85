package life

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// maxRetired is how long a retired record is kept at most, unless its grace is longer.
const maxRetired = 24 * time.Hour

func (d *Draft) renewalDue() bool {
	every := d.k.RenewEvery
	return every > 0 && d.k.Now().Sub(envelope.Time(d.Doc.State.Issued)) >= every
}

// move gives the session a new id: the record of the new one is created, then the old one becomes an alias or a
// tombstone by compare-and-set. That last step decides; if it fails, the new record is written anew from the newest
// state, and goes when there are no more attempts. Until it is decided it names the old one as its predecessor.
func (d *Draft) move(ctx context.Context, mode Mode) error {
	for attempt := 0; ; attempt++ {
		if err := d.prepareMove(ctx); err != nil {
			d.removeNext(ctx)
			return d.restart(ctx, mode, err)
		}
		next, aged, err := d.saveNext(ctx)
		switch {
		case err == nil && d.tooLate():
			d.removeNext(ctx)
			return ErrLate
		case err == nil:
			if err = d.retireOld(ctx, next, aged); err == nil {
				return nil
			}
		case !errors.Is(err, errNextChanged) && !d.overtaken(err):
			d.removeNext(ctx)
			return d.restart(ctx, mode, err)
		}
		if err := d.again(ctx, err, mode, attempt); err != nil {
			d.removeNext(ctx)
			return d.restart(ctx, mode, err)
		}
		d.Doc.KeepShown(d.k.Data.Codec, aged)
		if d.oldBecomes == KindAlias && !d.renewalDue() { // another request has renewed it
			d.removeNext(ctx)
			d.dropNextID()
			d.oldBecomes = KindLive
			return d.Commit(ctx, mode)
		}
	}
}

// prepareMove makes the id to come, and sees to it that the session is still there to get it.
func (d *Draft) prepareMove(ctx context.Context) error {
	d.makeNextID()
	if err := d.stillThere(ctx, d.k.Now()); err != nil {
		return err
	}
	return d.readmit(ctx)
}

// readmit looks again before a session that is in its token changes its id: it is kept under the old one, or ended, if
// at all. A Login begins in time or not, whatever has become of the session before it.
func (d *Draft) readmit(ctx context.Context) error {
	if d.at.Sealed() == "" {
		return nil
	}
	admitted, err := d.k.Records.Missing(ctx, d.at.Rec.ID, d.member())
	d.at.SetAdmitted(admitted)
	if d.SignsIn() && errors.Is(err, ErrNotFound) {
		return nil
	}
	return endedIf(errors.Is(err, ErrNotFound), err)
}

// member is the session as one of its user's.
func (d *Draft) member() Member {
	return Member{d.User(), max(d.Doc.State.Login, d.Doc.State.Created), d.at.Admitted()}
}

// errNextChanged says that somebody ended or changed the record of the new id before the move was decided.
var errNextChanged = fmt.Errorf("%w: the record of the new id was changed", ErrConflict)

// saveNext puts the record of the id to come into the store, for the first time or anew. One that somebody ended
// meanwhile is not made again under that id: whoever ended it was told that it is over.
func (d *Draft) saveNext(ctx context.Context) (next Place, aged []data.Shadow, err error) {
	if next, aged, err = d.build(d.k.Now()); err != nil {
		return Place{}, nil, err
	}
	if d.nextVersion() == 0 {
		if err = d.add(ctx, next.Rec); err == nil && next.Sealed() == "" {
			d.setNextVersion(1)
		}
		return next, aged, err
	}
	err = d.k.save(ctx, next.Rec)
	switch {
	case err == nil:
		d.setNextVersion(d.nextVersion() + 1)
		return next, aged, nil
	case errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound):
		d.removeNext(ctx)
		return Place{}, aged, errNextChanged
	}
	return Place{}, nil, Unavailable(err)
}

// overtaken reports whether a store that refused the new record knows that the old one is no longer there to be
// retired.
func (d *Draft) overtaken(err error) bool {
	var with *Conflict
	if d.at.Rec == nil || errors.Is(err, ErrUnavailable) {
		return false
	}
	return errors.As(err, &with) && with.Newest != nil && with.Newest.ID == d.at.Rec.ID
}

// retireOld retires the old id, which gives the session its new one.
func (d *Draft) retireOld(ctx context.Context, next Place, aged []data.Shadow) error {
	old := d.at.Rec
	err := d.k.Store.Save(ctx, d.formerOf(old, next.Rec))
	if err = d.confirmRetired(ctx, old, next.Rec, err); err != nil {
		return err
	}
	d.noteStored(next, aged)
	d.event(EventRenewed, d.at.Rec.ID, nil)
	d.k.watch.moved(old.ID, d.at.Rec.ID)
	return nil
}

// removeNext removes the record of the id to come after a move that was not done. The id is not used again.
func (d *Draft) removeNext(ctx context.Context) {
	if d.nextVersion() == 0 {
		return
	}
	id := d.nextID()
	d.dropNextID()
	d.undo(ctx, id)
}

// confirmRetired finds out, after a failure that leaves open whether the old record was retired, whether it was. When
// the store does not answer, somebody asks it later.
func (d *Draft) confirmRetired(ctx context.Context, old, rec *Record, err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return err
	}
	now, lookErr := d.k.moveOutcome(ctx, old, rec.ID)
	switch {
	case lookErr != nil:
		d.setNextVersion(0)
		d.abandon(ctx, orphan{id: rec.ID, old: old})
	case now != nil:
		return nil
	}
	return err
}

// undo removes a record that was created for nothing. Its id is not used again: somebody may have revoked it.
func (d *Draft) undo(ctx context.Context, id string) {
	d.idTaken = true
	if err := d.k.Store.Delete(ctx, id); err != nil {
		d.abandon(ctx, orphan{id: id})
	}
}

// abandon leaves a record to be removed later. Its id is not used again, so that nobody can have its ticket.
func (d *Draft) abandon(ctx context.Context, s orphan) {
	if d.nextID() == s.id {
		d.dropNextID()
	}
	d.idTaken = true
	d.k.removeLater(ctx, s)
}

// formerOf is what the old record becomes when next follows it.
func (d *Draft) formerOf(old, next *Record) *Record {
	if d.oldBecomes == KindAlias {
		return d.aliasOf(old, next)
	}
	return d.k.tombstoneOf(old, next)
}

// aliasOf leads to next for as long as somebody may come who knew the session under the old id. Use moves the idle
// deadline, and tells no alias, so that one says nothing here.
func (d *Draft) aliasOf(old, next *Record) *Record {
	rec := d.k.retiredRecord(old, KindAlias, next)
	rec.Data = keys.SealTicket(d.at.Ticket, d.next.ticket, old.ID, next.ID)
	_, absolute := d.deadlines(next.SeenAt.UnixMicro())
	rec.ExpiresAt = keptUntil(rec, envelope.Time(absolute))
	d.k.Records.Remember(rec, old)
	return rec
}

// tombstoneOf is what becomes of a record whose session is no more under this id. next is nil when nothing follows.
func (k *Keeper) tombstoneOf(old, next *Record) *Record {
	rec := k.retiredRecord(old, KindTombstone, next)
	k.Records.Remember(rec, old)
	return rec
}

// retiredRecord is what an alias and a tombstone have in common.
func (k *Keeper) retiredRecord(old *Record, kind Kind, next *Record) *Record {
	now := k.Now()
	rec := &Record{
		ID: old.ID, User: old.User, Kind: kind, Version: old.Version,
		CreatedAt: old.CreatedAt, SeenAt: now, LoginAt: old.LoginAt, ExpiresAt: now.Add(k.RenewGrace),
	}
	if next != nil {
		rec.Successor = next.ID
	}
	return rec
}
