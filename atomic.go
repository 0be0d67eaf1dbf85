package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/life"
)

// Atomic runs fn on the newest state of the session, including changes that are not saved yet, and commits the result
// by compare-and-set. If another request commits first, fn runs again on what that one left. If fn returns an error,
// nothing that it did is kept; the earlier unsaved changes stay. If another request has given the session a new id by
// Login or Regenerate, fn still runs, because a Login or Logout in it works as it does outside. It then sees none of
// the data, which the other request may have used; nothing else that it does is kept, and the error wraps ErrEnded.
// After a Login that is not saved yet, fn runs even if the session has ended, and a fresh session keeps what it does.
//
// fn must use the session that it is given, and no other. Calling Save, Reload or Atomic on it is refused with an
// error. What fn does elsewhere is not undone when it runs again. So call a method such as Manager.RevokeUser
// afterwards, when the session has the id by which it is to be kept.
func (s *Session) Atomic(ctx context.Context, fn func(*Session) error) error {
	var events []life.Event
	var own error
	err := s.atomic(ctx, func(s *Session) error {
		own = fn(s)
		return own
	}, &events)
	s.emit(ctx, eventsOf(events)...)
	if own != nil {
		return own
	}
	return outward(err)
}

func (s *Session) atomic(ctx context.Context, fn func(*Session) error, events *[]life.Event) error {
	if err := s.holdToCommit(ctx); err != nil {
		return err
	}
	defer s.release()
	return s.untilCommitted(ctx, fn, events)
}

// untilCommitted runs fn on one newest state after the other. It is called while the session is held.
func (s *Session) untilCommitted(ctx context.Context, fn func(*Session) error, events *[]life.Event) error {
	base, before, now := s.base()
	var conflict, ended error
	var turn life.Turn
	defer turn.End()
	for attempt := 0; ; attempt++ {
		if err := turn.Await(ctx, &base, attempt); err != nil {
			return err
		}
		gone, err := base.Again(ctx, conflict)
		if err != nil {
			return s.keepEnd(&base, &base, err)
		}
		ended = cmp.Or(ended, gone)
		try := s.within(inAtomic, base.Clone())
		if err := fn(try); err != nil {
			return err
		}
		if ended != nil && !try.draft.SignsIn() && !try.draft.Leaving() {
			return s.keepEnd(&base, &base, ended)
		}
		err = s.attempt(ctx, &try.draft)
		*events = try.draft.AppendEvents(*events)
		if errors.Is(err, life.ErrLate) { // told when the session is free
			*events = append(*events, life.Event{Kind: life.EventLate, ID: s.ID(), User: s.User(), Err: err})
		}
		if err == nil {
			s.takeOver(&try.draft, before, now, events)
			return nil
		}
		// A first record that is in the way is no newer state to go on with.
		if conflict = err; !errors.Is(err, ErrConflict) || errors.Is(err, ErrUnavailable) {
			return s.keepEnd(&base, &try.draft, err)
		}
		*events = append(*events, base.Conflict(&try.draft))
	}
}

// takeOver takes over what an attempt has stored.
func (s *Session) takeOver(d *life.Draft, ops int, now uint64, events *[]life.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*events = append(*events, s.catchUp(d, ops, now)...)
	s.adopt(d)
}

// base is a copy to begin with, and which operations and values of Now are in it.
func (s *Session) base() (d life.Draft, ops int, now uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Clone(), len(s.draft.Doc.Ops), s.draft.Doc.Latest()
}

// attempt commits what a function left. The first byte of the response waits for it. When that is out already, no new
// id is made.
func (s *Session) attempt(ctx context.Context, d *life.Draft) error {
	s.begun()
	defer s.tried(d)
	if d.TooLate() {
		return life.ErrLate
	}
	if err := s.unreachable(d); err != nil {
		return err
	}
	return d.Commit(ctx, life.Mode{Once: true})
}

// begun notes that an attempt is under way.
func (s *Session) begun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = true
}

// tried notes that it is over. The id of a record that it has removed is not taken again.
func (s *Session) tried(d *life.Draft) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = false
	s.draft.DropTakenID(d)
}

// keepEnd takes over what an attempt that failed found out or cannot undo: that the session is gone, or that it ended
// it.
func (s *Session) keepEnd(base, try *life.Draft, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.AdoptEnd(base, try, err)
}

// part says which function of the application a session was made for, that it may not be saved or changed in every way.
type part uint8

const (
	whole part = iota
	inAtomic
	inLogin
)

var (
	errPart = errors.New("session: a function given to Atomic must not call Save, Reload or Atomic, and an option of " +
		"Login must not change the identity either: do it afterwards")
	errHeld = fmt.Errorf("%w: another call on this session did not end; a function given to Atomic, Update or Login "+
		"must use no other session than the one that it is given, and not commit", ErrUnavailable)
)

// uncommittable is why the session may not be committed.
func (s *Session) uncommittable() error {
	if s.part != whole {
		return errPart
	}
	return s.rest.Get().stub
}

// hold waits until no other call commits the session or changes its identity. That call may be waiting for this one,
// when a function given to it has made this call: so nobody waits for it longer than for a store.
func (s *Session) hold(ctx context.Context) error { return life.Await(ctx, errHeld, s.tryHold) }

// holdToCommit is hold for a session that may be committed.
func (s *Session) holdToCommit(ctx context.Context) error {
	if err := s.uncommittable(); err != nil {
		return err
	}
	return s.hold(ctx)
}

// tryHold returns nil, or a channel that is closed when it is worth to try again.
func (s *Session) tryHold() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.held {
		s.held = true
		return nil
	}
	free := s.rest.Get().free
	if free == nil {
		free = make(chan struct{})
		s.rest.Change(func(r *seldom) { r.free = free })
	}
	return free
}

func (s *Session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.busy = false, false
	if free := s.rest.Get().free; free != nil {
		close(free)
		s.rest.Change(func(r *seldom) { r.free = nil })
	}
}

// within makes a session for a function of the application, with a copy of what is here. It is called with the lock
// held.
func (s *Session) within(p part, d life.Draft) *Session {
	w := &Session{m: s.m, ex: s.ex, isNew: s.isNew, expired: s.expired, seenAt: s.seenAt, draft: d, part: p}
	if from := s.rest.Get(); s.ex == nil || from.barred != nil {
		w.rest.Change(func(r *seldom) { r.ctx, r.request, r.barred = from.ctx, from.request, from.barred })
	}
	return w
}

// holdWhole is hold for changes of identity, which an option of Login must not make.
func (s *Session) holdWhole() error {
	if s.part == inLogin {
		return errPart
	}
	return s.hold(context.Background())
}
