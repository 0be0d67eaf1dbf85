package session

import (
	"context"
	"errors"

	"github.com/coatcheck/session/internal/life"
)

// Atomic runs fn on the newest state of the session, with the changes that were not saved yet, and commits the result
// by compare-and-set. When another request commits first, fn runs again on what that one left. When fn returns an
// error, nothing of what it did is kept; the earlier unsaved changes stay. When another
// request has given the session a new id by Login or Regenerate, fn runs all the same, for a Login or Logout in it does
// what it does outside; whatever else it does is not kept, and the error wraps ErrEnded.
//
// fn must use the session that it is given, and no other. Save, Reload and Atomic of it are refused with an error.
func (s *Session) Atomic(ctx context.Context, fn func(*Session) error) error {
	var events []life.Event
	var own error
	err := s.atomic(ctx, func(s *Session) error {
		own = fn(s)
		return own
	}, &events)
	s.m.tell(ctx, events...)
	if own != nil {
		return own
	}
	return outward(err)
}

func (s *Session) atomic(ctx context.Context, fn func(*Session) error, events *[]life.Event) error {
	if err := s.uncommittable(); err != nil {
		return err
	}
	s.noteClient()
	if err := s.hold(ctx); err != nil {
		return err
	}
	defer s.release()
	return s.untilCommitted(ctx, fn, events)
}

// untilCommitted runs fn on one newest state after the other. It is called while the session is held.
func (s *Session) untilCommitted(ctx context.Context, fn func(*Session) error, events *[]life.Event) error {
	base, before, now := s.base()
	var conflict, ended error
	for attempt := 0; ; attempt++ {
		if err := life.Pause(ctx, max(attempt-1, 0)); err != nil {
			return err
		}
		if base.Stored() && !base.Leaving() {
			err := base.Newest(ctx, conflict)
			if err != nil && !base.WentOn(err) {
				return s.keepEnd(&base, &base, err)
			}
			ended = base.Lost(err)
		}
		try := s.within(inAtomic, base.Clone())
		if err := fn(try); err != nil {
			return err
		}
		if ended != nil && !try.draft.SignsIn() && !try.draft.Leaving() {
			return s.keepEnd(&base, &base, ended)
		}
		err := s.attempt(ctx, &try.draft)
		*events = append(*events, try.draft.Events()...)
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
		*events = append(*events, base.Conflict())
	}
}

// takeOver takes over what an attempt has stored.
func (s *Session) takeOver(d *life.Draft, ops int, now uint64, events *[]life.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.catchUp(d, ops, now) {
		*events = append(*events, life.LateEvent)
	}
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
	s.setBusy(true)
	defer s.setBusy(false)
	if d.TooLate() {
		return life.ErrLate
	}
	if err := s.unreachable(d); err != nil {
		return err
	}
	return d.Commit(ctx, life.Mode{Once: true})
}

func (s *Session) setBusy(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = on
}

// keepEnd takes over what an attempt that failed found out or cannot undo: that the session is gone, or that it ended
// it.
func (s *Session) keepEnd(base, try *life.Draft, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.AdoptEnd(base, try, err)
}
