package session_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// A handler reaches its session by the context or as an argument, and finds it at another process on the same store.
func TestASessionIsReachedByContextAndAsAnArgument(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	resp := v.through(r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		s, err := session.Load(req.Context())
		if err != nil {
			t.Fatal(err)
		}
		same, err := r.Load(req.Context())
		if err != nil || same != s {
			t.Errorf("Manager.Load = %v, another session %v", err, same != s)
		}
		s.Set("x", 1)
	})), "POST")
	if c := resp.Cookies(); len(c) != 1 || c[0].Name != "__Host-Http-session" {
		t.Errorf("%d cookies, want the session's", len(c))
	}
	v.on(r.node().Manager).with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
	if _, err := session.Load(context.Background()); err != session.ErrNoMiddleware {
		t.Errorf("Load without middleware = %v", err)
	}
}

// There is no default store that applications would share without knowing: none is an error.
func TestAStoreIsRequired(t *testing.T) {
	for _, store := range []session.Store{nil, (*memstore.Store)(nil)} {
		if _, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}}); err == nil {
			t.Error("New accepts no store")
		}
	}
}

// Events reach the logger and OnEvent, with the public handle and never a ticket or a value.
func TestNoTicketAndNoValueIsLogged(t *testing.T) {
	var log bytes.Buffer
	r := newRig(t, renewing, func(o *session.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	v := r.visitor()
	var tickets []string
	for _, do := range []func(*session.Session){
		put("x", "canary"), func(s *session.Session) { s.Login("ada") },
		func(s *session.Session) { session.Key[int]("x").Get(s) },
		func(s *session.Session) { r.clock.advance(2 * renewEvery); s.Set("x", "canary") }, (*session.Session).Logout,
	} {
		v.with(func(s *session.Session) {
			do(s)
			fmt.Fprintf(&log, "%v %+v %#v", s, s, s)
			slog.New(slog.NewJSONHandler(&log, nil)).Info("session", "session", s)
		})
		tickets = append(tickets, v.ticket())
	}
	text := log.String()
	for _, kind := range []session.EventKind{session.EventCreated, session.EventRenewed, session.EventEnded,
		session.EventUndecodable} {
		if !strings.Contains(text, string(kind)) || r.ev.count(kind) == 0 {
			t.Errorf("event %q is missing", kind)
		}
	}
	for _, ticket := range append(tickets, "canary") {
		if ticket != "" && (strings.Contains(text, ticket) ||
			len(ticket) > 50 && strings.Contains(text, ticket[3:46])) {
			t.Errorf("%d characters of a ticket, or a value, are in the log", len(ticket))
		}
	}
}

const renewEvery = 3600e9

// An error page keeps what the handler flashed, and sends the cookie.
func TestAnErrorPageIsCommittedToo(t *testing.T) {
	for _, status := range []int{401, 404, 419, 422, 500, 503} {
		v := newRig(t).visitor()
		v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			s.Flash("error", "no")
			http.Error(w, "no", status)
		})
		v.with(func(s *session.Session) { wantGet(t, s, "error", "no") })
	}
}

// A second load replaces what was there, and keeps no stale key.
func TestReloadKeepsNoStaleKey(t *testing.T) {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) { s.Set("a", 1); s.Set("b", 1) })
	s := v.open()
	s.Set("c", 1)
	v.with(func(s *session.Session) { s.Remove("a") })
	if err := s.Reload(t.Context()); err != nil || len(s.All()) != 1 || !s.Has("b") {
		t.Errorf("Reload = %v, data %v, want b only", err, s.All())
	}
}

// What a collected session leaves is in the store.
func TestGarbageCollectionEndsNothing(t *testing.T) {
	v := newRig(t).visitor()
	v.with(put("x", 1))
	for range 3 {
		v.open()
		runtime.GC()
	}
	v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
}

// The cookie of the zero options is Secure, HttpOnly and SameSite Lax, and does not survive the browser.
func TestTheCookieOfTheZeroOptionsIsTheSafeOne(t *testing.T) {
	c := newRig(t).visitor().with(put("x", 1)).Cookies()[0]
	if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 || !c.Expires.IsZero() ||
		c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %q has Secure %v, HttpOnly %v, SameSite %v, Max-Age %d", c.Name, c.Secure, c.HttpOnly,
			c.SameSite, c.MaxAge)
	}
}

// What the documents let an application configure is an option, and a skipped request has an empty session that works.
func TestASkippedRequestHasAnEmptySessionThatWorks(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Skip = session.SkipHeader("X-Skip", "*") })
	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("X-Skip", "1")
	w := httptest.NewRecorder()
	r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada")
		s.Set("x", 1)
		wantGet(t, s, "x", int64(1))
	}).ServeHTTP(w, req)
	if w.Code != 200 || len(w.Result().Cookies()) != 0 || r.store.total() != 0 {
		t.Errorf("status %d, %d cookies, %d calls", w.Code, len(w.Result().Cookies()), r.store.total())
	}
}
