package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
)

// The token of one session is nothing in another.
func TestATokenBelongsToItsSession(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	visitors := []*visitor{r.signIn("ada"), r.signIn("ada"), r.signIn("bob"), r.visitor(), r.visitor()}
	var tokens []string
	for _, v := range visitors {
		tokens = append(tokens, v.token(h))
	}
	for i, v := range visitors {
		for j, token := range tokens {
			if w := v.post(h, "/form", field(token)); (w.Code == 200) != (i == j) {
				t.Errorf("visitor %d with the token of visitor %d: status %d", i, j, w.Code)
			}
		}
	}
}

// The secret of the tokens changes with the identity, so that a token from before does not survive.
func TestEveryLoginAndLogoutMakesOldTokensUseless(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	v := r.visitor()
	var old []string
	for step, change := range []func(*session.Session){
		func(*session.Session) {},
		func(s *session.Session) { s.Login("ada") },
		func(s *session.Session) { s.Login("ada") }, // at the same time, as providers may say that it was
		func(s *session.Session) { s.Login("bob") },
		func(s *session.Session) { s.Invalidate(); s.Login("bob") },
	} {
		v.with(change)
		for i, token := range old {
			if w := v.post(h, "/form", field(token)); w.Code != 403 {
				t.Errorf("step %d: the token of step %d still holds", step, i)
			}
		}
		old = append(old, v.token(h))
		wantInside(t, v.post(h, "/form", field(old[step])))
	}
}

func TestATokenOutlivesARenewalOfTheIDAndAClear(t *testing.T) {
	r := newRig(t, guard.Options{}, func(o *session.Options) { o.RenewEvery = time.Millisecond })
	h := r.CSRF(formPage)
	v := r.signIn("ada")
	token := v.token(h)
	r.clock.advance(time.Millisecond)
	v.with(func(s *session.Session) { s.Set("a", 1) })
	v.with(func(s *session.Session) { s.Clear() })
	wantInside(t, v.post(h, "/form", field(token)))
}

func TestATokenOfTheResponseThatSignsInHolds(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	signIns := map[string]func(context.Context, *session.Session) error{
		"at the end": func(_ context.Context, s *session.Session) error { return s.TryLogin("ada") },
		"at once": func(ctx context.Context, s *session.Session) error {
			return errors.Join(s.TryLogin("ada"), s.Save(ctx))
		},
		"with a factor": func(_ context.Context, s *session.Session) error {
			err := s.TryLogin("ada")
			s.Confirm("otp")
			return err
		},
		"at once, with a factor": func(ctx context.Context, s *session.Session) error {
			err := errors.Join(s.TryLogin("ada"), s.Save(ctx))
			s.Confirm("otp")
			return err
		},
	}
	for name, signIn := range signIns {
		for _, r := range []*rig{
			newRig(t, guard.Options{}), newRigOn(t, store, &clock{t: time.Unix(1e9, 0)}, guard.Options{}),
		} {
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("cart", 1) }) // stored, and moved by the Login
			login := r.CSRF(r.m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
				if err := signIn(req.Context(), s); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(w, guard.CSRFToken(req))
			}))
			for _, v := range []*visitor{v, r.visitor()} {
				r.wantTokensOf(v, login, name)
			}
		}
	}
}

// wantTokensOf checks that the token of a sign-in holds until the next one, even at the same time.
func (r *rig) wantTokensOf(v *visitor, login http.Handler, name string) {
	r.t.Helper()
	old := v.get(login, "/").Body.String()
	wantInside(r.t, v.post(r.CSRF(formPage), "/form", field(old)))
	w := v.get(login, "/")
	wantInside(r.t, v.post(r.CSRF(formPage), "/form", field(w.Body.String())))
	wantInside(r.t, v.post(r.CSRF(formPage), "/form", field(v.token(r.CSRF(formPage)))))
	if w := v.post(r.CSRF(formPage), "/form", field(old)); w.Code != 403 {
		r.t.Errorf("%s: the token of the sign-in before: status %d, want 403", name, w.Code)
	}
}

// A page that is made beside the sign-in stores a secret in the session that the sign-in leaves behind.
func TestATokenOfAPageBesideTheSignInIsOfTheSessionBefore(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(formPage)
	for _, early := range []bool{true, false} {
		v := r.signIn("ada")
		var beside string
		page := func() {
			tab := r.visitor()
			tab.cookies = maps.Clone(v.cookies)
			beside = tab.token(h)
		}
		w := v.get(r.CSRF(r.m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
			s.Login("ada")
			if early {
				page()
			}
			token := guard.CSRFToken(req)
			if !early {
				page()
			}
			_, _ = io.WriteString(w, token)
		})), "/")
		wantInside(t, v.post(h, "/form", field(w.Body.String())))
		if w := v.post(h, "/form", field(beside)); w.Code != 403 {
			t.Errorf("the token of a page beside the sign-in, made before its own: %v: status %d", early, w.Code)
		}
	}
}

// The page of the response that signs out has a token that holds.
func TestATokenOfTheResponseThatSignsOutHolds(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.CSRF(r.m.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Invalidate()
		_, _ = io.WriteString(w, guard.CSRFToken(req))
	}))
	v := r.signIn("ada")
	old := v.token(r.CSRF(formPage))
	w := v.get(h, "/")
	wantInside(t, v.post(r.CSRF(formPage), "/form", field(w.Body.String())))
	if w := v.post(r.CSRF(formPage), "/form", field(old)); w.Code != 403 {
		t.Errorf("the token of the session that ended: status %d, want 403", w.Code)
	}
}

func TestASessionThatEndsMeanwhileGetsNoTokenAndIsNotReplaced(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	v.get(r.CSRF(r.m.HandlerFunc(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) {
		if _, err := r.m.RevokeUser(req.Context(), "ada"); err != nil {
			t.Error(err)
		}
		if got := guard.CSRFToken(req); got != "" {
			t.Errorf("CSRFToken = %q, want none", got)
		}
	})), "/")
	for info := range r.m.All(t.Context()) {
		t.Errorf("a session is stored: %+v", info)
	}
}

// A store that keeps nothing does not make every form fail.
func TestSessionsSwitchedOffDoNotSwitchFormsOff(t *testing.T) {
	c := &clock{}
	skip := func(o *session.Options) { o.Skip = func(*http.Request) bool { return true } }
	for name, r := range map[string]*rig{
		"nullstore": newRigOn(t, nullstore.New(), c, guard.Options{}),
		"Skip":      newRigOn(t, memstore.New(memstore.Options{}), c, guard.Options{}, skip),
	} {
		v, h := r.visitor(), r.CSRF(formPage)
		wantInside(t, v.post(h, "/form", field(v.token(h))))
		if w := v.post(h, "/form", nil); w.Code != 403 {
			t.Errorf("%s: status %d without a token, want 403", name, w.Code)
		}
	}
}

func TestATokenHoldsWhereTheSessionTravelsInItsCookie(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRigOn(t, store, &clock{t: time.Unix(1e9, 0)}, guard.Options{})
	v, h := r.signIn("ada"), r.CSRF(formPage)
	first := v.token(h)
	wantInside(t, v.post(h, "/form", field(v.token(h))))
	wantInside(t, v.post(h, "/form", field(first)))
	if w := r.signIn("ada").post(h, "/form", field(first)); w.Code != 403 {
		t.Errorf("status %d for the token of another session, want 403", w.Code)
	}
}

func TestTheSessionShowsNothingOfForms(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	v.token(r.CSRF(formPage))
	v.with(func(s *session.Session) {
		if got := fmt.Sprint(s.All()); got != "map[]" {
			t.Errorf("All = %s, want nothing", got)
		}
	})
}
