package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

const day = 24 * time.Hour

// The numbers of NIST SP 800-63B-4, sections 2.1.3, 2.2.3 and 2.3.3.
func TestThePresetsHaveTheClocksOfTheStandard(t *testing.T) {
	for name, c := range map[string]struct {
		preset         func(session.Options) session.Options
		lifetime, idle time.Duration
	}{
		"AAL1": {session.AAL1, 30 * day, 0},
		"AAL2": {session.AAL2, day, time.Hour},
		"AAL3": {session.AAL3, 12 * time.Hour, 15 * time.Minute},
	} {
		if o := c.preset(session.Options{}); o.Lifetime != c.lifetime || o.IdleTimeout != c.idle {
			t.Errorf("%s: lifetime %v, idle timeout %v, want %v and %v", name, o.Lifetime, o.IdleTimeout, c.lifetime,
				c.idle)
		}
		own := c.preset(session.Options{Lifetime: time.Hour, IdleTimeout: session.Never, MaxPerUser: 3})
		if own.Lifetime != time.Hour || own.IdleTimeout != session.Never || own.MaxPerUser != 3 {
			t.Errorf("%s replaces what is set: %v", name, own)
		}
		opts := c.preset(session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
		m, err := session.New(memstore.New(memstore.Options{}), opts)
		if err != nil {
			t.Fatal(err)
		}
		if f := assuranceOf(m); !f.Pass || !strings.Contains(f.Advice, name) {
			t.Errorf("%s: Audit says %+v", name, f)
		}
	}
}

func TestAuditSaysWhichLevelTheClocksKeep(t *testing.T) {
	for _, c := range []struct {
		lifetime, idle time.Duration
		want           string // "" for none
	}{
		{0, 0, "AAL1"},
		{session.Never, time.Minute, ""},
		{30*day + 1, time.Minute, ""},
		{30 * day, session.Never, "AAL1"},
		{day, time.Hour, "AAL2"},
		{day, time.Hour + 1, "AAL1"},
		{day + 1, time.Hour, "AAL1"},
		{day, session.Never, "AAL1"},
		{12 * time.Hour, 15 * time.Minute, "AAL3"},
		{12 * time.Hour, 15*time.Minute + 1, "AAL2"},
		{12*time.Hour + 1, 15 * time.Minute, "AAL2"},
		{time.Hour, time.Minute, "AAL3"},
	} {
		m := newRig(t, func(o *session.Options) { o.Lifetime, o.IdleTimeout = c.lifetime, c.idle }).Manager
		f := assuranceOf(m)
		if f.Pass != (c.want != "") || f.Pass && !strings.Contains(f.Advice, " "+c.want+" ") {
			t.Errorf("lifetime %v, idle %v: %+v, want %q", c.lifetime, c.idle, f, c.want)
		}
		if !f.Pass && !strings.HasPrefix(f.Advice, "Lifetime: ") {
			t.Errorf("the advice names no option: %s", f.Advice)
		}
	}
}

func assuranceOf(m *session.Manager) session.Finding {
	for _, f := range m.Audit() {
		if f.Name == "assurance-clocks" {
			return f
		}
	}
	return session.Finding{}
}

// A page that asks when the session ends does not keep it alive, and consumes nothing.
func TestPeekingDoesNotKeepASessionAlive(t *testing.T) {
	r := newRig(t, func(o *session.Options) {
		o.IdleTimeout, o.RenewEvery, o.TouchEvery = time.Hour, time.Minute, -1
	})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Flash("notice", "hello") })
	end, calls := r.clock.now().Add(time.Hour), r.store.total()
	for minute := range 60 {
		info := v.peek(r.Manager)
		if info.User != "ada" || !info.ExpiresAt.Equal(end) || info.ID == "" {
			t.Fatalf("after %d minutes: %+v, want ada until %v", minute, info, end)
		}
		r.clock.advance(time.Minute)
	}
	if got := r.store.total() - calls; got != 60 {
		t.Errorf("60 looks made %d calls of the store: more than loads", got)
	}
	if info := v.peek(r.Manager); info != (session.Info{}) {
		t.Errorf("after the end: %+v", info)
	}
	r.clock.advance(-time.Minute)
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("notice") != "hello" {
			t.Errorf("a request after the looks: user %q, data %v", s.User(), s.All())
		}
	})
}

func (v *visitor) peek(m *session.Manager) (info session.Info) {
	v.t.Helper()
	resp := v.through(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var err error
		if info, err = m.Peek(r); err != nil {
			v.t.Errorf("Peek: %v", err)
		}
	}), "GET")
	if len(resp.Header["Set-Cookie"])+len(resp.Header["Vary"]) > 0 {
		v.t.Errorf("looking sends %v", resp.Header)
	}
	return info
}

func TestPeekFindsNothingWithoutASession(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Skip = session.SkipHeader("Skip", "*") })
	v := r.visitor()
	if info := v.peek(r.Manager); info != (session.Info{}) || r.store.total() != 0 {
		t.Errorf("a stranger: %+v, %d calls", info, r.store.total())
	}
	v.with(func(s *session.Session) { s.Login("ada") })
	ticket := v.ticket()
	ask := func(header, value string) session.Info {
		req := httptest.NewRequest("GET", "https://app.example.com/", nil)
		req.Header.Set(header, value)
		req.AddCookie(&http.Cookie{Name: "__Host-Http-session", Value: ticket})
		info, err := r.Peek(req)
		if err != nil {
			t.Error(err)
		}
		return info
	}
	if got := ask("X-Other", "1"); got.User != "ada" {
		t.Fatalf("the session is not found: %+v", got)
	}
	if got := ask("Skip", "1"); got != (session.Info{}) {
		t.Errorf("a request that is skipped: %+v", got)
	}
	if got := ask("Cookie", "__Host-Http-session=v1.forged"); got != (session.Info{}) {
		t.Errorf("two tickets: %+v", got)
	}
	v.with(func(s *session.Session) { s.Logout() })
	if got := ask("X-Other", "1"); got != (session.Info{}) {
		t.Errorf("after the logout: %+v", got)
	}
}

// A session in its cookie is told like one in a store, but for the client, which nobody noted.
func TestPeekTellsOfASessionInItsCookie(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	m := manage(t, store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1, Now: r.clock.now})
	v := r.visitor().on(m)
	v.with(put("x", 1))
	created := r.clock.now()
	r.clock.advance(time.Minute)
	v.with(signIn("ada"))
	want := session.Info{User: "ada", CreatedAt: created, SeenAt: r.clock.now(), LoginAt: r.clock.now(),
		ExpiresAt: r.clock.now().Add(24 * time.Hour)}
	got := v.peek(m)
	if want.ID = got.ID; got != want || got.ID == "" {
		t.Errorf("Peek = %+v, want %+v", got, want)
	}
}

func TestPeekTellsOfAnOutage(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	r.store.hook(func(string, string) error { return context.DeadlineExceeded })
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	req.AddCookie(&http.Cookie{Name: "__Host-Http-session", Value: v.ticket()})
	if info, err := r.Peek(req); !errors.Is(err, session.ErrUnavailable) || info != (session.Info{}) {
		t.Errorf("Peek = %+v, %v, want ErrUnavailable", info, err)
	}
}

// A cookie under a former name is found, too.
func TestPeekReadsFormerNames(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Cookie.Name = "__Host-old" })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	now := r.node(func(o *session.Options) { o.Cookie.FormerNames = []string{"__Host-old"} })
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	req.AddCookie(&http.Cookie{Name: "__Host-old", Value: v.cookie("__Host-old")})
	if info, err := now.Peek(req); err != nil || info.User != "ada" {
		t.Errorf("Peek = %+v, %v", info, err)
	}
}
