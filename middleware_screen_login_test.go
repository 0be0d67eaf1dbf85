package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// refusedVisitor is signed in as ada, and the requests that follow are refused while the switch is on.
func refusedVisitor(r *rig, on *bool) *visitor {
	screened(r, on)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("cart", 1) })
	*on = true
	return v
}

// wantCart checks that the session that was refused is what it was.
func (v *visitor) wantCart(name string) {
	v.t.Helper()
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != int64(1) {
			v.t.Errorf("%s: afterwards the session is %q's with %v, and over because of %q", name, s.User(), s.All(),
				s.EndedBy())
		}
	})
}

// Nobody is signed in instead, so the session that was refused goes on for whoever has its key.
func TestALoginThatCannotBeStoredLeavesARefusedSessionAsItWas(t *testing.T) {
	large := strings.Repeat("x", 2<<20)
	for name, login := range map[string]func(r *rig, w http.ResponseWriter, s *session.Session){
		"with what does not encode": func(_ *rig, _ http.ResponseWriter, s *session.Session) {
			s.Login("ada")
			s.Set("f", func() {})
		},
		"with too much": func(_ *rig, _ http.ResponseWriter, s *session.Session) {
			s.Login("ada")
			s.Set("x", large)
		},
		"with too much, by Save": func(_ *rig, _ http.ResponseWriter, s *session.Session) {
			s.Login("ada")
			s.Set("x", large)
			_ = s.Save(bg)
		},
		"with too much, in Atomic": func(_ *rig, _ http.ResponseWriter, s *session.Session) {
			_ = s.Atomic(bg, func(s *session.Session) error { s.Login("ada"); s.Set("x", large); return nil })
		},
		"in a store without room": func(r *rig, _ http.ResponseWriter, s *session.Session) {
			s.Login("ada")
			r.full()
		},
		"after the headers": func(_ *rig, w http.ResponseWriter, s *session.Session) {
			w.WriteHeader(http.StatusOK)
			s.Login("ada")
			_ = s.Save(bg)
		},
	} {
		r, on := newRig(t), false
		v := refusedVisitor(r, &on)
		resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) { login(r, w, s) })
		r.store.hook(nil)
		on = false
		if n := r.ev.count(session.EventEnded); n != 0 || len(resp.Cookies()) != 0 {
			t.Errorf("%s: %d sessions ended, and the cookies are %v; want none", name, n, resp.Cookies())
		}
		v.wantCart(name)
	}
}

// The others alone fill a limit that was lowered.
func TestALoginAboveTheLimitLeavesARefusedSessionAsItWas(t *testing.T) {
	r, on := newRig(t), false
	r.signIn("ada")
	strict := r.node(func(o *session.Options) { o.MaxPerUser, o.Overflow = 1, session.RefuseNew })
	screened(strict, &on)
	r.clock.advance(time.Second)
	v, _ := r.signIn("ada")
	v.with(func(s *session.Session) { s.Set("cart", 1) })
	on = true
	resp := v.on(strict.Manager).with(func(s *session.Session) { s.Login("ada") })
	if resp.StatusCode == http.StatusOK || len(resp.Cookies()) != 0 {
		t.Errorf("status %d, cookies %v; want an error and none", resp.StatusCode, resp.Cookies())
	}
	v.wantCart("above the limit")
}

// The last word counts: it may be somebody else's Login, which leaves the session alone, or a Logout, which ends it.
func TestWhatFollowsALoginDecidesOnTheSessionThatIsRefused(t *testing.T) {
	large := strings.Repeat("x", 2<<20)
	for name, tt := range map[string]struct {
		do    func(*session.Session)
		ended bool
	}{
		"another user":           {func(s *session.Session) { s.Login("ada"); s.Login("bob") }, false},
		"a Logout":               {func(s *session.Session) { s.Login("ada"); s.Logout() }, true},
		"a Logout, and too much": {func(s *session.Session) { s.Login("ada"); s.Logout(); s.Set("x", large) }, true},
		"a Logout after a failure": {func(s *session.Session) {
			s.Login("ada")
			s.Set("x", large)
			_ = s.Save(bg)
			s.Logout()
		}, true},
		"a Login after a failure": {func(s *session.Session) {
			s.Login("ada")
			s.Set("x", large)
			_ = s.Save(bg)
			s.Clear()
			s.Login("ada")
		}, true},
	} {
		r, on := newRig(t), false
		v := refusedVisitor(r, &on)
		old := v.clone()
		v.with(tt.do)
		on = false
		if n := r.ev.count(session.EventEnded); n != 0 != tt.ended {
			t.Errorf("%s: %d sessions ended; want one: %t", name, n, tt.ended)
		}
		if !tt.ended {
			old.wantCart(name)
		} else if user := old.user(); user != "" {
			t.Errorf("%s: the session that was refused is still that of %q", name, user)
		}
	}
}
