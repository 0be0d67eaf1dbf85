package session_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

// whys are what those are told who wait while the session ends as in endings.
var whys = map[string]session.Reason{
	"logout": "logout", "invalidate": "logout", "login as another": "replaced", "revoke": "revoked",
	"revoke user": "revoked", "revoke for": "operator", "revoke user for": "password",
}

func TestDoneSaysWhyTheSessionEnded(t *testing.T) {
	for name, end := range endings {
		for where, elsewhere := range map[string]bool{"here": false, "elsewhere": true} {
			t.Run(name+" "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, bubbled)
					defer r.Close()
					v, id := r.signIn("ada")
					s, want := streaming(t, v), whys[name]
					done := s.Done()
					synctest.Wait() // until it was asked for the first time
					if s.EndedBy() != "" {
						t.Errorf("EndedBy = %q while the session lives", s.EndedBy())
					}
					if elsewhere {
						n := r.node(bubbled)
						end(n, v.on(n.Manager), id)
						if name == "revoke" || name == "revoke user" { // nothing is left to tell
							want = ""
						}
						time.Sleep(5 * time.Second)
						synctest.Wait()
					} else {
						end(r, v, id)
					}
					if !isClosed(done) || s.EndedBy() != want {
						t.Errorf("closed %v, EndedBy = %q, want %q", isClosed(done), s.EndedBy(), want)
					}
				})
			})
		}
	}
}

func TestTheClockThatEndsASessionIsTold(t *testing.T) {
	day := 24 * time.Hour
	ends := func(in time.Duration) func(*session.Session) {
		return func(s *session.Session) { s.SetDeadline(time.Now().Add(in)) }
	}
	for name, row := range map[string]struct {
		idle, lifetime time.Duration
		set            func(*session.Session)
		want           session.Reason
	}{
		"idle":          {time.Hour, day, nil, "idle"},
		"lifetime":      {2 * day, day, nil, "lifetime"},
		"at once":       {day, day, nil, "lifetime"},
		"no lifetime":   {day, session.Never, nil, "idle"},
		"no idle":       {session.Never, day, nil, "lifetime"},
		"a deadline":    {day, 2 * day, ends(time.Minute), "lifetime"},
		"a short idle":  {day, day, func(s *session.Session) { s.SetIdleTimeout(time.Minute) }, "idle"},
		"a past one":    {day, day, ends(-time.Minute), "lifetime"},
		"remembered no": {day, session.Never, func(s *session.Session) { s.SetLifetime(time.Minute) }, "lifetime"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, bubbled, func(o *session.Options) {
					o.IdleTimeout, o.Lifetime, o.TouchEvery = row.idle, row.lifetime, time.Second
				})
				defer r.Close()
				v, _ := r.signIn("ada")
				late, gone := v.clone(), streaming(t, v)
				if row.set != nil {
					v.with(row.set)
				}
				s := streaming(t, late)
				done := s.Done()
				time.Sleep(2*day + 5*time.Second)
				synctest.Wait()
				if !isClosed(done) || s.EndedBy() != row.want {
					t.Errorf("Done is closed: %v, and EndedBy = %q, want %q", isClosed(done), s.EndedBy(), row.want)
				}
				if name == "a past one" { // its tombstone is over
					return
				}
				late.isTold(row.want)
				gone.Set("x", 1)
				if err := gone.Save(bg); !errors.Is(err, session.ErrEnded) || gone.EndedBy() != row.want {
					t.Errorf("a late save = %v, EndedBy = %q, want %q", err, gone.EndedBy(), row.want)
				}
			})
		})
	}
}

// A request that was under way learns why when its commit finds out.
func TestACommitThatComesTooLateLearnsWhy(t *testing.T) {
	for name, late := range map[string]func(*session.Session) error{
		"Save":   func(s *session.Session) error { s.Set("x", 1); return s.Save(bg) },
		"Reload": func(s *session.Session) error { return s.Reload(bg) },
		"Atomic": func(s *session.Session) error {
			return s.Atomic(bg, func(s *session.Session) error { s.Set("x", 1); return nil })
		},
		"Regenerate": func(s *session.Session) error { s.Regenerate(); return s.Save(bg) },
		"Atomic in the middle": func(s *session.Session) error {
			s.Set("x", 1)
			return s.Atomic(bg, func(*session.Session) error { return nil })
		},
	} {
		r := newRig(t)
		v, id := r.signIn("ada")
		v.do(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			if _, err := r.node().RevokeFor(bg, "operator", id); err != nil {
				t.Fatal(err)
			}
			if s.EndedBy() != "" {
				t.Errorf("%s: it is known before anybody asked", name)
			}
			if err := late(s); !errors.Is(err, session.ErrEnded) || s.EndedBy() != "operator" {
				t.Errorf("%s = %v, EndedBy = %q", name, err, s.EndedBy())
			}
		})
	}
}

// A former cookie that has run out says nothing of the session that came after all.
func TestASessionThatLivesTellsOfNoEnd(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Cookie.Name = "old" })
	renamed := r.node(func(o *session.Options) { o.Cookie.Name, o.Cookie.FormerNames = "new", []string{"old"} })
	old, _ := r.signIn("ada")
	v, gone := renamed.signIn("bob")
	v.plant("old", old.cookie("old"))
	if _, err := renamed.RevokeFor(bg, "operator", gone); err != nil {
		t.Fatal(err)
	}
	r.clock.advance(time.Minute)
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.EndedBy() != "" {
			t.Errorf("user %q, EndedBy = %q", s.User(), s.EndedBy())
		}
	})
}
