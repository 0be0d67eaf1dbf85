package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/coatcheck/session"
)

const counter = session.Key[int]("n")

func increment(s *session.Session) { counter.Update(s, func(n int) int { return n + 1 }) }

// open gives the session of the visitor without HTTP, so that a test can hold it.
func (v *visitor) open() *session.Session {
	v.t.Helper()
	s, err := v.m.Open(context.Background(), v.ticket())
	if err != nil {
		v.t.Fatal(err)
	}
	return s
}

func TestAtomicRunsAgainOnTheNewestState(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("stock", 3) })
	s, runs := v.open(), 0
	s.Set("mine", "unsaved")
	err := s.Atomic(context.Background(), func(s *session.Session) error {
		if runs++; runs <= 2 {
			v.with(func(s *session.Session) { s.Set("stock", 3-runs) })
		}
		if s.Get("mine") != "unsaved" {
			t.Error("the unsaved change is not there")
		}
		s.Set("sold", s.Get("stock"))
		return nil
	})
	if err != nil || runs != 3 {
		t.Errorf("Atomic = %v after %d runs, want nil after 3", err, runs)
	}
	v.with(func(s *session.Session) {
		if s.Get("sold") != int64(1) || s.Get("mine") != "unsaved" || s.Get("stock") != int64(1) {
			t.Errorf("stored: %v, want sold 1, mine unsaved, stock 1", s.All())
		}
	})
	if s.Get("sold") != int64(1) {
		t.Errorf("the session itself has sold = %v", s.Get("sold"))
	}
	if n := r.ev.count(session.EventConflict); n != 2 {
		t.Errorf("%d events conflict, want 2", n)
	}
}

// The newest state also when nothing conflicts: somebody committed since the session was loaded.
func TestAtomicSeesWhatOthersCommittedBefore(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	s := v.open()
	v.with(func(s *session.Session) { s.Set("x", 2) })
	err := s.Atomic(context.Background(), func(s *session.Session) error {
		if s.Get("x") != int64(2) {
			t.Errorf("x = %v, want the newest 2", s.Get("x"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnErrorOfAtomicKeepsTheEarlierChangesOnly(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	refused := errors.New("no")
	resp := v.with(func(s *session.Session) {
		s.Set("before", true)
		err := s.Atomic(context.Background(), func(s *session.Session) error {
			s.Set("inside", true)
			s.Remove("x")
			s.Login("mallory")
			s.Set("a..b", 1) // refused, and nothing to do with what stays
			return refused
		})
		if !errors.Is(err, refused) {
			t.Errorf("Atomic = %v, want what fn returned", err)
		}
		if s.Has("inside") || !s.Has("x") || s.User() != "" || s.Err() != nil {
			t.Errorf("kept: %v, user %q, Err %v", s.All(), s.User(), s.Err())
		}
	})
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		if s.Get("before") != true || s.Has("inside") || s.Get("x") != int64(1) || s.User() != "" {
			t.Errorf("stored: %v, user %q", s.All(), s.User())
		}
	})
}

func TestAtomicDoesIdentityToo(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*session.Session)
		user string
		x    any
	}{
		"login":            {func(s *session.Session) { s.Login("ada") }, "ada", int64(1)},
		"login as another": {func(s *session.Session) { s.Login("ada"); s.Login("bob") }, "bob", nil},
		"regenerate":       {(*session.Session).Regenerate, "", int64(1)},
		"logout":           {(*session.Session).Logout, "", nil},
		"logout and set":   {func(s *session.Session) { s.Logout(); s.Set("x", 7) }, "", int64(7)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			old := v.clone()
			v.with(func(s *session.Session) {
				if err := s.Atomic(context.Background(),
					func(s *session.Session) error { c.do(s); return nil }); err != nil {
					t.Error(err)
				}
				if s.User() != c.user || s.Get("x") != c.x {
					t.Errorf("after Atomic: user %q, x %v, want %q, %v", s.User(), s.Get("x"), c.user, c.x)
				}
			})
			v.with(func(s *session.Session) {
				if s.User() != c.user || s.Get("x") != c.x {
					t.Errorf("next request: user %q, x %v, want %q, %v", s.User(), s.Get("x"), c.user, c.x)
				}
			})
			old.with(func(s *session.Session) {
				if !s.IsNew() || s.Has("x") {
					t.Error("the old ticket opens something")
				}
			})
		})
	}
}

func TestALoginInAtomicThatMeetsAConflictMovesTheNewestState(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	other, runs := v.clone(), 0
	v.with(func(s *session.Session) {
		err := s.Atomic(context.Background(), func(s *session.Session) error {
			if runs++; runs == 1 {
				other.with(func(s *session.Session) { s.Set("cart", "full") })
			}
			s.Login("ada")
			return nil
		})
		if err != nil || runs != 2 {
			t.Errorf("Atomic = %v after %d runs, want nil after 2", err, runs)
		}
	})
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != "full" || s.Get("x") != int64(1) {
			t.Errorf("user %q, data %v", s.User(), s.All())
		}
	})
	if infos, _ := r.Sessions(context.Background(), "ada"); len(infos) != 1 {
		t.Errorf("%d sessions of ada, want 1", len(infos))
	}
}

func TestAtomicOnASessionThatIsGoneOrNew(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	if err := v.open().Atomic(context.Background(),
		func(s *session.Session) error { s.Get("x"); return nil }); err != nil || r.store.total() != 0 {
		t.Errorf("a new one that stays empty: %v, %d calls", err, r.store.total())
	}
	s := v.open()
	if err := s.Atomic(context.Background(), func(s *session.Session) error { increment(s); return nil }); err != nil ||
		s.Token() == "" {
		t.Errorf("a new one: %v, token %v", err, s.Token() != "")
	}
	v.with(func(s *session.Session) { s.Set("x", 1) })
	s = v.open()
	v.with((*session.Session).Logout)
	err := s.Atomic(context.Background(), func(*session.Session) error {
		t.Error("fn runs on a session that is gone")
		return nil
	})
	if !errors.Is(err, session.ErrEnded) {
		t.Errorf("Atomic = %v, want ErrEnded", err)
	}
}

// A store that lost the answer to its own create, and tried again, finds its record in the way.
func TestAtomicSurvivesAConflictOfAFirstSave(t *testing.T) {
	r := newRig(t)
	r.store.hook(func(c, _ string) error {
		if c == "save" {
			return session.ErrConflict
		}
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	runs := 0
	err := r.visitor().open().Atomic(ctx, func(s *session.Session) error {
		if runs++; runs == 5 {
			cancel() // whether it gives up at once or goes on is its own choice
		}
		s.Set("x", 1)
		return nil
	})
	if !errors.Is(err, session.ErrConflict) && !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("Atomic = %v, want ErrConflict or ErrUnavailable", err)
	}
}

// The functions of the application may panic, and somebody above may recover: the session must not stay locked.
func TestAPanicInACallbackLeavesTheSessionUsable(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	recovering := func(fn func()) {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not get through")
			}
		}()
		fn()
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		v.with(func(s *session.Session) {
			recovering(func() {
				s.Atomic(context.Background(), func(s *session.Session) error { s.Set("half", 1); panic("in Atomic") })
			})
			s.Set("x", 2)
		})
		s, runs := v.open(), 0
		counter.Update(s, func(n int) int {
			if runs++; runs == 2 {
				panic("in a replay")
			}
			return n + 1
		})
		v.with(func(s *session.Session) { s.Set("other", 1) })
		recovering(func() { s.Save(context.Background()) })
		if err := s.Save(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	waitFor(t, finished, "the session stays locked after a panic")
	v.with(func(s *session.Session) {
		if s.Get("x") != int64(2) || s.Has("half") || s.Get("n") != int64(1) {
			t.Errorf("stored: %v, want x 2 and n 1", s.All())
		}
	})
}

func TestSaveStoresOnceAndReloadForgets(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	ctx := context.Background()
	v.with(func(s *session.Session) {
		if err := s.Save(ctx); err != nil || r.store.total() != 0 {
			t.Errorf("Save of nothing: %v, %d calls", err, r.store.total())
		}
		s.Set("x", 1)
		for range 3 {
			if err := s.Save(ctx); err != nil {
				t.Error(err)
			}
		}
		if r.store.total() != 1 {
			t.Errorf("%d calls, want 1", r.store.total())
		}
		s.Set("x", 2)
		s.Set("a..b", 1)
		if s.Err() == nil || s.Save(ctx) == nil {
			t.Error("a refused operation is saved")
		}
		if err := s.Reload(ctx); err != nil || s.Err() != nil || s.Get("x") != int64(1) {
			t.Errorf("Reload = %v, Err %v, x %v", err, s.Err(), s.Get("x"))
		}
		s.Set("y", 1)
	})
	v.with(func(s *session.Session) {
		if s.Get("x") != int64(1) || s.Get("y") != int64(1) {
			t.Errorf("stored: %v", s.All())
		}
	})
}

// After Reload the session is what it was when it was loaded: it has its ticket, and its flash data go with this
// request.
func TestReloadUndoesEachChangeOfIdentity(t *testing.T) {
	for name, change := range map[string]func(*session.Session){
		"logout":           (*session.Session).Logout,
		"invalidate":       (*session.Session).Invalidate,
		"login as another": func(s *session.Session) { s.Login("bob") },
		"login again":      func(s *session.Session) { s.Login("ada") },
		"regenerate":       (*session.Session).Regenerate,
		"logout and set":   func(s *session.Session) { s.Logout(); s.Set("z", 1) },
	} {
		for _, persistent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/persistent=%v", name, persistent), func(t *testing.T) {
				r := newRig(t, func(o *session.Options) { o.Cookie.Persistent = persistent })
				v := r.visitor()
				v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1); s.Flash("f", 1) })
				ticket := v.ticket()
				r.clock.advance(30 * 1e9)
				v.with(func(s *session.Session) {
					id, token := s.ID(), s.Token()
					change(s)
					if err := s.Reload(context.Background()); err != nil {
						t.Error(err)
					}
					if s.ID() != id || s.Token() != token || s.User() != "ada" || s.Get("x") != int64(1) {
						t.Errorf("after Reload: id kept %v, token kept %v, user %q, x %v", s.ID() == id,
							s.Token() == token, s.User(), s.Get("x"))
					}
					s.Set("y", 1)
				})
				if v.ticket() != ticket {
					t.Error("the client has another ticket")
				}
				v.with(func(s *session.Session) {
					if s.User() != "ada" || s.Get("y") != int64(1) || s.Has("f") {
						t.Errorf("next request: user %q, data %v", s.User(), s.All())
					}
				})
			})
		}
	}
}

func TestReloadOfASessionThatIsGone(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	s := v.open()
	v.with((*session.Session).Logout)
	if err := s.Reload(context.Background()); !errors.Is(err, session.ErrEnded) {
		t.Errorf("Reload = %v, want ErrEnded", err)
	}
	if s.ID() != "" || s.Token() != "" {
		t.Error("a session that is gone has an id")
	}
	r.store.hook(func(string, string) error { return errDown })
	s = v.open()
	if err := s.Reload(context.Background()); err != nil {
		t.Errorf("Reload of nothing = %v", err)
	}
}

// The session that a Login begins because the old one has gone is new in everything: what it flashes is for the next
// request.
func TestAFlashOfALoginThatBeganAfreshSurvivesAReload(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for range 3 {
		v.with(func(s *session.Session) { s.Flash("old", 1); s.Login("ada") })
	}
	s := v.open()
	if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	s.Flash("f", "ok")
	for _, do := range []func(context.Context) error{s.Save, s.Reload} {
		if err := do(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.Set("x", 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	next, err := r.Open(t.Context(), s.Token())
	if err != nil {
		t.Fatal(err)
	}
	wantGet(t, next, "f", "ok")
}

// A handler that is told by Reload that the session has ended answers as it likes: nothing of the session is left to
// fail.
func TestAfterReloadOfAnEndedSessionTheHandlerAnswers(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	ticket := v.ticket()
	resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		s.Set("y", 1)
		s.Set("", 1)
		s.Now("z", 1)
		if err := s.Reload(t.Context()); !errors.Is(err, session.ErrEnded) {
			t.Errorf("Reload = %v, want ErrEnded", err)
		}
		if s.User() != "" || len(s.All()) != 0 || s.Err() != nil || s.ID() != "" {
			t.Errorf("user %q, data %v, Err %v, id %q are left", s.User(), s.All(), s.Err(), s.ID())
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	if resp.StatusCode != http.StatusUnauthorized || v.ticket() != ticket {
		t.Errorf("status %d, ticket kept %v, want the handler's answer", resp.StatusCode, v.ticket() == ticket)
	}
}

// What Atomic found out, or could not undo, counts for the response when its error does not.
func TestAnAtomicThatFailsKeepsTheEndOfASession(t *testing.T) {
	t.Run("ended by another, and opened by an alias", func(t *testing.T) {
		r := newRig(t, renewing)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		old := v.clone()
		r.clock.advance(2 * renewEvery)
		v.with(func(*session.Session) {})
		resp := old.with(func(s *session.Session) {
			if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
			if err := s.Atomic(t.Context(), func(s *session.Session) error { s.Set("x", 1); return nil }); !errors.Is(
				err, session.ErrEnded) {
				t.Errorf("Atomic = %v, want ErrEnded", err)
			}
		})
		if resp.Header["Set-Cookie"] != nil {
			t.Error("the response sets a ticket of a session that is gone")
		}
	})
	logouts := map[string]func(*session.Session) func(*session.Session) error{
		"logged out before": func(s *session.Session) func(*session.Session) error {
			s.Logout()
			return func(s *session.Session) error { s.Set("", 1); return nil }
		},
		"logged out by it": func(*session.Session) func(*session.Session) error {
			return func(s *session.Session) error { s.Logout(); s.Set("", 1); return nil }
		},
	}
	for name, logout := range logouts {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada") })
			v.with(func(s *session.Session) {
				if err := s.Atomic(t.Context(), logout(s)); err == nil {
					t.Error("an empty path is no error")
				}
			})
			if v.ticket() != "" {
				t.Error("the response that ended the session does not delete the cookie")
			}
		})
	}
}

// Many goroutines of one request share its session.
func TestOneSessionIsUsedFromManyGoroutines(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	const workers, rounds = 16, 20
	resp := v.with(func(s *session.Session) {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := range rounds {
					increment(s)
					s.Append("list", i)
					s.Set(fmt.Sprintf("w%d", w), i)
					s.Flash("flash", i)
					s.Now("now", i)
					s.All()
					s.ID()
					s.Token()
					s.ExpiresAt()
					switch i % 5 {
					case 0:
						if err := s.Save(context.Background()); err != nil {
							t.Error(err)
						}
					case 1:
						s.Regenerate()
					case 2:
						if err := s.Atomic(context.Background(),
							func(s *session.Session) error { increment(s); return nil }); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
	})
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		if n, want := counter.Or(s, 0), workers*(rounds+rounds/5); n != want {
			t.Errorf("n = %d, want %d", n, want)
		}
		if list, _ := s.Get("list").([]any); len(list) != workers*rounds {
			t.Errorf("list has %d elements, want %d", len(list), workers*rounds)
		}
	})
}

// What a goroutine does while another one's commit waits for the store is part of the next commit, and the id that it
// is told stays true.
func TestAChangeDuringACommitIsKept(t *testing.T) {
	r := newRig(t)
	s, g := r.visitor().open(), newGate()
	s.Set("x", 1)
	r.store.hook(func(string, string) error { g.wait(); return nil })
	saved := make(chan error)
	go func() { saved <- s.Save(context.Background()) }()
	<-g.reached
	s.Set("y", 2)
	s.Now("n", 3)
	id := s.ID()
	r.store.hook(nil)
	close(g.open)
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	if s.ID() != id {
		t.Error("the id that was told during the first save is not the session's")
	}
	if s.Get("n") != int64(3) {
		t.Error("the value of this request is lost")
	}
	if err := s.Save(context.Background()); err != nil {
		t.Fatal(err)
	}
	again, err := r.Open(context.Background(), s.Token())
	if err != nil || again.Get("x") != int64(1) || again.Get("y") != int64(2) {
		t.Errorf("stored: %v, %v", again.All(), err)
	}
}
