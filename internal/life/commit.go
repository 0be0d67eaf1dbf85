package life

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/data"
)

// Mode is how far a commit may go.
type Mode struct {
	Once    bool // a conflict is returned, not resolved
	CanTell bool // the client can still be told of a new id, so that an old one is renewed
	Last    bool // this is the last commit of which the client is told: the headers go out next
}

// Commit stores what was done. On an error nothing of it is stored, but for a session that was ended: that stays so.
func (d *Draft) Commit(ctx context.Context, mode Mode) error {
	err := d.commit(ctx, mode)
	if err == nil {
		d.reportProof()
	}
	return err
}

func (d *Draft) commit(ctx context.Context, mode Mode) error {
	if d.discard {
		return d.Refused()
	}
	if d.leaving() != nil {
		if err := d.commitLeaving(ctx); err != nil {
			return err
		}
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.settleClocks()
	switch {
	case d.gone:
		return d.commitGone(ctx)
	case d.at.Rec == nil:
		return d.create(ctx)
	case d.oldBecomes != KindLive:
		return d.move(ctx, mode)
	case mode.CanTell && d.renewalDue():
		return d.renewal(ctx, mode)
	case !d.changed():
		return d.upkeep(ctx, mode)
	case d.at.Sealed() != "" && d.tooLate():
		return ErrLate
	}
	return d.save(ctx, mode)
}

// tooLate reports whether the headers are out, so that nobody could be told of a new id.
func (d *Draft) tooLate() bool { return d.visit != nil && d.visit.Sent() }

// commitGone refuses changes of a session that is no more. Whoever signs in begins a fresh one.
func (d *Draft) commitGone(ctx context.Context) error {
	switch {
	case d.SignsIn():
		if err := d.fresh(); err != nil {
			return err
		}
		return d.create(ctx)
	case len(d.Doc.Ops) == 0 && d.oldBecomes == KindLive:
		return nil
	case d.at.Rec != nil && d.at.Rec.Kind == KindTombstone:
		return ErrTombstone
	}
	return ErrEnded
}

// NothingToDo reports whether there is nothing for a commit to do.
func (d *Draft) NothingToDo(mode Mode) bool {
	if d.Refused() != nil || d.changed() || d.dirty() && !d.justFailed() {
		return false
	}
	if d.at.Rec == nil || d.gone {
		return d.gone || !d.storable()
	}
	return d.justFailed() || !d.touchDue() && (!mode.CanTell || !d.renewalDue())
}

// upkeep stores what became of a session that nobody changed: flash data that are consumed, another signature, and that
// it was seen. Where its token is the session, and nobody can be told of another one, that is left to the next request.
func (d *Draft) upkeep(ctx context.Context, mode Mode) error {
	switch {
	case !d.dirty() && d.touchDue():
		return d.optional(ctx, d.touch(ctx))
	case !d.dirty() || d.at.Sealed() != "" && d.tooLate():
		return nil
	}
	was := d.Borrow()
	return d.unasked(ctx, was, mode, d.save(ctx, mode))
}

// renewal gives the session its new id, with the changes of the request if there are any.
func (d *Draft) renewal(ctx context.Context, mode Mode) error {
	var was *Draft
	if !d.changed() {
		was = d.Borrow()
	}
	d.oldBecomes = KindAlias
	err := d.move(ctx, mode)
	if was == nil {
		return err
	}
	return d.unasked(ctx, was, mode, err)
}

// unasked concludes what a request that only read did for its session. If that failed, the draft is again what it was,
// for flash data went with it. Only that the session is gone stays.
func (d *Draft) unasked(ctx context.Context, was *Draft, mode Mode, err error) error {
	defer was.Return()
	switch {
	case err == nil || mode.Once && errors.Is(err, ErrConflict):
		return err
	case d.gone:
		d.Doc = was.Doc
	default:
		was.seldom = d.seldom // which has the events
		*d = *was
	}
	return d.optional(ctx, err)
}

// optional lets a request succeed that only read, when keeping its session fresh failed: the next request tries again,
// and a long one after a while.
func (d *Draft) optional(ctx context.Context, err error) error {
	if err != nil {
		level := slog.LevelWarn
		if errors.Is(err, ErrEnded) { // elsewhere, as a visitor may
			level = slog.LevelInfo
		}
		d.k.log(ctx, level, "session: refresh", "err", err)
		d.dropNextID()
		d.oldBecomes = KindLive
		d.change(func(s *seldom) { s.unkept = d.k.Now() })
	}
	return nil
}

// justFailed reports whether keeping the session fresh failed a moment ago. Whoever waited for a store that hangs does
// not wait again at the end of the same request.
func (d *Draft) justFailed() bool {
	if d.seldom == nil || d.seldom.unkept.IsZero() {
		return false
	}
	since := d.k.Now().Sub(d.seldom.unkept)
	return since >= 0 && since < DefaultTouch(d.idleTimeout())
}

// create stores the first record of an id.
func (d *Draft) create(ctx context.Context) error {
	if !d.storable() {
		return nil
	}
	d.makeNextID()
	next, aged, err := d.build(d.k.Now())
	if err != nil {
		return err
	}
	if err := d.add(ctx, next.Rec); err != nil {
		return err
	}
	if d.tooLate() {
		d.undo(ctx, next.Rec.ID)
		return ErrLate
	}
	d.noteStored(next, aged)
	d.at.first = true
	return nil
}

// add stores the record of a new id. One that is there although the store told of a failure would be listed, and nobody
// would have its ticket.
func (d *Draft) add(ctx context.Context, rec *Record) error {
	err := d.insert(ctx, rec)
	if err == nil || errors.Is(err, ErrTooMany) || errors.Is(err, ErrEnded) || d.overtaken(err) {
		return err
	}
	if d.follows { // it may be another request's by now, and is found again
		return Unavailable(err)
	}
	if !errors.Is(err, ErrConflict) {
		_ = d.k.Store.Delete(ctx, rec.ID)
		d.abandon(ctx, orphan{id: rec.ID}) // which deletes it again: a server may yet do what its caller gave up
	}
	return Unavailable(err)
}

// save replaces the record, and on a conflict does the operations again on the newest one. Where others wait already it
// takes its place behind them, and does not try to be faster.
func (d *Draft) save(ctx context.Context, mode Mode) error {
	var mine *spot
	defer func() { mine.release() }()
	if !mode.Once && d.k.queues.has(d.at.Rec.ID) {
		mine = d.k.queues.wait(ctx, d.at.Rec.ID)
	}
	for attempt := 0; ; attempt++ {
		now := d.k.Now()
		if err := d.stillThere(ctx, now); err != nil {
			return d.Lost(err)
		}
		next, aged, err := d.build(now)
		if err != nil {
			return err
		}
		err = d.k.save(ctx, next.Rec)
		if err == nil {
			d.noteStored(next, aged)
			return nil
		}
		if mine == nil && !mode.Once && errors.Is(err, ErrConflict) {
			mine = d.k.queues.wait(ctx, next.Rec.ID)
		}
		if err := d.again(ctx, err, mode, mine.pauses(attempt)); err != nil {
			return d.Lost(err)
		}
		d.Doc.KeepShown(d.k.Data.Codec, aged)
	}
}

// stillThere looks again when the session seems to have timed out during the request: others may have used it. What
// this request did to the clocks does not bring it back, so the time that the store was told counts too.
func (d *Draft) stillThere(ctx context.Context, now time.Time) error {
	end := d.at.Rec.ExpiresAt
	if !d.expired(now) && (end.IsZero() || now.Before(end)) {
		return nil
	}
	return d.Newest(ctx, nil)
}

// again prepares the next attempt after a save that failed, or says why there is none.
func (d *Draft) again(ctx context.Context, err error, mode Mode, attempt int) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return endedIf(true, err)
	case !errors.Is(err, ErrConflict):
		return Unavailable(err)
	case mode.Once:
		return err
	}
	d.event(EventConflict, d.at.Rec.ID, nil)
	if err := Pause(ctx, attempt); err != nil {
		return err
	}
	return d.Newest(ctx, err)
}

// maxAttempts bounds the attempts of a commit without a deadline, to about what the timeout of the others allows.
const maxAttempts = 300

// Pause waits a random time that grows with the attempts; not at all after the first. The error wraps ErrConflict:
// there are to be no more attempts.
func Pause(ctx context.Context, attempt int) error {
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

// settleClocks gives a session that is in its token a new id when its own time-outs change. All copies of an id then
// end by the same clocks, and a retired id need not be remembered longer than the last of them can live.
func (d *Draft) settleClocks() {
	if d.at.Sealed() == "" || d.gone || d.oldBecomes != KindLive || !d.k.Records.Traits().Final {
		return
	}
	if slices.ContainsFunc(d.Doc.Ops, data.Op.SetsClock) {
		d.oldBecomes = KindTombstone
	}
}

// Lost takes note of a session that ended while it was in use. The client is told nothing: in another tab the visitor
// may have signed in anew.
func (d *Draft) Lost(err error) error {
	if errors.Is(err, ErrEnded) {
		d.gone, d.reply = true, ReplyNothing
	}
	return err
}
