package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// A store that fails in the middle of a request, and stays out for a minute: when it is back, nobody is left with a
// session in their list that nobody has the ticket of.
func TestAnOutageLeavesNoSessionThatNobodyHas(t *testing.T) {
	for _, a := range actions {
		for n := 1; n <= 4; n++ {
			for _, lost := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/call %d/done although lost=%v", a.name, n, lost), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { outage(t, a, n, lost) })
				})
			}
		}
	}
}

func outage(t *testing.T, a action, n int, lost bool) {
	store := &lossy{fullStore: memstore.New(memstore.Options{})}
	r := newRigOn(t, store)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	fail := nth(n, true, errDown)
	if lost {
		store.then(func(string) error {
			err := fail()
			if err != nil { // but what comes after this call is not done at all
				r.store.hook(func(string, string) error { return errDown })
			}
			return err
		})
	} else {
		r.store.hook(func(string, string) error { return fail() })
	}
	resp, _ := a.reply(v)
	time.Sleep(time.Minute)
	store.then(nil)
	r.store.hook(nil)
	time.Sleep(time.Minute)

	var was, is bool
	v.with(func(s *session.Session) { was, is = untouched(s), a.done(s) })
	if resp.StatusCode == http.StatusCreated && !is {
		t.Error("answered as done, and is not")
	}
	want := 0
	if v.user() != "" {
		want = 1
	}
	got := r.listedOf("ada", "bob")
	// A session that was ended in favour of one whose ticket was never told is over, and the new one is removed.
	if got != want {
		t.Errorf("%d sessions are listed, want %d (as before: %v, done: %v)", got, want, was, is)
	}
}

// The request to retire an id arrives after the manager has given up and looked: it must not lead to a record that is
// removed.
func TestARetirementThatArrivesLateLosesNoSession(t *testing.T) {
	for _, every := range []time.Duration{0, time.Hour} {
		t.Run(fmt.Sprintf("RenewEvery=%v", every), func(t *testing.T) {
			store := &late{fullStore: memstore.New(memstore.Options{})}
			r := newRigOn(t, store, func(o *session.Options) { o.RenewEvery = every })
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
			r.clock.advance(2 * time.Hour)
			store.holds = true
			resp := v.with(func(s *session.Session) {
				if every == 0 {
					s.Regenerate()
				}
				s.Set("x", 2)
			})
			if resp.StatusCode != http.StatusServiceUnavailable || store.held == nil {
				t.Fatalf("status %d, want 503 and a save that is held", resp.StatusCode)
			}
			if err := store.fullStore.Save(context.Background(), store.held); err == nil {
				t.Error("the late retirement was done")
			}
			if !sees(v, untouched) {
				t.Error("the session is lost")
			}
		})
	}
}

// late holds the save that retires an id back, and tells of a failure.
type late struct {
	fullStore
	holds bool
	held  *session.Record
}

func (l *late) Save(ctx context.Context, rec *session.Record) error {
	if l.holds && rec.Kind != session.KindLive {
		l.holds, l.held = false, rec.Clone()
		return errDown
	}
	return l.fullStore.Save(ctx, rec)
}

// The first try is stored although its answer is lost, and cannot be removed. The second one, of the same request, must
// not be taken for it, neither at once nor by what removes the first one later.
func TestASecondTryAfterALostAnswerIsKept(t *testing.T) {
	tries := map[string]func(context.Context, *session.Session) error{
		"Save": func(ctx context.Context, s *session.Session) error { s.Set("x", 2); return s.Save(ctx) },
		"Atomic": func(ctx context.Context, s *session.Session) error {
			return s.Atomic(ctx, func(s *session.Session) error { s.Set("x", 2); return nil })
		},
		"Login": func(ctx context.Context, s *session.Session) error {
			s.Login("ada")
			s.Set("x", 2)
			return s.Save(ctx)
		},
	}
	for name, try := range tries {
		for _, signedIn := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/signed in=%v", name, signedIn), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { secondTry(t, try, signedIn) })
			})
		}
	}
}

func secondTry(t *testing.T, try func(context.Context, *session.Session) error, signedIn bool) {
	store := &lossy{fullStore: memstore.New(memstore.Options{})}
	r := newRigOn(t, store)
	v := r.visitor()
	if signedIn {
		v.with(func(s *session.Session) { s.Login("ada") })
	}
	resp := v.with(func(s *session.Session) {
		if !signedIn {
			s.Set("x", 1)
			_ = s.ID() // the id to come is known
		}
		out := nth(1, true, errDown)
		store.then(func(string) error {
			r.store.hook(func(string, string) error { return errDown })
			return out()
		})
		if err := try(t.Context(), s); err == nil {
			t.Error("the first try succeeded")
		}
		store.then(nil)
		r.store.hook(nil)
		if err := try(t.Context(), s); err != nil {
			t.Errorf("the second try: %v", err)
		}
		if s.ID() == "" {
			t.Error("the session has no id")
		}
	})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	time.Sleep(time.Minute)
	if !sees(v, func(s *session.Session) bool { return s.Get("x") == int64(2) }) {
		t.Error("the session of the second try is lost")
	}
	left := 0
	for rec, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.ID != "" {
			left++
		}
	}
	if left != 1 {
		t.Errorf("%d live sessions, want 1", left)
	}
}

// A move meets a conflict, removes its new record, and the answer to that is lost. It is done again then, and what it
// makes must not be what is removed later.
func TestAMoveThatIsDoneAgainIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &lossy{fullStore: memstore.New(memstore.Options{})}
		r := newRigOn(t, store)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
		other, conflicts := v.on(r.node().Manager), 0
		saves := 0
		r.store.hook(func(call, _ string) error {
			if saves++; call == "save" && saves == 3 { // load, save of the new record, save that retires
				conflicts++
				other.with(func(s *session.Session) { s.Set("y", 1) })
			}
			return nil
		})
		lose := nth(1, false, errDown)
		store.then(func(call string) error {
			if call == "delete" {
				return lose()
			}
			return nil
		})
		resp := v.with(func(s *session.Session) { s.Regenerate(); s.Set("x", 2) })
		if resp.StatusCode != http.StatusOK || conflicts != 1 {
			t.Fatalf("status %d, %d conflicts", resp.StatusCode, conflicts)
		}
		r.store.hook(nil)
		time.Sleep(time.Minute)
		if !sees(v, func(s *session.Session) bool {
			return s.User() == "ada" && s.Get("x") == int64(2) && s.Get("y") == int64(1)
		}) {
			t.Error("the session is lost")
		}
		if n := r.listedOf("ada"); n != 1 {
			t.Errorf("%d sessions are listed, want 1", n)
		}
	})
}

// While the store is out it is asked seldom, also after it had answered once, and one record that it never answers for
// holds up no other.
func TestTheStoreIsAskedSeldomAboutWhatItDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		orphans := make([]string, 3)
		for i := range orphans {
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada") })
			fail := nth(3, true, errDown) // load, save of the new record, and what comes then
			r.store.hook(func(call, id string) error {
				if call == "save" && orphans[i] == "" {
					orphans[i] = id
				}
				return fail()
			})
			v.with((*session.Session).Regenerate)
			r.store.hook(nil)
		}
		var calls atomic.Int64
		never := orphans[0]
		r.store.hook(func(call, id string) error {
			calls.Add(1)
			time.Sleep(time.Millisecond)
			if id == never && call == "delete" {
				return errDown
			}
			return nil
		})
		time.Sleep(time.Hour)
		r.store.hook(nil)
		if n := r.listedOf("ada"); n != 3 { // the record that cannot be removed is no session of its own
			t.Errorf("%d sessions are listed, want 3", n)
		}
		if n := calls.Load(); n < 300 || n > 2000 {
			t.Errorf("%d calls in an hour, want one or two every ten seconds", n)
		}
	})
}

// A renewal was done, and the store went away before it could say so. The old ticket leads to the new record, which
// must stay.
func TestARenewalThatWasDoneAfterAllIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &lossy{fullStore: memstore.New(memstore.Options{})}
		r := newRigOn(t, store, func(o *session.Options) { o.RenewEvery = time.Hour })
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
		ticket := v.ticket()
		r.clock.advance(2 * time.Hour)
		fail := nth(3, true, errDown) // load, save of the new record, save that retires
		store.then(func(string) error {
			err := fail()
			if err != nil {
				r.store.hook(func(string, string) error { return errDown })
			}
			return err
		})
		v.with(func(s *session.Session) { s.Set("x", 2) })
		store.then(nil)
		time.Sleep(30 * time.Second)
		r.store.hook(nil)
		time.Sleep(time.Minute)
		if v.ticket() != ticket {
			t.Fatal("the visitor was told of the new ticket")
		}
		if !sees(v, func(s *session.Session) bool { return s.User() == "ada" && s.Get("x") == int64(2) }) {
			t.Error("the session is lost")
		}
		if n := r.listedOf("ada"); n != 1 {
			t.Errorf("%d sessions are listed, want 1", n)
		}
	})
}

// Its record is removed, which a server may do long after whoever asked for that has given up.
func TestAnIDWhoseRecordIsRemovedIsNotTakenAgain(t *testing.T) {
	r := newRig(t)
	v, old := r.signIn("ada")
	s := v.open()
	s.Regenerate()
	removed := s.ID()
	r.store.hook(func(call, id string) error {
		switch {
		case call == "save" && id == old:
			return session.ErrConflict
		case call == "load" && id == old:
			return errDown
		}
		return nil
	})
	if err := s.Save(bg); !errors.Is(err, session.ErrUnavailable) {
		t.Fatalf("Save = %v, want ErrUnavailable", err)
	}
	r.store.hook(nil)
	if err := s.Save(bg); err != nil || s.ID() == removed || s.ID() == old {
		t.Errorf("the next Save = %v, and the id is the one that was removed: %v", err, s.ID() == removed)
	}
}
