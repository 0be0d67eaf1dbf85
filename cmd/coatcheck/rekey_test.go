package main

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// What rekey puts under the newest secret opens for the site then, and what the site writes stays under it.
func TestASiteSignsWithANewSecretBeforeRekeyDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, fresh := session.NewSecret(), session.NewSecret()
		begun := time.Now()
		source := func(context.Context) ([]session.Secret, error) {
			if time.Since(begun) <= time.Hour {
				return []session.Secret{old}, nil
			}
			return []session.Secret{fresh, old}, nil // the file has changed just after it was read
		}
		store := memstore.New(memstore.Options{})
		m, err := session.New(store, session.Options{SecretSource: source, SweepEvery: -1,
			Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		time.Sleep(time.Hour + settled)
		s, err := m.Open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		only, err := session.New(store, session.Options{Secrets: []session.Secret{fresh}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		if s, err := only.Open(t.Context(), s.Token()); err != nil || s.User() != "ada" {
			t.Errorf("%v after a rotation the site signs with the old secret still: %v", settled, err)
		}
	})
}
