package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/life"
)

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
	return s.stub
}

// hold waits until no other call commits the session or changes its identity. That call may be waiting for this one,
// when a function given to it has made this call: so nobody waits for it longer than for a store.
func (s *Session) hold(ctx context.Context) error {
	for {
		free := s.tryHold()
		if free == nil {
			return nil
		}
		timer := time.NewTimer(life.StoreTimeout)
		select {
		case <-free:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return life.Unavailable(ctx.Err())
		case <-timer.C:
			return errHeld
		}
	}
}

// tryHold returns nil, or a channel that is closed when it is worth to try again.
func (s *Session) tryHold() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.held {
		s.held = true
		return nil
	}
	if s.free == nil {
		s.free = make(chan struct{})
	}
	return s.free
}

func (s *Session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held, s.busy = false, false
	if s.free != nil {
		close(s.free)
		s.free = nil
	}
}

// within makes a session for a function of the application, with a copy of what is here. It is called with the lock
// held.
func (s *Session) within(p part, d life.Draft) *Session {
	return &Session{
		m: s.m, ctx: s.ctx, ex: s.ex, isNew: s.isNew, expired: s.expired, seenAt: s.seenAt, draft: d, part: p,
	}
}

// holdWhole is hold for changes of identity, which an option of Login must not make.
func (s *Session) holdWhole() error {
	if s.part == inLogin {
		return errPart
	}
	return s.hold(context.Background())
}
