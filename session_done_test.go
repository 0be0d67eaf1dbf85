package session_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// bubbled makes the clock of the rig the one of the bubble.
func bubbled(o *session.Options) { o.Now = time.Now }

// streaming is a session of the visitor that is in use until the test is over.
func streaming(t *testing.T, v *visitor) *session.Session {
	t.Helper()
	s, err := v.m.Open(t.Context(), v.ticket())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var endings = map[string]func(r *rig, v *visitor, id string){
	"logout":           func(_ *rig, v *visitor, _ string) { v.with((*session.Session).Logout) },
	"invalidate":       func(_ *rig, v *visitor, _ string) { v.with((*session.Session).Invalidate) },
	"login as another": func(_ *rig, v *visitor, _ string) { v.with(func(s *session.Session) { s.Login("bob") }) },
	"revoke":           func(r *rig, _ *visitor, id string) { r.Revoke(context.Background(), id) },
	"revoke for":       func(r *rig, _ *visitor, id string) { r.RevokeFor(context.Background(), "operator", id) },
	"revoke user for":  func(r *rig, _ *visitor, _ string) { r.RevokeUserFor(context.Background(), "password", "ada") },
	"revoke user":      func(r *rig, _ *visitor, _ string) { r.RevokeUser(context.Background(), "ada") },
}

func TestDoneIsClosedAtOnceWhenTheSessionEndsHere(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, bubbled)
				v := r.visitor()
				v.with(func(s *session.Session) { s.Login("ada") })
				s := streaming(t, v)
				done := s.Done()
				other := r.visitor()
				other.with(func(s *session.Session) { s.Login("bert") })
				stays := streaming(t, other).Done()
				if isClosed(done) {
					t.Fatal("closed while the session lives")
				}
				began := time.Now()
				end(r, v, s.ID())
				if !isClosed(done) || time.Since(began) != 0 {
					t.Error("not closed at once")
				}
				time.Sleep(time.Minute)
				if isClosed(stays) {
					t.Error("another session is told that it ended")
				}
			})
		})
	}
}

func TestDoneIsClosedWithinFiveSecondsWhenTheSessionEndsElsewhere(t *testing.T) {
	for name, end := range endings {
		for renewals := range 4 {
			t.Run(fmt.Sprintf("%s after %d renewals", name, renewals), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, bubbled)
					node := r.node(bubbled, func(o *session.Options) { o.RenewEvery = time.Millisecond })
					v := r.visitor()
					v.with(func(s *session.Session) { s.Login("ada") })
					s := streaming(t, v)
					done := s.Done()
					time.Sleep(time.Second)
					there := v.on(node.Manager)
					for range renewals {
						time.Sleep(time.Millisecond)
						there.with(func(*session.Session) {})
					}
					began := time.Now()
					// The node that ends it renews nothing any more.
					end(node, v.on(r.node(bubbled).Manager), s.ID())
					<-done
					if took := time.Since(began); took > 5*time.Second {
						t.Errorf("closed after %v, want at most 5 s", took)
					}
				})
			})
		}
	}
}

func TestDoneFollowsRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled, func(o *session.Options) { o.RenewEvery = time.Hour })
		node := r.node(bubbled, func(o *session.Options) { o.RenewEvery = time.Hour })
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		done := streaming(t, v).Done()
		for i := range 6 {
			time.Sleep(2 * time.Hour)
			before := v.ticket()
			v.on([]*session.Manager{r.Manager, node.Manager}[i%2]).with(func(*session.Session) {})
			if v.ticket() == before {
				t.Fatal("not renewed")
			}
			time.Sleep(time.Minute)
			if isClosed(done) {
				t.Fatalf("closed by renewal %d", i)
			}
		}
		v.with((*session.Session).Logout)
		if !isClosed(done) {
			t.Error("the end after renewals is not told at once")
		}
	})
}

// The watcher knows the session by the id it had before another node renewed it.
func TestARevocationByAnOldIDIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		node := r.node(bubbled, func(o *session.Options) { o.RenewEvery = time.Hour })
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		time.Sleep(2 * time.Hour)
		s := streaming(t, v)
		done, id := s.Done(), s.ID()
		v.on(node.Manager).with(func(*session.Session) {})
		if n, err := r.Revoke(context.Background(), id); n != 1 || err != nil {
			t.Fatalf("Revoke = %d, %v, want 1", n, err)
		}
		if !isClosed(done) {
			t.Error("not closed at once")
		}
	})
}

func TestDoneIsClosedWhenTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		v := r.visitor()
		v.with(func(s *session.Session) { s.SetIdleTimeout(10 * time.Minute); s.Set("x", 1) })
		began, done := time.Now(), streaming(t, v).Done()
		<-done
		if took := time.Since(began); took < 10*time.Minute || took > 10*time.Minute+5*time.Second {
			t.Errorf("closed after %v, want 10 min and at most 5 s", took)
		}
	})
}

func TestAnOutageClosesNobodysDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		done := streaming(t, v).Done()
		r.store.hook(func(string, string) error { return errDown })
		time.Sleep(time.Hour)
		if isClosed(done) {
			t.Error("closed by an outage")
		}
		r.store.hook(nil)
		time.Sleep(time.Minute)
		if isClosed(done) {
			t.Error("closed after the outage")
		}
	})
}

func TestDoneOfASessionThatIsStoredLaterOrGoneAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled)
		s := streaming(t, r.visitor())
		done := s.Done()
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Revoke(t.Context(), s.ID())
		if !isClosed(done) {
			t.Error("a session that was stored after Done was called is not watched")
		}
		v := r.visitor()
		v.with(func(s *session.Session) { s.Set("x", 1) })
		old := v.clone()
		v.with(func(s *session.Session) { s.Login("ada") })
		if !isClosed(streaming(t, old).Done()) {
			t.Error("Done of a retired ticket is open")
		}
	})
}

// A watcher is told nothing more when its request is over, nothing asks the store for it, and no goroutine stays.
func TestNothingIsLeftOfAWatcherAfterItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled, func(o *session.Options) { o.RenewEvery = time.Second })
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		ctx, cancel := context.WithCancel(context.Background())
		s, err := r.Open(ctx, v.ticket())
		if err != nil {
			t.Fatal(err)
		}
		done := s.Done()
		time.Sleep(11 * time.Second)
		v.with(func(*session.Session) {}) // it waits under a new id from here on
		cancel()
		synctest.Wait()
		r.store.reset()
		time.Sleep(time.Minute)
		if n := r.store.total(); n != 0 {
			t.Errorf("%d calls of the store for a request that is over", n)
		}
		v.with((*session.Session).Logout)
		if isClosed(done) {
			t.Error("closed after the request was over")
		}
	})
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, bubbled, func(o *session.Options) { o.SweepEvery = time.Minute })
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		done := streaming(t, v).Done()
		time.Sleep(10 * time.Minute)
		for range 2 {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		later := streaming(t, v).Done()
		synctest.Wait()
		if stacks := libraryStacks(); stacks != "" {
			t.Errorf("goroutines of the library are left:\n%s", stacks)
		}
		v.with((*session.Session).Logout)
		if !isClosed(done) || !isClosed(later) {
			t.Error("a manager that is closed does not tell of an end at itself")
		}
	})
}

// libraryStacks are the stacks of goroutines that run the library and no test.
func libraryStacks() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, "session.(*watch)") || strings.Contains(stack, "session.(*Manager)") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// Done while the manager is closed must neither race nor panic nor start anything.
func TestDoneAndCloseAtTheSameTime(t *testing.T) {
	for range 50 {
		r := newRig(t, func(o *session.Options) { o.SweepEvery = time.Hour })
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			wg.Go(func() {
				<-start
				for range 20 {
					ctx, cancel := context.WithCancel(context.Background())
					if s, err := r.Open(ctx, v.ticket()); err == nil {
						s.Done()
					}
					cancel()
				}
			})
		}
		wg.Go(func() { <-start; r.Close() })
		close(start)
		wg.Wait()
	}
}

func TestDoneIsClosedAtOnceWhenTheStoreTellsOfAnotherNode(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := memstore.New(memstore.Options{})
				nodes := make([]*session.Manager, 2)
				for i := range nodes {
					m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					nodes[i] = m
				}
				v := newRig(t, bubbled).visitor().on(nodes[0])
				v.with(func(s *session.Session) { s.Login("ada") })
				s := streaming(t, v)
				done := s.Done()
				synctest.Wait() // until the store is watched
				began := time.Now()
				end(&rig{Manager: nodes[1], t: t}, v.on(nodes[1]), s.ID())
				if <-done; time.Since(began) != 0 {
					t.Errorf("closed after %v, want at once", time.Since(began))
				}
			})
		})
	}
}

// deaf is a store that cannot tell for a while.
type deaf struct {
	*memstore.Store
	calls atomic.Int64
}

func (d *deaf) Watch(ctx context.Context, tell func(string)) error {
	if d.calls.Add(1) < 3 {
		return errors.New("connection lost")
	}
	return d.Store.Watch(ctx, tell)
}

func TestTheStoreIsWatchedAgainAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &deaf{Store: memstore.New(memstore.Options{})}
		m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1,
			WatchEvery: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		v := newRig(t, bubbled).visitor().on(m)
		v.with(func(s *session.Session) { s.Login("ada") })
		s := streaming(t, v)
		done := s.Done()
		time.Sleep(3500 * time.Millisecond)
		if n := store.calls.Load(); n != 3 {
			t.Errorf("the store was asked to watch %d times, want 3", n)
		}
		began := time.Now()
		if err := store.Delete(t.Context(), s.ID()); err != nil {
			t.Fatal(err)
		}
		if <-done; time.Since(began) != 0 {
			t.Errorf("closed after %v, want at once", time.Since(began))
		}
	})
}
