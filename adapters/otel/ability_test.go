package otelsession_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
	"github.com/coatcheck/session/sessiontest"
	"github.com/coatcheck/session/sqlstore"
)

// stores have every set of the abilities that a manager looks for by a type assertion, and those of this module.
var stores = []session.Store{
	struct{ session.Store }{},
	struct {
		session.Store
		session.Toucher
	}{},
	struct {
		session.Store
		session.Sweeper
	}{},
	struct {
		session.Store
		session.Toucher
		session.Sweeper
	}{},
	struct {
		session.Store
		session.Lister
	}{},
	struct {
		session.Store
		session.Toucher
		session.Lister
	}{},
	struct {
		session.Store
		session.Sweeper
		session.Lister
	}{},
	struct {
		session.Store
		session.Toucher
		session.Sweeper
		session.Lister
	}{},
	struct {
		session.Store
		session.Lister
		session.Limiter
	}{},
	struct {
		session.Store
		session.Toucher
		session.Lister
		session.Limiter
	}{},
	struct {
		session.Store
		session.Sweeper
		session.Lister
		session.Limiter
	}{},
	struct {
		session.Store
		session.Toucher
		session.Sweeper
		session.Lister
		session.Limiter
	}{},
	struct {
		session.Store
		session.Toucher
		session.Sweeper
		session.Lister
		session.Limiter
		session.Sharer
	}{},
	new(memstore.Store), new(filestore.Store), new(sqlstore.Store), new(cookiestore.Store),
	new(nullstore.Store),
}

// abilities says which of those that cannot be answered for a store has.
func abilities(store session.Store) string {
	_, touches := store.(session.Toucher)
	_, sweeps := store.(session.Sweeper)
	_, lists := store.(session.Lister)
	_, limits := store.(session.Limiter)
	_, shares := store.(session.Sharer)
	_, carries := store.(session.Carrier)
	return fmt.Sprintf("touches %t, sweeps %t, lists %t, limits %t, shares %t, carries %t",
		touches, sweeps, lists, limits, shares, carries)
}

func TestAStoreCanDoWhatTheOneBelowCan(t *testing.T) {
	telemetry := newRecorder(t).telemetry
	for _, below := range stores {
		if got, want := abilities(telemetry.Store(below)), abilities(below); got != want {
			t.Errorf("the store around a %T %s, want %s", below, got, want)
		}
	}
}

// What a store answers for one that lacks the ability is what a manager takes its absence for.
func TestAStoreSaysOfItselfWhatTheOneBelowSays(t *testing.T) {
	telemetry := newRecorder(t).telemetry
	kept := memstore.New(memstore.Options{})
	carrying, err := cookiestore.New(cookiestore.Options{Revocations: kept})
	if err != nil {
		t.Fatal(err)
	}
	careless, err := cookiestore.New(cookiestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filestore.New(filepath.Join(t.TempDir(), "sessions"), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	bounded := memstore.New(memstore.Options{MaxSessions: 5})
	for _, below := range []session.Store{kept, bounded, carrying, careless, files, nullstore.New(), stores[0]} {
		above := telemetry.Store(below)
		if got, want := session.Forgets(above), session.Forgets(below); got != want {
			t.Errorf("%T: Forgets = %q, want %q", below, got, want)
		}
		if got, want := local(above), local(below); got != want {
			t.Errorf("%T: Local = %t, want %t", below, got, want)
		}
		d, _ := below.(session.Discarder)
		if got, want := above.(session.Discarder).Discards(), d != nil && d.Discards(); got != want {
			t.Errorf("%T: Discards = %t, want %t", below, got, want)
		}
	}
}

func local(store session.Store) bool {
	l, ok := store.(session.LocalStore)
	return ok && l.Local()
}

func TestTheContract(t *testing.T) {
	telemetry := newRecorder(t).telemetry
	below := map[string]func(t *testing.T) session.Store{
		"memstore": func(*testing.T) session.Store { return memstore.New(memstore.Options{}) },
		"filestore": func(t *testing.T) session.Store {
			s, err := filestore.New(filepath.Join(t.TempDir(), "sessions"), filestore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			return s
		},
		"nullstore": func(*testing.T) session.Store { return nullstore.New() },
	}
	for name, open := range below {
		t.Run(name, func(t *testing.T) {
			measured := func(t *testing.T) session.Store { return telemetry.Store(open(t)) }
			sessiontest.Run(t, measured, sessiontest.Options{})
		})
	}
}

func TestTheContractWithABound(t *testing.T) {
	telemetry := newRecorder(t).telemetry
	bounded := func(_ *testing.T, max int) session.Store {
		return telemetry.Store(memstore.New(memstore.Options{MaxSessions: max}))
	}
	sessiontest.Run(t, func(t *testing.T) session.Store { return bounded(t, 100_000) },
		sessiontest.Options{Bounded: bounded})
}

func TestSharingIsWithThisStoreAlone(t *testing.T) {
	telemetry := newRecorder(t).telemetry
	below := memstore.New(memstore.Options{})
	above := telemetry.Store(below).(session.Sharer)
	outer := telemetry.Store(above.(session.Store)).(session.Sharer)
	switch {
	case !above.Shares(above.(session.Store)) || !outer.Shares(outer.(session.Store)):
		t.Error("a store around memstore does not share with itself")
	case above.Shares(below) || above.Shares(struct{ session.Store }{above.(session.Store)}):
		t.Error("a store shares with another one")
	}
	embedding := struct{ *memstore.Store }{below}
	if hidden := telemetry.Store(embedding).(session.Sharer); hidden.Shares(hidden.(session.Store)) {
		t.Error("a store shares past one that embeds memstore")
	}
}

func TestANilStoreIsRefusedByTheManager(t *testing.T) {
	telemetry := newRecorder(t).telemetry
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}}
	for _, below := range []session.Store{nil, (*memstore.Store)(nil)} {
		if _, err := session.New(telemetry.Store(below), opts); err == nil {
			t.Errorf("New took a store around %#v", below)
		}
	}
}
