package session_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

const (
	oldName = "__Host-session"
	newName = "__Host-Http-session"
)

func named(name string, former ...string) func(*session.Options) {
	return func(o *session.Options) { o.Cookie = session.Cookie{Name: name, FormerNames: former} }
}

// renamed is a site whose cookie got another name, the node that it was before, and a browser that has signed in there.
func renamed(t *testing.T) (now, before *rig, v *visitor) {
	t.Helper()
	now = newRig(t, named(newName, oldName))
	before = now.node(named(oldName))
	v = before.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	now.store.reset()
	return now, before, v.on(now.Manager)
}

// cookie is what the browser has under the name.
func (v *visitor) cookie(name string) string {
	for _, c := range v.jar.Cookies(mustURL()) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (v *visitor) plant(name, value string) {
	v.jar.SetCookies(mustURL(), []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}

func (v *visitor) isUser(want string) {
	v.t.Helper()
	v.with(func(s *session.Session) {
		if s.User() != want {
			v.t.Errorf("signed in as %q, want %q", s.User(), want)
		}
	})
}

// Somebody who plants cookies of the new name beside the former one is told of, though the former one opens.
func TestACookieThatComesTwiceIsReportedBesideAFormerOne(t *testing.T) {
	now, _, v := renamed(t)
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	req.Header.Set("Cookie", newName+"=a; "+newName+"=b; "+oldName+"="+v.cookie(oldName))
	now.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		if s.User() != "ada" {
			t.Errorf("signed in as %q", s.User())
		}
	}).ServeHTTP(httptest.NewRecorder(), req)
	if n := now.ev.count(session.EventRejected); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

// Whoever comes with the former cookie stays signed in, gets the new one, and loses the former in the same response. It
// costs the load alone.
func TestARenamedCookieSignsNobodyOut(t *testing.T) {
	now, _, v := renamed(t)
	had := v.cookie(oldName)
	resp := v.with(func(s *session.Session) {
		if s.User() != "ada" || s.IsNew() {
			t.Errorf("user %q, new %v", s.User(), s.IsNew())
		}
	})
	if got := resp.Header["Set-Cookie"]; len(got) != 2 || v.cookie(newName) == "" || v.cookie(oldName) != "" {
		t.Errorf("sent %d cookies, the browser has %d", len(got), len(v.jar.Cookies(mustURL())))
	}
	if calls := now.store.total(); calls != 1 || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d calls of the store, Cache-Control %q", calls, resp.Header.Get("Cache-Control"))
	}
	if v.cookie(newName) == had {
		t.Error("the ticket is still signed for the former name")
	}
	if resp := v.with(func(s *session.Session) { s.User() }); len(resp.Cookies()) != 0 {
		t.Error("it is sent again")
	}
	v.isUser("ada")
	if !now.opens(had) {
		t.Error("Open refuses what was signed for the former name")
	}
	if resp := v.through(now.Middleware(http.NotFoundHandler()), "GET"); resp.Header["Vary"] != nil {
		t.Error("an untouched request depends on the cookie")
	}
}

// While old and new nodes run side by side, each of which knows the other's name, nobody is signed out, whichever
// answers.
func TestARenameIsDeployedInTwoSteps(t *testing.T) {
	now := newRig(t, named(newName, oldName))
	first := now.node(named(oldName, newName))
	v := first.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	for range 3 {
		for _, node := range []*rig{now, first, first, now, now} {
			v.on(node.Manager).isUser("ada")
			if n := len(v.jar.Cookies(mustURL())); n != 1 {
				t.Fatalf("%d cookies", n)
			}
		}
	}
	v.on(first.Manager).with((*session.Session).Logout)
	v.on(now.Manager).isUser("")
}

// After a logout none of the cookies signs in again: not a copy, nor one that the browser kept.
func TestALogoutEndsWhatFormerCookiesName(t *testing.T) {
	for name, prepare := range map[string]func(now, before *rig, v *visitor){
		"the former cookie alone": func(_, _ *rig, _ *visitor) {},
		"both, of one session": func(now, _ *rig, v *visitor) {
			had := v.cookie(oldName)
			v.isUser("ada")
			v.plant(oldName, had)
		},
		"both, of two sessions": func(now, _ *rig, v *visitor) {
			w := now.visitor()
			w.with(func(s *session.Session) { s.Login("ada") })
			v.plant(newName, w.cookie(newName))
		},
		"both, the former of the session under an older id": func(_, before *rig, v *visitor) {
			had := v.cookie(oldName)
			v.with((*session.Session).Regenerate)
			v.plant(oldName, had)
		},
		"a dead new one": func(now, _ *rig, v *visitor) {
			w := now.visitor()
			w.with(put("x", 1))
			v.plant(newName, w.cookie(newName))
			w.with((*session.Session).Logout)
			now.clock.advance(now.grace())
		},
		"a forged new one": func(_, _ *rig, v *visitor) { v.plant(newName, flip(v.cookie(oldName), 9)) },
	} {
		for end, logout := range map[string]func(*session.Session){
			"Logout":  (*session.Session).Logout,
			"and Set": func(s *session.Session) { s.Logout(); s.Set("theme", "dark") },
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				now, before, v := renamed(t)
				prepare(now, before, v)
				copied := v.clone()
				v.isUser("ada")
				copied2 := v.clone()
				resp := v.with(logout)
				if resp.StatusCode != 200 {
					t.Fatalf("status %d", resp.StatusCode)
				}
				for _, c := range []*visitor{v, copied, copied2, copied.on(before.Manager),
					copied2.on(before.Manager)} {
					for _, only := range []string{"", oldName, newName} {
						one := c.clone()
						for _, name := range []string{oldName, newName} {
							if only != "" && name != only {
								one.plant(name, "")
							}
						}
						one.isUser("")
					}
				}
				if v.cookie(oldName) != "" {
					t.Error("the former cookie is still there")
				}
				v.with(func(s *session.Session) {
					if want := end == "and Set"; s.Has("theme") != want {
						t.Errorf("theme %v", s.Get("theme"))
					}
				})
			})
		}
	}
}

// grace is how long a retired id is known.
func (r *rig) grace() time.Duration { return 30 * time.Second }

// A logout that could not end all is answered so, and can be done again.
func TestALogoutThatCannotEndAFormerSessionIsDoneAgain(t *testing.T) {
	now, _, v := renamed(t)
	w := now.visitor()
	w.with(func(s *session.Session) { s.Login("ada") })
	formerID := ""
	v.clone().with(func(s *session.Session) { formerID = s.ID() })
	v.plant(newName, w.cookie(newName))
	now.store.hook(func(call, id string) error {
		if id == formerID {
			return errDown
		}
		return nil
	})
	resp := v.with((*session.Session).Logout)
	if resp.StatusCode != 503 || len(resp.Cookies()) != 0 {
		t.Errorf("status %d, %d cookies", resp.StatusCode, len(resp.Cookies()))
	}
	now.store.hook(nil)
	copied := v.clone()
	if resp := v.with((*session.Session).Logout); resp.StatusCode != 200 || len(v.jar.Cookies(mustURL())) != 0 {
		t.Errorf("again: status %d, the browser has %d cookies", resp.StatusCode, len(v.jar.Cookies(mustURL())))
	}
	copied.plant(newName, "")
	copied.isUser("")
}

// What a former cookie says is believed no more than what the cookie says.
func TestAHostileFormerCookieGivesAnEmptySession(t *testing.T) {
	now, before, v := renamed(t)
	good := v.cookie(oldName)
	other := now.node(named("__Host-other"))
	o := other.visitor()
	o.with(func(s *session.Session) { s.Login("grace") })
	for name, lines := range map[string][]string{
		"forged":             {oldName + "=" + flip(good, 50)},
		"cut":                {oldName + "=" + good[:80]},
		"of another manager": {oldName + "=" + o.cookie("__Host-other")},
		"twice":              {oldName + "=" + good + "; " + oldName + "=" + good},
		"another name":       {"__Host-Session=" + good},
		"empty":              {oldName + "="},
	} {
		t.Run(name, func(t *testing.T) {
			now.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				if s.User() != "" || !s.IsNew() {
					t.Errorf("user %q", s.User())
				}
			}, lines...)
		})
	}
	if before.opens(good) != true {
		t.Error("the session itself is gone")
	}
}

// Without a cookie nobody would read them, and a rename would sign everybody out without a word.
func TestFormerNamesNeedACookie(t *testing.T) {
	for name, row := range map[string]struct {
		transport session.Transport
		ok        bool
	}{
		"the cookie":           {nil, true},
		"a header":             {session.Header("X-Session"), false},
		"two headers":          {session.Transports(session.Header("X-Session"), session.Bearer("X-Token")), false},
		"a header, the cookie": {session.Transports(session.Header("X-Session"), nil), true},
	} {
		m, err := session.New(newRig(t).store, session.Options{Secrets: []session.Secret{testSecret},
			Cookie:    session.Cookie{FormerNames: []string{"sid"}},
			Transport: row.transport, SweepEvery: session.Never})
		switch {
		case row.ok && err != nil:
			t.Errorf("%s: New = %v", name, err)
		case row.ok:
			_ = m.Close()
		case err == nil || !strings.Contains(err.Error(), "Cookie.FormerNames"):
			t.Errorf("%s: New = %v, want an error that names the option", name, err)
		}
	}
}

// Names that cannot be are refused, and SetSigned gives no cookie the name of a former one.
func TestFormerNamesAreChecked(t *testing.T) {
	for name, c := range map[string]session.Cookie{
		"the name itself":    {FormerNames: []string{newName}},
		"an empty one":       {FormerNames: []string{"a", ""}},
		"attributes":         {FormerNames: []string{"a; Domain=example.com"}},
		"a piece of the new": {Name: "a", FormerNames: []string{"a.1"}},
		"a piece of the old": {Name: "a.1", FormerNames: []string{"a"}},
		"one name twice":     {FormerNames: []string{"a", "b", "a"}},
		"a piece of another": {FormerNames: []string{"a", "a.1"}},
		"another's whole":    {FormerNames: []string{"a.1", "a"}},
	} {
		_, err := session.New(newRig(t).store, session.Options{Secrets: []session.Secret{testSecret}, Cookie: c,
			SweepEvery: session.Never})
		if err == nil || !strings.Contains(err.Error(), "Cookie.FormerNames") {
			t.Errorf("%s: New = %v", name, err)
		}
	}
	r := newRig(t, named(newName, oldName))
	if err := r.SetSigned(httptest.NewRecorder(), &http.Cookie{Name: oldName, Value: "x"}); err == nil {
		t.Error("SetSigned takes the former name")
	}
}

// A browser refuses to delete a cookie when the attributes that its name asks for are missing.
func TestAFormerCookieIsRemovedAsItsNameAsks(t *testing.T) {
	for name, c := range map[string]struct {
		now    session.Cookie
		former string
		want   string
	}{
		"to a domain": {session.Cookie{Domain: "example.com", Path: "/app"}, oldName,
			"Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure"},
		"to script access": {session.Cookie{ScriptAccess: true}, newName,
			"Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure"},
		"within the domain": {session.Cookie{Domain: "example.com"}, "sid",
			"Path=/; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure"},
	} {
		t.Run(name, func(t *testing.T) {
			c.now.FormerNames = []string{c.former}
			r := newRig(t, func(o *session.Options) { o.Cookie = c.now })
			resp := r.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("x", 1) },
				c.former+"=planted")
			for _, line := range resp.Header["Set-Cookie"] {
				if strings.HasPrefix(line, c.former+"=; "+c.want) {
					return
				}
			}
			t.Errorf("sent %q", attributes(resp))
		})
	}
}

// One of two cookies led to a session that timed out, and the other one leads to one that lives.
func TestASessionUnderAFormerNameHasNotExpired(t *testing.T) {
	now, before, _ := renamed(t)
	v := now.visitor()
	v.with(func(s *session.Session) { s.SetIdleTimeout(time.Minute); s.Set("x", 1) })
	old := before.visitor()
	old.with(func(s *session.Session) { s.Login("ada") })
	v.plant(oldName, old.cookie(oldName))
	now.clock.advance(2 * time.Minute)
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Expired() || s.IsNew() {
			t.Errorf("user %q, expired %v, new %v; want ada's session", s.User(), s.Expired(), s.IsNew())
		}
	})
}

// A former cookie of a session that is gone is in nobody's way.
func TestALogoutPassesByAFormerCookieThatLeadsNowhere(t *testing.T) {
	now, before, _ := renamed(t)
	v := now.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	old := before.visitor()
	old.with(func(s *session.Session) { s.Login("bob") })
	v.plant(oldName, old.cookie(oldName))
	if n, err := now.RevokeUser(t.Context(), "bob"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if resp := v.with((*session.Session).Logout); resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
	v.isUser("")
}

func TestAnExpiredSessionIsToldBesideAFormerCookieThatNamesNone(t *testing.T) {
	now, before, v := renamed(t)
	v.isUser("ada")
	other := before.visitor()
	other.with(func(s *session.Session) { s.Set("x", 1) })
	named := other.cookie(oldName)
	other.with((*session.Session).Invalidate)
	now.clock.advance(25 * time.Hour)
	v.plant(oldName, named)
	v.with(func(s *session.Session) {
		if !s.Expired() || s.EndedBy() != session.ReasonIdle {
			t.Errorf("expired: %v, because of %q; want the time", s.Expired(), s.EndedBy())
		}
	})
}
