package session_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/nullstore"
)

func setLevel(level string) func(*session.Session) error {
	return func(s *session.Session) error { s.Set("level", level); return nil }
}

func (v *visitor) level() (level any) {
	v.with(func(s *session.Session) { level = s.Get("level") })
	return level
}

func TestUpdateUserChangesEverySessionOfTheUserAndNoOther(t *testing.T) {
	r := newRig(t)
	phone, _ := r.signIn("ada")
	desk, _ := r.signIn("ada")
	bob, _ := r.signIn("bob")
	phone.with(func(s *session.Session) { s.Set("own", "phone") })
	n, err := r.node().UpdateUser(t.Context(), "ada", setLevel("gold"))
	if n != 2 || err != nil {
		t.Fatalf("UpdateUser = %d, %v, want 2", n, err)
	}
	if phone.level() != "gold" || desk.level() != "gold" || bob.level() != nil {
		t.Errorf("levels: %v %v %v, want gold gold <nil>", phone.level(), desk.level(), bob.level())
	}
	phone.with(func(s *session.Session) {
		if s.Get("own") != "phone" {
			t.Error("UpdateUser lost other data of the session")
		}
	})
}

func TestUpdateUserIsNoSignOfLife(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.IdleTimeout = time.Hour })
	v, _ := r.signIn("ada")
	before, _ := r.Sessions(t.Context(), "ada")
	r.clock.advance(40 * time.Minute)
	if n, err := r.UpdateUser(t.Context(), "ada", setLevel("gold")); n != 1 || err != nil {
		t.Fatalf("UpdateUser = %d, %v, want 1", n, err)
	}
	if n, err := r.UpdateUser(t.Context(), "ada", func(*session.Session) error { return nil }); n != 1 || err != nil {
		t.Fatalf("UpdateUser that changes nothing = %d, %v, want 1", n, err)
	}
	after, _ := r.Sessions(t.Context(), "ada")
	if len(after) != 1 || !after[0].SeenAt.Equal(before[0].SeenAt) || !after[0].ExpiresAt.Equal(before[0].ExpiresAt) {
		t.Errorf("after UpdateUser: %+v, want the times of %+v", after, before)
	}
	r.clock.advance(21 * time.Minute)
	v.with(func(s *session.Session) {
		if s.User() != "" || !s.Expired() {
			t.Error("UpdateUser kept a session alive that its user had left")
		}
	})
}

func TestUpdateUserKeepsFlashData(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	v.with(func(s *session.Session) { s.Flash("status", "saved") })
	if _, err := r.UpdateUser(t.Context(), "ada", setLevel("gold")); err != nil {
		t.Fatal(err)
	}
	v.with(func(s *session.Session) {
		if s.Get("status") != "saved" {
			t.Error("UpdateUser consumed flash data that the user has not seen")
		}
	})
}

func TestUpdateUserStopsAtAnError(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	wrong := errors.New("wrong")
	n, err := r.UpdateUser(t.Context(), "ada", func(s *session.Session) error { s.Set("level", "gold"); return wrong })
	if n != 0 || !errors.Is(err, wrong) || v.level() != nil {
		t.Errorf("UpdateUser = %d, %v, level %v, want nothing changed and the error", n, err, v.level())
	}
	if _, err := r.UpdateUser(t.Context(), "", setLevel("gold")); err == nil {
		t.Error("UpdateUser of a user without a name gives no error")
	}
	none, err := session.New(nullstore.New(), session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.UpdateUser(t.Context(), "ada", setLevel("gold")); !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("UpdateUser on a store that cannot list: %v, want ErrNotSupported", err)
	}
}

func TestUpdateUserReachesASessionThatIsRenewedMeanwhile(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Minute })
	v, _ := r.signIn("ada")
	r.clock.advance(2 * time.Minute)
	var once sync.Once
	other := r.node(func(o *session.Options) { o.RenewEvery = time.Minute })
	n, err := other.UpdateUser(t.Context(), "ada", func(s *session.Session) error {
		once.Do(func() { v.with(func(s *session.Session) { s.Set("own", 1) }) }) // gets a new id
		return setLevel("gold")(s)
	})
	if n != 1 || err != nil || v.level() != "gold" {
		t.Errorf("UpdateUser = %d, %v, level %v, want 1 and gold", n, err, v.level())
	}
}

func TestUpdateUserAndRequestsLoseNothing(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	const hits = session.Key[int]("hits")
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { v.clone().with(func(s *session.Session) { hits.Update(s, func(n int) int { return n + 1 }) }) })
		wg.Go(func() {
			n, err := r.UpdateUser(t.Context(), "ada", func(s *session.Session) error {
				hits.Update(s, func(n int) int { return n + 100 })
				return nil
			})
			if n != 1 || err != nil {
				t.Errorf("UpdateUser = %d, %v, want 1", n, err)
			}
		})
	}
	wg.Wait()
	v.with(func(s *session.Session) {
		if got := hits.Or(s, 0); got != 1010 {
			t.Errorf("hits = %d, want 1010", got)
		}
	})
}

func TestTheLibrarysOwnKeysAreNotInAllAndOutliveClear(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	const mine = session.Key[int](envelope.OwnPrefix + "mark")
	has := func(s *session.Session) bool { _, ok := mine.Get(s); return ok }
	v.with(func(s *session.Session) { mine.Set(s, 1); s.Set("theirs", 2) })
	v.with(func(s *session.Session) {
		if got := fmt.Sprint(s.All()); got != "map[theirs:2]" {
			t.Errorf("All = %s, want the application's keys only", got)
		}
		s.Clear()
	})
	v.with(func(s *session.Session) {
		if s.Has("theirs") || !has(s) {
			t.Errorf("after Clear: theirs %v, own %v, want false and true", s.Has("theirs"), has(s))
		}
		s.Invalidate()
	})
	v.with(func(s *session.Session) {
		if has(s) {
			t.Error("the library's own keys outlive Invalidate")
		}
	})
}
