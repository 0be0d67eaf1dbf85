package cookiestore_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// What comes after the headers cannot reach the client: it is refused, and said so.
func TestLateChangesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		v.with(set("x", 1))
		v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			w.WriteHeader(200)
			for _, late := range []func(*session.Session){set("x", 2), func(s *session.Session) { s.Remove("x") },
				func(s *session.Session) { s.SetIdleTimeout(time.Minute) },
				func(s *session.Session) { s.Login("ada") }} {
				late(s)
			}
			if s.Err() == nil {
				t.Error("a late change is not refused")
			}
		})
		v.wants("x", int64(1))
		if n := r.count(session.EventLate); n != 4 {
			t.Errorf("%d late events, want 4", n)
		}
	})
}

func TestALateLogoutNeedsAListOfRevocations(t *testing.T) {
	for name, opts := range map[string]cookiestore.Options{"alone": {}, "listed": listed()} {
		r := newRig(t, opts)
		v := r.visitor()
		v.with(set("x", 1))
		v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			w.WriteHeader(200)
			s.Logout()
		})
		want := any(int64(1))
		if opts.Revocations != nil {
			want = nil
		}
		v.wants("x", want)
		if refused := r.count(session.EventLate) == 1; refused != (opts.Revocations == nil) {
			t.Errorf("%s: events %v", name, r.events)
		}
	}
}

func TestWhatACookieCannotDoIsSaidAtOnce(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	ctx := t.Context()
	_, sessions := r.Sessions(ctx, "ada")
	_, revoke := r.Revoke(ctx, strings.Repeat("a", 64))
	_, revokeNone := r.Revoke(ctx)
	_, user := r.RevokeUser(ctx, "ada")
	_, sweep := r.Sweep(ctx)
	var all error
	for _, err := range r.All(ctx) {
		all = err
	}
	r.opts.MaxPerUser = 3
	store, _ := cookiestore.New(listed())
	_, limit := session.New(store, r.opts)
	for name, err := range map[string]error{"Sessions": sessions, "Revoke": revoke, "Revoke of none": revokeNone,
		"RevokeUser": user, "Sweep": sweep, "All": all, "MaxPerUser": limit} {
		if !errors.Is(err, session.ErrNotSupported) {
			t.Errorf("%s: %v, want ErrNotSupported", name, err)
		}
	}
}

// Promise 2 does not hold, and the documents say so: of two requests that change one session at the same time, the
// response that arrives last wins. One that only reads sends nothing, unless it is due for a touch.
func TestTheLastResponseWins(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	v := r.visitor()
	v.with(set("x", 1))
	v.with(func(slow *session.Session) {
		v.with(func(s *session.Session) { s.Set("a", 1) })
		slow.Set("b", 2)
	})
	v.with(func(s *session.Session) {
		if s.Has("a") || s.Get("b") != int64(2) {
			t.Errorf("data %v: the documents say that one change is lost", s.All())
		}
	})
	v.with(func(*session.Session) { v.with(set("a", 1)) })
	v.wants("a", int64(1))
}
