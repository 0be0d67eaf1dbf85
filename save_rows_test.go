package session_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/coatcheck/session"
)

// What was set during a commit may not fit what another request has left. Then it is refused, and not forgotten.
func TestWhatDoesNotFitTheNewestStateIsRefusedAfterTheCommit(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	other := v.clone()
	resp := v.with(func(s *session.Session) {
		s.Set("x", 2)
		r.during(func() {
			r.store.hook(nil)
			other.with(func(s *session.Session) { s.Set("a", 1) })
			s.Set("a.b", 2)
			if s.Err() != nil {
				t.Errorf("before the commit is over: Err = %v", s.Err())
			}
		})
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
		if s.Err() == nil {
			t.Error("Err = nil for a.b, where a is a number by now")
		}
	})
	if resp.StatusCode == http.StatusOK {
		t.Error("the response says that all was stored")
	}
	v.with(func(s *session.Session) { wantGet(t, s, "a", int64(1)); wantGet(t, s, "x", int64(2)) })
}

// What a function does that fails is not kept, not even within a value.
func TestNothingOfAnAtomicThatFailsIsKeptWithinAValue(t *testing.T) {
	newRig(t).visitor().with(func(s *session.Session) {
		s.Set("a.b", 1)
		s.Set("a.c", 1)
		err := s.Atomic(t.Context(), func(s *session.Session) error {
			s.Set("a.b", 2)
			s.Remove("a.c")
			return errDown
		})
		if !errors.Is(err, errDown) {
			t.Errorf("Atomic = %v, want the error of the function", err)
		}
		wantGet(t, s, "a", map[string]any{"b": int64(1), "c": int64(1)})
	})
}

// A handler may have shown or logged the id that the session is about to get.
func TestTheIDToComeOutlivesACommitThatStoredNothing(t *testing.T) {
	newRig(t).visitor().with(func(s *session.Session) {
		s.Set("x", 1)
		id := s.ID()
		s.Set("y", make(chan int))
		if err := s.Save(t.Context()); err == nil || s.ID() != id {
			t.Errorf("Save = %v, and the id is %q, want an error and %q", err, s.ID(), id)
		}
		_ = s.Reload(t.Context())
	})
}
