package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// last is the newest event of a kind.
func (e *events) last(t *testing.T, kind session.EventKind) (last session.Event) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if ev.Kind == kind {
			last = ev
		}
	}
	if last.Kind == "" {
		t.Fatalf("no event is %q", kind)
	}
	return last
}

// here is where the requests of a visitor come from.
var here = netip.MustParseAddr("192.0.2.1")

func TestAnEventSaysWhyByWhomAndFromWhere(t *testing.T) {
	hour := func(o *session.Options) { o.RenewEvery = time.Hour }
	for name, row := range map[string]struct {
		do   func(r *rig, v *visitor, id string)
		want session.Event
	}{
		"a login": {func(r *rig, _ *visitor, _ string) { r.signIn("bob") },
			session.Event{Kind: session.EventCreated, User: "bob", Actor: "bob", RemoteIP: here}},
		"a logout": {func(_ *rig, v *visitor, _ string) { v.with((*session.Session).Logout) },
			session.Event{Kind: session.EventEnded, User: "ada", Reason: "logout", Actor: "ada", RemoteIP: here}},
		"a logout with data": {func(_ *rig, v *visitor, _ string) {
			v.with(func(s *session.Session) { s.Logout(); s.Set("x", 1) })
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "logout", Actor: "ada", RemoteIP: here}},
		"another user": {func(_ *rig, v *visitor, _ string) { v.with(func(s *session.Session) { s.Login("bob") }) },
			session.Event{Kind: session.EventEnded, User: "ada", Reason: "replaced", Actor: "bob", RemoteIP: here}},
		"a deadline that is past": {func(r *rig, v *visitor, _ string) {
			v.with(func(s *session.Session) { s.SetDeadline(r.clock.now().Add(-1)) })
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "lifetime", Actor: "ada", RemoteIP: here}},
		"a renewal": {func(r *rig, v *visitor, _ string) { r.clock.advance(time.Hour); v.user() },
			session.Event{Kind: session.EventRenewed, User: "ada", Actor: "ada", RemoteIP: here}},
		"another device": {func(r *rig, _ *visitor, id string) {
			other, _ := r.signIn("ada")
			other.do(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) {
				_, _ = r.RevokeOwn(req.Context(), "ada", id)
			})
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "revoked", Actor: "ada", RemoteIP: here}},
		"an administrator": {func(r *rig, _ *visitor, id string) {
			root, _ := r.signIn("root")
			root.do(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) {
				_, _ = r.RevokeFor(req.Context(), "operator", id)
			})
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "operator", Actor: "root", RemoteIP: here}},
		"an administrator who calls it a logout": {func(r *rig, _ *visitor, id string) {
			root, _ := r.signIn("root")
			root.do(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) {
				_, _ = r.RevokeFor(req.Context(), session.ReasonLogout, id)
			})
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "logout", Actor: "root", RemoteIP: here}},
		"a session that had run out": {func(r *rig, v *visitor, _ string) {
			v.with(func(s *session.Session) { r.clock.advance(48 * time.Hour); s.Logout() })
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "idle", Actor: "ada", RemoteIP: here}},
		"an administrator by another name": {func(r *rig, v *visitor, _ string) {
			v.do(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) {
				_, _ = r.RevokeUserFor(session.WithActor(req.Context(), "operator: eve"), "operator", "ada")
			})
		}, session.Event{
			Kind: session.EventEnded, User: "ada", Reason: "operator", Actor: "operator: eve", RemoteIP: here,
		}},
		"a program": {func(r *rig, _ *visitor, id string) {
			_, _ = r.RevokeFor(session.WithActor(bg, "cron\n\u202e: night"), "sold", id)
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "sold", Actor: "cron: night"}},
		"a program without a name": {func(r *rig, _ *visitor, id string) { _, _ = r.Revoke(bg, id) },
			session.Event{Kind: session.EventEnded, User: "ada", Reason: "revoked"}},
		"a request without a session": {func(r *rig, _ *visitor, id string) {
			stranger := r.visitor()
			stranger.through(r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
				_, _ = r.RevokeFor(req.Context(), "provider", id)
			})), "POST")
		}, session.Event{Kind: session.EventEnded, User: "ada", Reason: "provider", RemoteIP: here}},
		"the clock": {func(r *rig, v *visitor, _ string) { r.clock.advance(48 * time.Hour); v.user() },
			session.Event{Kind: session.EventExpired, User: "ada", Reason: "idle", RemoteIP: here}},
		"a reused ticket": {func(r *rig, v *visitor, _ string) {
			thief := v.clone()
			r.clock.advance(time.Hour)
			v.user()
			r.clock.advance(time.Minute)
			thief.user()
		}, session.Event{Kind: session.EventReused, User: "ada", Reason: "reused", RemoteIP: here}},
		"an ended ticket": {func(r *rig, v *visitor, id string) {
			_, _ = r.RevokeFor(bg, "password", id)
			v.user()
		}, session.Event{Kind: session.EventRejected, Reason: "password", RemoteIP: here}},
		"what middleware refuses": {func(r *rig, v *visitor, _ string) {
			v.do(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) {
				r.Report(req.Context(), session.Event{Kind: session.EventRefused})
			})
		}, session.Event{Kind: session.EventRefused, Actor: "ada", RemoteIP: here}},
		"what says so itself": {func(r *rig, v *visitor, _ string) {
			v.do(func(_ http.ResponseWriter, req *http.Request, _ *session.Session) {
				r.Report(req.Context(), session.Event{
					Kind: session.EventRefused, Actor: "x", RemoteIP: netip.MustParseAddr("::1"), Reason: "binding",
				})
			})
		}, session.Event{
			Kind: session.EventRefused, Actor: "x", RemoteIP: netip.MustParseAddr("::1"), Reason: "binding",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, hour)
			v, id := r.signIn("ada")
			row.do(r, v, id)
			got := r.ev.last(t, row.want.Kind)
			got.ID, got.Err = "", nil
			if got != row.want {
				t.Errorf("the event is %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestAnEvictionIsTheDeedOfWhoSignsIn(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.MaxPerUser = 1 })
	r.signIn("ada")
	r.signIn("ada")
	want := session.Event{Kind: session.EventEvicted, User: "ada", Reason: "limit", Actor: "ada", RemoteIP: here}
	got := r.ev.last(t, session.EventEvicted)
	if got.ID = ""; got != want {
		t.Errorf("the event is %+v, want %+v", got, want)
	}
}

func TestASessionWithoutMiddlewareKnowsItsRequest(t *testing.T) {
	r := newRig(t)
	req := httptest.NewRequest("GET", "/", nil)
	s, err := r.OpenFor(req, "bad")
	if err != nil {
		t.Fatal(err)
	}
	if e := r.ev.last(t, session.EventRejected); e.RemoteIP != here {
		t.Errorf("the bad ticket came from %v", e.RemoteIP)
	}
	s.Login("ada")
	if err := s.Save(bg); err != nil {
		t.Fatal(err)
	}
	if e := r.ev.last(t, session.EventCreated); e.RemoteIP != here || e.Actor != "ada" {
		t.Errorf("it was created from %v by %q", e.RemoteIP, e.Actor)
	}
}

// An operator who changes the sessions of users is none of them.
func TestAConflictOfUpdateUserHasNoUserAsItsActor(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	for _, name := range []string{"", "operator: eve"} {
		ctx, first := bg, true
		if name != "" {
			ctx = session.WithActor(ctx, name)
		}
		_, err := r.UpdateUser(ctx, "ada", func(s *session.Session) error {
			if first {
				first = false
				v.with(func(s *session.Session) { s.Set("x", r.ev.count(session.EventConflict)) })
			}
			s.Set("y", 1)
			return nil
		})
		if e := r.ev.last(t, session.EventConflict); err != nil || e.Actor != name || e.RemoteIP.IsValid() {
			t.Errorf("Actor = %q, from %v, %v; want %q", e.Actor, e.RemoteIP, err, name)
		}
	}
}

// A callback may use the session, even for what a fallback brought.
func TestAnEventOfAFallbackIsToldWithoutALock(t *testing.T) {
	told := 0
	r := newRig(t, func(o *session.Options) {
		o.OnEvent = func(ctx context.Context, e session.Event) {
			if s, err := session.Load(ctx); err != nil || s.User() != "" || e.RemoteIP != here {
				t.Errorf("Load = %v, %v, from %v", s, err, e.RemoteIP)
			}
			told++
		}
	})
	bad := func(context.Context) (string, error) { return "bad", nil }
	if r.visitor().falling(bad, func(*session.Session) {}); told != 1 {
		t.Errorf("%d events, want 1", told)
	}
}

// Who ends sessions while the session of the request is being loaded does not wait for that.
func TestASessionMayEndWhileAnotherIsLoaded(t *testing.T) {
	r := newRig(t)
	_, id := r.signIn("ada")
	ends := func(ctx context.Context) (string, error) { _, err := r.RevokeFor(ctx, "provider", id); return "", err }
	r.visitor().falling(ends, func(s *session.Session) {})
	if e := r.ev.last(t, session.EventEnded); e.Reason != "provider" || e.Actor != "" || e.RemoteIP != here {
		t.Errorf("the event is %+v", e)
	}
}
