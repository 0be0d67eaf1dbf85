package cookiestore_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// contested is a list of revocations in which the first saves fail.
type contested struct {
	*memstore.Store
	errs []error
}

func (c *contested) Save(ctx context.Context, rec *session.Record) error {
	if len(c.errs) > 0 {
		err := c.errs[0]
		c.errs = c.errs[1:]
		return err
	}
	return c.Store.Save(ctx, rec)
}

func TestARevocationThatMeetsAnotherIsKept(t *testing.T) {
	conflicts := []error{session.ErrConflict, session.ErrConflict, session.ErrConflict}
	list := &contested{memstore.New(memstore.Options{}), nil}
	r := newRig(t, cookiestore.Options{Revocations: list})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	list.errs = conflicts
	if _, err := r.RevokeUser(t.Context(), "ada"); err != nil || len(list.errs) != 0 {
		t.Fatalf("RevokeUser = %v with %d conflicts left", err, len(list.errs))
	}
	v.with(func(s *session.Session) {
		if s.User() != "" {
			t.Errorf("signed in as %q after RevokeUser", s.User())
		}
	})
}

func TestARevocationThatCannotBeKeptIsAnError(t *testing.T) {
	list := &contested{memstore.New(memstore.Options{}), nil}
	r := newRig(t, cookiestore.Options{Revocations: list})
	list.errs = []error{errDown}
	if _, err := r.RevokeUser(t.Context(), "ada"); !errors.Is(err, session.ErrUnavailable) || !errors.Is(err, errDown) {
		t.Errorf("RevokeUser = %v, want the list's error and ErrUnavailable", err)
	}
}

// A connection that stays open learns of the end of all sessions of its user, though the list says nothing of its own
// id.
func TestDoneIsClosedWhenAllOfTheUsersSessionsEndElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := cookiestore.Options{Revocations: memstore.New(memstore.Options{})}
		bubbled := func(o *session.Options) { o.Now = time.Now }
		r := newRig(t, store, bubbled)
		node := r.manager(store, r.opts)
		done := map[string]<-chan struct{}{}
		for _, user := range []string{"ada", "grace", ""} {
			v := r.visitor()
			v.with(func(s *session.Session) {
				s.Set("x", 1)
				if user != "" {
					s.Login(user)
				}
			})
			v.with(func(s *session.Session) {
				opened, err := r.Open(t.Context(), s.Token())
				if err != nil {
					t.Fatal(err)
				}
				done[user] = opened.Done()
			})
		}
		time.Sleep(time.Second)
		if _, err := node.RevokeUser(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for user, d := range done {
			select {
			case <-d:
				if user != "ada" {
					t.Errorf("the session of %q is said to have ended", user)
				}
			default:
				if user == "ada" {
					t.Error("not told within ten seconds that all sessions of the user ended")
				}
			}
		}
	})
}

// A copy of a session that was ended is no copy of one that went on under a new id.
func TestAnEndedSessionIsNotReused(t *testing.T) {
	r := newRig(t, listed())
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	copied := v.copied()
	v.with((*session.Session).Logout)
	r.advance(time.Hour)
	copied.with(func(s *session.Session) {
		if s.User() != "" {
			t.Errorf("signed in as %q after the logout", s.User())
		}
	})
	if n := r.count(session.EventReused); n != 0 {
		t.Errorf("%d events reused, want none", n)
	}
}

func TestASessionThatLacksOneOfItsCookiesIsRejected(t *testing.T) {
	r := newRig(t, cookiestore.Options{MaxChunks: 3})
	v := r.visitor()
	v.with(set("x", noise(6000)))
	req := v.request()
	cookies := req.Cookies()
	if len(cookies) < 2 {
		t.Fatalf("the session fills %d cookies, want more", len(cookies))
	}
	req.Header.Del("Cookie")
	for _, c := range cookies[:len(cookies)-1] {
		req.AddCookie(c)
	}
	v.send(req, func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		if !s.IsNew() || s.Has("x") {
			t.Error("a session that lacks a cookie is there")
		}
	})
	if n := r.count(session.EventRejected); n != 1 {
		t.Errorf("%d events rejected, want 1", n)
	}
}

// A cookie without an end can be copied and come back at any time, so that its end is remembered for ever.
func TestTheEndOfASessionWithoutADeadlineIsRememberedForEver(t *testing.T) {
	list := memstore.New(memstore.Options{})
	r := newRig(t, cookiestore.Options{Revocations: list}, func(o *session.Options) {
		o.IdleTimeout, o.Lifetime = session.Never, session.Never
	})
	v, id := r.visitor(), ""
	v.with(func(s *session.Session) { s.Login("ada"); id = s.ID() })
	v.with((*session.Session).Logout)
	if rec, err := list.Load(t.Context(), id); err != nil || !rec.ExpiresAt.IsZero() {
		t.Errorf("the list has %v, %v; want a record that does not expire", rec, err)
	}
}
