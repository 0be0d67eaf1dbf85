package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
)

// sessionOf opens the session of a ticket as a request would.
func sessionOf(t *testing.T, r *rig, token string) *session.Session {
	t.Helper()
	s, err := r.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantCount looks at the counter that is stored.
func wantCount(t *testing.T, r *rig, token string, want int) {
	t.Helper()
	if n := counter.Or(sessionOf(t, r, token), 0); n != want {
		t.Errorf("the counter is %d, want %d", n, want)
	}
}

// conflicts makes the first saves meet a conflict.
func conflicts(r *rig, times int) {
	var mu sync.Mutex
	r.store.hook(func(call, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		if call != "save" || times == 0 {
			return nil
		}
		times--
		return session.ErrConflict
	})
}

// Atomic is not slower than a save among those who lose to other nodes, and so does not starve.
func TestAnAtomicThatLosesIsNotSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := tokenOf(t, r)
		conflicts(r, 100)
		began := time.Now()
		err := sessionOf(t, r, token).Atomic(t.Context(), func(s *session.Session) error { increment(s); return nil })
		if waited := time.Since(began); err != nil || waited > 0 {
			t.Errorf("Atomic = %v after %v, want nil at once", err, waited)
		}
		wantCount(t, r, token, 1)
	})
}

type change = func(*session.Session) error

// While one writer has its turn, no function of another one runs, neither of Atomic nor of UpdateUser or UpdateAll.
func TestAnAtomicTakesItsPlaceBehindThoseWhoWait(t *testing.T) {
	for name, second := range map[string]func(*testing.T, *rig, string, change) error{
		"Atomic": func(t *testing.T, r *rig, token string, fn change) error {
			return sessionOf(t, r, token).Atomic(t.Context(), fn)
		},
		"UpdateUser": func(t *testing.T, r *rig, _ string, fn change) error {
			_, err := r.UpdateUser(t.Context(), "ada", fn)
			return err
		},
		"UpdateAll": func(t *testing.T, r *rig, _ string, fn change) error {
			_, err := r.UpdateAll(t.Context(), fn)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				token := loggedIn(t, r)
				conflicts(r, 1)
				atHead, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error)
				runs := 0
				first := sessionOf(t, r, token)
				go func() {
					done <- first.Atomic(t.Context(), func(s *session.Session) error {
						if runs++; runs == 2 {
							close(atHead)
							<-goOn
						}
						increment(s)
						return nil
					})
				}()
				<-atHead
				others := 0
				go func() {
					done <- second(t, r, token, func(s *session.Session) error { others++; increment(s); return nil })
				}()
				synctest.Wait()
				if others != 0 {
					t.Errorf("%s ran its function during the turn of another", name)
				}
				close(goOn)
				for range 2 {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				if runs != 2 || others != 1 {
					t.Errorf("the functions ran %d and %d times, want 2 and 1", runs, others)
				}
				wantCount(t, r, token, 2)
			})
		})
	}
}

func loggedIn(t *testing.T, r *rig) string {
	t.Helper()
	s := sessionOf(t, r, "")
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Token()
}

// A function must not wait for another request of the session, which may be behind it in the queue. If it does, it is
// slow, but ends; so does the other one.
func TestAFunctionThatWaitsForAnotherRequestHoldsNobodyUpForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := tokenOf(t, r)
		conflicts(r, 1)
		runs := 0
		err := sessionOf(t, r, token).Atomic(t.Context(), func(s *session.Session) error {
			increment(s)
			if runs++; runs != 2 { // at its second run it has its turn
				return nil
			}
			done := make(chan error)
			go func() { done <- counts(t, r, token)() }()
			return <-done
		})
		if err != nil || runs != 3 {
			t.Errorf("Atomic = %v after %d runs, want nil after 3", err, runs)
		}
		wantCount(t, r, token, 2)
	})
}

// Two functions of two sessions, each of which changes the other one, end too.
func TestFunctionsThatChangeEachOthersSessionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		tokens := [2]string{tokenOf(t, r), tokenOf(t, r)}
		conflicts(r, 2)
		var both sync.WaitGroup
		var met sync.WaitGroup
		met.Add(2)
		done := make(chan error, 2)
		for i, token := range tokens {
			mine, other, runs := sessionOf(t, r, token), tokens[1-i], 0
			both.Go(func() {
				done <- mine.Atomic(t.Context(), func(s *session.Session) error {
					increment(s)
					if runs++; runs != 2 {
						return nil
					}
					met.Done()
					met.Wait() // both have their turn
					return counts(t, r, other)()
				})
			})
		}
		both.Wait()
		for range tokens {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		for _, token := range tokens {
			wantCount(t, r, token, 2)
		}
	})
}

// Who gives up while others have their turn leaves nothing behind.
func TestWhoGivesUpWaitingIsNotInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := tokenOf(t, r)
		conflicts(r, 1)
		runs, done := 0, make(chan error)
		first := sessionOf(t, r, token)
		second := sessionOf(t, r, token)
		err := first.Atomic(t.Context(), func(s *session.Session) error {
			increment(s)
			if runs++; runs != 2 {
				return nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				done <- second.Atomic(ctx, func(s *session.Session) error { increment(s); return nil })
			}()
			synctest.Wait()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Atomic that was given up = %v, want that its context has ended", err)
			}
			return nil
		})
		if err != nil || runs != 2 {
			t.Errorf("Atomic = %v after %d runs, want nil after 2", err, runs)
		}
		wantCount(t, r, token, 1)
		if err := counts(t, r, token)(); err != nil {
			t.Error(err)
		}
	})
}

// A function that panics at the head of the queue gives up its turn.
func TestAPanicGivesUpTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		token := tokenOf(t, r)
		conflicts(r, 1)
		runs := 0
		func() {
			defer func() { _ = recover() }()
			_ = sessionOf(t, r, token).Atomic(t.Context(), func(s *session.Session) error {
				if runs++; runs == 2 {
					panic("on purpose")
				}
				increment(s)
				return nil
			})
		}()
		began := time.Now()
		if err := counts(t, r, token)(); err != nil || time.Since(began) > 0 {
			t.Errorf("Save = %v after %v, want nil at once", err, time.Since(began))
		}
		wantCount(t, r, token, 1)
	})
}
