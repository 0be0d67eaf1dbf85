package session_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A sign-in that cannot be done changes nothing: the handler answers as it likes, and what else the request did is
// stored.
func TestTryLoginThatRefusesChangesNothing(t *testing.T) {
	own := func(change func(*session.Session)) []session.LoginOption { return []session.LoginOption{change} }
	for name, c := range map[string]struct {
		user string
		opts []session.LoginOption
	}{
		"a bad name":    {"ada ", nil},
		"a bad option":  {"ada", []session.LoginOption{session.Remember(30)}},
		"another user":  {"grace", []session.LoginOption{session.Remember(-time.Hour)}},
		"a bad path":    {"ada", own(func(s *session.Session) { s.Set("theme", "light"); s.Set("a..b", 1) })},
		"a bad channel": {"ada", own(func(s *session.Session) { s.SetPersistent(true); s.Set("x", make(chan int)) })},
	} {
		for _, before := range []string{"", "ada"} {
			t.Run(name+" as "+before, func(t *testing.T) {
				r := newRig(t)
				v := r.visitor()
				v.with(func(s *session.Session) {
					s.Set("theme", "dark")
					if before != "" {
						s.Login(before)
					}
				})
				had := v.ticket()
				resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
					id, login := s.ID(), s.LoginAt()
					s.Set("x", 1)
					if err := s.TryLogin(c.user, c.opts...); err == nil {
						t.Error("TryLogin = nil")
					}
					if s.Err() != nil || s.ID() != id || s.User() != before || !s.LoginAt().Equal(login) ||
						s.Get("theme") != "dark" {
						t.Errorf("Err %v, user %q, data %v", s.Err(), s.User(), s.All())
					}
					w.WriteHeader(http.StatusBadRequest)
				})
				if resp.StatusCode != 400 || len(resp.Cookies()) != 0 || v.ticket() != had {
					t.Errorf("status %d, %d cookies", resp.StatusCode, len(resp.Cookies()))
				}
				v.with(func(s *session.Session) {
					if s.Get("x") != int64(1) || s.User() != before {
						t.Errorf("next request: user %q, data %v", s.User(), s.All())
					}
				})
			})
		}
	}
}

func TestTryLoginSignsIn(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(put("cart", 1))
	old := v.ticket()
	v.with(func(s *session.Session) {
		if err := s.TryLogin("ada", session.Remember(time.Hour)); err != nil || s.User() != "ada" ||
			s.LoginAt().IsZero() {
			t.Errorf("TryLogin = %v, user %q", err, s.User())
		}
	})
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != int64(1) || r.opens(old) {
			t.Errorf("user %q, cart %v, the old ticket opens: %v", s.User(), s.Get("cart"), r.opens(old))
		}
	})
}

// A commit that is going to fail anyway is no sign-in, and the operation that spoils it is the one to be told of.
func TestTryLoginTellsWhatWasRefusedBefore(t *testing.T) {
	v := newRig(t).visitor()
	resp := v.with(func(s *session.Session) {
		s.Set("a..b", 1)
		if err := s.TryLogin("ada"); err == nil || !errors.Is(err, s.Err()) || s.User() != "" {
			t.Errorf("TryLogin = %v, want %v", err, s.Err())
		}
	})
	if resp.StatusCode != 500 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// A sign-in after the headers are sent is refused, and never in silence: there are an event and a line in the log.
func TestALateLoginIsToldOf(t *testing.T) {
	for name, login := range map[string]func(*session.Session) error{
		"Login":    func(s *session.Session) error { s.Login("ada"); return s.Err() },
		"TryLogin": func(s *session.Session) error { return s.TryLogin("ada") },
	} {
		t.Run(name, func(t *testing.T) {
			log := &logged{}
			r := newRig(t, log.to)
			r.visitor().do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				w.WriteHeader(http.StatusOK)
				wantText(t, login(s), "too late")
				if s.User() != "" {
					t.Errorf("user %q", s.User())
				}
			})
			if r.ev.count(session.EventLate) != 1 || !log.has("WARN", "session late", "too late") {
				t.Errorf("%d events, log %q", r.ev.count(session.EventLate), log.text())
			}
		})
	}
}

// Who learns only then that there is something to tell has missed nothing, and tells it once.
func TestAReportThatIsAskedForAfterTheSaveComesAtOnce(t *testing.T) {
	r := newRig(t)
	s, err := r.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.ReportProof(session.EventNewDevice)
		if n := r.ev.count(session.EventNewDevice); n != 1 {
			t.Errorf("%d reports, want one", n)
		}
	}
	s.Confirm("otp")
	s.ReportProof(session.EventNewDevice)
	if err := s.Save(t.Context()); err != nil || r.ev.count(session.EventNewDevice) != 1 {
		t.Errorf("Save = %v and %d reports, want one of a user", err, r.ev.count(session.EventNewDevice))
	}
	s.Login("bob")
	s.ReportProof(session.EventNewDevice)
	if n := r.ev.count(session.EventNewDevice); n != 1 {
		t.Errorf("%d reports before the sign-in of another user is stored, want one", n)
	}
	if err := s.Save(t.Context()); err != nil || r.ev.count(session.EventNewDevice) != 2 {
		t.Errorf("Save = %v and %d reports, want two", err, r.ev.count(session.EventNewDevice))
	}
}

func TestAReportThatIsTakenBackDoesNotCome(t *testing.T) {
	r := newRig(t)
	s, err := r.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.ReportProof(session.EventNewDevice)
	s.ReportProof("")
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.ReportProof("")
	if n := r.ev.count(""); n != 0 || r.ev.count(session.EventNewDevice) != 0 {
		t.Errorf("%d events of nothing, and %d reports", n, r.ev.count(session.EventNewDevice))
	}
}
