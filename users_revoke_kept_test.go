package session_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// inRequest begins a request that does something and then waits. It returns the id that the session has by then, and
// what lets the request end and waits for that.
func (v *visitor) inRequest(do func(*session.Session)) (id string, end func()) {
	began, may := make(chan string), make(chan struct{})
	var browser sync.WaitGroup
	browser.Go(func() {
		v.with(func(s *session.Session) {
			do(s)
			began <- s.ID()
			<-may
		})
	})
	return <-began, func() {
		close(may)
		browser.Wait()
	}
}

// What is to be kept may follow, on the same browser, on a session that is being ended.
func TestASessionThatIsKeptOutlivesTheOneBeforeIt(t *testing.T) {
	r := newRig(t)
	v, old := r.signIn("ada")
	kept, end := v.inRequest(func(s *session.Session) {
		s.Logout()
		s.Login("ada")
	})
	r.atTheSaveOf(old, end)
	if n, err := r.RevokeUser(bg, "ada", kept); n != 0 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
	v.isUser("ada")
}

// The id to keep is that of a move which is decided while the session before it is deleted, for want of room.
func TestASessionThatIsKeptOutlivesADeletedOneBeforeIt(t *testing.T) {
	r := newRig(t)
	v, old := r.signIn("ada")
	kept, end := v.inRequest((*session.Session).Regenerate)
	r.store.hook(func(call, id string) error {
		switch {
		case call == "save" && id == old:
			return errFull
		case call == "delete" && id == old:
			r.store.hook(nil)
			end()
		}
		return nil
	})
	if _, err := r.RevokeUser(bg, "ada", kept); err != nil {
		t.Errorf("RevokeUser = %v", err)
	}
	v.isUser("ada")
}

// whileAt runs what another request does before the nth call that one makes, and reports whether it made so many.
func (r *rig) whileAt(nth int, do func()) (reached *bool) {
	calls := 0
	reached = new(bool)
	r.store.hook(func(string, string) error {
		if calls++; calls == nth {
			*reached = true
			r.store.hook(nil)
			do()
		}
		return nil
	})
	return reached
}

// Whoever has the session to keep signs in on it meanwhile: the user whose others end, or nobody yet.
func TestALoginOnASessionThatIsKeptIsKept(t *testing.T) {
	for name, begin := range map[string]func(*session.Session){"nobody's": fillCart, "the user's": signInAda} {
		for nth, reached := 1, true; reached; nth++ {
			r := newRig(t)
			other, _ := r.signIn("ada")
			v, id := beginning(r, begin)
			n := 0
			met := r.whileAt(nth, func() { n, _ = r.node().RevokeUser(bg, "ada", id) })
			v.with(signInAda)
			if reached = *met; reached && (n != 1 || v.user() != "ada" || other.user() != "") {
				t.Errorf("%s, at call %d: RevokeUser = %d, and the one to keep is %q; want 1 and ada", name, nth, n,
					v.user())
			}
		}
	}
}

// onCookies is a rig whose sessions are in their tokens. It has neither events nor a store that counts.
func onCookies(t *testing.T) *rig {
	t.Helper()
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	opts := session.Options{Secrets: []session.Secret{testSecret}, Now: c.now, SweepEvery: session.Never}
	return &rig{Manager: manage(t, store, opts), t: t, clock: c}
}

func TestALoginOnASessionThatIsKeptIsKeptInCookies(t *testing.T) {
	for name, begin := range map[string]func(*session.Session){"nobody's": fillCart, "the user's": signInAda} {
		r := onCookies(t)
		v, id := beginning(r, begin)
		other, _ := r.signIn("ada")
		r.clock.advance(time.Second)
		v.with(func(s *session.Session) {
			s.Login("ada")
			r.clock.advance(time.Second)
			if _, err := r.RevokeUser(bg, "ada", id); err != nil {
				t.Errorf("%s: RevokeUser = %v", name, err)
			}
		})
		if v.user() != "ada" || other.user() != "" {
			t.Errorf("%s: the one to keep is %q, and the other %q; want ada and nobody", name, v.user(), other.user())
		}
	}
}

// A Login that ends the session to keep begins another one. That is kept or ended, depending on what came first, and
// the answer says which.
func TestWhatBeginsInPlaceOfASessionThatIsKeptIsCounted(t *testing.T) {
	outAndIn := func(s *session.Session) { s.Logout(); s.Login("ada") }
	for name, begin := range map[string]func(*session.Session){"the user's": signInAda, "another user's": signInBob} {
		for nth, reached := 1, true; reached; nth++ {
			r := newRig(t)
			r.signIn("ada")
			v, id := beginning(r, begin)
			n := 0
			met := r.whileAt(nth, func() { n, _ = r.node().RevokeUser(bg, "ada", id) })
			v.with(outAndIn)
			if reached = *met; reached && (n != 1 || v.user() != "ada") && (n != 2 || v.user() != "") {
				t.Errorf("%s, at call %d: RevokeUser = %d, and the visitor is %q", name, nth, n, v.user())
			}
		}
	}
}

func TestAnOutageEndsNoSessionThatIsToBeKept(t *testing.T) {
	r := newRig(t)
	v, before := r.signIn("ada")
	v.with((*session.Session).Regenerate)
	r.store.hook(func(call, id string) error {
		if call == "load" && id == before {
			return errDown
		}
		return nil
	})
	n, err := r.RevokeUser(t.Context(), "ada", before)
	r.store.hook(nil)
	if n != 0 || !errors.Is(err, session.ErrUnavailable) || v.user() != "ada" {
		t.Errorf("RevokeUser = %d, %v, and the session to keep is %q's; want ErrUnavailable and ada's", n, err,
			v.user())
	}
}
