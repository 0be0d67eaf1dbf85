package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// during runs fn once, while the store is asked to save.
func (r *rig) during(fn func()) {
	var once sync.Once
	r.store.hook(func(call, _ string) error {
		if call == "save" {
			once.Do(fn)
		}
		return nil
	})
}

func TestWhatIsSetDuringASaveIsNotHiddenByTheFlashThatItConsumed(t *testing.T) {
	for name, commit := range map[string]func(*session.Session) error{
		"Save": func(s *session.Session) error { return s.Save(t.Context()) },
		"Atomic": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(s *session.Session) error { s.Set("x", 1); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Flash("n", 1); s.Flash("f", map[string]any{"a": 1, "b": 2}) })
			v.with(func(s *session.Session) {
				r.during(func() {
					s.Set("n", 100)
					increment(s)
					s.Set("f.a", 10)
				})
				if err := commit(s); err != nil {
					t.Fatal(err)
				}
				wantGet(t, s, "n", int64(101))
				wantGet(t, s, "f", map[string]any{"a": int64(10), "b": int64(2)})
				increment(s)
			})
			v.with(func(s *session.Session) {
				wantGet(t, s, "n", int64(102))
				wantGet(t, s, "f", map[string]any{"a": int64(10)})
			})
		})
	}
}

func TestWhatNowSetsDuringACommitIsSeen(t *testing.T) {
	for name, commit := range map[string]func(*session.Session) error{
		"Save": func(s *session.Session) error { s.Set("x", 1); return s.Save(t.Context()) },
		"Atomic": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(s *session.Session) error {
				s.Set("x", 1)
				s.Now("inside", 2)
				s.Now("both", 2)
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("y", 1) })
			v.with(func(s *session.Session) {
				s.Now("before", 1)
				s.Now("gone", 1)
				r.during(func() {
					s.Now("meanwhile", 3)
					s.Now("both", 3)
					s.Set("gone", 4)
					s.Now("later.x", 5)
				})
				if err := commit(s); err != nil {
					t.Fatal(err)
				}
				wantGet(t, s, "before", int64(1))
				wantGet(t, s, "meanwhile", int64(3))
				wantGet(t, s, "both", int64(3))
				wantGet(t, s, "gone", int64(4))
				wantGet(t, s, "later.x", int64(5))
				if name == "Atomic" {
					wantGet(t, s, "inside", int64(2))
				}
			})
			v.with(func(s *session.Session) { wantGet(t, s, "meanwhile", nil); wantGet(t, s, "gone", int64(4)) })
		})
	}
}

func TestAValueIsPoppedByOneGoroutineOnly(t *testing.T) {
	const token = session.Key[string]("in.typed")
	v := newRig(t).visitor()
	v.with(func(s *session.Session) {
		for range 300 {
			s.Set("in.untyped", "once")
			token.Set(s, "once")
			var mu sync.Mutex
			untyped, typed := 0, 0
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					a, b := s.Pop("in.untyped"), false
					_, b = token.Pop(s)
					mu.Lock()
					defer mu.Unlock()
					if a != nil {
						untyped++
					}
					if b {
						typed++
					}
				})
			}
			if wg.Wait(); untyped != 1 || typed != 1 {
				t.Fatalf("Session.Pop returned it %d times, Key.Pop %d times, want once each", untyped, typed)
			}
		}
	})
}

// hookCodec is JSON that calls a function once, while a value is decoded and nobody has a lock.
type hookCodec struct{ hook *func() }

func (hookCodec) Marshal(v any) ([]byte, error) { return json.Marshal(v) }

func (c hookCodec) Unmarshal(data []byte, v any) error {
	if fn := *c.hook; fn != nil {
		*c.hook = nil
		fn()
	}
	return json.Unmarshal(data, v)
}

func TestAValueIsGoneAsSoonAsItIsPopped(t *testing.T) {
	const token = session.Key[string]("token")
	for name, pop := range map[string]func(*session.Session) any{
		"Session.Pop": func(s *session.Session) any { return s.Pop("token") },
		"Key.Pop": func(s *session.Session) any {
			if v, ok := token.Pop(s); ok {
				return v
			}
			return nil
		},
	} {
		var hook func()
		v := newRig(t, with(hookCodec{&hook})).visitor()
		v.with(func(s *session.Session) { token.Set(s, "once") })
		v.with(func(s *session.Session) {
			var second any
			hook = func() { second = pop(s) }
			if first := pop(s); first != "once" || second != nil {
				t.Errorf("%s = %v, and meanwhile %v, want once and nothing", name, first, second)
			}
		})
	}
}

// What cannot be removed any more is not handed out, or it would come again.
func TestPopReturnsNothingWhenItIsTooLate(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v := (&rig{Manager: m, t: t}).visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		w.WriteHeader(http.StatusOK)
		if got := s.Pop("x"); got != nil || s.Err() == nil {
			t.Errorf("Pop = %v, Err = %v, want nothing and an error", got, s.Err())
		}
	})
}

// Now hides a value from readers, and never becomes part of a counter: with a conflict and without.
func TestUpdateWorksOnWhatIsStoredAndNotOnWhatNowSet(t *testing.T) {
	for _, conflict := range []bool{false, true} {
		t.Run(fmt.Sprintf("conflict %v", conflict), func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("n", 10); s.Set("x", 0) })
			other := v.clone()
			v.with(func(s *session.Session) {
				s.Now("n", 100)
				increment(s)
				wantGet(t, s, "n", int64(11))
				if conflict {
					other.with(func(s *session.Session) { s.Set("x", 1) })
				}
			})
			v.with(func(s *session.Session) { wantGet(t, s, "n", int64(11)) })
		})
	}
}

// The first byte of the response waits for a commit that another goroutine of the handler has begun, for its ticket is
// to go out.
func TestTheFirstByteWaitsForACommitInAnotherGoroutine(t *testing.T) {
	for name, do := range map[string]func(*session.Session) error{
		"Atomic Regenerate": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(s *session.Session) error { s.Regenerate(); return nil })
		},
		"Atomic Login": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(s *session.Session) error { s.Login("ada"); return nil })
		},
		"Atomic Set": func(s *session.Session) error {
			return s.Atomic(t.Context(), func(s *session.Session) error { s.Set("cart", 1); return nil })
		},
		"Save": func(s *session.Session) error { s.Regenerate(); s.Set("cart", 1); return s.Save(t.Context()) },
	} {
		for _, stored := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/stored %v", name, stored), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t)
					v := r.visitor()
					if stored {
						v.with(func(s *session.Session) { s.Set("cart", 1) })
					}
					var err error
					resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
						inSave, goOn := make(chan bool), make(chan bool)
						r.during(func() { close(inSave); <-goOn })
						var wg sync.WaitGroup
						wg.Go(func() { err = do(s) })
						if name == "Atomic Regenerate" && !stored {
							wg.Wait() // there is nothing to save
							return
						}
						<-inSave
						wg.Go(func() { synctest.Wait(); close(goOn) })
						_, _ = w.Write([]byte("hello"))
						wg.Wait()
					})
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Fatalf("err %v, status %d", err, resp.StatusCode)
					}
					v.with(func(s *session.Session) {
						if want := stored || name != "Atomic Regenerate"; want == s.IsNew() {
							t.Errorf("IsNew = %v: the ticket was not sent", s.IsNew())
						}
					})
				})
			})
		}
	}
}

// A response that cannot wait any longer is a failure; the commit then makes no new id, for nobody could be told of it.
func TestACommitThatTheResponseDidNotWaitForMakesNoNewID(t *testing.T) {
	for name, do := range map[string]func(*session.Session){"Regenerate": (*session.Session).Regenerate,
		"Login": func(s *session.Session) { s.Login("ada") }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				v := r.visitor()
				v.with(func(s *session.Session) { s.Set("cart", 1) })
				var err error
				resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
					inSave, goOn := make(chan bool), make(chan bool)
					r.during(func() { close(inSave); <-goOn })
					var wg sync.WaitGroup
					wg.Go(func() { err = s.Atomic(t.Context(), func(s *session.Session) error { do(s); return nil }) })
					<-inSave
					_, _ = w.Write([]byte("hello"))
					close(goOn)
					wg.Wait()
				})
				if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("Atomic = %v, status %d, want an error and 503", err, resp.StatusCode)
				}
				v.with(func(s *session.Session) { wantGet(t, s, "cart", int64(1)) })
				n := 0
				for range r.All(t.Context()) {
					n++
				}
				if n != 1 {
					t.Errorf("%d sessions, want 1", n)
				}
			})
		})
	}
}

// A handler may answer from within Atomic. What is too late then is refused.
func TestAnAnswerFromWithinAtomicIsSent(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("cart", 1) })
	resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		err := s.Atomic(t.Context(), func(s *session.Session) error {
			s.Set("cart", 2)
			w.WriteHeader(http.StatusTeapot)
			return nil
		})
		if err != nil {
			t.Errorf("Atomic = %v", err)
		}
		err = s.Atomic(t.Context(), func(s *session.Session) error { s.Regenerate(); return nil })
		if s.Err() != nil || err == nil {
			t.Errorf("a Regenerate that is too late: Atomic = %v, Err = %v", err, s.Err())
		}
	})
	if resp.StatusCode != http.StatusTeapot {
		t.Errorf("status %d, want 418", resp.StatusCode)
	}
	v.with(func(s *session.Session) { wantGet(t, s, "cart", int64(2)) })
	v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		err := s.Atomic(t.Context(), func(s *session.Session) error {
			s.Regenerate()
			w.WriteHeader(http.StatusOK)
			return nil
		})
		if err == nil {
			t.Error("the new id of an answer that is out already is not refused")
		}
	})
	v.with(func(s *session.Session) { wantGet(t, s, "cart", int64(2)) })
}

var commits = map[string]func(*session.Session) error{
	"Save":   func(s *session.Session) error { return s.Save(context.Background()) },
	"Reload": func(s *session.Session) error { return s.Reload(context.Background()) },
	"Atomic": func(s *session.Session) error {
		return s.Atomic(context.Background(), func(*session.Session) error { return nil })
	},
}

func TestAnOptionOfLoginThatCommitsOrChangesTheIdentityIsRefused(t *testing.T) {
	for name, do := range commits {
		t.Run(name, func(t *testing.T) {
			v := newRig(t).visitor()
			v.with(func(s *session.Session) {
				s.Login("ada", func(s *session.Session) {
					s.Set("x", 1)
					if err := do(s); err == nil {
						t.Errorf("%s in an option gives no error", name)
					}
				})
				if s.Err() != nil || s.Get("x") != int64(1) {
					t.Errorf("Err = %v, x = %v", s.Err(), s.Get("x"))
				}
			})
			v.with(func(s *session.Session) {
				if s.User() != "ada" || s.Get("x") != int64(1) {
					t.Errorf("user %q, x %v", s.User(), s.Get("x"))
				}
			})
		})
	}
	for name, do := range map[string]func(*session.Session){
		"Login": func(s *session.Session) { s.Login("bob") }, "Regenerate": (*session.Session).Regenerate,
		"Logout": (*session.Session).Logout, "Invalidate": (*session.Session).Invalidate,
	} {
		t.Run(name, func(t *testing.T) {
			v := newRig(t).visitor()
			resp := v.with(func(s *session.Session) {
				if s.Login("ada", do); s.Err() == nil {
					t.Errorf("%s in an option sets no Err", name)
				}
			})
			if resp.StatusCode != http.StatusInternalServerError {
				t.Errorf("status %d, want 500", resp.StatusCode)
			}
		})
	}
}

// What an option does is seen, and so is what others do meanwhile.
func TestAnOptionOfLoginDoesWhatASessionDoes(t *testing.T) {
	v := newRig(t).visitor()
	v.with(func(s *session.Session) {
		var id string
		s.Now("hidden", 1)
		s.Login("ada", func(in *session.Session) {
			s.Set("outside", 1)
			in.Set("in", 1)
			in.Flash("flash", 1)
			in.Now("now", 1)
			in.Set("hidden", 2)
			in.SetPersistent(true)
			increment(in)
			id = in.ID()
		})
		for _, path := range []string{"outside", "in", "flash", "now", "n"} {
			wantGet(t, s, path, int64(1))
		}
		wantGet(t, s, "hidden", int64(2))
		if s.ID() != id || s.Err() != nil {
			t.Errorf("the option saw id %q, the session has %q; Err = %v", id, s.ID(), s.Err())
		}
	})
	v.with(func(s *session.Session) {
		wantGet(t, s, "flash", int64(1))
		wantGet(t, s, "outside", int64(1))
		wantGet(t, s, "n", int64(1))
	})
}

func TestAFunctionOfAtomicThatCommitsIsRefused(t *testing.T) {
	for name, do := range commits {
		v := newRig(t).visitor()
		v.with(func(s *session.Session) {
			err := s.Atomic(t.Context(), func(s *session.Session) error { s.Set("x", 1); return do(s) })
			if err == nil || s.Has("x") {
				t.Errorf("%s within Atomic: %v, x is there: %v", name, err, s.Has("x"))
			}
		})
	}
}

// A function that commits the session that it has from outside is told so, and waits no longer than for a store.
func TestAFunctionThatCommitsTheSessionAroundItDoesNotHang(t *testing.T) {
	for name, do := range commits {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				v := r.visitor()
				v.with(func(s *session.Session) { s.Set("n", 1) })
				v.with(func(s *session.Session) {
					inner := func() {
						if err := do(s); !errors.Is(err, session.ErrUnavailable) {
							t.Errorf("%s = %v, want ErrUnavailable", name, err)
						}
					}
					s.Login("ada", func(*session.Session) { inner() })
					save(t, s)
					if err := s.Atomic(context.Background(),
						func(*session.Session) error { inner(); return nil }); err != nil {
						t.Error(err)
					}
				})
				other := v.clone()
				resp := v.with(func(s *session.Session) {
					runs := 0
					counter.Update(s, func(n int) int {
						if runs++; runs > 1 {
							if err := do(s); !errors.Is(err, session.ErrUnavailable) {
								t.Errorf("%s in Update = %v, want ErrUnavailable", name, err)
							}
						}
						return n + 1
					})
					if resp := other.with(increment); resp.StatusCode != http.StatusOK {
						t.Errorf("the other request: status %d", resp.StatusCode)
					}
					save(t, s) // without the deadline that the last commit of a request has
				})
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status %d, want 200", resp.StatusCode)
				}
				v.with(func(s *session.Session) { wantGet(t, s, "n", int64(3)) })
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		v := newRig(t).visitor()
		v.with(func(s *session.Session) { s.Set("n", 1) })
		v.with(func(s *session.Session) {
			_ = s.Atomic(context.Background(), func(*session.Session) error { s.Logout(); return nil })
			if !errors.Is(s.Err(), session.ErrUnavailable) {
				t.Errorf("Logout of the session around Atomic: Err = %v, want ErrUnavailable", s.Err())
			}
		})
	})
}
