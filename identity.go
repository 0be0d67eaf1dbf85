package session

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/life"
)

// LoginOption changes what a Login does. It is called with the session, which is already signed in and not yet stored.
// An option of your own may set data and clocks. Changes of identity, Save, Reload and Atomic are refused with an
// error.
type LoginOption func(*Session)

// Remember keeps the visitor signed in for d: the cookie survives closing the browser, and the idle timeout and the
// lifetime of the session are both d. 0: the manager's. Never: none. Any other d below a second makes the Login fail:
// see Session.Err.
func Remember(d time.Duration) LoginOption {
	return func(s *Session) {
		s.SetPersistent(true)
		s.setClock(data.OpIdle, "Remember", d)
		s.setClock(data.OpLifetime, "Remember", d)
	}
}

// LoginAt says when the user signed in, if that was not now: for sign-ins that another site vouches for (auth_time of
// OpenID Connect), or that are taken over from elsewhere. Session.LoginAt returns it, and guard.Fresh judges by it.
// Both clocks of the session still run from the Login, and so does CreatedAt of a session that belonged to nobody. For
// Options.MaxPerUser, a session is as old as the later of CreatedAt and LoginAt.
//
// The zero time, or one more than a minute in the future, makes the Login fail: see Session.Err. A time less than a
// minute in the future counts as now, and one before 1970 as 1970.
func LoginAt(t time.Time) LoginOption {
	return func(s *Session) {
		at, err := life.LoginTime(t, s.m.now())
		if s.part != inLogin {
			err = errors.New("session: LoginAt: it is an option of Login, and does nothing by itself")
		}
		if err != nil {
			s.refused(err)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.draft.SignedInAt(at)
	}
}

// SetDeadline makes the session end at a time, whatever its lifetime, even one set by Remember; its idle timeout may
// end it sooner. A Login of the same user keeps the deadline. The zero time removes it, so that the lifetime counts
// again. A time in the past ends the session, as Logout does; in an option of Login it makes the Login fail.
func (s *Session) SetDeadline(t time.Time) {
	now := s.m.now()
	latest := now.Add(math.MaxInt64)
	t = t.Truncate(time.Microsecond)
	switch {
	case t.IsZero():
		s.do(data.Op{Kind: data.OpDeadline})
	case t.After(latest):
		s.do(data.Op{Kind: data.OpDeadline, At: latest.UnixMicro()})
	case t.After(now):
		s.do(data.Op{Kind: data.OpDeadline, At: t.UnixMicro()})
	case s.part == inLogin:
		s.refused(errors.New("session: SetDeadline: the time is past; do not sign in"))
	default:
		s.leave(life.ReasonLifetime)
	}
}

// setClock sets a timeout of this session. caller names it in the error.
func (s *Session) setClock(kind data.OpKind, caller string, d time.Duration) {
	if err := life.CheckClock(caller, d); err != nil {
		s.refused(fmt.Errorf("session: %w", err))
		return
	}
	s.do(data.Op{Kind: kind, More: &data.More{Duration: d}})
}

// Regenerate gives the session a new id and keeps the data. The old id is useless as soon as the session is committed.
// Call it whenever the rights of a visitor change; Login does so by itself.
func (s *Session) Regenerate() { s.identify(s.draft.Regenerate) }

// Login binds the session to a user, gives it a new id to prevent session fixation, and restarts both of its clocks.
// Data that an anonymous visitor collected stays. If the session belongs to another user, it ends first, with its data,
// even if another request has just given it a new id. A ticket that was retired before the request began belongs to
// nobody, so no session ends for it. If the session has ended meanwhile, Login begins a fresh one with what this
// request set. A user name has 1 to 255 bytes of UTF-8, no control or invisible characters, and no blank at either end.
// A Login that cannot be done is refused: see Err, or use TryLogin.
func (s *Session) Login(user string, opts ...LoginOption) {
	if err := s.login(user, opts); err != nil {
		s.refused(err)
	}
}

// TryLogin is Login for a handler that answers failures itself: where Login makes the commit fail, TryLogin returns an
// error and changes nothing. The error says what is wrong with the user name or an option, which operation was refused
// before, or that the headers have been sent. What only the store can know, such as ErrTooMany, comes with the commit:
// call Save.
func (s *Session) TryLogin(user string, opts ...LoginOption) error {
	if err := s.Err(); err != nil {
		return err
	}
	return s.login(user, opts)
}

// login signs in, or returns an error and changes nothing.
func (s *Session) login(user string, opts []LoginOption) error {
	if err := life.CheckUser(user); err != nil {
		return err
	}
	err := s.tryLogin(user, opts)
	if errors.Is(err, life.ErrLate) {
		s.reportLate()
	}
	return err
}

// tryLogin signs in on a copy, and takes it over when nothing was refused. No commit comes in between.
func (s *Session) tryLogin(user string, opts []LoginOption) error {
	if err := s.holdWhole(); err != nil {
		return err
	}
	defer s.release()
	if s.late() {
		return life.ErrLate
	}
	base, ops, now := s.base()
	try, before := s.within(inLogin, base), base.Refused()
	kept := try.signIn(user, opts)
	err := try.Err()

	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return err
	}
	if !kept {
		s.draft.Forgive(before)
	}
	s.catchUp(&try.draft, ops, now)
	s.adopt(&try.draft)
	return nil
}

// signIn reports whether the session goes on as the same user's. Afterwards Err is what was refused here, and nothing
// earlier.
func (s *Session) signIn(user string, opts []LoginOption) (kept bool) {
	s.mu.Lock()
	kept = s.draft.SignIn(user)
	s.mu.Unlock()
	for _, opt := range opts {
		opt(s)
	}
	return kept
}

// Invalidate drops the id, the user and all data. What is set afterwards belongs to a new session with a new id.
func (s *Session) Invalidate() { s.Logout() }

// Logout ends the session, even if it got a new id meanwhile, and no request that is under way can bring it back. It
// reaches a session that got its new id by a renewal in the last 24 hours, or by a Login, Confirm or Regenerate within
// RenewGrace, so a stream or anything else that uses a session for longer should call Reload now and then. What is set
// afterwards belongs to a new session. If the session is already gone, Logout succeeds, and the response leaves the
// cookie alone, because the visitor may have signed in again in another tab.
func (s *Session) Logout() { s.leave(life.ReasonLogout) }

func (s *Session) leave(why life.Reason) {
	if !s.tryLeave(why) {
		s.reportLate()
	}
}

// tryLeave reports false when it is too late: neither the client nor the store could be told.
func (s *Session) tryLeave(why life.Reason) bool {
	if err := s.holdWhole(); err != nil {
		s.refused(err)
		return true
	}
	defer s.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late() && !s.m.keeper.Records.Traits().Final {
		s.refuse(life.ErrLate)
		return false
	}
	s.draft.Leave(why)
	return true
}

// isLeaving reports whether there is a session to be ended at the next commit.
func (s *Session) isLeaving() bool { return s.is((*life.Draft).Leaving) }

// identify changes the identity of the session, unless the client could not be told of it any more.
func (s *Session) identify(change func()) {
	if !s.changeIdentity(change) {
		s.reportLate()
	}
}

// changeIdentity reports false when it is too late.
func (s *Session) changeIdentity(change func()) bool {
	if err := s.holdWhole(); err != nil {
		s.refused(err)
		return true
	}
	defer s.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late() {
		s.refuse(life.ErrLate)
		return false
	}
	change()
	return true
}
