package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

const by = session.Key[string]("by")

func signedInBy(way string) func(*session.Session) bool {
	return func(s *session.Session) bool { return by.Or(s, "") == way }
}

// signInBy gives a visitor who is signed in, and whose session says how.
func (r *rig) signInBy(way string) (*visitor, string) {
	v, id := r.visitor(), ""
	v.with(func(s *session.Session) {
		s.Login("ada")
		by.Set(s, way)
		id = s.ID()
	})
	return v, id
}

func TestRevokeWhereEndsTheSessionsThatItsFunctionNames(t *testing.T) {
	for _, seal := range []bool{false, true} {
		r := newRig(t, hourly, func(o *session.Options) { o.Seal = seal })
		phone, _ := r.signInBy("key")
		laptop, _ := r.signInBy("password")
		tablet, _ := r.signInBy("key")
		other, _ := r.signIn("bob")
		r.clock.advance(2 * time.Hour)
		old := laptop.clone()
		laptop.alive() // renews the id
		phone.alive()
		users := map[string]bool{}
		n, err := r.RevokeWhere(bg, "provider", "ada", func(s *session.Session) bool {
			users[s.User()] = true
			return signedInBy("key")(s) && !s.IsNew() && s.ID() != ""
		})
		if n != 2 || err != nil || len(users) != 1 || !users["ada"] {
			t.Errorf("RevokeWhere = %d, %v, on sessions of %v; want 2 of ada's", n, err, users)
		}
		phone.isTold("provider")
		tablet.isTold("provider")
		laptop.isUser("ada")
		old.isUser("ada") // by the alias
		other.isUser("bob")
	}
}

func TestRevokeWhereJudgesTheNewestState(t *testing.T) {
	for name, row := range map[string]struct {
		before, after string
		n             int
	}{"spared": {"key", "password", 0}, "still meant": {"key", "key", 1}} {
		t.Run(name, func(t *testing.T) {
			eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
				v.with(func(s *session.Session) { by.Set(s, row.before) })
				id = v.sessionID()
				r.clock.advance(2 * time.Hour)
				r.atTheSaveOf(id, func() {
					v.with(func(s *session.Session) {
						move(s)
						by.Set(s, row.after)
					})
				})
				n, err := r.RevokeWhere(bg, "provider", "ada", signedInBy("key"))
				if n != row.n || err != nil || v.alive() != (row.n == 0) {
					t.Errorf("RevokeWhere = %d, %v, and the session is alive: %t", n, err, v.alive())
				}
			})
		})
	}
}

func TestRevokeWhereFollowsASessionThatMovesAfterItWasListed(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		v.with(func(s *session.Session) { by.Set(s, "key") })
		id = v.sessionID()
		r.clock.advance(2 * time.Hour)
		r.before("load", id, func() {
			r.store.hook(nil)
			v.with(move)
		})
		n, err := r.RevokeWhere(bg, "provider", "ada", signedInBy("key"))
		if n != 1 || err != nil || v.alive() {
			t.Errorf("RevokeWhere = %d, %v, and the session is alive: %t; want 1 and ended", n, err, v.alive())
		}
	})
}

// sessionID is the id of the session of the next request.
func (v *visitor) sessionID() (id string) {
	v.with(func(s *session.Session) { id = s.ID() })
	return id
}

func TestRevokeWhereSaysWhatItCannotDo(t *testing.T) {
	r := newRig(t)
	anybody := func(*session.Session) bool { return true }
	for name, row := range map[string]struct {
		why  session.Reason
		user string
	}{"no reason": {"", "ada"}, "a strange reason": {"\n", "ada"}, "no user": {"provider", ""}} {
		if n, err := r.RevokeWhere(bg, row.why, row.user, anybody); n != 0 || err == nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	r.signIn("ada")
	r.store.hook(func(string, string) error { return errors.New("down") })
	if _, err := r.RevokeWhere(bg, "provider", "ada", anybody); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("RevokeWhere = %v, want ErrUnavailable", err)
	}
	cookies, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := manage(t, cookies, session.Options{Secrets: []session.Secret{testSecret}})
	if _, err := m.RevokeWhere(bg, "provider", "ada", anybody); !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("RevokeWhere = %v, want ErrNotSupported", err)
	}
}

// A record that nobody can open is no session, and stays for whoever finds out why.
func TestRevokeWhereLeavesWhatDoesNotOpen(t *testing.T) {
	r := newRig(t)
	_, id := r.signInBy("key")
	n := r.node(func(o *session.Options) { o.Secrets = []session.Secret{session.NewSecret()} })
	if ended, err := n.RevokeWhere(bg, "provider", "ada", signedInBy("key")); ended != 0 || err != nil {
		t.Errorf("RevokeWhere = %d, %v", ended, err)
	}
	if !r.stored(id) {
		t.Error("the record is gone")
	}
}
