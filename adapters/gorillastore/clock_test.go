package gorillastore_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
)

const day = 24 * time.Hour

// lasting is how a session of a user lasts.
func (s *site) lasting(user string) (d time.Duration, persistent bool) {
	s.Helper()
	infos, err := s.sessions.Sessions(s.Context(), user)
	if err != nil || len(infos) != 1 {
		s.Fatalf("%s has the sessions %+v, %v", user, infos, err)
	}
	return infos[0].ExpiresAt.Sub(infos[0].SeenAt), infos[0].Persistent
}

// What a handler says of the clocks of the session stays, whatever the visitor had before, and what it does not say is
// as MaxAge has it.
func TestALoginSaysHowLongTheSessionLasts(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, maxAge := range []int{0, 7 * 86400} {
		for _, name := range []string{"", "app"} {
			s := open(t, gorillastore.Options{Name: name, Cookie: &sessions.Options{Path: "/", MaxAge: maxAge}},
				func(o *session.Options) { o.Now = func() time.Time { return now } })
			s.below(asItIs)
			s.handle("/visit", func(g *sessions.Session) { g.Values["n"] = 1 })
			s.handle("/ada", func(g *sessions.Session) { gorillastore.Of(g).Login("ada") })
			s.handle("/login", func(g *sessions.Session) {
				gorillastore.Of(g).Login("bob", session.Remember(90*day))
				g.Values["n"] = 2
			})
			s.handle("/short", func(g *sessions.Session) { gorillastore.Of(g).Login("cid") })
			for _, before := range []string{"", "/visit", "/ada"} {
				b := s.browser()
				if before != "" {
					b.wantSaved(before)
				}
				b.wantSaved("/login")
				if d, persistent := s.lasting("bob"); d != 90*day || !persistent {
					t.Errorf("MaxAge %d, name %q, after %q: it lasts %v, persistent: %v", maxAge, name, before, d,
						persistent)
				}
				want := day // of the manager
				if maxAge > 0 {
					want = 7 * day
				}
				b = s.browser()
				if before != "" {
					b.wantSaved(before)
				}
				b.wantSaved("/short")
				if d, persistent := s.lasting("cid"); d != want || persistent != (maxAge > 0) {
					t.Errorf("MaxAge %d, name %q, after %q: cid's lasts %v, persistent: %v", maxAge, name, before, d,
						persistent)
				}
				for _, user := range []string{"ada", "bob", "cid"} {
					if _, err := s.sessions.RevokeUser(t.Context(), user); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
}

// A session tells when it ends, and not whether that was said. MaxAge says the same without a doubt.
func TestAClockLikeTheManagersIsSetByMaxAge(t *testing.T) {
	for _, tt := range []struct {
		what string
		page func(*sessions.Session)
		want time.Duration
	}{
		{"another clock", func(g *sessions.Session) { gorillastore.Of(g).SetIdleTimeout(2 * day) }, 2 * day},
		{"one like the manager's", func(g *sessions.Session) { gorillastore.Of(g).SetIdleTimeout(day) }, 30 * day},
		{"MaxAge", func(g *sessions.Session) { g.Options.MaxAge = 86400 }, day},
	} {
		s := open(t, gorillastore.Options{}, func(o *session.Options) {
			o.IdleTimeout, o.Lifetime = day, session.Never
		})
		s.handle("/", func(g *sessions.Session) { gorillastore.Of(g).Login("ada"); tt.page(g) })
		s.browser().wantSaved("/")
		if d, _ := s.lasting("ada"); (d - tt.want).Abs() > time.Minute {
			t.Errorf("%s: the session lasts %v, want %v", tt.what, d, tt.want)
		}
	}
}

// Somebody signs out and in with one request, and the session after that is a new one.
func TestWhatBeginsAfterALogoutLastsAsMaxAgeSays(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, gorillastore.Options{User: userOf}, func(o *session.Options) {
		o.Now, o.Lifetime = func() time.Time { return now }, session.Never
	})
	s.handle("/ada", func(g *sessions.Session) { g.Values["user"] = "ada" })
	s.handle("/bob", func(g *sessions.Session) { g.Values["user"] = "bob" })
	s.handle("/goodbye", func(g *sessions.Session) { gorillastore.Of(g).Logout(); g.AddFlash("goodbye") })
	b := s.browser()
	b.wantSaved("/ada")
	if b.wantSaved("/bob"); s.signedIn("ada") != 0 {
		t.Error("ada is still signed in")
	}
	if d, persistent := s.lasting("bob"); d != 30*day || !persistent {
		t.Errorf("the session of bob lasts %v, persistent: %v", d, persistent)
	}
	b.wantSaved("/goodbye")
	for info, err := range s.sessions.All(t.Context()) {
		if d := info.ExpiresAt.Sub(info.SeenAt); err != nil || d != 30*day || info.User != "" {
			t.Errorf("the session after the logout lasts %v, %v", d, err)
		}
	}
}

// cookies are those of a visitor whose next page changes the Options of the session.
func (s *site) cookies(cookie string, change func(*sessions.Options)) []*http.Cookie {
	s.Helper()
	r, w := requestWith("app", cookie), httptest.NewRecorder()
	g, err := s.store.Get(r, "app")
	if err != nil || g.IsNew {
		s.Fatalf("Get = %+v, %v", g, err)
	}
	if change(g.Options); g.Save(r, w) != nil {
		s.Error("the session cannot be saved")
	}
	return w.Result().Cookies()
}

// The session of a strict site ends by its lifetime, whatever MaxAge says.
func TestACookieThatChangesIsSentThoughTheSessionLastsNoLonger(t *testing.T) {
	s := open(t, gorillastore.Options{}, func(o *session.Options) { o.Lifetime = 12 * time.Hour })
	cookie, _ := s.saved("app")
	for what, change := range map[string]func(*sessions.Options){
		"not on this computer": func(o *sessions.Options) { o.MaxAge = 0 },
		"longer":               func(o *sessions.Options) { o.MaxAge = 90 * 86400 },
		"another path":         func(o *sessions.Options) { o.Path = "/shop" },
		"strict":               func(o *sessions.Options) { o.SameSite = http.SameSiteStrictMode },
	} {
		var want sessions.Options
		c := s.cookies(cookie, func(o *sessions.Options) { change(o); want = *o })
		if len(c) != 1 || c[0].MaxAge != want.MaxAge || c[0].Path != want.Path || c[0].SameSite != want.SameSite {
			t.Errorf("%s: the cookies are %v", what, c)
		}
	}
	if c := s.cookies(cookie, func(*sessions.Options) {}); len(c) != 0 {
		t.Errorf("nothing has changed, and the cookies are %v", c)
	}
}

// Browsers keep a cookie for 400 days, and a session may last longer.
// A cookie of a week and a session of three months: whoever comes every day keeps both.
func TestAVisitorWhoComesDailyKeepsTheCookieOfALongSession(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, gorillastore.Options{Cookie: &sessions.Options{Path: "/", MaxAge: 7 * 86400}},
		func(o *session.Options) { o.Now, o.Lifetime = func() time.Time { return now }, session.Never })
	s.handle("/login", func(g *sessions.Session) { gorillastore.Of(g).Login("bob", session.Remember(90*day)) })
	s.handle("/", func(*sessions.Session) {})
	b := s.browser()
	b.wantSaved("/login")
	sent := now
	for range 30 {
		now = now.Add(day)
		if len(b.wantSaved("/").Cookies()) > 0 {
			sent = now
		}
		if now.Sub(sent) >= 7*day {
			t.Fatalf("the cookie is over on %v, and the session is not", now)
		}
	}
}

// It ends with the browser, so that use moves no end of it: another tab may have signed in.
func TestACookieThatEndsWithTheBrowserIsSentOnce(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, gorillastore.Options{Cookie: &sessions.Options{Path: "/"}},
		func(o *session.Options) { o.Now = func() time.Time { return now } })
	s.handle("/set", func(g *sessions.Session) { g.Values["a"] = 1 })
	s.handle("/", func(*sessions.Session) {})
	b := s.browser()
	b.wantSaved("/set")
	now = now.Add(time.Hour)
	if c := b.wantSaved("/").Cookies(); len(c) > 0 {
		t.Errorf("the cookie is sent again: %v", c)
	}
}

func TestACookieThatLastsNotAsLongAsItsSessionIsSentDaily(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, gorillastore.Options{Cookie: &sessions.Options{Path: "/", MaxAge: 5 * 365 * 86400}},
		func(o *session.Options) {
			o.Now = func() time.Time { return now }
			o.Lifetime = 3 * 365 * day
		})
	s.handle("/set", func(g *sessions.Session) { g.Values["a"] = 1 })
	s.handle("/", func(g *sessions.Session) {
		if g.IsNew {
			t.Error("the visitor is a stranger")
		}
	})
	b := s.browser()
	b.wantSaved("/set")
	for _, tt := range []struct {
		later time.Duration
		want  int
	}{{time.Minute, 0}, {day, 1}, {time.Hour, 0}, {100 * day, 1}} {
		now = now.Add(tt.later)
		if c := b.wantSaved("/").Cookies(); len(c) != tt.want || tt.want == 1 && c[0].MaxAge != 400*86400 {
			t.Errorf("%v later the cookies are %v, want %d", tt.later, c, tt.want)
		}
	}
}
