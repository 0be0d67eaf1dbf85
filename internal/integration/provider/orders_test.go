package provider_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/internal/integration/provider"
	"github.com/coatcheck/session/memstore"
)

// everything is for make explore, which has the time. Without it the tests take less than a minute of processor time
// with the race detector.
var everything = os.Getenv("COATCHECK_EXPLORE") != ""

func inMemory(t *testing.T, play provider.Play) {
	t.Helper()
	if everything {
		play.Only, play.Preemptions = nil, play.Preemptions+1
	}
	store := memstore.New(memstore.Options{})
	orders, err := explored(t, play, store)
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d orders", orders)
}

func explored(t *testing.T, play provider.Play, store explore.Store) (int, error) {
	t.Helper()
	play.Start = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	return play.Orders(t, [2]explore.Store{store, store})
}

// Two requests, of which the provider sends one at least. The same on other stores is in internal/integration.
func TestOrdersOfASignInAndItsLogoutKeepTheLink(t *testing.T) {
	inMemory(t, provider.Play{Requests: 2, Preemptions: 1})
	inMemory(t, provider.Play{Requests: 2, Preemptions: 1, Renew: true, Only: provider.Few})
}

func TestOrdersOfThreeRequestsKeepTheLink(t *testing.T) {
	inMemory(t, provider.Play{Requests: 3, Preemptions: 1, Only: provider.Fewest})
}

// A store that fails once, or loses an answer, hides no sign-in from its logout, and uses up no token.
func TestOrdersOfASignInAndItsLogoutKeepTheLinkWhenTheStoreFails(t *testing.T) {
	inMemory(t, provider.Play{Requests: 2, Preemptions: 0, Faults: 1, Only: provider.Few})
}

// careless is a store that replaces whatever is there.
type careless struct{ *memstore.Store }

func (s careless) Save(ctx context.Context, rec *session.Record) error {
	var with *session.ConflictError
	err := s.Store.Save(ctx, rec)
	if rec.Kind == session.KindTombstone && errors.As(err, &with) {
		rec.Version = with.Newest.Version
		return s.Store.Save(ctx, rec)
	}
	return err
}

func TestTheOrdersFindAStoreThatForgetsWhatTheProviderEnded(t *testing.T) {
	_, err := explored(t, provider.Play{Requests: 2, Preemptions: 1, Only: provider.Few},
		careless{memstore.New(memstore.Options{})})
	if err == nil {
		t.Error("no order of two requests shows that a mark is overwritten")
	}
}

func TestAStormOfSignInsAndLogoutsLeavesWhatWasAnswered(t *testing.T) {
	store := memstore.New(memstore.Options{})
	for range 10 {
		if err := stormOn(t, store); err != nil {
			t.Error(err)
		}
	}
}

func stormOn(t *testing.T, store session.Store) error {
	t.Helper()
	return provider.Storm(t, [2]session.Store{store, store}, rand.Uint64N(1e9), time.Now())
}

// forgetful is a store that loses every note which is the first of its kind.
type forgetful struct{ *memstore.Store }

func (s forgetful) Save(ctx context.Context, rec *session.Record) error {
	if rec.Kind == session.KindTombstone && rec.User == "" && rec.Version == 0 {
		return nil
	}
	return s.Store.Save(ctx, rec)
}

func TestTheStormFindsAStoreThatForgetsNotes(t *testing.T) {
	if stormOn(t, forgetful{memstore.New(memstore.Options{})}) == nil {
		t.Error("the storm does not find that notes are gone")
	}
}
