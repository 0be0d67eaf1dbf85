package session_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// inOrders calls fn for every two lists of secrets that two nodes may have at the same time, or one before and after a
// restart: a new secret is known before it signs, and an old one afterwards.
func inOrders(t *testing.T, fn func(t *testing.T, r, other *rig)) {
	t.Helper()
	older, fresh, next := testSecret, session.NewSecret(), session.NewSecret()
	lists := [][]session.Secret{{older}, {older, fresh}, {fresh, older}, {fresh}, {fresh, next}, {next, fresh, older}}
	for i, one := range lists {
		for j, two := range lists {
			if !knows(two, one[0]) || !knows(one, two[0]) {
				continue // each refuses what the other one signs, or one of them does
			}
			t.Run(fmt.Sprintf("%d and %d", i, j), func(t *testing.T) {
				r := newTakeOver(t, func(o *session.Options) { o.Secrets = one })
				fn(t, r, r.taker(func(o *session.Options) { o.Secrets = two }))
			})
		}
	}
}

func knows(list []session.Secret, secret session.Secret) bool {
	for _, s := range list {
		if string(s) == string(secret) {
			return true
		}
	}
	return false
}

// taker is a second node that takes sessions of another library over.
func (r *rig) taker(change ...func(*session.Options)) *rig {
	r.t.Helper()
	n := r.node(change...)
	if err := n.AllowTakeOver("old", 24*time.Hour); err != nil {
		r.t.Fatal(err)
	}
	return n
}

func TestARevocationReachesTheOtherLibraryWhileASecretIsReplaced(t *testing.T) {
	inOrders(t, func(t *testing.T, r, other *rig) {
		if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		if ticket, err := other.TakeOver(t.Context(), newNewcomer("token", "ada").Foreign); ticket != "" || err != nil {
			t.Errorf("what was revoked is taken over (%v)", err)
		}
	})
}

// The other library cannot end a session that is all in its cookie.
func TestATokenOpensNothingAfterALogoutWhileASecretIsReplaced(t *testing.T) {
	inOrders(t, func(t *testing.T, r, other *rig) {
		n := newNewcomer("token", "ada")
		ticket, err := r.TakeOver(t.Context(), n.Foreign)
		if err != nil {
			t.Fatal(err)
		}
		s, err := other.Open(t.Context(), ticket)
		if err != nil || s.User() != "ada" {
			t.Fatalf("the ticket opens the session of %q, %v", s.User(), err)
		}
		s.Logout()
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.clock.advance(time.Hour)
		if _, err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, m := range []*rig{r, other} {
			if ticket, err := m.TakeOver(t.Context(), n.Foreign); ticket != "" || err != nil {
				t.Errorf("the token opens a session again (%v)", err)
			}
		}
	})
}

func TestATokenMakesOneSessionWhileASecretIsReplaced(t *testing.T) {
	inOrders(t, func(t *testing.T, r, other *rig) {
		n := newNewcomer("token", "ada")
		var all sync.WaitGroup
		for i := range 8 {
			m := []*rig{r, other}[i%2]
			all.Go(func() {
				ticket, err := m.TakeOver(t.Context(), n.Foreign)
				if err != nil {
					t.Error(err)
				}
				for _, node := range []*rig{r, other} {
					if s, err := node.Open(t.Context(), ticket); err != nil || s.User() != "ada" {
						t.Errorf("the ticket opens the session of %q, %v", s.User(), err)
					}
				}
			})
		}
		all.Wait()
		if infos, err := r.Sessions(t.Context(), "ada"); len(infos) != 1 || err != nil {
			t.Errorf("there are %d sessions, %v", len(infos), err)
		}
	})
}

// A node that has just started signs with the older of two secrets, and the one before it signed with the newer.
func TestARestartForgetsNoRevocationOfTheOtherLibrary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, secrets := memstore.New(memstore.Options{}), &vault{}
		secrets.say(session.NewSecret(), session.NewSecret())
		start := func() *session.Manager {
			m, err := session.New(store, session.Options{SecretSource: secrets.read, SweepEvery: session.Never})
			if err == nil {
				err = m.AllowTakeOver("old", 24*time.Hour)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Close() })
			return m
		}
		settled := start()
		time.Sleep(5 * time.Minute)
		if _, err := settled.RevokeUser(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		ticket, err := start().TakeOver(t.Context(), newNewcomer("token", "ada").Foreign)
		if ticket != "" || err != nil {
			t.Errorf("what was revoked is taken over (%v)", err)
		}
	})
}

// Wherever in a take-over the secrets change, there is one session in the end, and both nodes know it.
func TestATakeOverGoesOnWhileASecretIsReplaced(t *testing.T) {
	older, fresh := testSecret, session.NewSecret()
	steps := [][]session.Secret{{older}, {older, fresh}, {fresh, older}, {fresh}}
	for i, next := range steps[1:] {
		for n, reached := 1, true; reached; n++ {
			r := newTakeOver(t, func(o *session.Options) { o.Secrets = steps[i] })
			other := r.taker(func(o *session.Options) { o.Secrets = next })
			c, calls := newNewcomer("token", "ada"), 0
			r.store.hook(func(string, string) error {
				if calls++; calls == n {
					return r.SetSecrets(next)
				}
				return nil
			})
			ticket, err := r.TakeOver(t.Context(), c.Foreign)
			reached = calls >= n
			r.store.hook(nil)
			again, againErr := other.TakeOver(t.Context(), c.Foreign)
			infos, listErr := other.Sessions(t.Context(), "ada")
			s, openErr := other.Open(t.Context(), again)
			if ticket == "" || again == "" || len(infos) != 1 || errors.Join(err, againErr, listErr, openErr) != nil ||
				s.User() != "ada" {
				t.Errorf("step %d at call %d: %v and %v, with %d sessions, and the last is of %q", i, n, err, againErr,
					len(infos), s.User())
			}
		}
	}
}
