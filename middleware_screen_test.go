package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

var errNoKey = errors.New("the key was not shown")

// screened makes a manager refuse sessions of users while the switch is on.
func screened(r *rig, on *bool) {
	err := r.Screen(func(_ *http.Request, s *session.Session) session.Screening {
		if !*on || s.User() == "" {
			return session.Screening{}
		}
		e := session.Event{Kind: "screened", Err: errNoKey, Reason: session.ReasonBinding}
		return session.Screening{Refuse: errNoKey, Event: e}
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestARefusedSessionIsNobodysAndComesBack(t *testing.T) {
	r, on := newRig(t), false
	screened(r, &on)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("cart", 1) })
	ticket := v.ticket()
	on = true
	r.clock.advance(1 << 40)
	resp := v.with(func(s *session.Session) {
		if s.User() != "" || s.ID() != "" || s.Token() != "" || !s.IsNew() || s.Has("cart") || !s.SeenAt().IsZero() ||
			!errors.Is(s.Refused(), errNoKey) || s.Moved() {
			t.Errorf("a refused session is %v of %q: %v", s.ID(), s.User(), s.All())
		}
	})
	if len(resp.Cookies()) != 0 || r.ev.count("screened") != 1 {
		t.Errorf("cookies %v, %d events, want no cookie and one event", resp.Cookies(), r.ev.count("screened"))
	}
	if resp := v.with(func(s *session.Session) { s.Set("cart", 2) }); resp.StatusCode != http.StatusConflict ||
		len(resp.Cookies()) != 0 {
		t.Errorf("what is set there: status %d, cookies %v, want 409 and none", resp.StatusCode, resp.Cookies())
	}
	on = false
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != int64(1) || s.Refused() != nil || v.ticket() != ticket {
			t.Errorf("afterwards the session is %q's with %v", s.User(), s.All())
		}
	})
}

// What a function of the application is given is the same session.
func TestAFunctionIsToldThatItsSessionIsRefused(t *testing.T) {
	r, on := newRig(t), true
	v, _ := r.signIn("ada")
	screened(r, &on)
	v.with(func(s *session.Session) {
		var within, option error
		err := s.Atomic(bg, func(s *session.Session) error { within = s.Refused(); return nil })
		s.Login("ada", func(s *session.Session) { option = s.Refused() })
		if err != nil || !errors.Is(within, errNoKey) || !errors.Is(option, errNoKey) {
			t.Errorf("Atomic = %v; it was told %v, and the option of the Login %v", err, within, option)
		}
	})
}

func TestAReloadBringsNoRefusedSessionBack(t *testing.T) {
	r, on := newRig(t), false
	screened(r, &on)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("cart", 1) })
	on = true
	v.with(func(s *session.Session) {
		if err := s.Reload(t.Context()); !errors.Is(err, session.ErrEnded) || s.User() != "" || s.Has("cart") {
			t.Errorf("Reload = %v, and the session is %q's with %v; want ErrEnded and nothing", err, s.User(), s.All())
		}
	})
}

func TestARefusedRequestIsToldTheReasonOfItsScreening(t *testing.T) {
	r, on := newRig(t), false
	screened(r, &on)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	for _, on = range []bool{true, false} {
		want := map[bool]session.Reason{true: session.ReasonBinding}[on]
		v.with(func(s *session.Session) {
			if s.EndedBy() != want {
				t.Errorf("refused: %v, EndedBy = %q, want %q", on, s.EndedBy(), want)
			}
		})
	}
}

func TestARefusedSessionIsNotTouchedOrRenewed(t *testing.T) {
	r, on := newRig(t, func(o *session.Options) { o.RenewEvery = 1 << 30 }), true
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	screened(r, &on)
	r.clock.advance(1 << 42)
	r.store.reset()
	if resp := v.with(func(*session.Session) {}); len(resp.Cookies()) != 0 || r.store.total() != 1 {
		t.Errorf("a refused request made the calls %v and the cookies %v", r.store.calls, resp.Cookies())
	}
}

func TestALoginWhereASessionIsRefusedBeginsAFreshOne(t *testing.T) {
	r, on := newRig(t), false
	screened(r, &on)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("secret", 1) })
	owner := v.clone()
	on = true
	v.with(func(s *session.Session) { s.Login("mallory") })
	on = false
	v.with(func(s *session.Session) {
		if s.User() != "mallory" || s.Has("secret") {
			t.Errorf("the fresh session is %q's with %v", s.User(), s.All())
		}
	})
	owner.with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Error("somebody else's Login ended the session that was refused")
		}
	})
}

// Who has lost what the screen asks for signs in again, and the session that is of no use to them is none of theirs.
func TestALoginOfTheSameUserReplacesTheSessionThatIsRefused(t *testing.T) {
	for name, login := range map[string]func(*session.Session) error{
		"Login": func(s *session.Session) error { s.Login("ada"); return nil },
		"Save":  func(s *session.Session) error { s.Login("ada"); return s.Save(bg) },
		"Atomic": func(s *session.Session) error {
			return s.Atomic(bg, func(s *session.Session) error { return s.TryLogin("ada") })
		},
		"Login twice": func(s *session.Session) error { s.Login("ada"); s.Set("n", 1); s.Login("ada"); return nil },
		"after a Logout": func(s *session.Session) error {
			s.Logout()
			s.Login("ada")
			return nil
		},
	} {
		for overflow, limit := range map[session.Overflow]int{session.RefuseNew: 2, session.EvictOldest: 2} {
			r, on := newRig(t, func(o *session.Options) { o.MaxPerUser, o.Overflow = limit, overflow }), false
			screened(r, &on)
			phone, v := r.visitor(), r.visitor()
			phone.with(func(s *session.Session) { s.Login("ada") })
			r.clock.advance(time.Second)
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("cart", 1) })
			old := v.clone()
			on = true
			resp := v.with(func(s *session.Session) {
				if err := login(s); err != nil || s.Has("cart") {
					t.Errorf("%s: %v, and the data of before: %v", name, err, s.Has("cart"))
				}
			})
			on = false
			infos, err := r.Sessions(bg, "ada")
			if resp.StatusCode != http.StatusOK || err != nil || len(infos) != 2 || r.ev.count("evicted") != 0 {
				t.Errorf("%s, overflow %v: status %d, %d sessions, %v, want 2", name, overflow, resp.StatusCode,
					len(infos), err)
			}
			for _, b := range []*visitor{phone, v} {
				b.with(func(s *session.Session) {
					if s.User() != "ada" {
						t.Errorf("%s, overflow %v: a session is over because of %q", name, overflow, s.EndedBy())
					}
				})
			}
			old.with(func(s *session.Session) {
				if s.User() != "" {
					t.Errorf("%s, overflow %v: the session that was refused goes on", name, overflow)
				}
			})
		}
	}
}

// A Login that is dropped, or fails, opens no session that was refused, and ends none.
func TestALoginThatComesToNothingLeavesARefusedSessionAsItWas(t *testing.T) {
	for name, login := range map[string]func(*rig, *session.Session){
		"dropped": func(_ *rig, s *session.Session) {
			s.Login("ada")
			if err := s.Reload(bg); !errors.Is(err, session.ErrEnded) || s.User() != "" || s.Has("cart") {
				t.Errorf("Reload = %v, and the session is %q's with %v", err, s.User(), s.All())
			}
		},
		"dropped, after a Logout": func(_ *rig, s *session.Session) {
			s.Logout()
			s.Login("ada")
			if err := s.Reload(bg); !errors.Is(err, session.ErrEnded) || s.User() != "" || s.Has("cart") {
				t.Errorf("Reload = %v, and the session is %q's with %v", err, s.User(), s.All())
			}
		},
		"dropped in Atomic": func(_ *rig, s *session.Session) {
			_ = s.Atomic(bg, func(s *session.Session) error { s.Login("ada"); return errNoKey })
			if s.User() != "" || s.Has("cart") {
				t.Errorf("after Atomic the session is %q's with %v", s.User(), s.All())
			}
		},
		"in an outage": func(r *rig, s *session.Session) {
			s.Login("ada")
			r.store.hook(func(string, string) error { return errors.New("down") })
		},
		"of a wrong name": func(_ *rig, s *session.Session) { _ = s.TryLogin("") },
	} {
		r, on := newRig(t), false
		screened(r, &on)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada"); s.Set("cart", 1) })
		on = true
		v.with(func(s *session.Session) { login(r, s) })
		r.store.hook(nil)
		on = false
		v.with(func(s *session.Session) {
			if s.User() != "ada" || !s.Has("cart") {
				t.Errorf("%s: afterwards the session is %q's with %v", name, s.User(), s.All())
			}
		})
		if infos, err := r.Sessions(bg, "ada"); err != nil || len(infos) != 1 {
			t.Errorf("%s: %d sessions, %v, want one", name, len(infos), err)
		}
	}
}

func TestALogoutEndsTheSessionThatIsRefused(t *testing.T) {
	r, on := newRig(t), false
	screened(r, &on)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	copied := v.clone()
	on = true
	if resp := v.with(func(s *session.Session) { s.Logout() }); len(resp.Cookies()) != 1 {
		t.Errorf("the logout sends %v, want the cookie deleted", resp.Cookies())
	}
	on = false
	copied.with(func(s *session.Session) {
		if s.User() != "" {
			t.Error("the session is alive after the logout")
		}
	})
}

// What the screen adds comes with the same commit, and before the first byte.
func TestAScreenAnswersBeforeTheCommit(t *testing.T) {
	r := newRig(t)
	seen := session.Key[string]("seen")
	err := r.Screen(func(_ *http.Request, s *session.Session) session.Screening {
		return session.Screening{Answer: func(h http.Header, signsIn bool) {
			h.Set("X-User", s.User())
			h.Set("X-Signs-In", strconv.FormatBool(signsIn))
			if s.User() != "" {
				seen.Set(s, s.User())
			}
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	v := r.visitor()
	resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada")
		w.WriteHeader(http.StatusSeeOther)
		s.Set("late", 1)
	})
	if got := resp.Header.Get("X-User"); got != "ada" || r.store.calls["save"] != 2 {
		t.Errorf("X-User %q and the calls %v, want ada, a save and one for what was late", got, r.store.calls)
	}
	again := v.with(func(s *session.Session) {
		if seen.Or(s, "") != "ada" {
			t.Error("what the screen set is not stored")
		}
	})
	first, next := resp.Header.Get("X-Signs-In"), again.Header.Get("X-Signs-In")
	if first != "true" || next != "false" {
		t.Errorf("a Login is told as %s, and a request after it as %s", first, next)
	}
}

// What a browser is to forget with its session it forgets when that is known to be over, and because of this request.
func TestAScreenIsToldOfASessionThatTheRequestHasEnded(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(*rig, *visitor, *session.Session)
		want bool
	}{
		"a logout":         {func(_ *rig, _ *visitor, s *session.Session) { s.Logout() }, true},
		"a logout, stored": {func(_ *rig, _ *visitor, s *session.Session) { s.Logout(); _ = s.Save(bg) }, true},
		"a logout, and another session": {func(_ *rig, _ *visitor, s *session.Session) {
			s.Logout()
			s.Set("note", "bye")
		}, false},
		"a logout that is dropped": {func(_ *rig, _ *visitor, s *session.Session) {
			s.Logout()
			_ = s.Reload(bg)
		}, false},
		"a logout elsewhere": {func(_ *rig, other *visitor, s *session.Session) {
			other.with(func(s *session.Session) { s.Logout() })
			_ = s.Reload(bg)
		}, false},
		"a logout after one elsewhere": {func(_ *rig, other *visitor, s *session.Session) {
			other.with(func(s *session.Session) { s.Logout() })
			s.Logout()
		}, false},
		"a logout that fails": {func(r *rig, _ *visitor, s *session.Session) {
			s.Logout()
			r.store.hook(func(string, string) error { return errors.New("down") })
		}, false},
		"a new id": {func(_ *rig, _ *visitor, s *session.Session) { s.Regenerate() }, false},
	} {
		r := newRig(t)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		other := v.clone().on(r.node().Manager) // which has no screen
		told := 0
		if err := r.Screen(func(*http.Request, *session.Session) session.Screening {
			return session.Screening{Ended: func(h http.Header) { told++; h.Set("X-Ended", "yes") }}
		}); err != nil {
			t.Fatal(err)
		}
		var during int
		resp := v.with(func(s *session.Session) { tt.do(r, other, s); during = told })
		want := map[bool]int{true: 1}[tt.want]
		if got := resp.Header.Get("X-Ended") != ""; got != tt.want || told != want || during != 0 {
			t.Errorf("%s: the screen is told %d times, %d of them too early, want %d", name, told, during, want)
		}
	}
}

func TestATicketWhoseSessionWentOnSaysSo(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	old, older := v.clone(), v.clone()
	v.with(func(s *session.Session) { s.Regenerate() })
	old.with(func(s *session.Session) {
		if !s.Moved() {
			t.Error("the ticket of a session that went on does not say so")
		}
		if s.Invalidate(); s.Moved() {
			t.Error("a session that this request has left says that it went on")
		}
	})
	v.with(func(s *session.Session) {
		if s.Moved() {
			t.Error("the new ticket says that its session went on")
		}
	})
	gone := v.clone()
	v.with(func(s *session.Session) { s.Logout() })
	gone.with(func(s *session.Session) {
		if s.Moved() {
			t.Error("a session that ended says that it went on")
		}
	})
	r.clock.advance(1 << 40)
	older.with(func(s *session.Session) {
		if s.Moved() {
			t.Error("a ticket says that its session went on when its grace is over")
		}
	})
}

// An adapter without a middleware is no way around the screen.
func TestASessionThatIsOpenedForARequestIsScreened(t *testing.T) {
	r, on := newRig(t), true
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	screened(r, &on)
	req := httptest.NewRequest(http.MethodGet, "https://app.example.com/", nil)
	s, err := r.OpenFor(req, v.ticket())
	if err != nil || s.User() != "" || !errors.Is(s.Refused(), errNoKey) || r.ev.count("screened") != 1 {
		t.Errorf("OpenFor = the session of %q, %v, refused because of %v", s.User(), err, s.Refused())
	}
	on = false
	if s, err = r.OpenFor(req, v.ticket()); err != nil || s.User() != "ada" {
		t.Errorf("OpenFor = the session of %q, %v", s.User(), err)
	}
}

func TestAManagerHasOneScreen(t *testing.T) {
	r := newRig(t)
	if err := r.Screen(nil); err == nil || !strings.Contains(err.Error(), "Screen") {
		t.Errorf("Screen(nil) = %v", err)
	}
	fn := func(*http.Request, *session.Session) session.Screening { return session.Screening{} }
	if err := errors.Join(r.Screen(fn)); err != nil {
		t.Error(err)
	}
	if r.Screen(fn) == nil {
		t.Error("a second screen is not refused")
	}
	s, err := r.Open(t.Context(), "")
	if err != nil || s.Refused() != nil {
		t.Errorf("a session without a request is refused: %v, %v", s.Refused(), err)
	}
}
