package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

// counts opens the session of a ticket as a request would, and returns what saves one more.
func counts(t *testing.T, r *rig, token string) func() error {
	t.Helper()
	s, err := r.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	increment(s)
	return func() error { return s.Save(t.Context()) }
}

func tokenOf(t *testing.T, r *rig) string {
	t.Helper()
	s, err := r.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Set("n", 0)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Token()
}

// A writer that has met conflicts with other nodes tries again at once. If it waited, and longer each time, those who
// come later would be faster, and it would find no turn before it is given up.
func TestAWriterThatLosesIsNotSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		save := counts(t, r, tokenOf(t, r))
		lost := 0
		r.store.hook(func(call, _ string) error {
			if call == "save" && lost < 100 {
				lost++
				return session.ErrConflict
			}
			return nil
		})
		began := time.Now()
		if err := save(); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited > 0 || lost != 100 {
			t.Errorf("after %d conflicts it had waited for %v, want no time", lost, waited)
		}
	})
}

// Who comes later does not overtake those who wait.
func TestAWriterTakesItsPlaceBehindThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := tokenOf(t, r)
		first, second := counts(t, r, token), counts(t, r, token)
		saves, goOn := 0, make(chan struct{})
		r.store.hook(func(call, _ string) error {
			if call != "save" {
				return nil
			}
			saves++
			switch saves {
			case 1:
				return session.ErrConflict
			case 2:
				<-goOn
			}
			return nil
		})
		done := make(chan error)
		go func() { done <- first() }()
		synctest.Wait()
		go func() { done <- second() }()
		synctest.Wait()
		if saves != 2 {
			t.Errorf("%d saves were tried while the first writer was at its second, want no other", saves)
		}
		close(goOn)
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		s, err := r.Open(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		wantGet(t, s, "n", int64(2))
	})
}
