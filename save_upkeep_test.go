package session_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// upkeeps are what a session may need that nobody asked for: each prepares one, and the visitor's next request is due.
var upkeeps = map[string]func(r *rig, v *visitor){
	"another secret":      func(r *rig, _ *visitor) { rotate(r) },
	"flash data":          func(_ *rig, v *visitor) { v.with(flashed) },
	"a renewal":           func(r *rig, _ *visitor) { r.clock.advance(2 * time.Hour) },
	"flash and a renewal": func(r *rig, v *visitor) { v.with(flashed); r.clock.advance(2 * time.Hour) },
	"a touch":             func(r *rig, _ *visitor) { r.clock.advance(10 * time.Minute) },
	"all of it": func(r *rig, v *visitor) {
		v.with(flashed)
		r.clock.advance(2 * time.Hour)
		rotate(r)
	},
}

func rotate(r *rig) {
	if err := r.SetSecrets([]session.Secret{session.NewSecret(), testSecret}); err != nil {
		r.t.Fatal(err)
	}
}

// eachUpkeep runs a test for each of them, with a visitor who is signed in and whose next request is due.
func eachUpkeep(t *testing.T, test func(t *testing.T, r *rig, v *visitor), change ...func(*session.Options)) {
	for name, prepare := range upkeeps {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, append(change, func(o *session.Options) { o.RenewEvery = time.Hour })...)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
			prepare(r, v)
			test(t, r, v)
		})
	}
}

// While the store takes no writes, sessions are read as before, whatever is due. Afterwards it is done.
func TestAReaderNeedsNoWrites(t *testing.T) {
	eachUpkeep(t, func(t *testing.T, r *rig, v *visitor) {
		r.store.hook(func(call, _ string) error {
			if call != "load" {
				return errDown
			}
			return nil
		})
		for range 3 {
			resp := v.with(func(s *session.Session) {
				wantGet(t, s, "x", int64(1))
				if s.User() != "ada" {
					t.Errorf("the user is %q", s.User())
				}
			})
			if resp.StatusCode != http.StatusOK || len(resp.Cookies()) > 0 {
				t.Errorf("status %d, cookies %v", resp.StatusCode, len(resp.Cookies()))
			}
		}
		if resp := v.with(put("x", 2)); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a change that was not stored has status %d", resp.StatusCode)
		}
		r.store.hook(nil)
		v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
		if v.with(func(*session.Session) {}); v.with(put("x", 2)).StatusCode != http.StatusOK {
			t.Error("the session cannot be changed any more")
		}
		v.with(func(s *session.Session) { wantGet(t, s, "x", int64(2)); wantGet(t, s, "f", nil) })
	})
}

// A session that ends elsewhere while a request only reads it is no failure of that request, whatever is due.
func TestAReaderMayMeetTheEndOfTheSession(t *testing.T) {
	ends := map[string]func(*session.Session){
		"Logout":     (*session.Session).Logout,
		"Login":      func(s *session.Session) { s.Login("ada") },
		"Regenerate": (*session.Session).Regenerate,
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			eachUpkeep(t, func(t *testing.T, r *rig, v *visitor) {
				resp := v.with(func(s *session.Session) {
					flash := s.Get("f")
					v.clone().with(end)
					if err := s.Save(t.Context()); err != nil {
						t.Error(err)
					}
					wantGet(t, s, "x", int64(1))
					wantGet(t, s, "f", flash)
				})
				if resp.StatusCode != http.StatusOK || len(resp.Cookies()) > 0 {
					t.Errorf("status %d, %d cookies", resp.StatusCode, len(resp.Cookies()))
				}
				v.with(func(s *session.Session) {
					if s.User() != "" || s.Has("x") {
						t.Errorf("user %q, data %v", s.User(), s.All())
					}
				})
			})
		})
	}
}

// What a reader could not store harms nothing that comes later in the same request.
func TestAChangeAfterAFailedUpkeepIsStored(t *testing.T) {
	eachUpkeep(t, func(t *testing.T, r *rig, v *visitor) {
		v.with(func(s *session.Session) {
			r.failing("save")
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
			r.store.hook(nil)
			v.clone().with(put("y", 1))
			s.Set("x", 2)
		})
		v.with(func(s *session.Session) {
			wantGet(t, s, "x", int64(2))
			wantGet(t, s, "y", int64(1))
			wantGet(t, s, "f", nil)
		})
	})
}

// A function that only reads is run again by Atomic after a conflict, and is not failed by an outage.
func TestAtomicMayOnlyRead(t *testing.T) {
	eachUpkeep(t, func(t *testing.T, r *rig, v *visitor) {
		v.with(func(s *session.Session) {
			r.failing("save")
			runs := 0
			err := s.Atomic(t.Context(), func(s *session.Session) error {
				if runs++; s.Get("x") != int64(1) {
					t.Errorf("x = %v", s.Get("x"))
				}
				return nil
			})
			if err != nil || runs != 1 {
				t.Errorf("%d runs, %v", runs, err)
			}
			r.store.hook(nil)
		})
	})
}

// The log has one warning for it, and no error.
func TestAFailedUpkeepIsAWarning(t *testing.T) {
	log := &logged{}
	r := newRig(t, log.to)
	v := r.visitor()
	v.with(flashed)
	r.failing("save")
	v.with(func(*session.Session) {})
	if text := log.text(); strings.Contains(text, "level=ERROR") || !log.has("WARN", "session: refresh") {
		t.Errorf("the log has %s", text)
	}
}

// A store that hangs makes a reader wait once, before the response begins, and not again when the handler has returned.
func TestAFailedUpkeepIsLeftToTheNextRequest(t *testing.T) {
	eachUpkeep(t, func(t *testing.T, r *rig, v *visitor) {
		calls, before := 0, 0
		r.store.hook(func(call, _ string) error {
			if call == "load" {
				return nil
			}
			calls++
			return errDown
		})
		v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			wantGet(t, s, "x", int64(1))
			_, _ = w.Write([]byte("the headers are out"))
			before = calls
		})
		if before == 0 || calls > before {
			t.Errorf("%d calls before the response, %d in all", before, calls)
		}
	})
}

// Nor is what failed behind a conflict, of which there is something to tell.
func TestAFailedUpkeepAfterAConflictIsLeftToTheNextRequest(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(flashed)
	calls, before := 0, 0
	down := func(string, string) error {
		calls++
		return errDown
	}
	r.during(func() {
		r.store.hook(nil)
		v.clone().with(put("y", 1))
		r.store.hook(down)
	})
	v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		_, _ = w.Write([]byte("the headers are out"))
		before = calls
	})
	if n := r.ev.count(session.EventConflict); n != 1 || before == 0 || calls > before {
		t.Errorf("%d conflicts, %d calls before the response, %d in all", n, before, calls)
	}
}

// A stream that began while the store took no writes keeps its session all the same, by what it saves later.
func TestAFailedUpkeepIsTriedAgainByALongRequest(t *testing.T) {
	eachUpkeep(t, func(t *testing.T, r *rig, v *visitor) {
		v.with(func(s *session.Session) {
			r.store.hook(func(string, string) error { return errDown })
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
			r.store.hook(nil)
			for range 40 { // which takes longer than the idle timeout
				r.clock.advance(5 * time.Minute)
				if err := s.Save(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
	}, func(o *session.Options) { o.IdleTimeout = 3 * time.Hour })
}

// So does one whose session has a short idle timeout, before that is over.
func TestAFailedTouchIsTriedAgainBeforeTheIdleTimeout(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.IdleTimeout = 30 * time.Second })
	v := r.visitor()
	v.with(put("x", 1))
	r.clock.advance(20 * time.Second)
	v.with(func(s *session.Session) {
		r.store.hook(func(string, string) error { return errDown })
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		r.store.hook(nil)
		r.clock.advance(5 * time.Second)
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
	})
	r.clock.advance(20 * time.Second)
	v.with(func(s *session.Session) { wantGet(t, s, "x", int64(1)) })
}

// Flash data that were consumed do not wait for the next touch, which may be far away, nor for a clock that was put
// back.
func TestConsumedFlashDataAreTriedAgainByALongRequest(t *testing.T) {
	for _, later := range []time.Duration{5 * time.Minute, -time.Hour} {
		r := newRig(t, func(o *session.Options) { o.TouchEvery = 12 * time.Hour })
		v := r.visitor()
		v.with(flashed)
		v.with(func(s *session.Session) {
			r.failing("save")
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
			r.store.hook(nil)
			r.clock.advance(later)
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
		})
		v.with(func(s *session.Session) { wantGet(t, s, "f", nil) })
	}
}
