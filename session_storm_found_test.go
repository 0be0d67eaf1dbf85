package session_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Each of these was found by internal/storm, and is the shortest way to it.

// hold begins a request that moves a session, and returns when its new record is there and nothing is decided. Finish
// lets it go on, and returns its status; to call it again does nothing.
func hold(r *rig, v *visitor, id string, fn func(*session.Session)) (finish func() int) {
	reached, decide, answer := make(chan struct{}), make(chan struct{}), make(chan int, 1)
	var held atomic.Bool
	r.store.hook(func(call, of string) error {
		if call == "save" && of == id && held.CompareAndSwap(false, true) {
			close(reached)
			<-decide
		}
		return nil
	})
	go func() { answer <- v.with(fn).StatusCode }()
	<-reached
	return sync.OnceValue(func() int {
		r.store.hook(nil)
		close(decide)
		return <-answer
	})
}

// beginning is a visitor with a session, and its id.
func beginning(r *rig, begin func(*session.Session)) (v *visitor, id string) {
	v = r.visitor()
	v.with(begin)
	v.with(func(s *session.Session) { id = s.ID() })
	return v, id
}

func signInAda(s *session.Session) { s.Login("ada") }

func fillCart(s *session.Session) { s.Set("cart", 1) }

// before runs fn once, before the first such call.
func (r *rig) before(call, id string, fn func()) {
	once := true
	r.store.hook(func(c, of string) error {
		if once && c == call && of == id {
			once = false
			fn()
		}
		return nil
	})
}

func TestAllListsASessionOnceThatMovesWhileItLooks(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, signInAda)
	finish := hold(r, v, id, (*session.Session).Regenerate)
	r.before("load", id, func() { finish() })
	if n := listed(t, r); n != 1 {
		t.Errorf("All lists %d sessions, want 1", n)
	}
	if status := finish(); status != http.StatusOK {
		t.Errorf("the request was answered %d", status)
	}
}

func TestAllListsASessionOnceThatSignsIn(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, fillCart)
	finish := hold(r, v, id, signInAda)
	if n := listed(t, r); n != 1 {
		t.Errorf("All lists %d sessions, want 1", n)
	}
	if status := finish(); status != http.StatusOK {
		t.Errorf("the login was answered %d", status)
	}
}

// Two logins from one page: the second one has the session, and the first one is about to find out.
func TestSessionsListsNoLoginThatWasOvertaken(t *testing.T) {
	r := newRig(t)
	v, id := beginning(r, fillCart)
	finish := hold(r, v.clone(), id, signInAda)
	v.with(signInAda)
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 {
		t.Errorf("Sessions = %d sessions, %v, want 1", len(infos), err)
	}
	finish()
}

// The browser of the session that is to be ended signs in as somebody else at that moment.
func TestEndingSessionsOfAUserEndsNobodyElse(t *testing.T) {
	for name, end := range map[string]func(*rig) error{
		"a login above the limit": func(r *rig) error {
			if status := r.visitor().with(signInAda).StatusCode; status != http.StatusOK {
				return errors.New(http.StatusText(status))
			}
			return nil
		},
		"RevokeUser": func(r *rig) error {
			_, err := r.RevokeUser(t.Context(), "ada")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.MaxPerUser = 1 })
			v, id := beginning(r, signInAda)
			r.before("save", id, func() { v.with(func(s *session.Session) { s.Login("bob") }) })
			if err := end(r); err != nil {
				t.Fatal(err)
			}
			wantUser(t, v, "bob")
		})
	}
}

// While a login looks for what moves have left, the record that it takes for such is written anew and becomes the
// session.
func TestALoginInAFullHouseRemovesNoSessionThatMoves(t *testing.T) {
	r := newRig(t, func(o *session.Options) {
		o.MaxPerUser, o.Overflow, o.RenewEvery = 1, session.RefuseNew, time.Hour
	})
	v, id := beginning(r, signInAda)
	slow := v.clone()
	finish := hold(r, slow, id, (*session.Session).Regenerate)
	status := 0
	r.before("load", id, func() {
		r.clock.advance(2 * time.Hour)
		v.with(func(s *session.Session) { s.User() }) // which renews the id
		status = finish()
	})
	r.visitor().with(signInAda)
	if status != http.StatusOK {
		t.Fatalf("Regenerate was answered %d, want 200 while the login looked", status)
	}
	wantUser(t, slow, "ada")
}

// Where nothing can be written an end falls back to deleting. The session moves while the second try to write fails.
func TestAnEndInAStoreThatFailsReachesASessionThatMovedMeanwhile(t *testing.T) {
	for name, begin := range map[string]func(*session.Session){"of a user": signInAda, "of a stranger": fillCart} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
			v, id := beginning(r, begin)
			leaving, saves := v.clone(), 0
			r.store.hook(func(call, of string) error {
				if call != "save" || of != id {
					return nil
				}
				saves++
				n := saves
				if n == 2 {
					for range 2 {
						r.clock.advance(2 * time.Hour)
						v.with(func(s *session.Session) { s.IsNew() })
					}
				}
				if n <= 2 {
					return errors.New("the connection broke")
				}
				return nil
			})
			if status := leaving.with((*session.Session).Logout).StatusCode; status != http.StatusOK {
				t.Fatalf("the logout was answered %d", status)
			}
			v.with(func(s *session.Session) {
				if !s.IsNew() {
					t.Error("the session was logged out, and is there")
				}
			})
		})
	}
}

// belated is a store that answers the first save with an error, and does it when nobody waits any more.
type belated struct {
	*memstore.Store
	begun atomic.Bool
}

func (l *belated) Save(ctx context.Context, rec *session.Record) error {
	if !l.begun.CompareAndSwap(false, true) {
		return l.Store.Save(ctx, rec)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = l.Store.Save(context.Background(), rec) })
	return errors.New("the answer takes too long")
}

func TestASessionThatIsStoredAfterItsCallerGaveUpDoesNotStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, &belated{Store: memstore.New(memstore.Options{})})
		if status := r.visitor().with(signInAda).StatusCode; status != http.StatusServiceUnavailable {
			t.Fatalf("the login was answered %d, want 503", status)
		}
		time.Sleep(time.Minute)
		if n := listed(t, r); n != 0 {
			t.Errorf("%d sessions are there, and nobody has their tickets", n)
		}
		r.Close()
	})
}

// Two requests of one browser end the session that both came with. The second ends what the first has begun, and so
// the id of that leads to whoever signs in with the second: the session that is to be kept is the browser's.
func TestWhatIsToBeKeptLeadsToWhatFollowedALogoutWithAnOlderTicket(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	second, other := v.clone(), r.visitor()
	other.with(signIn("ada"))
	first := ""
	second.with(func(s *session.Session) {
		v.with(func(s *session.Session) { s.Invalidate(); s.Set("x", 2); first = s.ID() })
		s.Logout()
		s.Login("ada")
	})
	if n, err := r.RevokeUser(t.Context(), "ada", first); n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v, want the session of the other browser alone", n, err)
	}
	if second.user() != "ada" || other.user() != "" || v.user() != "" {
		t.Errorf("users %q, %q and %q, want ada with the last ticket alone", second.user(), other.user(), v.user())
	}
}

func listed(t *testing.T, r *rig) (n int) {
	t.Helper()
	for _, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func wantUser(t *testing.T, v *visitor, want string) {
	t.Helper()
	v.with(func(s *session.Session) {
		if s.User() != want {
			t.Errorf("the session is of %q, want %q", s.User(), want)
		}
	})
}
