package gorillastore_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// tab is a request under way in a session that is nobody's, and whose values name ada.
type tab struct {
	*site
	*sessions.Session
}

func (s *site) tab(cookie string) tab {
	g, err := s.store.Get(requestWith("app", cookie), "app")
	if err != nil {
		s.Error(err)
	}
	return tab{s, g}
}

// save also returns the value of the cookie that was sent, "" for none.
func (t tab) save() (cookie string, err error) {
	w := httptest.NewRecorder()
	err = t.Session.Save(httptest.NewRequest("GET", "/", nil), w)
	for _, c := range w.Result().Cookies() {
		cookie = c.Value
	}
	return cookie, err
}

func TestTwoTabsOfASessionOfNobodyMakeOneOfItsUser(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	cookie := s.unbound()
	a, b := s.tab(cookie), s.tab(cookie)
	a.Values["a"], b.Values["b"] = 1, 2
	moved, err := a.save()
	if err != nil {
		t.Error(err)
	}
	if sent, err := b.save(); !errors.Is(err, session.ErrEnded) || sent != "" {
		t.Errorf("the second Save = %v, with the cookie %q, want ErrEnded and none", err, sent)
	}
	got := s.tab(moved)
	if s.signedIn("ada") != 1 || s.stored() != 1 || got.Values["user"] != "ada" || got.Values["a"] != 1 {
		t.Errorf("ada has %d sessions of %d, and one has %v", s.signedIn("ada"), s.stored(), got.Values)
	}
}

// Somebody signs out in another tab, in each of the ways that sites of gorilla have.
func TestALogoutBesideALateSignInIsFinal(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	for way, leave := range map[string]func(tab){
		"MaxAge": func(b tab) { b.Options.MaxAge = -1 },
		"values": func(b tab) { delete(b.Values, "user") },
		"Of":     func(b tab) { gorillastore.Of(b.Session).Logout() },
	} {
		for _, n := range []any{nil, 1} {
			cookie := s.unbound()
			a, b := s.tab(cookie), s.tab(cookie)
			if leave(b); n != nil {
				a.Values["n"] = n
			}
			if _, err := b.save(); err != nil {
				t.Error(err)
			}
			var want error // of a request that changed a value
			if way != "values" && n != nil {
				want = session.ErrEnded
			}
			if sent, err := a.save(); !errors.Is(err, want) || sent != "" {
				t.Errorf("%s, with n = %v: Save = %v, with the cookie %q", way, n, err, sent)
			}
			if s.signedIn("ada") != 0 {
				t.Errorf("%s, with n = %v: a request that was under way signs in again", way, n)
			}
		}
	}
}

func TestALateSignInKeepsWhatAnotherRequestHasStored(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	cookie := s.unbound()
	a := s.tab(cookie)
	beside, err := s.sessions.Open(t.Context(), gorillastore.Of(a.Session).Token())
	if err != nil {
		t.Fatal(err)
	}
	if beside.Set("b", 2); beside.Save(t.Context()) != nil {
		t.Fatal("the other request cannot save")
	}
	a.Values["a"] = 1
	moved, err := a.save()
	if got := s.tab(moved); err != nil || got.Values["a"] != 1 || got.Values["b"] != 2 || s.signedIn("ada") != 1 {
		t.Errorf("Save = %v, and the session of ada has %v", err, got.Values)
	}
	a.Values["a"] = 3
	if moved, err = a.save(); err != nil || s.tab(moved).Values["a"] != 3 || s.signedIn("ada") != 1 {
		t.Errorf("a second Save = %v, and the session of ada has %v", err, s.tab(moved).Values)
	}
}

// The manager can refuse a sign-in only when it stores it. Then nothing is stored, and the old cookie stays good.
func TestALateSignInThatIsRefusedChangesNothing(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf}, func(o *session.Options) {
		o.MaxPerUser, o.Overflow = 1, session.RefuseNew
	})
	cookie := s.unbound()
	other, err := s.sessions.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if other.Login("ada"); other.Save(t.Context()) != nil {
		t.Fatal("ada cannot sign in")
	}
	a := s.tab(cookie)
	a.Values["a"] = 1
	if sent, err := a.save(); !errors.Is(err, session.ErrTooMany) || sent != "" {
		t.Errorf("Save = %v, with the cookie %q", err, sent)
	}
	if got := s.tab(cookie); got.IsNew || got.Values["a"] != nil || s.stored() != 2 {
		t.Errorf("the old cookie has %v, new: %v, and %d are stored", got.Values, got.IsNew, s.stored())
	}
}

func TestALateSignInOfASessionInItsCookieIsDoneOnce(t *testing.T) {
	records, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.New(records, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	s := &site{T: t, sessions: m}
	if s.store, err = gorillastore.New(m, gorillastore.Options{User: userOf}); err != nil {
		t.Fatal(err)
	}
	cookie := s.unbound()
	a, b := s.tab(cookie), s.tab(cookie)
	a.Values["a"], b.Values["b"] = 1, 2
	moved, err := a.save()
	if got := s.tab(moved); err != nil || gorillastore.Of(got.Session).User() != "ada" || got.Values["a"] != 1 {
		t.Errorf("Save = %v, and the session has %v", err, got.Values)
	}
	if sent, err := b.save(); !errors.Is(err, session.ErrEnded) || sent != "" {
		t.Errorf("the second Save = %v, with the cookie %q, want ErrEnded and none", err, sent)
	}
}

// The cookie of the tab that signed in is the one that counts, and no other tab may delete it.
func TestATabThatChangedNothingSendsNoCookieBesideALateSignIn(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	cookie := s.unbound()
	a, b := s.tab(cookie), s.tab(cookie)
	if _, err := a.save(); err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	if err := b.Session.Save(httptest.NewRequest("GET", "/", nil), w); err != nil || len(w.Result().Cookies()) > 0 {
		t.Errorf("Save = %v, with the cookies %v, want neither", err, w.Result().Cookies())
	}
}
