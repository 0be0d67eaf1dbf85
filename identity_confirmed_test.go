package session_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A Login is one, whatever else a request does about who signs in.
func TestALoginIsOneWithWhatIsDoneBesideIt(t *testing.T) {
	for name, login := range map[string]func(*session.Session){
		"Confirm":     func(s *session.Session) { s.Login("ada"); s.Confirm("otp") },
		"ReportProof": func(s *session.Session) { s.ReportProof(session.EventNewDevice); s.Login("ada") },
	} {
		r := newRig(t, atMost(1, session.EvictOldest))
		first, _ := r.signIn("ada")
		if r.visitor().with(login); first.alive() || r.alive("ada") != 1 {
			t.Errorf("%s: a login above the limit leaves %d sessions", name, r.alive("ada"))
		}

		v, id := beginning(r, fillCart)
		s := v.open()
		r.clock.advance(time.Hour)
		login(s)
		if want := r.clock.now().Add(24 * time.Hour); !s.ExpiresAt().Equal(want) {
			t.Errorf("%s: the session ends at %v, want %v", name, s.ExpiresAt(), want)
		}
		r.atTheSaveOf(id, func() { v.with(put("y", 1)) })
		if err := s.Save(bg); err != nil || s.User() != "ada" || s.Get("y") != int64(1) {
			t.Errorf("%s beside another save: %v, of %q with %v", name, err, s.User(), s.All())
		}

		v, id = beginning(r, fillCart)
		s = v.open()
		login(s)
		r.atTheSaveOf(id, func() { r.revoked(id) })
		if err := s.Save(bg); err != nil || s.User() != "ada" {
			t.Errorf("%s on a session that ends meanwhile: %v, of %q", name, err, s.User())
		}
	}
}
