package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

var errFull = errors.New("no space left on the device")

// full lets no save through any more. What is deleted needs no room.
func (r *rig) full() {
	r.store.hook(func(call, _ string) error {
		if call == "save" {
			return errFull
		}
		return nil
	})
}

func TestASessionEndsInAStoreThatIsFull(t *testing.T) {
	for name, end := range endings {
		if name == "login as another" { // nobody can sign in there
			continue
		}
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, id := r.signIn("ada")
			thief, late := v.clone(), v.open()
			r.full()
			end(r, v, id)
			if thief.user() != "" {
				t.Error("the stolen ticket is still good")
			}
			r.store.hook(nil)
			late.Set("x", 1)
			if err := late.Save(t.Context()); !errors.Is(err, session.ErrEnded) || thief.user() != "" {
				t.Errorf("a save that was under way = %v, and the ticket is %q; want ErrEnded and nobody", err,
					thief.user())
			}
		})
	}
}

func TestALogoutInAFullStoreIsAnsweredAsDone(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	r.full()
	if resp := v.with((*session.Session).Logout); resp.StatusCode != http.StatusOK || v.ticket() != "" {
		t.Errorf("status %d, and the cookie is there: %t; want 200 and none", resp.StatusCode, v.ticket() != "")
	}
	if n := r.ev.count(session.EventEnded); n != 1 {
		t.Errorf("%d events ended, want 1", n)
	}
}

func TestWhatIsRevokedInAFullStoreIsCounted(t *testing.T) {
	r := newRig(t)
	_, id := r.signIn("ada")
	r.signIn("ada")
	r.full()
	if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
	if n, err := r.RevokeUser(t.Context(), "ada"); n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v, want 1", n, err)
	}
}

// What was to follow cannot be stored, so the answer is an error. The session is over all the same.
func TestALogoutWithAFlashInAFullStoreEndsTheSession(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	thief := v.clone()
	r.full()
	resp := v.with(func(s *session.Session) { s.Logout(); s.Flash("bye", true) })
	if resp.StatusCode != http.StatusServiceUnavailable || v.ticket() != "" || thief.user() != "" {
		t.Errorf("status %d, a cookie: %t, the stolen ticket is %q; want 503, none and nobody", resp.StatusCode,
			v.ticket() != "", thief.user())
	}
}

// Nothing can be written at all: nobody is told that a session has ended which has not.
func TestALogoutInAStoreThatCannotBeWrittenIsAnsweredAsAnOutage(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	r.store.hook(func(call, _ string) error {
		if call != "load" {
			return errors.New("read-only")
		}
		return nil
	})
	resp := v.with((*session.Session).Logout)
	if resp.StatusCode != http.StatusServiceUnavailable || v.user() != "ada" {
		t.Errorf("status %d, and the visitor is %q; want 503 and ada", resp.StatusCode, v.user())
	}
	if n, err := r.Revoke(t.Context(), id); n != 0 || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("Revoke = %d, %v, want 0 and ErrUnavailable", n, err)
	}
}

// The session moves while its end is written in a store that fills up.
func TestASessionThatMovesInAStoreThatFillsUpEnds(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	node, n := r.node(), 0
	r.atTheSaveOf(id, func() {
		node.full()
		n, _ = node.Revoke(t.Context(), id)
	})
	resp := v.with((*session.Session).Regenerate)
	if n != 1 || resp.StatusCode != http.StatusConflict || v.user() != "" || r.alive("ada") != 0 {
		t.Errorf("Revoke = %d, status %d, the visitor is %q, %d sessions; want 1, 409, nobody, 0", n, resp.StatusCode,
			v.user(), r.alive("ada"))
	}
}

// It moves when its end could not be written, and its record is about to be deleted. One that nobody is signed in to is
// not found any more, and goes on as if it had moved first.
func TestALogoutWithoutRoomEndsASessionThatHasJustMoved(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		other := v.clone()
		r.store.hook(func(call, of string) error {
			switch {
			case call == "save" && of == id:
				return errFull
			case call == "delete" && of == id:
				r.store.hook(nil)
				other.with(move)
			}
			return nil
		})
		resp := v.with((*session.Session).Logout)
		if resp.StatusCode != http.StatusOK || other.user() != "" || r.alive("ada") != 0 {
			t.Errorf("status %d, and the visitor is %q; want 200 and nobody", resp.StatusCode, other.user())
		}
	})
}

func TestASessionThatWasToFollowAFailedLogoutWasNeverCreated(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	r.store.hook(func(call, of string) error {
		if call != "load" && of == id {
			return errDown
		}
		return nil
	})
	v.with(func(s *session.Session) { s.Logout(); s.Set("x", 1) })
	if n := r.ev.count(session.EventCreated); n != 1 {
		t.Errorf("%d events created, want that of the login alone", n)
	}
}

func TestASessionThatFollowsALogoutIsToldOnce(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	v.with(func(s *session.Session) { s.Logout(); s.Set("x", 1) })
	if created, ended := r.ev.count(session.EventCreated), r.ev.count(session.EventEnded); created != 2 || ended != 1 {
		t.Errorf("%d sessions were created and %d have ended, want the two and the one", created, ended)
	}
}

func TestOneSessionThatCannotBeChangedKeepsUpdateUserFromNoOther(t *testing.T) {
	big := strings.Repeat("x", 900)
	r := newRig(t, func(o *session.Options) { o.MaxBytes = 1000 })
	var all []*visitor
	for i := range 3 {
		v, _ := r.signIn("ada")
		if i == 1 {
			v.with(func(s *session.Session) { s.Set("form", big) })
		}
		all = append(all, v)
		r.clock.advance(time.Minute)
	}
	n, err := r.UpdateUser(t.Context(), "ada", func(s *session.Session) error {
		s.Set("banned", strings.Repeat("y", 200))
		return nil
	})
	if n != 2 || !errors.Is(err, session.ErrTooLarge) {
		t.Errorf("UpdateUser = %d, %v, want 2 and ErrTooLarge", n, err)
	}
	for i, v := range all {
		v.with(func(s *session.Session) {
			if s.Has("banned") != (i != 1) {
				t.Errorf("session %d: banned %t", i, s.Has("banned"))
			}
		})
	}
}

func TestUpdateUserPassesOverRecordsThatNobodyCanUse(t *testing.T) {
	r := newRig(t)
	r.signIn("ada")
	node := r.node(func(o *session.Options) { o.Seal, o.RequireSealed = true, true })
	v, _ := node.signIn("ada")
	if n, err := node.UpdateUser(t.Context(), "ada", setLevel("gold")); n != 1 || err != nil || v.level() != "gold" {
		t.Errorf("UpdateUser = %d, %v, level %v; want 1 and gold", n, err, v.level())
	}
}

func TestAFunctionOfUpdateUserCannotChangeTheIdentity(t *testing.T) {
	for name, change := range map[string]func(*session.Session){
		"regenerate": (*session.Session).Regenerate, "login": signIn("bob"), "logout": (*session.Session).Logout,
		"confirm": confirm,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, id := r.signIn("ada")
			n, err := r.UpdateUser(t.Context(), "ada", func(s *session.Session) error { change(s); return nil })
			if n != 0 || err == nil || v.user() != "ada" {
				t.Errorf("UpdateUser = %d, %v, and the user is %q; want 0, an error, and ada", n, err, v.user())
			}
			v.with(func(s *session.Session) {
				if s.ID() != id {
					t.Error("the id has changed")
				}
			})
		})
	}
}

// Writers of one session wait for a store that hangs. Requests on a thousand others meet a conflict, and go on.
func TestWritersOfOneSessionHoldUpNoOther(t *testing.T) { synctest.Test(t, holdUpNoOther) }

func holdUpNoOther(t *testing.T) {
	r := newRig(t)
	slow, id := r.signIn("ada")
	hangs, goOn := make(chan struct{}), make(chan struct{})
	var saves int
	r.store.hook(func(call, of string) error {
		if call == "save" && of == id {
			if saves++; saves == 2 { // it has met a conflict, and has its turn
				close(hangs)
				<-goOn
			}
		}
		return nil
	})
	var group sync.WaitGroup
	group.Go(func() {
		s := slow.open()
		slow.on(r.node().Manager).with(func(s *session.Session) { s.Set("y", 1) })
		s.Set("x", 1)
		_ = s.Save(context.Background())
	})
	<-hangs
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	node := r.node()
	for i := range 1000 {
		v, _ := r.signIn(fmt.Sprint("user ", i))
		s := v.open()
		v.on(node.Manager).with(func(s *session.Session) { s.Set("y", 1) })
		s.Set("x", 1)
		if err := s.Save(ctx); err != nil {
			t.Fatalf("visitor %d: %v", i, err)
		}
	}
	close(goOn)
	group.Wait()
}

func TestDoneIsClosedAtOnceForASessionThatHasEndedMeanwhile(t *testing.T) {
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, bubbled)
				v, id := r.signIn("ada")
				s := streaming(t, v)
				end(r, v, id)
				began := time.Now()
				<-s.Done()
				if took := time.Since(began); took != 0 {
					t.Errorf("closed after %v, want at once", took)
				}
			})
		})
	}
}

// Another node ends the session when Done was called, and before the store has begun to tell.
func TestDoneMissesNothingWhileItBeginsToListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.Options{})
		var nodes [2]*session.Manager
		for i := range nodes {
			m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			nodes[i] = m
		}
		s, _ := nodes[0].Open(t.Context(), "")
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		began, done := time.Now(), s.Done()
		if n, err := nodes[1].Revoke(t.Context(), s.ID()); n != 1 || err != nil {
			t.Fatalf("Revoke = %d, %v", n, err)
		}
		<-done
		if took := time.Since(began); took != 0 {
			t.Errorf("closed after %v, want at once", took)
		}
	})
}

// A carried session is ended with all of its user's. Its own id was not retired.
func TestDoneOfACarriedSessionIsClosedByRevokeUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		var done [2]<-chan struct{}
		for i, user := range []string{"ada", "bob"} {
			s, _ := m.Open(t.Context(), "")
			done[i] = s.Done() // before it has a user
			s.Login(user)
			if err := s.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		began := time.Now()
		if _, err := m.RevokeUser(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done[0]:
		case <-time.After(time.Hour):
		}
		if took := time.Since(began); took != 0 || isClosed(done[1]) {
			t.Errorf("closed after %v, and that of another user: %t; want at once, and not", took, isClosed(done[1]))
		}
	})
}
