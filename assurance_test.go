package session_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// factors are the names that a session has, sorted.
func factors(s *session.Session) string {
	return strings.Join(slices.Sorted(maps.Keys(s.Factors())), " ")
}

func confirm(s *session.Session) { s.Confirm("otp") }

func TestALoginSaysByWhichFactorsItWas(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	at := r.clock.now()
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd", "otp", "pwd"), session.Factor("x.509")) })
	r.clock.advance(time.Hour)
	v.with(func(s *session.Session) {
		if factors(s) != "otp pwd x.509" || !s.FactorAt("otp").Equal(at) || !s.FactorAt("webauthn").IsZero() {
			t.Errorf("factors %v, want those of the sign-in at %v", s.Factors(), at)
		}
		s.Factors()["hwk"] = at
		if len(s.All()) != 0 || !s.FactorAt("hwk").IsZero() || !s.FactorAt("").IsZero() {
			t.Errorf("data %v, factors %v: what Factors returns is not a copy", s.All(), s.Factors())
		}
	})
}

// The factors of a sign-in elsewhere are as old as that sign-in, in whichever order the options stand.
func TestFactorsOfAnEarlierSignInAreAsOld(t *testing.T) {
	r := newRig(t)
	at := r.clock.now().Add(-2 * time.Hour)
	for name, opts := range map[string][]session.LoginOption{
		"time first": {session.LoginAt(at), session.Factor("pwd"), session.Factor("otp")},
		"time last":  {session.Factor("pwd", "otp"), session.LoginAt(at)},
	} {
		for _, before := range []string{"", "ada", "grace"} {
			v := r.visitor()
			v.with(func(s *session.Session) {
				if before != "" {
					s.Login(before, session.Factor("sms"))
				}
			})
			v.with(func(s *session.Session) { s.Login("ada", opts...) })
			v.with(func(s *session.Session) {
				if factors(s) != "otp pwd" || !s.FactorAt("pwd").Equal(at) || !s.LoginAt().Equal(at) {
					t.Errorf("%s, before %q: %v, want pwd and otp at %v", name, before, s.Factors(), at)
				}
			})
		}
	}
}

func TestConfirmAddsAFactorUnderANewID(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	at := r.clock.now()
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")); s.Set("cart", 1) })
	old := v.ticket()
	r.clock.advance(time.Minute)
	v.with(func(s *session.Session) {
		before := s.ID()
		s.Confirm("otp")
		if s.ID() == before || s.User() != "ada" {
			t.Errorf("after Confirm: user %q, the id has changed: %v", s.User(), s.ID() != before)
		}
	})
	v.with(func(s *session.Session) {
		if !s.FactorAt("otp").Equal(at.Add(time.Minute)) || !s.FactorAt("pwd").Equal(at) || !s.LoginAt().Equal(at) ||
			s.User() != "ada" || s.Get("cart") != int64(1) || !s.CreatedAt().Equal(at) {
			t.Errorf("factors %v, login %v, data %v", s.Factors(), s.LoginAt(), s.All())
		}
	})
	if r.opens(old) {
		t.Error("the old ticket opens the session")
	}
}

// Nobody has the factors of somebody else, and a sign-in has its own and no earlier ones.
func TestFactorsGoWithTheLogin(t *testing.T) {
	for name, change := range map[string]func(*session.Session){
		"the same user": func(s *session.Session) { s.Login("ada") },
		"another user":  func(s *session.Session) { s.Login("grace") },
		"logout":        func(s *session.Session) { s.Logout(); s.Set("x", 1) },
		"login again after a logout": func(s *session.Session) {
			s.Logout()
			s.Login("ada")
		},
		"in one request": func(s *session.Session) { s.Confirm("sms"); s.Login("ada") },
		"in Atomic": func(s *session.Session) {
			err := s.Atomic(t.Context(), func(s *session.Session) error {
				s.Confirm("sms")
				s.Login("grace")
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		},
	} {
		r := newRig(t)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")) })
		v.with(func(s *session.Session) { s.Confirm("otp") })
		v.with(change)
		v.with(func(s *session.Session) {
			if len(s.Factors()) != 0 {
				t.Errorf("%s: %v is left", name, s.Factors())
			}
		})
	}
}

func TestConfirmIsRefusedWhereNobodyIsSignedIn(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(put("cart", 1))
	resp := v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Confirm("otp")
		if s.Err() == nil || !strings.Contains(s.Err().Error(), "nobody is signed in") {
			t.Errorf("Err = %v", s.Err())
		}
	})
	if resp.StatusCode != 500 {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
}

// A second click on the form of a code comes with the ticket that the first one made useless.
func TestASecondConfirmWithTheOldTicketIsOver(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	twin := v.clone()
	v.with(func(s *session.Session) { s.Confirm("otp") })
	resp := twin.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Confirm("otp")
		if !errors.Is(s.Err(), session.ErrEnded) {
			t.Errorf("Err = %v, want ErrEnded", s.Err())
		}
	})
	if resp.StatusCode != 409 || len(resp.Cookies()) != 0 {
		t.Errorf("status %d, %d cookies, want 409 and none", resp.StatusCode, len(resp.Cookies()))
	}
}

func TestNamesOfFactorsAreChecked(t *testing.T) {
	for _, name := range []string{"", "PWD", "one two", "é", "a\n", "a,b", strings.Repeat("a", 33), "\xff"} {
		r := newRig(t)
		v := r.visitor()
		v.with(func(s *session.Session) {
			err := s.TryLogin("ada", session.Factor("pwd", name))
			if err == nil || name != "" && strings.Contains(err.Error(), name) {
				t.Errorf("Factor(%q): %v", name, err)
			}
			s.Login("ada")
		})
		if resp := v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Confirm(name) }); resp.
			StatusCode != 500 {
			t.Errorf("Confirm(%q) answers %d", name, resp.StatusCode)
		}
	}
}

func TestASessionHasSixteenFactorsAtMost(t *testing.T) {
	var names []string
	for i := range 17 {
		names = append(names, fmt.Sprint("f", i))
	}
	r := newRig(t)
	for _, named := range []bool{true, false} {
		v := r.visitor()
		v.with(func(s *session.Session) {
			if err := s.TryLogin("ada", session.Factor(names...)); err == nil {
				t.Error("17 factors are taken")
			}
			if named {
				s.Login("ada", session.Factor(names[0]))
				return
			}
			s.Login("ada")
			s.Confirm(names[0])
		})
		v.with(func(s *session.Session) {
			for _, name := range names[1:16] {
				s.Confirm(name)
			}
			s.Confirm(names[3])
			if s.Err() != nil {
				t.Errorf("16 factors: %v", s.Err())
			}
			s.Confirm(names[16])
			if s.Err() == nil || len(s.Factors()) != 16 {
				t.Errorf("a 17th: Err %v, %d factors", s.Err(), len(s.Factors()))
			}
			_ = s.Reload(t.Context())
		})
	}
}

func TestFactorByItselfDoesNothing(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	if resp := v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		session.Factor("otp")(s)
	}); resp.StatusCode != 500 {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		if err := s.TryLogin("ada", func(s *session.Session) { s.Confirm("otp") }); err == nil {
			t.Error("an option of Login may confirm")
		}
	})
}

// The lifetime runs from when the oldest factor was shown: one of two does not extend it, and both do.
func TestTheLifetimeBeginsAnewWhenEachFactorWasShownAgain(t *testing.T) {
	for name, c := range map[string]struct {
		login, confirm []string
		extends        bool
	}{
		"the only one":                    {[]string{"pwd"}, []string{"pwd"}, true},
		"one of two":                      {[]string{"pwd", "otp"}, []string{"pwd"}, false},
		"both":                            {[]string{"pwd", "otp"}, []string{"otp", "pwd"}, true},
		"a new one":                       {[]string{"pwd"}, []string{"otp"}, false},
		"one after a sign-in without any": {nil, []string{"pwd"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.Lifetime, o.IdleTimeout = 10*time.Hour, 7*time.Hour })
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada", session.Factor(c.login...)) })
			r.clock.advance(6 * time.Hour)
			for _, f := range c.confirm {
				v.with(func(s *session.Session) { s.Confirm(f) })
			}
			r.clock.advance(5 * time.Hour)
			v.with(func(s *session.Session) {
				if (s.User() == "ada") != c.extends {
					t.Errorf("after 11 of 10 hours the user is %q", s.User())
				}
			})
		})
	}
}

// A deadline is a promise that no factor moves.
func TestConfirmLeavesADeadline(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	end := r.clock.now().Add(time.Hour)
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")); s.SetDeadline(end) })
	r.clock.advance(30 * time.Minute)
	v.with(func(s *session.Session) { s.Confirm("pwd") })
	v.with(func(s *session.Session) {
		if !s.ExpiresAt().Equal(end) {
			t.Errorf("the session ends at %v, want %v", s.ExpiresAt(), end)
		}
	})
}

// What two nodes confirm at the same time is both there, or one of them is told that it is not.
func TestAConfirmBesideAChangeOnAnotherNodeKeepsBoth(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")) })
	r.clock.advance(2 * time.Hour) // its renewal is due
	s, err := r.Open(t.Context(), v.ticket())
	if err != nil {
		t.Fatal(err)
	}
	s.Confirm("otp")
	v.with(func(s *session.Session) { s.Set("theme", "dark") })
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := r.Open(t.Context(), s.Token())
	if err != nil || factors(found) != "otp pwd" || found.Get("theme") != "dark" {
		t.Errorf("factors %v, data %v, %v", found.Factors(), found.All(), err)
	}
}

func TestALoginBesideAConfirmHasNoneOfItsFactors(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")) })
	s, err := r.Open(t.Context(), v.ticket())
	if err != nil {
		t.Fatal(err)
	}
	s.Confirm("otp")
	s.Login("ada", session.Factor("hwk"))
	v.with(func(s *session.Session) { s.Confirm("sms") })
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := r.Open(t.Context(), s.Token())
	if err != nil || found.User() != "ada" || factors(found) != "hwk" {
		t.Errorf("user %q, factors %v, %v", found.User(), found.Factors(), err)
	}
}
