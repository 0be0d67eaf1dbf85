package session_test

import (
	"errors"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Nodes whose secrets are those that they were started with are deployed one after the other, and a visitor goes to and
// fro between them all the time.
func TestTwoRoundsReplaceASecretOfSeveralNodes(t *testing.T) {
	old, fresh := session.NewSecret(), session.NewSecret()
	store := memstore.New(memstore.Options{})
	started := func(secrets ...session.Secret) *session.Manager {
		return newRigOn(t, store, func(o *session.Options) { o.Secrets = secrets }).Manager
	}
	a, b := started(old), started(old)
	n, v := 0, (&rig{Manager: a, t: t}).visitor()
	visit := func() {
		for range 2 {
			for _, node := range []*session.Manager{a, b} {
				v.on(node).with(func(s *session.Session) {
					if got := counter.Or(s, 0); got != n {
						t.Errorf("request %d finds %d", n, got)
					}
					n++
					counter.Set(s, n)
				})
			}
		}
	}
	visit()
	for _, round := range [][]session.Secret{{old, fresh}, {fresh, old}, {fresh}} {
		a = started(round...)
		visit()
		b = started(round...)
		visit()
	}
}

// Sessions of a secret that was dropped open no more, and are in the store until somebody ends them. That needs no
// secret.
func TestSessionsOfADroppedSecretCountUntilTheyAreRevoked(t *testing.T) {
	r := newRig(t, atMost(1, session.RefuseNew))
	r.visitor().with(signIn("ada"))
	if err := r.SetSecrets([]session.Secret{session.NewSecret()}); err != nil {
		t.Fatal(err)
	}
	again := func() error {
		s, err := r.Open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return errors.Join(s.TryLogin("ada"), s.Save(t.Context()))
	}
	if err := again(); !errors.Is(err, session.ErrTooMany) || r.alive("ada") != 1 {
		t.Fatalf("a sign-in gives %v beside %d sessions, want ErrTooMany beside 1", err, r.alive("ada"))
	}
	for info, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Revoke(t.Context(), info.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := again(); err != nil {
		t.Errorf("after everybody was signed out: %v", err)
	}
}
