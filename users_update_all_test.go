package session_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/nullstore"
)

// rename is what UpdateAll is for: a key has another name in the new version.
func rename(s *session.Session) error {
	if v := s.Pop("old"); v != nil {
		s.Set("new", v)
	}
	return nil
}

func TestUpdateAllChangesEverySession(t *testing.T) {
	const many = 450 // in three pages
	r := newRig(t)
	visitors := make([]*visitor, many)
	for i := range visitors {
		visitors[i] = r.visitor()
		visitors[i].with(func(s *session.Session) {
			s.Set("old", i)
			if i%2 == 0 {
				s.Login(fmt.Sprint("user", i))
			}
		})
	}
	gone, _ := r.signIn("ada")
	gone.with((*session.Session).Logout)
	n, err := r.node().UpdateAll(t.Context(), rename)
	if n != many || err != nil {
		t.Fatalf("UpdateAll = %d, %v, want %d", n, err, many)
	}
	for i, v := range visitors {
		v.with(func(s *session.Session) {
			if s.Get("new") != int64(i) || s.Has("old") || (s.User() != "") != (i%2 == 0) {
				t.Errorf("session %d has %v", i, s.All())
			}
		})
	}
}

func TestUpdateAllIsNoSignOfLife(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	before := r.listed(t)
	r.clock.advance(time.Hour)
	if n, err := r.UpdateAll(t.Context(), setLevel("gold")); n != 1 || err != nil {
		t.Fatalf("UpdateAll = %d, %v", n, err)
	}
	after := r.listed(t)
	if !after[0].SeenAt.Equal(before[0].SeenAt) || !after[0].ExpiresAt.Equal(before[0].ExpiresAt) {
		t.Errorf("%+v, want the times of %+v", after, before)
	}
	if v.level() != "gold" {
		t.Error("the session is not changed")
	}
}

func (r *rig) listed(t *testing.T) (all []session.Info) {
	t.Helper()
	for info, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info)
	}
	return all
}

// A session that gets a new id during the walk is not missed, wherever that id stands, nor is one that is written.
func TestUpdateAllMissesNoSessionThatMoves(t *testing.T) {
	for name, do := range map[string]func(s *session.Session){
		"renewed":     func(*session.Session) {},
		"regenerated": (*session.Session).Regenerate,
		"login":       func(s *session.Session) { s.Login(s.User()) },
		"written":     func(s *session.Session) { s.Set("own", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Minute })
			visitors := map[string]*visitor{}
			for i := range 260 { // in two pages
				user := fmt.Sprint("user", i)
				visitors[user], _ = r.signIn(user)
				visitors[user].with(func(s *session.Session) { s.Set("old", i) })
			}
			r.clock.advance(time.Hour) // each is due for a renewal
			moved := false
			n, err := r.node().UpdateAll(t.Context(), func(s *session.Session) error {
				if !moved {
					moved = true
					for _, v := range visitors {
						v.with(do)
					}
				}
				return rename(s)
			})
			if n != len(visitors) || err != nil {
				t.Fatalf("UpdateAll = %d, %v, want %d", n, err, len(visitors))
			}
			for user, v := range visitors {
				v.with(func(s *session.Session) {
					if !s.Has("new") || s.Has("old") || s.User() != user {
						t.Errorf("%s has %v, user %q", user, s.All(), s.User())
					}
				})
			}
		})
	}
}

func TestUpdateAllRunsBesideWriters(t *testing.T) {
	r := newRig(t)
	const clients, steps = 8, 20
	count := session.Key[int]("count")
	var wg sync.WaitGroup
	visitors := make([]*visitor, clients)
	for i := range visitors {
		visitors[i], _ = r.signIn(fmt.Sprint("user", i))
		wg.Go(func() {
			for range steps {
				visitors[i].with(func(s *session.Session) { count.Update(s, func(n int) int { return n + 1 }) })
			}
		})
	}
	for range 5 {
		if n, err := r.UpdateAll(t.Context(), setLevel("gold")); n != clients || err != nil {
			t.Errorf("UpdateAll = %d, %v, want %d", n, err, clients)
		}
	}
	wg.Wait()
	for _, v := range visitors {
		v.with(func(s *session.Session) {
			if count.Or(s, 0) != steps || s.Get("level") != "gold" {
				t.Errorf("a session has %v", s.All())
			}
		})
	}
}

func TestUpdateAllSaysWhatFailed(t *testing.T) {
	refused := errors.New("refused")
	for name, row := range map[string]struct {
		fn   func(s *session.Session) error
		n    int
		is   error
		text string
	}{
		"the function":  {func(*session.Session) error { return refused }, 0, refused, ""},
		"the identity":  {func(s *session.Session) error { s.Regenerate(); return nil }, 0, nil, "change data only"},
		"one too large": {func(s *session.Session) error { grow(s); return nil }, 299, session.ErrTooLarge, ""},
		"all too large": {func(s *session.Session) error { s.Set("x", grown); return nil }, 0, session.ErrTooLarge,
			"200 more"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.MaxBytes = 200 })
			for i := range 300 {
				r.visitor().with(func(s *session.Session) { s.Set("number", i) })
			}
			n, err := r.UpdateAll(t.Context(), row.fn)
			if n != row.n || err == nil || row.is != nil && !errors.Is(err, row.is) {
				t.Errorf("UpdateAll = %d, %v, want %d", n, err, row.n)
			}
			if row.text != "" {
				wantText(t, err, row.text)
			}
		})
	}
	m, err := session.New(nullstore.New(), session.Options{Secrets: []session.Secret{testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.UpdateAll(t.Context(), rename); !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("without a list: %v", err)
	}
	r := newRig(t)
	r.signIn("ada")
	for _, call := range []string{"load", "save"} {
		r.store.hook(func(c, _ string) error {
			if c == call {
				return errDriver
			}
			return nil
		})
		n, err := r.UpdateAll(t.Context(), setLevel("gold"))
		if n != 0 || !errors.Is(err, errDriver) {
			t.Errorf("when every %s fails: %d, %v", call, n, err)
		}
	}
}

const grown = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" +
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

func grow(s *session.Session) {
	if s.Get("number") == int64(7) {
		s.Set("x", grown)
	}
}

func TestUpdateAllTellsOfASessionThatItLostSightOf(t *testing.T) {
	r := newRig(t)
	node := r.node()
	v, first := r.signIn("ada")
	n, err := node.UpdateAll(t.Context(), func(s *session.Session) error {
		if v.sessionID() == first {
			v.with((*session.Session).Regenerate)
			second := v.sessionID()
			node.store.hook(func(call, of string) error {
				if call == "load" && of == second {
					return errDown
				}
				return nil
			})
		}
		s.Set("new", 1)
		return nil
	})
	if n != 0 || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("UpdateAll = %d, %v, want ErrUnavailable", n, err)
	}
}

// A session that signs in again and again is followed through more ids than a request would be.
func TestUpdateAllFollowsASessionThroughManyIDs(t *testing.T) {
	r := newRig(t)
	visitors := []*visitor{r.visitor(), r.visitor()}
	for _, v := range visitors {
		v.with(put("old", 1))
	}
	moved := false
	n, err := r.node().UpdateAll(bg, func(s *session.Session) error {
		if !moved {
			moved = true
			for _, v := range visitors {
				for range 70 {
					v.with((*session.Session).Regenerate)
				}
			}
		}
		return rename(s)
	})
	for _, v := range visitors {
		v.with(func(s *session.Session) { wantGet(t, s, "new", int64(1)) })
	}
	if n != len(visitors) || err != nil {
		t.Errorf("UpdateAll = %d, %v, want %d", n, err, len(visitors))
	}
}
