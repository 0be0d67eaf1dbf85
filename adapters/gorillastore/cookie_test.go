package gorillastore_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

// Pages that save whatever happens are loaded beside a sign-in: what they send must not replace its cookie.
func TestATabThatChangedNothingSendsNoCookieBesideASignIn(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf})
	first := s.tab("")
	first.Values["cart"] = 1
	cookie, err := first.save()
	if err != nil || cookie == "" {
		t.Fatalf("Save = %v, with the cookie %q", err, cookie)
	}
	a, b := s.tab(cookie), s.tab(cookie)
	a.Values["user"] = "ada"
	moved, err := a.save()
	if err != nil || moved == "" {
		t.Errorf("the Save that signs in = %v, with the cookie %q", err, moved)
	}
	if sent, err := b.save(); err != nil || sent != "" {
		t.Errorf("the Save of the other tab = %v, with the cookie %q, want none", err, sent)
	}
	if user := userOf(s.tab(moved).Values); user != "ada" {
		t.Errorf("the browser is signed in as %q", user)
	}
}

func TestTheCookieIsSentAgainWhenTheSessionLastsLonger(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, gorillastore.Options{Cookie: &sessions.Options{Path: "/", MaxAge: 3600}},
		func(o *session.Options) { o.Now = func() time.Time { return now } })
	s.handle("/set", func(g *sessions.Session) { g.Values["a"] = 1 })
	s.handle("/", func(*sessions.Session) {})
	b := s.browser()
	b.wantSaved("/set")
	for passed, want := range []int{0, 1} {
		now = now.Add(time.Duration(passed) * 30 * time.Minute)
		resp := b.wantSaved("/")
		if cookies := resp.Cookies(); len(cookies) != want {
			t.Errorf("after %d half hours the cookies are %v, want %d", passed, cookies, want)
		}
		if h := resp.Header; h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Cookie" {
			t.Errorf("a cache may keep the response: %v", h)
		}
	}
	now = now.Add(45 * time.Minute)
	if b.wantSaved("/"); s.stored() != 1 {
		t.Error("a session that is in use ended")
	}
}

// Where neither clock nor MaxAge ends a session, its cookie has no end that would change with a logout.
func TestALogoutAfterASaveInOneResponseLeavesNoTicket(t *testing.T) {
	for _, clock := range []time.Duration{session.Never, time.Hour} {
		s := open(t, gorillastore.Options{Cookie: &sessions.Options{Path: "/"}}, func(o *session.Options) {
			o.IdleTimeout, o.Lifetime = clock, session.Never
		})
		s.handle("/set", func(g *sessions.Session) { g.Values["a"] = 1 })
		s.mux.HandleFunc("/out", func(w http.ResponseWriter, r *http.Request) {
			g, err := s.store.Get(r, "app")
			g.Values["b"] = 2
			gorillastore.Of(g).Login("ada")
			err = errors.Join(err, g.Save(r, w))
			gorillastore.Of(g).Logout()
			if err = errors.Join(err, g.Save(r, w), g.Save(r, w)); err != nil {
				t.Errorf("Save = %v", err)
			}
		})
		for _, before := range []string{"", "/set"} {
			b := s.browser()
			if before != "" {
				b.wantSaved(before)
			}
			resp, _ := b.get("/out")
			if c := resp.Cookies(); len(c) != 1 || c[0].MaxAge != -1 || c[0].Value != "" || s.stored() != 0 {
				t.Errorf("clocks %v, after %q: the cookies are %v, and %d sessions are stored, want a deletion", clock,
					before, c, s.stored())
			}
		}
	}
}
