package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

func TestMiddlewareAddsToTheAnswerBeforeTheLastCommit(t *testing.T) {
	r := newRig(t)
	var calls []string
	err := r.Screen(func(*http.Request, *session.Session) session.Screening {
		return session.Screening{Answer: func(http.Header, bool) { calls = append(calls, "screen") }}
	})
	if err != nil {
		t.Fatal(err)
	}
	h := r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		for _, name := range []string{"first", "second"} {
			s.OnAnswer(func(h http.Header, signsIn bool) {
				calls = append(calls, fmt.Sprint(name, " ", signsIn))
				h.Add("X-Called", name)
				s.Set(name, true) // is committed with the rest
			})
		}
		s.Login("ada")
		w.WriteHeader(http.StatusNoContent)
		s.OnAnswer(func(http.Header, bool) { t.Error("a response that has begun calls another function") })
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "https://app.example.com/", nil))
	if want := []string{"screen", "first true", "second true"}; !slices.Equal(calls, want) {
		t.Errorf("the calls are %q, want %q", calls, want)
	}
	infos, err := r.Sessions(t.Context(), "ada")
	if got := w.Header()["X-Called"]; len(got) != 2 || err != nil || len(infos) != 1 {
		t.Errorf("X-Called %q, %d sessions, %v", got, len(infos), err)
	}
}

func TestASessionWithoutAResponseCallsNothing(t *testing.T) {
	r := newRig(t)
	s, err := r.Open(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.OnAnswer(func(http.Header, bool) { t.Error("there is no answer") })
	s.Set("cart", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMiddlewareIsToldTheAddressOfTheClient(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.ClientIP = session.ClientIPFrom(netip.MustParsePrefix("10.0.0.0/8")) })
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	req.RemoteAddr = "10.0.0.1:4711"
	for forwarded, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "fe80::1%eth0": "fe80::1", "": "10.0.0.1",
	} {
		req.Header.Set("X-Forwarded-For", forwarded)
		if got := r.ClientIP(req); got.String() != want {
			t.Errorf("with %q: %s, want %s", forwarded, got, want)
		}
	}
	req.RemoteAddr = "@"
	req.Header.Del("X-Forwarded-For")
	if got := r.ClientIP(req); got.IsValid() {
		t.Errorf("a Unix socket has the address %s", got)
	}
}

func TestAPseudonymFollowsTheSecrets(t *testing.T) {
	before, after := session.NewSecret(), session.NewSecret()
	old := newRig(t, func(o *session.Options) { o.Secrets = []session.Secret{before} })
	r := newRig(t, func(o *session.Options) { o.Secrets = []session.Secret{before} })
	if !bytes.Equal(old.Pseudonyms("a", "ada")[0], r.Pseudonyms("a", "ada")[0]) {
		t.Error("two nodes disagree")
	}
	if err := r.SetSecrets([]session.Secret{after, before}); err != nil {
		t.Fatal(err)
	}
	got := r.Pseudonyms("a", "ada")
	if len(got) != 2 || !bytes.Equal(got[1], old.Pseudonyms("a", "ada")[0]) || bytes.Equal(got[0], got[1]) {
		t.Errorf("after a change of secrets there are %x", got)
	}
}

func TestWhatARequestProvedIsItsOwn(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for _, tt := range []struct {
		name string
		do   func(*session.Session)
		want bool
	}{
		{"nothing", func(*session.Session) {}, false},
		{"a Login", func(s *session.Session) { s.Login("ada") }, true},
		{"nothing, signed in", func(*session.Session) {}, false},
		{"Regenerate", func(s *session.Session) { s.Regenerate() }, false},
		{"Confirm", func(s *session.Session) { s.Confirm("pwd") }, true},
		{"a Login that is saved", func(s *session.Session) { s.Login("ada"); _ = s.Save(context.Background()) }, true},
		{"a Login in Atomic", func(s *session.Session) {
			_ = s.Atomic(context.Background(), func(s *session.Session) error { s.Login("ada"); return nil })
		}, true},
		{"a Login that is refused", func(s *session.Session) { _ = s.TryLogin("") }, false},
		{"a Logout after a Login", func(s *session.Session) { s.Login("ada"); s.Logout() }, false},
		{"a Login that is dropped", func(s *session.Session) { s.Login("ada"); _ = s.Reload(bg) }, false},
		{"nothing after it", func(s *session.Session) { s.Login("ada") }, true},
		{"a Confirm that is dropped", func(s *session.Session) { s.Confirm("otp"); _ = s.Reload(bg) }, false},
		{"a Login that is saved, and a Logout that is dropped", func(s *session.Session) {
			s.Login("ada")
			_ = s.Save(bg)
			s.Logout()
			_ = s.Reload(bg)
		}, true},
	} {
		v.with(func(s *session.Session) {
			if tt.do(s); s.Proved() != tt.want {
				t.Errorf("%s: Proved() = %t, want %t", tt.name, s.Proved(), tt.want)
			}
		})
	}
}

// Middleware is told of a Login until the end of its request, however it was stored.
func TestAnAnswerIsToldOfALoginThatIsStored(t *testing.T) {
	login := func(s *session.Session) error { return s.TryLogin("ada") }
	for name, tt := range map[string]struct {
		do   func(*session.Session) error
		want bool
	}{
		"saved":         {func(s *session.Session) error { return errors.Join(login(s), s.Save(bg)) }, true},
		"within Atomic": {func(s *session.Session) error { return s.Atomic(bg, login) }, true},
		"dropped":       {func(s *session.Session) error { return errors.Join(login(s), s.Reload(bg)) }, false},
		"saved, and another one dropped": {func(s *session.Session) error {
			return errors.Join(login(s), s.Save(bg), login(s), s.Reload(bg))
		}, true},
		"saved, and left": {func(s *session.Session) error {
			err := errors.Join(login(s), s.Save(bg))
			s.Logout()
			return err
		}, false},
	} {
		newRig(t).visitor().with(func(s *session.Session) {
			s.OnAnswer(func(_ http.Header, signsIn bool) {
				if signsIn != tt.want {
					t.Errorf("a Login that is %s is told as %t, want %t", name, signsIn, tt.want)
				}
			})
			if err := tt.do(s); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// What ends a session after its Login is stored is not undone by a change later in the same request, and the response
// tells of no Login then.
func TestASignInThatIsStoredBeginsNothingAnew(t *testing.T) {
	r := newRig(t)
	r.visitor().with(func(s *session.Session) {
		s.OnAnswer(func(_ http.Header, signsIn bool) {
			if signsIn {
				t.Error("the Login of a session that is gone is told of")
			}
		})
		s.Login("ada")
		if err := s.Save(bg); err != nil {
			t.Fatal(err)
		}
		if n, err := r.node().RevokeUser(bg, "ada"); n != 1 || err != nil {
			t.Fatalf("RevokeUser = %d, %v", n, err)
		}
		s.Set("cart", "coat")
		if err := s.Save(bg); !errors.Is(err, session.ErrEnded) {
			t.Errorf("Save = %v, want ErrEnded", err)
		}
	})
	if got := r.alive("ada"); got != 0 {
		t.Errorf("%d sessions, want 0", got)
	}
}

// What middleware stores by itself moves no idle timeout, however it is stored.
func TestARequestThatKeepsASessionIdleIsNoSignOfLife(t *testing.T) {
	for name, do := range map[string]func(*session.Session){
		"nothing":       func(*session.Session) {},
		"a save":        func(s *session.Session) { s.Set("n", 1) },
		"a save, early": func(s *session.Session) { s.Set("n", 1); _ = s.Save(bg) },
		"Atomic": func(s *session.Session) {
			_ = s.Atomic(bg, func(s *session.Session) error { s.Set("n", 1); return nil })
		},
		"Reload":   func(s *session.Session) { _ = s.Reload(bg); s.Set("n", 1) },
		"a new id": func(s *session.Session) { s.Regenerate() },
	} {
		r := newRig(t, func(o *session.Options) { o.IdleTimeout, o.RenewEvery = time.Hour, 20*time.Minute })
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		var want time.Time
		v.with(func(s *session.Session) { want = s.ExpiresAt() })
		for range 2 {
			r.clock.advance(25 * time.Minute)
			v.with(func(s *session.Session) {
				s.KeepIdle()
				do(s)
			})
		}
		if infos, err := r.Sessions(bg, "ada"); err != nil || len(infos) != 1 || !infos[0].ExpiresAt.Equal(want) {
			t.Errorf("%s: %v, %v, want the end at %v", name, infos, err, want)
		}
		v.with(func(s *session.Session) { s.Set("n", 2) })
		if infos, err := r.Sessions(bg, "ada"); err != nil || len(infos) != 1 || !infos[0].ExpiresAt.After(want) {
			t.Errorf("%s: %v, %v, want a later end after a use", name, infos, err)
		}
	}
}

// What ReportProof asked for is over with the Login that was reported, and has nothing to do with another user's.
func TestReportProofReportsNoLoginOfTheNextUser(t *testing.T) {
	r := newRig(t)
	r.visitor().with(func(s *session.Session) {
		s.ReportProof(session.EventNewDevice)
		for _, user := range []string{"ada", "bob"} {
			s.Login(user)
			if err := s.Save(bg); err != nil {
				t.Error(err)
			}
		}
	})
	if n := r.ev.count(session.EventNewDevice); n != 1 {
		t.Errorf("%d events, want that of ada", n)
	}
}
