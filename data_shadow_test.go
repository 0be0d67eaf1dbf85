package session_test

import (
	"testing"

	"github.com/coatcheck/session"
)

// What a request does to a part of a value that Now has set, it sees in that value.
func TestAPartOfAValueOfThisRequestCanBeChanged(t *testing.T) {
	for name, do := range map[string]func(*session.Session){
		"Set":   func(s *session.Session) { s.Set("a.b.x", 2) },
		"Flash": func(s *session.Session) { s.Flash("a.b.x", 2) },
		"Now":   func(s *session.Session) { s.Now("a.b.x", 2) },
		"Update": func(s *session.Session) {
			session.Key[int](`a\.b.x`).Update(s, func(int) int { return 0 })
			s.Set("a.b.x", 2)
		},
	} {
		v := newRig(t).visitor()
		v.with(func(s *session.Session) {
			s.Set("a.c", "stored")
			s.Now("a.b", map[string]any{"x": 1, "y": 1})
			do(s)
			if s.Err() != nil {
				t.Fatalf("%s: %v", name, s.Err())
			}
			wantGet(t, s, "a.b.x", int64(2))
			wantGet(t, s, "a.b.y", int64(1))
			wantGet(t, s, "a.c", "stored")
		})
	}
}

// A save removes the flash data of the request before, which stay readable, but not in place of what Now has set.
func TestFlashDataThatASaveRemovesStayBehindAValueOfThisRequest(t *testing.T) {
	for path, old := range map[string]any{"a": map[string]any{"b": "old"}, "a.b": "old", "a.b.x": "old"} {
		v := newRig(t).visitor()
		v.with(func(s *session.Session) { s.Flash(path, old) })
		v.with(func(s *session.Session) {
			s.Now("a.b", map[string]any{"x": "new"})
			s.Set("visits", 2)
			if err := s.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantGet(t, s, "a.b.x", "new")
		})
	}
}

func TestAValueOfThisRequestStandsBeforeOneThatDoesNotDecode(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.on(r.node(with(tornCodec{})).Manager).with(func(s *session.Session) { s.Set("torn", torn("canary")) })
	v.with(func(s *session.Session) {
		s.Now("torn", 1)
		wantGet(t, s, "torn", int64(1))
	})
}

// What is wrong with the data of one user is not held against the next, whose login drops that data.
func TestALoginAsSomebodyElseForgetsWhatWasRefused(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	resp := v.with(func(s *session.Session) {
		s.Set("a..b", 1)
		if s.Err() == nil {
			t.Fatal("the path is not refused")
		}
		s.Login("bob")
		if s.Err() != nil {
			t.Errorf("Err = %v, want what the other user did forgotten", s.Err())
		}
	})
	if got := v.user(); resp.StatusCode != 200 || got != "bob" {
		t.Errorf("status %d, signed in as %q, want bob", resp.StatusCode, got)
	}
}

func TestWhatIsNoPathPopsNothing(t *testing.T) {
	r := newRig(t)
	r.visitor().with(func(s *session.Session) {
		if got := s.Pop("a..b"); got != nil {
			t.Errorf("Pop = %v, want nothing", got)
		}
	})
	if n := r.ev.count(session.EventUndecodable); n != 0 {
		t.Errorf("%d events say that a value does not decode", n)
	}
}

// What another goroutine of the handler does while a commit waits for the store is there when that is over, also what
// Now sets after a Clear.
func TestNowAfterAClearDuringACommitStays(t *testing.T) {
	commits := map[string]func(s *session.Session) error{
		"Save": func(s *session.Session) error { return s.Save(t.Context()) },
		"Atomic": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(*session.Session) error { return nil })
		},
	}
	for name, commit := range commits {
		r := newRig(t)
		r.visitor().with(func(s *session.Session) {
			s.Set("stored", 1)
			for _, path := range []string{"a", "b", "c"} {
				s.Now(path, 1)
			}
			r.store.hook(func(call, _ string) error {
				if call == "save" {
					r.store.hook(nil)
					s.Clear()
					s.Now("x", 1)
				}
				return nil
			})
			if err := commit(s); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			wantGet(t, s, "x", int64(1))
			for _, path := range []string{"a", "b", "c", "stored"} {
				wantGet(t, s, path, nil)
			}
		})
	}
}

// What is only for this request outlives a Login that begins a fresh session, for the one that came has ended.
func TestAValueOfThisRequestOutlivesALoginOnASessionThatHasEnded(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	s := v.open()
	v.with((*session.Session).Logout)
	if err := s.Reload(bg); err == nil {
		t.Fatal("the session goes on")
	}
	s.Now("notice", "welcome back")
	s.Login("ada")
	wantGet(t, s, "notice", "welcome back")
}
