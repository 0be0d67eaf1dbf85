package devicebound_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/internal/dbsc"
)

// A provider that remembers people signs them in again without asking, so that the time of the sign-in is that of the
// one before. An adapter stores the Login before the response begins.
func TestASignInOfTheSameTimeBindsAnew(t *testing.T) {
	login := func(s *session.Session) error { return s.TryLogin("ada", session.LoginAt(time.Unix(1e9, 0))) }
	for name, page := range map[string]func(context.Context, *session.Session) error{
		"stored at the end": func(_ context.Context, s *session.Session) error { return login(s) },
		"stored at once": func(ctx context.Context, s *session.Session) error {
			return errors.Join(login(s), s.Save(ctx))
		},
		"within Atomic": func(ctx context.Context, s *session.Session) error { return s.Atomic(ctx, login) },
		"with a factor": func(ctx context.Context, s *session.Session) error {
			err := errors.Join(login(s), s.Save(ctx))
			s.Confirm("otp")
			return err
		},
		"with what is dropped": func(ctx context.Context, s *session.Session) error {
			err := errors.Join(login(s), s.Save(ctx))
			s.Login("bob")
			return errors.Join(err, s.Reload(ctx))
		},
	} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
		s.mux.Handle("/again", s.m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, at *session.Session) {
			if err := page(r.Context(), at); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}))
		b := s.browser()
		b.Get("/again")
		wantPage(t, b.Get("/"), "ada bound")
		old := b.Cookie(boundCookie)
		b.Hold = true
		resp := b.Get("/again")
		if c := setCookie(resp, boundCookie); c == nil || c.MaxAge >= 0 {
			t.Errorf("%s: the old bound cookie stays: %v", name, c)
		}
		thief := b.Copy()
		thief.SetCookie(boundCookie, old)
		wantPage(t, thief.Get("/"), "ada pending")
		b.Register()
		wantPage(t, b.Get("/"), "ada bound")
		wantPage(t, thief.Get("/"), " none")
	}
}

// What is no Login offers nothing, stored or not.
func TestAFactorThatIsShownLaterKeepsTheBinding(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	for path, page := range map[string]func(context.Context, *session.Session) error{
		"/confirm": func(_ context.Context, s *session.Session) error { s.Confirm("otp"); return nil },
		"/confirm-at-once": func(ctx context.Context, s *session.Session) error {
			s.Confirm("otp")
			return s.Save(ctx)
		},
		"/dropped": func(ctx context.Context, s *session.Session) error { s.Login("ada"); return s.Reload(ctx) },
	} {
		s.mux.Handle(path, s.m.HandlerFunc(func(_ http.ResponseWriter, r *http.Request, at *session.Session) {
			if err := page(r.Context(), at); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}))
		b := s.signedIn()
		if h := b.Get(path).Header; h.Get(dbsc.Registration) != "" {
			t.Errorf("%s offers a registration", path)
		}
		wantPage(t, b.Get("/"), "ada bound")
	}
}

// Where no response can offer a binding, none is left of the one before.
func TestASignInWithoutAResponseEndsTheBinding(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	o, err := s.m.Open(t.Context(), b.Cookie(ticketCookie))
	if err != nil {
		t.Fatal(err)
	}
	o.Login("ada", session.LoginAt(o.LoginAt()))
	if err := o.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.SetCookie(ticketCookie, o.Token())
	wantPage(t, b.Get("/"), "ada none")
}

// A browser that has lost its key, or the answer that gave it one, signs in again, and the session that nobody can open
// any more is none of the user's.
func TestASignInWithoutTheKeyTakesThePlaceOfItsSession(t *testing.T) {
	for _, overflow := range []session.Overflow{session.RefuseNew, session.EvictOldest} {
		s := newSite(t, devicebound.Options{Policy: devicebound.Enforce}, func(o *session.Options) {
			o.MaxPerUser, o.Overflow = 2, overflow
		})
		phone := s.signedIn()
		s.clock.advance(time.Minute)
		b := s.signedIn()
		b.SetCookie(boundCookie, "")
		b.Deaf = true
		wantPage(t, b.Get("/"), " none")
		wantStatus(t, b.Get("/login"), http.StatusSeeOther)
		wantPage(t, b.Get("/"), "ada pending")
		wantPage(t, phone.Get("/"), "ada bound")
		if infos, err := s.m.Sessions(t.Context(), "ada"); err != nil || len(infos) != 2 {
			t.Errorf("overflow %v: %d sessions, %v, want 2", overflow, len(infos), err)
		}
	}
}
