package session_test

import (
	"context"
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

// A function of Atomic may run again, or fail: what it did not do is not told.
func TestAReportThatAtomicAsksForComesWithWhatItStores(t *testing.T) {
	for name, c := range map[string]struct {
		fails     error // of the function
		conflicts bool
		want      int
	}{"at once": {want: 1}, "after a conflict": {conflicts: true, want: 1}, "in vain": {fails: errForeign}} {
		r := newRig(t)
		v, _ := r.signIn("ada")
		s := v.open()
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		ran := 0
		err := s.Atomic(t.Context(), func(s *session.Session) error {
			s.Set("x", 1)
			s.ReportProof(session.EventNewDevice)
			if n := r.ev.count(session.EventNewDevice); n != 0 {
				t.Errorf("%s: %d reports before anything is stored", name, n)
			}
			if ran++; c.conflicts && ran == 1 {
				r.node().change(s.Token())
			}
			return c.fails
		})
		if n := r.ev.count(session.EventNewDevice); !errors.Is(err, c.fails) || n != c.want || c.conflicts && ran < 2 {
			t.Errorf("%s: Atomic = %v after %d runs, and %d reports, want %d", name, err, ran, n, c.want)
		}
	}
}

// change is a request of another node that changes the session.
func (r *rig) change(ticket string) {
	r.t.Helper()
	s, err := r.Open(r.t.Context(), ticket)
	if err == nil {
		s.Set("y", 1)
		err = s.Save(r.t.Context())
	}
	if err != nil {
		r.t.Error(err)
	}
}

// Two goroutines of one handler: one of them saves while the other asks to be told of the sign-in, once.
func TestAReportThatIsAskedForDuringASaveComesOnce(t *testing.T) {
	const told = session.EventNewDevice
	for name, c := range map[string]struct {
		before, during session.EventKind
		stored         bool // the sign-in is stored before that save
		want           int
	}{
		"of a sign-in that is being stored": {during: told, want: 1},
		"of a sign-in that is stored":       {during: told, stored: true, want: 1},
		"asked for twice":                   {before: told, during: told, want: 1},
		"told before, and asked for again":  {before: told, during: told, stored: true, want: 1},
		"taken back":                        {},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, id := beginning(r, fillCart)
			s := v.open()
			save := func() {
				t.Helper()
				if err := s.Save(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			s.ReportProof(c.before)
			s.Login("ada")
			if c.stored {
				save()
				id = s.ID()
			}
			s.Set("x", 1)
			r.atTheSaveOf(id, func() { s.ReportProof(c.during) })
			save()
			s.Confirm("otp")
			save()
			if c.stored {
				s.ReportProof(c.during)
				save()
			}
			if n := r.ev.count(session.EventNewDevice); n != c.want {
				t.Errorf("%d reports, want %d", n, c.want)
			}
		})
	}
}

// What is taken back during a save does not come with a later one.
func TestAReportThatIsTakenBackDuringASaveDoesNotCome(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, fillCart)
	s := v.open()
	s.ReportProof(session.EventNewDevice)
	s.Set("x", 1)
	r.atTheSaveOf(id, func() { s.ReportProof("") })
	for range 2 {
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Login("ada")
	}
	if n := r.ev.count(session.EventNewDevice); n != 0 {
		t.Errorf("%d reports, want none", n)
	}
}

// The id is that of the record, although another one waits.
func TestAReportAtOnceNamesTheRecordThatIsStored(t *testing.T) {
	var told []session.Event
	r := newRig(t, func(o *session.Options) {
		o.OnEvent = func(_ context.Context, e session.Event) {
			if e.Kind == session.EventNewDevice {
				told = append(told, e)
			}
		}
	})
	s, err := r.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := s.ID()
	s.Regenerate()
	if s.ReportProof(session.EventNewDevice); len(told) != 1 || told[0].ID != id || told[0].User != "ada" {
		t.Errorf("told %v, want one of ada under the id %q", told, id)
	}
}
