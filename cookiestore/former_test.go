package cookiestore_test

import (
	"net/http"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

const formerName = "__Host-session"

// A session that is sealed for a former name of the cookie is opened, and sealed anew for the name that it has now. No
// piece of it is left under the former name, and after the logout nothing signs in.
func TestARenamedCookieKeepsTheSession(t *testing.T) {
	for name, opts := range map[string]cookiestore.Options{"alone": {}, "three cookies": {MaxChunks: 3},
		"listed": listed()} {
		t.Run(name, func(t *testing.T) {
			before := newRig(t, opts, func(o *session.Options) { o.Cookie.Name = formerName })
			now := before.opts
			now.Cookie = session.Cookie{FormerNames: []string{formerName}}
			v := before.visitor()
			v.with(func(s *session.Session) {
				s.Login("ada")
				if opts.MaxChunks > 1 {
					s.Set("x", noise(4000))
				}
			})
			stolen := v.copied()
			v = v.on(before.manager(opts, now))
			v.with(func(s *session.Session) {
				if s.User() != "ada" || s.IsNew() {
					t.Errorf("user %q, new %v", s.User(), s.IsNew())
				}
			})
			for name := range v.cookies() {
				if name == formerName || name == formerName+".1" {
					t.Errorf("%s is still there", name)
				}
			}
			v.with(func(s *session.Session) {
				if s.User() != "ada" || s.Has("x") != (opts.MaxChunks > 1) {
					t.Errorf("after the rename: user %q", s.User())
				}
				s.Logout()
			})
			if n := len(v.cookies()); n != 0 {
				t.Errorf("%d cookies after the logout", n)
			}
			if opts.Revocations == nil {
				return
			}
			stolen.on(v.m).with(func(s *session.Session) {
				if s.User() != "" {
					t.Error("the former cookie signs in after the logout")
				}
			})
		})
	}
}

// A logout ends what a former cookie names besides.
func TestALogoutRetiresWhatAFormerCookieNames(t *testing.T) {
	opts := cookiestore.Options{Revocations: memstore.New(memstore.Options{})}
	before := newRig(t, opts, func(o *session.Options) { o.Cookie.Name = formerName })
	options := before.opts
	options.Cookie = session.Cookie{FormerNames: []string{formerName}}
	now := before.manager(opts, options)
	v := before.visitor()
	v.with(func(s *session.Session) { s.Login("grace") })
	w := v.on(now)
	w.m = before.manager(opts, func() session.Options { o := options; o.Cookie.FormerNames = nil; return o }())
	w.with(func(s *session.Session) { s.Login("ada") })
	stolen := v.copied()
	w = v.on(now)
	w.with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Errorf("user %q, want that of the newest name", s.User())
		}
		s.Logout()
	})
	if n := len(w.cookies()); n != 0 {
		t.Errorf("%d cookies are left", n)
	}
	stolen.with(func(s *session.Session) {
		if s.User() != "" {
			t.Errorf("%q is still signed in by the former cookie", s.User())
		}
	})
}

// A session that fills the cookie under its former name has no room under a longer one. It is read as before, and can
// be changed when it becomes smaller.
func TestALongerNameKeepsASessionThatFillsTheShorterOne(t *testing.T) {
	for chunks := range 3 {
		opts := cookiestore.Options{MaxChunks: chunks}
		before := newRig(t, opts, func(o *session.Options) { o.Cookie.Name = "s" })
		n, v := largest(t, before)
		options := before.opts
		options.Cookie = session.Cookie{FormerNames: []string{"s"}}
		v = v.on(before.manager(opts, options))
		for range 2 {
			v.wants("x", noise(n))
		}
		if resp := v.with(set("y", 1)); resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("a change that does not fit has status %d", resp.StatusCode)
		}
		if resp := v.with(set("x", noise(n-100))); resp.StatusCode != http.StatusOK {
			t.Errorf("a change that makes room has status %d", resp.StatusCode)
		}
		v.wants("x", noise(n-100))
		if v.cookies()["s"] != "" || v.cookies()[cookieName] == "" {
			t.Errorf("the browser has %d cookies, and not those of the new name", len(v.cookies()))
		}
	}
}
