package main

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
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

// The file is one that the test has just written, whatever time it is said to have.
func TestRekeyWaitsUntilTheSecretsHaveBeenTheSameForLong(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SESSION_SECRETS__FILE", "secret")
	t.Setenv("SESSION_SECRETS__RELOAD", "true")
	before := time.Now()
	if err := keyfile.Create("secret"); err != nil {
		t.Fatal(err)
	}
	cfg, err := sessionconfig.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, age := range []time.Duration{0, time.Hour} {
		if err := os.Chtimes("secret", before.Add(-age), before.Add(-age)); err != nil {
			t.Fatal(err)
		}
		for ahead, want := range map[time.Duration]bool{settled / 2: age > 0 && runtime.GOOS == "windows",
			settled + time.Minute: true} {
			m, err := session.New(memstore.New(memstore.Options{}), session.Options{SweepEvery: session.Never,
				Secrets: []session.Secret{session.NewSecret()}, Now: func() time.Time { return time.Now().Add(ahead) }})
			if err != nil {
				t.Fatal(err)
			}
			s := &site{Manager: m, cfg: cfg}
			if err := s.siteKnows(t.Context(), &tool{}); (err == nil) != want {
				t.Errorf("%v after the change, with a time %v before it: %v", ahead, age, err)
			}
			_ = m.Close()
		}
	}
}
