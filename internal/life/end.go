package life

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/coatcheck/session/internal/bounded"
)

// commitLeaving ends the session that was logged out or invalidated. What was set since is stored first, as a session
// of its own.
func (d *Draft) commitLeaving(ctx context.Context) error {
	var follower *Record
	old, refused := d.leaving(), d.Refused()
	if refused == nil && d.at.Rec == nil && !d.gone && d.storable() {
		refused = d.create(ctx)
		if errors.Is(refused, ErrUnavailable) && !old.gives {
			return d.endAlone(ctx, refused)
		}
		follower = d.at.Rec // nil when it was refused, which keeps alive only what was to give way
	}
	if refused != nil && old.gives {
		return refused
	}
	ended, err := d.endAll(ctx, Ending{Why: old.why, Follower: follower})
	if err != nil && follower != nil {
		d.undo(ctx, follower.ID)
		d.at.first = false
	}
	d.reportEnded(ended)
	if err != nil {
		return err
	}
	d.noteEnded(ended)
	d.change(func(s *seldom) { s.former = nil })
	// A response to a retired ticket deletes nothing: the client may have the one that took over.
	if follower == nil && len(ended) > 0 && old.Rec.Kind == KindLive {
		d.reply = ReplyForget
	}
	return refused
}

// reportEnded reports what the session that leaves has ended, and whatever else was ended before that failed, after the
// session that follows.
func (d *Draft) reportEnded(ended []Ended) {
	if len(ended) == 0 {
		return
	}
	d.reportFirst()
	for _, one := range ended {
		d.report(Event{Kind: EventEnded, ID: one.ID, User: one.User, Reason: one.Why})
	}
}

// noteEnded takes note that the session that leaves has ended, and why.
func (d *Draft) noteEnded(ended []Ended) {
	if len(ended) > 0 {
		d.setEndedBy(ended[len(ended)-1].Why)
	}
	d.setLeaving(nil)
}

// endAll ends the session that leaves, and before it what former cookies of the request name besides: when one of them
// cannot be ended, the client keeps its cookies, and can ask again.
func (d *Draft) endAll(ctx context.Context, e Ending) (ended []Ended, err error) {
	for _, id := range d.rest().former {
		one, err := d.k.named(ctx, id)
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
			continue
		}
		if err != nil {
			return ended, err
		}
		more, err := d.k.End(ctx, one, e)
		ended = append(ended, more...)
		if err != nil {
			return ended, err
		}
	}
	own, err := d.k.End(ctx, d.leaving().Rec, e)
	return append(ended, own...), err
}

// endAlone ends the session that was logged out in a store that has no room for the one that was to follow.
func (d *Draft) endAlone(ctx context.Context, refused error) error {
	if d.k.endWithoutRoom(ctx, d.leaving().Rec, nil, refused) != nil {
		return refused
	}
	one := Ended{Record: d.leaving().Rec, Why: d.leaving().why}
	d.k.watch.ended(one.Why, one.ID)
	d.reportEnded([]Ended{one})
	d.noteEnded([]Ended{one})
	d.reply = ReplyForget
	return refused
}

// Ended is a record as it was before its session ended.
type Ended struct {
	*Record
	Why  Reason
	Late bool // it had run out of time, which is why
}

// End ends the session of a record, or of the successor that it leads to, by compare-and-set, so that a session cannot
// slip away under a new id meanwhile. It returns what it ended: nothing when the session was gone already, or is not
// the user's. Whoever ends it first says why.
func (k *Keeper) End(ctx context.Context, rec *Record, e Ending) (ended []Ended, err error) {
	var ids []string // that led to the session
	var grave grave
	for conflicts := 0; ; {
		switch {
		case e.kept[rec.ID]:
			return nil, nil
		case rec.Kind == KindLive && e.spares(rec):
			return nil, nil
		case rec.Kind == KindLive:
			grave = k.graveOf(rec, e)
			if err = k.bury(ctx, grave, e.kept); err == nil {
				return k.buried(grave, ids), nil
			}
			rec, err = k.newer(ctx, rec, err, conflicts)
			conflicts++
		case grave.is(rec): // whose answer was lost
			return k.buried(grave, ids), nil
		case e.Itself && k.noted(rec) != "": // it has ended before, and tells why
			return nil, nil
		case rec.Successor == "" || e.Follower != nil && rec.Successor == e.Follower.ID || len(ids) > maxMoves:
			return nil, nil
		default:
			ids = append(ids, rec.ID)
			rec, err = k.named(ctx, rec.Successor)
		}
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
			return nil, nil
		}
		if err != nil {
			return nil, Unavailable(err)
		}
	}
}

// grave is a record that is about to give way to its tombstone.
type grave struct {
	Ended
	stone *Record
}

// is reports whether a record is the tombstone, and not somebody else's: no two have the same data.
func (g grave) is(rec *Record) bool {
	return g.stone != nil && rec.Kind == KindTombstone && bytes.Equal(rec.Data, g.stone.Data)
}

// buried tells who waits for the end of a session, under whatever id.
func (k *Keeper) buried(g grave, ids []string) []Ended {
	k.watch.ended(g.Why, append(ids, g.ID)...)
	return []Ended{g.Ended}
}

// bury makes a tombstone of a live record, or removes the record where a tombstone cannot be written, and what follows
// it but for the ids that are kept.
func (k *Keeper) bury(ctx context.Context, g grave, kept map[string]bool) error {
	err := k.confirmBuried(ctx, g, k.Store.Save(ctx, g.stone))
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return err
	}
	return k.endWithoutRoom(ctx, g.Record, kept, err)
}

// endWithoutRoom deletes a record that cannot be replaced, for a store that is full must not keep a session alive. No
// later save brings it back, and a move of it that is under way fails; but a request with its ticket is no longer told
// that it has ended, and begins anew. Where the record can be written, there was room, and the failure is an outage
// like any other.
func (k *Keeper) endWithoutRoom(ctx context.Context, rec *Record, kept map[string]bool, why error) error {
	if !k.Records.Traits().Kept {
		return why
	}
	now, err := k.unchanged(ctx, rec)
	if err != nil {
		return err
	}
	if now, err = k.Reseal(now, now.Version); err != nil {
		return why
	}
	err = k.Store.Save(ctx, now)
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return why
	}
	if _, err = k.unchanged(ctx, rec); err != nil { // it may have moved while that took its time to fail
		return err
	}
	if k.Store.Delete(ctx, rec.ID) != nil {
		return why
	}
	return k.removeHeirsOf(ctx, rec, kept)
}

// unchanged loads a record again. The error tells what became of a record that is another one by now.
func (k *Keeper) unchanged(ctx context.Context, rec *Record) (*Record, error) {
	now, err := k.Load(ctx, rec.ID)
	switch {
	case err != nil:
		return nil, err
	case now.Kind != KindLive || now.Version != rec.Version:
		return nil, &Conflict{now, ErrConflict}
	}
	return now, nil
}

// removeHeirsOf removes what a move of a record left that was decided just before the record was deleted, unless it is
// kept. What nobody is signed in to is in no list: that goes on, as if the record had been deleted before the move.
func (k *Keeper) removeHeirsOf(ctx context.Context, rec *Record, kept map[string]bool) error {
	if k.can.Lister == nil || rec.User == "" {
		return nil
	}
	recs, err := k.byUser(ctx, rec.User)
	recs = slices.DeleteFunc(recs, func(r *Record) bool { return kept[r.ID] })
	return errors.Join(err, k.removeHeirs(ctx, rec, recs))
}

// removeHeirs removes those of the records that wait to take over from a session that has ended. Until the requests
// that made them find that out, nobody could tell them from sessions. One that has taken over since it was listed, and
// ended, is left to tell why.
func (k *Keeper) removeHeirs(ctx context.Context, ended *Record, recs []*Record) (err error) {
	for _, r := range recs {
		if r.Predecessor() == ended.ID && k.removeLost(ctx, r) != nil { // for want of room
			err = errors.Join(err, k.remove(ctx, r.ID))
		}
	}
	return err
}

// confirmBuried finds out whether the tombstone is there although the store told of a failure: it may be that whoever
// asked did not wait for the answer.
func (k *Keeper) confirmBuried(ctx context.Context, g grave, err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return err
	}
	limited := bounded.Within(context.WithoutCancel(ctx), StoreTimeout)
	defer limited.End()
	if now, loadErr := k.Load(limited, g.ID); loadErr != nil || !g.is(now) {
		return err
	}
	return nil
}

// named is the record of an id. Of a session that is with its client nothing is known but that.
func (k *Keeper) named(ctx context.Context, id string) (*Record, error) {
	rec, err := k.Load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		if _, err := k.Records.Missing(ctx, id, Member{}); err == nil {
			return &Record{ID: id}, nil
		}
	}
	return rec, err
}

// newer is the record that stands in the way after a save of rec failed.
func (k *Keeper) newer(ctx context.Context, rec *Record, err error, attempt int) (*Record, error) {
	if !errors.Is(err, ErrConflict) {
		return nil, err
	}
	if err := Pause(ctx, attempt); err != nil {
		return nil, err
	}
	var with *Conflict
	if errors.As(err, &with) && with.Newest != nil {
		return with.Newest, nil
	}
	return k.Load(ctx, rec.ID)
}
